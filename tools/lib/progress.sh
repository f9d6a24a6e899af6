# SPDX-License-Identifier: Apache-2.0
#
# How long-running steps show themselves. To be sourced.

say() {
  printf '==> %s\n' "$*"
}

die() {
  printf 'tools/dev: %s\n' "$*" >&2
  exit 1
}

# quietly TITLE COMMAND...: runs a command whose output matters only when it fails; says every 15 seconds that it is
# still at work. Returns the command's status, after the end of its output when that is not 0.
quietly() {
  local title=$1 log pid started=$SECONDS status=0 last=0
  shift
  log=$(mktemp)
  say "$title"
  ("$@") >"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if ((SECONDS - started >= last + 15)); then
      last=$((SECONDS - started))
      printf '    %d s: %s\n' "$last" "$(tail -n1 "$log" | cut -c1-90)"
    fi
  done
  wait "$pid" || status=$?
  if ((status != 0)); then
    tail -n 40 "$log"
    echo "    failed: $*"
  fi
  rm -f "$log"
  return "$status"
}
