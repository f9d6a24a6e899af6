#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Usage: deps/locate.sh wasmtime|pg_query|postgres15|postgres17|postgres18|pgbench|pgbouncer|oracle_headers|regress|guest_rust|nano
# Prints the cached directory of a dependency. Exit status 1, and nothing printed, when it is not built yet.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

dir=$(cache_dir_of "$1")
[[ -f $dir/.complete ]] || exit 1
printf '%s\n' "$dir"
