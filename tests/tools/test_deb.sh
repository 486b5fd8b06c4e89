#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# test_deb.sh DEB - the package in a freshly made Debian 12: installs with what it depends on, makes a data directory,
# imports and finds someone, is removed with the data kept, and purged without a trace. Needs root, debootstrap and the
# Debian mirror of this machine's apt; several minutes. `make test-deb` calls it.
set -u
deb=$1
suite=bookworm
clip=${2:?a short clip with people}
work=$(mktemp -d)
root=$work/root
done_n=0 failed=0

unmount() { mountpoint -q "$root/proc" && umount "$root/proc"; mountpoint -q "$root/dev/shm" && umount "$root/dev/shm"; }
# Nothing is deleted while anything is mounted below.
cleanup() {
    unmount
    if grep -q " $root" /proc/mounts; then
        echo "left as it is, something is still mounted in it: $work" >&2
    else
        rm -rf "$work"
    fi
}
trap cleanup EXIT
is() { # is NAME COMMAND...: one test
    local name=$1
    shift
    done_n=$((done_n + 1))
    if "$@" >"$work/log" 2>&1; then
        echo "ok $done_n - $name"
    else
        echo "not ok $done_n - $name"
        sed 's/^/# /' "$work/log" | tail -15
        failed=$((failed + 1))
    fi
}
in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
as_relecture() { in_root runuser -u relecture -- relecture "$@"; }
relecture() { as_relecture -d /var/lib/relecture "$@"; }

# The mirrors and their certificates are those of this machine; packages of others stay out.
sources=$(apt-cache policy | awk -v suite="$suite" '$1 ~ /^[0-9]+$/ && $3 ~ "^" suite "(-security|-updates)?/main$" { sub("/main", "", $3); print "deb", $2, $3, "main" }' | sort -u)
mirror=$(printf '%s\n' "$sources" | awk -v suite="$suite" '$3 == suite { print $2; exit }')
is "a fresh Debian 12" debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$mirror"
[ "$failed" = 0 ] || exit 1
cp -a /usr/local/share/ca-certificates "$root/usr/local/share/" 2>/dev/null
cp -a /etc/apt/apt.conf.d "$root/etc/apt/" 2>/dev/null
printf '%s\n' "$sources" >"$root/etc/apt/sources.list"
cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null
mount -t proc proc "$root/proc" && mkdir -p "$root/dev/shm" && mount -t tmpfs -o size=2g tmpfs "$root/dev/shm" || exit 1
in_root update-ca-certificates >/dev/null 2>&1
in_root apt-get -qq update >/dev/null 2>&1
cp "$deb" "$root/tmp/relecture.deb"
cp "$clip" "$root/tmp/clip.mp4" && chmod 644 "$root/tmp/clip.mp4"

is "it installs with what it depends on" in_root apt-get -qq -y --no-install-recommends install /tmp/relecture.deb
is "its user exists and cannot log in" in_root sh -c 'getent passwd relecture | grep -q nologin'
is "init as that user" as_relecture init /var/lib/relecture
is "a camera" relecture camera add --id gare-01 --name Gare --lat 43.5536 --lon 7.0174
case_id=$(relecture case open --requisition 'PV 2026/1' --authority OPJ --basis 'CPP 60-1' --from 2026-11-20T13:00:00Z \
    --to 2026-11-20T16:00:00Z --cameras gare-01 --criteria all --expires 2099-01-01T00:00:00Z --json | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p')
is "a case" test -n "$case_id"
is "an import" relecture import --case "$case_id" --camera gare-01 --start 2026-11-20T14:00:00Z /tmp/clip.mp4
found() { relecture search --case "$case_id" --json personne >"$work/found" && grep -Eq '"total": *[1-9]' "$work/found"; }
is "a search finds someone" found
is "removing keeps the data of cases" sh -c "chroot '$root' apt-get -qq -y remove relecture && test -e '$root/var/lib/relecture/register.db'"
is "purging takes them, the user and every file" sh -c "chroot '$root' dpkg --purge relecture && ! test -e '$root/var/lib/relecture' && ! chroot '$root' getent passwd relecture"
leftovers() {
    find "$root" -xdev -name '*relecture*' ! -path "$root/proc/*" ! -path "$root/tmp/*" ! -path "$root/var/log/*" | grep . && return 1
    return 0
}
is "no file of that name is left" leftovers
echo "1..$done_n"
[ "$failed" = 0 ]
