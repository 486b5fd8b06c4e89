/* SPDX-License-Identifier: Apache-2.0 */
#include "host/search/search.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/search/search_internal.h"

#define SEARCH_DEADLINE_MS 5000u
#define FACETS_MAX         256u

enum err question_refuse(struct question *s, enum err e, const char *code, json_t *params) {
    if (s->code) {
        json_decref(params);
        return e;
    }
    s->code = code;
    s->params = params;
    return e;
}

/* ---- the sentence ------------------------------------------------------------------------------------ */

static enum err refuse_sentence(struct question *s, enum grammar_stop stop) {
    switch (stop) {
    case GRAMMAR_STOP_REFUSED: {
        const struct grammar_token *t = &s->said->tokens[s->said->stop_token];
        return question_refuse(s, ERR_DENIED, "refused_word",
                               json_pack("{s:s,s:s}", "reason", t->value, "note", t->note));
    }
    case GRAMMAR_STOP_PERIOD:
        return question_refuse(s, ERR_USAGE, "outside_period", NULL);
    case GRAMMAR_STOP_CAMERAS:
        return question_refuse(s, ERR_USAGE, "outside_cameras", NULL);
    case GRAMMAR_STOP_NOTHING:
        return question_refuse(s, ERR_USAGE, "not_understood", NULL);
    case GRAMMAR_STOP_TWO_OBJECTS:
        return question_refuse(s, ERR_USAGE, "two_objects", NULL);
    case GRAMMAR_STOP_TOO_LONG:
        return question_refuse(s, ERR_USAGE, "too_long", NULL);
    case GRAMMAR_GOES:
    default:
        return OK;
    }
}

static enum err read_sentence(struct question *s, const char *sentence) {
    const struct search_context *ctx = s->ctx;
    struct grammar_input in = {.vocab = ctx->vocab,
                               .text = sentence,
                               .language = s->language,
                               .now_ms = ctx->now_ms,
                               .zone = s->zone,
                               .from_ms = ctx->c->from_ms,
                               .to_ms = ctx->c->to_ms,
                               .cameras = ctx->cameras,
                               .n_cameras = ctx->n_cameras,
                               .groups = ctx->groups,
                               .n_groups = ctx->n_groups,
                               .allowed = ctx->c->cameras,
                               .n_allowed = ctx->c->n_cameras};
    s->sentence = sentence;
    s->said = calloc(1, sizeof *s->said);
    if (!s->said) return ERR_NOMEM;
    enum err e = grammar_parse(&in, s->said);
    if (e) return e;
    s->query = s->said->query; /* the cameras go over to it */
    s->said->query.cameras = NULL;
    s->said->query.n_cameras = 0;
    return refuse_sentence(s, s->said->stop);
}

/* ---- what the case allows ---------------------------------------------------------------------------- */

static bool value_allowed(const struct question *s, unsigned field, unsigned id) {
    const struct vocab_value *v = vocab_by_id(s->ctx->vocab, (enum field)field, id);
    return case_allows(s->ctx->c, v ? v->criterion : vocab_field_criterion(s->ctx->vocab, (enum field)field));
}

/* "véhicule" names no type: any criterion about vehicles covers it. */
static bool is_any_vehicle(const struct question *s, const struct query_group *q) {
    static const char *const all[] = {"car", "bus", "truck", "motorcycle"};
    for (unsigned i = 0; i < 4; i++) {
        const struct vocab_value *v = vocab_by_name(s->ctx->vocab, FIELD_CLASS, all[i]);
        bool found = false;
        for (unsigned k = 0; v && k < q->n_terms; k++)
            found = found || (q->term[k].field == FIELD_CLASS && q->term[k].id == v->id);
        if (!found) return false;
    }
    return case_allows(s->ctx->c, "vehicle.color") || case_allows(s->ctx->c, "vehicle.plate") ||
           case_allows(s->ctx->c, "vehicle.make_model") || case_allows(s->ctx->c, "vehicle.extra");
}

/* Drops, from a colour that may be of several things ("en rouge"), what the case does not allow; refuses when
 * nothing is left. */
