# SPDX-License-Identifier: Apache-2.0
"""The image for containers: what stands in it, and that it serves clients as an unprivileged user on a read-only root."""

import glob
import json
import os
import signal
import subprocess
import sys

import pytest
from conftest import SOURCE

sys.path.insert(0, os.path.join(SOURCE, "tests/integration"))
from harness.clients import psql  # noqa: E402
from harness.postgres import Postgres, free_port  # noqa: E402
from harness.waiting import wait_until  # noqa: E402

RUN = """
set -e
mount --make-rprivate /
mount --bind {root} {root}
mount -t tmpfs -o uid=6432,gid=6432,mode=0700 tmpfs {root}/var/lib/heliosproxy
mount -o remount,bind,ro {root}
exec env -i PATH=/usr/sbin:/usr/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt chroot --userspec=6432:6432 {root} /usr/bin/heliosproxy "$@"
"""


@pytest.fixture(scope="module")
def image(packages, tmp_path_factory):
    """(root file system, configuration) of the image."""
    folder = tmp_path_factory.mktemp("image")
    layout, bundle = folder / "layout", folder / "bundle"
    layout.mkdir()
    subprocess.run(["tar", "-C", layout, "-xf", glob.glob(packages + "/*.oci.tar")[0]], check=True)
    with open(layout / "index.json", encoding="utf-8") as file:
        manifest, = json.load(file)["manifests"]
    tag = manifest["annotations"]["org.opencontainers.image.ref.name"]

    def blob(digest):
        return json.loads((layout / "blobs" / digest.replace(":", "/")).read_text())
    config = blob(blob(manifest["digest"])["config"]["digest"])["config"]
    subprocess.run(["umoci", "unpack", "--image", f"{layout}:{tag}", bundle], check=True, capture_output=True)
    folder.chmod(0o755)
    return str(bundle / "rootfs"), config


def start(root, *arguments):
    return subprocess.Popen(["unshare", "--mount", "bash", "-c", RUN.format(root=root), "image", *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_image_says_how_to_run_it(image):
    _, config = image
    assert config["Entrypoint"] == ["heliosproxy"] and config["User"] == "6432:6432"
    assert config["Cmd"] == ["--config", "/etc/heliosproxy/heliosproxy.toml", "--listen", "0.0.0.0:6432"]
    assert set(config["ExposedPorts"]) == {"6432/tcp", "9090/tcp"}
    assert list(config["Volumes"]) == ["/var/lib/heliosproxy"] and config["StopSignal"] == "SIGTERM"


def test_image_has_one_program_and_nothing_of_its_builder(image):
    root, _ = image
    assert os.listdir(root + "/usr/bin") == ["heliosproxy"]
    assert not os.path.exists(root + "/bin/sh") and not os.path.exists(root + "/etc/hostname")


def test_same_package_gives_the_same_image(packages, again, tmp_path):
    built = glob.glob(packages + "/*.oci.tar")[0]
    deb, = glob.glob(packages + "/heliosproxy_*.deb")
    os.symlink(deb, tmp_path / os.path.basename(deb))
    subprocess.run([os.path.join(SOURCE, "packaging/build_image.sh")], env=again(tmp_path), check=True, timeout=300)
    with open(built, "rb") as one, open(tmp_path / os.path.basename(built), "rb") as other:
        assert one.read() == other.read()


def test_image_serves_clients_unprivileged_on_a_read_only_root(image):
    root, _ = image
    server = Postgres()
    port, admin = free_port(), free_port()
    try:
        server.start()
        server.set_up()
        process = start(root, "--config", "/etc/heliosproxy/heliosproxy.toml", "--listen", f"127.0.0.1:{port}",
                        "--admin", f"127.0.0.1:{admin}", "--server", f"127.0.0.1:{server.port}")
        try:
            wait_until(lambda: psql(port, "SELECT 6 * 7", check=False).stdout == "42\n", "a client is served")
            health = start(root, "blocked", "--url", f"http://127.0.0.1:{admin}")
            assert health.wait(60) == 0, health.stdout.read()
        finally:
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=60)[0]
        assert process.returncode == 0, said
        assert start(root, "blocked", "--url", f"http://127.0.0.1:{admin}").wait(60) != 0
    finally:
        server.remove()
