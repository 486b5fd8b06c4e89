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
    int64_t now_ms;       /* resolves "hier", "mardi" */
    const char *tz;       /* IANA name: Europe/Paris */
    const char *language; /* "fr" or "en": which words are tried first and what labels say */
};

/* *answer (a new reference): search_id? no: total, took_ms, tokens[], ignored[], refused[],
 * coverage{camera_h, searched_h, gaps[]}, histogram{from_ms,step_ms,hits[]}, facets{field:{value:n}},
 * items[]. Shapes: API.md. ERR_DENIED: a refused word or a criterion outside the case; ERR_USAGE: outside the
 * period, nothing understood. On these *answer is {code, message_key, params, message} for the user. */
MUST_CHECK enum err search_sentence(const struct search_context *ctx, const char *sentence, unsigned limit,
                                    unsigned offset, json_t **answer);
/* The same from the API's structured body (operator-page.md section 6). */
MUST_CHECK enum err search_json(const struct search_context *ctx, const json_t *body, json_t **answer);
/* One sighting as JSON (items[] of an answer, GET /sightings/ID). */
json_t *search_sighting_json(const struct search_context *ctx, const struct sighting *s);

/* The answer for a terminal, in English with the labels of the question's language; times in UTC. */
void search_print(FILE *out, const json_t *answer);

#endif
