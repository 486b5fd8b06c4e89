/* SPDX-License-Identifier: Apache-2.0 */
/* GET /imports: the recordings brought in for a case, how far each is, and what went wrong. */
#include "host/http/api.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/base/log.h"

#define LIVE_MAX 256u

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const char *state_name(enum recording_state s) {
    switch (s) {
    case RECORDING_WAITING:
        return "waiting";
    case RECORDING_RUNNING:
        return "running";
    case RECORDING_DONE:
        return "done";
    case RECORDING_FAILED:
        return "failed";
    }
    return "unknown";
}

static const char *camera_id(const struct camera *cameras, unsigned n, uint16_t number) {
    for (unsigned i = 0; i < n; i++)
        if (cameras[i].number == number) return cameras[i].id;
    return "";
}

/* Live items tell more (rate, time left) than the index's rows of the same file; they come first. */
static json_t *live_json(const struct import_item *it, const char *camera) {
    return json_pack("{s:I,s:I,s:i,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:f,s:I,s:s}", "job", (json_int_t)it->job,
                     "batch_id", (json_int_t)it->batch, "priority", it->priority, "file", base_name(it->file),
                     "camera_id", camera, "state", import_state_name(it->state), "start_ms",
                     (json_int_t)it->start_ms, "duration_ms", (json_int_t)(it->duration_us / 1000), "done_ms",
                     (json_int_t)(it->position_us > 0 ? it->position_us / 1000 : 0), "sightings",
                     (json_int_t)it->n_sightings, "x_realtime", it->x_realtime, "eta_ms",
                     (json_int_t)it->eta_ms, "error", it->error);
}

static json_t *recording_json(const struct recording *r, const char *camera) {
    int64_t done_us = r->state == RECORDING_DONE ? r->duration_us : r->position_us;
    return json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:s}", "file", base_name(r->path), "camera_id", camera,
                     "state", state_name(r->state), "start_ms", (json_int_t)r->start_ms, "duration_ms",
                     (json_int_t)(r->duration_us / 1000), "done_ms",
                     (json_int_t)(done_us > 0 ? done_us / 1000 : 0), "imported_ms",
                     (json_int_t)r->imported_ms, "error", r->error);
}

/* By their start too: recorders give files of different days the same name. */
static bool is_same(const struct import_item *it, const struct recording *r) {
    return it->camera_number == r->camera_number && it->start_ms == r->start_ms &&
           strcmp(it->case_id, r->case_id) == 0 && strcmp(base_name(it->file), base_name(r->path)) == 0;
}

/* Of the live items of the case together. Those at work go side by side, so their speeds add up. */
struct total {
    int files, over, failed;
    int64_t done_us, duration_us;
    double x_realtime;
};

static void count(struct total *t, const struct import_item *it) {
    t->files++;
    t->over += it->state >= IMPORT_DONE;
    t->failed += it->state == IMPORT_FAILED;
    t->duration_us += it->duration_us;
    t->done_us += it->state == IMPORT_DONE || it->state == IMPORT_SKIPPED ? it->duration_us : it->position_us;
    if (it->state == IMPORT_RUNNING) t->x_realtime += it->x_realtime;
}

static json_t *total_json(const struct total *t) {
    const double left_us = (double)(t->duration_us - t->done_us);
    const int64_t eta_ms = t->x_realtime > 0 ? (int64_t)(left_us / t->x_realtime / 1e3) : -1;
    return json_pack("{s:i,s:i,s:i,s:I,s:I,s:f,s:I}", "files", t->files, "over", t->over, "failed", t->failed,
                     "done_ms", (json_int_t)(t->done_us / 1000), "duration_ms",
                     (json_int_t)(t->duration_us / 1000), "x_realtime", t->x_realtime, "eta_ms",
                     (json_int_t)eta_ms);
}

json_t *api_imports_json(const struct http_context *ctx, const char *case_id) {
    struct camera *cameras = NULL;
    struct recording *recordings = NULL;
    struct import_item *live = calloc(LIVE_MAX, sizeof *live);
    unsigned n_cameras = 0, n_live = 0;
    size_t n_recordings = 0;
    struct total total = {.files = 0};
    uint64_t free_bytes = 0;
    json_t *items = NULL;
    enum err e = live ? camera_list(ctx->reg, &cameras, &n_cameras) : ERR_NOMEM;
    if (e == OK) e = index_recordings(ctx->reader, case_id, &recordings, &n_recordings);
    if (e != OK) {
        log_error("http", "resource=imports err=%s", err_text(e));
        goto out;
    }
    items = json_array();
    if (ctx->imports) n_live = ctx->imports(live, LIVE_MAX, ctx->arg);
    for (unsigned i = 0; i < n_live; i++)
        if (strcmp(live[i].case_id, case_id) == 0) {
            count(&total, &live[i]);
            json_array_append_new(items,
                                  live_json(&live[i], camera_id(cameras, n_cameras, live[i].camera_number)));
        }
    for (size_t i = 0; i < n_recordings; i++) {
        bool shown = false;
        for (unsigned k = 0; k < n_live && !shown; k++) shown = is_same(&live[k], &recordings[i]);
        if (!shown)
            json_array_append_new(
                items,
                recording_json(&recordings[i], camera_id(cameras, n_cameras, recordings[i].camera_number)));
    }
out:
    free(live);
    free(recordings);
    free(cameras);
    /* Rounded down to 256 MiB: the whole state is sent as an event whenever it changes, and a disk is never
     * quite still. */
    if (fs_free_bytes(ctx->data_dir, &free_bytes)) free_bytes = 0;
    return items
               ? json_pack("{s:I,s:I,s:o,s:o}", "server_ms", (json_int_t)clock_wall_ms(), "free_bytes",
                           (json_int_t)(free_bytes >> 28 << 28), "total", total_json(&total), "items", items)
               : NULL;
}

void api_imports_get(struct exchange *x) {
    if (!exchange_case(x)) return;
    json_t *body = api_imports_json(x->ctx, x->c.id);
    if (body)
        exchange_json(x, 200, body);
    else
        exchange_err(x, ERR_IO);
}
