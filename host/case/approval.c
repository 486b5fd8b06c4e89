/* SPDX-License-Identifier: Apache-2.0 */
#include "host/case/approval.h"

#include "host/case/register_internal.h"

enum err approval_each(struct register_db *r, const char *login, approval_fn *each, void *arg) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r,
                                  "SELECT kind,case_id,w.id,by,at_ms FROM (SELECT 'extension' AS "
                                  "kind,case_id,id,by,at_ms FROM extension WHERE state='pending' UNION ALL "
                                  "SELECT 'seal',case_id,id,by,at_ms FROM seal WHERE state='waiting') w "
                                  "JOIN case_file c ON c.id=w.case_id WHERE c.state='open' AND w.by<>?1 "
                                  "ORDER BY at_ms,w.id",
                                  &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, login, -1, SQLITE_STATIC);
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        const struct approval a = {.kind = (const char *)sqlite3_column_text(st, 0),
                                   .case_id = (const char *)sqlite3_column_text(st, 1),
                                   .id = (uint64_t)sqlite3_column_int64(st, 2),
                                   .by = (const char *)sqlite3_column_text(st, 3),
                                   .at_ms = sqlite3_column_int64(st, 4)};
        each(&a, arg);
    }
    e = register_error(r, rc, "approvals");
    sqlite3_finalize(st);
    return e;
}
