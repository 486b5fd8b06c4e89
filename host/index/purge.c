/* SPDX-License-Identifier: Apache-2.0 */
/* purge.c - erasing by age, camera and case. Rows, bitmaps, columns and plate texts go in one transaction,
 * together with a note of the files' parts to erase; files follow; then the log of SQLite is emptied, because
 * old pages live on in it. A purge that was cut short anywhere is finished by writer_erase_pending() at the
 * next start. Whole hours go by ranges of keys; single rows are taken out of their segments one by one. */
#include <stdlib.h>
#include <string.h>

#include "host/base/log.h"
#include "host/index/row.h"
#include "host/index/writer.h"

struct numbers {
    uint64_t *v;
    size_t n, cap;
};

static enum err numbers_add(struct numbers *a, uint64_t x) {
    if (a->n == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : 1024;
        uint64_t *q = realloc(a->v, cap * sizeof *q);
        if (!q) return ERR_NOMEM;
        a->v = q;
        a->cap = cap;
    }
    a->v[a->n++] = x;
    return OK;
}
static int number_order(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}
static void numbers_sort(struct numbers *a) {
    size_t n = 0;
    if (a->n == 0) return;
    qsort(a->v, a->n, sizeof *a->v, number_order);
    for (size_t i = 0; i < a->n; i++)
        if (n == 0 || a->v[n - 1] != a->v[i]) a->v[n++] = a->v[i];
    a->n = n;
}

/* Rows of recordings that must stay. The table is of this connection alone and empty as a rule. */
#define NOT_KEPT "NOT IN (SELECT id FROM temp.kept)"

struct purge {
    struct index_writer *w;
    struct numbers kept_hours; /* in which a kept recording has rows: these go row by row */
    struct purge_receipt *receipt;
    struct numbers plates;     /* ids that a purged row referred to */
    struct numbers thumbnails; /* numbers */
    struct numbers vectors;    /* ids of single rows that had one */
    int64_t free_pages;        /* before */
};

/* One statement with up to three numbers, run once. */
static enum err run(sqlite3 *db, const char *sql, int64_t a, int64_t b, int64_t c) {
    sqlite3_stmt *st = NULL;
    enum err e = db_prepare(db, sql, &st);
    if (e) return e;
    int n = sqlite3_bind_parameter_count(st);
    if (n > 0) (void)sqlite3_bind_int64(st, 1, a);
    if (n > 1) (void)sqlite3_bind_int64(st, 2, b);
    if (n > 2) (void)sqlite3_bind_int64(st, 3, c);
    e = db_run(st);
    (void)sqlite3_finalize(st);
    return e;
}

static enum err number(sqlite3 *db, const char *sql, int64_t a, int64_t b, int64_t *out) {
    sqlite3_stmt *st = NULL;
    enum err e = db_prepare(db, sql, &st);
    if (e) return e;
    if (sqlite3_bind_parameter_count(st) > 0) (void)sqlite3_bind_int64(st, 1, a);
    if (sqlite3_bind_parameter_count(st) > 1) (void)sqlite3_bind_int64(st, 2, b);
    e = db_number(st, -1, out);
    (void)sqlite3_finalize(st);
    return e;
}

/* ---- what rows leave behind
 * --------------------------------------------------------------------------------------- */

static enum err note_erasure(struct purge *p, int kind, uint64_t from, uint64_t to) {
    return run(p->w->db, "INSERT INTO erasure(kind, from_number, to_number) VALUES(?1, ?2, ?3)", kind,
               (int64_t)from, (int64_t)to);
}

/* Units of thumbnails, merged into as few ranges as they make; the unused end of a pack belongs to its last
 * one. */
