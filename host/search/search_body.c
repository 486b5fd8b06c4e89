/* SPDX-License-Identifier: Apache-2.0 */
/* search_body.c - the structured members of a search body, joined (AND) to what the sentence asked. Strict: a
 * member nobody knows would otherwise widen the search in silence. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/search/plate.h"
#include "host/search/search_internal.h"

static enum err bad(struct question *s, const char *member) {
    return question_refuse(s, ERR_USAGE, "bad_request", json_pack("{s:s}", "member", member));
}

/* An integer member within [least, most]; false: there, but something else. Absent leaves *out alone. */
static bool member_int(const json_t *o, const char *key, int64_t least, int64_t most, int64_t *out) {
    const json_t *v = json_object_get(o, key);
    if (!v) return true;
    if (!json_is_integer(v) || json_integer_value(v) < least || json_integer_value(v) > most) return false;
    *out = json_integer_value(v);
    return true;
}
static bool member_bool(const json_t *o, const char *key, bool *out) {
    const json_t *v = json_object_get(o, key);
    if (!v) return true;
    if (!json_is_boolean(v)) return false;
    *out = json_is_true(v);
    return true;
}
bool search_only_members(const json_t *o, const char *const *known, const char **odd) {
    const char *key;
    json_t *v;
    if (!json_is_object(o)) return false;
    json_object_foreach((json_t *)(uintptr_t)o, key, v) {
        bool found = false;
        for (unsigned i = 0; known[i]; i++) found = found || strcmp(known[i], key) == 0;
        if (!found) {
            *odd = key;
            return false;
        }
    }
    return true;
}

/* ---- page and order ---------------------------------------------------------------------------------- */

static enum err read_page(struct question *s, const json_t *body) {
    static const char *const orders[] = {
        [QUERY_NEWEST] = "newest", [QUERY_OLDEST] = "oldest", [QUERY_SCORE] = "score"};
    int64_t limit = SEARCH_LIMIT_DEFAULT, offset = 0;
    if (!member_int(body, "limit", 1, SEARCH_LIMIT_MAX, &limit)) return bad(s, "limit");
    if (!member_int(body, "offset", 0, SEARCH_OFFSET_MAX, &offset)) return bad(s, "offset");
    s->query.limit = (unsigned)limit;
    s->query.offset = (unsigned)offset;
    s->wants_facets = true;
    if (!member_bool(body, "facets", &s->wants_facets)) return bad(s, "facets");
    const json_t *sort = json_object_get(body, "sort");
    if (!sort) return OK;
    for (unsigned i = 0; json_is_string(sort) && i < 3; i++)
        if (strcmp(json_string_value(sort), orders[i]) == 0) {
            s->query.order = (enum query_order)i;
            return OK;
        }
    return bad(s, "sort");
}

/* ---- when -------------------------------------------------------------------------------------------- */

struct spans {
    unsigned n;
    bool full;
    struct {
        int64_t from_ms, to_ms;
    } v[QUERY_PERIODS_MAX];
};
static void spans_add(struct spans *s, int64_t from_ms, int64_t to_ms) {
    if (from_ms >= to_ms) return;
    if (s->n == QUERY_PERIODS_MAX) {
        s->full = true;
        return;
    }
    s->v[s->n].from_ms = from_ms;
    s->v[s->n++].to_ms = to_ms;
}

/* Keeps, of what was asked so far, what lies in one of `with`, which are in order and apart. */
static enum err cut_periods(struct question *s, const struct spans *with) {
    struct query *q = &s->query;
    struct spans *out = calloc(1, sizeof *out);
    if (!out) return ERR_NOMEM;
    if (q->n_periods == 0) {
        q->period[0].from_ms = s->perimeter.from_ms;
        q->period[0].to_ms = s->perimeter.to_ms;
        q->n_periods = 1;
    }
    for (unsigned i = 0; i < q->n_periods; i++)
        for (unsigned k = 0; k < with->n; k++) {
            int64_t a = q->period[i].from_ms, b = q->period[i].to_ms;
            if (with->v[k].from_ms > a) a = with->v[k].from_ms;
            if (with->v[k].to_ms < b) b = with->v[k].to_ms;
            spans_add(out, a, b);
        }
    q->n_periods = out->n;
    for (unsigned i = 0; i < out->n; i++) {
        q->period[i].from_ms = out->v[i].from_ms;
        q->period[i].to_ms = out->v[i].to_ms;
    }
    bool full = out->full || with->full;
    free(out);
    if (full) return question_refuse(s, ERR_USAGE, "too_long", NULL);
    return q->n_periods ? OK : question_refuse(s, ERR_USAGE, "outside_period", NULL);
}

