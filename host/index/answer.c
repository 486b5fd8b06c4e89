/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c - index_search() and index_facets(): total, hours and one page from what a scan finds. */
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/index/ask.h"
#include "host/index/hitset.h"
#include "host/index/like.h"
#include "host/index/match.h"
#include "host/index/plate_match.h"

/* Rank of a hit in QUERY_SCORE order: fewer slips of the plate, then match_level(), then confidence. */
enum { KEY_SLIPS_SHIFT = 13, KEY_LEVEL_SHIFT = 7, KEY_LEVEL_MAX = 63, KEY_SCORE_MAX = 127 };

/* What one positive group adds to a hit's level. */
struct level_group {
    struct cursor *cursor; /* of the values, plausible (first half) and sure (second half) */
    unsigned n;            /* in each half */
};

struct answer {
    struct index_reader *r;
    const struct query *q;
    struct ask ask;
    struct hitset hits;
    struct index_result *out;
    int64_t first_hour;
    struct like_best best;
    struct level_group level[QUERY_GROUPS_MAX];
    unsigned n_levels;
    uint8_t levels[DB_SEGMENT_SLOTS];
};

/* ---- score order
 * ---------------------------------------------------------------------------------------------- */

static enum err levels_open(struct answer *a) {
    uint64_t first, last;
    enum err e = OK;
    if (!scan_bounds(&a->ask.scan, &first, &last)) return OK;
    for (unsigned i = 0; !e && i < a->q->n_groups; i++) {
        const struct query_group *g = &a->q->group[i];
        if (g->negated) continue;
        struct level_group *l = &a->level[a->n_levels++];
        l->cursor = calloc(2 * (size_t)g->n_terms, sizeof *l->cursor);
        if (!l->cursor) return ERR_NOMEM;
        l->n = g->n_terms;
        for (unsigned k = 0; !e && k < 2u * g->n_terms; k++)
            e = cursor_open(a->r,
                            vocab_number((enum field)g->term[k % g->n_terms].field,
                                         g->term[k % g->n_terms].id, k >= g->n_terms),
                            first, last, &l->cursor[k]);
    }
    return e;
}

static void levels_close(struct answer *a) {
    for (unsigned i = 0; i < a->n_levels; i++) {
        for (unsigned k = 0; a->level[i].cursor && k < 2 * a->level[i].n; k++)
            cursor_close(a->r, &a->level[i].cursor[k]);
        free(a->level[i].cursor);
    }
}

static void levels_add(struct answer *a, const struct scan_segment *s, const uint64_t *some) {
    for (size_t w = 0; w < s->n_words; w++)
        for (uint64_t left = some[w] & s->words[w]; left; left &= left - 1)
            a->levels[w * 64 + (size_t)__builtin_ctzll(left)]++;
}

static enum err levels_of(struct answer *a, const struct scan_segment *s) {
    uint64_t some[CONTAINER_WORDS];
    memset(a->levels, 0, s->n_words * 64);
    for (unsigned i = 0; i < a->n_levels; i++)
        for (unsigned half = 0; half < 2; half++) {
            memset(some, 0, s->n_words * sizeof *some);
            for (unsigned k = 0; k < a->level[i].n; k++) {
                const struct container *c;
                enum err e =
                    cursor_to(&a->level[i].cursor[half * a->level[i].n + k], s->id, s->slot_count, &c);
                if (e) return e;
                if (c) container_or(a->r->ops, some, c);
            }
            levels_add(a, s, some);
        }
    return OK;
}

static uint16_t key_of(unsigned slips, unsigned level, unsigned score) {
    unsigned fewer = slips >= 7 ? 0 : 7 - slips;
    if (level > KEY_LEVEL_MAX) level = KEY_LEVEL_MAX;
    if (score > KEY_SCORE_MAX) score = KEY_SCORE_MAX;
    return (uint16_t)(fewer << KEY_SLIPS_SHIFT | level << KEY_LEVEL_SHIFT | score);
}

/* Slips of a chunk's hits: `slips` has one byte per slot. */
static enum err slips_of(struct answer *a, uint64_t segment, unsigned chunk, uint8_t *slips) {
    const uint8_t *slots, *ids;
    size_t n;
    memset(slips, 0, DB_CHUNK_SLOTS);
    if (!a->ask.has_plates) return OK;
    enum err e = plate_column(a->r, segment, chunk, &slots, &ids, &n);
    for (size_t i = 0; !e && i < n; i++) {
        uint32_t id;
        memcpy(&id, ids + 4 * i, sizeof id);
        unsigned slot = (unsigned)(slots[2 * i] | slots[2 * i + 1] << 8);
        if (slot < DB_CHUNK_SLOTS) slips[slot] = plate_find_slips(&a->ask.plates, id);
    }
    return e;
}

