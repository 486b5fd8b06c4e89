/* SPDX-License-Identifier: Apache-2.0 */
/* GET /cases: the cases of this site, with what their requisition allows. */
#include "host/http/api.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/log.h"

static json_t *camera_ids(const struct case_file *c, const struct camera *cameras, unsigned n_cameras) {
    json_t *out = json_array();
    for (unsigned i = 0; i < c->n_cameras; i++)
        for (unsigned k = 0; k < n_cameras; k++)
            if (cameras[k].number == c->cameras[i]) json_array_append_new(out, json_string(cameras[k].id));
    return out;
}

static json_t *case_json(const struct case_file *c, const struct camera *cameras, unsigned n_cameras) {
    return json_pack("{s:s,s:{s:s,s:s,s:s,s:s},s:I,s:I,s:o,s:o,s:s,s:I,s:I}", "id", c->id, "requisition",
                     "no", c->requisition, "authority", c->authority, "legal_basis", c->basis, "offence",
                     c->offence, "from_ms", (json_int_t)c->from_ms, "to_ms", (json_int_t)c->to_ms,
                     "camera_ids", camera_ids(c, cameras, n_cameras), "allowed_criteria",
                     api_words_json(c->criteria), "state", c->state, "opened_ms", (json_int_t)c->opened_ms,
                     "expires_ms", (json_int_t)c->expires_ms);
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
        if (out && may_see(x, &cases[i]))
            json_array_append_new(out, case_json(&cases[i], cameras, n_cameras));
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
