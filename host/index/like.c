/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/like.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/index/cursor.h"

enum { BATCH = 256, LIKE_COLOURS = 24 };

enum err like_open(struct index_reader *r) {
    int64_t purges;
    enum err e = db_number(r->st[R_PURGES], 0, &purges);
    if (e) return e;
    if (!r->like) {
        r->like = calloc(1, sizeof *r->like);
        if (!r->like) return ERR_NOMEM;
        e = vector_files_open(r->dir, &r->like->files);
        if (!e) e = sketches_new(&r->like->sketches);
        if (e) {
            like_close(&r->like);
            return e;
        }
    } else if (r->like->purges != purges) {
        vector_files_forget(r->like->files);
        sketches_drop(r->like->sketches);
    }
    r->like->purges = purges;
    return OK;
}

void like_close(struct like **l) {
    if (!l || !*l) return;
    vector_files_close(&(*l)->files);
    sketches_free(&(*l)->sketches);
    free(*l);
    *l = NULL;
}

size_t like_bytes(const struct like *l) {
    return l ? sketches_bytes(l->sketches) : 0;
}

/* words |= one value's bitmap of a segment. */
static enum err or_value(struct index_reader *r, uint32_t number, uint64_t segment, unsigned slot_count,
                         uint64_t *words) {
    const struct container *c;
    struct cursor cursor;
    enum err e = cursor_open(r, number, segment, segment, &cursor);
    if (e) return e;
    e = cursor_to(&cursor, segment, slot_count, &c);
    if (!e && c) container_or(r->ops, words, c);
    cursor_close(r, &cursor);
    return e;
}

/* Vehicles by their colour, the certain ones first: what a person filters likeness by, most of the time. */
static enum err order_of(struct index_reader *r, uint64_t segment, unsigned slot_count, const uint64_t *has,
                         uint16_t *order, size_t *n) {
    uint64_t left[CONTAINER_WORDS], some[CONTAINER_WORDS];
    size_t n_words = BITS_WORDS(slot_count);
    enum err e = OK;
    memcpy(left, has, n_words * sizeof *left);
    *n = 0;
    for (unsigned pass = 0; !e && pass <= 2 * LIKE_COLOURS; pass++) {
        bool sure = pass < LIKE_COLOURS, rest = pass == 2 * LIKE_COLOURS;
        memset(some, rest ? 0xff : 0, n_words * sizeof *some);
        if (!rest)
            e = or_value(r, vocab_number(FIELD_VEHICLE_COLOUR, VOCAB_FIRST + pass % LIKE_COLOURS, sure),
                         segment, slot_count, some);
        for (size_t w = 0; !e && w < n_words; w++) {
            for (uint64_t now = left[w] & some[w]; now; now &= now - 1)
                order[(*n)++] = (uint16_t)(w * 64 + (size_t)__builtin_ctzll(now));
            left[w] &= ~some[w];
        }
    }
    return e;
}

/* The segment's sketches, made anew when it grew. */
static enum err segment_sketches(struct index_reader *r, uint64_t segment, unsigned slot_count,
                                 const struct sketch_segment **out) {
    *out = sketches_find(r->like->sketches, segment, slot_count);
    if (*out) return OK;
    uint64_t has[CONTAINER_WORDS] = {0};
    size_t n;
    uint16_t *order = malloc(DB_SEGMENT_SLOTS * sizeof *order);
    if (!order) return ERR_NOMEM;
    enum err e = or_value(r, (uint32_t)DB_FIELD_HAS << 10 | DB_HAS_LIKENESS, segment, slot_count, has);
    if (!e) e = order_of(r, segment, slot_count, has, order, &n);
    if (!e) e = sketches_build(r->like->sketches, r->like->files, segment, slot_count, has, order, n, out);
    free(order);
    return e == ERR_MISSING ? ERR_CORRUPT : e; /* the bitmap says there is one */
}

enum err like_keep(struct index_reader *r, uint64_t segment, unsigned slot_count, uint64_t *words) {
    const struct sketch_segment *g;
    enum err e = segment_sketches(r, segment, slot_count, &g);
    for (size_t w = 0; !e && w < BITS_WORDS(slot_count); w++) words[w] &= g->has[w];
    return e;
}