static enum err keys_of(struct answer *a, const struct scan_segment *s, uint16_t **out) {
    enum { CHUNK_WORDS = DB_CHUNK_SLOTS / 64 };
    uint8_t slips[DB_CHUNK_SLOTS];
    size_t at = 0;
    uint16_t *keys = malloc(s->n_hits * sizeof *keys);
    if (!keys) return ERR_NOMEM;
    enum err e = levels_of(a, s);
    for (size_t first = 0; !e && first < s->n_words; first += CHUNK_WORDS) {
        size_t end = first + CHUNK_WORDS < s->n_words ? first + CHUNK_WORDS : s->n_words, n;
        unsigned chunk = (unsigned)(first / CHUNK_WORDS);
        const uint8_t *scores;
        if (a->r->ops->count(s->words + first, end - first) == 0) continue;
        e = slips_of(a, s->id, chunk, slips);
        if (!e) e = scan_column(a->r, DB_COLUMN_SCORE, s->id, chunk, 1, &scores, &n);
        for (size_t w = first; !e && w < end; w++)
            for (uint64_t left = s->words[w]; left; left &= left - 1) {
                size_t slot = w * 64 + (size_t)__builtin_ctzll(left), in_chunk = slot - first * 64;
                if (in_chunk >= n) {
                    e = ERR_CORRUPT;
                    break;
                }
                keys[at++] = key_of(slips[in_chunk], a->levels[slot], scores[in_chunk]);
            }
    }
    if (e) {
        free(keys);
        keys = NULL;
    }
    *out = keys;
    return e;
}

/* ---- collecting
 * ------------------------------------------------------------------------------------------------ */

static enum err take_segment(void *arg, const struct scan_segment *s) {
    struct answer *a = arg;
    uint16_t *keys = NULL;
    int64_t hour = (int64_t)(s->id >> (24 - DB_SEGMENT_SHIFT)) - a->first_hour;
    a->out->total += s->n_hits;
    if (hour >= 0 && hour < a->out->n_histogram) a->out->histogram[hour] += (uint32_t)s->n_hits;
    if (a->q->like_id) return like_add(a->r, s->id, s->slot_count, s->words, &a->best);
    if (a->q->order == QUERY_SCORE) {
        enum err e = keys_of(a, s, &keys);
        if (e) return e;
    }
    return hitset_add(&a->hits, s, keys);
}

/* The hours asked for; of more than INDEX_HISTOGRAM_MAX, the newest. */
static void histogram_frame(struct answer *a, const struct perimeter *p) {
    const struct scan_request *q = &a->ask.scan;
    int64_t from = q->n_ranges ? q->range[0].from_ms : p->from_ms < 0 ? 0 : p->from_ms;
    int64_t to = q->n_ranges ? q->range[q->n_ranges - 1].to_ms : from + 1;
    int64_t first = from / DB_HOUR_MS, end = (to - 1) / DB_HOUR_MS + 1;
    if (end - first > INDEX_HISTOGRAM_MAX) first = end - INDEX_HISTOGRAM_MAX;
    a->first_hour = first;
    a->out->histogram_from_ms = first * DB_HOUR_MS;
    a->out->histogram_step_ms = DB_HOUR_MS;
    a->out->n_histogram = (unsigned)(end - first);
}

/* ---- the page
 * ---------------------------------------------------------------------------------------------------- */

static uint8_t hit_slips(const struct query *q, const struct sighting *s) {
    if (q->plate_mode == QUERY_PLATE_NONE) return 0;
    return plate_match(q->plate_mode, q->plate, q->max_slips, s->plate.text);
}

static enum err fill_page(struct answer *a, const struct perimeter *p, const struct hit_place *place,
                          unsigned n) {
    if (n == 0) return OK;
    a->out->hits = calloc(n, sizeof *a->out->hits);
    if (!a->out->hits) return ERR_NOMEM;
    for (unsigned i = 0; i < n; i++) {
        struct index_hit *h = &a->out->hits[i];
        enum err e = reader_fetch(a->r, place[i].id, p->plates_allowed, &h->s, NULL);
        if (e) return e == ERR_MISSING ? ERR_CORRUPT : e; /* a bit without a row */
        h->match = match_degree(a->q, &h->s);
        h->plate_slips = hit_slips(a->q, &h->s);
        if (a->q->like_id) {
            int8_t v[VECTOR_BYTES];
            e = vector_files_read(a->r->like->files, h->s.id, v, 1);
            if (e) return e;
            h->match = like_degree(a->ask.like, v);
        }
        a->out->n_hits++;
    }
    return OK;
}

