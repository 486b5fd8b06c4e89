/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/segments.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/log.h"
#include "host/index/container.h"
#include "host/index/db.h"
#include "host/index/values.h"

enum { OPEN_SEGMENTS = 4, CHUNKS = DB_SEGMENT_SLOTS / DB_CHUNK_SLOTS, COLUMNS = 4, TABLE_MIN = 512 };

struct open_value {
    uint32_t number;
    bool touched;
    uint64_t *words; /* CONTAINER_WORDS */
};

/* Plates of a chunk, sorted by slot. */
struct plate_column {
    uint16_t slot[DB_CHUNK_SLOTS];
    uint32_t id[DB_CHUNK_SLOTS];
    unsigned n;
};

struct chunk {
    bool touched[COLUMNS];
    unsigned n; /* slots that the first three columns cover */
    uint32_t time_ms[DB_CHUNK_SLOTS];
    uint16_t camera[DB_CHUNK_SLOTS];
    uint8_t score[DB_CHUNK_SLOTS];
    struct plate_column plates;
};

struct open_segment {
    uint64_t id, used;
    unsigned slot_count;
    bool open, touched, stored; /* stored: has a row in `segment` */
    bool removed;               /* rows were taken out: `cameras` must be made anew */
    uint8_t cameras[65536 / 8];
    struct open_value *value;
    unsigned n_values, cap_values;
    uint16_t *table; /* value number -> index + 1, open addressing */
    unsigned table_size;
    struct chunk *chunk[CHUNKS];
};

enum segments_statement {
    S_SEGMENT_GET,
    S_SEGMENT_PUT,
    S_SEGMENT_DEL,
    S_BITMAP_GET,
    S_BITMAP_PUT,
    S_BITMAP_DEL,
    S_COLUMN_GET,
    S_COLUMN_PUT,
    S_COLUMN_DEL,
    S_STATEMENTS
};

struct segments {
    sqlite3 *db;
    sqlite3_stmt *st[S_STATEMENTS];
    struct open_segment open[OPEN_SEGMENTS];
    uint64_t clock;
};

static const char *const segments_sql[S_STATEMENTS] = {
    [S_SEGMENT_GET] = "SELECT slot_count, cameras FROM segment WHERE id = ?1",
    [S_SEGMENT_PUT] = "INSERT OR REPLACE INTO segment(id, slot_count, cameras) VALUES(?1, ?2, ?3)",
    [S_SEGMENT_DEL] = "DELETE FROM segment WHERE id = ?1",
    [S_BITMAP_GET] = "SELECT kind, bits FROM bitmap WHERE key = ?1",
    [S_BITMAP_PUT] = "INSERT OR REPLACE INTO bitmap(key, kind, bits) VALUES(?1, ?2, ?3)",
    [S_BITMAP_DEL] = "DELETE FROM bitmap WHERE key = ?1",
    [S_COLUMN_GET] = "SELECT data FROM segment_column WHERE key = ?1",
    [S_COLUMN_PUT] = "INSERT OR REPLACE INTO segment_column(key, data) VALUES(?1, ?2)",
    [S_COLUMN_DEL] = "DELETE FROM segment_column WHERE key BETWEEN ?1 AND ?2",
};

enum err segments_open(sqlite3 *db, struct segments **out) {
    enum err e = OK;
    *out = NULL;
    struct segments *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    s->db = db;
    for (unsigned i = 0; !e && i < S_STATEMENTS; i++) e = db_prepare(db, segments_sql[i], &s->st[i]);
    if (e) {
        segments_close(&s);
        return e;
    }
    *out = s;
    return OK;
}

static void segment_free(struct open_segment *g) {
    for (unsigned i = 0; i < g->n_values; i++) free(g->value[i].words);
    for (unsigned i = 0; i < CHUNKS; i++) free(g->chunk[i]);
    free(g->value);
    free(g->table);
    memset(g, 0, sizeof *g);
}

void segments_forget(struct segments *s) {
    for (unsigned i = 0; i < S_STATEMENTS; i++) (void)sqlite3_reset(s->st[i]);
    for (unsigned i = 0; i < OPEN_SEGMENTS; i++) segment_free(&s->open[i]);
}

void segments_close(struct segments **s) {
    if (!s || !*s) return;
    for (unsigned i = 0; i < OPEN_SEGMENTS; i++) segment_free(&(*s)->open[i]);
    for (unsigned i = 0; i < S_STATEMENTS; i++) (void)sqlite3_finalize((*s)->st[i]);
    free(*s);
    *s = NULL;
}