enum err like_ready(struct index_reader *r) {
    sqlite3_stmt *st = r->st[R_SEGMENTS];
    uint64_t *id = NULL;
    unsigned *slots = NULL;
    size_t n = 0, cap = 0;
    bool row;
    (void)sqlite3_bind_int64(st, 1, 0);
    (void)sqlite3_bind_int64(st, 2, INT64_MAX);
    enum err e = like_open(r);
    if (!e) e = db_step(st, &row);
    while (!e && row) {
        if (n == cap) {
            cap = cap ? cap * 2 : 1024;
            uint64_t *i = realloc(id, cap * sizeof *i);
            if (i) id = i;
            unsigned *s = realloc(slots, cap * sizeof *s);
            if (s) slots = s;
            if (!i || !s) e = ERR_NOMEM;
        }
        if (e) break;
        id[n] = (uint64_t)sqlite3_column_int64(st, 0);
        slots[n++] = (unsigned)sqlite3_column_int(st, 1);
        e = db_step(st, &row);
    }
    (void)sqlite3_reset(st);
    for (size_t i = 0; !e && i < n; i++) {
        const struct sketch_segment *g;
        e = segment_sketches(r, id[i], slots[i], &g);
    }
    free(id);
    free(slots);
    return e;
}

enum err like_start(struct like_best *b, const int8_t vector[VECTOR_BYTES], unsigned max) {
    *b = (struct like_best){.vector = vector, .max = max};
    float squares = 0;
    for (unsigned i = 0; i < VECTOR_BYTES; i++) {
        b->sum += vector[i];
        squares += (float)(vector[i] * vector[i]);
    }
    b->length = sqrtf(squares);
    b->heap = calloc(max, sizeof *b->heap);
    b->floor = calloc(max, sizeof *b->floor);
    return b->heap && b->floor ? OK : ERR_NOMEM;
}
void like_fini(struct like_best *b) {
    free(b->heap);
    free(b->floor);
    free(b->maybe);
    *b = (struct like_best){0};
}

/* ---- by sketches ----------------------------------------------------------------------------------------
 */

/* A heap of the highest lower bounds, least first. */
static void raise_floor(struct like_best *b, float least) {
    unsigned i;
    if (b->n_floor < b->max) {
        for (i = b->n_floor++; i > 0 && b->floor[(i - 1) / 2] > least; i = (i - 1) / 2)
            b->floor[i] = b->floor[(i - 1) / 2];
        b->floor[i] = least;
        return;
    }
    if (least <= b->floor[0]) return;
    for (i = 0;;) {
        unsigned child = 2 * i + 1;
        if (child >= b->n_floor) break;
        if (child + 1 < b->n_floor && b->floor[child + 1] < b->floor[child]) child++;
        if (b->floor[child] >= least) break;
        b->floor[i] = b->floor[child];
        i = child;
    }
    b->floor[i] = least;
}

static enum err maybe_add(struct like_best *b, uint64_t id, float most) {
    if (b->n_maybe == b->cap_maybe) {
        size_t cap = b->cap_maybe ? b->cap_maybe * 2 : 4096;
        struct like_maybe *q = realloc(b->maybe, cap * sizeof *q);
        if (!q) return ERR_NOMEM;
        b->maybe = q;
        b->cap_maybe = cap;
    }
    b->maybe[b->n_maybe++] = (struct like_maybe){id, most};
    return OK;
}

/* Hits of a few words, waiting until memory has been asked for all their codes. */
struct batch {
    const struct sketch_segment *g;
    uint64_t first_id;
    size_t n;
    uint16_t slot[BATCH];
    uint32_t place[BATCH];
};

/* The upper bits settle most; the lowest bit of the others is looked at, once memory has been asked for all
 * of them too. */
static enum err weigh(struct like_best *b, const struct bits_ops *ops, struct batch *x) {
    int32_t dot[BATCH];
    uint16_t left[BATCH];
    enum err e = OK;
    size_t n = 0;
    float sum = (float)b->sum;
    int32_t wanted =
        b->n_floor == b->max ? sketch_upper_for(b->floor[0], &x->g->scale, sum, b->length) : INT32_MIN;
    ops->code_dots(dot, b->vector, x->g->upper, x->place, x->n);
    for (size_t i = 0; i < x->n; i++) {
        if (dot[i] < wanted) continue;
        __builtin_prefetch(x->g->lower + x->place[i] * (size_t)16);
        __builtin_prefetch(x->g->off + x->place[i]);
        left[n++] = (uint16_t)i;
    }
    for (size_t k = 0; !e && k < n; k++) {
        size_t i = left[k];
        int32_t full = 2 * dot[i] + ops->bit_dot(b->vector, x->g->lower + x->place[i] * (size_t)16);
        float middle = sketch_middle(full, &x->g->scale, sum);
        float off = (float)x->g->off[x->place[i]] * SKETCH_QUARTER * b->length + SKETCH_SLACK,
              most = middle + off;
        if (b->n_floor == b->max && most < b->floor[0]) continue;
        raise_floor(b, middle - off);
        e = maybe_add(b, x->first_id + x->slot[i], most);
    }
    return e;
}

