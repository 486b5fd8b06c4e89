/* SPDX-License-Identifier: Apache-2.0 */
/* fingerprint.c - one hash that stands for what a search could find. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/base/bytes.h"
#include "host/base/fs.h"
#include "host/index/reader.h"

static enum err make(struct index_reader *r, char hex[static 65]) {
    struct bytes all = {0};
    char line[256];
    sqlite3_stmt *st = NULL;
    enum err e = db_prepare(
        r->db, "SELECT id,sha256,camera_id,start_ms,state,position_us FROM recording ORDER BY id", &st);
    if (e) return e;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        const int n =
            snprintf(line, sizeof line, "%lld %.64s %d %lld %d %lld\n",
                     (long long)sqlite3_column_int64(st, 0), (const char *)sqlite3_column_text(st, 1),
                     sqlite3_column_int(st, 2), (long long)sqlite3_column_int64(st, 3),
                     sqlite3_column_int(st, 4), (long long)sqlite3_column_int64(st, 5));
        bytes_put(&all, line, (size_t)n);
    }
    (void)sqlite3_finalize(st);
    e = db_err(r->db, rc, "fingerprint");
    if (!e && all.bad) e = ERR_NOMEM;
    if (!e) e = fs_sha256(all.len ? all.data : (const uint8_t *)"", all.len, hex);
    bytes_fini(&all);
    return e;
}

/* A number that changes whenever another connection has written. */
static enum err file_version(struct index_reader *r, int64_t *out) {
    sqlite3_stmt *st = NULL;
    enum err e = db_prepare(r->db, "PRAGMA data_version", &st);
    if (!e) e = db_number(st, 0, out);
    (void)sqlite3_finalize(st);
    return e;
}

enum err index_fingerprint(struct index_reader *r, char hex[65]) {
    int64_t version = 0;
    enum err e = file_version(r, &version);
    if (!e && (version == 0 || version != r->print_version)) {
        e = make(r, r->print);
        r->print_version = e ? 0 : version;
    }
    if (!e) memcpy(hex, r->print, sizeof r->print);
    return e;
}
