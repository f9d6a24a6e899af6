#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds libpg_query (PostgreSQL's parser as a C library) into the cache: lib/libpg_query.a and include/. The sources
# are those that the Rust crate of deps/pg_query carries; they are compiled by their own Makefile. About a minute on
# two cores. Needs cargo, make and a C compiler.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

use_rust || { echo "no rustc >= $RUST_MINIMUM with cargo found: run tools/dev setup" >&2; exit 1; }

build() {
  local stage=$1 work=$2 source
  rm -rf "$work/vendor"
  (cd "$work" && cargo vendor --locked --versioned-dirs --manifest-path "$DEPS_DIR/pg_query/Cargo.toml" \
    "$work/vendor" >/dev/null)
  source=$work/vendor/pg_query-$PG_QUERY_VERSION/libpg_query
  make -C "$source" -j"$(nproc)" --no-print-directory --silent build \
    ARFLAGS=rcs CFLAGS_OPT_LEVEL="-O2 -g0 -w"
  mkdir -p "$stage/lib" "$stage/include/internal/src"
  cp "$source/libpg_query.a" "$stage/lib/"
  cp "$source"/*.h "$stage/include/"
  # For code that walks the raw parse tree: PostgreSQL's node definitions and the entry point that returns them.
  cp "$source"/src/*.h "$stage/include/internal/src/"
  cp -r "$source/src/postgres/include" "$stage/include/internal/postgres"
}

build_once pg_query build
