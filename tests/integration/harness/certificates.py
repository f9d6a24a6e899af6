# SPDX-License-Identifier: Apache-2.0
"""Certificates that sign themselves, made by the openssl program, and clients that trust them."""

import os
import shutil
import ssl
import subprocess
from dataclasses import dataclass

PATIENCE_SECONDS = 60


@dataclass
class Certificate:
    path: str
    key: str

    def trusting(self, *protocols):
        """A client's context that trusts this one alone; `protocols` are named in the handshake (ALPN)."""
        context = ssl.create_default_context(cafile=self.path)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context

    def copy_for(self, folder, launcher):
        """Copies in `folder` that only whom `launcher` starts programs as may read."""
        user = subprocess.run([launcher, "id", "-un"], capture_output=True, text=True, check=True,
                              timeout=PATIENCE_SECONDS).stdout.strip()
        copy = Certificate(shutil.copy(self.path, folder), shutil.copy(self.key, folder))
        os.chmod(copy.key, 0o600)
        if os.geteuid() == 0:
            shutil.chown(copy.key, user)
        return copy

    def take_over(self, other):
        """From now on the files hold what is in those of the other one, which are gone."""
        os.rename(other.path, self.path)
        os.rename(other.key, self.key)


def openssl(*words, folder=None):
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=PATIENCE_SECONDS, cwd=folder)


class Authority:
    """Signs certificates, and takes them back. Its own is `path`, its list `crl`."""

    def __init__(self, folder, name="authority"):
        self.folder = os.path.join(str(folder), name)
        os.mkdir(self.folder)
        own = make_certificate(self.folder, name, hosts=("DNS:" + name,))
        self.path, self._key, self.crl = own.path, own.key, os.path.join(self.folder, "list.crl")
        for file, text in (("index", ""), ("number", "01\n"), ("conf", f"""
[ca]
default_ca = this
[this]
database = {self.folder}/index
crlnumber = {self.folder}/number
default_md = sha256
default_crl_days = 2
certificate = {self.path}
private_key = {self._key}
""")):
            with open(os.path.join(self.folder, file), "w", encoding="utf-8") as out:
                out.write(text)
        self._list()

    def sign(self, subject, days=2):
        """A certificate for `subject` ("/O=Example/CN=ann"), and its key."""
        stem = os.path.join(self.folder, f"client{len(os.listdir(self.folder))}")
        made = Certificate(stem + ".crt", stem + ".key")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8", "-subj", subject,
                "-keyout", made.key, "-out", stem + ".csr")
        openssl("x509", "-req", "-in", stem + ".csr", "-CA", self.path, "-CAkey", self._key, "-CAcreateserial", "-days",
                str(days), "-out", made.path)
        os.chmod(made.key, 0o600)
        return made

    def revoke(self, certificate):
        openssl("ca", "-config", "conf", "-revoke", certificate.path, folder=self.folder)
        self._list()

    def _list(self):
        openssl("ca", "-config", "conf", "-gencrl", "-out", self.crl, folder=self.folder)


def make_certificate(folder, name="server", hosts=("DNS:localhost", "IP:127.0.0.1"), days=2, subject=None):
    """`<folder>/<name>.crt` and `.key`: a new key and its certificate for these hosts; `subject` instead of the name."""
    made = Certificate(os.path.join(str(folder), f"{name}.crt"), os.path.join(str(folder), f"{name}.key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    str(days), "-subj", subject or f"/CN={name}",
                    *(["-addext", "subjectAltName=" + ",".join(hosts)] if hosts else []), "-keyout",
                    made.key, "-out", made.path], check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    os.chmod(made.key, 0o600)
    return made
