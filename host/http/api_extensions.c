/* SPDX-License-Identifier: Apache-2.0 */
/* /cases/ID/extensions: what a case asks for beyond its requisition, and the second person's word on it. */
#include "host/http/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/log.h"
#include "host/case/extension.h"
#include "host/http/field.h"

#define MOMENT_MAX_MS 253402300799999LL /* the year 9999 */

struct extension_work {
    struct extension x;
    const char *lines[API_LINES_MAX];
    uint64_t id;
    bool approve;
    char reason[EXTENSION_REASON_MAX + 1];
};

static void work_free(void *arg) {
    struct extension_work *w = arg;
    if (w) extension_fini(&w->x);
    free(w);
}

static json_t *moment_json(int64_t ms) {
    return ms ? json_integer(ms) : json_null();
}

/* NULL = the register failed. */
static json_t *extension_json(const struct http_context *ctx, const struct extension *x,
                              const struct camera *cameras, unsigned n_cameras) {
    json_t *lines = json_array();
    const enum err e = extension_lines(ctx->reg, x->id, api_add_line, lines);
    if (e != OK || json_array_size(lines) == 0) {
        json_decref(lines);
        if (e != OK) return NULL;
        lines = json_null();
    }
    json_t *ids =
        x->n_cameras ? api_camera_ids_json(x->cameras, x->n_cameras, cameras, n_cameras) : json_null();
    const bool open = strcmp(x->state, "pending") == 0;
    return json_pack("{s:I,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:s,s:I,s:o,s:o,s:o}", "id", (json_int_t)x->id,
                     "state", x->state, "reason", x->reason, "doc_sha256", x->doc_sha256, "from_ms",
                     moment_json(x->from_ms), "to_ms", moment_json(x->to_ms), "expires_ms",
                     moment_json(x->expires_ms), "camera_ids", ids, "criteria", lines, "by", x->by, "at_ms",
                     (json_int_t)x->at_ms, "decided_by", open ? json_null() : json_string(x->decided_by),
                     "decided_ms", open ? json_null() : json_integer(x->decided_ms), "decided_reason",
                     open ? json_null() : json_string(x->decided_reason));
}

json_t *api_extensions_json(const struct exchange *x, const char *case_id) {
    struct extension *list = NULL;
    struct camera *cameras = NULL;
    unsigned n = 0, n_cameras = 0;
    json_t *out = NULL;
    enum err e = camera_list(x->ctx->reg, &cameras, &n_cameras);
    if (e == OK) e = extension_list(x->ctx->reg, case_id, &list, &n);
    if (e == OK) out = json_array();
    for (unsigned i = 0; i < n; i++) {
        if (out && json_array_append_new(out, extension_json(x->ctx, &list[i], cameras, n_cameras)) != 0) {
            json_decref(out);
            out = NULL;
        }
        extension_fini(&list[i]);
    }
    if (e != OK) log_error("http", "resource=extensions err=%s", err_text(e));
    free(list);
    free(cameras);
    return out;
}

void api_extensions_get(struct exchange *x) {
    if (!exchange_case_of_path(x)) return;
    json_t *items = api_extensions_json(x, x->c.id);
    if (items)
        exchange_json(x, 200, json_pack("{s:o}", "items", items));
    else
        exchange_err(x, ERR_IO);
}

static void answer_extension(struct exchange *x) {
    const struct extension_work *w = x->work;
    struct extension now;
    struct camera *cameras = NULL;
    unsigned n_cameras = 0;
    if (extension_get(x->ctx->reg, x->c.id, w->id, &now) != OK) return;
    if (camera_list(x->ctx->reg, &cameras, &n_cameras) == OK)
        x->answer = extension_json(x->ctx, &now, cameras, n_cameras);
    free(cameras);
    extension_fini(&now);
}

