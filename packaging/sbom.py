# SPDX-License-Identifier: Apache-2.0
"""sbom.py VERSION EPOCH PACKAGE... > FILE: what is in the program, as CycloneDX 1.5 in JSON.

PACKAGE: the Debian packages whose shared libraries it loads. The rest is read from deps/versions.env, crates.txt and
libraries.txt. The same input gives the same bytes.
"""

import datetime
import json
import os
import re
import subprocess
import sys
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
PG_QUERY_LICENCE = "BSD-3-Clause AND PostgreSQL AND BSD-2-Clause"


def lines_of(path):
    with open(os.path.join(HERE, path), encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


def component(kind, name, version, licence):
    purl = f"pkg:{kind}/{name}@{version}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
            "licenses": [{"expression": licence}]}


def crates():
    return [component("cargo", *line.split(" ", 2)) for line in lines_of("crates.txt")]


def pg_query():
    versions = dict(line.split("=", 1) for line in lines_of("../deps/versions.env"))
    return component("cargo", "pg_query", versions["PG_QUERY_VERSION"], PG_QUERY_LICENCE)


def version_of(package):
    return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], check=True, capture_output=True,
                          text=True).stdout


def provider(package):
    """The installed package that provides one that has no files of its own, else the package itself."""
    listing = subprocess.run(["dpkg-query", "-W", "-f", "${Package}\t${db:Status-Status}\t${Provides}\n"], check=True,
                             capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in listing.splitlines()]
    if any(row[:2] == [package, "installed"] for row in rows):
        return package
    return next((row[0] for row in rows if package in re.split(r"[ ,]+", row[2])), package)


def debian_libraries(shared):
    known = {}
    for line in lines_of("libraries.txt"):
        how, package, licence = line.split(" ", 2)
        known[package] = licence
        if how == "compiled":
            yield component("deb/debian", package, version_of(package), licence)
    for package in map(provider, shared):
        if package not in known:
            sys.exit(f"sbom.py: packaging/libraries.txt does not say what licence {package} has: add a line")
        yield component("deb/debian", package, version_of(package), known[package])


def bill(version, epoch, shared):
    components = sorted([*crates(), pg_query(), *debian_libraries(shared)], key=lambda each: each["bom-ref"])
    product = {**component("generic", "heliosproxy", version, "Apache-2.0"), "type": "application"}
    made = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    content = json.dumps(components)
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_URL, product["purl"] + content)),
        "metadata": {"timestamp": made, "component": product},
        "components": components,
        "dependencies": [{"ref": product["bom-ref"], "dependsOn": [each["bom-ref"] for each in components]}],
    }


if __name__ == "__main__":
    json.dump(bill(sys.argv[1], int(sys.argv[2]), sys.argv[3:]), sys.stdout, indent=1)
    print()
