/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/record.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "host/index/bitpack.h"
#include "host/index/query.h"

enum { FIELD_BITS = 6, SURE_BIT = 0x80, PLATE_FLAG = 1, LIKENESS_FLAG = 2 };
/* Of packed records alone. */
enum { CLASS_FLAG = 4, CLASS_SURE_FLAG = 8, PACKED_FLAG = 0x80 };

static uint64_t get_varint(struct bytes_reader *r) {
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = bytes_get_u8(r);
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return v;
    }
    r->bad = true;
    return 0;
}
static int64_t get_signed(struct bytes_reader *r) {
    uint64_t v = get_varint(r);
    return (int64_t)(v >> 1 ^ -(v & 1));
}

/* ---- records as they were written until version 2 of the index ------------------------------------------
 */

static uint16_t get_corner(struct bytes_reader *r, uint16_t before) {
    return (uint16_t)(before + (uint16_t)get_signed(r));
}
static struct box_norm get_box(struct bytes_reader *r, const struct box_norm *before) {
    struct box_norm b;
    b.x0 = get_corner(r, before->x0);
    b.x1 = (uint16_t)(b.x0 + get_corner(r, (uint16_t)(before->x1 - before->x0)));
    b.y0 = get_corner(r, before->y0);
    b.y1 = (uint16_t)(b.y0 + get_corner(r, (uint16_t)(before->y1 - before->y0)));
    return b;
}

uint16_t record_likeness_check(const int8_t v[128]) {
    static const unsigned char key[crypto_shorthash_KEYBYTES] = {0};
    unsigned char sum[crypto_shorthash_BYTES];
    (void)crypto_shorthash(sum, (const unsigned char *)v, 128, key);
    return (uint16_t)(sum[0] | sum[1] << 8);
}

static void old_plate(struct bytes_reader *r, struct plate_read *p) {
    p->n_chars = bytes_get_u8(r);
    p->confidence = bytes_get_u8(r);
    const uint8_t *country = bytes_get(r, sizeof p->country);
    if (country) memcpy(p->country, country, sizeof p->country);
    if (p->n_chars == 0 || p->n_chars > SIGHTING_PLATE_MAX || p->country[3]) {
        r->bad = true;
        return;
    }
    for (unsigned i = 0; i < p->n_chars && !r->bad; i++) {
        uint8_t n = bytes_get_u8(r);
        if (n > SIGHTING_ALTERNATIVES_MAX) {
            r->bad = true;
            return;
        }
        for (unsigned k = 0; k < n; k++) {
            p->chars[i].c[k] = (char)bytes_get_u8(r);
            p->chars[i].score[k] = bytes_get_u8(r);
        }
    }
}

static enum err old_attributes(const void *p, size_t n, struct sighting *s) {
    struct bytes_reader r = bytes_reader_of(p, n);
    uint8_t flags = bytes_get_u8(&r);
    s->has_likeness = flags & LIKENESS_FLAG ? 1 : 0;
    if (s->has_likeness) (void)bytes_get_u16(&r);
    s->n_attributes = bytes_get_u8(&r);
    if (s->n_attributes > SIGHTING_ATTRIBUTES_MAX) return ERR_CORRUPT;
    for (unsigned i = 0; i < s->n_attributes; i++) {
        struct attribute *a = &s->attributes[i];
        uint8_t head = bytes_get_u8(&r);
        a->field = head & ((1u << FIELD_BITS) - 1);
        a->n_values = head >> FIELD_BITS;
        for (unsigned k = 0; k < a->n_values; k++) {
            uint64_t id = get_varint(&r);
            uint8_t score = bytes_get_u8(&r);
            if (id == 0 || id > VOCAB_MAX) return ERR_CORRUPT;
            a->value[k].id = (uint16_t)id;
            a->value[k].score = score & (SURE_BIT - 1);
            a->value[k].sure = score & SURE_BIT ? 1 : 0;
        }
    }
    if (flags & PLATE_FLAG) old_plate(&r, &s->plate);
    return r.bad || r.p != r.end ? ERR_CORRUPT : OK;
}

enum err record_stored_likeness_check(const void *p, size_t n, uint16_t *out) {
    struct bytes_reader r = bytes_reader_of(p, n);
    uint8_t flags = bytes_get_u8(&r);
    *out = bytes_get_u16(&r);
    return r.bad || !(flags & LIKENESS_FLAG) ? ERR_CORRUPT : OK;
}

