# SPDX-License-Identifier: Apache-2.0
#
# Everything that must be on the machine before a build: Debian packages, a Rust toolchain, the libraries and server
# binaries of deps/. To be sourced. When nothing is missing this takes a fraction of a second.

# Those of the given packages that are not installed, one a line.
missing_packages() {
  local installed
  installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>/dev/null | sed -n 's/^ii  *//p' | sort -u)
  comm -13 <(printf '%s\n' "$installed") <(printf '%s\n' "$@" | sort -u)
}

is_cached() {
  bash deps/locate.sh "$1" >/dev/null
}

wanted_packages() {
  sed 's/#.*//; /^[[:space:]]*$/d' deps/debian-packages.txt
  # What only a build of deps/ needs is not asked for once its result is there.
  if ! is_cached wasmtime || ! is_cached pg_query; then
    (use_rust) || printf 'rustc-web\ncargo-web\n'
  fi
  if ! is_cached postgres17 || ! is_cached postgres15; then
    command -v npm >/dev/null || echo npm
  fi
}

apt_install() {
  export DEBIAN_FRONTEND=noninteractive
  local options=(-q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
  apt-get "${options[@]}" update
  apt-get "${options[@]}" install -y --no-install-recommends "$@"
}

# install_missing PACKAGE...: installs those that are not there yet.
install_missing() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} == 0)) && return
  if ((EUID != 0)); then
    die "Debian packages are missing; as root run: apt-get install -y --no-install-recommends ${missing[*]}"
  fi
  quietly "installing ${#missing[@]} Debian packages: ${missing[*]}" apt_install "${missing[@]}"
}

setup_packages() {
  install_missing $(wanted_packages)
}

# setup_cached NAME TITLE COMMAND...: runs the command when NAME is not in the cache.
setup_cached() {
  local name=$1 title=$2
  shift 2
  is_cached "$name" || quietly "$title" "$@"
}

cmd_setup() {
  command -v dpkg-query >/dev/null || die "this is made for Debian 12: dpkg-query is missing"
  setup_packages
  setup_cached postgres17 "fetching PostgreSQL $POSTGRES17_VERSION" bash deps/build-postgres.sh 17
  setup_cached postgres15 "fetching PostgreSQL $POSTGRES15_VERSION" bash deps/build-postgres.sh 15
  setup_cached oracle_headers "fetching the headers of PostgreSQL 15's server" bash deps/build-oracle_headers.sh
  setup_cached pgbench "fetching pgbench" bash deps/build-pgbench.sh
  setup_cached guest_rust "fetching Debian's rustc for plugins in Rust" bash deps/build-guest_rust.sh
  setup_cached pg_query "building libpg_query $PG_QUERY_VERSION (about a minute, once)" bash deps/build-pg_query.sh
  setup_cached wasmtime "building wasmtime $WASMTIME_VERSION (about 5 minutes, once)" bash deps/build-wasmtime.sh
}