static enum err check_group(struct question *s, struct query_group *q) {
    unsigned n = 0;
    bool mixed = false;
    const char *missing = "";
    for (unsigned i = 1; i < q->n_terms; i++) mixed = mixed || q->term[i].field != q->term[0].field;
    if (is_any_vehicle(s, q)) return OK;
    for (unsigned i = 0; i < q->n_terms; i++) {
        if (value_allowed(s, q->term[i].field, q->term[i].id)) {
            q->term[n++] = q->term[i];
            continue;
        }
        const struct vocab_value *v = vocab_by_id(s->ctx->vocab, (enum field)q->term[i].field, q->term[i].id);
        missing = v ? v->criterion : vocab_field_criterion(s->ctx->vocab, (enum field)q->term[i].field);
        if (!mixed) break;
    }
    if (n == q->n_terms || (mixed && n > 0)) {
        q->n_terms = (uint8_t)n;
        return OK;
    }
    return question_refuse(s, ERR_DENIED, "criterion_not_allowed", json_pack("{s:s}", "criterion", missing));
}

static enum err check_criterion(struct question *s, bool asked, const char *criterion) {
    if (!asked || case_allows(s->ctx->c, criterion)) return OK;
    return question_refuse(s, ERR_DENIED, "criterion_not_allowed",
                           json_pack("{s:s}", "criterion", criterion));
}

static enum err check_criteria(struct question *s) {
    struct query *q = &s->query;
    enum err e = OK;
    for (unsigned i = 0; !e && i < q->n_groups; i++) e = check_group(s, &q->group[i]);
    if (!e) e = check_criterion(s, q->plate_mode != QUERY_PLATE_NONE, "vehicle.plate");
    if (!e) e = check_criterion(s, q->like_id != 0, "vehicle.similar");
    if (!e) e = check_criterion(s, q->n_area != 0 || q->direction != QUERY_ANY_WAY, "motion.area");
    for (unsigned i = 0; i < q->n_groups; i++)
        for (unsigned k = 0; k < q->group[i].n_terms; k++) {
            unsigned f = q->group[i].term[k].field;
            s->has_colour = s->has_colour || f == FIELD_VEHICLE_COLOUR || f == FIELD_UPPER_COLOUR ||
                            f == FIELD_LOWER_COLOUR;
        }
    return e;
}

/* ---- the answer -------------------------------------------------------------------------------------- */

static json_t *histogram_json(const struct index_result *r) {
    json_t *hits = json_array();
    for (unsigned i = 0; i < r->n_histogram; i++) json_array_append_new(hits, json_integer(r->histogram[i]));
    return json_pack("{s:I,s:I,s:o}", "from_ms", (json_int_t)r->histogram_from_ms, "step_ms",
                     (json_int_t)r->histogram_step_ms, "hits", hits);
}

/* Counts per value of the fields people narrow by, within this very question. */
static enum err facets_json(struct question *s, json_t **out) {
    static const enum field fields[] = {FIELD_CLASS, FIELD_VEHICLE_COLOUR, FIELD_UPPER_COLOUR,
                                        FIELD_LOWER_COLOUR, FIELD_ACCESSORY};
    uint32_t numbers[FACETS_MAX];
    const struct vocab_value *values[FACETS_MAX];
    uint64_t counts[FACETS_MAX];
    unsigned n = 0;
    size_t n_all;
    const struct vocab_value *all = vocab_all(s->ctx->vocab, &n_all);
    for (size_t i = 0; i < n_all && n < FACETS_MAX; i++) {
        bool listed = false;
        for (unsigned f = 0; f < sizeof fields / sizeof *fields; f++)
            listed = listed || all[i].field == fields[f];
        if (!listed || !case_allows(s->ctx->c, all[i].criterion)) continue;
        values[n] = &all[i];
        numbers[n++] = vocab_number(all[i].field, all[i].id, false);
    }
    *out = json_object();
    if (!*out) return ERR_NOMEM;
    if (n == 0) return OK;
    enum err e = index_facets(s->ctx->reader, &s->perimeter, &s->query, numbers, n, counts);
    if (e) return e;
    for (unsigned i = 0; i < n; i++) {
        if (counts[i] == 0) continue;
        const char *field = field_name(values[i]->field);
        json_t *o = json_object_get(*out, field);
        if (!o) {
            o = json_object();
            if (json_object_set_new(*out, field, o)) return ERR_NOMEM;
        }
        json_object_set_new(o, values[i]->name, json_integer((json_int_t)counts[i]));
    }
    return OK;
}

static json_t *items_json(const struct question *s, const struct index_result *r) {
    json_t *items = json_array();
    for (unsigned i = 0; i < r->n_hits; i++)
        json_array_append_new(items, search_hit_json(s->ctx, &r->hits[i]));
    return items;
}