/* The first point lies at the start and the last at the end, as a rule: each is told by its distance from
 * there. */
static int64_t point_base_ms(const struct sighting *s, unsigned i) {
    if (i == 0) return s->start_ms;
    return i + 1 == s->n_path ? s->end_ms : s->path[i - 1].at_ms;
}

static enum err old_path(const void *p, size_t n, struct sighting *s) {
    struct bytes_reader r = bytes_reader_of(p, n);
    s->n_frames = (uint32_t)get_varint(&r);
    s->best_ms = s->start_ms + get_signed(&r);
    s->best_pts_us = get_signed(&r);
    s->best_box.x0 = bytes_get_u16(&r);
    s->best_box.y0 = bytes_get_u16(&r);
    s->best_box.x1 = bytes_get_u16(&r);
    s->best_box.y1 = bytes_get_u16(&r);
    s->n_path = bytes_get_u8(&r);
    if (s->n_path > SIGHTING_PATH_MAX) return ERR_CORRUPT;
    const struct box_norm *before = &s->best_box;
    for (unsigned i = 0; i < s->n_path; i++) {
        s->path[i].at_ms = point_base_ms(s, i) + get_signed(&r);
        s->path[i].box = get_box(&r, before);
        before = &s->path[i].box;
    }
    return r.bad || r.p != r.end ? ERR_CORRUPT : OK;
}

/* ---- packed records ------------------------------------------------------------------------------------ */

/* Usual sizes of numbers, as powers of two. */
enum {
    K_FRAMES = 5,
    K_BEST_MS = 13,
    K_PTS_MS = 21,
    K_SIZE = 7,
    K_POINTS = 1,
    K_TIME = 8,
    K_MOVED = 6,
    K_GREW = 2,
    K_ATTRIBUTES = 2,
    K_FIELD = 0,
    K_VALUE = 3
};

static unsigned to_grid(uint16_t v) {
    return (v * RECORD_GRID + 32767u) / 65535u;
}
static uint16_t from_grid(unsigned q) {
    return (uint16_t)((q * 65535u + RECORD_GRID / 2) / RECORD_GRID);
}
static void round_box(struct box_norm *b) {
    b->x0 = from_grid(to_grid(b->x0));
    b->y0 = from_grid(to_grid(b->y0));
    b->x1 = from_grid(to_grid(b->x1));
    b->y1 = from_grid(to_grid(b->y1));
}
void record_round(struct sighting *s) {
    round_box(&s->best_box);
    for (unsigned i = 0; i < s->n_path && i < SIGHTING_PATH_MAX; i++) round_box(&s->path[i].box);
}

/* Left and upper edge, width and height, on the grid. */
struct grid_box {
    int x, y, w, h;
};
static struct grid_box grid_of(const struct box_norm *b) {
    int x = (int)to_grid(b->x0), y = (int)to_grid(b->y0);
    return (struct grid_box){x, y, (int)to_grid(b->x1) - x, (int)to_grid(b->y1) - y};
}
static bool box_of(const struct grid_box *g, struct box_norm *out) {
    int x1 = g->x + g->w, y1 = g->y + g->h, most = (int)RECORD_GRID;
    if (g->x < 0 || g->x > most || g->y < 0 || g->y > most || x1 < 0 || x1 > most || y1 < 0 || y1 > most)
        return false;
    *out = (struct box_norm){from_grid((unsigned)g->x), from_grid((unsigned)g->y), from_grid((unsigned)x1),
                             from_grid((unsigned)y1)};
    return true;
}
/* A difference on the grid: of two widths, twice its size at most. */
static int get_difference(struct bit_reader *r, unsigned k) {
    int64_t v = bits_get_signed(r, k), most = 2 * (int64_t)RECORD_GRID;
    if (v < -most || v > most) r->bad = true;
    return r->bad ? 0 : (int)v;
}

/* The class stands in the row as a number, its score as the row's confidence. */
static bool class_is_usual(const struct sighting *s) {
    const struct attribute *a = &s->attributes[0];
    return s->n_attributes > 0 && a->field == FIELD_CLASS && a->n_values == 1 &&
           a->value[0].id == s->class_id && a->value[0].score == s->confidence;
}

