/* SPDX-License-Identifier: Apache-2.0 */
/* search_doubt.c - what a count alone hides: passages whose colour nobody could tell, and, when nothing fits,
 * which criterion is to blame. A witness is seldom right in every point. */
#include <stdlib.h>
#include <string.h>

#include "host/search/search_internal.h"

#define WITHOUT_DEADLINE_MS 1000u

/* The question less one of its groups; shares the cameras of s->query. */
static struct query without_group(const struct query *q, unsigned group) {
    struct query out = *q;
    memmove(&out.group[group], &out.group[group + 1], (out.n_groups - group - 1) * sizeof *out.group);
    out.n_groups--;
    out.offset = 0;
    out.limit = 1;
    return out;
}

static enum err add_undecided(struct question *s, const struct query *rest, enum field f, json_t *list) {
    const uint32_t numbers[2] = {vocab_number(f, VOCAB_UNKNOWN, false),
                                 vocab_number(f, VOCAB_NOT_ESTIMATED, false)};
    uint64_t counts[2];
    enum err e = index_facets(s->ctx->reader, &s->perimeter, rest, numbers, 2, counts);
    if (e || counts[0] + counts[1] == 0) return e;
    json_array_append_new(list, json_pack("{s:s,s:I,s:I}", "field", field_name(f), "unknown",
                                          (json_int_t)counts[0], "not_estimated", (json_int_t)counts[1]));
    return OK;
}

enum err search_undecided_json(struct question *s, json_t **out) {
    *out = json_array();
    if (!*out) return ERR_NOMEM;
    for (unsigned i = 0; i < s->query.n_groups; i++) {
        const struct query_group *g = &s->query.group[i];
        bool seen[FIELD_COUNT] = {[FIELD_CLASS] = true, [FIELD_ACCESSORY] = true};
        if (g->negated || g->optional) continue;
        struct query rest = without_group(&s->query, i);
        for (unsigned k = 0; k < g->n_terms; k++) {
            unsigned f = g->term[k].field;
            if (seen[f]) continue;
            seen[f] = true;
            enum err e = add_undecided(s, &rest, (enum field)f, *out);
            if (e) return e;
        }
    }
    return OK;
}

/* Takes `what`. */
static enum err add_without(struct question *s, const struct query *q, json_t *what, json_t *list) {
    struct index_result *r = calloc(1, sizeof *r);
    enum err e =
        r && what ? index_search(s->ctx->reader, &s->perimeter, q, WITHOUT_DEADLINE_MS, r) : ERR_NOMEM;
    if (e == OK && r->total) {
        json_object_set_new(what, "total", json_integer((json_int_t)r->total));
        json_array_append(list, what);
    }
    index_result_fini(r);
    free(r);
    json_decref(what);
    return e == ERR_TIMEOUT ? OK : e; /* a hint that takes long is left out */
}

static json_t *group_name(const struct question *s, const struct query_group *g) {
    json_t *values = json_array();
    for (unsigned k = 0; k < g->n_terms; k++) {
        const struct vocab_value *v = vocab_by_id(s->ctx->vocab, (enum field)g->term[k].field, g->term[k].id);
        if (v)
            json_array_append_new(values, json_pack("{s:s,s:s,s:s}", "field", field_name(v->field), "value",
                                                    v->name, "label", search_label(v, s->language)));
    }
    return json_pack("{s:s,s:o,s:b}", "field", field_name((enum field)g->term[0].field), "values", values,
                     "not", (int)g->negated);
}

enum err search_without_json(struct question *s, json_t **out) {
    enum err e = OK;
    *out = json_array();
    if (!*out) return ERR_NOMEM;
    for (unsigned i = 0; !e && i < s->query.n_groups; i++) {
        if (s->query.group[i].optional) continue;
        struct query rest = without_group(&s->query, i);
        e = add_without(s, &rest, group_name(s, &s->query.group[i]), *out);
    }
    struct query rest = s->query;
    rest.limit = 1;
    rest.offset = 0;
    if (!e && rest.n_periods) {
        rest.n_periods = 0;
        e = add_without(s, &rest, json_pack("{s:s}", "field", "time"), *out);
        rest.n_periods = s->query.n_periods;
    }
    if (!e && rest.n_cameras && !rest.n_area) {
        rest.n_cameras = 0;
        e = add_without(s, &rest, json_pack("{s:s}", "field", "camera"), *out);
        rest.n_cameras = s->query.n_cameras;
    }
    if (!e && rest.plate_mode != QUERY_PLATE_NONE) {
        rest.plate_mode = QUERY_PLATE_NONE;
        e = add_without(s, &rest, json_pack("{s:s}", "field", "plate"), *out);
        rest.plate_mode = s->query.plate_mode;
    }
    if (!e && (rest.min_duration_ms || rest.max_duration_ms)) {
        rest.min_duration_ms = rest.max_duration_ms = 0;
        e = add_without(s, &rest, json_pack("{s:s}", "field", "duration"), *out);
    }
    return e;
}
