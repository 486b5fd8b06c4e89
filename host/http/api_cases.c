/* SPDX-License-Identifier: Apache-2.0 */
/* GET /cases and /cases/ID: the cases of this site, with what their requisition allows and what lies in them.
 */
#include "host/http/api.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/log.h"

#define DAY_MS 86400000LL

json_t *api_camera_ids_json(const uint16_t *numbers, unsigned n, const struct camera *cameras,
                            unsigned n_cameras) {
    json_t *out = json_array();
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < n_cameras; k++)
            if (cameras[k].number == numbers[i]) json_array_append_new(out, json_string(cameras[k].id));
    return out;
}

void api_add_line(const char *criterion, const char *line, void *arg) {
    json_array_append_new(arg, json_pack("{s:s,s:s}", "key", criterion, "line", line));
}

static void add_login(const char *login, void *arg) {
    json_array_append_new(arg, json_string(login));
}

/* When the last recording of the case dies; 0 = it has none. */
static int64_t purge_ms(const struct http_context *ctx, const struct case_file *c,
                        const struct camera *cameras, unsigned n_cameras) {
    struct recording *list = NULL;
    size_t n = 0;
    int64_t last_ms = 0;
    if (index_recordings(ctx->reader, c->id, &list, &n) != OK) return 0;
    for (size_t i = 0; i < n; i++) {
        int days = ctx->retention_days;
        for (unsigned k = 0; k < n_cameras; k++)
            if (cameras[k].number == list[i].camera_number && cameras[k].retention_days > 0)
                days = cameras[k].retention_days < days ? cameras[k].retention_days : days;
        const int64_t dies_ms = list[i].start_ms + list[i].duration_us / 1000 + days * DAY_MS;
        if (dies_ms > last_ms) last_ms = dies_ms;
    }
    free(list);
    return last_ms;
}

/* NULL = the register failed, or no memory. */
static json_t *case_json(const struct http_context *ctx, const struct case_file *c,
                         const struct camera *cameras, unsigned n_cameras) {
    struct case_counts n = {0};
    json_t *lines = json_array(), *officers = json_array();
    enum err e = case_lines(ctx->reg, c->id, api_add_line, lines);
    if (e == OK) e = case_officers(ctx->reg, c->id, add_login, officers);
    if (e == OK) e = case_count(ctx->reg, c->id, &n);
    if (e != OK) {
        log_error("http", "resource=case err=%s", err_text(e));
        json_decref(lines);
        json_decref(officers);
        return NULL;
    }
    return json_pack(
        "{s:s,s:{s:s,s:s,s:s,s:s,s:s},s:I,s:I,s:o,s:o,s:o,s:o,s:s,s:I,s:I,s:s,s:I,s:s,s:I,s:i,s:i}", "id",
        c->id, "requisition", "no", c->requisition, "authority", c->authority, "legal_basis", c->basis,
        "offence", c->offence, "doc_sha256", c->doc_sha256, "from_ms", (json_int_t)c->from_ms, "to_ms",
        (json_int_t)c->to_ms, "camera_ids", api_camera_ids_json(c->cameras, c->n_cameras, cameras, n_cameras),
        "allowed_criteria", api_words_json(c->criteria), "criteria", lines, "officers", officers, "state",
        c->state, "opened_ms", (json_int_t)c->opened_ms, "expires_ms", (json_int_t)c->expires_ms, "opened_by",
        c->opened_by, "closed_ms", (json_int_t)c->closed_ms, "closed_by", c->closed_by, "purge_ms",
        (json_int_t)purge_ms(ctx, c, cameras, n_cameras), "n_exhibits", (int)n.n_exhibits,
        "n_extensions_pending", (int)n.n_extensions_pending);
}

/* An officer sees the cases that name him. */
static bool may_see(const struct exchange *x, const struct case_file *c) {
    bool named = true;
    if (x->who.user.role != ROLE_OFFICER) return true;
    return case_has_officer(x->ctx->reg, c->id, x->who.user.login, &named) == OK && named;
}

json_t *api_cases_json(const struct exchange *x) {
    const struct http_context *ctx = x->ctx;
    struct case_file *cases = NULL;
    struct camera *cameras = NULL;
    unsigned n_cases = 0, n_cameras = 0;
    json_t *out = NULL;
    enum err e = camera_list(ctx->reg, &cameras, &n_cameras);
    if (e == OK) e = case_list(ctx->reg, &cases, &n_cases);
    if (e == OK) out = json_array();
    for (unsigned i = 0; i < n_cases; i++) {
        if (out && may_see(x, &cases[i]) &&
            json_array_append_new(out, case_json(ctx, &cases[i], cameras, n_cameras)) != 0) {
            json_decref(out);
            out = NULL;
        }
        case_fini(&cases[i]);
    }
    if (e != OK) log_error("http", "resource=cases err=%s", err_text(e));
    free(cases);
    free(cameras);
    return out;
}

void api_cases_get(struct exchange *x) {
    json_t *list = api_cases_json(x);
    exchange_json(x, list ? 200 : 500, json_pack("{s:o}", "items", list));
}

json_t *api_case_json(const struct exchange *x, const char *id) {
    struct case_file c;
    struct camera *cameras = NULL;
    unsigned n_cameras = 0;
    json_t *out = NULL;
    if (case_get(x->ctx->reg, id, &c) != OK) return NULL;
    if (camera_list(x->ctx->reg, &cameras, &n_cameras) == OK) out = case_json(x->ctx, &c, cameras, n_cameras);
    free(cameras);
    case_fini(&c);
    return out;
}

void api_case_get(struct exchange *x) {
    if (!exchange_case_of_path(x)) return;
    json_t *body = api_case_json(x, x->c.id), *extensions = api_extensions_json(x, x->c.id);
    if (!body || !extensions || json_object_set_new(body, "extensions", extensions) != 0) {
        json_decref(body);
        exchange_err(x, ERR_IO);
        return;
    }
    exchange_json(x, 200, body);
}
