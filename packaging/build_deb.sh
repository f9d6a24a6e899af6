#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Makes heliosproxy_*.deb and heliosproxy-dbgsym_*.deb of a release build, in build/release/packages. Needs dpkg-dev.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage=$work/heliosproxy
symbols=$work/heliosproxy-dbgsym
doc=$stage/usr/share/doc/heliosproxy
build_id=$(readelf -n "$BINARY" | sed -n 's/^ *Build ID: //p')

# The program without symbols, and these beside it where gdb looks for them by the build ID.
stage_program() {
  local debug=$symbols/usr/lib/debug/.build-id/${build_id:0:2}/${build_id:2}.debug
  mkdir -p "$stage/usr/bin" "$(dirname "$debug")"
  objcopy --only-keep-debug --compress-debug-sections "$BINARY" "$debug"
  chmod 644 "$debug"
  strip --remove-section=.comment -o "$stage/usr/bin/heliosproxy" "$BINARY"
  objcopy --add-gnu-debuglink="$debug" "$stage/usr/bin/heliosproxy"
  chmod 755 "$stage/usr/bin/heliosproxy"
}

# For operators to copy into a folder of their own: none is loaded from here.
stage_plugins() {
  local name
  for name in "${PLUGINS[@]}"; do
    install -D -m 644 -t "$stage/usr/lib/heliosproxy/plugins" "$BUILD/plugins/$name.wasm" "$BUILD/plugins/$name.toml"
    install -D -m 644 "$SOURCE/plugins/$name/README.md" "$doc/plugins/$name.md"
  done
}

# The configuration that `heliosproxy init` writes, and with state that survives.
stage_configuration() {
  mkdir -p "$stage/etc/heliosproxy/plugins"
  sed 's|^# \(directory = "/var/lib/heliosproxy/state"\)|\1|' "$PACKAGING/heliosproxy.toml" >"$stage/etc/heliosproxy/heliosproxy.toml"
  chmod 644 "$stage/etc/heliosproxy/heliosproxy.toml"
  grep -q '^directory = "/var/lib' "$stage/etc/heliosproxy/heliosproxy.toml"
}

stage_system() {
  install -D -m 644 -t "$stage/lib/systemd/system" "$PACKAGING/heliosproxy.service" "$PACKAGING/heliosproxy.socket"
  install -D -m 644 "$PACKAGING/debian/heliosproxy.sysusers" "$stage/usr/lib/sysusers.d/heliosproxy.conf"
  install -D -m 644 "$PACKAGING/heliosproxy.bash" "$stage/usr/share/bash-completion/completions/heliosproxy"
  compressed "$stage/usr/share/man/man1/heliosproxy.1.gz" <"$PACKAGING/heliosproxy.1"
}

stage_documents() {
  install -D -m 644 -t "$doc" "$PACKAGING/debian/copyright" "$SOURCE/README.md" "$SOURCE"/docs/*.md "$SOURCE/docs/openapi.yaml"
  compressed "$doc/changelog.gz" <"$SOURCE/CHANGELOG.md"
  compressed "$doc/changelog.Debian.gz" <<EOF
heliosproxy ($DEBIAN_VERSION) bookworm; urgency=medium

  * Version $VERSION: see changelog.gz.

 -- $MAINTAINER  $(date -R -d "@$SOURCE_DATE_EPOCH")
EOF
  mkdir -p "$symbols/usr/share/doc"
  ln -s heliosproxy "$symbols/usr/share/doc/heliosproxy-dbgsym"
}

# The packages of the shared libraries, as dpkg-shlibdeps finds them.
shared_libraries() {
  mkdir -p "$work/shlibs/debian"
  printf 'Source: heliosproxy\n\nPackage: heliosproxy\nArchitecture: any\n' >"$work/shlibs/debian/control"
  (cd "$work/shlibs" && dpkg-shlibdeps -O -e"$BINARY" 2>/dev/null) | sed -n 's/^shlibs:Depends=//p'
}

# control FOLDER PACKAGE < FIELDS: adds those that every package has.
control() {
  mkdir -p "$1/DEBIAN"
  {
    printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: %s\nInstalled-Size: %s\n' "$2" "$DEBIAN_VERSION" \
      "$ARCHITECTURE" "$MAINTAINER" "$(du -k -s --apparent-size --exclude=DEBIAN "$1" | cut -f1)"
    cat
  } >"$1/DEBIAN/control"
  (cd "$1" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z | xargs -0 md5sum) >"$1/DEBIAN/md5sums"
}

control_files() {
  local depends=$1
  control "$stage" heliosproxy <<EOF
Depends: $depends, systemd | systemd-standalone-sysusers | systemd-sysusers
Recommends: ca-certificates
Suggests: postgresql-client, heliosproxy-dbgsym
Section: database
Priority: optional
Description: programmable PostgreSQL proxy
 Runs a policy on every statement: small WebAssembly plugins, each with exact
 and durable state of its own. Counters, budgets, rate limits, audit trails.
EOF
  echo /etc/heliosproxy/heliosproxy.toml >"$stage/DEBIAN/conffiles"
  install -m 755 -t "$stage/DEBIAN" "$PACKAGING"/debian/{postinst,prerm,postrm}
  control "$symbols" heliosproxy-dbgsym <<EOF
Depends: heliosproxy (= $DEBIAN_VERSION)
Section: debug
Priority: optional
Auto-Built-Package: debug-symbols
Build-Ids: $build_id
Description: debug symbols for heliosproxy
EOF
}

build() {
  find "$1" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
  dpkg-deb --root-owner-group "${@:3}" --build "$1" "$(deb_file "$2")"
}

mkdir -p "$OUT"
stage_program
stage_plugins
stage_configuration
stage_system
stage_documents
depends=$(shared_libraries)
[[ -n $depends ]] || { echo "packaging: dpkg-shlibdeps found no library" >&2; exit 1; }
/usr/bin/python3 -B "$PACKAGING/sbom.py" "$VERSION" "$SOURCE_DATE_EPOCH" $(sed 's/([^)]*)//g; s/|[^,]*//g; s/,/ /g' <<<"$depends") >"$doc/sbom.cdx.json"
cp "$doc/sbom.cdx.json" "$OUT/heliosproxy_$VERSION.cdx.json"
control_files "$depends"
build "$stage" heliosproxy -Zxz
# Its sections are compressed already.
build "$symbols" heliosproxy-dbgsym -Zgzip -z1
