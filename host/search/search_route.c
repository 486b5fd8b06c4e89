/* SPDX-License-Identifier: Apache-2.0 */
/* search_route.c - one vehicle from camera to camera: by its plate where the case allows it, and else, or
 * further, by looking at the next cameras in the time a drive there takes. Every hop is a proposal that a
 * person confirms. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/search/search_internal.h"

#define MAX_KMH_DEFAULT   130
#define MIN_KMH           5.0 /* slower than walking: it stopped on the way */
#define WINDOW_MAX_MS     (30 * INT64_C(60000))
#define NEXT_CAMERAS_MAX  8u
#define NEXT_ITEMS        3u
#define HOPS_MAX          200u
#define PLATE_SLIPS_MAX   1u
#define EARTH_KM          6371.0
#define SAME_PLACE_KM     0.05
#define ROUTE_DEADLINE_MS 3000u

struct route {
    struct question s;
    struct sighting seed;
    double max_kmh;
    json_t *hops, *next;
};

static double radians(double deg) {
    return deg * 3.14159265358979323846 / 180;
}
static bool is_placed(const struct camera *c) {
    return c && (c->lat != 0 || c->lon != 0);
}
/* As the crow flies; a road is longer, so a speed from it is a lower bound. */
static double distance_km(const struct camera *a, const struct camera *b) {
    double dlat = radians(b->lat - a->lat), dlon = radians(b->lon - a->lon);
    double h = pow(sin(dlat / 2), 2) + cos(radians(a->lat)) * cos(radians(b->lat)) * pow(sin(dlon / 2), 2);
    return 2 * EARTH_KM * asin(fmin(1, sqrt(h)));
}

/* ---- hops by plate ----------------------------------------------------------------------------------- */

static const char *link_of(const struct sighting *s, const struct route *r, unsigned slips) {
    if (s->id == r->seed.id) return "seed";
    return slips == 0 ? "plate" : slips == 1 ? "plate_alike" : "plate_fuzzy";
}

/* Distance, time and speed since the hop before, and what is wrong with them. */
static void put_leg(const struct route *r, const struct sighting *before, const struct sighting *s,
                    json_t *hop, bool *possible) {
    const struct camera *a = search_camera(r->s.ctx, before->camera_number);
    const struct camera *b = search_camera(r->s.ctx, s->camera_number);
    double minutes = (double)(s->start_ms - before->end_ms) / 60000;
    const char *flag = "";
    json_object_set_new(hop, "minutes", json_real(minutes));
    if (s->camera_number != before->camera_number && (!is_placed(a) || !is_placed(b))) {
        flag = "not_placed";
    } else {
        double km = s->camera_number == before->camera_number ? 0 : distance_km(a, b);
        json_object_set_new(hop, "km", json_real(km));
        if (km > SAME_PLACE_KM && minutes <= 0) flag = "two_places";
        if (minutes > 0) {
            double kmh = km / (minutes / 60);
            json_object_set_new(hop, "kmh", json_real(kmh));
            if (kmh > r->max_kmh) flag = "too_fast";
        }
    }
    *possible = strcmp(flag, "two_places") != 0 && strcmp(flag, "too_fast") != 0;
    if (*flag) json_object_set_new(hop, "flag", json_string(flag));
}

/* A hop that cannot be the same vehicle is shown with its flag, and the next leg is measured from the one
 * before. */
static void put_hops(struct route *r, const struct index_result *found) {
    const struct sighting *before = NULL;
    for (unsigned i = 0; i < found->n_hits; i++) {
        const struct sighting *s = &found->hits[i].s;
        bool possible = true;
        json_t *hop = json_pack("{s:o,s:s,s:i}", "sighting", search_sighting_json(r->s.ctx, s), "link",
                                link_of(s, r, found->hits[i].plate_slips), "plate_slips",
                                (int)found->hits[i].plate_slips);
        if (!hop) continue;
        if (before) put_leg(r, before, s, hop, &possible);
        if (possible) before = s;
        json_array_append_new(r->hops, hop);
    }
}

static enum err follow_plate(struct route *r) {
    struct query q = {.plate_mode = QUERY_PLATE_FUZZY,
                      .max_slips = PLATE_SLIPS_MAX,
                      .order = QUERY_OLDEST,
                      .limit = HOPS_MAX};
    if (!r->s.perimeter.plates_allowed || !r->seed.plate.n_chars) return OK;
    memcpy(q.plate, r->seed.plate.text, sizeof r->seed.plate.text);
    struct index_result *found = calloc(1, sizeof *found);
    if (!found) return ERR_NOMEM;
    enum err e = index_search(r->s.ctx->reader, &r->s.perimeter, &q, ROUTE_DEADLINE_MS, found);
    if (!e) put_hops(r, found);
    index_result_fini(found);
    free(found);
    return e;
}

/* ---- where it may have come next -------------------------------------------------------------------------
 */

struct near {
    const struct camera *camera;
    double km;
};
static int by_km(const void *a, const void *b) {
    const struct near *x = a, *y = b;
    return x->km < y->km ? -1 : x->km > y->km;
}

/* Class and plausible colours of the seed, as far as the case allows them. */
static void look_of(const struct route *r, struct query *q) {
    const struct search_context *ctx = r->s.ctx;
    if (case_allows(ctx->c, "vehicle.type")) {
        struct query_group *g = &q->group[q->n_groups++];
        g->n_terms = 1;
        g->term[0].field = FIELD_CLASS;
        g->term[0].id = r->seed.class_id;
    }
    if (!case_allows(ctx->c, "vehicle.color")) return;
    for (unsigned i = 0; i < r->seed.n_attributes; i++) {
        const struct attribute *a = &r->seed.attributes[i];
        if (a->field != FIELD_VEHICLE_COLOUR || a->n_values == 0 || a->value[0].id < VOCAB_FIRST) continue;
        struct query_group *g = &q->group[q->n_groups++];
        for (unsigned k = 0; k < a->n_values && k < SIGHTING_ALTERNATIVES_MAX; k++) {
            g->term[g->n_terms].field = FIELD_VEHICLE_COLOUR;
            g->term[g->n_terms++].id = a->value[k].id;
        }
        return;
    }
}