static int64_t value_key(uint32_t number, uint64_t segment) {
    return (int64_t)number << DB_KEY_SHIFT | (int64_t)segment;
}
static int64_t column_key(unsigned column, uint64_t segment, unsigned chunk) {
    return (int64_t)column << DB_KEY_SHIFT |
           (int64_t)(segment << (DB_SEGMENT_SHIFT - DB_CHUNK_SHIFT) | chunk);
}

static void table_put(struct open_segment *g, unsigned index) {
    unsigned at = g->value[index].number * 2654435761u & (g->table_size - 1);
    while (g->table[at]) at = (at + 1) & (g->table_size - 1);
    g->table[at] = (uint16_t)(index + 1);
}

static enum err values_reserve(struct open_segment *g) {
    if (g->n_values < g->cap_values) return OK;
    unsigned cap = g->cap_values ? g->cap_values * 2 : TABLE_MIN / 2;
    if (cap > UINT16_MAX / 2) return ERR_FULL;
    struct open_value *v = realloc(g->value, cap * sizeof *v);
    if (!v) return ERR_NOMEM;
    g->value = v;
    uint16_t *table = calloc(2 * (size_t)cap, sizeof *table);
    if (!table) return ERR_NOMEM;
    free(g->table);
    g->table = table;
    g->table_size = 2 * cap;
    g->cap_values = cap;
    for (unsigned i = 0; i < g->n_values; i++) table_put(g, i);
    return OK;
}

static enum err value_load(struct segments *s, struct open_segment *g, uint32_t number, uint64_t *words) {
    bool row;
    if (!g->stored) return OK;
    sqlite3_stmt *st = s->st[S_BITMAP_GET];
    (void)sqlite3_bind_int64(st, 1, value_key(number, g->id));
    enum err e = db_step(st, &row);
    if (e || !row) return e;
    struct container c = {.kind = (enum container_kind)sqlite3_column_int(st, 0),
                          .bytes = sqlite3_column_blob(st, 1),
                          .n_bytes = (size_t)sqlite3_column_bytes(st, 1)};
    e = container_check(&c, g->slot_count);
    if (!e) container_or(bits_plain(), words, &c);
    (void)sqlite3_reset(st);
    if (e)
        log_error("index", "state=\"bitmap does not decode\" value=%u segment=%llu", number,
                  (unsigned long long)g->id);
    return e;
}

static enum err value_get(struct segments *s, struct open_segment *g, uint32_t number,
                          struct open_value **out) {
    if (g->table_size) {
        unsigned at = number * 2654435761u & (g->table_size - 1);
        for (; g->table[at]; at = (at + 1) & (g->table_size - 1))
            if (g->value[g->table[at] - 1].number == number) {
                *out = &g->value[g->table[at] - 1];
                return OK;
            }
    }
    enum err e = values_reserve(g);
    if (e) return e;
    uint64_t *words = calloc(CONTAINER_WORDS, sizeof *words);
    if (!words) return ERR_NOMEM;
    e = value_load(s, g, number, words);
    if (e) {
        free(words);
        return e;
    }
    g->value[g->n_values] = (struct open_value){.number = number, .words = words};
    table_put(g, g->n_values);
    *out = &g->value[g->n_values++];
    return OK;
}

/* Reads one column of a chunk into `to`, at most `max` bytes. */
static enum err column_load(struct segments *s, struct open_segment *g, unsigned column, unsigned chunk,
                            void *to, size_t max, size_t *n) {
    bool row;
    *n = 0;
    sqlite3_stmt *st = s->st[S_COLUMN_GET];
    (void)sqlite3_bind_int64(st, 1, column_key(column, g->id, chunk));
    enum err e = db_step(st, &row);
    if (e || !row) return e;
    *n = (size_t)sqlite3_column_bytes(st, 0);
    if (*n > max)
        e = ERR_CORRUPT;
    else if (*n)
        memcpy(to, sqlite3_column_blob(st, 0), *n);
    (void)sqlite3_reset(st);
    return e;
}

