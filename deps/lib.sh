# SPDX-License-Identifier: Apache-2.0
#
# Shared by the scripts of deps/: where a dependency lies in the cache, and how one is built into it. To be sourced.
#
# A cached dependency is a directory <cache>/<name>-<version>-<hash of its recipe>. It appears by one rename when it is
# complete, so an interrupted build is never taken for a finished one; a lock lets a second build wait for the first.

DEPS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$DEPS_DIR/versions.env"

# Built files must be readable for the unprivileged user that PostgreSQL runs as.
umask 022

# HELIOS_CACHE, or a place that other users can read when run by root, whose home they cannot enter.
cache_root() {
  if [[ -n ${HELIOS_CACHE:-} ]]; then
    printf '%s\n' "$HELIOS_CACHE"
  elif ((EUID == 0)); then
    printf '/var/cache/heliosproxy\n'
  else
    printf '%s/heliosproxy\n' "${XDG_CACHE_HOME:-$HOME/.cache}"
  fi
}

# The files that decide what a build gives, relative to deps/.
recipe_files() {
  case $1 in
    wasmtime) printf '%s\n' build-wasmtime.sh wasmtime/{Cargo.toml,Cargo.lock,lib.rs,build.rs,include/helios_wasmtime.h} ;;
    pg_query) printf '%s\n' build-pg_query.sh pg_query/{Cargo.toml,Cargo.lock,lib.rs} ;;
    postgres15 | postgres17 | postgres18) printf '%s\n' build-postgres.sh ;;
    pgbench) printf '%s\n' build-pgbench.sh ;;
    schemathesis) printf '%s\n' build-schemathesis.sh schemathesis/requirements.txt ;;
    drivers) printf '%s\n' build-drivers.sh drivers/{requirements.txt,suites.txt,package.json,pom.xml} ;;
    pgx) printf '%s\n' build-pgx.sh drivers/pgx/{go.mod,go.sum} ;;
    pgbouncer) printf '%s\n' build-pgbouncer.sh ;;
    oracle_headers) printf '%s\n' build-oracle_headers.sh ;;
    regress) printf '%s\n' build-{regress,oracle_headers,postgres}.sh ;;
    guest_rust) printf '%s\n' build-guest_rust.sh ;;
    nano) printf '%s\n' build-nano.sh ;;
    *) echo "unknown dependency: $1" >&2; return 2 ;;
  esac
}

version_of() {
  case $1 in
    wasmtime) printf '%s\n' "$WASMTIME_VERSION" ;;
    pg_query) printf '%s\n' "$PG_QUERY_VERSION" ;;
    schemathesis) sed -n 's/^schemathesis==//p' "$DEPS_DIR/schemathesis/requirements.txt" ;;
    drivers) sed -n 's/^psycopg==//p' "$DEPS_DIR/drivers/requirements.txt" ;;
    pgx) sed -n 's/^require .*pgx.* v//p' "$DEPS_DIR/drivers/pgx/go.mod" ;;
    postgres15) printf '%s\n' "$POSTGRES15_VERSION" ;;
    postgres17) printf '%s\n' "$POSTGRES17_VERSION" ;;
    postgres18) printf '%s\n' "$POSTGRES18_VERSION" ;;
    pgbench | pgbouncer | guest_rust | oracle_headers | regress) printf 'debian\n' ;;
    nano) printf '%s\n' "$NANO_VERSION" ;;
  esac
}

cache_dir_of() {
  local name=$1 files hash
  files=$(recipe_files "$name") || return
  hash=$(cd "$DEPS_DIR" && sha256sum $files | sha256sum | cut -c1-12)
  printf '%s/%s-%s-%s\n' "$(cache_root)" "$name" "$(version_of "$name")" "$hash"
}

# Whether the rustc given (a path or a name) exists and is new enough for wasmtime.
rust_is_new_enough() {
  local version
  version=$("$1" --version 2>/dev/null | cut -d' ' -f2) || return 1
  [[ -n $version && $(printf '%s\n%s\n' "$RUST_MINIMUM" "$version" | sort -V | head -n1) == "$RUST_MINIMUM" ]]
}

# Puts a directory with a usable rustc in front of PATH: the caller's own, rustup's, or Debian's. Fails when none is.
use_rust() {
  local dir
  rust_is_new_enough rustc && return 0
  for dir in "${CARGO_HOME:-$HOME/.cargo}/bin" /usr/bin; do
    if [[ -x $dir/cargo ]] && rust_is_new_enough "$dir/rustc"; then
      PATH=$dir:$PATH
      return 0
    fi
  done
  return 1
}

# build_once NAME FUNCTION: when NAME is not in the cache, calls FUNCTION STAGE WORK. FUNCTION fills the empty
# directory STAGE; WORK is a scratch directory that survives an interruption, for builds that can go on where they were.
build_once() {
  local name=$1 function=$2 dir root stage work
  dir=$(cache_dir_of "$name")
  if [[ -f $dir/.complete ]]; then
    return 0
  fi
  root=$(cache_root)
  mkdir -p "$root/.work"
  exec {lock}>"$root/.work/$name.lock"
  if ! flock -n "$lock"; then
    echo "    $name is being built by another process, waiting"
    flock "$lock"
  fi
  if [[ ! -f $dir/.complete ]]; then
    stage=$root/.work/$name.stage
    work=$root/.work/$name
    rm -rf "$stage" "$dir"
    mkdir -p "$stage" "$work"
    "$function" "$stage" "$work"
    touch "$stage/.complete"
    mv "$stage" "$dir"
    rm -rf "$work"
  fi
  exec {lock}>&-
}
