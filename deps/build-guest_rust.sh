#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Brings Debian's rustc 1.63 with its standard library for wasm32 into the cache: the compiler of plugins written in
# Rust. The packages conflict with the newer rustc-web that builds wasmtime, so they are unpacked, never installed.
# The cached bin/rustc finds its own libraries.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

build() {
  local stage=$1 work=$2 package
  rm -rf "$work"/*
  (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root \
    rustc libstd-rust-1.63 libstd-rust-dev-wasm32 libllvm14)
  for package in "$work"/*.deb; do
    dpkg-deb -x "$package" "$work/unpacked"
  done
  mkdir -p "$stage/bin" "$stage/lib/rustlib" "$stage/libexec"
  cp -P "$work"/unpacked/usr/lib/*-linux-gnu/*.so* "$stage/lib/"
  cp -r "$work/unpacked/usr/lib/rustlib/wasm32-unknown-unknown" "$stage/lib/rustlib/"
  cp "$work/unpacked/usr/bin/rustc" "$stage/libexec/"
  cat >"$stage/bin/rustc" <<'SCRIPT'
#!/bin/sh
root=$(cd "$(dirname "$0")/.." && pwd)
LD_LIBRARY_PATH=$root/lib exec "$root/libexec/rustc" --sysroot "$root" "$@"
SCRIPT
  chmod +x "$stage/bin/rustc"
  "$stage/bin/rustc" --version
}

build_once guest_rust build
