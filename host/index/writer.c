/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/index/fileio.h"
#include "host/index/record.h"

static const char *const writer_sql[W_STATEMENTS] = {
    [W_SIGHTING_ADD] =
        ("INSERT INTO sighting(id, start_in_hour_ms, duration_ms, camera_id, recording_id, class, "
         "confidence, plate_id, thumbnail_number, attributes, path) "
         "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"),
    /* Also behind the highest slot ever used: the id of an erased sighting is not given again. */
    [W_MAX_ID] =
        ("SELECT max(ifnull((SELECT max(id) FROM sighting WHERE id BETWEEN ?1 AND ?2), -1), "
         "ifnull((SELECT (id << 16) + slot_count - 1 FROM segment WHERE id BETWEEN ?1 >> 16 AND ?2 >> 16 "
         "ORDER BY id DESC LIMIT 1), -1))"),
    [W_COMMITS] = "INSERT INTO meta VALUES('commits', 1) ON CONFLICT(key) DO UPDATE SET value = value + 1",
    [W_META_SET] = "UPDATE meta SET value = ?2 WHERE key = ?1",
    [W_RECORDING_ADD] = ("INSERT INTO recording(sha256, case_id, camera_id, path, n_bytes, start_ms, "
                         "duration_us, w_px, h_px, "
                         "fps_milli, codec, container, state, error, position_us, imported_ms) "
                         "VALUES(?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"),
    [W_RECORDING_SET] = ("UPDATE recording SET sha256 = ?2, case_id = ?3, camera_id = ?4, path = ?5, n_bytes "
                         "= ?6, start_ms = ?7, "
                         "duration_us = ?8, w_px = ?9, h_px = ?10, fps_milli = ?11, codec = ?12, container = "
                         "?13, state = ?14, "
                         "error = ?15, position_us = ?16, imported_ms = ?17 WHERE id = ?1"),
    [W_RECORDING_HOURS] = ("UPDATE recording SET first_hour = min(ifnull(first_hour, ?2), ?2), "
                           "last_hour = max(ifnull(last_hour, ?3), ?3) WHERE id = ?1"),
    [W_RECORDING_BY_SHA] =
        ("SELECT " RECORDING_COLUMNS " FROM recording WHERE sha256 = ?1 AND camera_id = ?2 "
         "ORDER BY id DESC LIMIT 1"),
    [W_CHECKPOINT_SET] = ("INSERT INTO checkpoint(recording_id, position_us, scene) VALUES(?1, ?2, ?3) "
                          "ON CONFLICT(recording_id) DO UPDATE SET position_us = ?2, scene = ?3"),
    [W_CHECKPOINT_DEL] = "DELETE FROM checkpoint WHERE recording_id = ?1",
    [W_CHECKPOINT_GET] = "SELECT position_us, scene FROM checkpoint WHERE recording_id = ?1",
    [W_COVERAGE_LAST] =
        "SELECT id, to_ms, state, reason FROM coverage WHERE recording_id = ?1 ORDER BY id DESC LIMIT 1",
    [W_COVERAGE_EXTEND] = "UPDATE coverage SET to_ms = ?2 WHERE id = ?1",
    [W_COVERAGE_ADD] = ("INSERT INTO coverage(recording_id, camera_id, from_ms, to_ms, state, reason) "
                        "VALUES(?1, ?2, ?3, ?4, ?5, ?6)"),
};

static enum err writer_lock(struct index_writer *w) {
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/index.lock", w->dir);
    if (n < 0 || (size_t)n >= sizeof path) return ERR_USAGE;
    w->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (w->lock_fd < 0) return fileio_err("open", path) == ERR_FULL ? ERR_FULL : ERR_IO;
    if (flock(w->lock_fd, LOCK_EX | LOCK_NB) == 0) return OK;
    return errno == EWOULDBLOCK ? ERR_BUSY : fileio_err("lock", path);
}

static enum err writer_committed_unit(struct index_writer *w) {
    int64_t unit;
    sqlite3_stmt *st = NULL;
    enum err e = db_prepare(w->db, "SELECT value FROM meta WHERE key = 'thumbnail_end_unit'", &st);
    if (!e) e = db_number(st, 0, &unit);
    (void)sqlite3_finalize(st);
    if (!e) w->committed_unit = (uint64_t)unit;
    return e;
}