static void put_plate(struct bit_writer *w, const struct plate_read *p) {
    bool alternatives = false;
    for (unsigned i = 0; i < p->n_chars; i++) alternatives |= p->chars[i].c[0] != 0;
    bits_put(w, p->n_chars - 1u, 4);
    bits_put(w, p->confidence, 8);
    unsigned n_country = (unsigned)strlen(p->country);
    bits_put(w, n_country, 2);
    for (unsigned i = 0; i < n_country; i++) bits_put(w, (uint8_t)p->country[i], 8);
    bits_put(w, alternatives, 1);
    for (unsigned i = 0; alternatives && i < p->n_chars; i++) {
        unsigned n = 0;
        while (n < SIGHTING_ALTERNATIVES_MAX && p->chars[i].c[n]) n++;
        bits_put(w, n, 2);
        for (unsigned k = 0; k < n; k++) {
            bits_put(w, (uint8_t)p->chars[i].c[k], 8);
            bits_put(w, p->chars[i].score[k], 8);
        }
    }
}

static void get_plate(struct bit_reader *r, struct plate_read *p) {
    p->n_chars = (uint8_t)(bits_get(r, 4) + 1);
    p->confidence = (uint8_t)bits_get(r, 8);
    unsigned n_country = (unsigned)bits_get(r, 2);
    for (unsigned i = 0; i < n_country; i++) p->country[i] = (char)bits_get(r, 8);
    if (!bits_get(r, 1)) return;
    for (unsigned i = 0; i < p->n_chars && !r->bad; i++) {
        unsigned n = (unsigned)bits_get(r, 2);
        for (unsigned k = 0; k < n; k++) {
            p->chars[i].c[k] = (char)bits_get(r, 8);
            p->chars[i].score[k] = (uint8_t)bits_get(r, 8);
        }
    }
}

void record_put_attributes(struct bytes *out, const struct sighting *s) {
    bool usual = class_is_usual(s);
    struct bit_writer w = {.out = out};
    bytes_put_u8(out, (uint8_t)(PACKED_FLAG | (s->plate.n_chars ? PLATE_FLAG : 0) |
                                (s->has_likeness ? LIKENESS_FLAG : 0) | (usual ? CLASS_FLAG : 0) |
                                (usual && s->attributes[0].value[0].sure ? CLASS_SURE_FLAG : 0)));
    if (s->has_likeness) bytes_put_u16(out, record_likeness_check(s->likeness));
    bits_put_number(&w, s->n_attributes - (usual ? 1u : 0u), K_ATTRIBUTES);
    int before = FIELD_CLASS;
    for (unsigned i = usual ? 1 : 0; i < s->n_attributes; i++) {
        const struct attribute *a = &s->attributes[i];
        bits_put_signed(&w, a->field - before - 1, K_FIELD);
        before = a->field;
        bits_put(&w, a->n_values, 2);
        for (unsigned k = 0; k < a->n_values; k++) {
            bits_put_number(&w, a->value[k].id, K_VALUE);
            bits_put(&w, a->value[k].score, 7);
            bits_put(&w, a->value[k].sure ? 1 : 0, 1);
        }
    }
    if (s->plate.n_chars) put_plate(&w, &s->plate);
    bits_flush(&w);
}

static enum err packed_attributes(const uint8_t *p, size_t n, struct sighting *s) {
    unsigned flags = p[0], head = 1 + (flags & LIKENESS_FLAG ? 2 : 0);
    if (n < head) return ERR_CORRUPT;
    struct bit_reader r = {.p = p + head, .end = p + n};
    s->has_likeness = flags & LIKENESS_FLAG ? 1 : 0;
    uint64_t count = bits_get_number(&r, K_ATTRIBUTES) + (flags & CLASS_FLAG ? 1 : 0);
    if (count > SIGHTING_ATTRIBUTES_MAX) return ERR_CORRUPT;
    s->n_attributes = (unsigned)count;
    if (flags & CLASS_FLAG) {
        s->attributes[0] = (struct attribute){.field = FIELD_CLASS, .n_values = 1};
        s->attributes[0].value[0].id = s->class_id;
        s->attributes[0].value[0].score = s->confidence;
        s->attributes[0].value[0].sure = flags & CLASS_SURE_FLAG ? 1 : 0;
    }
    int64_t field = FIELD_CLASS;
    for (unsigned i = flags & CLASS_FLAG ? 1 : 0; i < s->n_attributes; i++) {
        struct attribute *a = &s->attributes[i];
        int64_t step = bits_get_signed(&r, K_FIELD);
        if (r.bad || step < -FIELD_COUNT - 1 || step > FIELD_COUNT) return ERR_CORRUPT;
        field += step + 1;
        if (field < 0 || field > UINT8_MAX) return ERR_CORRUPT;
        a->field = (uint8_t)field;
        a->n_values = (uint8_t)bits_get(&r, 2);
        for (unsigned k = 0; k < a->n_values; k++) {
            uint64_t id = bits_get_number(&r, K_VALUE);
            if (id == 0 || id > VOCAB_MAX) return ERR_CORRUPT;
            a->value[k].id = (uint16_t)id;
            a->value[k].score = (uint8_t)bits_get(&r, 7);
            a->value[k].sure = (uint8_t)bits_get(&r, 1);
        }
    }
    if (flags & PLATE_FLAG) get_plate(&r, &s->plate);
    return bits_at_end(&r) ? OK : ERR_CORRUPT;
}

