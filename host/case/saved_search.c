/* SPDX-License-Identifier: Apache-2.0 */
#include "host/case/saved_search.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/case/register_internal.h"

enum err saved_search_add(struct register_db *r, const char *case_id, struct saved_search *s) {
    sqlite3_stmt *st;
    if (!register_text_fine(s->name, 1) || !register_text_fine(s->question, 2)) return ERR_USAGE;
    s->at_ms = clock_wall_ms();
    enum err e =
        register_prepare(r,
                         "INSERT INTO saved_search(case_id,name,question,by,at_ms) SELECT "
                         "?1,?2,?3,?4,?5 WHERE (SELECT count(*) FROM saved_search WHERE case_id=?1)<?6",
                         &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, case_id, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, s->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, s->question, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 4, s->by, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 5, s->at_ms);
    sqlite3_bind_int(st, 6, SAVED_SEARCHES_MAX);
    e = register_run(r, st, "saved search add");
    if (!e && sqlite3_changes(r->db) == 0) e = ERR_FULL;
    if (!e) s->id = (uint64_t)sqlite3_last_insert_rowid(r->db);
    return e;
}

void saved_search_list_free(struct saved_search *list, unsigned n) {
    for (unsigned i = 0; i < n; i++) free(list[i].question);
    free(list);
}

enum err saved_search_list(struct register_db *r, const char *case_id, struct saved_search **out,
                           unsigned *n) {
    sqlite3_stmt *st;
    struct saved_search *list = NULL;
    int rc;
    *out = NULL;
    *n = 0;
    enum err e = register_prepare(
        r, "SELECT id,name,question,by,at_ms FROM saved_search WHERE case_id=?1 ORDER BY id", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, case_id, -1, SQLITE_STATIC);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct saved_search *more = register_grow(list, *n, sizeof *list);
        char *question = more ? strdup((const char *)sqlite3_column_text(st, 2)) : NULL;
        if (more) list = more;
        if (!question) {
            rc = SQLITE_NOMEM;
            break;
        }
        struct saved_search *s = &list[(*n)++];
        *s = (struct saved_search){.id = (uint64_t)sqlite3_column_int64(st, 0),
                                   .question = question,
                                   .at_ms = sqlite3_column_int64(st, 4)};
        register_text(st, 1, s->name, sizeof s->name);
        register_text(st, 3, s->by, sizeof s->by);
    }
    e = register_error(r, rc, "saved searches");
    sqlite3_finalize(st);
    if (e) {
        saved_search_list_free(list, *n);
        *n = 0;
        return e;
    }
    *out = list;
    return OK;
}

enum err saved_search_remove(struct register_db *r, const char *case_id, uint64_t id) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "DELETE FROM saved_search WHERE id=?1 AND case_id=?2", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    sqlite3_bind_text(st, 2, case_id, -1, SQLITE_STATIC);
    e = register_run(r, st, "saved search remove");
    return !e && sqlite3_changes(r->db) == 0 ? ERR_MISSING : e;
}