static enum err chunk_load(struct segments *s, struct open_segment *g, unsigned at, struct chunk *c) {
    size_t n_time, n_camera, n_score, n_plates;
    uint8_t plates[6 * DB_CHUNK_SLOTS];
    if (!g->stored) return OK;
    enum err e = column_load(s, g, DB_COLUMN_TIME, at, c->time_ms, sizeof c->time_ms, &n_time);
    if (!e) e = column_load(s, g, DB_COLUMN_CAMERA, at, c->camera, sizeof c->camera, &n_camera);
    if (!e) e = column_load(s, g, DB_COLUMN_SCORE, at, c->score, sizeof c->score, &n_score);
    if (!e) e = column_load(s, g, DB_COLUMN_PLATE, at, plates, sizeof plates, &n_plates);
    if (!e && (n_time != 4 * n_score || n_camera != 2 * n_score || n_plates % 6)) e = ERR_CORRUPT;
    if (e) return e;
    c->n = (unsigned)n_score;
    c->plates.n = (unsigned)(n_plates / 6);
    memcpy(c->plates.slot, plates, 2 * (size_t)c->plates.n);
    memcpy(c->plates.id, plates + 2 * (size_t)c->plates.n, 4 * (size_t)c->plates.n);
    return OK;
}

static enum err chunk_get(struct segments *s, struct open_segment *g, unsigned at, struct chunk **out) {
    if (!g->chunk[at]) {
        struct chunk *c = calloc(1, sizeof *c);
        if (!c) return ERR_NOMEM;
        enum err e = chunk_load(s, g, at, c);
        if (e) {
            log_error("index", "state=\"column chunk does not decode\" segment=%llu",
                      (unsigned long long)g->id);
            free(c);
            return e;
        }
        g->chunk[at] = c;
    }
    *out = g->chunk[at];
    return OK;
}

static enum err flush_values(struct segments *s, struct open_segment *g) {
    enum err e = OK;
    uint8_t room[CONTAINER_BYTES_MAX];
    for (unsigned i = 0; !e && i < g->n_values; i++) {
        struct open_value *v = &g->value[i];
        struct container c;
        if (!v->touched) continue;
        bool some = container_encode(v->words, g->slot_count, room, &c) > 0;
        sqlite3_stmt *st = s->st[some ? S_BITMAP_PUT : S_BITMAP_DEL];
        (void)sqlite3_bind_int64(st, 1, value_key(v->number, g->id));
        if (some) {
            (void)sqlite3_bind_int(st, 2, (int)c.kind);
            (void)sqlite3_bind_blob64(st, 3, c.bytes, c.n_bytes, SQLITE_STATIC);
        }
        e = db_run(st);
        v->touched = false;
    }
    return e;
}

static enum err flush_column(struct segments *s, int64_t key, const void *p, size_t n) {
    sqlite3_stmt *st = s->st[n ? S_COLUMN_PUT : S_COLUMN_DEL];
    (void)sqlite3_bind_int64(st, 1, key);
    if (n)
        (void)sqlite3_bind_blob64(st, 2, p, n, SQLITE_STATIC);
    else
        (void)sqlite3_bind_int64(st, 2, key);
    return db_run(st);
}

static enum err flush_chunk(struct segments *s, struct open_segment *g, unsigned at) {
    struct chunk *c = g->chunk[at];
    uint8_t plates[6 * DB_CHUNK_SLOTS];
    const void *data[COLUMNS] = {c->time_ms, c->camera, c->score, plates};
    size_t n[COLUMNS] = {4 * (size_t)c->n, 2 * (size_t)c->n, c->n, 6 * (size_t)c->plates.n};
    enum err e = OK;
    memcpy(plates, c->plates.slot, 2 * (size_t)c->plates.n);
    memcpy(plates + 2 * (size_t)c->plates.n, c->plates.id, 4 * (size_t)c->plates.n);
    for (unsigned k = 0; !e && k < COLUMNS; k++) {
        if (c->touched[k]) e = flush_column(s, column_key(DB_COLUMN_TIME + k, g->id, at), data[k], n[k]);
        c->touched[k] = false;
    }
    return e;
}

static bool segment_empty(const struct open_segment *g) {
    for (unsigned i = 0; i < g->n_values; i++) {
        if (g->value[i].number != ((uint32_t)DB_FIELD_ALL << 10 | 1)) continue;
        for (unsigned w = 0; w < CONTAINER_WORDS; w++)
            if (g->value[i].words[w]) return false;
        return true;
    }
    return false;
}

