#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Brings the Go modules of pgx into the cache, for `tools/dev drivers`. Needs go.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

build() {
  local stage=$1 work=$2
  cp "$DEPS_DIR/drivers/pgx"/go.* "$work/"
  (cd "$work" && GOMODCACHE=$stage/modules GOFLAGS=-modcacherw go mod download)
}

build_once pgx build
