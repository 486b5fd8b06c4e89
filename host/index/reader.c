/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/reader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "host/base/log.h"
#include "host/index/column.h"
#include "host/index/hits.h"
#include "host/index/like.h"
#include "host/index/pack.h"
#include "host/index/plates.h"
#include "host/index/row.h"
#include "host/index/vectors.h"
#include "host/index/writer.h"

#define COMMITS_SQL "SELECT value FROM meta WHERE key = 'commits'"

static const char *const reader_sql[R_STATEMENTS] = {
    [R_BEGIN] = "BEGIN",
    [R_COMMIT] = "COMMIT",
    [R_COMMITS] = COMMITS_SQL,
    [R_ROWS_BEGIN] = "BEGIN",
    [R_ROWS_COMMIT] = "COMMIT",
    [R_ROWS_COMMITS] = COMMITS_SQL,
    [R_SIGHTING] = ("SELECT " SIGHTING_COLUMNS " FROM sighting WHERE id = ?1"),
    [R_PLATE_TEXTS] = PLATES_TEXT_SQL,
    [R_RECORDING] = ("SELECT " RECORDING_COLUMNS " FROM recording WHERE id = ?1"),
    [R_RECORDINGS] =
        ("SELECT " RECORDING_COLUMNS " FROM recording WHERE ?1 IS NULL OR case_id = ?1 ORDER BY id"),
    [R_RECORDING_AT] =
        ("SELECT " RECORDING_COLUMNS " FROM recording WHERE id = (SELECT recording_id FROM coverage "
         "WHERE camera_id = ?1 AND from_ms <= ?2 AND to_ms > ?2 ORDER BY from_ms DESC, id DESC LIMIT 1)"),
    [R_COVERAGE] =
        ("SELECT from_ms, to_ms, state, reason FROM coverage WHERE camera_id = ?1 AND from_ms < ?3 "
         "AND to_ms > ?2 ORDER BY from_ms, to_ms, id"),
    [R_SEGMENTS] = "SELECT id, slot_count, cameras FROM segment WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC",
    [R_COLUMN] = "SELECT data FROM segment_column WHERE key = ?1",
    [R_DURATION] = "SELECT duration_ms FROM sighting WHERE id = ?1",
    [R_NEXT_VALUE] = "SELECT key >> 40 FROM bitmap WHERE key >= ?1 ORDER BY key LIMIT 1",
    [R_PLATE_BLOCKS] = "SELECT number, texts FROM plate_block ORDER BY number",
    [R_PLATE_LAST] = "SELECT max(number) FROM plate_block WHERE number BETWEEN ?1 AND ?2",
    [R_PLATE_COLUMN] = COLUMN_WALK_SQL,
    [R_CAMERA_COLUMN] = COLUMN_WALK_SQL,
    [R_PURGES] = "SELECT value FROM meta WHERE key = 'purges'",
};

/* A data directory in which nothing was imported yet has an empty index, not an error; one of an earlier
 * version is brought up to this one. */
static enum err open_writer_once(const char *dir, const struct vocab *vocab) {
    struct index_writer *w = NULL;
    enum err e = index_writer_open(dir, vocab, &w);
    index_writer_close(&w);
    return e == ERR_BUSY ? OK : e;
}

enum err reader_db(const char *dir, const struct vocab *vocab, sqlite3 **out) {
    enum err e = db_open(dir, false, out);
    if (e != ERR_MISSING && e != ERR_AGAIN) return e;
    e = open_writer_once(dir, vocab);
    if (!e) e = db_open(dir, false, out);
    return e == ERR_AGAIN ? ERR_BUSY : e;
}

/* Every page that was ever looked at stays mapped, rows of passages long gone from the screen too: in time
 * all of the file. A fault maps at most 64 KiB around it. What is mapped and the sketches together stay below
 * this; then the map is given back: the pages stay in the kernel's cache, and the next searches map what they
 * need. */
#define MEMORY_MAX  (560u << 20)
#define FAULT_BYTES (64u << 10)

static long faults_of_thread(void) {
    struct rusage u;
    return getrusage(RUSAGE_THREAD, &u) == 0 ? u.ru_minflt : 0;
}

static void give_map_back(struct index_reader *r) {
    sqlite3_int64 none = 0, all = DB_MAP_BYTES_MAX;
    (void)sqlite3_file_control(r->db, "main", SQLITE_FCNTL_MMAP_SIZE, &none);
    (void)sqlite3_file_control(r->db, "main", SQLITE_FCNTL_MMAP_SIZE, &all);
    r->n_faults = 0;
}

/* Reads what every search reads, so that the first one finds it in memory: about 16 bytes a sighting. Blobs
 * are touched, not only stepped over: SQLite would leave their overflow pages on the disk. */