bool record_is_packed(const void *attributes, size_t n) {
    return n > 0 && *(const uint8_t *)attributes & PACKED_FLAG;
}

enum err record_get_attributes(const void *p, size_t n, struct sighting *s) {
    return record_is_packed(p, n) ? packed_attributes(p, n, s) : old_attributes(p, n, s);
}

void record_put_path(struct bytes *out, const struct sighting *s) {
    struct bit_writer w = {.out = out};
    struct grid_box before = grid_of(&s->best_box);
    uint64_t pts_us = (uint64_t)(s->best_pts_us < 0 ? -s->best_pts_us : s->best_pts_us);
    bits_put_number(&w, s->n_frames, K_FRAMES);
    bits_put_signed(&w, s->best_ms - s->start_ms, K_BEST_MS);
    bits_put(&w, s->best_pts_us < 0, 1);
    bits_put_number(&w, pts_us / 1000, K_PTS_MS);
    bits_put(&w, pts_us % 1000 != 0, 1);
    if (pts_us % 1000) bits_put(&w, pts_us % 1000, 10);
    bits_put(&w, (unsigned)before.x, RECORD_GRID_BITS);
    bits_put(&w, (unsigned)before.y, RECORD_GRID_BITS);
    bits_put_signed(&w, before.w, K_SIZE);
    bits_put_signed(&w, before.h, K_SIZE);
    bits_put_number(&w, s->n_path, K_POINTS);
    for (unsigned i = 0; i < s->n_path; i++) {
        struct grid_box now = grid_of(&s->path[i].box);
        int64_t late_ms = s->path[i].at_ms - point_base_ms(s, i);
        bool moved = memcmp(&now, &before, sizeof now) != 0;
        bits_put(&w, late_ms != 0, 1);
        if (late_ms) bits_put_signed(&w, late_ms, K_TIME);
        bits_put(&w, moved, 1);
        if (!moved) continue;
        bits_put_signed(&w, now.x - before.x, K_MOVED);
        bits_put_signed(&w, now.y - before.y, K_MOVED);
        bits_put_signed(&w, now.w - before.w, K_GREW);
        bits_put_signed(&w, now.h - before.h, K_GREW);
        before = now;
    }
    bits_flush(&w);
}