/* "14:30" -> ms of the day; false: something else. */
static bool clock_of(const json_t *v, int64_t *ms) {
    const char *t = json_string_value(v);
    if (!t || strlen(t) != 5 || t[2] != ':' || strspn(t, "0123456789:") != 5) return false;
    int hour = (t[0] - '0') * 10 + t[1] - '0', minute = (t[3] - '0') * 10 + t[4] - '0';
    *ms = (hour * INT64_C(60) + minute) * 60000;
    return t[0] != ':' && t[1] != ':' && t[3] != ':' && t[4] != ':' && minute <= 59 &&
           *ms <= 24 * INT64_C(3600000);
}

/* {"from": "22:00", "to": "02:00"}: those hours of every day of the case, in the site's zone. */
static enum err read_daily(struct question *s, const json_t *daily) {
    static const char *const known[] = {"from", "to", NULL};
    const char *odd;
    int64_t from_ms, to_ms;
    if (!search_only_members(daily, known, &odd) || !clock_of(json_object_get(daily, "from"), &from_ms) ||
        !clock_of(json_object_get(daily, "to"), &to_ms) || from_ms == to_ms || !s->zone)
        return bad(s, "time.daily");
    struct spans *spans = calloc(1, sizeof *spans);
    if (!spans) return ERR_NOMEM;
    int64_t first = zone_local_day(s->zone, s->perimeter.from_ms) - 1;
    int64_t last = zone_local_day(s->zone, s->perimeter.to_ms - 1);
    for (int64_t day = first; day <= last && !spans->full; day++) {
        int64_t a = zone_utc_ms(s->zone, day, from_ms, false);
        int64_t b = zone_utc_ms(s->zone, day + (to_ms <= from_ms), to_ms, true);
        if (b > s->perimeter.from_ms && a < s->perimeter.to_ms) spans_add(spans, a, b);
    }
    enum err e = cut_periods(s, spans);
    free(spans);
    return e;
}

enum err search_time_read(struct question *s, const json_t *body) {
    static const char *const known[] = {"from_ms", "to_ms", "daily", NULL};
    const json_t *time = json_object_get(body, "time"), *daily = json_object_get(time, "daily");
    const char *odd;
    int64_t from_ms = s->perimeter.from_ms, to_ms = s->perimeter.to_ms;
    if (!time) return OK;
    if (!search_only_members(time, known, &odd) || !member_int(time, "from_ms", 0, INT64_MAX / 2, &from_ms) ||
        !member_int(time, "to_ms", 0, INT64_MAX / 2, &to_ms))
        return bad(s, "time");
    struct spans one = {0};
    spans_add(&one, from_ms, to_ms);
    enum err e = cut_periods(s, &one);
    return e || !daily ? e : read_daily(s, daily);
}

/* ---- where ------------------------------------------------------------------------------------------- */

static bool in_list(const uint16_t *list, unsigned n, uint16_t number) {
    for (unsigned i = 0; i < n; i++)
        if (list[i] == number) return true;
    return false;
}

static enum err read_cameras(struct question *s, const json_t *body) {
    static const char *const known[] = {"ids", NULL};
    const json_t *cameras = json_object_get(body, "cameras"), *ids = json_object_get(cameras, "ids"), *id;
    const char *odd;
    size_t i;
    if (!cameras) return OK;
    if (!search_only_members(cameras, known, &odd) || !json_is_array(ids) || json_array_size(ids) == 0 ||
        json_array_size(ids) > QUERY_CAMERAS_MAX)
        return bad(s, "cameras");
    uint16_t *list = calloc(json_array_size(ids), sizeof *list);
    unsigned n = 0;
    if (!list) return ERR_NOMEM;
    json_array_foreach(ids, i, id) {
        const char *name = json_string_value(id);
        const struct camera *c = NULL;
        for (unsigned k = 0; name && k < s->ctx->n_cameras; k++)
            if (strcmp(s->ctx->cameras[k].id, name) == 0) c = &s->ctx->cameras[k];
        if (!c || !in_list(s->perimeter.cameras, s->perimeter.n_cameras, c->number)) {
            free(list);
            return question_refuse(s, ERR_USAGE, "outside_cameras", NULL);
        }
        bool asked = s->query.n_cameras == 0 || in_list(s->query.cameras, s->query.n_cameras, c->number);
        if (asked && !in_list(list, n, c->number)) list[n++] = c->number;
    }
    free(s->query.cameras);
    s->query.cameras = list;
    s->query.n_cameras = n;
    return n ? OK : question_refuse(s, ERR_USAGE, "outside_cameras", NULL);
}

