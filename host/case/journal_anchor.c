/* SPDX-License-Identifier: Apache-2.0 */
/* Signed heads of the journal, and its purge behind one of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/base/zone.h"
#include "host/case/journal.h"
#include "host/case/register_internal.h"

static enum err one_int(struct register_db *r, const char *sql, int64_t bound, int64_t *out) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, sql, &st);
    if (e) return e;
    if (sqlite3_bind_parameter_count(st) > 0) sqlite3_bind_int64(st, 1, bound);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) *out = sqlite3_column_int64(st, 0);
    e = register_error(r, rc, "journal number");
    sqlite3_finalize(st);
    return e;
}

void journal_anchor_fini(struct journal_anchor *a) {
    free(a->certificate);
    a->certificate = NULL;
}

static int64_t day_of(const struct zone *z, int64_t ms) {
    return z ? zone_local_day(z, ms) : ms / (24 * 3600 * 1000);
}

static enum err insert(struct register_db *r, const struct journal_anchor *a, const char *certificate) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "INSERT INTO anchor VALUES(?1,?2,?3,?4,?5,?6,?7)", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, a->seq);
    sqlite3_bind_text(st, 2, a->hash, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 3, a->at_ms);
    sqlite3_bind_text(st, 4, a->text, -1, SQLITE_STATIC);
    sqlite3_bind_blob(st, 5, a->signature, (int)a->n_signature, SQLITE_STATIC);
    sqlite3_bind_text(st, 6, a->key_id, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 7, certificate, -1, SQLITE_STATIC);
    return register_run(r, st, "anchor add");
}

enum err journal_anchor_make(struct register_db *r, const struct journal_signer *s, const struct zone *z,
                             bool daily, bool *made) {
    *made = false;
    int64_t last_seq = 0, last_ms = INT64_MIN;
    enum err e = one_int(r, "SELECT coalesce(max(seq),0) FROM anchor", 0, &last_seq);
    if (!e && last_seq > 0) e = one_int(r, "SELECT at_ms FROM anchor WHERE seq=?1", last_seq, &last_ms);
    if (e) return e;
    struct journal_anchor a = {.at_ms = clock_wall_ms()};
    if (daily && last_seq > 0 && day_of(z, last_ms) == day_of(z, a.at_ms)) return OK;
    e = journal_head(r, &a.seq, a.hash);
    if (e) return e;
    if (a.seq == last_seq) return OK; /* signed already */
    char at[25];
    clock_format(a.at_ms, at);
    const int n =
        snprintf(a.text, sizeof a.text, "relecture journal head 1\nseq %" PRId64 "\nhash %s\nat %s\nkey %s\n",
                 a.seq, a.hash, at, s->key_id);
    if (n < 0 || (size_t)n >= sizeof a.text) return ERR_USAGE;
    snprintf(a.key_id, sizeof a.key_id, "%s", s->key_id);
    a.n_signature = sizeof a.signature;
    e = s->sign(a.text, (size_t)n, a.signature, &a.n_signature, s->arg);
    if (!e) e = insert(r, &a, s->certificate);
    if (e == ERR_EXISTS) return OK; /* another process signed this very head */
    *made = !e;
    return e;
}

void journal_anchors_free(struct journal_anchor *a, size_t n) {
    for (size_t i = 0; i < n; i++) journal_anchor_fini(&a[i]);
    free(a);
}

static enum err anchor_of_row(sqlite3_stmt *st, struct journal_anchor *a) {
    memset(a, 0, sizeof *a);
    a->seq = sqlite3_column_int64(st, 0);
    snprintf(a->hash, sizeof a->hash, "%s", (const char *)sqlite3_column_text(st, 1));
    a->at_ms = sqlite3_column_int64(st, 2);
    snprintf(a->text, sizeof a->text, "%s", (const char *)sqlite3_column_text(st, 3));
    const int n = sqlite3_column_bytes(st, 4);
    if (n <= 0 || (size_t)n > sizeof a->signature) return ERR_CORRUPT;
    memcpy(a->signature, sqlite3_column_blob(st, 4), (size_t)n);
    a->n_signature = (size_t)n;
    snprintf(a->key_id, sizeof a->key_id, "%s", (const char *)sqlite3_column_text(st, 5));
    const char *pem = (const char *)sqlite3_column_text(st, 6);
    a->certificate = pem ? strdup(pem) : NULL;
    return a->certificate ? OK : ERR_NOMEM;
}