static enum err page(struct answer *a, const struct perimeter *p) {
    const struct query *q = a->q;
    unsigned n = 0;
    enum err e = OK;
    struct hit_place *place = calloc(q->limit, sizeof *place);
    if (!place) return ERR_NOMEM;
    if (q->like_id) {
        e = like_finish(a->r, &a->best);
        for (; !e && n < q->limit && q->offset + n < a->best.n; n++)
            place[n].id = a->best.heap[q->offset + n].id;
    } else if (q->order == QUERY_SCORE) {
        e = hitset_page_by_key(a->r, &a->hits, q->offset, q->limit, place, &n);
    } else {
        e = hitset_page(a->r, &a->hits, q->order == QUERY_OLDEST, q->offset, q->limit, place, &n);
    }
    if (!e) e = fill_page(a, p, place, n);
    free(place);
    return e;
}

enum { LIKE_DEPTH_MAX = 10000 };

static enum err answer_run(struct answer *a, const struct perimeter *p, unsigned deadline_ms) {
    const struct query *q = a->q;
    enum err e = ask_open(a->r, p, q, deadline_ms, &a->ask);
    if (e) return e;
    histogram_frame(a, p);
    if (q->like_id) {
        if (q->offset + q->limit > LIKE_DEPTH_MAX) e = ERR_USAGE;
        if (!e) e = like_start(&a->best, a->ask.like, q->offset + q->limit);
    } else if (q->order == QUERY_SCORE) {
        e = levels_open(a);
    }
    if (!e && !a->ask.nothing) e = scan_run(a->r, &a->ask.scan, take_segment, a);
    if (!e) e = page(a, p);
    levels_close(a);
    ask_close(&a->ask);
    return e;
}

enum err index_search(struct index_reader *r, const struct perimeter *p, const struct query *q,
                      unsigned deadline_ms, struct index_result *out) {
    uint64_t cpu_ns = clock_thread_cpu_ns();
    memset(out, 0, sizeof *out);
    struct answer *a = calloc(1, sizeof *a);
    if (!a) return ERR_NOMEM;
    a->r = r;
    a->q = q;
    a->out = out;
    enum err e = ask_check(p, q);
    if (!e) {
        e = reader_begin(r);
        if (!e) {
            e = answer_run(a, p, deadline_ms);
            reader_end(r);
        }
    }
    hitset_fini(&a->hits);
    like_fini(&a->best);
    free(a);
    if (e) index_result_fini(out);
    out->cpu_us = (clock_thread_cpu_ns() - cpu_ns) / 1000;
    return e;
}

void index_result_fini(struct index_result *r) {
    if (!r) return;
    free(r->hits);
    memset(r, 0, sizeof *r);
}

/* ---- facets
 * ---------------------------------------------------------------------------------------------------------
 */

struct facets {
    struct index_reader *r;
    struct cursor *cursor;
    unsigned n;
    uint64_t *counts;
};

static enum err facets_segment(void *arg, const struct scan_segment *s) {
    struct facets *f = arg;
    for (unsigned i = 0; i < f->n; i++) {
        const struct container *c;
        enum err e = cursor_to(&f->cursor[i], s->id, s->slot_count, &c);
        if (e) return e;
        if (c) f->counts[i] += container_count_and(f->r->ops, s->words, c);
    }
    return OK;
}

static enum err facets_run(struct facets *f, const struct ask *a, const uint32_t *numbers) {
    uint64_t first, last;
    enum err e = OK;
    if (a->nothing || !scan_bounds(&a->scan, &first, &last)) return OK;
    for (unsigned i = 0; !e && i < f->n; i++) e = cursor_open(f->r, numbers[i], first, last, &f->cursor[i]);
    if (!e) e = scan_run(f->r, &a->scan, facets_segment, f);
    for (unsigned i = 0; i < f->n; i++) cursor_close(f->r, &f->cursor[i]);
    return e;
}

enum err index_facets(struct index_reader *r, const struct perimeter *p, const struct query *q,
                      const uint32_t *numbers, unsigned n, uint64_t *counts) {
    memset(counts, 0, n * sizeof *counts);
    enum err e = ask_check(p, q);
    if (e || n == 0) return e;
    struct ask *a = malloc(sizeof *a);
    struct facets f = {.r = r, .n = n, .counts = counts, .cursor = calloc(n, sizeof *f.cursor)};
    e = a && f.cursor ? reader_begin(r) : ERR_NOMEM;
    if (!e) {
        e = ask_open(r, p, q, 0, a);
        if (!e) {
            e = facets_run(&f, a, numbers);
            ask_close(a);
        }
        reader_end(r);
    }
    free(f.cursor);
    free(a);
    return e;
}
