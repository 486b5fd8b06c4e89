/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/scan.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/index/like.h"
#include "host/index/match.h"

enum { CHUNK_WORDS = DB_CHUNK_SLOTS / 64 };

struct cursors {
    struct cursor *v;
    unsigned n;
};

struct open_group {
    struct cursors some, other; /* values asked for; the other values of their fields, for `only` */
    bool negated;
};

struct scan {
    struct index_reader *r;
    const struct scan_request *q;
    uint64_t first, last;
    struct open_group group[SCAN_GROUPS_MAX + 1];
    unsigned n_groups;
    bool positive;          /* the first group is one; else the plates are where to begin */
    struct cursors buckets; /* durations that need a look at the row */
    uint64_t acc[CONTAINER_WORDS], tmp[CONTAINER_WORDS];
    struct {
        uint64_t id;
        unsigned slot_count;
        bool some_cameras; /* not all of its cameras are wanted: the column must be asked */
    } * segment;           /* newest first, only those with a wanted camera */
    size_t n_segments;
    struct column_walk cameras;
    struct sighting *row; /* for exact conditions */
};

enum err scan_range(struct scan_request *q, int64_t from_ms, int64_t to_ms) {
    if (from_ms < 0) from_ms = 0;
    if (to_ms <= from_ms) return OK;
    if (q->n_ranges == SCAN_RANGES_MAX) return ERR_USAGE;
    q->range[q->n_ranges].from_ms = from_ms;
    q->range[q->n_ranges++].to_ms = to_ms;
    return OK;
}

void scan_settle(struct scan_request *q) {
    for (unsigned i = 1; i < q->n_ranges; i++)
        for (unsigned k = i; k > 0 && q->range[k].from_ms < q->range[k - 1].from_ms; k--) {
            int64_t from = q->range[k].from_ms, to = q->range[k].to_ms;
            q->range[k] = q->range[k - 1];
            q->range[k - 1].from_ms = from;
            q->range[k - 1].to_ms = to;
        }
    unsigned n = 0;
    for (unsigned i = 0; i < q->n_ranges; i++) {
        if (n > 0 && q->range[i].from_ms <= q->range[n - 1].to_ms) {
            if (q->range[i].to_ms > q->range[n - 1].to_ms) q->range[n - 1].to_ms = q->range[i].to_ms;
        } else {
            q->range[n++] = q->range[i];
        }
    }
    q->n_ranges = n;
}

bool scan_bounds(const struct scan_request *q, uint64_t *first, uint64_t *last) {
    if (q->n_ranges == 0) return false;
    *first = (uint64_t)(q->range[0].from_ms / DB_HOUR_MS) << (24 - DB_SEGMENT_SHIFT);
    uint64_t end_hour = (uint64_t)((q->range[q->n_ranges - 1].to_ms - 1) / DB_HOUR_MS) + 1;
    *last = (end_hour << (24 - DB_SEGMENT_SHIFT)) - 1;
    return true;
}

/* 0 = no range touches the hour, 1 = one covers it, 2 = the time column must be asked. */
static unsigned hour_state(const struct scan_request *q, uint64_t hour) {
    int64_t from = (int64_t)hour * DB_HOUR_MS, to = from + DB_HOUR_MS;
    unsigned state = 0;
    for (unsigned i = 0; i < q->n_ranges; i++) {
        if (q->range[i].to_ms <= from || q->range[i].from_ms >= to) continue;
        if (q->range[i].from_ms <= from && q->range[i].to_ms >= to) return 1;
        state = 2;
    }
    return state;
}

/* ---- opening
 * ------------------------------------------------------------------------------------------------ */

