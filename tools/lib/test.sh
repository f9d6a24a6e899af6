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

# After a failure: one command per failed test that repeats it alone.
print_repeats() {
  local preset=$1 log=build/$1/Testing/Temporary/LastTestsFailed.log option=""
  [[ -s $log ]] || return 0
  [[ $preset == dev ]] || option="--preset $preset "
  echo "repeat one alone:"
  sed -n "s/^[0-9]*:\(.*\)/    tools\/dev test $option-R '^\1\$' -V/p" "$log"
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
  rm -f "build/$preset/Testing/Temporary/LastTestsFailed.log"
  local ctest=(ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$(nproc)")
  if (($# > 0)); then
    "${ctest[@]}" "$@" || status=$?
  else
    "${ctest[@]}" 2>&1 | only_failures || status=$?
  fi
  if ((status != 0)); then
    print_repeats "$preset" >&2
  fi
  return "$status"
}
