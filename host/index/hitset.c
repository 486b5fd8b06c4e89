/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/hitset.h"

#include <stdlib.h>
#include <string.h>

enum { KEYS = 65536, BUCKETS = 3600000 / 1024 + 1, CHUNK_WORDS = DB_CHUNK_SLOTS / 64 };

void hitset_fini(struct hitset *h) {
    for (size_t i = 0; i < h->n; i++) {
        free(h->segment[i].words);
        free(h->segment[i].keys);
    }
    free(h->segment);
    memset(h, 0, sizeof *h);
}

enum err hitset_add(struct hitset *h, const struct scan_segment *s, uint16_t *keys) {
    uint64_t *words = malloc(s->n_words * sizeof *words);
    if (!words) goto fail;
    if (h->n == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : 64;
        struct hit_segment *q = realloc(h->segment, cap * sizeof *q);
        if (!q) goto fail;
        h->segment = q;
        h->cap = cap;
    }
    memcpy(words, s->words, s->n_words * sizeof *words);
    h->segment[h->n++] = (struct hit_segment){
        .id = s->id, .n_words = s->n_words, .words = words, .keys = keys, .n_hits = s->n_hits};
    h->total += s->n_hits;
    return OK;
fail:
    free(words);
    free(keys);
    return ERR_NOMEM;
}

static uint64_t hour_of(uint64_t segment) {
    return segment >> (24 - DB_SEGMENT_SHIFT);
}

typedef void time_fn(void *arg, uint64_t id, uint32_t ms);

/* Calls fn with the time in the hour of every hit of segments [from, to). */
static enum err each_time(struct index_reader *r, const struct hitset *h, size_t from, size_t to, time_fn *fn,
                          void *arg) {
    for (size_t i = from; i < to; i++) {
        const struct hit_segment *g = &h->segment[i];
        for (size_t first = 0; first < g->n_words; first += CHUNK_WORDS) {
            size_t end = first + CHUNK_WORDS < g->n_words ? first + CHUNK_WORDS : g->n_words, n = 0;
            const uint8_t *times = NULL;
            for (size_t w = first; w < end; w++)
                for (uint64_t left = g->words[w]; left; left &= left - 1) {
                    size_t slot = (w - first) * 64 + (size_t)__builtin_ctzll(left);
                    uint32_t ms;
                    if (!times) {
                        enum err e = scan_column(r, DB_COLUMN_TIME, g->id, (unsigned)(first / CHUNK_WORDS), 4,
                                                 &times, &n);
                        if (e) return e;
                    }
                    if (slot >= n) return ERR_CORRUPT;
                    memcpy(&ms, times + 4 * slot, sizeof ms);
                    if (ms >= DB_HOUR_MS) return ERR_CORRUPT;
                    fn(arg, (g->id << DB_SEGMENT_SHIFT) + first * 64 + slot, ms);
                }
        }
    }
    return OK;
}

/* One hour is cut into seconds or so (1,024 ms): counts tell which of them the page needs, only those are
 * sorted. */
struct hour_page {
    bool oldest_first;
    uint32_t *count;                    /* BUCKETS */
    unsigned first_bucket, last_bucket; /* in time order, inclusive */
    struct hit_place *place;
    size_t n, cap;
};

static void count_time(void *arg, uint64_t id, uint32_t ms) {
    struct hour_page *p = arg;
    (void)id;
    p->count[ms / 1024]++;
}
static void take_time(void *arg, uint64_t id, uint32_t ms) {
    struct hour_page *p = arg;
    if (ms / 1024 < p->first_bucket || ms / 1024 > p->last_bucket || p->n == p->cap) return;
    p->place[p->n++] = (struct hit_place){(int64_t)(id >> 24) * DB_HOUR_MS + ms, id};
}

static int newest(const void *pa, const void *pb) {
    const struct hit_place *a = pa, *b = pb;
    if (a->start_ms != b->start_ms) return a->start_ms > b->start_ms ? -1 : 1;
    return a->id > b->id ? -1 : a->id < b->id;
}
static int oldest(const void *a, const void *b) {
    return newest(b, a);
}

/* Buckets that hold hits number skip .. skip + limit - 1 of the hour; *skip becomes the number within them.
 */
static void choose_buckets(struct hour_page *p, uint64_t *skip, unsigned limit) {
    uint64_t seen = 0, before = 0;
    bool begun = false;
    p->cap = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        unsigned b = p->oldest_first ? i : BUCKETS - 1 - i;
        uint64_t end = seen + p->count[b];
        if (end > *skip && p->count[b] && seen < *skip + limit) {
            if (!begun) {
                p->first_bucket = p->last_bucket = b;
                before = seen;
            }
            begun = true;
            if (b < p->first_bucket) p->first_bucket = b;
            if (b > p->last_bucket) p->last_bucket = b;
            p->cap += p->count[b];
        }
        seen = end;
    }
    *skip -= before;
}

