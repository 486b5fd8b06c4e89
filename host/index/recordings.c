/* SPDX-License-Identifier: Apache-2.0 */
/* recordings.c - the writer's side of recordings, checkpoints and coverage. */
#include <stdlib.h>
#include <string.h>

#include "host/index/writer.h"

static void copy_text(sqlite3_stmt *st, int column, char *out, size_t size) {
    const unsigned char *t = sqlite3_column_text(st, column);
    size_t n = t ? strlen((const char *)t) : 0;
    if (n >= size) n = size - 1;
    if (n) memcpy(out, t, n);
    out[n] = '\0';
}

void recording_from_row(sqlite3_stmt *st, struct recording *out) {
    memset(out, 0, sizeof *out);
    out->id = (uint64_t)sqlite3_column_int64(st, 0);
    copy_text(st, 1, out->sha256, sizeof out->sha256);
    copy_text(st, 2, out->case_id, sizeof out->case_id);
    out->camera_number = (uint16_t)sqlite3_column_int(st, 3);
    copy_text(st, 4, out->path, sizeof out->path);
    out->n_bytes = (uint64_t)sqlite3_column_int64(st, 5);
    out->start_ms = sqlite3_column_int64(st, 6);
    out->duration_us = sqlite3_column_int64(st, 7);
    out->w_px = (uint32_t)sqlite3_column_int64(st, 8);
    out->h_px = (uint32_t)sqlite3_column_int64(st, 9);
    out->fps_milli = (uint32_t)sqlite3_column_int64(st, 10);
    copy_text(st, 11, out->codec, sizeof out->codec);
    copy_text(st, 12, out->container, sizeof out->container);
    out->state = (enum recording_state)sqlite3_column_int(st, 13);
    copy_text(st, 14, out->error, sizeof out->error);
    out->position_us = sqlite3_column_int64(st, 15);
    out->imported_ms = sqlite3_column_int64(st, 16);
}