static enum err note_thumbnails(struct purge *p) {
    enum err e = OK;
    numbers_sort(&p->thumbnails);
    p->receipt->n_thumbnails += p->thumbnails.n;
    uint64_t from = 0, to = 0;
    for (size_t i = 0; !e && i <= p->thumbnails.n; i++) {
        bool last = i == p->thumbnails.n;
        uint64_t first = last ? 0 : pack_first_unit((int64_t)p->thumbnails.v[i]);
        uint64_t end = last ? 0 : pack_end_unit((int64_t)p->thumbnails.v[i]);
        bool next_pack = first % PACK_UNITS == 0 && to && (to - 1) / PACK_UNITS + 1 == first / PACK_UNITS;
        if (!last && to && (first == to || next_pack)) {
            to = end;
            continue;
        }
        if (to) {
            e = note_erasure(p, 1, from, to);
            p->receipt->n_bytes += (to - from) * PACK_UNIT_BYTES;
        }
        from = first;
        to = end;
    }
    return e;
}

static enum err note_vectors(struct purge *p) {
    enum err e = OK;
    numbers_sort(&p->vectors);
    p->receipt->n_bytes += p->vectors.n * VECTOR_BYTES;
    for (size_t i = 0, end; !e && i < p->vectors.n; i = end) {
        for (end = i + 1; end < p->vectors.n && p->vectors.v[end] == p->vectors.v[end - 1] + 1;) end++;
        e = note_erasure(p, 2, p->vectors.v[i], p->vectors.v[end - 1] + 1);
    }
    return e;
}

/* One bit per dictionary place, from the lowest to the highest id at hand of each family (short and long
 * texts). */
struct id_bits {
    uint64_t *words[2];
    uint32_t n[2];
};
static unsigned id_place(uint32_t id, uint32_t *place) {
    unsigned family = plate_width(id) == PLATE_LONG_BYTES;
    *place = id - family * PLATE_LONG_BLOCK * PLATE_BLOCK_TEXTS;
    return family;
}

static enum err id_bits_open(struct id_bits *b, const struct numbers *ids) {
    uint32_t place;
    memset(b, 0, sizeof *b);
    for (size_t i = 0; i < ids->n; i++) {
        unsigned family = id_place((uint32_t)ids->v[i], &place);
        if (place >= b->n[family]) b->n[family] = place + 1;
    }
    for (unsigned family = 0; family < 2; family++) {
        b->words[family] = calloc(b->n[family] / 64 + 1, sizeof *b->words[family]);
        if (!b->words[family]) return ERR_NOMEM;
    }
    return OK;
}
static void id_bits_set(struct id_bits *b, uint32_t id) {
    uint32_t place;
    unsigned family = id_place(id, &place);
    if (place < b->n[family]) b->words[family][place / 64] |= UINT64_C(1) << place % 64;
}
static bool id_bits_has(const struct id_bits *b, uint32_t id) {
    uint32_t place;
    unsigned family = id_place(id, &place);
    return place < b->n[family] && b->words[family][place / 64] >> place % 64 & 1;
}

/* Calls fn with every plate id in the columns of ids [first, end). */
static enum err each_plate(struct purge *p, int64_t first, int64_t end,
                           enum err (*fn)(void *arg, uint32_t id), void *arg) {
    sqlite3_stmt *st = NULL;
    bool row;
    enum err e = db_prepare(p->w->db, "SELECT data FROM segment_column WHERE key >= ?1 AND key < ?2", &st);
    if (e) return e;
    (void)sqlite3_bind_int64(st, 1, (int64_t)DB_COLUMN_PLATE << DB_KEY_SHIFT | first >> DB_CHUNK_SHIFT);
    (void)sqlite3_bind_int64(st, 2, (int64_t)DB_COLUMN_PLATE << DB_KEY_SHIFT | end >> DB_CHUNK_SHIFT);
    e = db_step(st, &row);
    while (!e && row) {
        const uint8_t *data = sqlite3_column_blob(st, 0);
        size_t n = (size_t)sqlite3_column_bytes(st, 0) / 6;
        for (size_t i = 0; !e && i < n; i++) {
            uint32_t id;
            memcpy(&id, data + 2 * n + 4 * i, sizeof id);
            e = fn(arg, id);
        }
        if (!e) e = db_step(st, &row);
    }
    (void)sqlite3_finalize(st);
    return e;
}

static enum err mark_used(void *arg, uint32_t id) {
    id_bits_set(arg, id);
    return OK;
}

