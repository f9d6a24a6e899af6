# SPDX-License-Identifier: Apache-2.0
"""The Debian package, from installing to purging, on a machine with systemd and PostgreSQL; what docs/install.md shows is run.

The tests are one story, in this order."""

import glob
import json
import os
import re
import subprocess

from conftest import SOURCE

SELECT = "psql -h 127.0.0.1 -p 6432 -U postgres -Atc 'SELECT 6 * 7'"


def listings():
    """The shell listings of docs/install.md by their section's title."""
    with open(os.path.join(SOURCE, "docs/install.md"), encoding="utf-8") as file:
        sections = re.split(r"^##+ ", file.read(), flags=re.M)
    return {section.split("\n")[0]: re.findall(r"^```sh\n(.*?)^```", section, flags=re.M | re.S) for section in sections}


def test_same_build_gives_the_same_package(packages, again, tmp_path):
    subprocess.run([os.path.join(SOURCE, "packaging/build_deb.sh")], env=again(tmp_path), check=True, timeout=300)
    made = [file for file in os.listdir(tmp_path) if file.endswith((".deb", ".json"))]
    assert len(made) == 3
    for name in made:
        with open(tmp_path / name, "rb") as one, open(os.path.join(packages, name), "rb") as other:
            assert one.read() == other.read(), name


def test_bill_of_materials_names_what_is_in_the_program(packages):
    with open(glob.glob(packages + "/*.cdx.json")[0], encoding="utf-8") as file:
        bill = json.load(file)
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.5", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    for each in bill["components"]:
        assert each["type"] == "library" and each["name"] and each["version"] and each["purl"] == each["bom-ref"]
        assert each["licenses"][0]["expression"] not in ("", "NOASSERTION"), each["name"]
    references = [each["bom-ref"] for each in bill["components"]]
    assert len(set(references)) == len(references) and bill["dependencies"][0]["dependsOn"] == references
    with open(os.path.join(SOURCE, "deps/wasmtime/Cargo.lock"), encoding="utf-8") as file:
        locked = set(re.findall(r'name = "(.+)"\nversion = "(.+)"', file.read()))
    crates = {(each["name"], each["version"]) for each in bill["components"]
              if each["purl"].startswith("pkg:cargo") and each["name"] != "pg_query"}
    assert crates and crates <= locked, "packaging/list_crates.sh"


def test_symbols_belong_to_the_program(packages, tmp_path):
    for deb in glob.glob(packages + "/*.deb"):
        subprocess.run(["dpkg-deb", "-x", deb, tmp_path], check=True)
    program = tmp_path / "usr/bin/heliosproxy"
    notes = subprocess.run(["readelf", "-n", program], capture_output=True, text=True, check=True).stdout
    build_id = re.search(r"Build ID: (\w+)", notes)[1]
    symbols = tmp_path / f"usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
    assert "debug_info" in subprocess.run(["readelf", "-SW", symbols], capture_output=True, text=True, check=True).stdout
    assert "debug_info" not in subprocess.run(["readelf", "-SW", program], capture_output=True, text=True, check=True).stdout


def test_installing_starts_nothing(machine):
    install, start = listings()["Debian"]
    machine.run(install)
    machine.boot()
    assert machine.run("id -un heliosproxy").stdout == "heliosproxy\n"
    assert machine.run("systemctl is-enabled heliosproxy", check=False).stdout == "disabled\n"
    assert machine.run("systemctl is-active heliosproxy", check=False).stdout == "inactive\n"
    machine.run("heliosproxy --check --config /etc/heliosproxy/heliosproxy.toml")
    machine.run("systemctl start postgresql@15-main")
    assert "through the proxy" in machine.run(start).stdout
    assert machine.run("systemctl is-enabled heliosproxy").stdout == "enabled\n"
    assert "serving on 127.0.0.1:6432" in machine.run("systemctl show -P StatusText heliosproxy").stdout


def test_units_are_well_formed_and_the_service_may_do_little(machine):
    done = machine.run("systemd-analyze verify heliosproxy.service heliosproxy.socket", check=False)
    # A minimal system has the manual left out.
    assert not [line for line in done.stderr.splitlines() if "man heliosproxy" not in line], done.stderr
    done = machine.run("systemd-analyze security --no-pager heliosproxy.service", check=False).stdout
    exposure = float(re.search(r"Overall exposure level for heliosproxy.service: ([\d.]+)", done)[1])
    assert exposure <= 2.0, done


def test_plugins_are_loaded_by_a_reload(machine):
    machine.run("\n".join(listings()["Plugins"]))
    machine.wait_for("systemctl show -P StatusText heliosproxy", "reloaded: 1 plugins in force")
    assert machine.run(SELECT).stdout == "42\n"
    machine.run("cp /usr/lib/heliosproxy/plugins/* /etc/heliosproxy/plugins/ && systemctl restart heliosproxy")
    assert machine.run(SELECT).stdout == "42\n"


def test_sockets_are_kept_over_a_restart(machine):
    machine.run("\n".join(listings()["Restarts that refuse nobody"]))
    machine.run("systemctl stop heliosproxy.service")
    assert machine.run(SELECT).stdout == "42\n"  # it came by itself
    machine.run("systemctl restart heliosproxy")
    assert machine.run(SELECT).stdout == "42\n"


def test_configuration_to_begin_with(machine):
    machine.run("\n".join(listings()["From source"]))
    assert "stays as it is" in machine.run("heliosproxy init myproxy", check=False).stderr


def test_installing_again_restarts_what_runs(machine):
    before = machine.run("systemctl show -P MainPID heliosproxy").stdout
    machine.run("echo '# mine' >> /etc/heliosproxy/heliosproxy.toml; dpkg -i heliosproxy_*.deb")
    assert machine.run("systemctl show -P MainPID heliosproxy").stdout != before
    assert machine.run(SELECT).stdout == "42\n"
    assert machine.read("/etc/heliosproxy/heliosproxy.toml").endswith("# mine\n")


def test_removing_keeps_state_and_purging_deletes_it(machine):
    remove, purge = "".join(listings()["Removing it"]).strip().split("\n")
    machine.run(remove)
    assert machine.run("systemctl is-active heliosproxy", check=False).stdout != "active\n"
    assert os.path.exists(machine.path("/var/lib/heliosproxy/state"))
    assert os.path.exists(machine.path("/etc/heliosproxy/heliosproxy.toml"))
    machine.run(purge)
    assert not os.path.exists(machine.path("/var/lib/heliosproxy"))
    assert not os.path.exists(machine.path("/etc/heliosproxy"))
