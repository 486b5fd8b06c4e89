/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "host/case/journal.h"
#include "host/case/register_internal.h"

enum err journal_page(struct register_db *r, int64_t before_seq, const char *user, const char *action,
                      const char *case_id, unsigned limit, journal_page_fn *fn, void *arg) {
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r,
        "SELECT seq,at_ms,user,role,action,case_id,object,detail,prev,hash FROM journal WHERE (?1=0 OR "
        "seq<?1) AND "
        "(?2 IS NULL OR user=?2) AND (?3 IS NULL OR action=?3) AND (?4 IS NULL OR case_id=?4) "
        "ORDER BY seq DESC LIMIT ?5",
        &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, before_seq);
    const char *const asked[] = {user, action, case_id};
    for (int i = 0; i < 3; i++)
        if (asked[i]) sqlite3_bind_text(st, 2 + i, asked[i], -1, SQLITE_STATIC);
    sqlite3_bind_int(st, 5, (int)limit);
    int rc = SQLITE_DONE;
    while (!e && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct journal_row row = {.seq = sqlite3_column_int64(st, 0),
                                  .at_ms = sqlite3_column_int64(st, 1),
                                  .hash = (const char *)sqlite3_column_text(st, 9)};
        for (int i = 0; i < 6; i++) row.text[i] = (const char *)sqlite3_column_text(st, 2 + i);
        e = fn(&row, (const char *)sqlite3_column_text(st, 8), arg);
    }
    if (!e) e = register_error(r, rc, "journal page");
    sqlite3_finalize(st);
    return e;
}
