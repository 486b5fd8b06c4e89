/* SPDX-License-Identifier: Apache-2.0 */
/* search.h - a sentence or a JSON question -> query -> answer as JSON; the same for `relecture search` and
 * the API. Threads: the caller's; a reader is used by one thread at a time. */
#ifndef HOST_SEARCH_SEARCH_H
#define HOST_SEARCH_SEARCH_H

#include <stdio.h>

#include <jansson.h>

#include "host/base/err.h"
#include "host/base/vocab.h"
#include "host/case/register.h"
#include "host/index/index.h"

struct search_context {
    const struct vocab *vocab;
    struct index_reader *reader;
    const struct case_file *c;    /* the open case: perimeter and criteria */
    const struct camera *cameras; /* the register's, for names; n_cameras of them */
    unsigned n_cameras;
    const struct camera_group *groups; /* the site's saved groups, places of a sentence; n_groups of them */
    unsigned n_groups;
    int64_t now_ms;       /* resolves "hier", "mardi" */
    const char *tz;       /* IANA name: Europe/Paris */
    const char *language; /* "fr" or "en": which words are tried first and what labels say */
};

/* *answer (a new reference): total, took_ms, tokens[], ignored[], refused[], coverage{camera_h, searched_h,
 * gaps[]}, histogram{from_ms,step_ms,hits[]}, facets{field:{value:n}}, items[]. Shapes: host/http/API.md,
 * "Search". ERR_DENIED: a refused word or a criterion outside the case; ERR_USAGE: outside the period or the
 * cameras, nothing understood, a malformed body; ERR_TIMEOUT. On these *answer is {code, message_key, params,
 * message, tokens ...} for the user; on any other error it is NULL. */
MUST_CHECK enum err search_sentence(const struct search_context *ctx, const char *sentence, unsigned limit,
                                    unsigned offset, json_t **answer);
/* The same from the API's body: {sentence, language, limit, offset, sort, time, cameras, where ...}, each
 * optional; what the members ask is joined (AND) to what the sentence asks. */
MUST_CHECK enum err search_json(const struct search_context *ctx, const json_t *body, json_t **answer);
/* One vehicle from camera to camera. Body: {seed_sighting_id, max_kmh}. *answer: {seed, hops[], next[]}
 * (API.md, "Routes"); errors as above, with vehicles_only (ERR_DENIED) and not_found (ERR_MISSING). */
MUST_CHECK enum err search_route(const struct search_context *ctx, const json_t *body, json_t **answer);
/* The same plate at one camera and then at another, the cameras of the case only. Body: {from_camera_id,
 * to_camera_id, within_s, plate, time, limit}. *answer: {total, pairs[{from, to, seconds}]} (API.md,
 * "Routes"); errors as search_json(). */
MUST_CHECK enum err search_pairs(const struct search_context *ctx, const json_t *body, json_t **answer);
void search_pairs_print(FILE *out, const json_t *answer);
void search_route_print(FILE *out, const json_t *answer);
/* One sighting as JSON (items[] of an answer, GET /sightings/ID). */
json_t *search_sighting_json(const struct search_context *ctx, const struct sighting *s);

/* An answer, or what took its place, for a terminal: in English, with the labels of the question's language,
 * times in the site's zone. */
void search_print(FILE *out, const json_t *answer);

#endif
