#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the wasm engine's C API (deps/wasmtime) into the cache: lib/libhelios_wasmtime.a and include/.
# About 4 minutes on two idle cores. Needs cargo, rustc and cmake on PATH.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

use_rust || { echo "no rustc >= $RUST_MINIMUM with cargo found: run tools/dev setup" >&2; exit 1; }

build() {
  local stage=$1 work=$2
  CARGO_TARGET_DIR=$work/target HELIOS_WASMTIME_INCLUDE_OUT=$work/include \
    cargo build --release --locked --manifest-path "$DEPS_DIR/wasmtime/Cargo.toml"
  mkdir -p "$stage/lib"
  cp "$work/target/release/libhelios_wasmtime.a" "$stage/lib/"
  cp -r "$work/include" "$stage/include"
  cp "$DEPS_DIR/wasmtime/include/helios_wasmtime.h" "$stage/include/"
}

build_once wasmtime build
