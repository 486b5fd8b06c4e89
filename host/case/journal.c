/* SPDX-License-Identifier: Apache-2.0 */
/* The chain: hash = SHA-256 of the previous hash and every field, one per line, each followed by a newline:
 *   prev, seq, at_ms, user, role, action, case_id, object, detail
 * No field may hold a control character, so the text is unambiguous and a shell script can rebuild it with
 * printf and openssl. The first line's prev is 64 zeros. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/bytes.h"
#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/base/zone.h"
#include "host/case/journal.h"
#include "host/case/register.h"
#include "host/case/register_internal.h"

enum { HEX_BYTES = JOURNAL_HASH_BYTES, N_TEXTS = 6 };
#define FIRST_PREV "0000000000000000000000000000000000000000000000000000000000000000"

static bool is_plain(const char *t) {
    for (; *t; t++)
        if ((unsigned char)*t < 0x20 || *t == 0x7f) return false;
    return true;
}

static enum err line_hash(const char *prev, int64_t seq, int64_t at_ms, const char *const text[N_TEXTS],
                          char hex[static HEX_BYTES]) {
    struct bytes b = {0};
    char head[128];
    const int n = snprintf(head, sizeof head, "%s\n%" PRId64 "\n%" PRId64 "\n", prev, seq, at_ms);
    bytes_put(&b, head, (size_t)n);
    for (int i = 0; i < N_TEXTS; i++) {
        bytes_put(&b, text[i], strlen(text[i]));
        bytes_put(&b, "\n", 1);
    }
    const enum err e = b.bad ? ERR_NOMEM : fs_sha256(b.data, b.len, hex);
    bytes_fini(&b);
    return e;
}

/* ---- who writes ------------------------------------------------------------------------------------------
 */

static struct {
    struct zone *zone;
    char members[400]; /* `"software":"...","models":"..."` */
} identity;

enum err journal_identity(const char *tz, const char *software, const char *models) {
    zone_free(&identity.zone);
    identity.members[0] = 0;
    if (!tz) return OK;
    if (!is_plain(software) || !is_plain(models) || strpbrk(software, "\"\\") || strpbrk(models, "\"\\"))
        return ERR_USAGE;
    const int n = snprintf(identity.members, sizeof identity.members, "\"software\":\"%s\",\"models\":\"%s\"",
                           software, models);
    if (n < 0 || (size_t)n >= sizeof identity.members) return ERR_USAGE;
    return zone_open(tz, &identity.zone);
}

void journal_local_time(const struct zone *z, int64_t at_ms, char out[static 32]) {
    char text[25];
    const int offset_min = z ? zone_offset_s(z, at_ms) / 60 : 0;
    const int size_min = offset_min < 0 ? -offset_min : offset_min;
    clock_format(at_ms + offset_min * 60000LL, text);
    snprintf(out, 32, "%.23s%c%02d:%02d", text, offset_min < 0 ? '-' : '+', size_min / 60 % 100,
             size_min % 60);
}

/* The detail with local time, program and models as its last members; what is no object stays as it is. */
static void put_detail(struct bytes *b, const char *detail, int64_t at_ms) {
    const size_t n = strlen(detail);
    char local[32], head[48];
    if (!identity.zone || n < 2 || detail[0] != '{' || detail[n - 1] != '}') {
        bytes_put(b, detail, n + 1);
        return;
    }
    journal_local_time(identity.zone, at_ms, local);
    bytes_put(b, detail, n - 1);
    snprintf(head, sizeof head, "%s\"local\":\"%s\",", n > 2 ? "," : "", local);
    bytes_put(b, head, strlen(head));
    bytes_put(b, identity.members, strlen(identity.members));
    bytes_put(b, "}", 2);
}

/* ---- the chain -------------------------------------------------------------------------------------------
 */

enum err journal_base(struct register_db *r, int64_t *seq, char hash[static JOURNAL_HASH_BYTES]) {
    sqlite3_stmt *st;
    *seq = 0;
    snprintf(hash, JOURNAL_HASH_BYTES, "%s", FIRST_PREV);
    enum err e = register_prepare(r, "SELECT seq,hash FROM journal_base ORDER BY seq DESC LIMIT 1", &st);
    if (e) return e;
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        *seq = sqlite3_column_int64(st, 0);
        snprintf(hash, JOURNAL_HASH_BYTES, "%s", (const char *)sqlite3_column_text(st, 1));
    }
    e = register_error(r, rc, "journal base");
    sqlite3_finalize(st);
    return e;
}

enum err journal_head(struct register_db *r, int64_t *seq, char hash[static JOURNAL_HASH_BYTES]) {
    sqlite3_stmt *st;
    enum err e = journal_base(r, seq, hash);
    if (!e) e = register_prepare(r, "SELECT seq,hash FROM journal ORDER BY seq DESC LIMIT 1", &st);
    if (e) return e;
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        *seq = sqlite3_column_int64(st, 0);
        snprintf(hash, JOURNAL_HASH_BYTES, "%s", (const char *)sqlite3_column_text(st, 1));
    }
    e = register_error(r, rc, "journal head");
    sqlite3_finalize(st);
    return e;
}