/* ---- what -------------------------------------------------------------------------------------------- */

static enum err add_term(struct question *s, struct query_group *g, enum field field, const char *name) {
    const struct vocab_value *v = vocab_by_name(s->ctx->vocab, field, name);
    if (!v || g->n_terms == QUERY_TERMS_MAX) return bad(s, field_name(field));
    g->term[g->n_terms].field = (uint8_t)field;
    g->term[g->n_terms++].id = v->id;
    return OK;
}

/* {"field": "upper_colour", "any": ["red", "orange"], "not", "only", "sure", "maybe"} */
static enum err read_condition(struct question *s, const json_t *o) {
    static const char *const known[] = {"field", "any", "not", "only", "sure", "maybe", NULL};
    const char *odd;
    const json_t *any = json_object_get(o, "any"), *name;
    enum field field = field_by_name(json_string_value(json_object_get(o, "field")));
    size_t i;
    if (!search_only_members(o, known, &odd) || field == FIELD_NONE || !json_is_array(any) ||
        json_array_size(any) == 0 || s->query.n_groups == QUERY_GROUPS_MAX)
        return bad(s, "where");
    struct query_group *g = &s->query.group[s->query.n_groups];
    *g = (struct query_group){0};
    if (!member_bool(o, "not", &g->negated) || !member_bool(o, "only", &g->only) ||
        !member_bool(o, "sure", &g->sure) || !member_bool(o, "maybe", &g->optional))
        return bad(s, "where");
    json_array_foreach(any, i, name) {
        enum err e = add_term(s, g, field, json_string_value(name));
        if (e) return e;
    }
    s->query.n_groups++;
    return OK;
}

static enum err read_where(struct question *s, const json_t *body) {
    const json_t *where = json_object_get(body, "where"), *o;
    size_t i;
    if (!where) return OK;
    if (!json_is_array(where)) return bad(s, "where");
    json_array_foreach(where, i, o) {
        enum err e = read_condition(s, o);
        if (e) return e;
    }
    return OK;
}

/* ---- plate, duration, motion, and what refers to a passage ------------------------------------------- */

/* "exact" and "fuzzy" need a whole plate; "pattern" makes a piece of it. */
static bool plate_as(struct query *q, const char *mode, int64_t slips) {
    if (!mode) return true;
    if (strcmp(mode, "pattern") == 0 && q->plate_mode == QUERY_PLATE_FUZZY) {
        char around[sizeof q->plate];
        snprintf(around, sizeof around, "*%.*s*", (int)PLATE_CHARS_MAX, q->plate);
        return plate_parse(around, strlen(around), q);
    }
    if (strcmp(mode, "pattern") == 0) return true;
    if (q->plate_mode != QUERY_PLATE_FUZZY) return false;
    q->max_slips = (unsigned)slips;
    if (strcmp(mode, "exact") == 0) q->plate_mode = QUERY_PLATE_EXACT;
    return strcmp(mode, "exact") == 0 || strcmp(mode, "fuzzy") == 0;
}

static enum err read_plate(struct question *s, const json_t *body) {
    static const char *const known[] = {"pattern", "mode", "max_slips", NULL};
    const json_t *plate = json_object_get(body, "plate"), *mode = json_object_get(plate, "mode");
    const char *odd, *pattern = json_string_value(json_object_get(plate, "pattern"));
    int64_t slips = 0;
    if (!plate) return OK;
    if (!search_only_members(plate, known, &odd) || !pattern || (mode && !json_is_string(mode)) ||
        !member_int(plate, "max_slips", 0, 2, &slips) || s->query.plate_mode != QUERY_PLATE_NONE ||
        !plate_parse(pattern, strlen(pattern), &s->query) ||
        !plate_as(&s->query, json_string_value(mode), slips))
        return bad(s, "plate");
    return OK;
}

