#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clang sees what gcc does not: the host's own sources build without a warning with it too. Speaks TAP.
if out=$(make --no-print-directory CC=clang VARIANT=debug CI=true build/debug/libhost.a build/debug/relecture-decode 2>&1); then
    echo "ok 1 - clang builds the host without a warning"
else
    echo "not ok 1 - clang builds the host without a warning"
    echo "$out" | grep -E 'error|warning' | head -20 | sed 's/^/# /'
fi
