#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Brings PgBouncer, which benchmarks compare with, into the cache. The Debian package would start a service, so it is
# unpacked, not installed, with the two libraries that it needs beside those of the base system.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

build() {
  local stage=$1 work=$2
  rm -rf "$work"/*
  (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root pgbouncer libevent-2.1-7 libc-ares2)
  local package
  for package in "$work"/*.deb; do
    dpkg-deb -x "$package" "$work/unpacked"
  done
  mkdir -p "$stage/bin" "$stage/lib"
  cp "$work/unpacked/usr/sbin/pgbouncer" "$stage/bin/"
  cp -P "$work"/unpacked/usr/lib/*/lib{event,cares}*.so* "$stage/lib/"
}

build_once pgbouncer build
