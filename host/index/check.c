/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - check-index: every bitmap, column, camera list and dictionary is built anew from the rows and
 * compared bit by bit with what is stored; thumbnails and vectors against their checksums. Reads one state of
 * the index, so that it may run beside a writer. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/index/container.h"
#include "host/index/db.h"
#include "host/index/index.h"
#include "host/index/pack.h"
#include "host/index/plates.h"
#include "host/index/reader.h"
#include "host/index/record.h"
#include "host/index/row.h"
#include "host/index/values.h"
#include "host/index/vectors.h"

enum {
    REPORTS_MAX = 100,
    CHUNKS = DB_SEGMENT_SLOTS / DB_CHUNK_SLOTS,
    VALUE_SPACE = 1 << 21,
    VECTORS_AHEAD = 512
};

struct expected {
    uint32_t number;
    uint64_t words[CONTAINER_WORDS];
};

struct check {
    const char *dir;
    const struct vocab *vocab;
    sqlite3 *db;
    sqlite3_stmt *rows, *segment, *bitmap, *column;
    struct vector_files *vectors;
    struct { /* read ahead of the rows, which come by rising id */
        uint64_t first, end;
        int8_t bytes[VECTORS_AHEAD * VECTOR_BYTES];
    } ahead;
    void (*report)(const char *line, void *arg);
    void *arg;
    uint64_t n_rows, n_differences;
    /* the segment at hand */
    uint64_t id;
    unsigned slots; /* highest + 1 */
    struct expected **value;
    unsigned n_values, cap_values;
    int32_t *index; /* VALUE_SPACE: value number -> place in `value` + 1 */
    uint32_t time_ms[DB_SEGMENT_SLOTS];
    uint16_t camera[DB_SEGMENT_SLOTS];
    uint8_t score[DB_SEGMENT_SLOTS];
    int64_t plate_id[DB_SEGMENT_SLOTS]; /* -1 = none */
    uint8_t cameras[8192];
    /* dictionary: one byte per place, 1 = a row refers to it */
    uint8_t *used[2];
    uint32_t n_places[2];
    uint64_t n_bitmaps, n_chunks;
};

