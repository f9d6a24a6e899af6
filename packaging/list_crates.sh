#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Usage: packaging/list_crates.sh > packaging/crates.txt
# Lists the crates that are linked into libhelios_wasmtime.a: name, version, licence. Run it after every change of
# deps/wasmtime/Cargo.lock; a test tells when that was forgotten. Needs cargo, and jq.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../deps/lib.sh"
use_rust || { echo "no rustc >= $RUST_MINIMUM with cargo found: run tools/dev setup" >&2; exit 1; }

cd "$DEPS_DIR/wasmtime"
platform=x86_64-unknown-linux-gnu
licences=$(cargo metadata --format-version 1 --locked --filter-platform "$platform" |
  jq -r '.packages[] | "\(.name) \(.version) \(.license // "NOASSERTION")"' | sed 's|/Apache| OR Apache|; s|/MIT| OR MIT|' | sort)
linked=$(cargo tree --locked -e normal,no-proc-macro --prefix none --target "$platform" |
  awk '{ sub(/^v/, "", $2); print $1 " " $2 }' | sort -u | grep -v '^helios-wasmtime ')

echo "# SPDX-License-Identifier: Apache-2.0"
echo "#"
echo "# The crates that are linked into the program: name, version, licence. Made by packaging/list_crates.sh."
echo
awk 'NR == FNR { linked[$0]; next } ($1 " " $2) in linked' <(printf '%s\n' "$linked") <(printf '%s\n' "$licences")
