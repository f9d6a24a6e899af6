#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# trim_image.sh ROOT USER_ID: makes the unpacked packages of an image a root file system: takes out what only a whole
# system needs, and does by hand the little that the packages' scripts would have done.

set -euo pipefail
root=$1 user_id=$2

# Licences stay, other documentation does not.
find "$root/usr/share/doc" -mindepth 2 -not -name copyright -not -name sbom.cdx.json -not -type d -delete
find "$root/usr/share/doc" -mindepth 1 -type d -empty -delete
rm -rf "$root"/usr/share/{man,info,locale,lintian,bash-completion,bug,perl5} "$root"/var/{cache,lib/apt,lib/dpkg,log}
rm -rf "$root"/usr/share/{debconf,pixmaps,gcc,gdb} "$root"/etc/{dpkg,fstab,debconf.conf,ethertypes,ca-certificates}
# Those of the machine that has built it.
rm -f "$root"/etc/{resolv.conf,hostname}
rm -rf "$root"/lib/systemd "$root"/usr/lib/{systemd,sysusers.d,tmpfiles.d} "$root"/{boot,home,media,mnt,opt,srv,root}
find "$root/usr/bin" "$root/usr/sbin" "$root/bin" "$root/sbin" ! -type d ! -path "$root/usr/bin/heliosproxy" -delete 2>/dev/null || true

find "$root/usr/share/ca-certificates" -name '*.crt' -print0 | sort -z | xargs -0 cat >"$root/etc/ssl/certs/ca-certificates.crt"
printf 'root:x:0:0:root:/:/nonexistent\nheliosproxy:x:%s:%s::/var/lib/heliosproxy:/nonexistent\n' "$user_id" "$user_id" >"$root/etc/passwd"
printf 'root:x:0:\nheliosproxy:x:%s:\n' "$user_id" >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
mkdir -p "$root/var/lib/heliosproxy" "$root/run" "$root/tmp"
chmod 1777 "$root/tmp"
chown "$user_id:$user_id" "$root/var/lib/heliosproxy"
ldconfig -r "$root"
rm -f "$root/var/cache/ldconfig/aux-cache"