static enum err read_ahead(sqlite3 *db) {
    static const char *const all[] = {"SELECT bits FROM bitmap", "SELECT data FROM segment_column",
                                      "SELECT texts FROM plate_block"};
    enum err e = OK;
    for (unsigned i = 0; !e && i < sizeof all / sizeof *all; i++) {
        sqlite3_stmt *st = NULL;
        bool row;
        e = db_prepare(db, all[i], &st);
        if (!e) e = db_step(st, &row);
        while (!e && row) {
            (void)sqlite3_column_blob(st, 0);
            e = db_step(st, &row);
        }
        (void)sqlite3_finalize(st);
    }
    return e;
}

enum err index_reader_open(const char *dir, const struct vocab *vocab, struct index_reader **out) {
    *out = NULL;
    struct index_reader *r = calloc(1, sizeof *r);
    if (!r) return ERR_NOMEM;
    r->ops = bits_best();
    enum err e = ERR_NOMEM;
    r->dir = strdup(dir);
    if (!r->dir) goto fail;
    e = reader_db(dir, vocab, &r->db);
    if (!e) e = db_open(dir, false, &r->rows);
    sqlite3_int64 none = 0;
    if (!e) (void)sqlite3_file_control(r->rows, "main", SQLITE_FCNTL_MMAP_SIZE, &none);
    for (unsigned i = 0; !e && i < R_STATEMENTS; i++)
        e = db_prepare(i >= R_ROWS_BEGIN && i <= R_DURATION ? r->rows : r->db, reader_sql[i], &r->st[i]);
    if (!e) e = hits_register(r);
    r->n_faults = -faults_of_thread();
    if (!e) e = read_ahead(r->db);
    r->n_faults += faults_of_thread();
    if (e) goto fail;
    *out = r;
    return OK;
fail:
    index_reader_close(&r);
    return e;
}

enum err index_reader_ready_likeness(struct index_reader *r) {
    enum err e = reader_begin(r);
    if (e) return e;
    e = like_ready(r);
    reader_end(r);
    return e;
}

void index_reader_close(struct index_reader **rp) {
    if (!rp || !*rp) return;
    struct index_reader *r = *rp;
    like_close(&r->like);
    db_close(&r->db); /* finalizes the statements, the cursors' too */
    db_close(&r->rows);
    free(r->cursors);
    free(r->dir);
    free(r);
    *rp = NULL;
}

static void end_both(struct index_reader *r) {
    if (!sqlite3_get_autocommit(r->db) && db_run(r->st[R_COMMIT]) != OK)
        log_warn("index", "state=\"a read transaction did not end\"");
    if (!sqlite3_get_autocommit(r->rows) && db_run(r->st[R_ROWS_COMMIT]) != OK)
        log_warn("index", "state=\"a read transaction of rows did not end\"");
}

/* Both connections on the state of one commit: a commit in between is seen by their counts, and they try
 * again. */
static enum err begin_both(struct index_reader *r) {
    for (unsigned try = 0; try < 100; try++) {
        int64_t here = 0, rows = 0;
        enum err e = db_run(r->st[R_BEGIN]);
        if (!e) e = db_number(r->st[R_COMMITS], 0, &here);
        if (!e) e = db_run(r->st[R_ROWS_BEGIN]);
        if (!e) e = db_number(r->st[R_ROWS_COMMITS], 0, &rows);
        if (!e && here == rows) return OK;
        end_both(r);
        if (e) return e;
    }
    return ERR_BUSY;
}

enum err reader_begin(struct index_reader *r) {
    r->n_faults -= faults_of_thread();
    return begin_both(r);
}
void reader_end(struct index_reader *r) {
    (void)sqlite3_reset(r->st[R_COLUMN]); /* may still lend a chunk */
    end_both(r);
    r->n_faults += faults_of_thread();
    if ((uint64_t)r->n_faults * FAULT_BYTES + like_bytes(r->like) > MEMORY_MAX) give_map_back(r);
}

enum err perimeter_check(const struct perimeter *p) {
    return !p || !p->cameras || p->n_cameras == 0 || p->to_ms <= p->from_ms ? ERR_DENIED : OK;
}

bool perimeter_holds(const struct perimeter *p, uint16_t camera_number, int64_t start_ms) {
    if (start_ms < p->from_ms || start_ms >= p->to_ms) return false;
    for (unsigned i = 0; i < p->n_cameras; i++)
        if (p->cameras[i] == camera_number) return true;
    return false;
}

