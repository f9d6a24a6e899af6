#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Brings schemathesis into the cache, a Python environment of its own. Needs python3-venv.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

build() {
  local stage=$1 home
  # An environment knows its own path, so it is made where it will be.
  home=$(cache_dir_of schemathesis)-env
  rm -rf "$home"
  /usr/bin/python3 -m venv "$home"
  "$home/bin/pip" install --quiet --no-deps --disable-pip-version-check -r "$DEPS_DIR/schemathesis/requirements.txt"
  mkdir "$stage/bin"
  ln -s "$home/bin/schemathesis" "$stage/bin/schemathesis"
}

build_once schemathesis build
