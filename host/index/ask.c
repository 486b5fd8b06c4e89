/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/ask.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/index/like.h"
#include "host/index/match.h"
#include "host/index/record.h"

enum err ask_check(const struct perimeter *p, const struct query *q) {
    enum err e = perimeter_check(p);
    if (!e) e = match_check(q);
    if (e) return e;
    if (q->plate_mode != QUERY_PLATE_NONE && !p->plates_allowed) return ERR_DENIED;
    if (q->like_id && !p->likeness_allowed) return ERR_DENIED;
    return OK;
}

static struct scan_group *group_new(struct scan_request *q) {
    struct scan_group *g = &q->group[q->n_groups++];
    memset(g, 0, sizeof *g);
    return g;
}

static void own_value(struct scan_request *q, enum db_field field, unsigned id) {
    struct scan_group *g = group_new(q);
    g->number[g->n++] = (uint32_t)field << 10 | id;
}

static void ask_groups(const struct query *q, struct scan_request *out) {
    for (unsigned i = 0; i < q->n_groups; i++) {
        if (q->group[i].optional) continue;
        struct scan_group *g = group_new(out);
        g->negated = q->group[i].negated;
        g->only = q->group[i].only;
        for (unsigned k = 0; k < q->group[i].n_terms; k++)
            g->number[g->n++] =
                vocab_number((enum field)q->group[i].term[k].field, q->group[i].term[k].id, q->group[i].sure);
    }
}

static void ask_durations(const struct query *q, struct scan_request *out) {
    int64_t most = q->max_duration_ms ? q->max_duration_ms : INT64_MAX;
    if (!q->min_duration_ms && !q->max_duration_ms) return;
    struct scan_group *g = group_new(out);
    for (unsigned b = 1; b <= RECORD_DURATION_BUCKETS; b++) {
        int64_t from, to;
        record_duration_range(b, &from, &to);
        if (to < q->min_duration_ms || from > most) continue;
        g->number[g->n++] = (uint32_t)DB_FIELD_DURATION << 10 | b;
        if (from < q->min_duration_ms || to > most) out->exact_bucket[out->n_buckets++] = b;
    }
    if (out->n_buckets) out->exact = q;
}

static void ask_cameras(const struct perimeter *p, const struct query *q, struct camera_set *out) {
    struct camera_set allowed;
    camera_set_clear(out);
    camera_set_clear(&allowed);
    for (unsigned i = 0; i < p->n_cameras; i++) camera_set_add(&allowed, p->cameras[i]);
    if (q->n_cameras == 0) {
        *out = allowed;
        return;
    }
    for (unsigned i = 0; i < q->n_cameras; i++)
        if (camera_set_has(&allowed, q->cameras[i])) camera_set_add(out, q->cameras[i]);
}

static void clip(int64_t *from, int64_t *to, int64_t least, int64_t most) {
    if (*from < least) *from = least;
    if (*to > most) *to = most;
}

static enum err ask_times(const struct perimeter *p, const struct query *q, int64_t least, int64_t most,
                          struct scan_request *out) {
    enum err e = OK;
    for (unsigned i = 0; !e && i < (q->n_periods ? q->n_periods : 1); i++) {
        int64_t from = q->n_periods ? q->period[i].from_ms : p->from_ms;
        int64_t to = q->n_periods ? q->period[i].to_ms : p->to_ms;
        clip(&from, &to, p->from_ms, p->to_ms);
        clip(&from, &to, least, most);
        e = scan_range(out, from, to);
    }
    scan_settle(out);
    return e;
}

static enum err inside(struct index_reader *r, const struct perimeter *p, uint64_t id, struct sighting *s) {
    enum err e = reader_fetch(r, id, false, s, NULL);
    if (!e && !perimeter_holds(p, s->camera_number, s->start_ms)) e = ERR_MISSING;
    return e;
}

static enum err ask_like(struct index_reader *r, const struct perimeter *p, const struct query *q,
                         struct sighting *s, struct ask *out) {
    if (!q->like_id) return OK;
    enum err e = inside(r, p, q->like_id, s);
    if (!e && !s->has_likeness) e = ERR_MISSING;
    if (!e) e = like_open(r);
    if (!e) e = vector_files_read(r->like->files, q->like_id, out->like, 1);
    if (e) return e;
    out->scan.likeness = true;
    out->scan.except_id = q->like_id;
    return OK;
}

static enum err ask_plates(struct index_reader *r, const struct query *q, struct ask *out) {
    if (q->plate_mode == QUERY_PLATE_NONE) return OK;
    enum err e = plate_find_open(r, q->plate_mode, q->plate, q->max_slips, &out->plates);
    if (e == ERR_MISSING) {
        out->nothing = true;
        return OK;
    }
    if (e) return e;
    out->has_plates = true;
    out->scan.plates = &out->plates;
    return OK;
}

enum err ask_open(struct index_reader *r, const struct perimeter *p, const struct query *q,
                  unsigned deadline_ms, struct ask *out) {
    int64_t least = 0, most = INT64_MAX;
    memset(out, 0, sizeof *out);
    enum err e = ask_check(p, q);
    if (e) return e;
    struct sighting *s = malloc(sizeof *s);
    if (!s) return ERR_NOMEM;
    if (deadline_ms) out->scan.deadline_ns = clock_mono_ns() + deadline_ms * UINT64_C(1000000);
    ask_groups(q, &out->scan);
    ask_durations(q, &out->scan);
    if (q->direction != QUERY_ANY_WAY) own_value(&out->scan, DB_FIELD_DIRECTION, q->direction);
    if (q->n_area) out->scan.exact = q;
    ask_cameras(p, q, &out->scan.cameras);
    e = ask_like(r, p, q, s, out);
    if (!e && q->together_id) {
        e = inside(r, p, q->together_id, s);
        if (!e) {
            bool seen = camera_set_has(&out->scan.cameras, s->camera_number);
            camera_set_clear(&out->scan.cameras);
            if (seen) camera_set_add(&out->scan.cameras, s->camera_number);
            least = s->start_ms - q->together_ms;
            most = s->end_ms + q->together_ms + 1;
            out->scan.except_id = q->together_id;
        }
    }
    if (!e) e = ask_times(p, q, least, most, &out->scan);
    if (!e) e = ask_plates(r, q, out);
    if (out->scan.n_ranges == 0) out->nothing = true;
    free(s);
    if (e) ask_close(out);
    return e;
}

void ask_close(struct ask *a) {
    if (a->has_plates) plate_find_close(&a->plates);
    a->has_plates = false;
}
