/* SPDX-License-Identifier: Apache-2.0 */
/* GET /sightings/ID: one passage with its path over the picture. */
#include "host/http/api.h"

#include <stdlib.h>

#include "host/base/clock.h"
#include "host/http/login.h"
#include "host/search/search.h"

#define NORM 65536.0

static json_t *box_json(const struct box_norm *b) {
    return json_pack("[f,f,f,f]", b->x0 / NORM, b->y0 / NORM, (b->x1 - b->x0) / NORM, (b->y1 - b->y0) / NORM);
}

/* [[ms, x, y, w, h], ...] in parts of the shown picture. */
static json_t *path_json(const struct sighting *s) {
    json_t *out = json_array();
    for (unsigned i = 0; i < s->n_path && i < SIGHTING_PATH_MAX; i++) {
        json_t *point = box_json(&s->path[i].box);
        json_array_insert_new(point, 0, json_integer(s->path[i].at_ms));
        json_array_append_new(out, point);
    }
    return out;
}

static json_t *recording_json(const struct recording *r) {
    return json_pack("{s:I,s:s,s:i,s:i,s:i,s:s,s:I,s:I}", "id", (json_int_t)r->id, "sha256", r->sha256,
                     "w_px", (int)r->w_px, "h_px", (int)r->h_px, "fps_milli", (int)r->fps_milli, "codec",
                     r->codec, "from_ms", (json_int_t)r->start_ms, "to_ms",
                     (json_int_t)(r->start_ms + r->duration_us / 1000));
}

void api_sighting_get(struct exchange *x) {
    uint64_t id;
    struct perimeter p;
    struct sighting s = {0};
    struct recording r;
    struct camera *cameras = NULL;
    unsigned n_cameras = 0;
    if (!exchange_case(x)) return;
    case_perimeter(&x->c, &p);
    enum err e =
        router_u64(x->match.parameter[0], &id) ? index_sighting_get(x->ctx->reader, &p, id, &s) : ERR_MISSING;
    if (e == OK) e = index_recording_get(x->ctx->reader, s.recording_id, &r);
    if (e == OK) e = camera_list(x->ctx->reg, &cameras, &n_cameras);
    if (e != OK) {
        exchange_err(x, e);
    } else {
        struct search_context search = {.vocab = x->ctx->vocab,
                                        .reader = x->ctx->reader,
                                        .c = &x->c,
                                        .cameras = cameras,
                                        .n_cameras = n_cameras,
                                        .now_ms = clock_wall_ms(),
                                        .tz = x->ctx->tz,
                                        .language = "fr"};
        json_t *item = search_sighting_json(&search, &s);
        json_object_set_new(item, "path", path_json(&s));
        json_object_set_new(item, "recording", recording_json(&r));
        api_mark(x, item);
        if (login_was_shown(x, id))
            exchange_json(x, 200, item);
        else
            exchange_journal_json(x, "view", json_pack("{s:[s]}", "ids", x->match.parameter[0]), 200, item);
    }
    free(cameras);
    free(s.thumbnail_jpeg);
}
