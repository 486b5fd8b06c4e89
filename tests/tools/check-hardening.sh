#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The shipped programs are built as they should be: position independent, relocations read-only after start, no
# executable stack, guarded stacks and checked copies, no search path of libraries inside. Speaks TAP.
B=build/${VARIANT:-release}
n=0 bad=0
is() { # NAME COMMAND...
    name=$1
    shift
    n=$((n + 1))
    if "$@"; then echo "ok $n - $name"; else bad=1 && echo "not ok $n - $name"; fi
}
has() { readelf -W "$1" "$2" 2>/dev/null | grep -qE "$3"; }
lacks() { ! has "$@"; }
no_executable_stack() { readelf -Wl "$1" | grep -qE 'GNU_STACK .* RW  *0x'; }
for f in relecture relecture-decode relecture-card relecture-model sim/librelecture_dpu.so sim/lib/libxrt_core.so.2; do
    is "$f is position independent" has -h $B/$f 'Type: +DYN'
    is "$f has relocations that become read-only" has -l $B/$f GNU_RELRO
    is "$f binds everything at start" has -d $B/$f 'BIND_NOW|FLAGS_1.* NOW'
    is "$f has no executable stack" no_executable_stack $B/$f
    is "$f names no folder of libraries" lacks -d $B/$f 'RPATH|RUNPATH'
done
for f in relecture relecture-decode relecture-card; do
    is "$f guards its stacks" has --dyn-syms $B/$f __stack_chk_fail
    is "$f checks its copies" has --dyn-syms $B/$f '__(mem|str|v?snprintf|read|printf)[a-z]*_chk'
done
echo "1..$n"
exit $bad