static void differs(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void differs(struct check *c, const char *fmt, ...) {
    char line[256];
    va_list args;
    if (c->n_differences++ >= REPORTS_MAX || !c->report) return;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    c->report(line, c->arg);
}

/* ---- building
 * ------------------------------------------------------------------------------------------------------- */

static enum err expect_bit(struct check *c, uint32_t number, unsigned slot) {
    if (number >= VALUE_SPACE) return ERR_CORRUPT;
    if (!c->index[number]) {
        if (c->n_values == c->cap_values) {
            unsigned cap = c->cap_values ? c->cap_values * 2 : 1024;
            struct expected **v = realloc(c->value, cap * sizeof *v);
            if (!v) return ERR_NOMEM;
            memset(v + c->cap_values, 0, (cap - c->cap_values) * sizeof *v);
            c->value = v;
            c->cap_values = cap;
        }
        struct expected **e = &c->value[c->n_values];
        if (!*e) *e = malloc(sizeof **e);
        if (!*e) return ERR_NOMEM;
        memset(*e, 0, sizeof **e);
        (*e)->number = number;
        c->index[number] = (int32_t)++c->n_values;
    }
    c->value[c->index[number] - 1]->words[slot / 64] |= UINT64_C(1) << slot % 64;
    return OK;
}

static void segment_begin(struct check *c, uint64_t id) {
    for (unsigned i = 0; i < c->n_values; i++) c->index[c->value[i]->number] = 0;
    c->n_values = 0;
    c->id = id;
    c->slots = 0;
    memset(c->time_ms, 0, sizeof c->time_ms);
    memset(c->camera, 0, sizeof c->camera);
    memset(c->score, 0, sizeof c->score);
    memset(c->cameras, 0, sizeof c->cameras);
    memset(c->plate_id, 0xff, sizeof c->plate_id);
}

static void use_plate(struct check *c, const struct row *row) {
    uint32_t id = (uint32_t)row->plate_id;
    unsigned family = plate_width(id) == PLATE_LONG_BYTES;
    uint32_t place = id - family * PLATE_LONG_BLOCK * PLATE_BLOCK_TEXTS;
    if (place >= c->n_places[family] || c->used[family][place] > 1)
        differs(c, "sighting %llu: its plate is not in the dictionary", (unsigned long long)row->s.id);
    else
        c->used[family][place] = 1;
}

static enum err vector_of(struct check *c, uint64_t id, const int8_t **out) {
    if (id < c->ahead.first || id >= c->ahead.end) {
        /* As many as the hour has room for; at a file's end one at a time. */
        uint64_t left = DB_ARRIVALS_MAX - (id & (DB_ARRIVALS_MAX - 1));
        unsigned n = left < VECTORS_AHEAD ? (unsigned)left : VECTORS_AHEAD;
        enum err e = vector_files_read(c->vectors, id, c->ahead.bytes, n);
        if (e == ERR_MISSING) e = vector_files_read(c->vectors, id, c->ahead.bytes, n = 1);
        if (e) return e;
        c->ahead.first = id;
        c->ahead.end = id + n;
    }
    *out = c->ahead.bytes + (id - c->ahead.first) * VECTOR_BYTES;
    return OK;
}

static enum err row_files(struct check *c, const struct row *row) {
    if (row->thumbnail >= 0) {
        enum err e = pack_read(c->dir, row->thumbnail, row->s.id, NULL, NULL);
        if (e == ERR_CORRUPT || e == ERR_MISSING)
            differs(c, "sighting %llu: its thumbnail is %s", (unsigned long long)row->s.id, err_text(e));
        else if (e)
            return e;
    }
    if (!row->s.has_likeness) return OK;
    const int8_t *v;
    enum err e = vector_of(c, row->s.id, &v);
    if (e && e != ERR_MISSING) return e;
    if (e || record_likeness_check(v) != row->likeness_check)
        differs(c, "sighting %llu: its vector is not the one that was stored", (unsigned long long)row->s.id);
    return OK;
}

static enum err row_expect(struct check *c, const struct row *row) {
    uint32_t numbers[VALUES_MAX];
    unsigned slot = (unsigned)(row->s.id & (DB_SEGMENT_SLOTS - 1)), n = values_of(&row->s, numbers);
    enum err e = OK;
    for (unsigned i = 0; !e && i < n; i++) e = expect_bit(c, numbers[i], slot);
    if (slot >= c->slots) c->slots = slot + 1;
    c->time_ms[slot] = (uint32_t)(row->s.start_ms % DB_HOUR_MS);
    c->camera[slot] = row->s.camera_number;
    c->score[slot] = row->s.confidence;
    c->cameras[row->s.camera_number / 8] |= (uint8_t)(1u << row->s.camera_number % 8);
    c->plate_id[slot] = row->plate_id;
    if (row->plate_id >= 0) use_plate(c, row);
    return e ? e : row_files(c, row);
}

/* ---- comparing
 * ------------------------------------------------------------------------------------------------------ */

static enum err compare_value(struct check *c, const struct expected *x, unsigned slot_count) {
    uint64_t stored[CONTAINER_WORDS] = {0};
    bool row;
    (void)sqlite3_bind_int64(c->bitmap, 1, (int64_t)x->number << DB_KEY_SHIFT | (int64_t)c->id);
    enum err e = db_step(c->bitmap, &row);
    if (e) return e;
    if (!row) {
        differs(c, "value %u, segment %llu: the bitmap is missing", x->number, (unsigned long long)c->id);
        return OK;
    }
    struct container b = {.kind = (enum container_kind)sqlite3_column_int(c->bitmap, 0),
                          .bytes = sqlite3_column_blob(c->bitmap, 1),
                          .n_bytes = (size_t)sqlite3_column_bytes(c->bitmap, 1)};
    e = container_check(&b, slot_count);
    if (!e) container_or(bits_plain(), stored, &b);
    if (e || memcmp(stored, x->words, sizeof stored) != 0)
        differs(c, "value %u, segment %llu: the bitmap is not what the rows say", x->number,
                (unsigned long long)c->id);
    (void)sqlite3_reset(c->bitmap);
    c->n_bitmaps++;
    return OK;
}

/* A stored column may be longer than the rows need (the last ones were purged); what is beyond must be zero.
 */
static bool column_equals(const uint8_t *stored, size_t n_stored, const void *wanted, size_t n_wanted,
                          size_t max) {
    if (n_stored > max || n_stored < n_wanted || (n_stored && !stored)) return false;
    if (n_wanted && memcmp(stored, wanted, n_wanted) != 0) return false;
    for (size_t i = n_wanted; i < n_stored; i++)
        if (stored[i]) return false;
    return true;
}

static enum err compare_column(struct check *c, unsigned column, unsigned chunk, const void *wanted,
                               size_t n_wanted, size_t max) {
    bool row;
    (void)sqlite3_bind_int64(c->column, 1,
                             (int64_t)column << DB_KEY_SHIFT |
                                 (int64_t)(c->id << (DB_SEGMENT_SHIFT - DB_CHUNK_SHIFT) | chunk));
    enum err e = db_step(c->column, &row);
    if (e) return e;
    const uint8_t *stored = row ? sqlite3_column_blob(c->column, 0) : NULL;
    size_t n_stored = row ? (size_t)sqlite3_column_bytes(c->column, 0) : 0;
    if (!column_equals(stored, n_stored, wanted, n_wanted, max))
        differs(c, "column %u, segment %llu, chunk %u: not what the rows say", column,
                (unsigned long long)c->id, chunk);
    if (row) c->n_chunks++;
    (void)sqlite3_reset(c->column);
    return OK;
}

static enum err compare_chunk(struct check *c, unsigned chunk) {
    unsigned first = chunk * DB_CHUNK_SLOTS, n = 0, n_plates = 0;
    uint8_t plates[6 * DB_CHUNK_SLOTS];
    uint16_t slot[DB_CHUNK_SLOTS];
    uint32_t id[DB_CHUNK_SLOTS];
    if (c->slots > first) n = c->slots - first < DB_CHUNK_SLOTS ? c->slots - first : DB_CHUNK_SLOTS;
    for (unsigned i = 0; i < n; i++) {
        if (c->plate_id[first + i] < 0) continue;
        slot[n_plates] = (uint16_t)i;
        id[n_plates++] = (uint32_t)c->plate_id[first + i];
    }
    memcpy(plates, slot, 2 * (size_t)n_plates);
    memcpy(plates + 2 * (size_t)n_plates, id, 4 * (size_t)n_plates);
    enum err e =
        compare_column(c, DB_COLUMN_TIME, chunk, c->time_ms + first, 4 * (size_t)n, 4 * DB_CHUNK_SLOTS);
    if (!e)
        e = compare_column(c, DB_COLUMN_CAMERA, chunk, c->camera + first, 2 * (size_t)n, 2 * DB_CHUNK_SLOTS);
    if (!e) e = compare_column(c, DB_COLUMN_SCORE, chunk, c->score + first, n, DB_CHUNK_SLOTS);
    size_t bytes = 6 * (size_t)n_plates;
    if (!e) e = compare_column(c, DB_COLUMN_PLATE, chunk, plates, bytes, bytes);
    return e;
}

static enum err segment_compare(struct check *c) {
    bool row;
    if (c->slots == 0) return OK;
    (void)sqlite3_bind_int64(c->segment, 1, (int64_t)c->id);
    enum err e = db_step(c->segment, &row);
    if (e) return e;
    if (!row) {
        differs(c, "segment %llu: missing", (unsigned long long)c->id);
        return OK;
    }
    int64_t slot_count = sqlite3_column_int64(c->segment, 0);
    size_t n_cameras = sizeof c->cameras;
    while (n_cameras > 0 && !c->cameras[n_cameras - 1]) n_cameras--;
    if (slot_count < c->slots || slot_count > DB_SEGMENT_SLOTS)
        differs(c, "segment %llu: its slot count is too small", (unsigned long long)c->id);
    const void *cameras = sqlite3_column_blob(c->segment, 1);
    if ((size_t)sqlite3_column_bytes(c->segment, 1) != n_cameras ||
        memcmp(cameras, c->cameras, n_cameras) != 0)
        differs(c, "segment %llu: its cameras are not those of the rows", (unsigned long long)c->id);
    (void)sqlite3_reset(c->segment);
    for (unsigned i = 0; !e && i < c->n_values; i++) e = compare_value(c, c->value[i], (unsigned)slot_count);
    for (unsigned i = 0; !e && i < CHUNKS; i++) e = compare_chunk(c, i);
    return e;
}

/* ---- the dictionary
 * ------------------------------------------------------------------------------------------------- */

enum { PLACE_FREE = 2, PLACE_UNUSED = 0 };

static int short_order(const void *a, const void *b) {
    return memcmp(a, b, PLATE_SHORT_BYTES);
}
static int long_order(const void *a, const void *b) {
    return memcmp(a, b, PLATE_LONG_BYTES);
}

static void find_doubles(struct check *c, uint8_t *texts, size_t n, unsigned width) {
    qsort(texts, n, width, width == PLATE_SHORT_BYTES ? short_order : long_order);
    for (size_t i = 1; i < n; i++)
        if (memcmp(texts + (i - 1) * width, texts + i * width, width) == 0)
            differs(c, "dictionary: a text stands there twice");
}

/* Marks free places, so that a row that refers to one is seen; looks for texts that stand there twice. */
static enum err dictionary_read(struct check *c, unsigned family) {
    unsigned width = family ? PLATE_LONG_BYTES : PLATE_SHORT_BYTES;
    uint32_t first = family * PLATE_LONG_BLOCK;
    sqlite3_stmt *st = NULL;
    uint8_t *texts = NULL;
    size_t n_texts = 0;
    bool row;
    enum err e = db_prepare(
        c->db, "SELECT number, texts FROM plate_block WHERE number >= ?1 AND number < ?2 ORDER BY number",
        &st);
    if (e) return e;
    (void)sqlite3_bind_int64(st, 1, first);
    (void)sqlite3_bind_int64(st, 2, first + PLATE_LONG_BLOCK);
    e = db_step(st, &row);
    while (!e && row) {
        uint32_t block = (uint32_t)sqlite3_column_int64(st, 0) - first, end = (block + 1) * PLATE_BLOCK_TEXTS;
        size_t n = (size_t)sqlite3_column_bytes(st, 1) / width;
        const uint8_t *from = sqlite3_column_blob(st, 1);
        uint8_t *used = realloc(c->used[family], end);
        if (used) c->used[family] = used;
        uint8_t *more = realloc(texts, (n_texts + PLATE_BLOCK_TEXTS) * width);
        if (more) texts = more;
        if (!used || !more) {
            e = ERR_NOMEM;
            break;
        }
        memset(used + c->n_places[family], PLACE_FREE, end - c->n_places[family]);
        c->n_places[family] = end;
        for (size_t i = 0; i < n && i < PLATE_BLOCK_TEXTS; i++) {
            if (!from[i * width]) continue;
            used[block * PLATE_BLOCK_TEXTS + i] = PLACE_UNUSED;
            memcpy(texts + n_texts++ * width, from + i * width, width);
        }
        e = db_step(st, &row);
    }
    (void)sqlite3_finalize(st);
    if (!e && n_texts) find_doubles(c, texts, n_texts, width);
    free(texts);
    return e;
}

static void dictionary_compare(struct check *c) {
    for (unsigned family = 0; family < 2; family++)
        for (uint32_t i = 0; i < c->n_places[family]; i++)
            if (c->used[family][i] == PLACE_UNUSED)
                differs(c, "dictionary: place %u of family %u holds a text that no sighting has", i, family);
}

/* ---- all of it
 * ------------------------------------------------------------------------------------------------------- */

static enum err count(struct check *c, const char *sql, int64_t *out) {
    sqlite3_stmt *st = NULL;
    enum err e = db_prepare(c->db, sql, &st);
    if (!e) e = db_number(st, 0, out);
    (void)sqlite3_finalize(st);
    return e;
}

/* What is stored beyond what the rows gave rise to. */
static enum err compare_counts(struct check *c) {
    int64_t bitmaps, chunks, lonely;
    enum err e = count(c, "SELECT count(*) FROM bitmap", &bitmaps);
    if (!e) e = count(c, "SELECT count(*) FROM segment_column", &chunks);
    if (!e)
        e = count(c,
                  "SELECT count(*) FROM segment g WHERE NOT EXISTS(SELECT 1 FROM sighting s WHERE s.id >= "
                  "g.id << 16 AND "
                  "s.id < (g.id + 1) << 16)",
                  &lonely);
    if (e) return e;
    if ((uint64_t)bitmaps != c->n_bitmaps)
        differs(c, "%lld bitmaps are stored, %llu belong to rows", (long long)bitmaps,
                (unsigned long long)c->n_bitmaps);
    if ((uint64_t)chunks != c->n_chunks)
        differs(c, "%lld column chunks are stored, %llu belong to rows", (long long)chunks,
                (unsigned long long)c->n_chunks);
    if (lonely) differs(c, "%lld segments have no row", (long long)lonely);
    return OK;
}

static enum err pages_check(struct check *c) {
    sqlite3_stmt *st = NULL;
    bool row;
    enum err e = db_prepare(c->db, "PRAGMA quick_check(10)", &st);
    if (!e) e = db_step(st, &row);
    while (!e && row) {
        const char *line = (const char *)sqlite3_column_text(st, 0);
        if (line && strcmp(line, "ok") != 0) differs(c, "file: %s", line);
        e = db_step(st, &row);
    }
    (void)sqlite3_finalize(st);
    return e;
}

static enum err check_rows(struct check *c) {
    bool more;
    enum err e = db_step(c->rows, &more);
    while (!e && more) {
        struct row row;
        e = row_get(c->rows, &row);
        if (e == ERR_CORRUPT) {
            differs(c, "sighting %lld: the row does not decode", (long long)sqlite3_column_int64(c->rows, 0));
            e = db_step(c->rows, &more);
            continue;
        }
        if (e) break;
        if (row.s.id >> DB_SEGMENT_SHIFT != c->id) {
            e = segment_compare(c);
            segment_begin(c, row.s.id >> DB_SEGMENT_SHIFT);
        }
        if (!e) e = row_expect(c, &row);
        c->n_rows++;
        if (!e) e = db_step(c->rows, &more);
    }
    return e ? e : segment_compare(c);
}

static enum err check_open(struct check *c) {
    enum err e = reader_db(c->dir, c->vocab, &c->db);
    if (!e) e = db_prepare(c->db, "SELECT " SIGHTING_COLUMNS " FROM sighting ORDER BY id", &c->rows);
    if (!e) e = db_prepare(c->db, "SELECT slot_count, cameras FROM segment WHERE id = ?1", &c->segment);
    if (!e) e = db_prepare(c->db, "SELECT kind, bits FROM bitmap WHERE key = ?1", &c->bitmap);
    if (!e) e = db_prepare(c->db, "SELECT data FROM segment_column WHERE key = ?1", &c->column);
    if (!e) e = vector_files_open(c->dir, &c->vectors);
    c->index = calloc(VALUE_SPACE, sizeof *c->index);
    return e ? e : c->index ? OK : ERR_NOMEM;
}

enum err index_check(const char *dir, const struct vocab *vocab, void (*report)(const char *line, void *arg),
                     void *arg, uint64_t *n_rows) {
    *n_rows = 0;
    struct check *c = calloc(1, sizeof *c);
    if (!c) return ERR_NOMEM;
    c->dir = dir;
    c->vocab = vocab;
    c->report = report;
    c->arg = arg;
    enum err e = check_open(c);
    if (!e) e = db_exec(c->db, "BEGIN");
    if (!e) e = pages_check(c);
    for (unsigned family = 0; !e && family < 2; family++) e = dictionary_read(c, family);
    if (!e) e = check_rows(c);
    if (!e) e = compare_counts(c);
    if (!e) dictionary_compare(c);
    if (!e && c->n_differences) e = ERR_CORRUPT;
    *n_rows = c->n_rows;
    db_close(&c->db); /* ends the transaction and finalizes the statements */
    vector_files_close(&c->vectors);
    for (unsigned i = 0; i < c->cap_values; i++) free(c->value[i]);
    free(c->value);
    free(c->index);
    free(c->used[0]);
    free(c->used[1]);
    free(c);
    return e;
}
