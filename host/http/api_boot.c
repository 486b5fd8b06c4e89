/* SPDX-License-Identifier: Apache-2.0 */
/* GET /boot: what the page needs before its first picture. */
#include "host/http/api.h"

#include <string.h>

#include <event2/event.h>

#include "host/base/clock.h"

const char *api_backend(const struct http_context *ctx) {
    struct http_status st = {0};
    if (ctx->status) ctx->status(&st, ctx->arg);
    if (!st.card_ready) return "none";
    return st.simulated ? "simulator" : "card";
}

/* {"class": [{id, name, label_fr, label_en, criterion, offered}], ...}: every value, so that the page can
 * name what an old index holds; `offered` says which may be asked for. */
static json_t *vocabulary(const struct vocab *vocab) {
    size_t n = 0;
    const struct vocab_value *all = vocab_all(vocab, &n);
    json_t *fields = json_object();
    for (size_t i = 0; fields && i < n; i++) {
        const char *field = field_name(all[i].field);
        json_t *list = json_object_get(fields, field);
        if (!list) {
            list = json_array();
            if (json_object_set_new(fields, field, list) != 0) break;
        }
        json_array_append_new(list,
                              json_pack("{s:i,s:s,s:s,s:s,s:s,s:b}", "id", (int)all[i].id, "name",
                                        all[i].name, "label_fr", all[i].label_fr, "label_en", all[i].label_en,
                                        "criterion", all[i].criterion, "offered", (int)all[i].offered));
    }
    return fields;
}

void api_boot_get(struct exchange *x) {
    const struct http_context *ctx = x->ctx;
    struct http_status st = {0};
    if (ctx->status) ctx->status(&st, ctx->arg);
    json_t *cases = rights_allow(x->who.user.role, ACTION_CASE_READ) ? api_cases_json(x) : json_array();
    json_t *cameras = api_cameras_json(ctx);
    exchange_json(x, 200,
                  json_pack("{s:I,s:s,s:s,s:i,s:s,s:{s:s,s:s},s:[ss],s:o,s:o,s:o}", "server_ms",
                            (json_int_t)clock_wall_ms(), "tz", ctx->tz, "version", ctx->version,
                            "retention_days", ctx->retention_days, "backend", api_backend(ctx), "model",
                            "name", st.model, "sha256", st.model_sha256, "languages", "fr", "en", "vocab",
                            vocabulary(ctx->vocab), "cases", cases, "cameras", cameras));
}
