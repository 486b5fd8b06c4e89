/* SPDX-License-Identifier: Apache-2.0 */
#include "host/case/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/case/decision.h"
#include "host/case/exhibit.h"
#include "host/case/register_internal.h"

void seal_fini(struct seal *s) {
    free(s->exhibits);
    s->exhibits = NULL;
    s->n_exhibits = 0;
}

void seals_free(struct seal *list, unsigned n) {
    for (unsigned i = 0; i < n; i++) seal_fini(&list[i]);
    free(list);
}

/* ---- the export guard ------------------------------------------------------------------------------------
 */

static enum err is_confirmed(struct register_db *r, const char *case_id, uint64_t exhibit, bool *out) {
    struct exhibit x;
    struct decision d;
    *out = false;
    enum err e = exhibit_get(r, case_id, exhibit, &x);
    if (!e) e = decision_get(r, case_id, x.sighting, &d);
    if (e == ERR_MISSING) return OK;
    if (!e) *out = strcmp(d.state, "confirmed") == 0;
    return e;
}

enum err seal_unconfirmed(struct register_db *r, const char *case_id, const uint64_t *ids, unsigned n,
                          uint64_t **out, unsigned *n_out) {
    *n_out = 0;
    *out = calloc(n ? n : 1, sizeof **out);
    if (!*out) return ERR_NOMEM;
    enum err e = OK;
    for (unsigned i = 0; i < n && !e; i++) {
        bool confirmed;
        e = is_confirmed(r, case_id, ids[i], &confirmed);
        if (!e && !confirmed) (*out)[(*n_out)++] = ids[i];
    }
    if (e) {
        free(*out);
        *out = NULL;
        *n_out = 0;
    }
    return e;
}

static enum err guard(struct register_db *r, const struct seal *s) {
    uint64_t *bad;
    unsigned n_bad;
    const enum err e = seal_unconfirmed(r, s->case_id, s->exhibits, s->n_exhibits, &bad, &n_bad);
    free(bad);
    return !e && n_bad > 0 ? ERR_DENIED : e;
}

/* ---- rows ------------------------------------------------------------------------------------------------
 */

#define SEAL_COLUMNS                                                                                         \
    "id,case_id,state,handed_to,medium,blur,by,at_ms,decided_by,decided_ms,decided_reason,error,bytes,"      \
    "sha256,journal_seq"

static enum err add_exhibits(struct register_db *r, struct seal *s) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT exhibit FROM seal_exhibit WHERE seal=?1 ORDER BY exhibit", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)s->id);
    s->exhibits = calloc(SEAL_EXHIBITS_MAX, sizeof *s->exhibits);
    int rc = SQLITE_NOMEM;
    while (s->exhibits && (rc = sqlite3_step(st)) == SQLITE_ROW && s->n_exhibits < SEAL_EXHIBITS_MAX)
        s->exhibits[s->n_exhibits++] = (uint64_t)sqlite3_column_int64(st, 0);
    e = register_error(r, rc, "seal exhibits");
    sqlite3_finalize(st);
    if (e) seal_fini(s);
    return e;
}

static enum err of_row(struct register_db *r, sqlite3_stmt *st, struct seal *s) {
    memset(s, 0, sizeof *s);
    s->id = (uint64_t)sqlite3_column_int64(st, 0);
    register_text(st, 1, s->case_id, sizeof s->case_id);
    register_text(st, 2, s->state, sizeof s->state);
    register_text(st, 3, s->handed_to, sizeof s->handed_to);
    register_text(st, 4, s->medium, sizeof s->medium);
    s->blur = sqlite3_column_int(st, 5) != 0;
    register_text(st, 6, s->by, sizeof s->by);
    s->at_ms = sqlite3_column_int64(st, 7);
    register_text(st, 8, s->decided_by, sizeof s->decided_by);
    s->decided_ms = sqlite3_column_int64(st, 9);
    register_text(st, 10, s->decided_reason, sizeof s->decided_reason);
    register_text(st, 11, s->error, sizeof s->error);
    s->bytes = (uint64_t)sqlite3_column_int64(st, 12);
    register_text(st, 13, s->sha256, sizeof s->sha256);
    s->journal_seq = sqlite3_column_int64(st, 14);
    return add_exhibits(r, s);
}

enum err seal_get(struct register_db *r, uint64_t id, struct seal *out) {
    memset(out, 0, sizeof *out);
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT " SEAL_COLUMNS " FROM seal WHERE id=?1", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        e = of_row(r, st, out);
    else
        e = rc == SQLITE_DONE ? ERR_MISSING : register_error(r, rc, "seal get");
    sqlite3_finalize(st);
    return e;
}

enum err seal_list(struct register_db *r, const char *case_id, struct seal **out, unsigned *n) {
    *out = NULL;
    *n = 0;
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r, "SELECT " SEAL_COLUMNS " FROM seal WHERE ?1 IS NULL OR case_id=?1 ORDER BY id DESC", &st);
    if (e) return e;
    if (case_id) sqlite3_bind_text(st, 1, case_id, -1, SQLITE_STATIC);
    int rc = SQLITE_DONE;
    while (!e && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct seal *more = register_grow(*out, *n, sizeof *more);
        if (!more) {
            e = ERR_NOMEM;
            break;
        }
        *out = more;
        e = of_row(r, st, &more[*n]);
        if (!e) ++*n;
    }
    if (!e) e = register_error(r, rc, "seal list");
    sqlite3_finalize(st);
    if (e) {
        seals_free(*out, *n);
        *out = NULL;
        *n = 0;
    }
    return e;
}

