# SPDX-License-Identifier: Apache-2.0

import datetime
import glob
import json
import os
import shutil

import pytest
from machine import Machine

SOURCE = os.environ.get("HELIOS_SOURCE_DIR", os.getcwd())
PACKAGES = os.environ.get("HELIOS_PACKAGE_DIR", os.path.join(SOURCE, "build/release/packages"))


@pytest.fixture(scope="session")
def packages():
    """The folder with what `tools/dev package` has made."""
    if os.geteuid() != 0:
        pytest.skip("needs root: namespaces, chroot")
    assert glob.glob(PACKAGES + "/heliosproxy_*.deb"), "nothing is there: tools/dev package"
    return PACKAGES


@pytest.fixture(scope="session")
def again(packages):
    """An environment in which the scripts make what is in `packages` again: of the same time, into another folder."""
    with open(glob.glob(packages + "/*.cdx.json")[0], encoding="utf-8") as file:
        made = datetime.datetime.fromisoformat(json.load(file)["metadata"]["timestamp"].replace("Z", "+00:00"))
    return lambda folder: {**os.environ, "HELIOS_PACKAGE_DIR": str(folder), "SOURCE_DATE_EPOCH": str(int(made.timestamp()))}


@pytest.fixture(scope="session")
def machine(packages):
    """A Debian with PostgreSQL, where everybody may log in, and the package in root's home. Not booted."""
    made = Machine(["systemd", "ca-certificates", "postgresql", "man-db"])
    try:
        for deb in glob.glob(packages + "/heliosproxy_*.deb"):
            shutil.copy(deb, made.path("/root"))
        made.run("apt-get -q update")  # mmdebstrap leaves no lists
        made.run("sed -i 's/peer$/trust/; s/scram-sha-256$/trust/' /etc/postgresql/15/main/pg_hba.conf")
        yield made
    finally:
        made.remove()
