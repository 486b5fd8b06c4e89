#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who may include whom (host/DESIGN.md, "Dependencies"): each rule is a pattern of includes, the files that may have
# it, and why. Speaks TAP.
n=0
bad=0
rule() { # NAME  INCLUDE-PATTERN  ALLOWED-FILES-PATTERN  [WHERE]
    n=$((n + 1))
    found=$(grep -rnE --include='*.c' --include='*.h' --include='*.cpp' "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$2" \
        ${4:-host driver kernels sim} 2>/dev/null | grep -vE "^($3)[:/]")
    if [ -z "$found" ]; then
        echo "ok $n - $1"
    else
        bad=1
        echo "not ok $n - $1"
        echo "$found" | sed 's/^/# /'
    fi
}
rule "FFmpeg only in the decode worker" 'lib(av|sw)' 'host/media/(demux|decode|encode|gate|decode_main)[a-z_]*\.[ch]'
rule "XRT only in card_xrt.c and the simulated core" '(xrt|xclbin|ert|xclhal|experimental/xrt)' 'driver/card_xrt.c|sim/xrt/[a-z_]*\.(c|cpp|h)'
rule "VART and XIR only in dpu_vart.cpp and the plug-in" '(vart|xir)/' 'driver/dpu_vart.cpp|sim/vart/[a-z_]*\.(cpp|h|hpp)'
rule "SQLite only behind the index, the register and their backup" 'sqlite3' 'host/((index|case)/[a-z_]*\.[ch]|backup/database.c)'
rule "evhttp only in host/http" 'event2/http' 'host/http/[a-z_]*\.[ch]'
rule "the host never includes the simulator" '\.?"?sim/' 'sim/.*' 'host driver kernels'
rule "HTTP never includes the driver" 'driver/' 'never' 'host/http'
rule "the base depends on nothing else of ours" 'host/(proc|media|pipe|index|search|case|import|http|cli)/' 'never' 'host/base'
rule "no source includes another source" '.*\.c[p]*[>"]' 'never' 'host driver kernels sim tests'
echo "1..$n"
exit $bad