static enum err answer_question(struct question *s, json_t **answer) {
    uint64_t began_ns = clock_mono_ns();
    json_t *coverage = NULL, *facets = NULL, *undecided = NULL, *without = NULL;
    struct index_result *r = calloc(1, sizeof *r);
    if (!r) return ERR_NOMEM;
    enum err e = index_search(s->ctx->reader, &s->perimeter, &s->query, SEARCH_DEADLINE_MS, r);
    if (!e && s->wants_facets) e = facets_json(s, &facets);
    if (!e) e = search_coverage_json(s, &coverage);
    if (!e) e = search_undecided_json(s, &undecided);
    if (!e && r->total == 0) e = search_without_json(s, &without);
    if (!e) {
        uint64_t end = (uint64_t)s->query.offset + r->n_hits;
        *answer = json_pack("{s:I,s:i,s:i,s:o*,s:o*,s:o,s:o}", "total", (json_int_t)r->total, "offset",
                            (int)s->query.offset, "limit", (int)s->query.limit, "coverage", coverage,
                            "facets", facets, "histogram", histogram_json(r), "items", items_json(s, r));
        coverage = facets = NULL;
        e = *answer ? OK : ERR_NOMEM;
        if (!e) {
            json_object_set(*answer, "undecided", undecided);
            if (without) json_object_set(*answer, "without", without);
            json_object_set_new(*answer, "next_offset",
                                r->n_hits && end < r->total ? json_integer((json_int_t)end) : json_null());
            json_object_set_new(*answer, "tz", json_string(s->ctx->tz));
            json_object_set_new(*answer, "cpu_ms", json_real((double)r->cpu_us / 1000.0));
            json_object_set_new(*answer, "took_ms",
                                json_real((double)((clock_mono_ns() - began_ns) / 1000) / 1000.0));
        }
    }
    json_decref(coverage);
    json_decref(facets);
    json_decref(undecided);
    json_decref(without);
    index_result_fini(r);
    free(r);
    return e;
}

/* ---- the doors --------------------------------------------------------------------------------------- */

static bool is_blank(const char *text) {
    return text[strspn(text, " \t\r\n")] == '\0';
}

static enum err run(struct question *s, const json_t *body, json_t **answer) {
    const struct search_context *ctx = s->ctx;
    const json_t *sentence = json_object_get(body, "sentence");
    const char *text = json_string_value(sentence);
    if (!json_is_object(body) || (sentence && !text) ||
        (text && strlen(text) != json_string_length(sentence)))
        return question_refuse(s, ERR_USAGE, "bad_request", NULL);
    s->language = ctx->language && strcmp(ctx->language, "en") == 0 ? VOCAB_EN : VOCAB_FR;
    enum err e = zone_open(ctx->tz, &s->zone);
    if (e) return e;
    case_perimeter(ctx->c, &s->perimeter);
    if (text && !is_blank(text)) e = read_sentence(s, text);
    if (!e) e = search_body_read(s, body);
    if (!e) e = check_criteria(s);
    if (!e) e = answer_question(s, answer);
    if (!e) search_add_words(s, *answer);
    return e;
}

enum err search_json(const struct search_context *ctx, const json_t *body, json_t **answer) {
    /* The question's language holds for the labels of the passages too. */
    struct search_context own = *ctx;
    const char *language = json_string_value(json_object_get(body, "language"));
    if (language) own.language = language;
    struct question s = {.ctx = &own, .language = VOCAB_FR};
    *answer = NULL;
    enum err e = run(&s, body, answer);
    if (e) {
        json_decref(*answer);
        *answer = search_refusal_json(&s, e);
    }
    if (s.said) grammar_fini(s.said);
    free(s.said);
    query_fini(&s.query);
    zone_free(&s.zone);
    json_decref(s.params);
    return e;
}

enum err search_sentence(const struct search_context *ctx, const char *sentence, unsigned limit,
                         unsigned offset, json_t **answer) {
    *answer = NULL;
    json_t *body = json_pack("{s:s,s:I,s:I}", "sentence", sentence, "limit", (json_int_t)limit, "offset",
                             (json_int_t)offset);
    if (!body) return ERR_USAGE; /* not UTF-8 */
    enum err e = search_json(ctx, body, answer);
    json_decref(body);
    return e;
}
