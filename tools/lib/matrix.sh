# SPDX-License-Identifier: Apache-2.0
#
# The demos and the integration tests on every server that the proxy is made for. To be sourced.

MATRIX_MAJORS=(15 17 18)

# Server programs other than those that every build needs.
setup_backend() {
  case $1 in
    nano)
      export HELIOS_BUILD_JOBS=${HELIOS_BUILD_JOBS:-$(nproc)}
      setup_cached nano "building HeliosDB-Nano $NANO_VERSION (20 minutes and more, once)" \
        nice -n 19 bash deps/build-nano.sh
      ;;
    *)
      local version=POSTGRES${1}_VERSION
      [[ -n ${!version:-} ]] || die "no PostgreSQL $1 in deps/versions.env"
      setup_cached "postgres$1" "fetching PostgreSQL ${!version}" bash deps/build-postgres.sh "$1"
      ;;
  esac
}

# What tests/demo does, on another server. HeliosDB-Nano lacks the pg_sleep() that two of the demos need.
matrix_demos() {
  local demo failed=0
  for demo in "$DEMOS"/*/demo.sh; do
    [[ $1 == nano && $demo == */@(04-state-survives|07-evidence)/* ]] && continue
    HELIOS_TEST_PG=$1 HELIOS_BIN=$PROJECT_DIR/build/dev/bin/heliosproxy HELIOS_PLUGIN_DIR=$PROJECT_DIR/build/dev/plugins \
      tests/demo/in_own_network.sh "$demo" || failed=1
  done
  return "$failed"
}

matrix_one() {
  local backend=$1 failed=0
  setup_backend "$backend"
  say "$backend: the demos"
  matrix_demos "$backend" || failed=1
  if [[ $backend != nano ]]; then
    say "$backend: the integration tests"
    # The oracle's extension is compiled for PostgreSQL 15.
    local without=()
    [[ $backend == 15 ]] || without=(-E '^oracle')
    HELIOS_TEST_PG=$backend ctest --test-dir build/dev --output-on-failure --no-tests=error -L '^integration$' "${without[@]}" || failed=1
  fi
  return "$failed"
}

# matrix [MAJOR... | nano]
cmd_matrix() {
  local backend results=() failed=0
  (($# > 0)) || set -- "${MATRIX_MAJORS[@]}"
  cmd_setup
  build_preset dev product guest_counter guest_recorder guest_ledger
  for backend in "$@"; do
    if matrix_one "$backend"; then
      results+=("$backend: passed")
    else
      results+=("$backend: FAILED")
      failed=1
    fi
  done
  printf '%s\n' "${results[@]}"
  return "$failed"
}
