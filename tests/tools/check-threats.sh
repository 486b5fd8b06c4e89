#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every test and target that tests/THREATS.md names exists. Speaks TAP.
n=0 bad=0
for t in $(grep -oE '`(tests/[a-z0-9_/]+(\.py)?|fuzz_[a-z_]+)' tests/THREATS.md | tr -d '`' | sort -u); do
    n=$((n + 1))
    case $t in fuzz_*) f=tests/fuzz/$t ;; *) f=$t ;; esac
    if [ -e "$f" ] || [ -e "$f.c" ] || [ -e "$f.cpp" ]; then
        echo "ok $n - $t is there"
    else
        bad=1
        echo "not ok $n - tests/THREATS.md names $t, which is not there"
    fi
done
echo "1..$n"
[ "$n" -gt 20 ] && exit $bad
