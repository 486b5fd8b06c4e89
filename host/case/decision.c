/* SPDX-License-Identifier: Apache-2.0 */
#include "host/case/decision.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/case/register_internal.h"

#define DECISION_COLUMNS "sighting,version,state,reason,by,at_ms,viewed_ms"

static void of_row(sqlite3_stmt *st, struct decision *d) {
    memset(d, 0, sizeof *d);
    d->sighting = (uint64_t)sqlite3_column_int64(st, 0);
    d->version = (unsigned)sqlite3_column_int(st, 1);
    register_text(st, 2, d->state, sizeof d->state);
    register_text(st, 3, d->reason, sizeof d->reason);
    register_text(st, 4, d->by, sizeof d->by);
    d->at_ms = sqlite3_column_int64(st, 5);
    d->viewed_ms = sqlite3_column_int64(st, 6);
}

/* Takes the prepared statement. */
static enum err read_list(struct register_db *r, sqlite3_stmt *st, struct decision **out, unsigned *n) {
    struct decision *list = NULL;
    int rc;
    *out = NULL;
    *n = 0;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct decision *more = register_grow(list, *n, sizeof *list);
        if (!more) {
            rc = SQLITE_NOMEM;
            break;
        }
        list = more;
        of_row(st, &list[(*n)++]);
    }
    const enum err e = register_error(r, rc, "decisions");
    sqlite3_finalize(st);
    if (e) {
        free(list);
        *n = 0;
        return e;
    }
    *out = list;
    return OK;
}

enum err decision_history(struct register_db *r, const char *case_id, uint64_t sighting,
                          struct decision **out, unsigned *n) {
    sqlite3_stmt *st;
    *out = NULL;
    *n = 0;
    const enum err e = register_prepare(r,
                                        "SELECT " DECISION_COLUMNS " FROM decision WHERE case_id=?1 AND "
                                        "sighting=?2 ORDER BY version DESC",
                                        &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, case_id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)sighting);
    return read_list(r, st, out, n);
}

enum err decision_list(struct register_db *r, const char *case_id, const char *state, struct decision **out,
                       unsigned *n) {
    sqlite3_stmt *st;
    *out = NULL;
    *n = 0;
    const enum err e = register_prepare(
        r,
        "SELECT " DECISION_COLUMNS " FROM decision d WHERE case_id=?1 AND (?2 IS NULL OR state=?2) AND "
        "version=(SELECT max(version) FROM decision WHERE case_id=?1 AND sighting=d.sighting) "
        "ORDER BY at_ms,sighting",
        &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, case_id, -1, SQLITE_STATIC);
    if (state) sqlite3_bind_text(st, 2, state, -1, SQLITE_STATIC);
    return read_list(r, st, out, n);
}

enum err decision_get(struct register_db *r, const char *case_id, uint64_t sighting, struct decision *out) {
    memset(out, 0, sizeof *out);
    out->sighting = sighting;
    enum err e = OK;
    if (!r->find_decision)
        e = register_prepare(r,
                             "SELECT " DECISION_COLUMNS " FROM decision WHERE case_id=?1 AND sighting=?2 "
                             "ORDER BY version DESC LIMIT 1",
                             &r->find_decision);
    if (e) return e;
    sqlite3_stmt *st = r->find_decision;
    sqlite3_bind_text(st, 1, case_id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)sighting);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) of_row(st, out);
    e = rc == SQLITE_DONE ? ERR_MISSING : register_error(r, rc, "decision get");
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return e;
}

static bool is_state(const char *s) {
    return strcmp(s, "confirmed") == 0 || strcmp(s, "rejected") == 0 || strcmp(s, "undecided") == 0;
}

static enum err insert(struct register_db *r, const char *case_id, const struct decision *d) {
    sqlite3_stmt *st;
    const enum err e = register_prepare(
        r, "INSERT INTO decision(case_id," DECISION_COLUMNS ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8)", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, case_id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)d->sighting);
    sqlite3_bind_int(st, 3, (int)d->version);
    sqlite3_bind_text(st, 4, d->state, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 5, d->reason, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 6, d->by, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 7, d->at_ms);
    sqlite3_bind_int64(st, 8, d->viewed_ms);
    return register_run(r, st, "decision put");
}

enum err decision_put(struct register_db *r, const char *case_id, struct decision *d) {
    struct decision current;
    if (!is_state(d->state) || !register_text_fine(d->reason, 0) || d->viewed_ms < 0 ||
        (d->version > 0 && !*d->reason))
        return ERR_USAGE;
    enum err e = register_begin(r);
    if (e) return e;
    e = decision_get(r, case_id, d->sighting, &current);
    if (e == ERR_MISSING) e = OK; /* version 0 */
    if (!e && current.version != d->version) {
        *d = current;
        e = ERR_BUSY;
    }
    if (!e) {
        d->version++;
        d->at_ms = clock_wall_ms();
        e = insert(r, case_id, d);
    }
    return register_end(r, e);
}
