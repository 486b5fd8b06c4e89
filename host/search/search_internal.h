/* SPDX-License-Identifier: Apache-2.0 */
/* search_internal.h - the steps of one search among themselves: body -> question -> perimeter and criteria ->
 * index
 * -> answer. */
#ifndef HOST_SEARCH_SEARCH_INTERNAL_H
#define HOST_SEARCH_SEARCH_INTERNAL_H

#include "host/search/grammar.h"
#include "host/search/search.h"

#define SEARCH_LIMIT_DEFAULT 50u
#define SEARCH_LIMIT_MAX     200u
#define SEARCH_OFFSET_MAX    100000000u

/* One question on its way. Everything in it is owned by it but ctx. */
struct question {
    const struct search_context *ctx;
    int language;         /* of labels and messages: VOCAB_FR or VOCAB_EN */
    const char *sentence; /* borrowed from the body; NULL = none */
    struct zone *zone;
    struct perimeter perimeter;
    struct grammar_result *said; /* the sentence's tokens; NULL when there was none */
    struct query query;          /* what goes to the index */
    bool wants_facets;           /* the body may do without: they cost more than the rest */
    bool has_colour;             /* asks for a colour: what was filmed at night was not really searched */
    const char *code;            /* why it is refused, NULL = not */
    json_t *params;              /* of the refusal */
};

/* Refuses: code for programs (API.md), params for the message; takes `params`. Gives e back. */
enum err question_refuse(struct question *s, enum err e, const char *code, json_t *params);

/* search_refusal.c: what the user is told instead of an answer; NULL when the error is a fault of ours. */
json_t *search_refusal_json(const struct question *s, enum err e);
/* tokens[], ignored[] and refused[] of the sentence, into an answer or a refusal. */
void search_add_words(const struct question *s, json_t *answer);

/* search_body.c: the JSON body's own members (all but the sentence) joined to s->query. */
MUST_CHECK enum err search_body_read(struct question *s, const json_t *body);
/* Its member `time` alone: cuts s->query's periods, within the case's. */
MUST_CHECK enum err search_time_read(struct question *s, const json_t *body);
/* False: `o` is no object, or *odd names a member that is not in the NULL-ended list `known`. */
bool search_only_members(const json_t *o, const char *const *known, const char **odd);
/* A sighting's id, as a number or as text; false: neither. */
bool search_id_read(const json_t *v, uint64_t *id);

/* search_coverage.c: {camera_h, searched_h, cameras, gaps[], n_gaps}. */
MUST_CHECK enum err search_coverage_json(struct question *s, json_t **out);

/* search_doubt.c: of each asked field, how many passages are undecided there although the rest fits; and,
 * when nothing was found, how many there would be without each criterion. New arrays. */
MUST_CHECK enum err search_undecided_json(struct question *s, json_t **out);
MUST_CHECK enum err search_without_json(struct question *s, json_t **out);

/* search_answer.c */
json_t *search_tokens_json(const struct question *s);
json_t *search_hit_json(const struct search_context *ctx, const struct index_hit *hit);
const struct camera *search_camera(const struct search_context *ctx, unsigned number);
const char *search_label(const struct vocab_value *v, int language);

#endif
