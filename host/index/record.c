/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/record.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "host/index/query.h"

enum { FIELD_BITS = 6, SURE_BIT = 0x80, PLATE_FLAG = 1, LIKENESS_FLAG = 2 };

static void put_varint(struct bytes *b, uint64_t v) {
    uint8_t buf[10];
    size_t n = 0;
    do {
        buf[n] = (uint8_t)(v & 0x7f);
        v >>= 7;
        if (v) buf[n] |= 0x80;
        n++;
    } while (v);
    bytes_put(b, buf, n);
}
static void put_signed(struct bytes *b, int64_t v) {
    put_varint(b, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}
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

/* Corner differences wrap in 16 bits, so that any box follows any other in at most three bytes a corner. */
static void put_corner(struct bytes *b, uint16_t now, uint16_t before) {
    put_signed(b, (int16_t)(uint16_t)(now - before));
}
/* Left and upper edge as differences to the box before, then by how much width and height changed: the box of
 * a thing that moves keeps its size, nearly. */
static void put_box(struct bytes *b, const struct box_norm *now, const struct box_norm *before) {
    put_corner(b, now->x0, before->x0);
    put_corner(b, (uint16_t)(now->x1 - now->x0), (uint16_t)(before->x1 - before->x0));
    put_corner(b, now->y0, before->y0);
    put_corner(b, (uint16_t)(now->y1 - now->y0), (uint16_t)(before->y1 - before->y0));
}
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

void record_put_attributes(struct bytes *out, const struct sighting *s) {
    bytes_put_u8(out, (uint8_t)((s->plate.n_chars ? PLATE_FLAG : 0) | (s->has_likeness ? LIKENESS_FLAG : 0)));
    if (s->has_likeness) bytes_put_u16(out, record_likeness_check(s->likeness));
    bytes_put_u8(out, (uint8_t)s->n_attributes);
    for (unsigned i = 0; i < s->n_attributes; i++) {
        const struct attribute *a = &s->attributes[i];
        bytes_put_u8(out, (uint8_t)(a->field | a->n_values << FIELD_BITS));
        for (unsigned k = 0; k < a->n_values; k++) {
            put_varint(out, a->value[k].id);
            bytes_put_u8(out, (uint8_t)(a->value[k].score | (a->value[k].sure ? SURE_BIT : 0)));
        }
    }
    if (!s->plate.n_chars) return;
    const struct plate_read *p = &s->plate;
    bytes_put_u8(out, p->n_chars);
    bytes_put_u8(out, p->confidence);
    bytes_put(out, p->country, sizeof p->country);
    for (unsigned i = 0; i < p->n_chars; i++) {
        uint8_t n = 0;
        while (n < SIGHTING_ALTERNATIVES_MAX && p->chars[i].c[n]) n++;
        bytes_put_u8(out, n);
        for (unsigned k = 0; k < n; k++) {
            bytes_put_u8(out, (uint8_t)p->chars[i].c[k]);
            bytes_put_u8(out, p->chars[i].score[k]);
        }
    }
}

static void get_plate(struct bytes_reader *r, struct plate_read *p) {
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

enum err record_get_attributes(const void *p, size_t n, struct sighting *s) {
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
    if (flags & PLATE_FLAG) get_plate(&r, &s->plate);
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

void record_put_path(struct bytes *out, const struct sighting *s) {
    put_varint(out, s->n_frames);
    put_signed(out, s->best_ms - s->start_ms);
    put_signed(out, s->best_pts_us);
    bytes_put_u16(out, s->best_box.x0);
    bytes_put_u16(out, s->best_box.y0);
    bytes_put_u16(out, s->best_box.x1);
    bytes_put_u16(out, s->best_box.y1);
    bytes_put_u8(out, (uint8_t)s->n_path);
    const struct box_norm *before = &s->best_box;
    for (unsigned i = 0; i < s->n_path; i++) {
        put_signed(out, s->path[i].at_ms - point_base_ms(s, i));
        put_box(out, &s->path[i].box, before);
        before = &s->path[i].box;
    }
}

enum err record_get_path(const void *p, size_t n, struct sighting *s) {
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
