/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the JSON body of a search: refused, or a query that the index accepts and that lies in the
 * case. */
#include <string.h>

#include <jansson.h>

#include "host/search/search_internal.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/sentence_case.h"

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x)) abort();                                                                                   \
    } while (0)

static void check(const struct question *s) {
    const struct query *q = &s->query;
    REQUIRE(q->limit >= 1 && q->limit <= SEARCH_LIMIT_MAX && q->offset <= SEARCH_OFFSET_MAX);
    REQUIRE(q->n_groups <= QUERY_GROUPS_MAX && q->n_periods <= QUERY_PERIODS_MAX &&
            q->n_area <= QUERY_AREA_MAX);
    for (unsigned i = 0; i < q->n_groups; i++)
        REQUIRE(q->group[i].n_terms > 0 && q->group[i].n_terms <= QUERY_TERMS_MAX);
    for (unsigned i = 0; i < q->n_periods; i++)
        REQUIRE(q->period[i].from_ms >= CASE_FROM_MS && q->period[i].to_ms <= CASE_TO_MS &&
                q->period[i].from_ms < q->period[i].to_ms);
    for (unsigned i = 0; i < q->n_cameras; i++) REQUIRE(q->cameras[i] >= 1 && q->cameras[i] <= CASE_ALLOWED);
    REQUIRE(memchr(q->plate, 0, sizeof q->plate) && q->max_slips <= 2);
    REQUIRE(q->min_duration_ms >= 0 && q->max_duration_ms >= 0 && q->together_ms >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static struct question s;
    struct case_file open_case = {.from_ms = CASE_FROM_MS,
                                  .to_ms = CASE_TO_MS,
                                  .cameras = case_allowed,
                                  .n_cameras = CASE_ALLOWED,
                                  .criteria = "all"};
    const struct search_context ctx = {.vocab = fuzz_words()->vocab,
                                       .c = &open_case,
                                       .cameras = case_cameras,
                                       .n_cameras = CASE_CAMERAS,
                                       .tz = "Europe/Paris",
                                       .language = "fr"};
    json_t *body = json_loadb((const char *)data, n, JSON_REJECT_DUPLICATES, NULL);
    if (!body) return 0;
    s = (struct question){.ctx = &ctx, .language = VOCAB_FR, .zone = fuzz_words()->zone};
    case_perimeter(&open_case, &s.perimeter);
    enum err e = json_is_object(body) ? search_body_read(&s, body) : ERR_USAGE;
    if (e == OK)
        check(&s);
    else
        REQUIRE(e == ERR_USAGE || e == ERR_DENIED);
    query_fini(&s.query);
    json_decref(s.params);
    json_decref(body);
    return 0;
}
