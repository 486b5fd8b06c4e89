/* SPDX-License-Identifier: Apache-2.0 */
/* search_body.c - the structured members of a search body, joined (AND) to what the sentence asked. Strict: a
 * member nobody knows would otherwise widen the search in silence. */
#include <stdlib.h>
#include <string.h>

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
static bool only_members(const json_t *o, const char *const *known, const char **odd) {
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

/* ---- page and order
 * ------------------------------------------------------------------------------------------------ */

static enum err read_page(struct question *s, const json_t *body) {
    static const char *const orders[] = {
        [QUERY_NEWEST] = "newest", [QUERY_OLDEST] = "oldest", [QUERY_SCORE] = "score"};
    int64_t limit = SEARCH_LIMIT_DEFAULT, offset = 0;
    if (!member_int(body, "limit", 1, SEARCH_LIMIT_MAX, &limit)) return bad(s, "limit");
    if (!member_int(body, "offset", 0, SEARCH_OFFSET_MAX, &offset)) return bad(s, "offset");
    s->query.limit = (unsigned)limit;
    s->query.offset = (unsigned)offset;
    const json_t *sort = json_object_get(body, "sort");
    if (!sort) return OK;
    for (unsigned i = 0; json_is_string(sort) && i < 3; i++)
        if (strcmp(json_string_value(sort), orders[i]) == 0) {
            s->query.order = (enum query_order)i;
            return OK;
        }
    return bad(s, "sort");
}

/* ---- when
 * -----------------------------------------------------------------------------------------------------------
 */

/* Keeps, of what the sentence asked, what lies in [from, to). */
static enum err cut_periods(struct question *s, int64_t from_ms, int64_t to_ms) {
    struct query *q = &s->query;
    unsigned n = 0;
    if (from_ms < s->perimeter.from_ms) from_ms = s->perimeter.from_ms;
    if (to_ms > s->perimeter.to_ms) to_ms = s->perimeter.to_ms;
    if (from_ms >= to_ms) return question_refuse(s, ERR_USAGE, "outside_period", NULL);
    if (q->n_periods == 0) {
        q->period[0].from_ms = from_ms;
        q->period[0].to_ms = to_ms;
        q->n_periods = 1;
        return OK;
    }
    for (unsigned i = 0; i < q->n_periods; i++) {
        int64_t a = q->period[i].from_ms, b = q->period[i].to_ms;
        if (a < from_ms) a = from_ms;
        if (b > to_ms) b = to_ms;
        if (a >= b) continue;
        q->period[n].from_ms = a;
        q->period[n++].to_ms = b;
    }
    q->n_periods = n;
    return n ? OK : question_refuse(s, ERR_USAGE, "outside_period", NULL);
}

static enum err read_time(struct question *s, const json_t *body) {
    static const char *const known[] = {"from_ms", "to_ms", NULL};
    const json_t *time = json_object_get(body, "time");
    const char *odd;
    int64_t from_ms = s->perimeter.from_ms, to_ms = s->perimeter.to_ms;
    if (!time) return OK;
    if (!only_members(time, known, &odd) || !member_int(time, "from_ms", 0, INT64_MAX / 2, &from_ms) ||
        !member_int(time, "to_ms", 0, INT64_MAX / 2, &to_ms))
        return bad(s, "time");
    return cut_periods(s, from_ms, to_ms);
}

/* ---- where
 * ----------------------------------------------------------------------------------------------------------
 */

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
    if (!only_members(cameras, known, &odd) || !json_is_array(ids) || json_array_size(ids) == 0 ||
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

/* ---- what
 * -----------------------------------------------------------------------------------------------------------
 */

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
    if (!only_members(o, known, &odd) || field == FIELD_NONE || !json_is_array(any) ||
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

enum err search_body_read(struct question *s, const json_t *body) {
    static const char *const known[] = {"sentence", "language", "limit", "offset", "sort",
                                        "time",     "cameras",  "where", NULL};
    const char *odd = "body";
    if (!only_members(body, known, &odd)) return bad(s, odd);
    enum err e = read_page(s, body);
    if (!e) e = read_time(s, body);
    if (!e) e = read_cameras(s, body);
    if (!e) e = read_where(s, body);
    return e;
}
