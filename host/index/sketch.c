/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/sketch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCK_BYTES = 32 << 20, HUGE_PAGE = 2 << 20, BLOCKS = SKETCHES_BYTES_MAX / BLOCK_BYTES };
enum { RUN_BYTES = 256 << 10, RUN_WORDS = RUN_BYTES / VECTOR_BYTES / 64, GAP_WORDS = 1 };

/* Memory is handed out front to back in large blocks (which the kernel can map as huge pages) and given back
 * all at once. */
struct sketches {
    uint8_t *block[BLOCKS];
    size_t used[BLOCKS];
    unsigned n_blocks;
    struct sketch_segment *segment; /* by falling id */
    size_t n, cap, last;            /* last: place of the one found last */
    int8_t *run;                    /* what is read from a file at once */
};

enum err sketches_new(struct sketches **out) {
    struct sketches *s = calloc(1, sizeof *s);
    if (s) s->run = malloc(RUN_BYTES);
    *out = s;
    if (s && s->run) return OK;
    sketches_free(out);
    return ERR_NOMEM;
}

void sketches_drop(struct sketches *s) {
    for (unsigned i = 0; i < s->n_blocks; i++) (void)munmap(s->block[i], BLOCK_BYTES);
    s->n_blocks = 0;
    s->n = 0;
}

void sketches_free(struct sketches **s) {
    if (!s || !*s) return;
    sketches_drop(*s);
    free((*s)->segment);
    free((*s)->run);
    free(*s);
    *s = NULL;
}

size_t sketches_bytes(const struct sketches *s) {
    return s->n_blocks * (size_t)BLOCK_BYTES;
}

/* NULL: the budget is used up, or there is no memory. */
static void *take(struct sketches *s, size_t n) {
    n = (n + 63) / 64 * 64;
    if (n > BLOCK_BYTES) return NULL;
    if (s->n_blocks == 0 || s->used[s->n_blocks - 1] + n > BLOCK_BYTES) {
        if (s->n_blocks == BLOCKS) return NULL;
        /* Twice the alignment is asked for, and the ends are given back: huge pages begin at multiples. */
        uint8_t *p =
            mmap(NULL, BLOCK_BYTES + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) return NULL;
        size_t head = (HUGE_PAGE - (uintptr_t)p % HUGE_PAGE) % HUGE_PAGE;
        if (head) (void)munmap(p, head);
        (void)munmap(p + head + BLOCK_BYTES, HUGE_PAGE - head);
        (void)madvise(p + head, BLOCK_BYTES, MADV_HUGEPAGE); /* where the kernel has none: as it is */
        s->block[s->n_blocks] = p + head;
        s->used[s->n_blocks++] = 0;
    }
    void *p = s->block[s->n_blocks - 1] + s->used[s->n_blocks - 1];
    s->used[s->n_blocks - 1] += n;
    return p;
}