static enum err cursors_add(struct scan *s, struct cursors *c, uint32_t number) {
    struct cursor *v = realloc(c->v, (c->n + 1) * sizeof *v);
    if (!v) return ERR_NOMEM;
    c->v = v;
    enum err e = cursor_open(s->r, number, s->first, s->last, &c->v[c->n]);
    if (!e) c->n++;
    return e;
}
static void cursors_close(struct scan *s, struct cursors *c) {
    for (unsigned i = 0; i < c->n; i++) cursor_close(s->r, &c->v[i]);
    free(c->v);
    *c = (struct cursors){0};
}

static bool asked(const struct scan_group *g, uint32_t number) {
    for (unsigned i = 0; i < g->n; i++)
        if ((g->number[i] & 0xfffffu) == number) return true;
    return false;
}

/* Every plausible value of a field that occurs in the file, except those asked for. */
static enum err other_values(struct scan *s, struct open_group *o, const struct scan_group *g,
                             uint32_t field) {
    sqlite3_stmt *st = s->r->st[R_NEXT_VALUE];
    uint32_t number = field << 10;
    enum err e = OK;
    while (!e && number < (field + 1) << 10) {
        int64_t found;
        (void)sqlite3_bind_int64(st, 1, (int64_t)number << DB_KEY_SHIFT);
        e = db_number(st, -1, &found);
        if (e || found < 0 || found >= (int64_t)(field + 1) << 10) break;
        if (!asked(g, (uint32_t)found)) e = cursors_add(s, &o->other, (uint32_t)found);
        number = (uint32_t)found + 1;
    }
    return e;
}

static enum err group_open(struct scan *s, const struct scan_group *g) {
    struct open_group *o = &s->group[s->n_groups++];
    enum err e = OK;
    o->negated = g->negated;
    for (unsigned i = 0; !e && i < g->n; i++) e = cursors_add(s, &o->some, g->number[i]);
    if (!g->only) return e;
    uint64_t done = 0;
    for (unsigned i = 0; !e && i < g->n; i++) {
        uint32_t field = g->number[i] >> 10 & 0x3ff;
        if (field >= 64 || done & UINT64_C(1) << field) continue;
        done |= UINT64_C(1) << field;
        e = other_values(s, o, g, field);
    }
    return e;
}

/* Positive groups first: they leave the least to look at. Without one, every row is the start. */
static enum err groups_open(struct scan *s) {
    const struct scan_request *q = s->q;
    enum err e = OK;
    bool positive = false;
    for (unsigned i = 0; i < q->n_groups; i++) positive |= !q->group[i].negated;
    if (!positive && !q->plates) {
        struct scan_group all = {.number = {(uint32_t)DB_FIELD_ALL << 10 | 1}, .n = 1};
        e = group_open(s, &all);
    }
    s->positive = positive || !q->plates;
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; !e && i < q->n_groups; i++)
            if (q->group[i].negated == (pass == 1)) e = group_open(s, &q->group[i]);
    for (unsigned i = 0; !e && i < q->n_buckets; i++)
        e = cursors_add(s, &s->buckets, (uint32_t)DB_FIELD_DURATION << 10 | q->exact_bucket[i]);
    return e;
}

static enum err segments_list(struct scan *s) {
    sqlite3_stmt *st = s->r->st[R_SEGMENTS];
    size_t cap = 0;
    bool row;
    (void)sqlite3_bind_int64(st, 1, (int64_t)s->first);
    (void)sqlite3_bind_int64(st, 2, (int64_t)s->last);
    enum err e = db_step(st, &row);
    while (!e && row) {
        if (s->n_segments == cap) {
            cap = cap ? cap * 2 : 256;
            void *v = realloc(s->segment, cap * sizeof *s->segment);
            if (!v) {
                (void)sqlite3_reset(st);
                return ERR_NOMEM;
            }
            s->segment = v;
        }
        int64_t slots = sqlite3_column_int64(st, 1);
        bool any, all;
        const uint8_t *cameras = sqlite3_column_blob(st, 2);
        size_t n_cameras = (size_t)sqlite3_column_bytes(st, 2);
        if (slots < 1 || slots > DB_SEGMENT_SLOTS || n_cameras > 8192) e = ERR_CORRUPT;
        if (e) break;
        camera_set_compare(&s->q->cameras, cameras, n_cameras, &any, &all);
        if (any) {
            s->segment[s->n_segments].id = (uint64_t)sqlite3_column_int64(st, 0);
            s->segment[s->n_segments].some_cameras = !all;
            s->segment[s->n_segments++].slot_count = (unsigned)slots;
        }
        e = db_step(st, &row);
    }
    (void)sqlite3_reset(st);
    return e;
}