/* Hits number skip .. of the hour made of segments [from, to) into out. */
static enum err hour_take(struct index_reader *r, const struct hitset *h, size_t from, size_t to,
                          bool oldest_first, uint64_t skip, unsigned limit, struct hit_place *out,
                          unsigned *n) {
    struct hour_page p = {.oldest_first = oldest_first};
    *n = 0;
    p.count = calloc(BUCKETS, sizeof *p.count);
    if (!p.count) return ERR_NOMEM;
    enum err e = each_time(r, h, from, to, count_time, &p);
    if (e) goto out;
    choose_buckets(&p, &skip, limit);
    p.place = malloc((p.cap ? p.cap : 1) * sizeof *p.place);
    e = p.place ? each_time(r, h, from, to, take_time, &p) : ERR_NOMEM;
    if (e) goto out;
    qsort(p.place, p.n, sizeof *p.place, oldest_first ? oldest : newest);
    for (size_t i = skip; i < p.n && *n < limit; i++) out[(*n)++] = p.place[i];
out:
    free(p.place);
    free(p.count);
    return e;
}

enum err hitset_page(struct index_reader *r, const struct hitset *h, bool oldest_first, uint64_t offset,
                     unsigned limit, struct hit_place *out, unsigned *n) {
    size_t done = 0;
    *n = 0;
    while (done < h->n && *n < limit) {
        /* The next hour: segments [from, to) of the list, which is newest first. */
        size_t from, to;
        uint64_t in_hour = 0;
        if (oldest_first) {
            to = h->n - done;
            for (from = to; from > 0 && hour_of(h->segment[from - 1].id) == hour_of(h->segment[to - 1].id);
                 from--)
                in_hour += h->segment[from - 1].n_hits;
        } else {
            from = done;
            for (to = from; to < h->n && hour_of(h->segment[to].id) == hour_of(h->segment[from].id); to++)
                in_hour += h->segment[to].n_hits;
        }
        done += to - from;
        if (offset >= in_hour) {
            offset -= in_hour;
            continue;
        }
        unsigned got;
        enum err e = hour_take(r, h, from, to, oldest_first, offset, limit - *n, out + *n, &got);
        if (e) return e;
        *n += got;
        offset = 0;
    }
    return OK;
}

/* ---- by key
 * -------------------------------------------------------------------------------------------------- */

/* The hits whose key lies in [least, most]. */
static enum err with_keys(const struct hitset *h, unsigned least, unsigned most, struct hitset *out) {
    memset(out, 0, sizeof *out);
    uint64_t words[DB_SEGMENT_SLOTS / 64];
    for (size_t i = 0; i < h->n; i++) {
        const struct hit_segment *g = &h->segment[i];
        struct scan_segment s = {.id = g->id, .n_words = g->n_words, .words = words};
        size_t at = 0;
        for (size_t w = 0; w < g->n_words; w++) {
            words[w] = 0;
            for (uint64_t left = g->words[w]; left; left &= left - 1, at++)
                if (g->keys[at] >= least && g->keys[at] <= most) {
                    words[w] |= left & -left;
                    s.n_hits++;
                }
        }
        if (s.n_hits == 0) continue;
        enum err e = hitset_add(out, &s, NULL);
        if (e) {
            hitset_fini(out);
            return e;
        }
    }
    return OK;
}

enum err hitset_page_by_key(struct index_reader *r, const struct hitset *h, uint64_t offset, unsigned limit,
                            struct hit_place *out, unsigned *n) {
    enum err e = OK;
    *n = 0;
    uint32_t *count = calloc(KEYS, sizeof *count);
    if (!count) return ERR_NOMEM;
    for (size_t i = 0; i < h->n; i++)
        for (uint64_t k = 0; k < h->segment[i].n_hits; k++) count[h->segment[i].keys[k]]++;
    for (unsigned key = KEYS; !e && *n < limit && key-- > 0;) {
        if (offset >= count[key]) {
            offset -= count[key];
            continue;
        }
        struct hitset same;
        unsigned got = 0;
        e = with_keys(h, key, key, &same);
        if (!e) e = hitset_page(r, &same, false, offset, limit - *n, out + *n, &got);
        hitset_fini(&same);
        *n += got;
        offset = 0;
    }
    free(count);
    return e;
}