/* ---- asked, decided, done --------------------------------------------------------------------------------
 */

static bool is_fine(const struct seal *s) {
    if (!register_text_fine(s->handed_to, 1) || !register_text_fine(s->medium, 0) || s->n_exhibits == 0 ||
        s->n_exhibits > SEAL_EXHIBITS_MAX)
        return false;
    for (unsigned i = 0; i < s->n_exhibits; i++)
        for (unsigned k = 0; k < i; k++)
            if (s->exhibits[i] == s->exhibits[k]) return false;
    return true;
}

static enum err insert(struct register_db *r, struct seal *s) {
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r,
        "INSERT INTO seal(case_id,handed_to,medium,blur,by,at_ms,state) VALUES(?1,?2,?3,?4,?5,?6,'waiting')",
        &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, s->case_id, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, s->handed_to, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, s->medium, -1, SQLITE_STATIC);
    sqlite3_bind_int(st, 4, s->blur);
    sqlite3_bind_text(st, 5, s->by, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 6, s->at_ms);
    e = register_run(r, st, "seal request");
    s->id = (uint64_t)sqlite3_last_insert_rowid(r->db);
    for (unsigned i = 0; i < s->n_exhibits && !e; i++) {
        e = register_prepare(r, "INSERT INTO seal_exhibit VALUES(?1,?2)", &st);
        if (e) break;
        sqlite3_bind_int64(st, 1, (sqlite3_int64)s->id);
        sqlite3_bind_int64(st, 2, (sqlite3_int64)s->exhibits[i]);
        e = register_run(r, st, "seal exhibit");
    }
    return e;
}

enum err seal_request(struct register_db *r, struct seal *s) {
    struct case_file c;
    if (!is_fine(s)) return ERR_USAGE;
    enum err e = register_begin(r);
    if (e) return e;
    e = case_get(r, s->case_id, &c);
    if (!e && strcmp(c.state, "open") != 0) e = ERR_MISSING;
    case_fini(&c);
    if (!e) e = guard(r, s);
    s->at_ms = clock_wall_ms();
    snprintf(s->state, sizeof s->state, "waiting");
    if (!e) e = insert(r, s);
    return register_end(r, e);
}

static enum err set_decided(struct register_db *r, uint64_t id, bool approve, const char *by,
                            const char *reason) {
    sqlite3_stmt *st;
    /* Only one of two who decide at once changes the row. */
    enum err e = register_prepare(r,
                                  "UPDATE seal SET state=?2,decided_by=?3,decided_ms=?4,decided_reason=?5"
                                  " WHERE id=?1 AND state='waiting' AND by<>?3",
                                  &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    sqlite3_bind_text(st, 2, approve ? "building" : "refused", -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, by, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 4, clock_wall_ms());
    sqlite3_bind_text(st, 5, reason, -1, SQLITE_STATIC);
    e = register_run(r, st, "seal decide");
    return !e && sqlite3_changes(r->db) == 0 ? ERR_BUSY : e;
}

enum err seal_decide(struct register_db *r, uint64_t id, bool approve, const char *by, const char *reason,
                     struct seal *out) {
    memset(out, 0, sizeof *out);
    if (!*by || !register_text_fine(reason, 0) || strlen(reason) >= sizeof out->decided_reason)
        return ERR_USAGE;
    enum err e = register_begin(r);
    if (e) return e;
    e = seal_get(r, id, out);
    if (!e && strcmp(out->by, by) == 0) e = ERR_DENIED;
    if (!e && strcmp(out->state, "waiting") != 0) e = ERR_BUSY;
    if (!e && approve) e = guard(r, out);
    if (!e) e = set_decided(r, id, approve, by, reason);
    if (!e) {
        seal_fini(out);
        e = seal_get(r, id, out);
    }
    return register_end(r, e);
}

static enum err set_done(struct register_db *r, sqlite3_stmt *st, uint64_t id) {
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    const enum err e = register_run(r, st, "seal done");
    return !e && sqlite3_changes(r->db) == 0 ? ERR_BUSY : e;
}

enum err seal_ready(struct register_db *r, uint64_t id, uint64_t bytes, const char *sha256,
                    int64_t journal_seq) {
    sqlite3_stmt *st;
    const enum err e = register_prepare(
        r, "UPDATE seal SET state='ready',bytes=?2,sha256=?3,journal_seq=?4 WHERE id=?1 AND state='building'",
        &st);
    if (e) return e;
    sqlite3_bind_int64(st, 2, (sqlite3_int64)bytes);
    sqlite3_bind_text(st, 3, sha256, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 4, journal_seq);
    return set_done(r, st, id);
}

enum err seal_failed(struct register_db *r, uint64_t id, const char *error) {
    sqlite3_stmt *st;
    const enum err e =
        register_prepare(r, "UPDATE seal SET state='failed',error=?2 WHERE id=?1 AND state='building'", &st);
    if (e) return e;
    sqlite3_bind_text(st, 2, error, -1, SQLITE_STATIC);
    return set_done(r, st, id);
}
