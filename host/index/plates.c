/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/plates.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/size.h"
#include "host/index/db.h"

enum { FAMILIES = 2 }; /* 0 short, 1 long */

struct family {
    unsigned width;
    uint32_t first_block;
    uint8_t *texts; /* count places of width bytes */
    uint32_t count, cap;
    uint32_t *free_places; /* places below count that hold nothing */
    uint32_t n_free, free_cap;
    uint8_t *touched; /* one flag per block of `cap` */
};

struct plates {
    sqlite3 *db;
    sqlite3_stmt *all, *put;
    struct family family[FAMILIES];
    uint32_t *table; /* open addressing: place * 2 + family + 1; 0 = empty, UINT32_MAX = erased */
    uint32_t table_size, table_used;
};

static uint64_t text_hash(const uint8_t *t, unsigned width) {
    uint64_t a, b = 0;
    memcpy(&a, t, 8);
    if (width > PLATE_SHORT_BYTES) memcpy(&b, t + 8, 8);
    uint64_t h = (a ^ b * UINT64_C(0xff51afd7ed558ccd)) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}

static const uint8_t *entry_text(const struct plates *p, uint32_t entry, unsigned *width) {
    const struct family *f = &p->family[(entry - 1) & 1];
    *width = f->width;
    return f->texts + (size_t)((entry - 1) >> 1) * f->width;
}

static void table_insert(struct plates *p, uint32_t entry) {
    unsigned width;
    const uint8_t *t = entry_text(p, entry, &width);
    uint32_t mask = p->table_size - 1, at = (uint32_t)text_hash(t, width) & mask;
    while (p->table[at] != 0 && p->table[at] != UINT32_MAX) at = (at + 1) & mask;
    if (p->table[at] == 0) p->table_used++;
    p->table[at] = entry;
}

static enum err table_grow(struct plates *p) {
    if (p->table_size && p->table_used + 1 < p->table_size / 4 * 3) return OK;
    uint32_t size = 1024;
    while (size / 2 < p->family[0].count + p->family[1].count + 1) size *= 2;
    uint32_t *table = calloc(size, sizeof *table), *old = p->table;
    uint32_t old_size = p->table_size;
    if (!table) return ERR_NOMEM;
    p->table = table;
    p->table_size = size;
    p->table_used = 0;
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i] != 0 && old[i] != UINT32_MAX) table_insert(p, old[i]);
    free(old);
    return OK;
}

static enum err family_reserve(struct family *f, uint32_t count) {
    if (count <= f->cap) return OK;
    uint32_t cap = f->cap ? f->cap : PLATE_BLOCK_TEXTS;
    while (cap < count) cap *= 2;
    if (cap / PLATE_BLOCK_TEXTS > PLATE_LONG_BLOCK) return ERR_FULL;
    uint8_t *texts = realloc(f->texts, (size_t)cap * f->width);
    if (!texts) return ERR_NOMEM;
    f->texts = texts;
    uint8_t *touched = realloc(f->touched, cap / PLATE_BLOCK_TEXTS);
    if (!touched) return ERR_NOMEM;
    f->touched = touched;
    memset(texts + (size_t)f->cap * f->width, 0, (size_t)(cap - f->cap) * f->width);
    memset(touched + f->cap / PLATE_BLOCK_TEXTS, 0, (cap - f->cap) / PLATE_BLOCK_TEXTS);
    f->cap = cap;
    return OK;
}

static enum err family_free_place(struct family *f, uint32_t place) {
    if (f->n_free == f->free_cap) {
        uint32_t cap = f->free_cap ? f->free_cap * 2 : 64;
        uint32_t *q = realloc(f->free_places, cap * sizeof *q);
        if (!q) return ERR_NOMEM;
        f->free_places = q;
        f->free_cap = cap;
    }
    f->free_places[f->n_free++] = place;
    return OK;
}

static bool place_empty(const struct family *f, uint32_t place) {
    return f->texts[(size_t)place * f->width] == 0;
}

static enum err load_block(struct plates *p, uint32_t number, const uint8_t *texts, size_t n) {
    struct family *f = &p->family[number >= PLATE_LONG_BLOCK];
    if (number >= 2 * PLATE_LONG_BLOCK || n % f->width || n / f->width > PLATE_BLOCK_TEXTS)
        return ERR_CORRUPT;
    uint32_t first = (number - f->first_block) * PLATE_BLOCK_TEXTS, end = first + (uint32_t)(n / f->width);
    enum err e = family_reserve(f, end);
    if (e) return e;
    memcpy(f->texts + (size_t)first * f->width, texts, n);
    if (end > f->count) f->count = end;
    return OK;
}

static void plates_clear(struct plates *p) {
    for (unsigned i = 0; i < FAMILIES; i++) {
        free(p->family[i].texts);
        free(p->family[i].free_places);
        free(p->family[i].touched);
        p->family[i] = (struct family){0};
    }
    p->family[0].width = PLATE_SHORT_BYTES;
    p->family[1].width = PLATE_LONG_BYTES;
    p->family[1].first_block = PLATE_LONG_BLOCK;
    free(p->table);
    p->table = NULL;
    p->table_size = p->table_used = 0;
}