enum err reader_fetch(struct index_reader *r, uint64_t id, bool plates, struct sighting *out,
                      int64_t *thumbnail) {
    sqlite3_stmt *st = r->st[R_SIGHTING];
    struct row row;
    bool found;
    (void)sqlite3_bind_int64(st, 1, (int64_t)id);
    enum err e = db_step(st, &found);
    if (e) return e;
    if (!found) return ERR_MISSING;
    e = row_get(st, &row);
    (void)sqlite3_reset(st);
    if (e) return e;
    *out = row.s;
    if (thumbnail) *thumbnail = row.thumbnail;
    if (!plates) memset(&out->plate, 0, sizeof out->plate);
    if (!out->plate.n_chars) return OK;
    char text[SIGHTING_PLATE_MAX + 1];
    e = plates_text(r->st[R_PLATE_TEXTS], (uint32_t)row.plate_id, text);
    memcpy(out->plate.text, text, sizeof text);
    return e == ERR_MISSING ? ERR_CORRUPT : e;
}

static enum err fetch_inside(struct index_reader *r, const struct perimeter *p, uint64_t id,
                             struct sighting *out, int64_t *thumbnail) {
    enum err e = perimeter_check(p);
    if (!e) e = reader_begin(r);
    if (e) return e;
    e = reader_fetch(r, id, p->plates_allowed, out, thumbnail);
    reader_end(r);
    if (!e && !perimeter_holds(p, out->camera_number, out->start_ms)) e = ERR_MISSING;
    return e;
}

enum err index_sighting_get(struct index_reader *r, const struct perimeter *p, uint64_t id,
                            struct sighting *out) {
    enum err e = fetch_inside(r, p, id, out, NULL);
    if (!e && out->has_likeness && p->likeness_allowed) {
        e = reader_begin(r);
        if (!e) {
            e = like_open(r);
            reader_end(r);
        }
        if (!e) e = vector_files_read(r->like->files, id, out->likeness, 1);
    }
    if (e) memset(out, 0, sizeof *out);
    return e;
}

enum err index_thumbnail_get(struct index_reader *r, const struct perimeter *p, uint64_t id, uint8_t **jpeg,
                             size_t *n) {
    int64_t number = -1;
    struct sighting *s = malloc(sizeof *s); /* large, and this may run on a small stack */
    *jpeg = NULL;
    *n = 0;
    if (!s) return ERR_NOMEM;
    enum err e = fetch_inside(r, p, id, s, &number);
    free(s);
    if (!e && number < 0) e = ERR_MISSING;
    return e ? e : pack_read(r->dir, number, id, jpeg, n);
}

enum err index_recording_get(struct index_reader *r, uint64_t id, struct recording *out) {
    bool row;
    (void)sqlite3_bind_int64(r->st[R_RECORDING], 1, (int64_t)id);
    enum err e = db_step(r->st[R_RECORDING], &row);
    if (e) return e;
    if (!row) return ERR_MISSING;
    recording_from_row(r->st[R_RECORDING], out);
    (void)sqlite3_reset(r->st[R_RECORDING]);
    return OK;
}

enum err index_recording_at(struct index_reader *r, const struct perimeter *p, uint16_t camera_number,
                            int64_t at_ms, struct recording *out) {
    sqlite3_stmt *st = r->st[R_RECORDING_AT];
    bool row;
    enum err e = perimeter_check(p);
    if (e) return e;
    if (!perimeter_holds(p, camera_number, at_ms)) return ERR_MISSING;
    (void)sqlite3_bind_int(st, 1, camera_number);
    (void)sqlite3_bind_int64(st, 2, at_ms);
    e = db_step(st, &row);
    if (e) return e;
    if (!row) return ERR_MISSING;
    recording_from_row(st, out);
    (void)sqlite3_reset(st);
    return OK;
}

enum err index_recordings(struct index_reader *r, const char *case_id, struct recording **out, size_t *n) {
    sqlite3_stmt *st = r->st[R_RECORDINGS];
    size_t cap = 0;
    bool row = true;
    *out = NULL;
    *n = 0;
    if (case_id)
        (void)sqlite3_bind_text(st, 1, case_id, -1, SQLITE_STATIC);
    else
        (void)sqlite3_bind_null(st, 1);
    enum err e = db_step(st, &row);
    while (!e && row) {
        if (*n == cap) {
            cap = cap ? cap * 2 : 16;
            struct recording *q = realloc(*out, cap * sizeof *q);
            if (!q) {
                e = ERR_NOMEM;
                break;
            }
            *out = q;
        }
        recording_from_row(st, &(*out)[(*n)++]);
        e = db_step(st, &row);
    }
    (void)sqlite3_reset(st);
    (void)sqlite3_bind_null(st, 1);
    if (e) {
        free(*out);
        *out = NULL;
        *n = 0;
    }
    return e;
}
