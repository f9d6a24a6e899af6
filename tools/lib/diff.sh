# SPDX-License-Identifier: Apache-2.0
#
# The comparison of every answer with the server's own, at length. To be sourced.

# diff [MAJOR...]: on PostgreSQL 15, 17 and 18, or those named; HELIOS_CUTS random cuts of each sequence, 5 unless told.
cmd_diff() {
  local major failed=0
  (($# > 0)) || set -- "${MATRIX_MAJORS[@]}"
  cmd_setup
  build_preset dev product
  use_build dev
  for major in "$@"; do
    setup_backend "$major"
    say "PostgreSQL $major, directly and through the proxy"
    HELIOS_TEST_PG=$major HELIOS_CUTS=${HELIOS_CUTS:-5} /usr/bin/python3 -m pytest -q -p no:cacheprovider \
      tests/integration/test_differential.py || failed=1
  done
  return "$failed"
}
