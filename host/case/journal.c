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
#include "host/case/register.h"
#include "host/case/register_internal.h"

enum { HEX_BYTES = 65, N_TEXTS = 6 };
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

static enum err chain_head(struct register_db *r, int64_t *seq, char prev[static HEX_BYTES]) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT seq,hash FROM journal ORDER BY seq DESC LIMIT 1", &st);
    if (e) return e;
    const int rc = sqlite3_step(st);
    *seq = 0;
    snprintf(prev, HEX_BYTES, "%s", FIRST_PREV);
    if (rc == SQLITE_ROW) {
        *seq = sqlite3_column_int64(st, 0);
        snprintf(prev, HEX_BYTES, "%s", (const char *)sqlite3_column_text(st, 1));
    }
    e = register_error(r, rc, "journal head");
    sqlite3_finalize(st);
    return e;
}

static enum err append(struct register_db *r, const char *const text[N_TEXTS], uint64_t *seq_out) {
    int64_t seq;
    char prev[HEX_BYTES], hash[HEX_BYTES];
    sqlite3_stmt *st;
    enum err e = chain_head(r, &seq, prev);
    if (e) return e;
    seq++;
    const int64_t at_ms = clock_wall_ms();
    e = line_hash(prev, seq, at_ms, text, hash);
    if (e) return e;
    e = register_prepare(r, "INSERT INTO journal VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, seq);
    sqlite3_bind_int64(st, 2, at_ms);
    for (int i = 0; i < N_TEXTS; i++) sqlite3_bind_text(st, 3 + i, text[i], -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 9, prev, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 10, hash, -1, SQLITE_STATIC);
    e = register_run(r, st, "journal add");
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
    char prev[HEX_BYTES] = FIRST_PREV;
    int rc;
    int64_t expected = 1;
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
