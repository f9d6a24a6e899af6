#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Brings PostgreSQL drivers of several languages into the cache, for `tools/dev drivers`: those of Python into an
# environment of its own, node-postgres beside it. Needs python3-venv and npm.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

build() {
  local stage=$1 home
  # An environment knows its own path, so it is made where it will be.
  home=$(cache_dir_of drivers)-env
  rm -rf "$home"
  /usr/bin/python3 -m venv "$home"
  "$home/bin/pip" install --quiet --no-deps --disable-pip-version-check -r "$DEPS_DIR/drivers/requirements.txt"
  mkdir "$stage/bin" "$stage/node"
  # Not a link: Python finds its environment by the name that it was called by.
  printf '#!/bin/sh\nexec "%s/bin/python" "$@"\n' "$home" >"$stage/bin/python"
  chmod +x "$stage/bin/python"
  cp "$DEPS_DIR/drivers/package.json" "$stage/node/"
  (cd "$stage/node" && npm install --silent --no-audit --no-fund --ignore-scripts)
}

build_once drivers build
