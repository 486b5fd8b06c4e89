/* SPDX-License-Identifier: Apache-2.0 */
/* GET and POST /search. A sentence travels in the body only: addresses end in histories and logs. */
#include "host/http/api.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/search/search.h"

#define PAGE_DEFAULT 50u

static int by_number(const void *a, const void *b) {
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void count_search(struct http_counters *c, uint64_t us) {
    c->search_us[c->n_searches++ % HTTP_LATENCIES] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

void http_search_percentiles(const struct http_counters *c, double *p50_ms, double *p95_ms) {
    uint32_t sorted[HTTP_LATENCIES];
    size_t n = c->n_searches < HTTP_LATENCIES ? (size_t)c->n_searches : HTTP_LATENCIES;
    *p50_ms = *p95_ms = 0;
    if (n == 0) return;
    memcpy(sorted, c->search_us, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_number);
    *p50_ms = sorted[n / 2] / 1000.0;
    *p95_ms = sorted[n * 95 / 100] / 1000.0;
}

/* What the journal keeps of a search: what was asked, as understood, and which passages were shown. */
static json_t *journal_of(struct index_reader *reader, const json_t *body, const json_t *answer) {
    char index[65];
    json_t *ids = json_array();
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(answer, "items"), i, item)
        json_array_append(ids, json_object_get(item, "id"));
    json_t *detail = json_pack("{s:O,s:o}", "asked", body, "ids", ids);
    static const char *const kept[] = {"tokens", "ignored", "refused", "total", "coverage", "code"};
    for (size_t k = 0; detail && k < sizeof kept / sizeof *kept; k++)
        if (json_object_get(answer, kept[k]))
            json_object_set(detail, kept[k], json_object_get(answer, kept[k]));
    /* The state of the index that answered: the same question to the same state gives the same list. */
    if (detail && index_fingerprint(reader, index) == OK)
        json_object_set_new(detail, "index", json_string(index));
    return detail;
}

static int status_of(enum err e, const json_t *answer) {
    const char *code = json_string_value(json_object_get(answer, "code"));
    if (e == OK) return 200;
    if (e == ERR_DENIED) return 403;
    if (e == ERR_TIMEOUT) return 503;
    if (e != ERR_USAGE) return 500;
    return code && strcmp(code, "bad_request") == 0 ? 400 : 422;
}

/* ends */
static void answer_search(struct exchange *x, const json_t *body) {
    struct camera *cameras = NULL;
    struct camera_group *groups = NULL;
    unsigned n_cameras = 0, n_groups = 0;
    enum err e = camera_list(x->ctx->reg, &cameras, &n_cameras);
    if (e == OK) e = camera_group_list(x->ctx->reg, &groups, &n_groups);
    if (e != OK) {
        free(cameras);
        exchange_err(x, e);
        return;
    }
    struct search_context search = {.vocab = x->ctx->vocab,
                                    .reader = x->ctx->reader,
                                    .c = &x->c,
                                    .cameras = cameras,
                                    .n_cameras = n_cameras,
                                    .groups = groups,
                                    .n_groups = n_groups,
                                    .now_ms = clock_wall_ms(),
                                    .tz = x->ctx->tz,
                                    .language = "fr"};
    json_t *answer = NULL;
    uint64_t began_ns = clock_mono_ns();
    e = search_json(&search, body, &answer);
    count_search(&x->server->counters, (clock_mono_ns() - began_ns) / 1000);
    for (unsigned i = 0; i < n_groups; i++) camera_group_fini(&groups[i]);
    free(groups);
    free(cameras);
    if (!answer) {
        exchange_err(x, e == OK ? ERR_NOMEM : e);
        return;
    }
    api_mark(x, json_object_get(answer, "items"));
    exchange_journal_json(x, "search", journal_of(x->ctx->reader, body, answer), status_of(e, answer),
                          answer);
}

void api_search_post(struct exchange *x) {
    if (!exchange_case(x)) return;
    json_t *body = exchange_body(x);
    if (!body) return;
    answer_search(x, body);
    json_decref(body);
}

/* Everything of the perimeter, by pages. */
void api_search_get(struct exchange *x) {
    static const char *const in_body[] = {"q", "sentence", "plate"};
    char text[32];
    uint64_t limit = PAGE_DEFAULT, offset = 0;
    if (!exchange_case(x)) return;
    for (size_t i = 0; i < sizeof in_body / sizeof *in_body; i++)
        if (exchange_query(x, in_body[i], text, sizeof text)) {
            exchange_error(x, 400, "not_in_address", NULL,
                           "Sentences and plates are sent in the body of a POST, never in an address.");
            return;
        }
    if ((exchange_query(x, "limit", text, sizeof text) && !router_u64(text, &limit)) ||
        (exchange_query(x, "offset", text, sizeof text) && !router_u64(text, &offset))) {
        exchange_err(x, ERR_USAGE);
        return;
    }
    json_t *body = json_pack("{s:I,s:I}", "limit", (json_int_t)limit, "offset", (json_int_t)offset);
    if (!body) {
        exchange_err(x, ERR_NOMEM);
        return;
    }
    answer_search(x, body);
    json_decref(body);
}
