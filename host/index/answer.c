/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c - index_search() and index_facets(). */
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/index/match.h"
#include "host/index/plate_match.h"
#include "host/index/reader.h"

struct found {
    uint64_t id;
    int64_t start_ms;
    uint32_t rank; /* SCORE: greater is better */
    uint8_t match, slips;
};
struct founds {
    struct found *v;
    size_t n, cap;
};

static enum err founds_add(struct founds *f, const struct found *one) {
    if (f->n == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 1024;
        struct found *q = realloc(f->v, cap * sizeof *q);
        if (!q) return ERR_NOMEM;
        f->v = q;
        f->cap = cap;
    }
    f->v[f->n++] = *one;
    return OK;
}

static int newest(const void *pa, const void *pb) {
    const struct found *a = pa, *b = pb;
    if (a->start_ms != b->start_ms) return a->start_ms > b->start_ms ? -1 : 1;
    return a->id > b->id ? -1 : a->id < b->id;
}
static int oldest(const void *a, const void *b) {
    return newest(b, a);
}
static int by_score(const void *pa, const void *pb) {
    const struct found *a = pa, *b = pb;
    if (a->rank != b->rank) return a->rank > b->rank ? -1 : 1;
    return newest(pa, pb);
}

typedef enum err hit_fn(void *arg, const struct sighting *s, uint8_t slips);

struct rows_scan {
    const struct perimeter *p;
    const struct query *q;
    uint64_t deadline_ns;
    int64_t from_ms, to_ms;
    int together_camera; /* -1 = any */
    int64_t together_from_ms, together_to_ms;
};

static enum err together(struct index_reader *r, struct rows_scan *scan, struct sighting *s) {
    scan->together_camera = -1;
    if (!scan->q->together_id) return OK;
    enum err e = reader_fetch(r, scan->q->together_id, false, s, NULL);
    if (e) return e;
    if (!perimeter_holds(scan->p, s->camera_number, s->start_ms)) return ERR_MISSING;
    scan->together_camera = s->camera_number;
    scan->together_from_ms = s->start_ms - scan->q->together_ms;
    scan->together_to_ms = s->end_ms + scan->q->together_ms;
    return OK;
}

static bool row_fits(const struct rows_scan *scan, const struct sighting *s, uint8_t *slips) {
    const struct query *q = scan->q;
    if (!perimeter_holds(scan->p, s->camera_number, s->start_ms) || !match_sighting(q, s)) return false;
    if (scan->together_camera >= 0 &&
        (s->camera_number != scan->together_camera || s->id == q->together_id ||
         s->start_ms < scan->together_from_ms || s->start_ms > scan->together_to_ms))
        return false;
    *slips = 0;
    if (q->plate_mode == QUERY_PLATE_NONE) return true;
    if (!s->plate.n_chars) return false;
    *slips = plate_match(q->plate_mode, q->plate, q->max_slips, s->plate.text);
    return *slips != PLATE_SLIPS_NONE;
}

static enum err scan_rows(struct index_reader *r, struct rows_scan *scan, hit_fn *hit, void *arg) {
    sqlite3_stmt *st = r->st[R_ROWS];
    struct sighting *s = malloc(sizeof *s);
    bool row;
    if (!s) return ERR_NOMEM;
    enum err e = together(r, scan, s);
    if (e) goto out;
    (void)sqlite3_bind_int64(st, 1, scan->from_ms / DB_HOUR_MS << 24);
    (void)sqlite3_bind_int64(st, 2, (((scan->to_ms - 1) / DB_HOUR_MS + 1) << 24) - 1);
    e = db_step(st, &row);
    for (uint64_t i = 0; !e && row; i++) {
        uint8_t slips;
        e = reader_row(r, st, scan->p->plates_allowed, s);
        if (!e && row_fits(scan, s, &slips)) e = hit(arg, s, slips);
        if (!e && i % 256 == 0 && scan->deadline_ns && clock_mono_ns() > scan->deadline_ns) e = ERR_TIMEOUT;
        if (!e) e = db_step(st, &row);
    }
    (void)sqlite3_reset(st);
out:
    free(s);
    return e;
}

static enum err scan_prepare(const struct perimeter *p, const struct query *q, unsigned deadline_ms,
                             struct rows_scan *scan) {
    enum err e = perimeter_check(p);
    if (!e) e = match_check(q);
    if (e) return e;
    if (q->plate_mode != QUERY_PLATE_NONE && !p->plates_allowed) return ERR_DENIED;
    if (q->like_id && !p->likeness_allowed) return ERR_DENIED;
    *scan = (struct rows_scan){.p = p, .q = q, .from_ms = p->from_ms, .to_ms = p->to_ms};
    if (scan->from_ms < 0) scan->from_ms = 0;
    if (deadline_ms) scan->deadline_ns = clock_mono_ns() + deadline_ms * UINT64_C(1000000);
    return OK;
}

