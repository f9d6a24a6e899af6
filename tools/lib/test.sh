# SPDX-License-Identifier: Apache-2.0
#
# Running the tests and the fast checks. To be sourced.

CHECKS=(format layers spdx size words docs pitfalls differences)

cmd_check() {
  local check failed=0
  for check in "${CHECKS[@]}"; do
    /usr/bin/python3 "tools/checks/check_$check.py" || failed=1
  done
  return "$failed"
}

# In a full run only what went wrong is worth a line of its own; passed tests are counted.
only_failures() {
  awk '/^ +Start +[0-9]+:/ { next }
       / Passed +[0-9.]+ sec/ { if (++passed % 100 == 0) { print "    " passed " passed"; fflush() } next }
       { print; fflush() }'
}

cmd_test() {
  local preset=dev status=0
  if [[ ${1:-} == --preset ]]; then
    preset=${2:?--preset needs a name}
    is_preset "$preset" || die "no such preset: $preset"
    shift 2
  fi
  cmd_setup
  build_preset "$preset"
  say "testing $preset"
  local report=$PWD/build/$preset/tests.xml
  rm -f "$report"
  # Tests of whole servers wait now and then: half as many again as there are cores keep these busy.
  local jobs=$(($(nproc) * 3 / 2))
  local ctest=(ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$jobs"
    --output-junit "$report" --test-output-size-passed 1000000 --test-output-size-failed 10000000)
  if (($# > 0)); then
    "${ctest[@]}" "$@" || status=$?
  else
    "${ctest[@]}" 2>&1 | only_failures || status=$?
  fi
  # Nothing is counted where the ARGs only list tests (-N), or where ctest could not begin.
  if [[ " $* " != *" -N "* && -f $report ]]; then
    /usr/bin/python3 tools/lib/test_summary.py "$report" "$preset" || status=1
  fi
  return "$status"
}