/* Of the plates that purged rows had, those that no row has any more are erased from the dictionary. */
static enum err erase_plates(struct purge *p) {
    struct id_bits used;
    numbers_sort(&p->plates);
    if (p->plates.n == 0) return OK;
    enum err e = id_bits_open(&used, &p->plates);
    if (!e) e = each_plate(p, 0, INT64_C(1) << (DB_KEY_SHIFT + DB_CHUNK_SHIFT - 1), mark_used, &used);
    for (size_t i = 0; !e && i < p->plates.n; i++) {
        if (id_bits_has(&used, (uint32_t)p->plates.v[i])) continue;
        e = plates_erase(p->w->plates, (uint32_t)p->plates.v[i]);
        p->receipt->n_plates++;
    }
    free(used.words[0]);
    free(used.words[1]);
    return e;
}

/* ---- whole hours
 * ---------------------------------------------------------------------------------------------------- */

static enum err add_plate(void *arg, uint32_t id) {
    return numbers_add(arg, id);
}

static enum err note_rows(struct purge *p, int64_t first_id, int64_t end_id) {
    sqlite3_stmt *st = NULL;
    bool row;
    enum err e = each_plate(p, first_id, end_id, add_plate, &p->plates);
    if (!e)
        e = db_prepare(p->w->db,
                       "SELECT thumbnail_number FROM sighting WHERE id >= ?1 AND id < ?2 AND "
                       "thumbnail_number IS NOT NULL",
                       &st);
    if (e) return e;
    (void)sqlite3_bind_int64(st, 1, first_id);
    (void)sqlite3_bind_int64(st, 2, end_id);
    e = db_step(st, &row);
    while (!e && row) {
        e = numbers_add(&p->thumbnails, (uint64_t)sqlite3_column_int64(st, 0));
        if (!e) e = db_step(st, &row);
    }
    (void)sqlite3_finalize(st);
    return e;
}

/* Deletes keys prefix << 40 | [first, end) of `table` for every prefix that occurs. */
static enum err delete_keys(struct purge *p, const char *next_sql, const char *delete_sql, int64_t first,
                            int64_t end) {
    sqlite3_stmt *next = NULL, *del = NULL;
    int64_t prefix = 0;
    enum err e = db_prepare(p->w->db, next_sql, &next);
    if (!e) e = db_prepare(p->w->db, delete_sql, &del);
    while (!e) {
        (void)sqlite3_bind_int64(next, 1, prefix << DB_KEY_SHIFT);
        e = db_number(next, -1, &prefix);
        if (e || prefix < 0) break;
        (void)sqlite3_bind_int64(del, 1, prefix << DB_KEY_SHIFT | first);
        (void)sqlite3_bind_int64(del, 2, prefix << DB_KEY_SHIFT | end);
        e = db_run(del);
        prefix++;
    }
    (void)sqlite3_finalize(next);
    (void)sqlite3_finalize(del);
    return e;
}

static enum err purge_hours(struct purge *p, int64_t first_hour, int64_t end_hour) {
    int64_t first = first_hour << 24, end = end_hour << 24, least;
    /* Segments in memory may lie in the range: what they hold goes to the file first, then they are
     * forgotten. */
    enum err e = segments_flush(p->w->segments);
    segments_forget(p->w->segments);
    if (!e)
        e = number(p->w->db, "SELECT min(id) FROM sighting WHERE id >= ?1 AND id < ?2", first, end, &least);
    if (e || least < 0) return e;
    e = note_rows(p, first, end);
    /* From midnight before the first row, so that days that go whole are unlinked and not only zeroed. */
    int64_t midnight = ((least >> 24) / 24 * 24) << 24;
    if (!e) e = note_erasure(p, 2, (uint64_t)(midnight > first ? midnight : first), (uint64_t)end);
    if (!e) e = run(p->w->db, "DELETE FROM sighting WHERE id >= ?1 AND id < ?2", first, end, 0);
    if (!e) p->receipt->n_sightings += (uint64_t)sqlite3_changes64(p->w->db);
    if (!e)
        e = run(p->w->db, "DELETE FROM segment WHERE id >= ?1 AND id < ?2", first >> DB_SEGMENT_SHIFT,
                end >> DB_SEGMENT_SHIFT, 0);
    if (!e)
        e = delete_keys(p, "SELECT key >> 40 FROM bitmap WHERE key >= ?1 ORDER BY key LIMIT 1",
                        "DELETE FROM bitmap WHERE key >= ?1 AND key < ?2", first >> DB_SEGMENT_SHIFT,
                        end >> DB_SEGMENT_SHIFT);
    if (!e)
        e = delete_keys(p, "SELECT key >> 40 FROM segment_column WHERE key >= ?1 ORDER BY key LIMIT 1",
                        "DELETE FROM segment_column WHERE key >= ?1 AND key < ?2", first >> DB_CHUNK_SHIFT,
                        end >> DB_CHUNK_SHIFT);
    memset(p->w->hour, 0, sizeof p->w->hour);
    return e;
}

