/* SPDX-License-Identifier: Apache-2.0 */
/* GET /system: processes, cards, the libraries they really loaded, counters. */
#include "host/http/api.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include <event2/event.h>

#include "host/base/clock.h"

static json_t *workers_json(const struct http_status *st) {
    json_t *out = json_array();
    for (unsigned i = 0; i < st->n_workers && i < HTTP_WORKERS_MAX; i++) {
        const struct http_worker *w = &st->workers[i];
        json_array_append_new(out, json_pack("{s:s,s:i,s:s,s:I}", "kind", w->kind, "pid", w->pid, "state",
                                             w->state, "restarts", (json_int_t)w->n_restarts));
    }
    return out;
}

static json_t *card_json(const struct http_status *st) {
    const struct cards_stats *c = &st->cards;
    return json_pack("{s:b,s:b,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "ready",
                     (int)st->card_ready, "simulated", (int)st->simulated, "device", st->device,
                     "core_library", st->core_library, "runner_library", st->runner_library, "model",
                     st->model, "model_sha256", st->model_sha256, "error", st->card_error, "n_cards",
                     (int)c->n_cards, "n_ready", (int)c->n_ready, "jobs", (json_int_t)c->n_jobs, "done",
                     (json_int_t)c->n_done, "failed", (json_int_t)c->n_failed, "resubmitted",
                     (json_int_t)c->n_resubmitted, "restarts", (json_int_t)c->n_restarts, "cpu_us",
                     (json_int_t)c->worker_cpu_us, "peak_kib", (json_int_t)c->worker_peak_kib);
}

static json_t *disk_json(const char *dir) {
    struct statvfs v;
    if (statvfs(dir, &v) != 0) return json_null();
    uint64_t unit = v.f_frsize;
    return json_pack("{s:I,s:I}", "total_bytes", (json_int_t)(v.f_blocks * unit), "free_bytes",
                     (json_int_t)(v.f_bavail * unit));
}

void api_system_get(struct exchange *x) {
    struct http_status st = {0};
    struct rusage use = {0};
    double p50_ms, p95_ms;
    const struct http_counters *n = &x->server->counters;
    if (x->ctx->status) x->ctx->status(&st, x->ctx->arg);
    (void)getrusage(RUSAGE_SELF, &use);
    http_search_percentiles(n, &p50_ms, &p95_ms);
    exchange_json(
        x, 200,
        json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:{s:I,s:I,s:I,s:I},s:{s:f,s:f}}", "version",
                  x->ctx->version, "libevent", event_get_version(), "backend", api_backend(x->ctx),
                  "server_ms", (json_int_t)clock_wall_ms(), "started_ms", (json_int_t)x->server->started_ms,
                  "peak_kib", (json_int_t)use.ru_maxrss, "cpu_ms",
                  (json_int_t)((use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000 +
                               (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1000),
                  "workers", workers_json(&st), "card", card_json(&st), "disk", disk_json(x->ctx->data_dir),
                  "http", "requests", (json_int_t)n->n_requests, "refused", (json_int_t)n->n_refused,
                  "failed", (json_int_t)n->n_failed, "searches", (json_int_t)n->n_searches, "search",
                  "p50_ms", p50_ms, "p95_ms", p95_ms));
}
