# SPDX-License-Identifier: Apache-2.0
#
# Shared by the scripts that make packages. To be sourced. Everything that is made depends on the build, the tree and
# SOURCE_DATE_EPOCH (without it: the time of the last commit) alone.

PACKAGING=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SOURCE=$(dirname "$PACKAGING")
BUILD=${HELIOS_BUILD_DIR:-$SOURCE/build/release}
BINARY=$BUILD/bin/heliosproxy
OUT=${HELIOS_PACKAGE_DIR:-$BUILD/packages}
VERSION=$(sed -n 's/^project(heliosproxy VERSION \([0-9.]*\) .*/\1/p' "$SOURCE/CMakeLists.txt")
# What Debian appends: counts packages of one version.
DEBIAN_VERSION=$VERSION-${HELIOS_PACKAGE_REVISION:-1}
ARCHITECTURE=$(dpkg --print-architecture)
MAINTAINER="The heliosproxy authors <heliosproxy@example.org>"
PLUGINS=(audit-chain cost-governor dedup rate-limit)

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$SOURCE" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
umask 022

[[ -x $BINARY ]] || { echo "packaging: there is no $BINARY: tools/dev build release product" >&2; exit 1; }

deb_file() {
  printf '%s/%s_%s_%s.deb\n' "$OUT" "$1" "$DEBIAN_VERSION" "$ARCHITECTURE"
}

# compressed FILE < TEXT: gzip without name and time.
compressed() {
  mkdir -p "$(dirname "$1")"
  gzip -9n >"$1"
}
