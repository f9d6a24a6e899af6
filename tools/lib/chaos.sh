# SPDX-License-Identifier: Apache-2.0
#
# What takes too long for every test run: whole suites through relays, many dying clients, the soak. To be sourced.

# What a relay that slices or delays must not change. Left out: what counts descriptors, times or memory.
SURVIVABLE=(authentication counter extended hooks kv_sql refusals relay tenants)

# The environment that helios_pytest() gives its tests.
use_build() {
  local build=$PROJECT_DIR/build/$1
  export HELIOS_BIN=$build/bin/heliosproxy HELIOS_PLUGIN_DIR=$build/plugins HELIOS_BUILD_DIR=$build
  export HELIOS_SOURCE_DIR=$PROJECT_DIR PYTHONDONTWRITEBYTECODE=1
  HELIOS_PG17=$(bash deps/locate.sh postgres17)
  HELIOS_PGBENCH=$(bash deps/locate.sh pgbench)/bin/pgbench
  export HELIOS_PG17 HELIOS_PGBENCH
}

# chaos [ROUNDS]
cmd_chaos() {
  local way engine failed=0 suites=("${SURVIVABLE[@]/#/tests/integration/test_}")
  local pytest=(/usr/bin/python3 -m pytest -q -p no:cacheprovider)
  cmd_setup
  build_preset dev product guest_counter guest_recorder
  use_build dev
  for way in slices delay; do
    say "through $way on both sides"
    "${pytest[@]}" "--through=$way" "${suites[@]/%/.py}" || failed=1
  done
  for engine in epoll io_uring; do
    say "$engine: a fault at every place, and ${1:-10000} dying clients"
    HELIOS_ENGINE=$engine HELIOS_ROUNDS=${1:-10000} "${pytest[@]}" tests/integration/test_{chaos,dying_clients}.py ||
      failed=1
  done
  return "$failed"
}

# model [OPERATIONS]: over all option sets of the store together, and as long a history of threads, proved serializable.
cmd_model() {
  cmd_setup
  build_preset dev kv_rocksdb_test kv_contract_test
  HELIOS_OPERATIONS=${1:-1000000} build/dev/tests/kv_rocksdb_test --gtest_filter='*Model*'
  HELIOS_HISTORY=$((${1:-1000000} / 200)) build/dev/tests/kv_contract_test --gtest_filter='*recorded_history*'
}

# crash [ROUNDS]: and a fault at every call of the disk.
cmd_crash() {
  cmd_setup
  build_preset dev kv_rocksdb_test
  HELIOS_FAULTS=all build/dev/tests/kv_rocksdb_test --gtest_brief=1
  build_preset release product guest_counter
  use_build release
  HELIOS_CRASH_ROUNDS=${1:-100} /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/integration/test_crash.py
}

# soak [MINUTES]
cmd_soak() {
  cmd_setup
  build_preset release product guest_counter
  use_build release
  /usr/bin/python3 tests/soak/soak.py "$@"
}
