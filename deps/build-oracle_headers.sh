#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Brings the headers of PostgreSQL 15's server, for which the oracle's extension is compiled, into the cache. The Debian
# package would bring a compiler and a cluster's tools along, so it is unpacked, not installed.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

fetch() {
  (cd "$1" && apt-get download -qq -o APT::Sandbox::User=root postgresql-server-dev-15)
}

build() {
  local stage=$1 work=$2
  rm -rf "$work"/*
  fetch "$work" || { apt-get -q update && fetch "$work"; }
  dpkg-deb -x "$work"/*.deb "$work/unpacked"
  mkdir -p "$stage/include"
  cp -r "$work/unpacked/usr/include/postgresql/15/server/." "$stage/include/"
}

build_once oracle_headers build
