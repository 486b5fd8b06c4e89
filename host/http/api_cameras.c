/* SPDX-License-Identifier: Apache-2.0 */
/* /cameras: columns, not rows: a city of 1,021 cameras is 60 kB this way. An administrator adds and corrects
 * them. */
#include "host/http/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/http/field.h"

#define OFFSET_MAX_MS (366LL * 86400000)

json_t *api_cameras_json(const struct http_context *ctx) {
    struct camera *cameras = NULL;
    unsigned n = 0;
    enum err e = camera_list(ctx->reg, &cameras, &n);
    if (e != OK) {
        log_error("http", "resource=cameras err=%s", err_text(e));
        return NULL;
    }
    json_t *id = json_array(), *name = json_array(), *lat = json_array(), *lon = json_array();
    json_t *heading = json_array(), *fov = json_array(), *offset = json_array(), *days = json_array();
    for (unsigned i = 0; i < n; i++) {
        json_array_append_new(id, json_string(cameras[i].id));
        json_array_append_new(name, json_string(cameras[i].name));
        json_array_append_new(lat, json_real(cameras[i].lat));
        json_array_append_new(lon, json_real(cameras[i].lon));
        json_array_append_new(heading, json_integer(cameras[i].heading_deg));
        json_array_append_new(fov, json_integer(cameras[i].fov_deg));
        json_array_append_new(offset, json_integer(cameras[i].clock_offset_ms));
        json_array_append_new(days, json_integer(cameras[i].retention_days));
    }
    free(cameras);
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "id", id, "name", name, "lat", lat, "lon", lon,
                     "heading_deg", heading, "fov_deg", fov, "clock_offset_ms", offset, "retention_days",
                     days);
}

/* For each camera, in the order of the columns: the end of its last recording; 0 = nothing yet. */
static json_t *last_recorded(const struct http_context *ctx) {
    struct camera *cameras = NULL;
    struct coverage_span *spans = NULL;
    unsigned n = 0;
    size_t n_spans = 0;
    json_t *out = json_array();
    if (camera_list(ctx->reg, &cameras, &n) != OK) return out;
    uint16_t *numbers = calloc(n ? n : 1, sizeof *numbers);
    for (unsigned i = 0; numbers && i < n; i++) numbers[i] = cameras[i].number;
    const struct perimeter all = {.to_ms = INT64_MAX / 2, .cameras = numbers, .n_cameras = n};
    if (n > 0 && numbers && index_coverage(ctx->reader, &all, &spans, &n_spans) != OK) n_spans = 0;
    for (unsigned i = 0; i < n; i++) {
        int64_t last_ms = 0;
        for (size_t k = 0; k < n_spans; k++)
            if (spans[k].camera_number == cameras[i].number && spans[k].to_ms > last_ms)
                last_ms = spans[k].to_ms;
        json_array_append_new(out, json_integer(last_ms));
    }
    free(spans);
    free(numbers);
    free(cameras);
    return out;
}

void api_cameras_get(struct exchange *x) {
    json_t *columns = api_cameras_json(x->ctx);
    if (columns && json_object_set_new(columns, "last_recorded_ms", last_recorded(x->ctx)) == 0) {
        exchange_json(x, 200, columns);
        return;
    }
    json_decref(columns);
    exchange_err(x, ERR_IO);
}

/* ---- changing --------------------------------------------------------------------------------------------
 */

static json_t *camera_json(const struct camera *c) {
    return json_pack("{s:s,s:s,s:f,s:f,s:i,s:i,s:I,s:i}", "id", c->id, "name", c->name, "lat", c->lat, "lon",
                     c->lon, "heading_deg", c->heading_deg, "fov_deg", c->fov_deg, "clock_offset_ms",
                     (json_int_t)c->clock_offset_ms, "retention_days", c->retention_days);
}

static bool read_camera(struct exchange *x, struct camera *c) {
    int64_t heading = c->heading_deg, fov = c->fov_deg, days = c->retention_days;
    const json_t *b = x->asked;
    if (!field_text(x, b, "name", json_object_get(b, "name") ? FIELD_NEEDED : FIELD_OPTIONAL, c->name,
                    sizeof c->name) ||
        !field_real(x, b, "lat", -90, 90, &c->lat) || !field_real(x, b, "lon", -180, 180, &c->lon) ||
        !field_integer(x, b, "heading_deg", FIELD_OPTIONAL, -1, 359, &heading) ||
        !field_integer(x, b, "fov_deg", FIELD_OPTIONAL, -1, 360, &fov) ||
        !field_integer(x, b, "clock_offset_ms", FIELD_OPTIONAL, -OFFSET_MAX_MS, OFFSET_MAX_MS,
                       &c->clock_offset_ms) ||
        !field_integer(x, b, "retention_days", FIELD_OPTIONAL, 0, 30, &days))
        return false;
    c->heading_deg = (int)heading;
    c->fov_deg = (int)fov;
    c->retention_days = (int)days;
    return true;
}

static enum err write_camera(struct exchange *x, enum err e) {
    const struct camera *c = x->work;
    if (e == ERR_EXISTS) return act_refuse(x, 409, "exists", NULL, "There is a camera of that id.");
    if (e == ERR_USAGE) return act_bad_field(x, "id", "range");
    (void)snprintf(x->object, sizeof x->object, "%s", c->id);
    x->detail = json_deep_copy(x->asked);
    x->answer = camera_json(c);
    return e;
}

static enum err add(struct register_db *r, struct exchange *x) {
    x->status = 201;
    return write_camera(x, camera_add(r, x->work));
}

static enum err change(struct register_db *r, struct exchange *x) {
    return write_camera(x, camera_update(r, x->work));
}

void api_cameras_post(struct exchange *x) {
    static const char *const known[] = {
        "id", "name", "lat", "lon", "heading_deg", "fov_deg", "clock_offset_ms", "retention_days", NULL};
    if (!exchange_asked(x, known)) return;
    struct camera *c = x->work = calloc(1, sizeof *c);
    if (!c) {
        exchange_err(x, ERR_NOMEM);
        return;
    }
    c->heading_deg = c->fov_deg = -1;
    if (field_text(x, x->asked, "id", FIELD_NEEDED, c->id, sizeof c->id) &&
        field_text(x, x->asked, "name", FIELD_NEEDED, c->name, sizeof c->name) && read_camera(x, c))
        exchange_act(x, "camera.add", add, NULL);
}

void api_camera_patch(struct exchange *x) {
    static const char *const known[] = {
        "name", "lat", "lon", "heading_deg", "fov_deg", "clock_offset_ms", "retention_days", "reason", NULL};
    char reason[501] = "";
    if (!exchange_asked(x, known)) return;
    struct camera *c = x->work = calloc(1, sizeof *c);
    const enum err e = c ? camera_get(x->ctx->reg, x->match.parameter[0], c) : ERR_NOMEM;
    if (e != OK) {
        exchange_err(x, e);
        return;
    }
    /* A clock that is corrected moves what a court will read: the journal says why. */
    const bool moves = json_object_get(x->asked, "clock_offset_ms") != NULL;
    if (field_text(x, x->asked, "reason", moves ? FIELD_NEEDED : FIELD_OPTIONAL, reason, sizeof reason) &&
        read_camera(x, c))
        exchange_act(x, "camera.change", change, NULL);
}