static enum err look_at(struct route *r, const struct near *n) {
    uint16_t number = n->camera->number;
    struct query q = {
        .cameras = &number, .n_cameras = 1, .n_periods = 1, .order = QUERY_OLDEST, .limit = NEXT_ITEMS};
    int64_t slow_ms = (int64_t)(n->km / MIN_KMH * 3600000), fast_ms = (int64_t)(n->km / r->max_kmh * 3600000);
    if (slow_ms > WINDOW_MAX_MS) slow_ms = WINDOW_MAX_MS;
    if (slow_ms < fast_ms + 60000) slow_ms = fast_ms + 60000;
    q.period[0].from_ms = r->seed.end_ms + fast_ms;
    q.period[0].to_ms = r->seed.end_ms + slow_ms;
    look_of(r, &q);
    if (q.n_groups == 0 || q.period[0].from_ms >= r->s.perimeter.to_ms) return OK;
    struct index_result *found = calloc(1, sizeof *found);
    if (!found) return ERR_NOMEM;
    enum err e = index_search(r->s.ctx->reader, &r->s.perimeter, &q, ROUTE_DEADLINE_MS, found);
    if (!e) {
        json_t *items = json_array();
        for (unsigned i = 0; i < found->n_hits; i++)
            json_array_append_new(items, search_hit_json(r->s.ctx, &found->hits[i]));
        json_array_append_new(r->next, json_pack("{s:s,s:s,s:f,s:I,s:I,s:I,s:o}", "camera_id", n->camera->id,
                                                 "camera_name", n->camera->name, "km", n->km, "from_ms",
                                                 (json_int_t)q.period[0].from_ms, "to_ms",
                                                 (json_int_t)q.period[0].to_ms, "total",
                                                 (json_int_t)found->total, "items", items));
    }
    index_result_fini(found);
    free(found);
    return e;
}

static enum err look_further(struct route *r) {
    const struct search_context *ctx = r->s.ctx;
    const struct camera *here = search_camera(ctx, r->seed.camera_number);
    unsigned n = 0;
    if (!is_placed(here)) return OK;
    struct near *all = calloc(ctx->c->n_cameras + 1u, sizeof *all);
    if (!all) return ERR_NOMEM;
    for (unsigned i = 0; i < ctx->c->n_cameras; i++) {
        const struct camera *c = search_camera(ctx, ctx->c->cameras[i]);
        if (is_placed(c) && c->number != here->number) all[n++] = (struct near){c, distance_km(here, c)};
    }
    qsort(all, n, sizeof *all, by_km);
    enum err e = OK;
    for (unsigned i = 0; !e && i < n && i < NEXT_CAMERAS_MAX; i++) e = look_at(r, &all[i]);
    free(all);
    return e;
}

/* ---- the door ---------------------------------------------------------------------------------------------
 */

static enum err read_seed(struct route *r, const json_t *body) {
    const json_t *speed = json_object_get(body, "max_kmh");
    uint64_t id;
    r->max_kmh = MAX_KMH_DEFAULT;
    if (!search_id_read(json_object_get(body, "seed_sighting_id"), &id) || (speed && !json_is_number(speed)))
        return question_refuse(&r->s, ERR_USAGE, "bad_request", NULL);
    if (speed) r->max_kmh = json_number_value(speed);
    if (!(r->max_kmh >= 10 && r->max_kmh <= 300))
        return question_refuse(&r->s, ERR_USAGE, "bad_request", NULL);
    enum err e = index_sighting_get(r->s.ctx->reader, &r->s.perimeter, id, &r->seed);
    if (e) return e == ERR_MISSING ? question_refuse(&r->s, e, "not_found", NULL) : e;
    const struct vocab_value *class = vocab_by_id(r->s.ctx->vocab, FIELD_CLASS, r->seed.class_id);
    if (!class || strcmp(class->name, "person") == 0) /* nobody is followed by likeness */
        return question_refuse(&r->s, ERR_DENIED, "vehicles_only", NULL);
    return OK;
}

enum err search_route(const struct search_context *ctx, const json_t *body, json_t **answer) {
    *answer = NULL;
    struct route *r = calloc(1, sizeof *r);
    if (!r) return ERR_NOMEM;
    r->s.ctx = ctx;
    r->s.language = ctx->language && strcmp(ctx->language, "en") == 0 ? VOCAB_EN : VOCAB_FR;
    r->hops = json_array();
    r->next = json_array();
    case_perimeter(ctx->c, &r->s.perimeter);
    enum err e = r->hops && r->next ? read_seed(r, body) : ERR_NOMEM;
    if (!e) e = follow_plate(r);
    if (!e) e = look_further(r);
    if (!e)
        *answer = json_pack("{s:o,s:s,s:f,s:O,s:O}", "seed", search_sighting_json(ctx, &r->seed), "tz",
                            ctx->tz, "max_kmh", r->max_kmh, "hops", r->hops, "next", r->next);
    else
        *answer = search_refusal_json(&r->s, e);
    free(r->seed.thumbnail_jpeg);
    json_decref(r->hops);
    json_decref(r->next);
    json_decref(r->s.params);
    free(r);
    return e;
}