/* ---- single rows
 * ------------------------------------------------------------------------------------------------------ */

static enum err purge_row(struct purge *p, sqlite3_stmt *del, const struct row *row) {
    enum err e = segments_remove(p->w->segments, &row->s);
    if (!e && row->plate_id >= 0) e = numbers_add(&p->plates, (uint64_t)row->plate_id);
    if (!e && row->thumbnail >= 0) e = numbers_add(&p->thumbnails, (uint64_t)row->thumbnail);
    if (!e && row->s.has_likeness) e = numbers_add(&p->vectors, row->s.id);
    (void)sqlite3_bind_int64(del, 1, (int64_t)row->s.id);
    if (!e) e = db_run(del);
    p->receipt->n_sightings++;
    return e;
}

/* `where` chooses rows by parameters ?1..?3; ids are collected first, for deleting under a running SELECT is
 * undefined. */
static enum err purge_rows(struct purge *p, const char *where, int64_t a, int64_t b, int64_t c) {
    sqlite3_stmt *ids = NULL, *get = NULL, *del = NULL;
    struct numbers doomed = {0};
    char *sql = sqlite3_mprintf("SELECT id FROM sighting WHERE %s ORDER BY id", where);
    bool found = false;
    enum err e = sql ? db_prepare(p->w->db, sql, &ids) : ERR_NOMEM;
    if (!e) e = db_prepare(p->w->db, "SELECT " SIGHTING_COLUMNS " FROM sighting WHERE id = ?1", &get);
    if (!e) e = db_prepare(p->w->db, "DELETE FROM sighting WHERE id = ?1", &del);
    if (e) goto out;
    int n = sqlite3_bind_parameter_count(ids);
    (void)sqlite3_bind_int64(ids, 1, a);
    if (n > 1) (void)sqlite3_bind_int64(ids, 2, b);
    if (n > 2) (void)sqlite3_bind_int64(ids, 3, c);
    e = db_step(ids, &found);
    while (!e && found) {
        e = numbers_add(&doomed, (uint64_t)sqlite3_column_int64(ids, 0));
        if (!e) e = db_step(ids, &found);
    }
    for (size_t i = 0; !e && i < doomed.n; i++) {
        struct row row;
        (void)sqlite3_bind_int64(get, 1, (int64_t)doomed.v[i]);
        e = db_step(get, &found);
        if (e) break;
        e = found ? row_get(get, &row) : ERR_CORRUPT;
        (void)sqlite3_reset(get);
        if (!e) e = purge_row(p, del, &row);
    }
out:
    sqlite3_free(sql);
    (void)sqlite3_finalize(ids);
    (void)sqlite3_finalize(get);
    (void)sqlite3_finalize(del);
    free(doomed.v);
    return e;
}

/* Hours [0, end): whole ones by ranges, but row by row where a recording must stay. */
static enum err purge_until(struct purge *p, int64_t end_hour) {
    int64_t at = 0;
    enum err e = OK;
    for (size_t i = 0; !e && i < p->kept_hours.n; i++) {
        int64_t hour = (int64_t)p->kept_hours.v[i];
        if (hour >= end_hour) break;
        if (hour > at) e = purge_hours(p, at, hour);
        if (!e)
            e = purge_rows(p, "id >= ?1 AND id < ?2 AND recording_id " NOT_KEPT, hour << 24, (hour + 1) << 24,
                           0);
        at = hour + 1;
    }
    return e || at >= end_hour ? e : purge_hours(p, at, end_hour);
}

