# SPDX-License-Identifier: Apache-2.0
"""Lets a schema fuzzer compare a running proxy with docs/openapi.yaml: every answer is one that is described, what the
description allows is taken and what it forbids is refused, tokens are asked for. `tools/dev check-api` runs this.

usage: check_api.py SCHEMATHESIS [ARGUMENT...]    the arguments go to `schemathesis run`
"""

import hashlib
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from harness.proxy import Proxy  # noqa: E402

SECRET = "0123456789abcdef" * 4
TIME_LIMIT_SECONDS = 900
# What a right request may get besides: the state decides about conditions, and plugins about values. A header that nobody
# knows is no wrong request.
SCHEMATHESIS = """[generation]
allow-extra-parameters = false
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "412", "422", "429", "5xx"]
"""


def settings():
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    return {"admin.tokens": [{"name": "fuzzer", "sha256": digest, "scopes": ["read", "write"]}]}


def run(proxy, schemathesis, arguments):
    with open(os.path.join(proxy.directory, "schemathesis.toml"), "w", encoding="utf-8") as file:
        file.write(SCHEMATHESIS)
    url = f"http://127.0.0.1:{proxy.admin.port}"
    authorization = f"Authorization: Bearer {SECRET}"
    command = [schemathesis, "run", f"{url}/openapi.yaml", "--url", url, "--header", authorization, "--checks", "all",
               "--max-examples", "40", "--seed", "1", "--no-color", "--request-timeout", "60",
               "--generation-database", "none", *arguments]
    return subprocess.run(command, cwd=proxy.directory, timeout=TIME_LIMIT_SECONDS, check=False).returncode


def main():
    proxy = Proxy(settings())
    try:
        proxy.start()
        status = run(proxy, sys.argv[1], sys.argv[2:])
        proxy.stop()  # looks for reports of sanitizers
        return status
    finally:
        proxy.remove()


if __name__ == "__main__":
    sys.exit(main())
