#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Usage: in_own_network.sh COMMAND [ARGUMENT...]
# Runs a command in a network of its own that has nothing but the loopback device, so that every port is free. Exit
# status 77 (skipped) where the machine does not allow that.

set -euo pipefail

up='ip link set lo up && exec "$@"'
if ((EUID == 0)); then
  unshare -n true 2>/dev/null || { echo "unshare -n is not allowed here" && exit 77; }
  exec unshare -n sh -c "$up" sh "$@"
fi
# An ordinary user becomes root of a user namespace for the network, and itself again inside.
unshare -Urn true 2>/dev/null || { echo "unshare -Urn is not allowed here" && exit 77; }
exec unshare -Urn sh -c "$up" sh unshare -U --map-user="$(id -u)" --map-group="$(id -g)" -- "$@"