enum err index_writer_open(const char *dir, const struct vocab *vocab, struct index_writer **out) {
    (void)vocab; /* values come as numbers; names are the readers' affair */
    *out = NULL;
    struct index_writer *w = calloc(1, sizeof *w);
    if (!w) return ERR_NOMEM;
    w->lock_fd = -1;
    enum err e = ERR_NOMEM;
    w->dir = strdup(dir);
    if (!w->dir) goto fail;
    e = writer_lock(w);
    if (!e) e = db_open(dir, true, &w->db);
    for (unsigned i = 0; !e && i < W_STATEMENTS; i++) e = db_prepare(w->db, writer_sql[i], &w->st[i]);
    if (!e) e = writer_committed_unit(w);
    if (!e) e = plates_open(w->db, &w->plates);
    if (!e) e = segments_open(w->db, &w->segments);
    if (!e) e = pack_open(dir, w->committed_unit, &w->pack);
    if (!e) e = vectors_open(dir, w->db, &w->vectors);
    if (!e) e = writer_erase_pending(w);
    if (e) goto fail;
    *out = w;
    return OK;
fail:
    index_writer_close(&w);
    return e;
}

void index_writer_close(struct index_writer **wp) {
    if (!wp || !*wp) return;
    struct index_writer *w = *wp;
    if (w->in_transaction) index_rollback(w);
    vectors_close(&w->vectors);
    pack_close(&w->pack);
    segments_close(&w->segments);
    plates_close(&w->plates);
    db_close(&w->db);
    if (w->lock_fd >= 0) close(w->lock_fd);
    bytes_fini(&w->attributes);
    bytes_fini(&w->path);
    free(w->dir);
    free(w);
    *wp = NULL;
}

enum err writer_begin(struct index_writer *w) {
    if (w->in_transaction) return OK;
    enum err e = db_exec(w->db, "BEGIN IMMEDIATE");
    w->in_transaction = e == OK;
    return e;
}

void index_rollback(struct index_writer *w) {
    if (!w->in_transaction) return;
    for (unsigned i = 0; i < W_STATEMENTS; i++) (void)sqlite3_reset(w->st[i]);
    /* SQLite may have rolled back by itself (full disk); then this fails and there is nothing to undo. */
    if (!sqlite3_get_autocommit(w->db)) (void)sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
    w->in_transaction = false;
    pack_rewind(w->pack, w->committed_unit);
    memset(w->hour, 0, sizeof w->hour);
    w->hours_recording = 0;
    segments_forget(w->segments);
    if (plates_reload(w->plates) != OK)
        log_error("index", "state=\"plate dictionary not read after a rollback\"");
}

enum err writer_fail(struct index_writer *w, enum err e) {
    if (e == ERR_FULL || e == ERR_IO || e == ERR_CORRUPT || e == ERR_NOMEM) index_rollback(w);
    return e;
}

static enum err next_id(struct index_writer *w, int64_t hour, uint64_t *id) {
    struct writer_hour *known = NULL;
    for (unsigned i = 0; i < WRITER_HOURS; i++)
        if (w->hour[i].next && w->hour[i].hour == hour) known = &w->hour[i];
    if (!known) {
        int64_t first = hour << 24, last;
        (void)sqlite3_bind_int64(w->st[W_MAX_ID], 1, first);
        (void)sqlite3_bind_int64(w->st[W_MAX_ID], 2, first + DB_ARRIVALS_MAX - 1);
        enum err e = db_number(w->st[W_MAX_ID], first - 1, &last);
        if (e) return e;
        if (last < first) last = first - 1;
        known = &w->hour[w->hour_at++ % WRITER_HOURS];
        /* `next` counts from 1, so that 0 marks a free entry. */
        *known = (struct writer_hour){.hour = hour, .next = (uint32_t)(last + 1 - first) + 1};
    }
    if (known->next > DB_ARRIVALS_MAX) {
        log_error("index", "state=\"more than 16.7 million sightings in one hour\" hour=%lld",
                  (long long)hour);
        return ERR_FULL;
    }
    *id = (uint64_t)hour << 24 | (known->next - 1);
    known->next++;
    return OK;
}

enum err writer_flush_hours(struct index_writer *w) {
    if (!w->hours_recording) return OK;
    sqlite3_stmt *st = w->st[W_RECORDING_HOURS];
    (void)sqlite3_bind_int64(st, 1, (int64_t)w->hours_recording);
    (void)sqlite3_bind_int64(st, 2, w->hours_first);
    (void)sqlite3_bind_int64(st, 3, w->hours_last);
    w->hours_recording = 0;
    return db_run(st);
}