static void scan_close(struct scan *s) {
    for (unsigned i = 0; i < s->n_groups; i++) {
        cursors_close(s, &s->group[i].some);
        cursors_close(s, &s->group[i].other);
    }
    cursors_close(s, &s->buckets);
    column_end(&s->cameras);
    free(s->segment);
    free(s->row);
}

/* ---- one segment
 * ---------------------------------------------------------------------------------------------- */

/* tmp = OR of the cursors' bitmaps; *some = at least one was there. */
static enum err either(struct scan *s, struct cursors *c, uint64_t segment, unsigned slots, bool *some) {
    *some = false;
    for (unsigned i = 0; i < c->n; i++) {
        const struct container *b;
        enum err e = cursor_to(&c->v[i], segment, slots, &b);
        if (e) return e;
        if (!b) continue;
        if (!*some) memset(s->tmp, 0, BITS_WORDS(slots) * sizeof s->tmp[0]);
        *some = true;
        container_or(s->r->ops, s->tmp, b);
    }
    return OK;
}

static const uint8_t *bytes_of(const uint64_t *words) {
    return (const uint8_t *)words;
}

/* acc = the group's rows (first), or acc &= / &= ~ them. */
static enum err group_apply(struct scan *s, struct open_group *g, uint64_t segment, unsigned slots,
                            bool first) {
    const struct bits_ops *ops = s->r->ops;
    size_t n_words = BITS_WORDS(slots);
    const struct container *b;
    bool some;
    if (g->some.n == 1 && g->other.n == 0) {
        enum err e = cursor_to(&g->some.v[0], segment, slots, &b);
        if (e) return e;
        if (g->negated) {
            if (b) container_and_not(ops, s->acc, b);
        } else if (!b) {
            memset(s->acc, 0, n_words * sizeof s->acc[0]);
        } else if (first) {
            memset(s->acc, 0, n_words * sizeof s->acc[0]);
            container_or(ops, s->acc, b);
        } else {
            container_and(ops, s->acc, n_words, b);
        }
        return OK;
    }
    enum err e = either(s, &g->some, segment, slots, &some);
    if (e) return e;
    if (!some) {
        if (!g->negated) memset(s->acc, 0, n_words * sizeof s->acc[0]);
        return OK;
    }
    for (unsigned i = 0; i < g->other.n; i++) {
        e = cursor_to(&g->other.v[i], segment, slots, &b);
        if (e) return e;
        if (b) container_and_not(ops, s->tmp, b);
    }
    if (g->negated)
        ops->and_not(s->acc, bytes_of(s->tmp), n_words);
    else if (first)
        memcpy(s->acc, s->tmp, n_words * sizeof s->acc[0]);
    else
        ops->and_with(s->acc, bytes_of(s->tmp), n_words);
    return OK;
}

enum err scan_column(struct index_reader *r, unsigned column, uint64_t segment, unsigned chunk,
                     unsigned width, const uint8_t **data, size_t *n) {
    sqlite3_stmt *st = r->st[R_COLUMN];
    bool row;
    *data = NULL;
    *n = 0;
    (void)sqlite3_reset(st); /* the chunk lent before */
    (void)sqlite3_bind_int64(st, 1,
                             (int64_t)column << DB_KEY_SHIFT |
                                 (int64_t)(segment << (DB_SEGMENT_SHIFT - DB_CHUNK_SHIFT) | chunk));
    enum err e = db_step(st, &row);
    if (e || !row) return e;
    *data = sqlite3_column_blob(st, 0);
    size_t bytes = (size_t)sqlite3_column_bytes(st, 0);
    *n = bytes / width;
    return bytes % width || *n > DB_CHUNK_SLOTS || (*n && !*data) ? ERR_CORRUPT : OK;
}