struct collect {
    struct founds founds;
    const struct query *q;
};

static enum err collect_hit(void *arg, const struct sighting *s, uint8_t slips) {
    struct collect *c = arg;
    struct found f = {.id = s->id, .start_ms = s->start_ms, .slips = slips, .match = match_degree(c->q, s)};
    f.rank = (255u - slips) << 16 | match_level(c->q, s) << 8 | s->confidence;
    return founds_add(&c->founds, &f);
}

static enum err fill_page(struct index_reader *r, const struct perimeter *p, const struct query *q,
                          const struct founds *f, struct index_result *out) {
    size_t n = f->n > q->offset ? f->n - q->offset : 0;
    if (n > q->limit) n = q->limit;
    if (n == 0) return OK;
    out->hits = calloc(n, sizeof *out->hits);
    if (!out->hits) return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct found *found = &f->v[q->offset + i];
        enum err e = reader_fetch(r, found->id, p->plates_allowed, &out->hits[i].s, NULL);
        if (e) return e;
        out->hits[i].match = found->match;
        out->hits[i].plate_slips = found->slips;
        out->n_hits++;
    }
    return OK;
}

static void histogram(const struct founds *f, const struct rows_scan *scan, struct index_result *out) {
    int64_t from = scan->from_ms / DB_HOUR_MS, to = (scan->to_ms - 1) / DB_HOUR_MS + 1;
    if (to - from > INDEX_HISTOGRAM_MAX) from = to - INDEX_HISTOGRAM_MAX;
    out->histogram_from_ms = from * DB_HOUR_MS;
    out->histogram_step_ms = DB_HOUR_MS;
    out->n_histogram = (unsigned)(to - from);
    for (size_t i = 0; i < f->n; i++) {
        int64_t hour = f->v[i].start_ms / DB_HOUR_MS - from;
        if (hour >= 0) out->histogram[hour]++;
    }
}

enum err index_search(struct index_reader *r, const struct perimeter *p, const struct query *q,
                      unsigned deadline_ms, struct index_result *out) {
    uint64_t cpu_ns = clock_thread_cpu_ns();
    struct rows_scan scan;
    struct collect c = {.q = q};
    memset(out, 0, sizeof *out);
    enum err e = scan_prepare(p, q, deadline_ms, &scan);
    if (!e) e = reader_begin(r);
    if (e) return e;
    e = scan_rows(r, &scan, collect_hit, &c);
    if (!e) {
        if (c.founds.n)
            qsort(c.founds.v, c.founds.n, sizeof *c.founds.v,
                  q->order == QUERY_OLDEST  ? oldest
                  : q->order == QUERY_SCORE ? by_score
                                            : newest);
        out->total = c.founds.n;
        histogram(&c.founds, &scan, out);
        e = fill_page(r, p, q, &c.founds, out);
    }
    reader_end(r);
    free(c.founds.v);
    if (e) index_result_fini(out);
    out->cpu_us = (clock_thread_cpu_ns() - cpu_ns) / 1000;
    return e;
}

void index_result_fini(struct index_result *r) {
    if (!r) return;
    free(r->hits);
    memset(r, 0, sizeof *r);
}

struct facet_count {
    const uint32_t *numbers;
    unsigned n;
    uint64_t *counts;
};

static enum err count_hit(void *arg, const struct sighting *s, uint8_t slips) {
    struct facet_count *f = arg;
    (void)slips;
    for (unsigned i = 0; i < f->n; i++)
        for (unsigned a = 0; a < s->n_attributes; a++)
            for (unsigned k = 0; k < s->attributes[a].n_values; k++) {
                uint32_t plain = vocab_number(s->attributes[a].field, s->attributes[a].value[k].id, false);
                bool sure = f->numbers[i] != plain;
                if (f->numbers[i] == plain ||
                    (sure && s->attributes[a].value[k].sure &&
                     f->numbers[i] ==
                         vocab_number(s->attributes[a].field, s->attributes[a].value[k].id, true)))
                    f->counts[i]++;
            }
    return OK;
}

enum err index_facets(struct index_reader *r, const struct perimeter *p, const struct query *q,
                      const uint32_t *numbers, unsigned n, uint64_t *counts) {
    struct rows_scan scan;
    struct facet_count f = {.numbers = numbers, .n = n, .counts = counts};
    memset(counts, 0, n * sizeof *counts);
    enum err e = scan_prepare(p, q, 0, &scan);
    if (!e) e = reader_begin(r);
    if (e) return e;
    e = scan_rows(r, &scan, count_hit, &f);
    reader_end(r);
    return e;
}
