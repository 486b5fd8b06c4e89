/* SPDX-License-Identifier: Apache-2.0 */
/* GET /coverage: what was looked at, of a part of the case. */
#include "host/http/api.h"

#include <stdlib.h>
#include <string.h>

static const char *state_name(enum coverage_state s) {
    static const char *const names[] = {"indexed", "damaged", "failed", "night"};
    return (unsigned)s < sizeof names / sizeof *names ? names[s] : "failed";
}

/* Leaves the cameras of ?cameras=ID,ID in the perimeter; false: one is not the case's. */
static bool choose(const char *list, const struct camera *all, unsigned n_all, const struct perimeter *p,
                   uint16_t *out, unsigned *n) {
    for (const char *id = list; *id; id += strspn(id, ",")) {
        const size_t len = strcspn(id, ",");
        uint16_t number = 0;
        bool allowed = false;
        for (unsigned i = 0; i < n_all; i++)
            if (strlen(all[i].id) == len && strncmp(all[i].id, id, len) == 0) number = all[i].number;
        for (unsigned i = 0; i < p->n_cameras; i++) allowed |= number > 0 && p->cameras[i] == number;
        if (!allowed || *n == p->n_cameras) return false;
        out[(*n)++] = number;
        id += len;
    }
    return *n > 0;
}

static json_t *spans_json(const struct coverage_span *spans, size_t n, const struct camera *all,
                          unsigned n_all) {
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        const char *id = "";
        for (unsigned k = 0; k < n_all; k++)
            if (all[k].number == spans[i].camera_number) id = all[k].id;
        json_array_append_new(out,
                              json_pack("{s:s,s:I,s:I,s:s,s:s}", "camera_id", id, "from_ms",
                                        (json_int_t)spans[i].from_ms, "to_ms", (json_int_t)spans[i].to_ms,
                                        "state", state_name(spans[i].state), "reason", spans[i].reason));
    }
    return out;
}

static bool read_moment(const struct exchange *x, const char *name, int64_t *ms) {
    char text[24];
    uint64_t v;
    if (!exchange_query(x, name, text, sizeof text)) return true;
    if (!router_u64(text, &v) || v > INT64_MAX / 2) return false;
    *ms = (int64_t)v;
    return true;
}

void api_coverage_get(struct exchange *x) {
    char list[4096];
    struct perimeter p;
    struct camera *all = NULL;
    struct coverage_span *spans = NULL;
    uint16_t *chosen = NULL;
    unsigned n_all = 0, n = 0;
    size_t n_spans = 0;
    if (!exchange_case(x)) return;
    case_perimeter(&x->c, &p);
    int64_t from_ms = p.from_ms, to_ms = p.to_ms;
    if (!read_moment(x, "from_ms", &from_ms) || !read_moment(x, "to_ms", &to_ms)) {
        exchange_err(x, ERR_USAGE);
        return;
    }
    if (from_ms > p.from_ms) p.from_ms = from_ms;
    if (to_ms < p.to_ms) p.to_ms = to_ms;
    enum err e = camera_list(x->ctx->reg, &all, &n_all);
    if (e == OK && exchange_query(x, "cameras", list, sizeof list)) {
        chosen = calloc(p.n_cameras ? p.n_cameras : 1, sizeof *chosen);
        e = !chosen ? ERR_NOMEM : choose(list, all, n_all, &p, chosen, &n) ? OK : ERR_MISSING;
        p.cameras = chosen;
        p.n_cameras = n;
    }
    if (e == OK && p.to_ms > p.from_ms) e = index_coverage(x->ctx->reader, &p, &spans, &n_spans);
    json_t *out = e == OK ? spans_json(spans, n_spans, all, n_all) : NULL;
    free(spans);
    free(chosen);
    free(all);
    if (e != OK)
        exchange_err(x, e);
    else
        exchange_json(x, 200, json_pack("{s:o}", "spans", out));
}
