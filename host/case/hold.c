/* SPDX-License-Identifier: Apache-2.0 */
#include "host/case/hold.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/utf8.h"
#include "host/case/journal.h"
#include "host/case/register_internal.h"

static void copy_text(char *out, size_t cap, sqlite3_stmt *st, int column) {
    const char *t = (const char *)sqlite3_column_text(st, column);
    snprintf(out, cap, "%s", t ? t : "");
}

/* ---- holds -----------------------------------------------------------------------------------------------
 */

static bool is_fine(const char *text) {
    if (!*text || !utf8_is_valid(text)) return false;
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) return false;
    return true;
}

enum err hold_set(struct register_db *r, const char *case_id, int64_t until_ms, const char *reason,
                  const char *user) {
    struct case_file c;
    enum err e = case_get(r, case_id, &c);
    if (e) return e;
    const int64_t now_ms = clock_wall_ms(), last_ms = c.opened_ms + HOLD_CASE_MAX_DAYS * HOLD_DAY_MS;
    case_fini(&c);
    if (!is_fine(reason) || strlen(reason) >= sizeof(((struct hold *)0)->reason) || until_ms <= now_ms ||
        until_ms > last_ms)
        return ERR_USAGE;
    sqlite3_stmt *st;
    e = register_prepare(r, "INSERT INTO hold(case_id,from_ms,until_ms,reason,user) VALUES(?1,?2,?3,?4,?5)",
                         &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, case_id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, now_ms);
    sqlite3_bind_int64(st, 3, until_ms);
    sqlite3_bind_text(st, 4, reason, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 5, user, -1, SQLITE_STATIC);
    return register_run(r, st, "hold set");
}

enum err hold_release(struct register_db *r, const char *case_id, const char *user) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r,
                                  "UPDATE hold SET released_ms=?2,released_by=?3 WHERE case_id=?1 AND "
                                  "released_ms=0 AND until_ms>?2",
                                  &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, case_id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, clock_wall_ms());
    sqlite3_bind_text(st, 3, user, -1, SQLITE_STATIC);
    e = register_run(r, st, "hold release");
    return !e && sqlite3_changes(r->db) == 0 ? ERR_MISSING : e;
}

enum err hold_list(struct register_db *r, struct hold **out, unsigned *n) {
    *out = NULL;
    *n = 0;
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r, "SELECT id,case_id,from_ms,until_ms,reason,user,released_ms FROM hold ORDER BY id DESC", &st);
    if (e) return e;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct hold *more = realloc(*out, (*n + 1) * sizeof *more);
        if (!more) {
            rc = SQLITE_NOMEM;
            break;
        }
        *out = more;
        struct hold *h = &more[(*n)++];
        memset(h, 0, sizeof *h);
        h->id = sqlite3_column_int64(st, 0);
        copy_text(h->case_id, sizeof h->case_id, st, 1);
        h->from_ms = sqlite3_column_int64(st, 2);
        h->until_ms = sqlite3_column_int64(st, 3);
        copy_text(h->reason, sizeof h->reason, st, 4);
        copy_text(h->user, sizeof h->user, st, 5);
        h->released_ms = sqlite3_column_int64(st, 6);
    }
    e = register_error(r, rc, "hold list");
    sqlite3_finalize(st);
    if (e) {
        free(*out);
        *out = NULL;
        *n = 0;
    }
    return e;
}

/* ---- what must stay, what must go ------------------------------------------------------------------------
 */

static enum err add_held(struct register_db *r, const char *id, int64_t until_ms, int64_t now_ms,
                         struct held_case **out, unsigned *n) {
    struct case_file c;
    const enum err e = case_get(r, id, &c);
    if (e) return e;
    if (c.opened_ms + HOLD_CASE_MAX_DAYS * HOLD_DAY_MS <= now_ms) {
        case_fini(&c);
        return OK;
    }
    struct held_case *more = realloc(*out, (*n + 1) * sizeof *more);
    if (!more) {
        case_fini(&c);
        return ERR_NOMEM;
    }
    *out = more;
    struct held_case *h = &more[(*n)++];
    *h = (struct held_case){.until_ms = until_ms,
                            .from_ms = c.from_ms,
                            .to_ms = c.to_ms,
                            .cameras = c.cameras, /* taken */
                            .n_cameras = c.n_cameras};
    snprintf(h->case_id, sizeof h->case_id, "%s", id);
    return OK;
}