static enum err read_duration(struct question *s, const json_t *body) {
    static const char *const known[] = {"min_ms", "max_ms", NULL};
    const json_t *duration = json_object_get(body, "duration");
    const char *odd;
    if (!duration) return OK;
    int64_t least = s->query.min_duration_ms, most = s->query.max_duration_ms;
    if (!search_only_members(duration, known, &odd) ||
        !member_int(duration, "min_ms", 0, INT64_C(1) << 40, &least) ||
        !member_int(duration, "max_ms", 1, INT64_C(1) << 40, &most))
        return bad(s, "duration");
    s->query.min_duration_ms = least;
    s->query.max_duration_ms = most;
    return OK;
}

static enum err read_direction(struct question *s, const json_t *body) {
    static const char *const ways[] = {"left", "right", "up", "down"};
    const json_t *direction = json_object_get(body, "direction");
    const char *name = json_string_value(direction);
    if (!direction) return OK;
    for (unsigned i = 0; name && i < 4; i++)
        if (strcmp(name, ways[i]) == 0) {
            s->query.direction = (enum query_direction)(QUERY_LEFT + i);
            return OK;
        }
    return bad(s, "direction");
}

static bool part_of_picture(const json_t *v, uint16_t *out) {
    double x = json_number_value(v);
    if (!json_is_number(v) || !(x >= 0) || !(x <= 1)) return false;
    *out = (uint16_t)(x * 65535 + 0.5);
    return true;
}

/* {"camera_id", "points": [[x, y], ...]}: parts of that camera's picture. */
static enum err read_area(struct question *s, const json_t *body) {
    static const char *const known[] = {"camera_id", "points", NULL};
    const json_t *area = json_object_get(body, "area"), *points = json_object_get(area, "points");
    const char *odd;
    size_t n = json_array_size(points);
    if (!area) return OK;
    if (!search_only_members(area, known, &odd) || !json_is_string(json_object_get(area, "camera_id")) ||
        n < 3 || n > QUERY_AREA_MAX)
        return bad(s, "area");
    for (size_t i = 0; i < n; i++) {
        const json_t *p = json_array_get(points, i);
        if (json_array_size(p) != 2 || !part_of_picture(json_array_get(p, 0), &s->query.area[i].x) ||
            !part_of_picture(json_array_get(p, 1), &s->query.area[i].y))
            return bad(s, "area");
    }
    s->query.n_area = (unsigned)n;
    json_t *camera = json_pack("{s:{s:[O]}}", "cameras", "ids", json_object_get(area, "camera_id"));
    if (!camera) return ERR_NOMEM;
    enum err e = read_cameras(s, camera);
    json_decref(camera);
    return e;
}

bool search_id_read(const json_t *v, uint64_t *id) {
    const char *text = json_string_value(v);
    if (json_is_integer(v) && json_integer_value(v) > 0) {
        *id = (uint64_t)json_integer_value(v);
        return true;
    }
    if (!text || !*text || strlen(text) > 18 || text[strspn(text, "0123456789")]) return false;
    *id = strtoull(text, NULL, 10);
    return *id > 0;
}

static enum err read_references(struct question *s, const json_t *body) {
    static const char *const like_known[] = {"sighting_id", NULL};
    static const char *const together_known[] = {"sighting_id", "within_s", NULL};
    const json_t *like = json_object_get(body, "like"), *together = json_object_get(body, "together");
    const char *odd;
    int64_t within_s = 10;
    if (like && (!search_only_members(like, like_known, &odd) ||
                 !search_id_read(json_object_get(like, "sighting_id"), &s->query.like_id)))
        return bad(s, "like");
    if (together && (!search_only_members(together, together_known, &odd) ||
                     !member_int(together, "within_s", 0, 86400, &within_s) ||
                     !search_id_read(json_object_get(together, "sighting_id"), &s->query.together_id)))
        return bad(s, "together");
    if (together) s->query.together_ms = within_s * 1000;
    return OK;
}

enum err search_body_read(struct question *s, const json_t *body) {
    static const char *const known[] = {"sentence",  "language", "limit",  "offset",   "sort", "time",
                                        "cameras",   "where",    "plate",  "duration", "area", "like",
                                        "direction", "together", "facets", NULL};
    static enum err (*const readers[])(struct question *, const json_t *) = {
        read_page,     search_time_read, read_cameras, read_where,      read_plate,
        read_duration, read_direction,   read_area,    read_references,
    };
    const char *odd = "body";
    if (!search_only_members(body, known, &odd)) return bad(s, odd);
    for (unsigned i = 0; i < sizeof readers / sizeof *readers; i++) {
        enum err e = readers[i](s, body);
        if (e) return e;
    }
    return OK;
}
