#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Brings PostgreSQL drivers of several languages, and what is built on them, into the cache, for `tools/dev drivers`: those
# of Python into an environment of its own, test suites from their sources, node-postgres and ORMs on it, pgjdbc and
# Hibernate where Maven is. Needs python3-venv and npm.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

build_python() {
  local stage=$1 work=$2 home archive
  # An environment knows its own path, so it is made where it will be.
  home=$(cache_dir_of drivers)-env
  rm -rf "$home"
  /usr/bin/python3 -m venv "$home"
  "$home/bin/pip" install --quiet --no-deps --disable-pip-version-check -r "$DEPS_DIR/drivers/requirements.txt"
  mkdir "$stage/bin" "$stage/suites"
  # Not a link: Python finds its environment by the name that it was called by.
  printf '#!/bin/sh\nexec "%s/bin/python" "$@"\n' "$home" >"$stage/bin/python"
  chmod +x "$stage/bin/python"
  "$home/bin/pip" download --quiet --no-deps --no-binary Django,SQLAlchemy,asyncpg --disable-pip-version-check -d "$work/sources" \
    -r "$DEPS_DIR/drivers/suites.txt"
  for archive in "$work"/sources/*.tar.gz; do
    tar -xzf "$archive" -C "$stage/suites"
  done
}

build_node() {
  mkdir "$1/node"
  cp "$DEPS_DIR/drivers/package.json" "$1/node/"
  (cd "$1/node" && npm install --silent --no-audit --no-fund --ignore-scripts)
}

build_java() {
  mkdir "$1/java"
  command -v mvn >/dev/null || return 0
  mvn -q -B -f "$DEPS_DIR/drivers/pom.xml" dependency:copy-dependencies -DoutputDirectory="$1/java"
}

build() {
  rm -rf "${2:?}"/*
  build_python "$1" "$2"
  build_node "$1"
  build_java "$1"
}

build_once drivers build
