#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs bench_index with a PostgreSQL 15 of its own beside it: a cluster in a temporary folder, reachable by a private
# socket only, run by the user `postgres` when we are root. Everything is gone afterwards.
#   tests/bench/bench_index.sh PROGRAM     BENCH_ROWS (10000000)  BENCH_PEER_ROWS (= BENCH_ROWS)  BENCH_SHAPE (sparse)
#   BENCH_INSTANCES (200)  BENCH_DIR (a temporary folder; needs about 500 bytes a sighting)
set -eu
program=$1
dir=$(mktemp -d "${BENCH_DIR:-${TMPDIR:-/tmp}}/bench-index.XXXXXX")
bin=/usr/lib/postgresql/15/bin
as() { "$@"; }
stop() {
    [ -d "$dir/pg" ] && as "$bin/pg_ctl" -D "$dir/pg" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$dir"
}
trap stop EXIT INT TERM
chmod 755 "$dir"
mkdir "$dir/index" "$dir/pg"
set --
if [ -x "$bin/initdb" ]; then
    if [ "$(id -u)" -eq 0 ]; then
        chown postgres "$dir/pg"
        as() { setpriv --reuid postgres --regid postgres --clear-groups -- "$@"; }
    fi
    chmod 700 "$dir/pg"
    as "$bin/initdb" -D "$dir/pg" -U bench -A trust --no-sync >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 2; }
    as "$bin/pg_ctl" -D "$dir/pg" -w -l "$dir/pg/log" -o "-k $dir/pg -c listen_addresses= -c shared_buffers=1GB \
-c max_wal_size=4GB -c checkpoint_timeout=30min -c jit=off -c maintenance_work_mem=256MB" start >/dev/null
    set -- --postgres "host=$dir/pg user=bench dbname=postgres"
else
    echo "bench-index: PostgreSQL 15 is not installed (package postgresql-15): left out" >&2
fi
BENCH_COMMIT=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
export BENCH_COMMIT
rc=0
"$program" --dir "$dir/index" --rows "${BENCH_ROWS:-10000000}" --peer-rows "${BENCH_PEER_ROWS:-0}" \
    --shape "${BENCH_SHAPE:-sparse}" --instances "${BENCH_INSTANCES:-200}" "$@" || rc=$?
exit $rc