/* Place of the segment, or where it would go. */
static size_t place_of(const struct sketches *s, uint64_t segment) {
    size_t lo = 0, hi = s->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (s->segment[mid].id > segment)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct sketch_segment *sketches_find(struct sketches *s, uint64_t segment, unsigned slot_count) {
    /* Segments are asked in falling order: the next one, as a rule. */
    if (s->last >= s->n || s->segment[s->last].id != segment) {
        s->last++;
        if (s->last >= s->n || s->segment[s->last].id != segment) s->last = place_of(s, segment);
    }
    if (s->last >= s->n) return NULL;
    const struct sketch_segment *g = &s->segment[s->last];
    return g->id == segment && g->slot_count == slot_count ? g : NULL;
}

int sketch_most(const int8_t *vectors, size_t n) {
    int8_t highest = 1, lowest = -1;
    for (size_t i = 0; i < n * VECTOR_BYTES; i++) {
        highest = vectors[i] > highest ? vectors[i] : highest;
        lowest = vectors[i] < lowest ? vectors[i] : lowest;
    }
    return highest > -lowest ? highest : -lowest;
}

void sketch_cut(const int8_t vector[VECTOR_BYTES], struct sketch_scale *scale, uint8_t upper[64],
                uint8_t lower[16], uint8_t *off) {
    int most = scale->most, full = 0, half = 0;
    uint8_t code[VECTOR_BYTES];
    float step = 31.0f / (2.0f * (float)most);
    for (unsigned i = 0; i < VECTOR_BYTES; i++) code[i] = (uint8_t)((float)(vector[i] + most) * step + 0.5f);
    for (unsigned i = 0; i < VECTOR_BYTES; i++) { /* what is cut off, times 62 */
        int f = 62 * vector[i] - most * (4 * code[i] - 62),
            h = 62 * vector[i] - most * (4 * (code[i] & 30) - 60);
        full += f * f;
        half += h * h;
    }
    float upper_off = sqrtf((float)half) / 62;
    if (upper_off > scale->upper) scale->upper = upper_off;
    *off = (uint8_t)(sqrtf((float)full) / (62 * SKETCH_QUARTER) + 1); /* below 4 * 128 / 31 * sqrt(128) + 1 */
    for (unsigned i = 0; i < 64; i++) upper[i] = (uint8_t)(code[i] >> 1 | code[64 + i] >> 1 << 4);
    for (unsigned i = 0; i < 16; i++) {
        unsigned byte = 0;
        for (unsigned k = 0; k < 8; k++) byte |= (code[8 * i + k] & 1u) << k;
        lower[i] = (uint8_t)byte;
    }
}

/* What is being built. */
struct draft {
    const uint64_t *has;
    size_t n_words;
    struct sketch_scale scale;
    const uint16_t *place;
    uint8_t *upper, *lower, *off;
};

static void cut_run(struct draft *d, const int8_t *run, size_t first, size_t end) {
    for (size_t w = first; w < end; w++)
        for (uint64_t left = d->has[w]; left; left &= left - 1) {
            size_t slot = w * 64 + (size_t)__builtin_ctzll(left), place = d->place[slot];
            sketch_cut(run + (slot - first * 64) * VECTOR_BYTES, &d->scale, d->upper + place * 64,
                       d->lower + place * 16, d->off + place);
        }
}

/* Reads a segment's vectors in runs of whole words, over small gaps: for their largest magnitude, or to cut
 * them. What lies between vectors is zero. */
static enum err each_run(struct sketches *s, struct vector_files *files, uint64_t segment, struct draft *d,
                         bool cut) {
    for (size_t w = 0, end; w < d->n_words; w = end) {
        end = w + 1;
        if (!d->has[w]) continue;
        for (size_t k = end; k < d->n_words && k < w + RUN_WORDS && k <= end + GAP_WORDS; k++)
            if (d->has[k]) end = k + 1;
        size_t n =
            (end - w) * 64 - (size_t)__builtin_clzll(d->has[end - 1]); /* the file may end with the last */
        enum err e = vector_files_read(files, (segment << 16) + w * 64, s->run, (unsigned)n);
        if (e) return e;
        if (cut) {
            cut_run(d, s->run, w, end);
        } else {
            int most = sketch_most(s->run, n);
            if (most > d->scale.most) d->scale.most = most;
        }
    }
    return OK;
}

static bool put(struct sketches *s, size_t at, const struct sketch_segment *g) {
    if (at < s->n &&
        s->segment[at].id == g->id) { /* it grew: what it had is left lying until the next drop */
        s->segment[at] = *g;
        return true;
    }
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 1024;
        struct sketch_segment *q = realloc(s->segment, cap * sizeof *q);
        if (!q) return false;
        s->segment = q;
        s->cap = cap;
    }
    memmove(s->segment + at + 1, s->segment + at, (s->n - at) * sizeof *s->segment);
    s->segment[at] = *g;
    s->n++;
    return true;
}

enum err sketches_build(struct sketches *s, struct vector_files *files, uint64_t segment, unsigned slot_count,
                        const uint64_t *has, const uint16_t *order, size_t n,
                        const struct sketch_segment **out) {
    struct draft d = {.has = has, .n_words = BITS_WORDS(slot_count), .scale = {.most = 1}};
    struct sketch_segment g = {.id = segment, .slot_count = slot_count};
    uint64_t *own = NULL;
    uint16_t *place = NULL;
    *out = NULL;
    for (unsigned try = 0; try < 2 && !d.off; try++) {
        if (try) sketches_drop(s);
        own = take(s, d.n_words * sizeof *own);
        place = take(s, d.n_words * 64 * sizeof *place);
        d.upper = take(s, n * 64);
        d.lower = take(s, n * 16);
        if (own && place && d.upper && d.lower) d.off = take(s, n);
    }
    if (!d.off) return ERR_NOMEM;
    memcpy(own, has, d.n_words * sizeof *own);
    for (size_t i = 0; i < n; i++) place[order[i]] = (uint16_t)i;
    g.has = own;
    g.place = d.place = place;
    g.upper = d.upper;
    g.lower = d.lower;
    g.off = d.off;
    enum err e = each_run(s, files, segment, &d, false);
    if (!e) e = each_run(s, files, segment, &d, true);
    if (e) return e;
    g.scale = d.scale;
    size_t at = place_of(s, segment);
    if (!put(s, at, &g)) return ERR_NOMEM;
    *out = &s->segment[at];
    return OK;
}
