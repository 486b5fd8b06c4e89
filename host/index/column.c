/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/column.h"

#include "host/index/db.h"

_Static_assert(DB_SEGMENT_SHIFT - DB_CHUNK_SHIFT == 4, "column_chunk() has sixteen chunks to a segment");

static void column_seek(struct column_walk *w, uint64_t last) {
    (void)sqlite3_reset(w->st);
    (void)sqlite3_bind_int64(w->st, 1, (int64_t)w->column << DB_KEY_SHIFT | (int64_t)w->first);
    (void)sqlite3_bind_int64(w->st, 2, (int64_t)w->column << DB_KEY_SHIFT | (int64_t)last);
    w->row = true;
    w->at = UINT64_MAX;
}

void column_start(struct column_walk *w, sqlite3_stmt *st, unsigned column, uint64_t first_segment,
                  uint64_t last_segment) {
    *w = (struct column_walk){.st = st, .column = column, .first = column_chunk(first_segment, 0)};
    column_seek(w, column_chunk(last_segment, 15));
}

void column_end(struct column_walk *w) {
    if (w->st) (void)sqlite3_reset(w->st);
    w->st = NULL;
}

enum err column_to(struct column_walk *w, uint64_t chunk, const uint8_t **data, size_t *n_bytes) {
    *data = NULL;
    *n_bytes = 0;
    for (unsigned steps = 0; w->row && w->at > chunk; steps++) {
        if (steps == 8) column_seek(w, chunk);
        enum err e = db_step(w->st, &w->row);
        if (e) return e;
        if (w->row) w->at = (uint64_t)sqlite3_column_int64(w->st, 0);
    }
    if (!w->row || w->at != chunk) return OK;
    *data = sqlite3_column_blob(w->st, 1);
    *n_bytes = (size_t)sqlite3_column_bytes(w->st, 1);
    return OK;
}
