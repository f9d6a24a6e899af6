# SPDX-License-Identifier: Apache-2.0
#
# The comparison with the server itself, at length. To be sourced.

# diff [MAJOR...]: on PostgreSQL 15, 17 and 18, or those named: every answer, HELIOS_CUTS random cuts of each sequence, 5
# unless told; what hooks count of 10,000 transactions in each mode of pgbench; what they are told of random transactions.
cmd_diff() {
  local major failed=0
  (($# > 0)) || set -- "${MATRIX_MAJORS[@]}"
  cmd_setup
  build_preset dev product guest_counter guest_ledger
  use_build dev
  for major in "$@"; do
    setup_backend "$major"
    say "PostgreSQL $major, directly and through the proxy"
    HELIOS_TEST_PG=$major HELIOS_CUTS=${HELIOS_CUTS:-5} HELIOS_PGBENCH_TRANSACTIONS=1250 HELIOS_SETTLED_ROUNDS=500 \
      /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/integration/test_{differential,totals,settled}.py || failed=1
  done
  return "$failed"
}
