#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# models/tools/adopt.py: a package's file becomes a folder whose manifest names it by hash, with makes by name.
set -u
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0 bad=0
ok() { n=$((n + 1)); if eval "$2"; then echo "ok $n - $1"; else echo "not ok $n - $1"; bad=1; fi; }
printf 'not really a model' >"$dir/make.xmodel"
printf 'Alfa Romeo\nRenault\nNobody\n' >"$dir/names.txt"
adopt() { /usr/bin/python3 -B models/tools/adopt.py "$@" --dpu D --tensor-in i --fix-in 5 --tensor-out o --fix-out 2 \
    --out "$dir/out" >"$dir/log" 2>&1; }
ok "makes come from the package's list" 'adopt models/zoo/zoo-vehicle-make.json "$dir/make.xmodel" --labels "$dir/names.txt"'
hash=$(sha256sum "$dir/make.xmodel" | cut -d" " -f1)
ok "the manifest names the file by its hash" 'grep -q "$hash" "$dir/out/model.json" && cmp -s "$dir/make.xmodel" "$dir/out/make.xmodel"'
ok "known makes lead to the vocabulary" 'grep -q "\"make_model:alfa_romeo\"" "$dir/out/model.json" && grep -q "\"make_model:renault\"" "$dir/out/model.json"'
ok "an unknown one leads to nothing" 'grep -A1 "\"Nobody\"" "$dir/out/model.json" | grep -q "\"yes\": null"'
ok "without its list there is nothing to adopt" '! adopt models/zoo/zoo-vehicle-make.json "$dir/make.xmodel" && grep -q -- --labels "$dir/log"'
ok "types have labels of their own" 'adopt models/zoo/zoo-vehicle-type.json "$dir/make.xmodel"'
echo "1..$n"
exit $bad
