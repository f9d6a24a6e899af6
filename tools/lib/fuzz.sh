# SPDX-License-Identifier: Apache-2.0
#
# Running the fuzzers of tests/fuzz. What they learn (the corpora) and what breaks them (the crashes) is kept in the
# cache, outside the tree. To be sourced.

FUZZ_BUILD=build/fuzz
FUZZ_SECONDS=120

# Every target that is built.
fuzz_targets() {
  local file target
  for file in "$FUZZ_BUILD"/fuzz/*.args; do
    target=$(basename "$file" .args)
    if [[ -x $FUZZ_BUILD/fuzz/fuzz_$target ]]; then
      echo "$target"
    fi
  done
}

# fuzz_summary TARGET STATUS LOG: one line with what libFuzzer counted.
fuzz_summary() {
  awk -v target="$1" -v status="$2" '
    /stat::number_of_executed_units:/ { runs = $2 }
    / cov: / { for (i = 1; i < NF; ++i) { if ($i == "cov:") cov = $(i + 1); if ($i == "corp:") corpus = $(i + 1) } }
    END { printf "    %-12s %-6s %10d runs  %6d edges  corpus %s\n", target, status == 0 ? "ok" : "FAILED", runs, cov, corpus }
  ' "$3"
}

# Says where the input is that broke a target, and what to do with it.
explain_crash() {
  local target=$1 log=$2 input
  input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n1)
  grep -v '^#' "$log" | tail -n 60
  [[ -n $input ]] || return 0
  echo "    repeat it:  $FUZZ_BUILD/fuzz/fuzz_$target $input"
  echo "    shrink it:  $FUZZ_BUILD/fuzz/fuzz_$target -minimize_crash=1 -max_total_time=60 $input"
  echo "    keep it:    install -D -m 644 $input tests/fuzz/regressions/$target/NAME   (see tests/fuzz/README.md)"
}

# run_fuzzer TARGET SECONDS
run_fuzzer() {
  local target=$1 seconds=$2 status=0 store log arguments
  store=$(cache_root)/fuzz/$target
  mkdir -p "$store/corpus" "$store/crashes"
  mapfile -t arguments <"$FUZZ_BUILD/fuzz/$target.args"
  log=$(mktemp)
  "$FUZZ_BUILD/fuzz/fuzz_$target" "$store/corpus" "${arguments[@]}" \
    -max_total_time="$seconds" -timeout=60 -rss_limit_mb=3072 -print_final_stats=1 \
    -artifact_prefix="$store/crashes/" >"$log" 2>&1 || status=$?
  fuzz_summary "$target" "$status" "$log"
  if ((status != 0)); then
    explain_crash "$target" "$log"
  fi
  rm -f "$log"
  return "$status"
}

# cmd_fuzz [TARGET] [SECONDS]: both may be left out.
cmd_fuzz() {
  local target="" seconds=$FUZZ_SECONDS failed=0
  if (($# > 0)) && [[ ! $1 =~ ^[0-9]+$ ]]; then
    target=$1
    shift
  fi
  seconds=${1:-$seconds}
  [[ $seconds =~ ^[1-9][0-9]*$ ]] || die "fuzz: not a number of seconds: $seconds"
  cmd_setup
  build_preset fuzz fuzzers
  local targets
  mapfile -t targets < <(fuzz_targets)
  if [[ -n $target ]]; then
    [[ " ${targets[*]} " == *" $target "* ]] || die "fuzz: no target $target; there are: ${targets[*]}"
    targets=("$target")
  fi
  say "fuzzing ${targets[*]}, $seconds s each"
  for target in "${targets[@]}"; do
    run_fuzzer "$target" "$seconds" || failed=1
  done
  return "$failed"
}
