/* SPDX-License-Identifier: Apache-2.0 */
/* search_coverage.c - which of the asked camera-time was searched. "Nothing found" means something only
 * beside the hours that were not looked at, and why. */
#include <stdlib.h>
#include <string.h>

#include "host/search/search_internal.h"

#define GAPS_MAX 200u
#define HOUR_MS  3600000.0

struct span {
    int64_t from_ms, to_ms;
};
struct gaps {
    const struct question *s;
    json_t *list;
    unsigned n; /* all of them, also those past GAPS_MAX */
    double asked_ms, searched_ms;
};

static void add_gap(struct gaps *g, const struct camera *c, struct span gap, const char *state,
                    const char *reason) {
    if (gap.to_ms <= gap.from_ms) return;
    if (g->n++ >= GAPS_MAX) return;
    json_array_append_new(g->list,
                          json_pack("{s:s,s:s,s:I,s:I,s:s,s:s}", "camera_id", c ? c->id : "", "camera_name",
                                    c ? c->name : "", "from_ms", (json_int_t)gap.from_ms, "to_ms",
                                    (json_int_t)gap.to_ms, "state", state, "reason", reason));
}

static struct span cut(struct span a, int64_t from_ms, int64_t to_ms) {
    if (a.from_ms < from_ms) a.from_ms = from_ms;
    if (a.to_ms > to_ms) a.to_ms = to_ms;
    return a;
}

static const char *state_name(enum coverage_state s) {
    switch (s) {
    case COVERAGE_DAMAGED:
        return "damaged";
    case COVERAGE_FAILED:
        return "failed";
    case COVERAGE_NIGHT:
        return "night";
    case COVERAGE_INDEXED:
    default:
        return "indexed";
    }
}

/* At night colours are not estimated: a search for one did not look there. */
static bool was_searched(const struct question *s, enum coverage_state state) {
    return state == COVERAGE_INDEXED || (state == COVERAGE_NIGHT && !s->has_colour);
}

static int by_start(const void *a, const void *b) {
    const struct coverage_span *x = a, *y = b;
    return x->from_ms < y->from_ms ? -1 : x->from_ms > y->from_ms;
}

/* One camera in one asked period; `spans` are its own, by start. They may overlap (two recordings of one
 * moment): what any of them searched counts as searched. */
static void one_period(struct gaps *g, const struct camera *c, struct span asked,
                       const struct coverage_span *spans, size_t n) {
    int64_t at_ms = asked.from_ms;
    g->asked_ms += (double)(asked.to_ms - asked.from_ms);
    while (at_ms < asked.to_ms) {
        int64_t good_to = at_ms, next_ms = asked.to_ms, bad_to = at_ms;
        const struct coverage_span *bad = NULL;
        while (n > 0 && spans->to_ms <= at_ms) { /* behind us for good */
            spans++;
            n--;
        }
        for (size_t i = 0; i < n; i++) {
            const struct coverage_span *p = &spans[i];
            if (p->to_ms <= at_ms) continue;
            if (p->from_ms > at_ms) {
                if (p->from_ms < next_ms) next_ms = p->from_ms;
                break;
            }
            if (was_searched(g->s, p->state)) {
                if (p->to_ms > good_to) good_to = p->to_ms;
            } else if (p->to_ms > bad_to) {
                bad_to = p->to_ms;
                bad = p;
            }
        }
        if (good_to > at_ms) {
            struct span done = cut((struct span){at_ms, good_to}, asked.from_ms, asked.to_ms);
            g->searched_ms += (double)(done.to_ms - done.from_ms);
            at_ms = done.to_ms;
            continue;
        }
        struct span gap = {at_ms, bad && bad_to < next_ms ? bad_to : next_ms};
        gap = cut(gap, asked.from_ms, asked.to_ms);
        add_gap(g, c, gap, bad ? state_name(bad->state) : "absent", bad ? bad->reason : "");
        at_ms = gap.to_ms;
    }
}

static void one_camera(struct gaps *g, uint16_t number, const struct coverage_span *all, size_t n_all) {
    const struct query *q = &g->s->query;
    const struct perimeter *p = &g->s->perimeter;
    size_t first = 0, n = 0, end = n_all;
    while (first < end) {
        size_t mid = first + (end - first) / 2;
        if (all[mid].camera_number < number)
            first = mid + 1;
        else
            end = mid;
    }
    while (first + n < n_all && all[first + n].camera_number == number) n++;
    const struct camera *c = search_camera(g->s->ctx, number);
    struct span whole = {p->from_ms, p->to_ms};
    if (q->n_periods == 0) one_period(g, c, whole, all + first, n);
    for (unsigned i = 0; i < q->n_periods; i++) {
        struct span asked =
            cut((struct span){q->period[i].from_ms, q->period[i].to_ms}, whole.from_ms, whole.to_ms);
        if (asked.to_ms > asked.from_ms) one_period(g, c, asked, all + first, n);
    }
}

enum err search_coverage_json(struct question *s, json_t **out) {
    struct coverage_span *spans = NULL;
    size_t n = 0;
    struct perimeter p = s->perimeter;
    *out = NULL;
    if (s->query.n_cameras) {
        p.cameras = s->query.cameras;
        p.n_cameras = s->query.n_cameras;
    }
    for (unsigned i = 0; i < s->query.n_periods;
         i++) { /* no further than what was asked: a city has many spans */
        int64_t from_ms = s->query.period[i].from_ms, to_ms = s->query.period[i].to_ms;
        if (i == 0 || from_ms < p.from_ms) p.from_ms = from_ms;
        if (i == 0 || to_ms > p.to_ms) p.to_ms = to_ms;
    }
    enum err e = index_coverage(s->ctx->reader, &p, &spans, &n);
    if (e) return e;
    for (size_t i = 0; i < n;) { /* the index sorts by camera and time; states of one camera may interleave */
        size_t k = i;
        while (k < n && spans[k].camera_number == spans[i].camera_number) k++;
        qsort(spans + i, k - i, sizeof *spans, by_start);
        i = k;
    }
    struct gaps g = {.s = s, .list = json_array()};
    for (unsigned i = 0; i < p.n_cameras; i++) one_camera(&g, p.cameras[i], spans, n);
    free(spans);
    *out =
        json_pack("{s:f,s:f,s:i,s:i,s:o}", "camera_h", g.asked_ms / HOUR_MS, "searched_h",
                  g.searched_ms / HOUR_MS, "cameras", (int)p.n_cameras, "n_gaps", (int)g.n, "gaps", g.list);
    return *out ? OK : ERR_NOMEM;
}
