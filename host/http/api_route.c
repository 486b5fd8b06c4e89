/* SPDX-License-Identifier: Apache-2.0 */
/* POST /routes: one vehicle from camera to camera, or the same plate at one camera and then at another. */
#include "host/http/api.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/search/search.h"

static void add_ids(json_t *ids, const json_t *list, const char *inside) {
    size_t i;
    const json_t *o;
    json_array_foreach(list, i, o) {
        const json_t *item = inside ? json_object_get(o, inside) : o;
        if (json_is_object(item)) json_array_append(ids, json_object_get(item, "id"));
    }
}

/* What the journal keeps: the question, and every passage that was shown. */
static json_t *journal_of(const json_t *body, const json_t *answer) {
    json_t *ids = json_array();
    size_t i;
    const json_t *next;
    add_ids(ids, json_object_get(answer, "hops"), "sighting");
    json_array_foreach(json_object_get(answer, "next"), i, next)
        add_ids(ids, json_object_get(next, "items"), NULL);
    add_ids(ids, json_object_get(answer, "pairs"), "from");
    add_ids(ids, json_object_get(answer, "pairs"), "to");
    json_t *detail = json_pack("{s:O,s:o}", "asked", body, "ids", ids);
    if (detail && json_object_get(answer, "code"))
        json_object_set(detail, "code", json_object_get(answer, "code"));
    return detail;
}

static int status_of(enum err e, const json_t *answer) {
    const char *code = json_string_value(json_object_get(answer, "code"));
    switch ((int)e) {
    case OK:
        return 200;
    case ERR_DENIED:
        return 403;
    case ERR_MISSING:
        return 404;
    case ERR_USAGE:
        return code && strcmp(code, "bad_request") != 0 ? 422 : 400;
    case ERR_TIMEOUT:
        return 503;
    default:
        return 500;
    }
}

/* ends */
static void answer_route(struct exchange *x, const json_t *body) {
    struct camera *cameras = NULL;
    unsigned n_cameras = 0;
    json_t *answer = NULL;
    enum err e = camera_list(x->ctx->reg, &cameras, &n_cameras);
    if (e == OK) {
        const struct search_context search = {.vocab = x->ctx->vocab,
                                              .reader = x->ctx->reader,
                                              .c = &x->c,
                                              .cameras = cameras,
                                              .n_cameras = n_cameras,
                                              .now_ms = clock_wall_ms(),
                                              .tz = x->ctx->tz,
                                              .language = "fr"};
        e = json_object_get(body, "from_camera_id") ? search_pairs(&search, body, &answer)
                                                    : search_route(&search, body, &answer);
    }
    free(cameras);
    if (!answer) {
        exchange_err(x, e == OK ? ERR_NOMEM : e);
        return;
    }
    api_mark(x, answer);
    exchange_journal_json(x, "route", journal_of(body, answer), status_of(e, answer), answer);
}

void api_route_post(struct exchange *x) {
    if (!exchange_case(x)) return;
    json_t *body = exchange_body(x);
    if (!body) return;
    answer_route(x, body);
    json_decref(body);
}
