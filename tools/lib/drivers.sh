# SPDX-License-Identifier: Apache-2.0
#
# Real drivers in their own languages. To be sourced.

# drivers [WORD...]: the same story by each of them, through the proxy with the counter; then tools, ORMs and test suites,
# directly and through the proxy. With words: only what has one of them in its name.
cmd_drivers() {
  cmd_setup
  setup_cached drivers "fetching drivers" bash deps/build-drivers.sh
  if command -v go >/dev/null; then
    setup_cached pgx "fetching pgx" bash deps/build-pgx.sh
    HELIOS_PGX=$(bash deps/locate.sh pgx)
    export HELIOS_PGX
  fi
  build_preset dev product guest_counter
  use_build dev
  HELIOS_DRIVERS=$(bash deps/locate.sh drivers) /usr/bin/python3 tests/drivers/run.py "$@"
}
