/* SPDX-License-Identifier: Apache-2.0 */
/* search_pairs.c - the same plate at one camera and then, within so many seconds, at another: what no single
 * search can say. Every pair is a proposal that a person confirms. */
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/index/route.h"
#include "host/search/plate.h"
#include "host/search/search_internal.h"

#define WITHIN_S_DEFAULT  600
#define WITHIN_S_MAX      86400
#define PAIRS_DEADLINE_MS 5000u

static enum err bad(struct question *s, const char *member) {
    return question_refuse(s, ERR_USAGE, "bad_request", json_pack("{s:s}", "member", member));
}

static enum err read_camera(struct question *s, const json_t *v, const char *member, int *number) {
    const char *id = json_string_value(v);
    if (!id) return bad(s, member);
    for (unsigned i = 0; i < s->ctx->n_cameras; i++) {
        if (strcmp(s->ctx->cameras[i].id, id) != 0) continue;
        for (unsigned k = 0; k < s->perimeter.n_cameras; k++)
            if (s->perimeter.cameras[k] == s->ctx->cameras[i].number) {
                *number = s->ctx->cameras[i].number;
                return OK;
            }
    }
    return question_refuse(s, ERR_USAGE, "outside_cameras", NULL);
}

/* An integer member from 1 to most; absent leaves *out alone. */
static bool member_count(const json_t *body, const char *key, int64_t most, int64_t *out) {
    const json_t *v = json_object_get(body, key);
    if (!v) return true;
    if (!json_is_integer(v) || json_integer_value(v) < 1 || json_integer_value(v) > most) return false;
    *out = json_integer_value(v);
    return true;
}

static enum err read_pairs(struct question *s, const json_t *body, struct route_pair_query *q) {
    static const char *const known[] = {"from_camera_id", "to_camera_id", "within_s", "plate",
                                        "time",           "limit",        NULL};
    const json_t *to = json_object_get(body, "to_camera_id"), *plate = json_object_get(body, "plate");
    const char *odd = "body";
    int64_t within_s = WITHIN_S_DEFAULT, limit = SEARCH_LIMIT_DEFAULT;
    int from = 0;
    if (!search_only_members(body, known, &odd)) return bad(s, odd);
    if (!s->perimeter.plates_allowed)
        return question_refuse(s, ERR_DENIED, "criterion_not_allowed",
                               json_pack("{s:s}", "criterion", "vehicle.plate"));
    enum err e = read_camera(s, json_object_get(body, "from_camera_id"), "from_camera_id", &from);
    q->from_camera = (uint16_t)from;
    q->to_camera = -1;
    if (!e && to) e = read_camera(s, to, "to_camera_id", &q->to_camera);
    if (e) return e;
    if (q->to_camera == from) return bad(s, "to_camera_id");
    if (!member_count(body, "within_s", WITHIN_S_MAX, &within_s)) return bad(s, "within_s");
    if (!member_count(body, "limit", SEARCH_LIMIT_MAX, &limit)) return bad(s, "limit");
    q->within_ms = within_s * 1000;
    q->limit = (unsigned)limit;
    if (plate) {
        const char *text = json_string_value(plate);
        struct query whole = {0};
        if (!text || !plate_parse(text, strlen(text), &whole) || whole.plate_mode != QUERY_PLATE_FUZZY)
            return bad(s, "plate");
        memcpy(q->plate, whole.plate, sizeof q->plate);
    }
    if (json_object_get(json_object_get(body, "time"), "daily")) return bad(s, "time.daily");
    e = search_time_read(s, body);
    if (!e && s->query.n_periods) {
        s->perimeter.from_ms = s->query.period[0].from_ms;
        s->perimeter.to_ms = s->query.period[0].to_ms;
    }
    return e;
}

static enum err item_json(const struct question *s, uint64_t id, json_t **out) {
    struct sighting *one = calloc(1, sizeof *one);
    if (!one) return ERR_NOMEM;
    enum err e = index_sighting_get(s->ctx->reader, &s->perimeter, id, one);
    if (!e) {
        *out = search_sighting_json(s->ctx, one);
        if (!*out) e = ERR_NOMEM;
    }
    sighting_free(&one);
    return e;
}

static enum err pair_json(const struct question *s, const struct route_pair *p, json_t *pairs) {
    json_t *from = NULL, *to = NULL;
    enum err e = item_json(s, p->from_id, &from);
    if (!e) e = item_json(s, p->to_id, &to);
    if (e == ERR_MISSING) { /* erased since the join */
        e = OK;
    } else if (!e) {
        json_t *pair = json_pack("{s:O,s:O,s:f}", "from", from, "to", to, "seconds",
                                 (double)(p->to_ms - p->from_ms) / 1000);
        if (!pair || json_array_append_new(pairs, pair) != 0) e = ERR_NOMEM;
    }
    json_decref(from);
    json_decref(to);
    return e;
}

static enum err answer_pairs(struct question *s, const struct route_pair_query *q, json_t **answer) {
    uint64_t began_ns = clock_mono_ns();
    struct route_pairs found;
    enum err e = index_route_pairs(s->ctx->reader, &s->perimeter, q, PAIRS_DEADLINE_MS, &found);
    if (e) return e;
    json_t *pairs = json_array();
    if (!pairs) e = ERR_NOMEM;
    for (unsigned i = 0; !e && i < found.n; i++) e = pair_json(s, &found.pair[i], pairs);
    if (!e) {
        *answer = json_pack("{s:I,s:I,s:s,s:f,s:O}", "total", (json_int_t)found.total, "limit",
                            (json_int_t)q->limit, "tz", s->ctx->tz, "took_ms",
                            (double)((clock_mono_ns() - began_ns) / 1000) / 1000.0, "pairs", pairs);
        if (!*answer) e = ERR_NOMEM;
    }
    json_decref(pairs);
    route_pairs_fini(&found);
    return e;
}

enum err search_pairs(const struct search_context *ctx, const json_t *body, json_t **answer) {
    struct question s = {.ctx = ctx, .language = VOCAB_FR};
    struct route_pair_query q = {.to_camera = -1};
    *answer = NULL;
    if (ctx->language && strcmp(ctx->language, "en") == 0) s.language = VOCAB_EN;
    case_perimeter(ctx->c, &s.perimeter);
    enum err e = read_pairs(&s, body, &q);
    if (!e) e = answer_pairs(&s, &q, answer);
    if (e) *answer = search_refusal_json(&s, e);
    query_fini(&s.query);
    json_decref(s.params);
    return e;
}