/* Rows of one camera that started before a moment. Only segments in which it occurs are looked at: of what
 * was purged before, none. */
static enum err purge_camera(struct purge *p, int camera, int64_t before_ms) {
    sqlite3_stmt *st = NULL;
    struct numbers segments = {0};
    bool row;
    int64_t hour = before_ms / DB_HOUR_MS;
    enum err e = segments_flush(p->w->segments);
    if (!e) e = db_prepare(p->w->db, "SELECT id, cameras FROM segment WHERE id < ?1 ORDER BY id", &st);
    if (e) return e;
    (void)sqlite3_bind_int64(st, 1, (hour + 1) << (24 - DB_SEGMENT_SHIFT));
    e = db_step(st, &row);
    while (!e && row) {
        const uint8_t *cameras = sqlite3_column_blob(st, 1);
        if (camera / 8 < sqlite3_column_bytes(st, 1) && cameras[camera / 8] >> camera % 8 & 1)
            e = numbers_add(&segments, (uint64_t)sqlite3_column_int64(st, 0));
        if (!e) e = db_step(st, &row);
    }
    (void)sqlite3_finalize(st);
    for (size_t i = 0; !e && i < segments.n; i++) {
        int64_t first = (int64_t)(segments.v[i] << DB_SEGMENT_SHIFT), end = first + DB_SEGMENT_SLOTS;
        int64_t in_hour_ms = first >> 24 == hour ? before_ms % DB_HOUR_MS : DB_HOUR_MS;
        char *where =
            sqlite3_mprintf("id >= ?1 AND id < ?2 AND camera_id = ?3 AND start_in_hour_ms < %lld AND "
                            "recording_id " NOT_KEPT,
                            (long long)in_hour_ms);
        e = where ? purge_rows(p, where, first, end, camera) : ERR_NOMEM;
        sqlite3_free(where);
    }
    free(segments.v);
    return e;
}

/* ---- recordings
 * ---------------------------------------------------------------------------------------------------------
 */

/* Deletes the recordings for which `where` holds, with what hangs on them. */
static enum err purge_recordings(struct purge *p, const char *where, int64_t a, int64_t b) {
    static const char *const tables[] = {"checkpoint WHERE recording_id", "coverage WHERE recording_id",
                                         "recording WHERE id"};
    enum err e = OK;
    for (unsigned i = 0; !e && i < 3; i++) {
        char *sql =
            sqlite3_mprintf("DELETE FROM %s IN (SELECT id FROM recording WHERE %s)", tables[i], where);
        e = sql ? run(p->w->db, sql, a, b, 0) : ERR_NOMEM;
        sqlite3_free(sql);
    }
    if (!e) p->receipt->n_recordings += (uint64_t)sqlite3_changes(p->w->db);
    return e;
}

/* ---- files
 * ----------------------------------------------------------------------------------------------------------------
 */

enum err writer_erase_pending(struct index_writer *w) {
    sqlite3_stmt *st = NULL;
    bool row;
    enum err e =
        db_prepare(w->db, "SELECT kind, from_number, to_number FROM erasure ORDER BY kind, from_number", &st);
    if (e) return e;
    e = db_step(st, &row);
    bool some = row;
    while (!e && row) {
        uint64_t from = (uint64_t)sqlite3_column_int64(st, 1), to = (uint64_t)sqlite3_column_int64(st, 2);
        e = sqlite3_column_int(st, 0) == 1 ? pack_erase(w->pack, from, to)
                                           : vectors_erase(w->vectors, from, to);
        if (!e) e = db_step(st, &row);
    }
    (void)sqlite3_finalize(st);
    if (!e) e = pack_erase_sync(w->pack);
    if (!e) e = vectors_sync(w->vectors);
    if (!e && some) e = db_exec(w->db, "DELETE FROM erasure");
    return e;
}

