#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What three static analysers say of the shipped sources. A finding is mended, or stands in explained.txt with its
# reason; anything else, and an explanation that no finding needs any more, fails. `make lint`; several minutes.
set -u
cd "$(dirname "$0")/../.."
out=build/lint
explained=tests/lint/explained.txt
mkdir -p "$out"
# LINT_IN=host/base looks at a part only.
c_files=$(find ${LINT_IN:-host driver sim kernels} -name '*.c' ! -path 'host/evidence/standalone/*' | sort)
cpp_files=$(find ${LINT_IN:-driver sim models/tools} -name '*.cpp' | sort)
includes="-I. -Ibuild/release/gen -isystem /usr/include/xrt"
define=-D_GNU_SOURCE

# Each writes "file check line text", one finding a line.
run_cppcheck() {
    cppcheck --enable=warning,performance,portability --library=tests/lint/macros.cfg --std=c11 --inline-suppr -q -I. \
        -Ibuild/release/gen --suppress=missingIncludeSystem --template='{file} {id} {line} {message}' \
        $c_files $cpp_files 2>&1 | grep -E '^(host|driver|sim|kernels|models)/' | sort -u
}
# Off, each for a reason that holds everywhere: valist (a false alarm of this version with glibc's va_start),
# sizeof-expression (arrays of pointers are allocated on purpose), signed-char-misuse (int8 values are numbers),
# misplaced-widening-cast (json_int_t is as wide as what is cast), integer-division (whole cells, hours and pixels are
# meant), implicit-widening and narrowing (gcc's -Wconversion says it better), insecureAPI (no _s functions in glibc;
# each copy's length is checked before).
TIDY='-*,clang-analyzer-*,bugprone-*'
for off in bugprone-easily-swappable-parameters bugprone-narrowing-conversions bugprone-reserved-identifier \
    bugprone-assignment-in-if-condition bugprone-implicit-widening-of-multiplication-result \
    bugprone-not-null-terminated-result bugprone-sizeof-expression bugprone-signed-char-misuse \
    bugprone-misplaced-widening-cast bugprone-integer-division clang-analyzer-valist.Uninitialized \
    clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling clang-analyzer-security.insecureAPI.strcpy; do
    TIDY+=,-$off
done
run_tidy() {
    { printf '%s\0' $c_files | xargs -0 -P 2 -n 8 sh -c "clang-tidy --quiet --checks='$TIDY' \"\$@\" -- -std=c17 $define $includes" sh
      printf '%s\0' $cpp_files | xargs -0 -P 2 -n 2 sh -c "clang-tidy --quiet --checks='$TIDY' \"\$@\" -- -std=c++17 $define $includes" sh
    } 2>/dev/null | sed -nE "s,^($PWD/)?([^:]+):([0-9]+):[0-9]+: (warning|error): (.*) \[([^],]*).*\]\$,\2 \6 \3 \5,p" |
        grep -E '^(host|driver|sim|kernels|models)/' | sort -u
}
run_analyzer() {
    printf '%s\0' $c_files | xargs -0 -P 2 -n 1 gcc -std=c17 -O1 $define $includes -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni \
        -mbmi2 -fanalyzer -fdiagnostics-plain-output -c -o /dev/null 2>&1 |
        sed -nE 's,^([^:]+):([0-9]+):[0-9]+: warning: (.*) \[(CWE[^]]*\] \[)?-W(analyzer[^]]*)\]$,\1 \5 \2 \3,p' | sort -u
}

failed=0
used=$out/used.txt
: >"$used"
for tool in cppcheck tidy analyzer; do
    run_$tool >"$out/$tool.txt"
    open=0 known=0
    while read -r file check line text; do
        if grep -qE "^$tool $file $check( |\$)" "$explained"; then
            known=$((known + 1))
            echo "$tool $file $check" >>"$used"
        else
            open=$((open + 1))
            echo "$file:$line: $text [$tool: $check]"
        fi
    done <"$out/$tool.txt"
    printf '%-9s %3d findings explained, %3d open (goal 0)\n' $tool $known $open
    [ $open = 0 ] || failed=1
done
while read -r tool file check reason; do
    case $tool in '#'* | '') continue ;; esac
    [ -n "$reason" ] || { echo "$explained: no reason for $tool $file $check"; failed=1; }
    grep -qxF "$tool $file $check" "$used" || { echo "$explained: nothing needs \"$tool $file $check\" any more"; failed=1; }
done <"$explained"
exit $failed
