/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/like.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/index/db.h"
#include "host/index/fileio.h"

enum { BATCH = 128, MAPS = 40, HOURS = 24, MAPPED_VECTORS_MAX = 3000000 };

/* Day files stay mapped between searches: faulting pages in anew costs more than the comparison. */
struct like_files {
    char *dir;
    struct {
        uint64_t day, used;
        const int8_t *bytes; /* NULL = free */
        size_t size;
        uint64_t
            ready[HOURS * DB_ARRIVALS_MAX / DB_SEGMENT_SLOTS / 64]; /* segments whose pages are mapped in */
    } map[MAPS];
    uint64_t clock;
};

enum err like_files_open(const char *dir, struct like_files **out) {
    *out = calloc(1, sizeof **out);
    if (!*out) return ERR_NOMEM;
    (*out)->dir = strdup(dir);
    if ((*out)->dir) return OK;
    free(*out);
    *out = NULL;
    return ERR_NOMEM;
}

static void unmap(struct like_files *f, unsigned i) {
    if (f->map[i].bytes) {
        union {
            const int8_t *in;
            void *out;
        } p = {.in = f->map[i].bytes}; /* munmap() takes away what was const to us */
        (void)munmap(p.out, f->map[i].size);
    }
    memset(&f->map[i], 0, sizeof f->map[i]);
}

void like_files_close(struct like_files **f) {
    if (!f || !*f) return;
    for (unsigned i = 0; i < MAPS; i++) unmap(*f, i);
    free((*f)->dir);
    free(*f);
    *f = NULL;
}

static enum err map_day(struct like_files *f, uint64_t day, unsigned i) {
    char path[4200];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/likeness/%06llu.vec", f->dir, (unsigned long long)day);
    if (n < 0 || (size_t)n >= sizeof path) return ERR_USAGE;
    unmap(f, i);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? ERR_MISSING : fileio_err("open", path);
    enum err e = OK;
    if (fstat(fd, &st) != 0) {
        e = fileio_err("stat", path);
    } else if (st.st_size == 0) {
        e = ERR_MISSING;
    } else {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED) {
            e = fileio_err("mmap", path);
        } else {
            /* No reading ahead: it would fill memory with the zeros of the holes between hours. */
            (void)madvise(p, (size_t)st.st_size, MADV_RANDOM);
            f->map[i].bytes = p;
            f->map[i].size = (size_t)st.st_size;
            f->map[i].day = day;
        }
    }
    close(fd);
    return e;
}

/* The map that holds bytes [0, end) of a day; mapped anew when the file has grown since. */
static enum err map_get(struct like_files *f, uint64_t day, size_t end, unsigned *out) {
    unsigned oldest = 0, at = MAPS;
    for (unsigned i = 0; i < MAPS; i++) {
        if (f->map[i].bytes && f->map[i].day == day) at = i;
        if (f->map[i].used < f->map[oldest].used) oldest = i;
    }
    if (at == MAPS || f->map[at].size < end) {
        if (at == MAPS) at = oldest;
        enum err e = map_day(f, day, at);
        if (e) return e;
        if (f->map[at].size < end) return ERR_MISSING;
    }
    f->map[at].used = ++f->clock;
    *out = at;
    return OK;
}

enum err like_vector(struct like_files *f, uint64_t id, const int8_t **out) {
    size_t at = (size_t)(id >> 24) % HOURS * DB_ARRIVALS_MAX * VECTOR_BYTES +
                (size_t)(id & (DB_ARRIVALS_MAX - 1)) * VECTOR_BYTES;
    unsigned map;
    enum err e = map_get(f, (id >> 24) / HOURS, at + VECTOR_BYTES, &map);
    if (!e) *out = f->map[map].bytes + at;
    return e;
}

enum err like_start(struct like_best *b, unsigned max) {
    *b = (struct like_best){.max = max};
    b->heap = calloc(max, sizeof *b->heap);
    return b->heap ? OK : ERR_NOMEM;
}
void like_fini(struct like_best *b) {
    free(b->heap);
    *b = (struct like_best){0};
}

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

static void offer(struct like_best *b, uint64_t id, int32_t dot) {
    struct like_hit h = {id, dot};
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

/* The first search in a segment maps its pages in one call: a fault for every 64 KiB costs eight times as
 * much. */
static void make_ready(struct like_files *f, unsigned map, size_t base, size_t n) {
    size_t segment = base / ((size_t)DB_SEGMENT_SLOTS * VECTOR_BYTES);
    uint64_t *word = &f->map[map].ready[segment / 64], bit = UINT64_C(1) << segment % 64;
    if (*word & bit) return;
    *word |= bit;
    union {
        const int8_t *in;
        void *out;
    } p = {.in = f->map[map].bytes + base};
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    (void)madvise(p.out, (n + page - 1) / page * page,
                  MADV_POPULATE_READ); /* older kernels: faults, as before */
}

enum err like_add(struct like_files *f, const struct bits_ops *ops, const int8_t vector[VECTOR_BYTES],
                  uint64_t segment, const uint64_t *words, size_t n_words, struct like_best *b) {
    uint64_t first_id = segment << DB_SEGMENT_SHIFT, hour = first_id >> 24;
    size_t base = (size_t)(hour % HOURS) * DB_ARRIVALS_MAX * VECTOR_BYTES +
                  (size_t)(first_id & (DB_ARRIVALS_MAX - 1)) * VECTOR_BYTES;
    size_t last = n_words;
    const int8_t *bytes;
    while (last > 0 && !words[last - 1]) last--;
    if (last == 0) return OK;
    size_t top = last * 64 - (size_t)__builtin_clzll(words[last - 1]); /* one behind the highest slot */
    unsigned map = 0;
    enum err e = map_get(f, hour / HOURS, base + top * VECTOR_BYTES, &map);
    if (e) return e == ERR_MISSING ? ERR_CORRUPT : e; /* the bitmap says there is one */
    bytes = f->map[map].bytes;
    make_ready(f, map, base, top * VECTOR_BYTES);
    uint16_t place[BATCH];
    int32_t dot[BATCH];
    size_t n = 0;
    for (size_t w = 0; w < last; w++) {
        for (uint64_t left = words[w]; left; left &= left - 1) {
            place[n] = (uint16_t)(w * 64 + (size_t)__builtin_ctzll(left));
            __builtin_prefetch(bytes + base + place[n] * (size_t)VECTOR_BYTES);
            __builtin_prefetch(bytes + base + place[n++] * (size_t)VECTOR_BYTES + 64);
        }
        if (n < BATCH - 64 && w + 1 < last) continue; /* memory has been asked for all of a batch by then */
        ops->dots128(dot, vector, bytes + base, place, n);
        for (size_t i = 0; i < n; i++)
            if (b->n < b->max || dot[i] >= b->heap[0].dot) offer(b, first_id + place[i], dot[i]);
        b->n_seen += n;
        n = 0;
    }
    return OK;
}

static int better(const void *a, const void *b) {
    return worse(a, b) ? 1 : -1;
}

void like_finish(struct like_files *f, struct like_best *b) {
    if (b->n) qsort(b->heap, b->n, sizeof *b->heap, better);
    if (b->n_seen <= MAPPED_VECTORS_MAX) return;
    for (unsigned i = 0; i < MAPS; i++) unmap(f, i);
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
