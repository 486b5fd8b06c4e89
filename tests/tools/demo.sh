#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `make demo`: a demonstration case with real footage, on the simulated card, and the page. The data directory is
# build/demo; a second run only serves it. DEMO_PORT chooses the port, DEMO_SERVE=no stops before serving.
set -eu
cd "$(dirname "$0")/../.."
dir=build/demo
port=${DEMO_PORT:-8443}
clip=/usr/share/doc/opencv-doc/examples/data/vtest.avi
relecture="build/relecture -d $dir"
step() { printf '\n== %s\n' "$*"; }
took() { echo "   ($(($(date +%s) - t)) s)"; t=$(date +%s); }
t=$(date +%s)

if [ ! -f "$clip" ] && [ -f "$clip.gz" ]; then
    mkdir -p build
    gunzip -c "$clip.gz" >build/vtest.avi
    clip=build/vtest.avi
fi
[ -f "$clip" ] || { echo "demo: $clip is missing; it comes with Debian's package opencv-doc" >&2; exit 1; }

# Recordings die 30 days after capture, the demonstration with them.
if [ -f $dir/made ] && [ -n "$(find $dir/made -mtime +25)" ]; then rm -rf $dir; fi
if [ ! -f $dir/made ]; then
    step "A data directory with one camera and one case ($dir)"
    rm -rf $dir
    build/relecture init $dir --admin admin-demo >/dev/null
    day=$(date -u -d yesterday +%Y-%m-%d)
    $relecture camera add --id parvis-01 --name "Parvis, caméra 1" --lat 43.5536 --lon 7.0174 --heading 200 --fov 60
    $relecture case open --requisition "PV 2026/00001 (démonstration)" --authority "OPJ, commissariat" \
        --basis "CPP 60-1" --from "${day}T13:00:00Z" --to "${day}T16:00:00Z" --cameras parvis-01 --criteria all \
        --json >$dir/case.json
    sed -n 's/.*"id": "\(.*\)".*/\1/p' $dir/case.json | head -n 1 >$dir/case
    echo "${day}T14:00:00Z" >$dir/start
    touch $dir/made
    took
fi
case_id=$(cat $dir/case)

# One account of each role that a demonstration needs. Their passwords are for this directory alone, so they are kept
# beside it; a real site's are kept nowhere.
if [ ! -f $dir/accounts ]; then
    umask 077
    : >$dir/accounts.new
    for role in chief operator auditor administrator; do
        password="Demo-$(openssl rand -hex 5)"
        printf '%s\n' "$password" | $relecture user add --login "$role" --name "Démonstration, $role" --role $role \
            --habilitation "démonstration" >/dev/null
        printf '    %-14s %s\n' "$role" "$password" >>$dir/accounts.new
    done
    mv $dir/accounts.new $dir/accounts
fi

step "Import of real footage: PETS 2009 S2.L1 (University of Reading), 80 s, on the simulated card"
$relecture import --case "$case_id" --camera parvis-01 --start "$(cat $dir/start)" "$clip"
took

step "A search: « personne haut rouge » (red upper garment)"
$relecture search --case "$case_id" --limit 5 "personne haut rouge"
took

[ "${DEMO_SERVE:-yes}" = yes ] || exit 0
step "The page: https://127.0.0.1:$port/  (case $case_id; Ctrl-C ends it)"
echo "The browser will warn: the certificate is this machine's own (SHA-256 $(openssl x509 -in $dir/tls/cert.pem \
    -noout -fingerprint -sha256 | cut -d= -f2))."
echo "Log in as one of these (login, password; also in $dir/accounts):"
cat $dir/accounts
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && command -v xdg-open >/dev/null; then
    (sleep 1; xdg-open "https://127.0.0.1:$port/" >/dev/null 2>&1) &
fi
exec $relecture --log warn serve --listen "127.0.0.1:$port"