static void recording_bind(sqlite3_stmt *st, const struct recording *r) {
    (void)sqlite3_bind_text(st, 2, r->sha256, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(st, 3, r->case_id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(st, 4, r->camera_number);
    (void)sqlite3_bind_text(st, 5, r->path, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(st, 6, (int64_t)r->n_bytes);
    (void)sqlite3_bind_int64(st, 7, r->start_ms);
    (void)sqlite3_bind_int64(st, 8, r->duration_us);
    (void)sqlite3_bind_int64(st, 9, r->w_px);
    (void)sqlite3_bind_int64(st, 10, r->h_px);
    (void)sqlite3_bind_int64(st, 11, r->fps_milli);
    (void)sqlite3_bind_text(st, 12, r->codec, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(st, 13, r->container, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(st, 14, (int)r->state);
    (void)sqlite3_bind_text(st, 15, r->error, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(st, 16, r->position_us);
    (void)sqlite3_bind_int64(st, 17, r->imported_ms);
}

enum err index_recording_add(struct index_writer *w, struct recording *r) {
    enum err e = writer_begin(w);
    if (e) return e;
    recording_bind(w->st[W_RECORDING_ADD], r);
    e = db_run(w->st[W_RECORDING_ADD]);
    if (!e) r->id = (uint64_t)sqlite3_last_insert_rowid(w->db);
    return writer_fail(w, e);
}

enum err index_recording_set(struct index_writer *w, const struct recording *r) {
    enum err e = writer_begin(w);
    if (e) return e;
    recording_bind(w->st[W_RECORDING_SET], r);
    (void)sqlite3_bind_int64(w->st[W_RECORDING_SET], 1, (int64_t)r->id);
    e = db_run(w->st[W_RECORDING_SET]);
    if (!e && sqlite3_changes(w->db) == 0) e = ERR_MISSING;
    return writer_fail(w, e);
}

enum err index_checkpoint_set(struct index_writer *w, uint64_t recording_id, int64_t position_us,
                              const void *scene, size_t n) {
    enum err e = writer_begin(w);
    if (e) return e;
    sqlite3_stmt *st = w->st[n ? W_CHECKPOINT_SET : W_CHECKPOINT_DEL];
    (void)sqlite3_bind_int64(st, 1, (int64_t)recording_id);
    if (n) {
        (void)sqlite3_bind_int64(st, 2, position_us);
        (void)sqlite3_bind_blob64(st, 3, scene, n, SQLITE_STATIC);
    }
    e = db_run(st);
    if (n) (void)sqlite3_bind_null(st, 3); /* the scene is the caller's and only lent */
    return writer_fail(w, e);
}

enum err index_checkpoint_get(struct index_writer *w, uint64_t recording_id, int64_t *position_us,
                              void **scene, size_t *n) {
    sqlite3_stmt *st = w->st[W_CHECKPOINT_GET];
    bool row;
    *scene = NULL;
    *n = 0;
    (void)sqlite3_bind_int64(st, 1, (int64_t)recording_id);
    enum err e = db_step(st, &row);
    if (e) return e;
    if (!row) return ERR_MISSING;
    const void *blob = sqlite3_column_blob(st, 1);
    size_t bytes = (size_t)sqlite3_column_bytes(st, 1);
    *position_us = sqlite3_column_int64(st, 0);
    *scene = malloc(bytes ? bytes : 1);
    if (*scene && bytes) memcpy(*scene, blob, bytes);
    *n = bytes;
    (void)sqlite3_reset(st);
    return *scene ? OK : ERR_NOMEM;
}

enum err index_recording_by_sha256(struct index_writer *w, const char *sha256, uint16_t camera_number,
                                   struct recording *out) {
    sqlite3_stmt *st = w->st[W_RECORDING_BY_SHA];
    bool row;
    (void)sqlite3_bind_text(st, 1, sha256, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(st, 2, camera_number);
    enum err e = db_step(st, &row);
    if (e) return e;
    if (!row) return ERR_MISSING;
    recording_from_row(st, out);
    (void)sqlite3_reset(st);
    return OK;
}

/* A commit every few seconds brings a span that goes on where the last one ended: those become one row. */
static enum err coverage_extend(struct index_writer *w, uint64_t recording_id, int64_t from_ms, int64_t to_ms,
                                enum coverage_state state, const char *reason, bool *extended) {
    sqlite3_stmt *st = w->st[W_COVERAGE_LAST];
    bool row;
    *extended = false;
    (void)sqlite3_bind_int64(st, 1, (int64_t)recording_id);
    enum err e = db_step(st, &row);
    if (e || !row) return e;
    int64_t id = sqlite3_column_int64(st, 0);
    const char *last_reason = (const char *)sqlite3_column_text(st, 3);
    bool same = sqlite3_column_int64(st, 1) == from_ms && sqlite3_column_int(st, 2) == (int)state &&
                last_reason && strcmp(last_reason, reason) == 0;
    (void)sqlite3_reset(st);
    if (!same) return OK;
    *extended = true;
    (void)sqlite3_bind_int64(w->st[W_COVERAGE_EXTEND], 1, id);
    (void)sqlite3_bind_int64(w->st[W_COVERAGE_EXTEND], 2, to_ms);
    return db_run(w->st[W_COVERAGE_EXTEND]);
}

enum err index_coverage_add(struct index_writer *w, uint64_t recording_id, uint16_t camera_number,
                            int64_t from_ms, int64_t to_ms, enum coverage_state state, const char *reason) {
    bool extended;
    if (to_ms <= from_ms) return ERR_USAGE;
    if (!reason) reason = "";
    enum err e = writer_begin(w);
    if (e) return e;
    e = coverage_extend(w, recording_id, from_ms, to_ms, state, reason, &extended);
    if (e || extended) return writer_fail(w, e);
    sqlite3_stmt *st = w->st[W_COVERAGE_ADD];
    (void)sqlite3_bind_int64(st, 1, (int64_t)recording_id);
    (void)sqlite3_bind_int(st, 2, camera_number);
    (void)sqlite3_bind_int64(st, 3, from_ms);
    (void)sqlite3_bind_int64(st, 4, to_ms);
    (void)sqlite3_bind_int(st, 5, (int)state);
    (void)sqlite3_bind_text(st, 6, reason, -1, SQLITE_STATIC);
    e = db_run(st);
    return writer_fail(w, e);
}