enum err plates_reload(struct plates *p) {
    plates_clear(p);
    bool row = true;
    enum err e = OK;
    while (!e) {
        e = db_step(p->all, &row);
        if (e || !row) break;
        int64_t number = sqlite3_column_int64(p->all, 0);
        if (number < 0 || number >= 2 * (int64_t)PLATE_LONG_BLOCK)
            e = ERR_CORRUPT;
        else
            e = load_block(p, (uint32_t)number, sqlite3_column_blob(p->all, 1),
                           (size_t)sqlite3_column_bytes(p->all, 1));
    }
    (void)sqlite3_reset(p->all);
    for (unsigned i = 0; !e && i < FAMILIES; i++) {
        struct family *f = &p->family[i];
        for (uint32_t place = 0; !e && place < f->count; place++) {
            if (place_empty(f, place)) {
                e = family_free_place(f, place);
                continue;
            }
            e = table_grow(p);
            if (!e) table_insert(p, (place << 1 | i) + 1);
        }
    }
    return e;
}

enum err plates_open(sqlite3 *db, struct plates **out) {
    *out = NULL;
    struct plates *p = calloc(1, sizeof *p);
    if (!p) return ERR_NOMEM;
    p->db = db;
    enum err e = db_prepare(db, "SELECT number, texts FROM plate_block ORDER BY number", &p->all);
    if (!e) e = db_prepare(db, "INSERT OR REPLACE INTO plate_block(number, texts) VALUES(?1, ?2)", &p->put);
    if (!e) e = plates_reload(p);
    if (e) {
        plates_close(&p);
        return e;
    }
    *out = p;
    return OK;
}

void plates_close(struct plates **p) {
    if (!p || !*p) return;
    (void)sqlite3_finalize((*p)->all);
    (void)sqlite3_finalize((*p)->put);
    plates_clear(*p);
    free(*p);
    *p = NULL;
}

/* Where the text stands in the table, or UINT32_MAX. */
static uint32_t table_find(const struct plates *p, const uint8_t *text, unsigned family) {
    if (!p->table_size) return UINT32_MAX;
    unsigned width = p->family[family].width, other;
    uint32_t mask = p->table_size - 1, at = (uint32_t)text_hash(text, width) & mask;
    for (; p->table[at] != 0; at = (at + 1) & mask) {
        uint32_t entry = p->table[at];
        if (entry == UINT32_MAX || ((entry - 1) & 1) != family) continue;
        if (memcmp(entry_text(p, entry, &other), text, width) == 0) return at;
    }
    return UINT32_MAX;
}

enum err plates_id(struct plates *p, const char *text, unsigned n, uint32_t *id) {
    uint8_t place_text[PLATE_LONG_BYTES] = {0};
    if (n == 0 || n > PLATE_LONG_BYTES) return ERR_USAGE;
    memcpy(place_text, text, n);
    unsigned i = n > PLATE_SHORT_BYTES;
    struct family *f = &p->family[i];
    uint32_t at = table_find(p, place_text, i), place;
    if (at != UINT32_MAX) {
        place = (p->table[at] - 1) >> 1;
    } else {
        enum err e = table_grow(p);
        if (!e && f->n_free == 0) e = family_reserve(f, f->count + 1);
        if (e) return e;
        place = f->n_free ? f->free_places[--f->n_free] : f->count++;
        memcpy(f->texts + (size_t)place * f->width, place_text, f->width);
        f->touched[place / PLATE_BLOCK_TEXTS] = 1;
        table_insert(p, (place << 1 | i) + 1);
    }
    *id = f->first_block * PLATE_BLOCK_TEXTS + place;
    return OK;
}

enum err plates_erase(struct plates *p, uint32_t id) {
    unsigned i = plate_width(id) == PLATE_LONG_BYTES;
    struct family *f = &p->family[i];
    uint32_t place = id - f->first_block * PLATE_BLOCK_TEXTS;
    if (place >= f->count || place_empty(f, place)) return ERR_MISSING;
    uint8_t *text = f->texts + (size_t)place * f->width;
    uint32_t at = table_find(p, text, i);
    if (at != UINT32_MAX) p->table[at] = UINT32_MAX;
    memset(text, 0, f->width);
    f->touched[place / PLATE_BLOCK_TEXTS] = 1;
    return family_free_place(f, place);
}

enum err plates_flush(struct plates *p) {
    enum err e = OK;
    for (unsigned i = 0; !e && i < FAMILIES; i++) {
        struct family *f = &p->family[i];
        uint32_t n_blocks = (f->count + PLATE_BLOCK_TEXTS - 1) / PLATE_BLOCK_TEXTS;
        for (uint32_t b = 0; !e && b < n_blocks; b++) {
            if (!f->touched[b]) continue;
            uint32_t n = f->count - b * PLATE_BLOCK_TEXTS;
            if (n > PLATE_BLOCK_TEXTS) n = PLATE_BLOCK_TEXTS;
            (void)sqlite3_bind_int64(p->put, 1, f->first_block + b);
            (void)sqlite3_bind_blob64(p->put, 2, f->texts + (size_t)b * PLATE_BLOCK_TEXTS * f->width,
                                      (uint64_t)n * f->width, SQLITE_STATIC);
            e = db_run(p->put);
            f->touched[b] = 0;
        }
    }
    return e;
}

enum err plates_text(sqlite3_stmt *block_texts, uint32_t id, char out[17]) {
    bool row;
    unsigned width = plate_width(id);
    memset(out, 0, 17);
    (void)sqlite3_bind_int64(block_texts, 1, id / PLATE_BLOCK_TEXTS);
    enum err e = db_step(block_texts, &row);
    if (e) return e;
    if (!row) return ERR_MISSING;
    const uint8_t *texts = sqlite3_column_blob(block_texts, 0);
    size_t n = (size_t)sqlite3_column_bytes(block_texts, 0), at = (size_t)(id % PLATE_BLOCK_TEXTS) * width;
    if (texts && at + width <= n) memcpy(out, texts + at, width);
    (void)sqlite3_reset(block_texts);
    return out[0] ? OK : ERR_MISSING;
}
