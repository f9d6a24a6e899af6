#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Goal: the first callers of tools/as-postgres on a new machine all find the user that one of them makes. Method: a few
# rounds of eight at once, in front of a copy of /etc without the user that only this script sees. Exit status 77
# (skipped) where the machine does not allow that.

set -euo pipefail

ROUNDS=5
CALLERS=8
AS_POSTGRES=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/tools/as-postgres

if ((EUID != 0)); then
  echo "only root has a user made"
  exit 77
fi
if [[ ${1:-} != inside ]]; then
  unshare --mount true 2>/dev/null || { echo "unshare --mount is not allowed here" && exit 77; }
  exec unshare --mount "${BASH_SOURCE[0]}" inside
fi

forget() {
  sed -i '/^heliospg:/d' /etc/passwd /etc/shadow /etc/group /etc/gshadow
}

mount -t tmpfs tmpfs /mnt
cp -a /etc/. /mnt
mount --bind /mnt /etc

failed=0
for ((round = 0; round < ROUNDS; round++)); do
  forget
  callers=()
  for ((caller = 0; caller < CALLERS; caller++)); do
    "$AS_POSTGRES" id -un >/dev/null &
    callers+=($!)
  done
  for caller in "${callers[@]}"; do
    wait "$caller" || failed=$((failed + 1))
  done
  [[ $("$AS_POSTGRES" id -un) == heliospg ]]
  [[ $(grep -c '^heliospg:' /etc/passwd) == 1 ]]
done
echo "$failed of $((ROUNDS * CALLERS)) callers failed"
((failed == 0))
