/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/route.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/index/scan.h"

/* ---- pairs
 * ----------------------------------------------------------------------------------------------------------
 */

struct read {
    uint32_t plate;
    uint16_t camera;
    int64_t start_ms;
    uint64_t id;
};
struct reads {
    struct index_reader *r;
    struct read *v;
    size_t n, cap;
};

static enum err reads_add(struct reads *a, const struct read *one) {
    if (a->n == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : 1024;
        struct read *q = realloc(a->v, cap * sizeof *q);
        if (!q) return ERR_NOMEM;
        a->v = q;
        a->cap = cap;
    }
    a->v[a->n++] = *one;
    return OK;
}

/* Plate, camera and time of every hit, from the columns alone. */
static enum err take_chunk(struct reads *a, const struct scan_segment *s, unsigned chunk) {
    uint32_t ms[DB_CHUNK_SLOTS];
    uint16_t camera[DB_CHUNK_SLOTS];
    const uint8_t *data, *slots, *ids;
    size_t n_ms, n_cameras, n;
    enum err e = scan_column(a->r, DB_COLUMN_TIME, s->id, chunk, sizeof *ms, &data, &n_ms);
    if (!e && n_ms) memcpy(ms, data, n_ms * sizeof *ms);
    if (!e) e = scan_column(a->r, DB_COLUMN_CAMERA, s->id, chunk, sizeof *camera, &data, &n_cameras);
    if (!e && n_cameras) memcpy(camera, data, n_cameras * sizeof *camera);
    if (!e) e = plate_column(a->r, s->id, chunk, &slots, &ids, &n);
    for (size_t i = 0; !e && i < n; i++) {
        size_t in_chunk = (size_t)(slots[2 * i] | slots[2 * i + 1] << 8),
               slot = chunk * DB_CHUNK_SLOTS + in_chunk;
        if (slot >= s->n_words * 64 || in_chunk >= n_ms || in_chunk >= n_cameras) return ERR_CORRUPT;
        if (!(s->words[slot / 64] >> slot % 64 & 1)) continue;
        struct read one = {.camera = camera[in_chunk], .id = (s->id << DB_SEGMENT_SHIFT) + slot};
        one.start_ms = (int64_t)(one.id >> 24) * DB_HOUR_MS + ms[in_chunk];
        memcpy(&one.plate, ids + 4 * i, sizeof one.plate);
        e = reads_add(a, &one);
    }
    return e;
}

static enum err take_segment(void *arg, const struct scan_segment *s) {
    enum { CHUNK_WORDS = DB_CHUNK_SLOTS / 64 };
    struct reads *a = arg;
    enum err e = OK;
    for (size_t first = 0; !e && first < s->n_words; first += CHUNK_WORDS) {
        size_t n = s->n_words - first < CHUNK_WORDS ? s->n_words - first : CHUNK_WORDS;
        if (a->r->ops->count(s->words + first, n)) e = take_chunk(a, s, (unsigned)(first / CHUNK_WORDS));
    }
    return e;
}

/* Plates first, then time. */
static int read_order(const void *pa, const void *pb) {
    const struct read *a = pa, *b = pb;
    if (a->plate != b->plate) return a->plate < b->plate ? -1 : 1;
    if (a->start_ms != b->start_ms) return a->start_ms < b->start_ms ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}
static int pair_order(const void *pa, const void *pb) {
    const struct route_pair *a = pa, *b = pb;
    if (a->to_ms != b->to_ms) return a->to_ms > b->to_ms ? -1 : 1;
    if (a->to_id != b->to_id) return a->to_id > b->to_id ? -1 : 1;
    return a->from_id > b->from_id ? -1 : a->from_id < b->from_id;
}

static enum err pairs_add(struct route_pairs *out, size_t *cap, const struct read *from,
                          const struct read *to) {
    if (out->total == *cap) {
        size_t more = *cap ? *cap * 2 : 256;
        struct route_pair *q = realloc(out->pair, more * sizeof *q);
        if (!q) return ERR_NOMEM;
        out->pair = q;
        *cap = more;
    }
    out->pair[out->total++] = (struct route_pair){.from_id = from->id,
                                                  .to_id = to->id,
                                                  .from_ms = from->start_ms,
                                                  .to_ms = to->start_ms,
                                                  .to_camera = to->camera};
    return OK;
}

