#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Brings PostgreSQL 15's own test suites into the cache, for `tools/dev regress`: regress, isolation, plpgsql and contrib
# from Debian's source package, and the library of C functions that regress calls. Needs the headers of
# deps/build-oracle_headers.sh, and the server of deps/build-postgres.sh 15, which has contrib's libraries.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The machine's own package sources, asked for sources. Lists lie apart: nothing of the machine's is changed.
ask_for_sources() {
  local apt=$1 file
  mkdir -p "$apt/parts" "$apt/lists/partial"
  for file in /etc/apt/sources.list.d/*.sources; do
    [[ -f $file ]] && sed 's/^Types:.*/Types: deb-src/' "$file" >"$apt/parts/${file##*/}"
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -f $file ]] && sed -n 's/^deb /deb-src /p' "$file" >"$apt/parts/own-${file##*/}"
  done
  APT_OPTIONS=(-o Dir::State::lists="$apt/lists" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apt/parts"
    -o APT::Sandbox::User=root)
}

# Any release of 15 will do: both legs of the comparison run the same texts. The newest may be listed and not be there.
fetch_source() {
  local work=$1 version
  ask_for_sources "$work/apt"
  apt-get "${APT_OPTIONS[@]}" -q update
  while read -r version; do
    (cd "$work" && apt-get "${APT_OPTIONS[@]}" -q source --download-only "postgresql-15=$version") && return
  done < <(apt-cache "${APT_OPTIONS[@]}" showsrc postgresql-15 | sed -n 's/^Version: //p' | sort -rV)
  return 1
}

build() {
  local stage=$1 work=$2 headers postgres
  headers=$(cache_dir_of oracle_headers)
  postgres=$(cache_dir_of postgres15)
  rm -rf "${work:?}"/*
  fetch_source "$work"
  tar -xjf "$work"/postgresql-15_*.orig.tar.bz2 -C "$work" --wildcards --strip-components=1 \
    '*/src/test/regress/*' '*/src/test/isolation/*' '*/src/pl/plpgsql/src/*' '*/contrib/*'
  mkdir -p "$stage/lib" "$stage/contrib"
  mv "$work/src/test/regress" "$work/src/test/isolation" "$stage/"
  mv "$work/src/pl/plpgsql/src" "$stage/plpgsql"
  find "$work/contrib" -maxdepth 2 -name sql -printf '%h\n' | xargs mv -t "$stage/contrib"
  cc -O1 -g -w -shared -fPIC -isystem "$headers/include" "$stage/regress/regress.c" -o "$stage/lib/regress.so"
  cp "$postgres"/lib/postgresql/{autoinc,refint}.so "$stage/lib/"
  chmod -R u+rwX,go+rX,go-w "$stage"
}

build_once regress build
