#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Makes heliosproxy_*.oci.tar, an OCI image layout, of the .deb that build_deb.sh has made. In the image are the program, the
# libraries that it needs and the authorities for TLS: no shell, no package manager. Needs root, mmdebstrap and umoci.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A number, for whoever runs the image without a list of users.
USER_ID=6432
DEB=$(deb_file heliosproxy)
IMAGE=$OUT/heliosproxy_${VERSION}_${ARCHITECTURE}.oci.tar
[[ -f $DEB ]] || { echo "packaging: there is no $DEB: run build_deb.sh" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the .deb depends on; sysusers are for systems that have a list of users.
libraries() {
  dpkg-deb -f "$DEB" Depends | sed 's/, systemd |.*//; s/ ([^)]*)//g; s/, /,/g'
}

# The packages are unpacked and not installed: what their scripts would do needs a shell.
make_tree() {
  mmdebstrap --quiet --variant=extract --include="$(libraries),ca-certificates,netbase,tzdata" \
    --extract-hook="dpkg-deb -x '$DEB' \"\$1\"" \
    --extract-hook="'$PACKAGING/trim_image.sh' \"\$1\" $USER_ID" \
    bookworm "$work/layer.tar"
}

configure() {
  local created
  created=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
  umoci config --image "$work/image:$VERSION" --created "$created" --history.created "$created" \
    --history.created_by "packaging/build_image.sh" --architecture "$ARCHITECTURE" --os linux \
    --config.user "$USER_ID:$USER_ID" --config.workingdir /var/lib/heliosproxy \
    --config.entrypoint heliosproxy \
    --config.cmd --config --config.cmd /etc/heliosproxy/heliosproxy.toml --config.cmd --listen --config.cmd 0.0.0.0:6432 \
    --config.exposedports 6432/tcp --config.exposedports 9090/tcp --config.volume /var/lib/heliosproxy \
    --config.stopsignal SIGTERM \
    --config.env PATH=/usr/bin --config.env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    --config.label org.opencontainers.image.title=heliosproxy \
    --config.label "org.opencontainers.image.version=$VERSION" \
    --config.label org.opencontainers.image.licenses=Apache-2.0
}

pack() {
  tar -C "$work/image" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -cf "$IMAGE" .
}

make_tree
umoci init --layout "$work/image"
umoci new --image "$work/image:$VERSION"
umoci raw add-layer --image "$work/image:$VERSION" --history.created "$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)" "$work/layer.tar"
configure
umoci gc --layout "$work/image"
pack
echo "packaging: built $IMAGE"