static enum err note_hour(struct index_writer *w, uint64_t recording_id, int64_t hour) {
    if (w->hours_recording != recording_id) {
        enum err e = writer_flush_hours(w);
        if (e) return e;
        w->hours_recording = recording_id;
        w->hours_first = w->hours_last = hour;
    }
    if (hour < w->hours_first) w->hours_first = hour;
    if (hour > w->hours_last) w->hours_last = hour;
    return OK;
}

static void bind_optional(sqlite3_stmt *st, int at, bool present, int64_t v) {
    if (present)
        (void)sqlite3_bind_int64(st, at, v);
    else
        (void)sqlite3_bind_null(st, at);
}

static enum err sighting_row(struct index_writer *w, const struct sighting *s, uint32_t plate_id,
                             int64_t thumbnail) {
    w->attributes.len = w->path.len = 0;
    record_put_attributes(&w->attributes, s);
    record_put_path(&w->path, s);
    if (w->attributes.bad || w->path.bad) return ERR_NOMEM;
    sqlite3_stmt *st = w->st[W_SIGHTING_ADD];
    (void)sqlite3_bind_int64(st, 1, (int64_t)s->id);
    (void)sqlite3_bind_int64(st, 2, s->start_ms % DB_HOUR_MS);
    (void)sqlite3_bind_int64(st, 3, s->end_ms - s->start_ms);
    (void)sqlite3_bind_int(st, 4, s->camera_number);
    (void)sqlite3_bind_int64(st, 5, (int64_t)s->recording_id);
    (void)sqlite3_bind_int(st, 6, s->class_id);
    (void)sqlite3_bind_int(st, 7, s->confidence);
    bind_optional(st, 8, s->plate.n_chars > 0, plate_id);
    bind_optional(st, 9, thumbnail >= 0, thumbnail);
    (void)sqlite3_bind_blob64(st, 10, w->attributes.data, w->attributes.len, SQLITE_STATIC);
    (void)sqlite3_bind_blob64(st, 11, w->path.data, w->path.len, SQLITE_STATIC);
    return db_run(st);
}

enum err index_sighting_add(struct index_writer *w, struct sighting *s) {
    enum err e = record_check(s);
    if (!e) e = writer_begin(w);
    if (e) return e;
    record_round(s); /* bitmaps of directions are of what the row gives back */
    int64_t hour = s->start_ms / DB_HOUR_MS, thumbnail = -1;
    uint32_t plate_id = 0;
    uint64_t id;
    e = next_id(w, hour, &id);
    if (e) return writer_fail(w, e);
    s->id = id;
    if (s->plate.n_chars) e = plates_id(w->plates, s->plate.text, s->plate.n_chars, &plate_id);
    if (!e && s->thumbnail_jpeg && s->thumbnail_bytes)
        e = pack_add(w->pack, id, s->thumbnail_jpeg, s->thumbnail_bytes, &thumbnail);
    if (!e && s->has_likeness) e = vectors_put(w->vectors, id, s->likeness);
    if (!e) e = note_hour(w, s->recording_id, hour);
    if (!e) e = sighting_row(w, s, plate_id, thumbnail);
    if (!e) e = segments_add(w->segments, s, plate_id);
    return writer_fail(w, e);
}

enum err index_commit(struct index_writer *w) {
    if (!w->in_transaction) return OK;
    uint64_t unit;
    enum err e = pack_sync(w->pack, &unit);
    if (!e) e = vectors_sync(w->vectors);
    /* By this a reader with two connections knows that both see the same commit. */
    if (!e) e = db_run(w->st[W_COMMITS]);
    if (!e && unit != w->committed_unit) {
        (void)sqlite3_bind_text(w->st[W_META_SET], 1, "thumbnail_end_unit", -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(w->st[W_META_SET], 2, (int64_t)unit);
        e = db_run(w->st[W_META_SET]);
    }
    if (!e) e = writer_flush_hours(w);
    if (!e) e = segments_flush(w->segments);
    if (!e) e = plates_flush(w->plates);
    if (!e) e = db_exec(w->db, "COMMIT");
    if (e) {
        index_rollback(w);
        return e;
    }
    w->in_transaction = false;
    w->committed_unit = unit;
    return OK;
}