static bool in_ranges(const struct scan_request *q, int64_t ms) {
    for (unsigned i = 0; i < q->n_ranges; i++)
        if (ms >= q->range[i].from_ms && ms < q->range[i].to_ms) return true;
    return false;
}

static void keep_times(struct scan *s, int64_t hour_ms, uint64_t *words, size_t n_words, const uint8_t *times,
                       size_t n) {
    for (size_t w = 0; w < n_words; w++)
        for (uint64_t left = words[w]; left; left &= left - 1) {
            size_t slot = w * 64 + (size_t)__builtin_ctzll(left);
            uint32_t ms = 0;
            if (slot < n) memcpy(&ms, times + 4 * slot, sizeof ms);
            if (slot >= n || !in_ranges(s->q, hour_ms + ms)) words[w] &= ~(left & -left);
        }
}

/* Cameras and times, chunk by chunk, where bits are left. */
static enum err columns_apply(struct scan *s, uint64_t segment, size_t n_words, bool cameras, bool times) {
    int64_t hour_ms = (int64_t)(segment >> (24 - DB_SEGMENT_SHIFT)) * DB_HOUR_MS;
    /* From the last chunk to the first: the walk goes that way. */
    for (size_t first = (n_words - 1) / CHUNK_WORDS * CHUNK_WORDS + CHUNK_WORDS; first > 0;) {
        first -= CHUNK_WORDS;
        size_t n_here = n_words - first < CHUNK_WORDS ? n_words - first : CHUNK_WORDS, n;
        unsigned chunk = (unsigned)(first / CHUNK_WORDS);
        uint64_t *words = s->acc + first;
        const uint8_t *data;
        if (s->r->ops->count(words, n_here) == 0) continue;
        enum err e = OK;
        if (cameras) {
            e = column_to(&s->cameras, column_chunk(segment, chunk), &data, &n);
            n /= 2;
            if (!e && (n < n_here * 64 - 63 || n > DB_CHUNK_SLOTS)) e = ERR_CORRUPT;
            if (e) return e;
            s->r->ops->keep_cameras(words, data, n, &s->q->cameras);
        }
        if (!times || s->r->ops->count(words, n_here) == 0) continue;
        e = scan_column(s->r, DB_COLUMN_TIME, segment, chunk, 4, &data, &n);
        if (e) return e;
        keep_times(s, hour_ms, words, n_here, data, n);
    }
    return OK;
}

static enum err row_fits(struct scan *s, uint64_t id, bool look, bool *fits) {
    const struct query *x = s->q->exact;
    *fits = true;
    if (x->n_area) {
        enum err e = reader_fetch(s->r, id, false, s->row, NULL);
        if (!e) *fits = match_area(x, s->row) && match_duration(x, s->row->end_ms - s->row->start_ms);
        return e;
    }
    if (!look) return OK;
    int64_t duration;
    (void)sqlite3_bind_int64(s->r->st[R_DURATION], 1, (int64_t)id);
    enum err e = db_number(s->r->st[R_DURATION], -1, &duration);
    if (!e && duration < 0) e = ERR_CORRUPT;
    if (!e) *fits = match_duration(x, duration);
    return e;
}

static bool late(const struct scan *s) {
    return s->q->deadline_ns && clock_mono_ns() > s->q->deadline_ns;
}

