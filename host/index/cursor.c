/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/cursor.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/log.h"

static int64_t value_key(uint32_t number, uint64_t segment) {
    return (int64_t)number << DB_KEY_SHIFT | (int64_t)segment;
}

static void cursor_seek(struct cursor *c, uint64_t last) {
    (void)sqlite3_reset(c->st);
    (void)sqlite3_bind_int64(c->st, 1, value_key(c->number, c->first));
    (void)sqlite3_bind_int64(c->st, 2, value_key(c->number, last));
    c->row = true;
    c->at = UINT64_MAX;
}

enum err cursor_open(struct index_reader *r, uint32_t number, uint64_t first, uint64_t last,
                     struct cursor *out) {
    memset(out, 0, sizeof *out);
    if (r->n_cursors > 0) {
        out->st = r->cursors[--r->n_cursors];
    } else {
        enum err e =
            db_prepare(r->db,
                       "SELECT key & 1099511627775, kind, bits FROM bitmap WHERE key BETWEEN ?1 AND ?2 "
                       "ORDER BY key DESC",
                       &out->st);
        if (e) return e;
    }
    out->number = number;
    out->first = first;
    cursor_seek(out, last);
    return OK;
}

void cursor_close(struct index_reader *r, struct cursor *c) {
    if (!c->st) return;
    (void)sqlite3_reset(c->st);
    if (r->n_cursors == r->cap_cursors) {
        unsigned cap = r->cap_cursors ? r->cap_cursors * 2 : 32;
        sqlite3_stmt **q = realloc(r->cursors, cap * sizeof *q);
        if (!q) {
            (void)sqlite3_finalize(c->st);
            c->st = NULL;
            return;
        }
        r->cursors = q;
        r->cap_cursors = cap;
    }
    r->cursors[r->n_cursors++] = c->st;
    c->st = NULL;
}

enum err cursor_to(struct cursor *c, uint64_t segment, unsigned slot_count, const struct container **out) {
    *out = NULL;
    /* Stepping over a row costs less than a search from the root, but not many of them do. */
    for (unsigned steps = 0; c->row && c->at > segment; steps++) {
        if (steps == 8) cursor_seek(c, segment);
        enum err e = db_step(c->st, &c->row);
        if (e) return e;
        if (c->row) c->at = (uint64_t)sqlite3_column_int64(c->st, 0);
    }
    if (!c->row || c->at != segment) return OK;
    c->current = (struct container){.kind = (enum container_kind)sqlite3_column_int(c->st, 1),
                                    .bytes = sqlite3_column_blob(c->st, 2),
                                    .n_bytes = (size_t)sqlite3_column_bytes(c->st, 2)};
    if (container_check(&c->current, slot_count) != OK) {
        log_error("index", "state=\"bitmap does not decode\" value=%u segment=%llu", c->number,
                  (unsigned long long)segment);
        return ERR_CORRUPT;
    }
    *out = &c->current;
    return OK;
}