enum err like_add(struct index_reader *r, uint64_t segment, unsigned slot_count, const uint64_t *words,
                  struct like_best *b) {
    struct batch x;
    x.n = 0;
    size_t n_words = BITS_WORDS(slot_count);
    x.first_id = segment << DB_SEGMENT_SHIFT;
    enum err e = segment_sketches(r, segment, slot_count, &x.g);
    for (size_t w = 0; !e && w < n_words; w++) {
        for (uint64_t left = words[w]; left; left &= left - 1, x.n++) {
            size_t s = w * 64 + (size_t)__builtin_ctzll(left);
            x.slot[x.n] = (uint16_t)s;
            x.place[x.n] = x.g->place[s];
            __builtin_prefetch(x.g->upper + x.place[x.n] * (size_t)64);
        }
        if (x.n <= BATCH - 64 && w + 1 < n_words)
            continue; /* memory has been asked for all of a batch by then */
        e = weigh(b, r->ops, &x);
        x.n = 0;
    }
    return e;
}

/* ---- in full --------------------------------------------------------------------------------------------
 */

/* The order of the answer: nearer first, then the newer id. */
static bool worse(const struct like_hit *a, const struct like_hit *b) {
    return a->dot != b->dot ? a->dot < b->dot : a->id < b->id;
}

static void sift_down(struct like_best *b, unsigned i) {
    for (;;) {
        unsigned least = i, l = 2 * i + 1;
        if (l < b->n && worse(&b->heap[l], &b->heap[least])) least = l;
        if (l + 1 < b->n && worse(&b->heap[l + 1], &b->heap[least])) least = l + 1;
        if (least == i) return;
        struct like_hit t = b->heap[i];
        b->heap[i] = b->heap[least];
        b->heap[least] = t;
        i = least;
    }
}

/* Worst first while it grows. */
static void offer(struct like_best *b, struct like_hit h) {
    if (b->n < b->max) {
        unsigned i = b->n++;
        b->heap[i] = h;
        while (i > 0 && worse(&b->heap[i], &b->heap[(i - 1) / 2])) {
            struct like_hit t = b->heap[i];
            b->heap[i] = b->heap[(i - 1) / 2];
            b->heap[(i - 1) / 2] = t;
            i = (i - 1) / 2;
        }
    } else if (worse(&b->heap[0], &h)) {
        b->heap[0] = h;
        sift_down(b, 0);
    }
}

static int better(const void *a, const void *b) {
    return worse(a, b) ? 1 : -1;
}
static int by_most(const void *pa, const void *pb) {
    const struct like_maybe *a = pa, *b = pb;
    if (a->most != b->most) return a->most > b->most ? -1 : 1;
    return a->id > b->id ? -1 : a->id < b->id;
}

enum err like_finish(struct index_reader *r, struct like_best *b) {
    static const uint16_t first = 0;
    int8_t vector[VECTOR_BYTES];
    size_t n = 0;
    enum err e = OK;
    /* The floor rose while they were collected. */
    for (size_t i = 0; i < b->n_maybe; i++)
        if (b->n_floor < b->max || b->maybe[i].most >= b->floor[0]) b->maybe[n++] = b->maybe[i];
    if (n) qsort(b->maybe, n, sizeof *b->maybe, by_most);
    for (size_t i = 0; !e && i < n; i++) {
        struct like_hit h = {.id = b->maybe[i].id};
        if (b->n == b->max && b->maybe[i].most < (float)b->heap[0].dot) break;
        e = vector_files_read(r->like->files, h.id, vector, 1);
        if (e) return e == ERR_MISSING ? ERR_CORRUPT : e;
        r->ops->dots128(&h.dot, b->vector, vector, &first, 1);
        offer(b, h);
    }
    if (b->n) qsort(b->heap, b->n, sizeof *b->heap, better);
    return e;
}

uint8_t like_degree(const int8_t a[VECTOR_BYTES], const int8_t b[VECTOR_BYTES]) {
    double dot = 0, aa = 0, bb = 0;
    for (unsigned i = 0; i < VECTOR_BYTES; i++) {
        dot += a[i] * b[i];
        aa += a[i] * a[i];
        bb += b[i] * b[i];
    }
    if (aa == 0 || bb == 0) return 1;
    double pct = 100 * dot / sqrt(aa * bb);
    return (uint8_t)(pct < 1 ? 1 : pct > 100 ? 100 : pct + 0.5 > 100 ? 100 : pct + 0.5);
}