/* Conditions that only the row can answer. */
static enum err rows_apply(struct scan *s, uint64_t segment, unsigned slots) {
    if (!s->q->exact) return OK;
    bool some;
    enum err e = either(s, &s->buckets, segment, slots, &some);
    if (e || (!some && !s->q->exact->n_area)) return e;
    for (size_t w = 0; w < BITS_WORDS(slots); w++) {
        uint64_t left = s->acc[w];
        if (!s->q->exact->n_area) left &= s->tmp[w];
        for (; left; left &= left - 1) {
            bool fits;
            e = row_fits(s, (segment << DB_SEGMENT_SHIFT) + w * 64 + (size_t)__builtin_ctzll(left), true,
                         &fits);
            if (e) return e;
            if (!fits) s->acc[w] &= ~(left & -left);
        }
        if (w % 16 == 0 && late(s)) return ERR_TIMEOUT;
    }
    return OK;
}

static enum err segment_hits(struct scan *s, size_t at, unsigned hours, uint64_t *n_hits) {
    uint64_t segment = s->segment[at].id;
    unsigned slots = s->segment[at].slot_count;
    bool cameras = s->segment[at].some_cameras;
    const struct bits_ops *ops = s->r->ops;
    size_t n_words = BITS_WORDS(slots);
    enum err e = OK;
    *n_hits = 0;
    if (!s->positive) { /* the plates choose: any slot to begin with */
        memset(s->acc, 0xff, n_words * sizeof s->acc[0]);
        if (slots % 64) s->acc[n_words - 1] = (UINT64_C(1) << slots % 64) - 1;
    }
    for (unsigned i = 0; i < s->n_groups; i++) {
        e = group_apply(s, &s->group[i], segment, slots, i == 0 && s->positive);
        if (e) return e;
        if (ops->count(s->acc, n_words) == 0) return OK;
    }
    if (s->q->likeness) e = like_keep(s->r, segment, slots, s->acc);
    if (!e && s->q->plates) e = plate_find_keep(s->r, s->q->plates, segment, s->acc, n_words);
    if (!e && (cameras || hours == 2)) e = columns_apply(s, segment, n_words, cameras, hours == 2);
    if (!e) e = rows_apply(s, segment, slots);
    if (e) return e;
    if (s->q->except_id && s->q->except_id >> DB_SEGMENT_SHIFT == segment) {
        unsigned slot = (unsigned)(s->q->except_id & (DB_SEGMENT_SLOTS - 1));
        if (slot < slots) s->acc[slot / 64] &= ~(UINT64_C(1) << slot % 64);
    }
    *n_hits = ops->count(s->acc, n_words);
    return OK;
}

enum err scan_run(struct index_reader *r, const struct scan_request *q, scan_fn *fn, void *arg) {
    struct scan *s = calloc(1, sizeof *s);
    enum err e = OK;
    if (!s) return ERR_NOMEM;
    s->r = r;
    s->q = q;
    if (!scan_bounds(q, &s->first, &s->last)) goto out;
    if (q->exact && q->exact->n_area) {
        s->row = malloc(sizeof *s->row);
        if (!s->row) e = ERR_NOMEM;
    }
    if (!e) e = segments_list(s);
    if (!e) e = groups_open(s);
    if (!e) column_start(&s->cameras, r->st[R_CAMERA_COLUMN], DB_COLUMN_CAMERA, s->first, s->last);
    if (!e && q->plates) plate_find_start(r, q->plates, s->first, s->last);
    for (size_t i = 0; !e && i < s->n_segments; i++) {
        uint64_t id = s->segment[i].id, n_hits;
        unsigned slots = s->segment[i].slot_count, hours = hour_state(q, id >> (24 - DB_SEGMENT_SHIFT));
        if (hours == 0) continue;
        if (late(s)) {
            e = ERR_TIMEOUT;
            break;
        }
        e = segment_hits(s, i, hours, &n_hits);
        if (e || n_hits == 0) continue;
        struct scan_segment found = {id, slots, BITS_WORDS(slots), s->acc, n_hits};
        e = fn(arg, &found);
    }
out:
    scan_close(s);
    free(s);
    return e;
}