enum err journal_anchors(struct register_db *r, struct journal_anchor **out, size_t *n) {
    *out = NULL;
    *n = 0;
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r, "SELECT seq,hash,at_ms,text,signature,key_id,certificate FROM anchor ORDER BY seq", &st);
    if (e) return e;
    int rc = SQLITE_DONE;
    while (!e && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct journal_anchor *more = realloc(*out, (*n + 1) * sizeof *more);
        if (!more) {
            e = ERR_NOMEM;
            break;
        }
        *out = more;
        e = anchor_of_row(st, &more[*n]);
        if (!e) ++*n;
    }
    if (!e) e = register_error(r, rc, "anchors");
    sqlite3_finalize(st);
    if (e) {
        journal_anchors_free(*out, *n);
        *out = NULL;
        *n = 0;
    }
    return e;
}

enum err journal_anchors_fit(struct register_db *r, int64_t *bad_seq) {
    *bad_seq = 0;
    const enum err e =
        one_int(r,
                "SELECT coalesce(min(a.seq),0) FROM anchor a LEFT JOIN journal j ON j.seq=a.seq"
                " WHERE a.seq > coalesce((SELECT max(seq) FROM journal_base),0)"
                " AND (j.hash IS NULL OR j.hash<>a.hash)",
                0, bad_seq);
    return !e && *bad_seq ? ERR_CORRUPT : e;
}

/* The newest anchor behind which nothing is young or held; 0 = none. */
static enum err place_to_cut(struct register_db *r, int64_t before_ms, int64_t now_ms, int64_t *seq) {
    /* The last line that may go: all before the first one that must stay, whatever the clock did. */
    int64_t first_kept = 0, first_held = 0;
    enum err e = one_int(r, "SELECT coalesce((SELECT min(seq) FROM journal WHERE at_ms>=?1),9e15)", before_ms,
                         &first_kept);
    if (!e)
        e = one_int(r,
                    "SELECT coalesce((SELECT min(seq) FROM journal WHERE case_id IN"
                    " (SELECT case_id FROM hold WHERE released_ms=0 AND until_ms>?1)),9e15)",
                    now_ms, &first_held);
    if (e) return e;
    return one_int(r, "SELECT coalesce(max(seq),0) FROM anchor WHERE seq<?1",
                   first_kept < first_held ? first_kept : first_held, seq);
}

static enum err cut(struct register_db *r, int64_t seq, int64_t now_ms, uint64_t *n_erased) {
    sqlite3_stmt *st;
    enum err e =
        register_prepare(r, "INSERT INTO journal_base SELECT seq,hash,?2 FROM anchor WHERE seq=?1", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, seq);
    sqlite3_bind_int64(st, 2, now_ms);
    e = register_run(r, st, "journal base");
    if (!e) e = register_prepare(r, "DELETE FROM journal WHERE seq<=?1", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, seq);
    e = register_run(r, st, "journal purge");
    if (!e) *n_erased = (uint64_t)sqlite3_changes64(r->db);
    return e;
}

enum err journal_purge(struct register_db *r, int64_t before_ms, int64_t now_ms, uint64_t *n_erased,
                       int64_t *base_seq) {
    char hash[JOURNAL_HASH_BYTES];
    uint64_t n_checked, first_bad;
    *n_erased = 0;
    int64_t seq = 0;
    /* What was altered must not vanish behind a signed hash. */
    enum err e = journal_verify(r, &n_checked, &first_bad);
    if (!e) e = journal_anchors_fit(r, &seq);
    if (!e) e = register_begin(r);
    if (e) return e;
    e = journal_base(r, base_seq, hash);
    if (!e) e = place_to_cut(r, before_ms, now_ms, &seq);
    if (!e && seq > *base_seq) {
        e = cut(r, seq, now_ms, n_erased);
        if (!e) *base_seq = seq;
    }
    return register_end(r, e);
}
