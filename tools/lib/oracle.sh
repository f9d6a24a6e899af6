# SPDX-License-Identifier: Apache-2.0
#
# Whether hooks saw exactly what the server did. To be sourced.

# oracle [CONVERSATIONS] [SEED]: 20000 of seed 1, unless told. HELIOS_ORACLE_BIN: another proxy than the release build.
cmd_oracle() {
  cmd_setup
  build_preset release heliosproxy guest_oracle oracle_extension
  use_build release
  export HELIOS_BIN=${HELIOS_ORACLE_BIN:-$HELIOS_BIN}
  PYTHONPATH=tests/oracle /usr/bin/python3 -m oracle "$@"
}