/* The last row is gone: so are its bitmaps (each was emptied), its columns and the segment itself. */
static enum err segment_drop(struct segments *s, struct open_segment *g) {
    enum err e = OK;
    for (unsigned k = 0; !e && k < COLUMNS; k++) {
        (void)sqlite3_bind_int64(s->st[S_COLUMN_DEL], 1, column_key(DB_COLUMN_TIME + k, g->id, 0));
        (void)sqlite3_bind_int64(s->st[S_COLUMN_DEL], 2, column_key(DB_COLUMN_TIME + k, g->id, CHUNKS - 1));
        e = db_run(s->st[S_COLUMN_DEL]);
    }
    (void)sqlite3_bind_int64(s->st[S_SEGMENT_DEL], 1, (int64_t)g->id);
    if (!e) e = db_run(s->st[S_SEGMENT_DEL]);
    segment_free(g);
    return e;
}

static enum err cameras_anew(struct segments *s, struct open_segment *g) {
    struct open_value *all = NULL;
    enum err e = value_get(s, g, (uint32_t)DB_FIELD_ALL << 10 | 1, &all);
    memset(g->cameras, 0, sizeof g->cameras);
    for (unsigned slot = 0; !e && slot < g->slot_count; slot++) {
        struct chunk *c = NULL;
        if (!(all->words[slot / 64] >> slot % 64 & 1)) continue;
        e = chunk_get(s, g, slot / DB_CHUNK_SLOTS, &c);
        if (e) break;
        uint16_t camera = c->camera[slot % DB_CHUNK_SLOTS];
        g->cameras[camera / 8] |= (uint8_t)(1u << camera % 8);
    }
    g->removed = false;
    return e;
}

static size_t cameras_bytes(const struct open_segment *g) {
    size_t n = sizeof g->cameras;
    while (n > 0 && !g->cameras[n - 1]) n--;
    return n;
}

static enum err segment_flush(struct segments *s, struct open_segment *g) {
    if (!g->open || !g->touched) return OK;
    enum err e = flush_values(s, g);
    if (!e && segment_empty(g)) return segment_drop(s, g);
    if (!e && g->removed) e = cameras_anew(s, g);
    for (unsigned i = 0; !e && i < CHUNKS; i++)
        if (g->chunk[i]) e = flush_chunk(s, g, i);
    if (e) return e;
    (void)sqlite3_bind_int64(s->st[S_SEGMENT_PUT], 1, (int64_t)g->id);
    (void)sqlite3_bind_int64(s->st[S_SEGMENT_PUT], 2, g->slot_count);
    (void)sqlite3_bind_blob64(s->st[S_SEGMENT_PUT], 3, g->cameras, cameras_bytes(g), SQLITE_STATIC);
    g->touched = false;
    g->stored = true;
    return db_run(s->st[S_SEGMENT_PUT]);
}

enum err segments_flush(struct segments *s) {
    enum err e = OK;
    for (unsigned i = 0; !e && i < OPEN_SEGMENTS; i++) e = segment_flush(s, &s->open[i]);
    return e;
}

static enum err segment_get(struct segments *s, uint64_t id, struct open_segment **out) {
    struct open_segment *oldest = &s->open[0];
    for (unsigned i = 0; i < OPEN_SEGMENTS; i++) {
        struct open_segment *g = &s->open[i];
        if (g->open && g->id == id) {
            g->used = ++s->clock;
            *out = g;
            return OK;
        }
        if (g->used < oldest->used) oldest = g;
    }
    enum err e = segment_flush(s, oldest);
    if (e) return e;
    segment_free(oldest);
    bool row;
    (void)sqlite3_bind_int64(s->st[S_SEGMENT_GET], 1, (int64_t)id);
    e = db_step(s->st[S_SEGMENT_GET], &row);
    if (e) return e;
    if (row) {
        int64_t slots = sqlite3_column_int64(s->st[S_SEGMENT_GET], 0);
        const void *cameras = sqlite3_column_blob(s->st[S_SEGMENT_GET], 1);
        size_t n = (size_t)sqlite3_column_bytes(s->st[S_SEGMENT_GET], 1);
        if (slots < 1 || slots > DB_SEGMENT_SLOTS || n > sizeof oldest->cameras) e = ERR_CORRUPT;
        if (!e && n) memcpy(oldest->cameras, cameras, n);
        oldest->slot_count = (unsigned)slots;
        (void)sqlite3_reset(s->st[S_SEGMENT_GET]);
        if (e) return e;
    }
    oldest->open = true;
    oldest->id = id;
    oldest->used = ++s->clock;
    oldest->stored = row;
    *out = oldest;
    return OK;
}