/* Old pages stay readable in the log until it is emptied. */
static enum err empty_log(struct index_writer *w) {
    int rc = sqlite3_wal_checkpoint_v2(w->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return rc == SQLITE_OK ? OK : db_err(w->db, rc, "empty the log after a purge");
}

/* Asks of every recording whether it must stay. */
static enum err keep_recordings(struct purge *p, const struct purge_keep *keep) {
    sqlite3_stmt *list = NULL, *put = NULL;
    bool row = false;
    enum err e = db_exec(p->w->db, "CREATE TEMP TABLE IF NOT EXISTS kept(id INTEGER PRIMARY KEY);"
                                   "DELETE FROM temp.kept");
    if (e || !keep) return e;
    e = db_prepare(p->w->db, "SELECT " RECORDING_COLUMNS ", first_hour, last_hour FROM recording", &list);
    if (!e) e = db_prepare(p->w->db, "INSERT INTO temp.kept VALUES(?1)", &put);
    if (!e) e = db_step(list, &row);
    while (!e && row) {
        struct recording r;
        recording_from_row(list, &r);
        if (keep->fn(&r, keep->arg)) {
            (void)sqlite3_bind_int64(put, 1, (int64_t)r.id);
            e = db_run(put);
            int n = sqlite3_column_count(list);
            int64_t last = sqlite3_column_int64(list, n - 1);
            if (sqlite3_column_type(list, n - 2) == SQLITE_NULL) last = -1;
            for (int64_t h = sqlite3_column_int64(list, n - 2); !e && h <= last; h++)
                e = numbers_add(&p->kept_hours, (uint64_t)h);
        }
        if (!e) e = db_step(list, &row);
    }
    (void)sqlite3_finalize(list);
    (void)sqlite3_finalize(put);
    numbers_sort(&p->kept_hours);
    return e;
}

static enum err purge_begin(struct index_writer *w, const struct purge_keep *keep, struct purge_receipt *out,
                            struct purge *p) {
    memset(out, 0, sizeof *out);
    *p = (struct purge){.w = w, .receipt = out};
    enum err e = index_commit(w);
    if (!e) e = writer_begin(w);
    if (!e) e = number(w->db, "PRAGMA freelist_count", 0, 0, &p->free_pages);
    return e ? e : keep_recordings(p, keep);
}

static enum err purge_end(struct purge *p, enum err e) {
    int64_t free_pages = p->free_pages;
    struct index_writer *w = p->w;
    if (!e) e = segments_flush(w->segments);
    if (!e) e = erase_plates(p);
    if (!e) e = note_thumbnails(p);
    if (!e) e = note_vectors(p);
    if (!e) e = number(w->db, "PRAGMA freelist_count", 0, 0, &free_pages);
    if (!e && free_pages > p->free_pages)
        p->receipt->n_bytes += (uint64_t)(free_pages - p->free_pages) * 8192;
    /* Readers that keep vectors in memory see by this that some must go. */
    if (!e)
        e = db_exec(w->db,
                    "INSERT INTO meta VALUES('purges', 1) ON CONFLICT(key) DO UPDATE SET value = value + 1");
    free(p->plates.v);
    free(p->thumbnails.v);
    free(p->vectors.v);
    free(p->kept_hours.v);
    if (!e) e = index_commit(w);
    if (e) {
        index_rollback(w);
        memset(p->receipt, 0, sizeof *p->receipt);
        return e;
    }
    e = writer_erase_pending(w);
    enum err emptied = empty_log(w);
    return e ? e : emptied;
}

enum err index_purge_before(struct index_writer *w, int camera_number, int64_t before_ms,
                            const struct purge_keep *keep, struct purge_receipt *out) {
    struct purge p;
    if (before_ms < 0 || camera_number > UINT16_MAX) return ERR_USAGE;
    int64_t hour = before_ms / DB_HOUR_MS;
    /* A recording that is still being analysed keeps its row; the next purge finds it. */
    static const char recordings_all[] =
        "start_ms + duration_us / 1000 <= ?1 AND start_ms < ?1 AND state NOT IN (0, 1) "
        "AND id " NOT_KEPT,
                      recordings_one[] =
                          "start_ms + duration_us / 1000 <= ?1 AND start_ms < ?1 AND camera_id = ?2 AND "
                          "state NOT IN (0, 1) AND id " NOT_KEPT;
    bool one = camera_number >= 0;
    enum err e = purge_begin(w, keep, out, &p);
    if (!e) e = one ? purge_camera(&p, camera_number, before_ms) : purge_until(&p, hour);
    if (!e && !one)
        e = purge_rows(&p, "id >= ?1 AND id < ?2 AND start_in_hour_ms < ?3 AND recording_id " NOT_KEPT,
                       hour << 24, (hour + 1) << 24, before_ms % DB_HOUR_MS);
    if (!e) e = purge_recordings(&p, one ? recordings_one : recordings_all, before_ms, camera_number);
    if (!e)
        e = run(w->db,
                "DELETE FROM coverage WHERE to_ms <= ?1 AND (?2 < 0 OR camera_id = ?2) AND "
                "recording_id " NOT_KEPT,
                before_ms, camera_number, 0);
    if (!e)
        e = run(w->db,
                "UPDATE coverage SET from_ms = ?1 WHERE from_ms < ?1 AND (?2 < 0 OR camera_id = ?2) AND "
                "recording_id " NOT_KEPT,
                before_ms, camera_number, 0);
    return purge_end(&p, e);
}

/* Hours that belong to the recordings alone go whole, others row by row. */
static enum err purge_hour_of(struct purge *p, const char *mine, int64_t hour) {
    enum err e = OK;
    int64_t others;
    char *others_sql =
        sqlite3_mprintf("SELECT count(*) FROM sighting WHERE id >= ?1 AND id < ?2 AND recording_id NOT IN "
                        "(%s)",
                        mine);
    char *rows = sqlite3_mprintf("id >= ?1 AND id < ?2 AND recording_id IN (%s)", mine);
    if (!others_sql || !rows) e = ERR_NOMEM;
    if (!e) e = number(p->w->db, others_sql, hour << 24, (hour + 1) << 24, &others);
    if (!e)
        e = others == 0 ? purge_hours(p, hour, hour + 1)
                        : purge_rows(p, rows, hour << 24, (hour + 1) << 24, 0);
    sqlite3_free(others_sql);
    sqlite3_free(rows);
    return e;
}

enum err index_purge_case(struct index_writer *w, const char *case_id, const struct purge_keep *keep,
                          struct purge_receipt *out) {
    struct purge p;
    sqlite3_stmt *st = NULL;
    struct numbers hours = {0};
    bool row = false;
    enum err e = purge_begin(w, keep, out, &p);
    if (e) return purge_end(&p, e);
    char *mine = sqlite3_mprintf("SELECT id FROM recording WHERE case_id = %Q AND id " NOT_KEPT, case_id);
    char *where = sqlite3_mprintf("case_id = %Q AND id " NOT_KEPT, case_id);
    char *ranges = sqlite3_mprintf(
        "SELECT first_hour, last_hour FROM recording WHERE case_id = %Q AND first_hour IS NOT "
        "NULL",
        case_id);
    e = mine && where && ranges ? db_prepare(w->db, ranges, &st) : ERR_NOMEM;
    if (!e) e = db_step(st, &row);
    while (!e && row) {
        for (int64_t h = sqlite3_column_int64(st, 0); !e && h <= sqlite3_column_int64(st, 1); h++)
            e = numbers_add(&hours, (uint64_t)h);
        if (!e) e = db_step(st, &row);
    }
    (void)sqlite3_finalize(st);
    numbers_sort(&hours);
    for (size_t i = 0; !e && i < hours.n; i++) e = purge_hour_of(&p, mine, (int64_t)hours.v[i]);
    if (!e) e = purge_recordings(&p, where, 0, 0);
    sqlite3_free(mine);
    sqlite3_free(where);
    sqlite3_free(ranges);
    free(hours.v);
    return purge_end(&p, e);
}
