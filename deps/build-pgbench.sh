#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Brings pgbench into the cache. Debian ships it in the server package, whose installation would start a server; so
# that package is unpacked, not installed. Needs apt-get, dpkg-deb and, to run, postgresql-client.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

build() {
  local stage=$1 work=$2
  rm -rf "$work"/*
  # apt drops its rights to the user _apt when it may; it must be able to write here.
  (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root postgresql-15)
  dpkg-deb -x "$work"/postgresql-15_*.deb "$work/unpacked"
  mkdir -p "$stage/bin"
  cp "$work/unpacked/usr/lib/postgresql/15/bin/pgbench" "$stage/bin/"
}

build_once pgbench build
