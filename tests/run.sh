#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs test programs and closes with "N passed, N failed[, N skipped]". Every program speaks TAP on stdout
# ("ok 1 - name", "not ok 2 - name", "ok 3 - name # SKIP why"); one that ends non-zero without a "not ok", or
# says nothing, counts as one failure. Exit status 1 when anything failed.
#   tests/run.sh PROGRAM...        RUN_LIMIT_S=600 limits each program
# What drives a browser (web/tests/run-*.mjs) may fail by a race between page and test: a first failure is shown and the
# whole program runs once more, from nothing; the second result counts.
export CMOCKA_MESSAGE_OUTPUT=TAP
logs=${TEST_LOGS:-build/test-logs}
mkdir -p "$logs"
run_once() { # of $t into $log: sets good, bad, skip
    case $t in
    /*) timeout -k 10 "${RUN_LIMIT_S:-600}" "$t" >"$log" 2>"$log.err" ;;
    *) timeout -k 10 "${RUN_LIMIT_S:-600}" "./$t" >"$log" 2>"$log.err" ;;
    esac
    rc=$?
    bad=$(grep -c '^[[:space:]]*not ok ' "$log")
    skip=$(grep -ciE '^[[:space:]]*ok .*# *skip' "$log")
    good=$(($(grep -c '^[[:space:]]*ok ' "$log") - skip))
    if [ $rc -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
        echo "not ok - $t ended with status $rc (124 = ran past its limit)" >>"$log"
    elif [ $((good + bad + skip)) -eq 0 ]; then
        bad=1
        echo "not ok - $t ran no test" >>"$log"
    fi
}
passed=0 failed=0 skipped=0
for t in "$@"; do
    name=$(printf '%s' "$t" | sed 's,^build/,,; s,/,_,g')
    log=$logs/$name.log
    started=$(date +%s)
    run_once
    case $t in
    web/tests/run-*.mjs)
        if [ "$bad" -gt 0 ]; then
            echo "$t: $bad failed at the first try:"
            grep -E -A6 '^[[:space:]]*not ok ' "$log" | head -40 | sed 's/not ok/failed/; s/^/    /'
            cp "$log" "$log.first"
            run_once
        fi
        ;;
    esac
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip))
    printf '%-52s %4d passed %3d failed %3d skipped  %4d s\n' "$t" "$good" "$bad" "$skip" $(($(date +%s) - started))
    grep -iE '^[[:space:]]*ok .*# *skip' "$log" | sed 's/^/    /'
    if [ "$bad" -gt 0 ]; then
        grep -E -A12 '^[[:space:]]*not ok ' "$log" | head -60 | sed 's/^/    /'
        tail -30 "$log.err" | sed 's/^/    | /'
    fi
done
if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