enum err register_held_cases(struct register_db *r, int64_t now_ms, struct held_case **out, unsigned *n) {
    *out = NULL;
    *n = 0;
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r, "SELECT case_id,max(until_ms) FROM hold WHERE released_ms=0 AND until_ms>?1 GROUP BY case_id",
        &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, now_ms);
    int rc = SQLITE_DONE;
    while (!e && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        char id[40];
        copy_text(id, sizeof id, st, 0);
        e = add_held(r, id, sqlite3_column_int64(st, 1), now_ms, out, n);
    }
    if (!e) e = register_error(r, rc, "held cases");
    sqlite3_finalize(st);
    if (e) {
        held_cases_free(*out, *n);
        *out = NULL;
        *n = 0;
    }
    return e;
}

void held_cases_free(struct held_case *held, unsigned n) {
    for (unsigned i = 0; i < n; i++) free(held[i].cameras);
    free(held);
}

bool held_cases_have(const struct held_case *held, unsigned n, const char *case_id, uint16_t camera_number,
                     int64_t from_ms, int64_t to_ms) {
    for (unsigned i = 0; i < n; i++) {
        if (strcmp(held[i].case_id, case_id) == 0) return true;
        if (from_ms >= held[i].to_ms || to_ms <= held[i].from_ms) continue;
        for (unsigned k = 0; k < held[i].n_cameras; k++)
            if (held[i].cameras[k] == camera_number) return true;
    }
    return false;
}

enum err register_ended_cases(struct register_db *r, int64_t now_ms, struct ended_case **out, unsigned *n) {
    *out = NULL;
    *n = 0;
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r,
        "SELECT c.id, c.opened_ms<=?1-?2 FROM case_file c WHERE"
        " (c.opened_ms<=?1-?2 OR ((c.state='closed' OR c.expires_ms<=?1) AND NOT EXISTS"
        "   (SELECT 1 FROM hold h WHERE h.case_id=c.id AND h.released_ms=0 AND h.until_ms>?1)))"
        " AND NOT EXISTS (SELECT 1 FROM receipt x WHERE x.case_id=c.id AND x.kind IN('case_end','hard_stop'))"
        " ORDER BY c.id",
        &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, now_ms);
    sqlite3_bind_int64(st, 2, HOLD_CASE_MAX_DAYS * HOLD_DAY_MS);
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct ended_case *more = realloc(*out, (*n + 1) * sizeof *more);
        if (!more) {
            rc = SQLITE_NOMEM;
            break;
        }
        *out = more;
        copy_text(more[*n].case_id, sizeof more[*n].case_id, st, 0);
        more[(*n)++].hard_stop = sqlite3_column_int(st, 1) != 0;
    }
    e = register_error(r, rc, "ended cases");
    sqlite3_finalize(st);
    if (e) {
        free(*out);
        *out = NULL;
        *n = 0;
    }
    return e;
}

/* ---- the clock -------------------------------------------------------------------------------------------
 */

enum err retention_now(struct register_db *r, bool confirmed, int64_t *now_ms) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT seen_ms FROM retention_clock", &st);
    if (e) return e;
    const int rc = sqlite3_step(st);
    const int64_t wall_ms = clock_wall_ms(),
                  seen_ms = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : wall_ms;
    e = register_error(r, rc, "retention clock");
    sqlite3_finalize(st);
    if (e) return e;
    if (wall_ms - seen_ms > HOLD_LEAP_MS && !confirmed) {
        log_error("retention",
                  "the clock is %" PRId64
                  " days ahead of the last purge: nothing is erased until `relecture purge "
                  "--clock-is-right` confirms it",
                  (int64_t)((wall_ms - seen_ms) / HOLD_DAY_MS));
        return ERR_DENIED;
    }
    /* Confirmed: what the clock says, also when it is earlier than a wrong one was. */
    *now_ms = confirmed || wall_ms > seen_ms ? wall_ms : seen_ms;
    e = register_prepare(
        r, "INSERT INTO retention_clock VALUES(1,?1) ON CONFLICT(one) DO UPDATE SET seen_ms=?1", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, *now_ms);
    return register_run(r, st, "retention clock");
}

