# SPDX-License-Identifier: Apache-2.0
#
# PostgreSQL's own test suites, directly and through the proxy. To be sourced.

# regress [--output FOLDER] [SUITE...]: regress, plpgsql, isolation and contrib, unless told. HELIOS_REGRESS_BIN: another
# proxy than the release build.
cmd_regress() {
  cmd_setup
  setup_cached regress "fetching PostgreSQL 15's own test suites" bash deps/build-regress.sh
  build_preset release heliosproxy
  use_build release
  HELIOS_REGRESS=$(bash deps/locate.sh regress)
  export HELIOS_REGRESS HELIOS_BIN=${HELIOS_REGRESS_BIN:-$HELIOS_BIN}
  /usr/bin/python3 tests/regress/run.py "$@"
}
