# SPDX-License-Identifier: Apache-2.0
#
# The benchmark suite, from a release build. To be sourced.

# bench [micro|state|instructions] [ARG...]: the interleaved comparison, the micro-benchmarks, what keeping state costs
# (FOLDER, KEYS, RECORDS), or the instructions of a session per query.
cmd_bench() {
  cmd_setup
  if [[ ${1:-} == state ]]; then
    build_preset release state_bench
    exec build/release/bench/state_bench "${@:2}"
  fi
  if [[ ${1:-} == instructions ]]; then
    install_missing valgrind
    build_preset release session_bench
    exec /usr/bin/python3 bench/instructions.py "${@:2}"
  fi
  setup_cached pgbouncer "fetching PgBouncer" bash deps/build-pgbouncer.sh
  build_preset release product bench
  if [[ ${1:-} == micro ]]; then
    exec build/release/bench/micro_bench "${@:2}"
  fi
  local pgbouncer
  pgbouncer=$(bash deps/locate.sh pgbouncer)
  export HELIOS_BIN=$PROJECT_DIR/build/release/bin/heliosproxy
  export HELIOS_PLUGIN_DIR=$PROJECT_DIR/build/release/plugins
  export HELIOS_BUILD_DIR=$PROJECT_DIR/build/release HELIOS_SOURCE_DIR=$PROJECT_DIR
  HELIOS_PGBENCH=$(bash deps/locate.sh pgbench)/bin/pgbench
  export HELIOS_PGBENCH HELIOS_PGBOUNCER=$pgbouncer/bin/pgbouncer HELIOS_PGBOUNCER_LIBRARIES=$pgbouncer/lib
  exec /usr/bin/python3 bench/run.py "$@"
}