static unsigned plate_place(const struct plate_column *p, uint16_t slot) {
    unsigned at = p->n;
    while (at > 0 && p->slot[at - 1] >= slot) at--;
    return at;
}

static enum err plate_set(struct plate_column *p, uint16_t slot, uint32_t id) {
    unsigned at = plate_place(p, slot);
    if (at < p->n && p->slot[at] == slot) return ERR_CORRUPT;
    memmove(p->slot + at + 1, p->slot + at, (p->n - at) * sizeof p->slot[0]);
    memmove(p->id + at + 1, p->id + at, (p->n - at) * sizeof p->id[0]);
    p->slot[at] = slot;
    p->id[at] = id;
    p->n++;
    return OK;
}

static void plate_clear(struct plate_column *p, uint16_t slot) {
    unsigned at = plate_place(p, slot);
    if (at >= p->n || p->slot[at] != slot) return;
    memmove(p->slot + at, p->slot + at + 1, (p->n - at - 1) * sizeof p->slot[0]);
    memmove(p->id + at, p->id + at + 1, (p->n - at - 1) * sizeof p->id[0]);
    p->n--;
}

enum err segments_add(struct segments *s, const struct sighting *row, uint32_t plate_id) {
    struct open_segment *g = NULL;
    struct chunk *c = NULL;
    uint32_t numbers[VALUES_MAX];
    unsigned slot = (unsigned)(row->id & (DB_SEGMENT_SLOTS - 1)), in_chunk = slot % DB_CHUNK_SLOTS;
    enum err e = segment_get(s, row->id >> DB_SEGMENT_SHIFT, &g);
    if (!e) e = chunk_get(s, g, slot / DB_CHUNK_SLOTS, &c);
    if (e) return e;
    g->touched = true;
    if (slot >= g->slot_count) g->slot_count = slot + 1;
    unsigned n = values_of(row, numbers);
    for (unsigned i = 0; !e && i < n; i++) {
        struct open_value *v = NULL;
        e = value_get(s, g, numbers[i], &v);
        if (e) break;
        v->words[slot / 64] |= UINT64_C(1) << slot % 64;
        v->touched = true;
    }
    if (e) return e;
    if (in_chunk >= c->n) c->n = in_chunk + 1;
    c->time_ms[in_chunk] = (uint32_t)(row->start_ms % DB_HOUR_MS);
    c->camera[in_chunk] = row->camera_number;
    c->score[in_chunk] = row->confidence;
    g->cameras[row->camera_number / 8] |= (uint8_t)(1u << row->camera_number % 8);
    for (unsigned k = 0; k < 3; k++) c->touched[k] = true;
    if (!row->plate.n_chars) return OK;
    c->touched[DB_COLUMN_PLATE - 1] = true;
    return plate_set(&c->plates, (uint16_t)in_chunk, plate_id);
}

enum err segments_remove(struct segments *s, const struct sighting *row) {
    struct open_segment *g = NULL;
    struct chunk *c = NULL;
    uint32_t numbers[VALUES_MAX];
    unsigned slot = (unsigned)(row->id & (DB_SEGMENT_SLOTS - 1)), in_chunk = slot % DB_CHUNK_SLOTS;
    enum err e = segment_get(s, row->id >> DB_SEGMENT_SHIFT, &g);
    if (!e) e = chunk_get(s, g, slot / DB_CHUNK_SLOTS, &c);
    if (e) return e;
    g->touched = true;
    unsigned n = values_of(row, numbers);
    for (unsigned i = 0; !e && i < n; i++) {
        struct open_value *v = NULL;
        e = value_get(s, g, numbers[i], &v);
        if (e) break;
        v->words[slot / 64] &= ~(UINT64_C(1) << slot % 64);
        v->touched = true;
    }
    g->removed = true;
    if (e || in_chunk >= c->n) return e;
    c->time_ms[in_chunk] = 0;
    c->camera[in_chunk] = 0;
    c->score[in_chunk] = 0;
    for (unsigned k = 0; k < COLUMNS; k++) c->touched[k] = true;
    plate_clear(&c->plates, (uint16_t)in_chunk);
    return OK;
}
