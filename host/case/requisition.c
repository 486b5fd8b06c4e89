/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind a case beside its row: the lines of the requisition that support each criterion, and the
 * officers who may read it. */
#include <string.h>

#include "host/case/register.h"
#include "host/case/register_internal.h"

#define LINE_MAX_BYTES 1000u

enum err case_line_set(struct register_db *r, const char *id, const char *criterion, const char *line) {
    if (!case_criteria_known(criterion) || strcmp(criterion, "all") == 0 || !register_text_fine(line, 1) ||
        strlen(line) > LINE_MAX_BYTES)
        return ERR_USAGE;
    sqlite3_stmt *st;
    const enum err e = register_prepare(r, "INSERT OR REPLACE INTO case_criterion VALUES(?1,?2,?3)", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, criterion, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, line, -1, SQLITE_STATIC);
    return register_run(r, st, "case line");
}

enum err case_lines(struct register_db *r, const char *id, case_line_fn *each, void *arg) {
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r, "SELECT criterion,line FROM case_criterion WHERE case_id=?1 ORDER BY criterion", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        each((const char *)sqlite3_column_text(st, 0), (const char *)sqlite3_column_text(st, 1), arg);
    e = register_error(r, rc, "case lines");
    sqlite3_finalize(st);
    return e;
}

enum err case_count(struct register_db *r, const char *id, struct case_counts *out) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r,
                                  "SELECT (SELECT count(*) FROM decision WHERE case_id=?1),"
                                  "(SELECT count(*) FROM exhibit WHERE case_id=?1 AND removed_ms=0),"
                                  "(SELECT count(*) FROM extension WHERE case_id=?1 AND state='pending'),"
                                  "(SELECT count(*) FROM saved_search WHERE case_id=?1)",
                                  &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *out = (struct case_counts){.n_decisions = (unsigned)sqlite3_column_int(st, 0),
                                    .n_exhibits = (unsigned)sqlite3_column_int(st, 1),
                                    .n_extensions_pending = (unsigned)sqlite3_column_int(st, 2),
                                    .n_searches = (unsigned)sqlite3_column_int(st, 3)};
    e = register_error(r, rc, "case count");
    sqlite3_finalize(st);
    return e;
}

static enum err add_officer(struct register_db *r, const char *id, const char *login) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r,
                                  "INSERT OR IGNORE INTO case_officer"
                                  " SELECT ?1,login FROM user WHERE login=?2 AND role='officer'",
                                  &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, login, -1, SQLITE_STATIC);
    e = register_run(r, st, "case officer");
    bool there = false;
    if (!e) e = case_has_officer(r, id, login, &there);
    return !e && !there ? ERR_USAGE : e;
}

enum err case_officers_set(struct register_db *r, const char *id, const char *const logins[], unsigned n) {
    sqlite3_stmt *st;
    enum err e = register_begin(r);
    if (e) return e;
    e = register_prepare(r, "DELETE FROM case_officer WHERE case_id=?1", &st);
    if (!e) {
        sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
        e = register_run(r, st, "case officers");
    }
    for (unsigned i = 0; !e && i < n; i++) e = add_officer(r, id, logins[i]);
    return register_end(r, e);
}

enum err case_officers(struct register_db *r, const char *id, case_officer_fn *each, void *arg) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT login FROM case_officer WHERE case_id=?1 ORDER BY login", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) each((const char *)sqlite3_column_text(st, 0), arg);
    e = register_error(r, rc, "case officers");
    sqlite3_finalize(st);
    return e;
}

enum err case_has_officer(struct register_db *r, const char *id, const char *login, bool *out) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT 1 FROM case_officer WHERE case_id=?1 AND login=?2", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, login, -1, SQLITE_STATIC);
    const int rc = sqlite3_step(st);
    *out = rc == SQLITE_ROW;
    e = register_error(r, rc, "case officer");
    sqlite3_finalize(st);
    return e;
}