static enum err packed_path(const void *p, size_t n, struct sighting *s) {
    struct bit_reader r = {.p = p, .end = (const uint8_t *)p + n};
    struct grid_box box;
    uint64_t n_frames = bits_get_number(&r, K_FRAMES);
    s->n_frames = (uint32_t)n_frames;
    int64_t best_ms = bits_get_signed(&r, K_BEST_MS);
    if (n_frames > UINT32_MAX || best_ms > INT64_C(1) << 42 || best_ms < -(INT64_C(1) << 42))
        return ERR_CORRUPT;
    s->best_ms = s->start_ms + best_ms;
    bool negative = bits_get(&r, 1);
    uint64_t pts_ms = bits_get_number(&r, K_PTS_MS);
    uint64_t pts_us = bits_get(&r, 1) ? bits_get(&r, 10) : 0;
    if (pts_ms > UINT64_C(1) << 52 || pts_us > 999) return ERR_CORRUPT;
    s->best_pts_us = (int64_t)(pts_ms * 1000 + pts_us) * (negative ? -1 : 1);
    box.x = (int)bits_get(&r, RECORD_GRID_BITS);
    box.y = (int)bits_get(&r, RECORD_GRID_BITS);
    box.w = get_difference(&r, K_SIZE);
    box.h = get_difference(&r, K_SIZE);
    uint64_t n_path = bits_get_number(&r, K_POINTS);
    if (r.bad || n_path > SIGHTING_PATH_MAX || !box_of(&box, &s->best_box)) return ERR_CORRUPT;
    s->n_path = (unsigned)n_path;
    for (unsigned i = 0; i < s->n_path; i++) {
        int64_t late_ms = bits_get(&r, 1) ? bits_get_signed(&r, K_TIME) : 0;
        if (late_ms > INT64_C(1) << 42 || late_ms < -(INT64_C(1) << 42)) return ERR_CORRUPT;
        s->path[i].at_ms = point_base_ms(s, i) + late_ms;
        if (bits_get(&r, 1)) {
            box.x += get_difference(&r, K_MOVED);
            box.y += get_difference(&r, K_MOVED);
            box.w += get_difference(&r, K_GREW);
            box.h += get_difference(&r, K_GREW);
        }
        if (r.bad || !box_of(&box, &s->path[i].box)) return ERR_CORRUPT;
    }
    return bits_at_end(&r) ? OK : ERR_CORRUPT;
}

enum err record_get_path(const void *p, size_t n, bool packed, struct sighting *s) {
    return packed ? packed_path(p, n, s) : old_path(p, n, s);
}

static bool attributes_fit(const struct sighting *s) {
    uint32_t seen = 0;
    if (s->n_attributes > SIGHTING_ATTRIBUTES_MAX) return false;
    for (unsigned i = 0; i < s->n_attributes; i++) {
        const struct attribute *a = &s->attributes[i];
        if (a->field == FIELD_NONE || a->field >= FIELD_COUNT || a->n_values > SIGHTING_ALTERNATIVES_MAX)
            return false;
        if (a->field != FIELD_ACCESSORY && seen & 1u << a->field) return false;
        seen |= 1u << a->field;
        for (unsigned k = 0; k < a->n_values; k++)
            if (a->value[k].id == 0 || a->value[k].id > VOCAB_MAX || a->value[k].score > 100) return false;
    }
    return true;
}

enum err record_check(const struct sighting *s) {
    const struct plate_read *p = &s->plate;
    if (!attributes_fit(s) || s->class_id == 0 || s->class_id > VOCAB_MAX || s->confidence > 100)
        return ERR_USAGE;
    if (s->start_ms < 0 || s->end_ms < s->start_ms || s->n_path > SIGHTING_PATH_MAX) return ERR_USAGE;
    if (s->start_ms / 3600000 >= 1 << 22 || s->end_ms - s->start_ms > INT64_C(1) << 40) return ERR_USAGE;
    if (p->n_chars > SIGHTING_PLATE_MAX || p->country[3]) return ERR_USAGE;
    for (unsigned i = 0; i < p->n_chars; i++)
        if (!p->text[i]) return ERR_USAGE;
    return OK;
}

unsigned record_duration_bucket(int64_t duration_ms) {
    unsigned bucket = 1;
    while (bucket < RECORD_DURATION_BUCKETS && duration_ms >= INT64_C(1000) << (bucket - 1)) bucket++;
    return bucket;
}

void record_duration_range(unsigned bucket, int64_t *from_ms, int64_t *to_ms) {
    *from_ms = bucket <= 1 ? 0 : INT64_C(1000) << (bucket - 2);
    *to_ms = bucket >= RECORD_DURATION_BUCKETS ? INT64_MAX : (INT64_C(1000) << (bucket - 1)) - 1;
}

unsigned record_directions(const struct sighting *s) {
    if (s->n_path < 2) return 0;
    const struct box_norm *a = &s->path[0].box, *b = &s->path[s->n_path - 1].box;
    int dx = (b->x0 + b->x1 - a->x0 - a->x1) / 2,
        dy = b->y1 - a->y1; /* foot points: middle of the lower edge */
    unsigned ways = 0;
    if (abs(dx) >= 4096 && 2 * abs(dx) >= abs(dy)) ways |= 1u << (dx < 0 ? QUERY_LEFT : QUERY_RIGHT);
    if (abs(dy) >= 4096 && 2 * abs(dy) >= abs(dx)) ways |= 1u << (dy < 0 ? QUERY_UP : QUERY_DOWN);
    return ways;
}
