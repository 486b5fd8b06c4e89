#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deb.sh BUILD OUT - makes OUT/relecture_VERSION_ARCH.deb from a finished build with Debian's own tools.
set -eu
build=$1 out=$2
version=$("$build/relecture" --version | cut -d' ' -f2)
arch=$(dpkg --print-architecture)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
here=host/packaging
umask 022

"$here/install.sh" "$build" "$root" /usr
mkdir -p "$root/DEBIAN" "$work/debian"
for script in postinst prerm postrm; do
    install -m 755 "$here/deb-$script" "$root/DEBIAN/$script"
done
# What the programs link, and what they load by name (the runner of a real card is only suggested).
printf 'Source: relecture\n\nPackage: relecture\nArchitecture: %s\n' "$arch" >"$work/debian/control"
bin=$root/usr/lib/relecture/bin
libs=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info -l"$bin/sim/lib" -e"$bin/relecture" -e"$bin/relecture-decode" \
    -e"$bin/relecture-card" -e"$bin/relecture-model" -e"$bin/sim/librelecture_dpu.so" \
    -e"$bin/sim/lib/libxrt_core.so.2" 2>"$work/shlibdeps.log") || { cat "$work/shlibdeps.log" >&2; exit 1; }
libs=${libs#shlibs:Depends=}
cat >"$root/DEBIAN/control" <<C
Package: relecture
Version: $version
Architecture: $arch
Maintainer: Relecture maintainers <relecture@localhost>
Section: video
Priority: optional
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Depends: $libs, libevent-core-2.1-7 (>= 2.1.12-stable-8+deb12u1), tzdata, fonts-dejavu-core, systemd
Description: search in recorded video, inside a judicial case
 Imports recordings, finds vehicles and persons in them on an Alveo card or
 on a simulated one, and answers searches inside a case with its requisition.
 Never live video, never faces.
C
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
mkdir -p "$out"
dpkg-deb --root-owner-group --build "$root" "$out/relecture_${version}_${arch}.deb" >&2
echo "$out/relecture_${version}_${arch}.deb"
