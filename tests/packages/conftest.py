# SPDX-License-Identifier: Apache-2.0

import glob
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
def machine(packages):
    """A Debian with PostgreSQL, where everybody may log in, and the package in root's home. Not booted."""
    made = Machine(["systemd", "ca-certificates", "postgresql", "man-db"])
    try:
        for deb in glob.glob(packages + "/heliosproxy_*.deb"):
            shutil.copy(deb, made.path("/root"))
        made.run("sed -i 's/peer$/trust/; s/scram-sha-256$/trust/' /etc/postgresql/15/main/pg_hba.conf")
        yield made
    finally:
        made.remove()
