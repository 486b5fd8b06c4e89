/* SPDX-License-Identifier: Apache-2.0 */
/* GET /cameras: columns, not rows: a city of 1,021 cameras is 60 kB this way. */
#include "host/http/api.h"

#include <stdlib.h>

#include "host/base/log.h"

json_t *api_cameras_json(const struct http_context *ctx) {
    struct camera *cameras = NULL;
    unsigned n = 0;
    enum err e = camera_list(ctx->reg, &cameras, &n);
    if (e != OK) {
        log_error("http", "resource=cameras err=%s", err_text(e));
        return NULL;
    }
    json_t *id = json_array(), *name = json_array(), *lat = json_array(), *lon = json_array();
    json_t *heading = json_array(), *fov = json_array(), *offset = json_array();
    for (unsigned i = 0; i < n; i++) {
        json_array_append_new(id, json_string(cameras[i].id));
        json_array_append_new(name, json_string(cameras[i].name));
        json_array_append_new(lat, json_real(cameras[i].lat));
        json_array_append_new(lon, json_real(cameras[i].lon));
        json_array_append_new(heading, json_integer(cameras[i].heading_deg));
        json_array_append_new(fov, json_integer(cameras[i].fov_deg));
        json_array_append_new(offset, json_integer(cameras[i].clock_offset_ms));
    }
    free(cameras);
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "id", id, "name", name, "lat", lat, "lon", lon,
                     "heading_deg", heading, "fov_deg", fov, "clock_offset_ms", offset);
}

void api_cameras_get(struct exchange *x) {
    json_t *columns = api_cameras_json(x->ctx);
    if (columns)
        exchange_json(x, 200, columns);
    else
        exchange_err(x, ERR_IO);
}