/* Reads are sorted: from each read at the first camera, look on along the same plate until the time is over.
 */
static enum err join(const struct reads *a, const struct route_pair_query *q, struct route_pairs *out) {
    size_t cap = 0;
    enum err e = OK;
    for (size_t i = 0; !e && i < a->n; i++) {
        const struct read *from = &a->v[i];
        if (from->camera != q->from_camera) continue;
        for (size_t k = i + 1; !e && k < a->n; k++) {
            const struct read *to = &a->v[k];
            if (to->plate != from->plate || to->start_ms - from->start_ms > q->within_ms) break;
            if (to->start_ms == from->start_ms || to->camera == q->from_camera) continue;
            if (q->to_camera >= 0 && to->camera != q->to_camera) continue;
            e = pairs_add(out, &cap, from, to);
        }
    }
    if (e) return e;
    if (out->total) qsort(out->pair, out->total, sizeof *out->pair, pair_order);
    out->n = out->total < q->limit ? (unsigned)out->total : q->limit;
    return OK;
}

static enum err pairs_scan(struct index_reader *r, const struct perimeter *p,
                           const struct route_pair_query *q, struct scan_request *scan, struct reads *a) {
    struct plate_find plates;
    struct camera_set allowed;
    camera_set_clear(&allowed);
    camera_set_clear(&scan->cameras);
    for (unsigned i = 0; i < p->n_cameras; i++) camera_set_add(&allowed, p->cameras[i]);
    if (!camera_set_has(&allowed, q->from_camera)) return OK;
    if (q->to_camera < 0) {
        scan->cameras = allowed;
    } else {
        if (!camera_set_has(&allowed, (uint16_t)q->to_camera)) return OK;
        camera_set_add(&scan->cameras, q->from_camera);
        camera_set_add(&scan->cameras, (uint16_t)q->to_camera);
    }
    scan->group[0] = (struct scan_group){.number = {(uint32_t)DB_FIELD_HAS << 10 | DB_HAS_PLATE}, .n = 1};
    scan->n_groups = 1;
    enum err e = scan_range(scan, p->from_ms, p->to_ms);
    if (e || !q->plate[0]) return e ? e : scan_run(r, scan, take_segment, a);
    e = plate_find_open(r, QUERY_PLATE_EXACT, q->plate, 0, &plates);
    if (e) return e == ERR_MISSING ? OK : e;
    scan->plates = &plates;
    e = scan_run(r, scan, take_segment, a);
    plate_find_close(&plates);
    return e;
}

enum err index_route_pairs(struct index_reader *r, const struct perimeter *p,
                           const struct route_pair_query *q, unsigned deadline_ms, struct route_pairs *out) {
    memset(out, 0, sizeof *out);
    enum err e = perimeter_check(p);
    if (!e && !p->plates_allowed) e = ERR_DENIED;
    if (e) return e;
    if (q->within_ms <= 0 || q->limit == 0 || q->limit > 1000 || q->to_camera > UINT16_MAX ||
        !memchr(q->plate, 0, sizeof q->plate) || q->to_camera == q->from_camera)
        return ERR_USAGE;
    struct reads a = {.r = r};
    struct scan_request *scan = calloc(1, sizeof *scan);
    if (!scan) return ERR_NOMEM;
    if (deadline_ms) scan->deadline_ns = clock_mono_ns() + deadline_ms * UINT64_C(1000000);
    e = reader_begin(r);
    if (!e) {
        e = pairs_scan(r, p, q, scan, &a);
        reader_end(r);
    }
    if (!e && a.n) qsort(a.v, a.n, sizeof *a.v, read_order);
    if (!e) e = join(&a, q, out);
    free(a.v);
    free(scan);
    if (e) route_pairs_fini(out);
    return e;
}

void route_pairs_fini(struct route_pairs *p) {
    if (!p) return;
    free(p->pair);
    memset(p, 0, sizeof *p);
}