/* ---- receipts --------------------------------------------------------------------------------------------
 */

enum err receipt_add(struct register_db *r, const struct journal_signer *s, const char *kind,
                     const char *case_id, const char *counts, int64_t *id) {
    char text[2048], at[25], hash[JOURNAL_HASH_BYTES];
    int64_t seq;
    const int64_t now_ms = clock_wall_ms();
    enum err e = journal_head(r, &seq, hash);
    if (e) return e;
    clock_format(now_ms, at);
    const int n =
        snprintf(text, sizeof text,
                 "relecture receipt 1\nkind %s\ncase %s\nat %s\ncounts %s\njournal %" PRId64 " %s\nkey %s\n",
                 kind, *case_id ? case_id : "-", at, counts, seq, hash, s->key_id);
    if (n < 0 || (size_t)n >= sizeof text) return ERR_USAGE;
    uint8_t signature[512];
    size_t n_signature = sizeof signature;
    e = s->sign(text, (size_t)n, signature, &n_signature, s->arg);
    if (e) return e;
    sqlite3_stmt *st;
    e = register_prepare(
        r, "INSERT INTO receipt(at_ms,kind,case_id,text,signature,key_id) VALUES(?1,?2,?3,?4,?5,?6)", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, now_ms);
    sqlite3_bind_text(st, 2, kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, case_id, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 4, text, n, SQLITE_STATIC);
    sqlite3_bind_blob(st, 5, signature, (int)n_signature, SQLITE_STATIC);
    sqlite3_bind_text(st, 6, s->key_id, -1, SQLITE_STATIC);
    e = register_run(r, st, "receipt add");
    if (!e) *id = sqlite3_last_insert_rowid(r->db);
    return e;
}

void receipts_free(struct receipt *list, unsigned n) {
    for (unsigned i = 0; i < n; i++) free(list[i].text);
    free(list);
}

enum err receipt_list(struct register_db *r, struct receipt **out, unsigned *n) {
    *out = NULL;
    *n = 0;
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r, "SELECT id,at_ms,kind,case_id,key_id,text,signature FROM receipt ORDER BY id DESC", &st);
    if (e) return e;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct receipt *more = realloc(*out, (*n + 1) * sizeof *more);
        if (!more) {
            rc = SQLITE_NOMEM;
            break;
        }
        *out = more;
        struct receipt *p = &more[(*n)++];
        memset(p, 0, sizeof *p);
        p->id = sqlite3_column_int64(st, 0);
        p->at_ms = sqlite3_column_int64(st, 1);
        copy_text(p->kind, sizeof p->kind, st, 2);
        copy_text(p->case_id, sizeof p->case_id, st, 3);
        copy_text(p->key_id, sizeof p->key_id, st, 4);
        const char *text = (const char *)sqlite3_column_text(st, 5);
        p->text = strdup(text ? text : "");
        const int bytes = sqlite3_column_bytes(st, 6);
        if (bytes > 0 && (size_t)bytes <= sizeof p->signature) {
            memcpy(p->signature, sqlite3_column_blob(st, 6), (size_t)bytes);
            p->n_signature = (size_t)bytes;
        }
        if (!p->text) {
            rc = SQLITE_NOMEM;
            break;
        }
    }
    e = register_error(r, rc, "receipt list");
    sqlite3_finalize(st);
    if (e) {
        receipts_free(*out, *n);
        *out = NULL;
        *n = 0;
    }
    return e;
}
