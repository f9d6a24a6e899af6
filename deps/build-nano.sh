#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds the server program of HeliosDB-Nano from its Rust crate into the cache: bin/heliosdb-nano. 20 to 40 minutes of
# work, nearly all of it one crate, so only `tools/dev matrix nano` asks for it. Needs cargo and rustc on PATH.
# HELIOS_BUILD_JOBS limits how many compilers run at once.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

use_rust || { echo "no rustc >= $RUST_MINIMUM with cargo found: run tools/dev setup" >&2; exit 1; }

build() {
  local stage=$1 work=$2
  cargo install heliosdb-nano --version "$NANO_VERSION" --locked --jobs "${HELIOS_BUILD_JOBS:-$(nproc)}" \
    --root "$work/root" --target-dir "$work/target"
  mkdir -p "$stage/bin"
  cp "$work/root/bin/heliosdb-nano" "$stage/bin/"
}

build_once nano build