static enum err ask(struct register_db *r, struct exchange *x) {
    struct extension_work *w = x->work;
    const enum err e = extension_ask(r, &w->x, w->lines);
    if (e == ERR_USAGE) return act_bad_field(x, "extension", "order");
    if (e == ERR_MISSING) return act_refuse(x, 409, "case_closed", NULL, "The case is closed.");
    if (e) return e;
    w->id = w->x.id;
    snprintf(x->object, sizeof x->object, "%llu", (unsigned long long)w->id);
    x->detail = json_deep_copy(x->asked);
    x->status = 201;
    return OK;
}

void api_extensions_post(struct exchange *x) {
    static const char *const known[] = {"reason",     "doc_sha256", "from_ms",    "to_ms",
                                        "camera_ids", "criteria",   "expires_ms", NULL};
    if (!exchange_case_of_path(x) || !exchange_case_open(x) || !exchange_asked(x, known)) return;
    struct extension_work *w = x->work = calloc(1, sizeof *w);
    x->work_free = work_free;
    if (!w) {
        exchange_err(x, ERR_NOMEM);
        return;
    }
    struct extension *e = &w->x;
    snprintf(e->case_id, sizeof e->case_id, "%s", x->c.id);
    snprintf(e->by, sizeof e->by, "%s", x->who.user.login);
    if (field_text(x, x->asked, "reason", FIELD_NEEDED, e->reason, sizeof e->reason) &&
        field_sha256(x, x->asked, "doc_sha256", FIELD_NEEDED, e->doc_sha256) &&
        field_integer(x, x->asked, "from_ms", FIELD_OPTIONAL, 1, MOMENT_MAX_MS, &e->from_ms) &&
        field_integer(x, x->asked, "to_ms", FIELD_OPTIONAL, 1, MOMENT_MAX_MS, &e->to_ms) &&
        field_integer(x, x->asked, "expires_ms", FIELD_OPTIONAL, 1, MOMENT_MAX_MS, &e->expires_ms) &&
        field_cameras(x, x->asked, "camera_ids", FIELD_OPTIONAL, &e->cameras, &e->n_cameras) &&
        api_read_lines(x, x->asked, false, e->criteria, sizeof e->criteria, w->lines))
        exchange_act(x, "extension.ask", ask, answer_extension);
}

static enum err decide(struct register_db *r, struct exchange *x) {
    const struct extension_work *w = x->work;
    struct extension before;
    snprintf(x->object, sizeof x->object, "%llu", (unsigned long long)w->id);
    x->detail = json_pack("{s:b,s:s}", "approved", (int)w->approve, "reason", w->reason);
    const enum err e = extension_decide(r, x->c.id, w->id, w->approve, x->who.user.login, w->reason);
    if (e == ERR_DENIED)
        return act_refuse_journalled(x, 403, "needs_second_person", NULL,
                                     "Another person than the one who asked must decide.");
    if (e != ERR_EXISTS) return e;
    if (extension_get(r, x->c.id, w->id, &before) != OK) return ERR_IO;
    json_t *params = json_pack("{s:s,s:s}", "state", before.state, "by", before.decided_by);
    extension_fini(&before);
    return act_refuse(x, 409, "already_decided", params, "Somebody has decided already.");
}

static void decide_extension(struct exchange *x, bool approve) {
    static const char *const known[] = {"reason", NULL};
    if (!exchange_case_of_path(x) || !exchange_case_open(x) || !exchange_asked(x, known)) return;
    struct extension_work *w = x->work = calloc(1, sizeof *w);
    x->work_free = work_free;
    if (!w) {
        exchange_err(x, ERR_NOMEM);
        return;
    }
    w->approve = approve;
    if (!router_u64(x->match.parameter[1], &w->id))
        exchange_err(x, ERR_MISSING);
    else if (field_text(x, x->asked, "reason", FIELD_OPTIONAL, w->reason, sizeof w->reason))
        exchange_act(x, approve ? "extension.approve" : "extension.refuse", decide, answer_extension);
}

void api_extension_approve_post(struct exchange *x) {
    decide_extension(x, true);
}

void api_extension_refuse_post(struct exchange *x) {
    decide_extension(x, false);
}