static enum err append(struct register_db *r, const char *const asked[N_TEXTS], uint64_t *seq_out) {
    int64_t seq;
    char prev[HEX_BYTES], hash[HEX_BYTES];
    sqlite3_stmt *st;
    enum err e = journal_head(r, &seq, prev);
    if (e) return e;
    seq++;
    const int64_t at_ms = clock_wall_ms();
    struct bytes detail = {0};
    put_detail(&detail, asked[N_TEXTS - 1], at_ms);
    if (detail.bad) {
        bytes_fini(&detail);
        return ERR_NOMEM;
    }
    const char *text[N_TEXTS];
    memcpy(text, asked, sizeof text);
    text[N_TEXTS - 1] = (const char *)detail.data;
    e = line_hash(prev, seq, at_ms, text, hash);
    if (!e) e = register_prepare(r, "INSERT INTO journal VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)", &st);
    if (e) {
        bytes_fini(&detail);
        return e;
    }
    sqlite3_bind_int64(st, 1, seq);
    sqlite3_bind_int64(st, 2, at_ms);
    for (int i = 0; i < N_TEXTS; i++) sqlite3_bind_text(st, 3 + i, text[i], -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 9, prev, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 10, hash, -1, SQLITE_STATIC);
    e = register_run(r, st, "journal add");
    bytes_fini(&detail);
    if (!e) *seq_out = (uint64_t)seq;
    return e;
}

static enum err add_one(struct register_db *r, const struct journal_entry *entry, uint64_t *seq) {
    const char *const text[N_TEXTS] = {entry->user,    entry->role,   entry->action,
                                       entry->case_id, entry->object, entry->detail};
    for (int i = 0; i < N_TEXTS; i++)
        if (!text[i] || !is_plain(text[i])) return ERR_USAGE;
    return append(r, text, seq);
}

enum err journal_add_many(struct register_db *r, const struct journal_entry *entries, size_t n,
                          uint64_t *seq) {
    enum err e = register_begin(r);
    if (e) return e;
    for (size_t i = 0; !e && i < n; i++) e = add_one(r, &entries[i], seq);
    return register_end(r, e);
}

enum err journal_add(struct register_db *r, const struct journal_entry *entry, uint64_t *seq) {
    return journal_add_many(r, entry, 1, seq);
}

enum err journal_verify(struct register_db *r, uint64_t *n_checked, uint64_t *first_bad) {
    *n_checked = *first_bad = 0;
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r, "SELECT seq,at_ms,user,role,action,case_id,object,detail,prev,hash FROM journal ORDER BY seq",
        &st);
    if (e) return e;
    char prev[HEX_BYTES];
    int rc = SQLITE_DONE;
    int64_t expected;
    e = journal_base(r, &expected, prev);
    expected++;
    while (!e && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *text[N_TEXTS];
        char hash[HEX_BYTES];
        const int64_t seq = sqlite3_column_int64(st, 0);
        for (int i = 0; i < N_TEXTS; i++) {
            text[i] = (const char *)sqlite3_column_text(st, 2 + i);
            if (!text[i]) text[i] = "";
        }
        const char *row_prev = (const char *)sqlite3_column_text(st, 8);
        const char *row_hash = (const char *)sqlite3_column_text(st, 9);
        e = line_hash(prev, seq, sqlite3_column_int64(st, 1), text, hash);
        if (!e && (seq != expected || !row_prev || strcmp(row_prev, prev) != 0 || !row_hash ||
                   strcmp(row_hash, hash) != 0)) {
            *first_bad = (uint64_t)seq;
            e = ERR_CORRUPT;
        }
        if (!e) {
            memcpy(prev, hash, sizeof prev);
            expected = seq + 1;
            (*n_checked)++;
        }
    }
    if (!e) e = register_error(r, rc, "journal verify");
    sqlite3_finalize(st);
    return e;
}

enum err journal_each(struct register_db *r, int64_t from_seq, journal_line_fn *fn, void *arg) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r,
                                  "SELECT seq,at_ms,user,role,action,case_id,object,detail,hash FROM journal "
                                  "WHERE seq>=?1 ORDER BY seq",
                                  &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, from_seq);
    int rc = SQLITE_DONE;
    while (!e && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *t[7];
        for (int i = 0; i < 7; i++) {
            t[i] = (const char *)sqlite3_column_text(st, 2 + i);
            if (!t[i]) t[i] = "";
        }
        const struct journal_row row = {sqlite3_column_int64(st, 0),
                                        sqlite3_column_int64(st, 1),
                                        {t[0], t[1], t[2], t[3], t[4], t[5]},
                                        t[6]};
        e = fn(&row, arg);
    }
    if (!e) e = register_error(r, rc, "journal each");
    sqlite3_finalize(st);
    return e;
}
