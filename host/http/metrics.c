/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/http/api.h"
#include "host/http/exchange.h"

struct metrics {
    const struct http_server *server;
    struct evhttp *http;
};

static void family(struct evbuffer *out, const char *name, const char *kind, const char *help) {
    evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void number(struct evbuffer *out, const char *name, const char *kind, const char *help, double v) {
    family(out, name, kind, help);
    evbuffer_add_printf(out, "%s %.15g\n", name, v);
}

static void counter(struct evbuffer *out, const char *name, const char *help, uint64_t v) {
    family(out, name, "counter", help);
    evbuffer_add_printf(out, "%s %" PRIu64 "\n", name, v);
}

static unsigned open_descriptors(void) {
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    if (!d) return 0;
    while (readdir(d)) n++;
    closedir(d);
    return n > 3 ? n - 3 : 0; /* ".", ".." and the folder itself */
}

static double resident_bytes(void) {
    long size, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f) return 0;
    if (fscanf(f, "%ld %ld", &size, &resident) != 2) resident = 0;
    fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static void process(struct evbuffer *out, const struct http_server *s) {
    struct rusage use = {0};
    struct rlimit files = {0};
    (void)getrusage(RUSAGE_SELF, &use);
    (void)getrlimit(RLIMIT_NOFILE, &files);
    number(out, "process_cpu_seconds_total", "counter", "CPU time of the server, workers not included.",
           (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
               (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
    number(out, "process_resident_memory_bytes", "gauge", "Memory of the server, workers not included.",
           resident_bytes());
    number(out, "process_open_fds", "gauge", "Open descriptors of the server.", open_descriptors());
    number(out, "process_max_fds", "gauge", "Descriptors that may be open.", (double)files.rlim_cur);
    number(out, "process_start_time_seconds", "gauge", "When the server started, Unix time.",
           (double)s->started_ms / 1e3);
}

static void disk(struct evbuffer *out, const char *dir) {
    struct statvfs v;
    if (statvfs(dir, &v) != 0) return;
    number(out, "relecture_disk_free_bytes", "gauge", "Free for us on the file system of the data directory.",
           (double)v.f_bavail * (double)v.f_frsize);
    number(out, "relecture_disk_size_bytes", "gauge", "Size of that file system.",
           (double)v.f_blocks * (double)v.f_frsize);
}

static void http(struct evbuffer *out, const struct http_counters *n) {
    double p50_ms, p95_ms;
    http_search_percentiles(n, &p50_ms, &p95_ms);
    counter(out, "relecture_http_requests_total", "Requests of page and programs.", n->n_requests);
    counter(out, "relecture_http_refused_total", "Answers of 400 to 499.", n->n_refused);
    counter(out, "relecture_http_failed_total", "Answers of 500 to 599.", n->n_failed);
    counter(out, "relecture_searches_total", "Searches answered.", n->n_searches);
    family(out, "relecture_search_seconds", "gauge", "Time of the last 256 searches, by quantile.");
    evbuffer_add_printf(out,
                        "relecture_search_seconds{quantile=\"0.5\"} %.6f\n"
                        "relecture_search_seconds{quantile=\"0.95\"} %.6f\n",
                        p50_ms / 1e3, p95_ms / 1e3);
}

static void cards(struct evbuffer *out, const struct http_status *st) {
    const struct cards_stats *c = &st->cards;
    number(out, "relecture_cards_ready", "gauge", "Card workers that are up.", c->n_ready);
    number(out, "relecture_cards", "gauge", "Card workers that should be up.", c->n_cards);
    number(out, "relecture_card_simulated", "gauge", "1 = the simulated card does the work.", st->simulated);
    counter(out, "relecture_card_jobs_done_total", "Jobs that cards finished.", c->n_done);
    counter(out, "relecture_card_jobs_failed_total", "Jobs given up.", c->n_failed);
    counter(out, "relecture_card_jobs_resubmitted_total", "Jobs sent again after a fault.", c->n_resubmitted);
    counter(out, "relecture_card_restarts_total", "Card workers started again.", c->n_restarts);
}

static void imports(struct evbuffer *out, const struct http_context *ctx) {
    enum { MAX = 512 };
    enum { N = IMPORT_FAILED + 1 };
    unsigned counts[N] = {0}, n = 0;
    struct import_item *items = ctx->imports ? calloc(MAX, sizeof *items) : NULL;
    if (items) n = ctx->imports(items, MAX, ctx->arg);
    for (unsigned i = 0; i < n; i++)
        if ((unsigned)items[i].state < N) counts[items[i].state]++;
    free(items);
    family(out, "relecture_import_recordings", "gauge",
           "Recordings of the queue by state; of those that are over, the last ones.");
    for (unsigned i = 0; i < N; i++)
        evbuffer_add_printf(out, "relecture_import_recordings{state=\"%s\"} %u\n",
                            import_state_name((enum import_state)i), counts[i]);
}

static void answer(struct evhttp_request *req, void *arg) {
    const struct metrics *m = arg;
    const struct http_context *ctx = &m->server->ctx;
    struct http_status st = {0};
    struct evbuffer *out = evbuffer_new();
    if (!out) {
        evhttp_send_error(req, 500, NULL);
        return;
    }
    if (ctx->status) ctx->status(&st, ctx->arg);
    family(out, "relecture_info", "gauge", "The version that runs.");
    evbuffer_add_printf(out, "relecture_info{version=\"%s\",backend=\"%s\"} 1\n", ctx->version,
                        api_backend(ctx));
    process(out, m->server);
    disk(out, ctx->data_dir);
    http(out, &m->server->counters);
    cards(out, &st);
    imports(out, ctx);
    evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type",
                      "text/plain; version=0.0.4; charset=utf-8");
    evhttp_send_reply(req, 200, NULL, out);
    evbuffer_free(out);
}

enum err metrics_new(const struct http_server *server, unsigned port, struct metrics **out) {
    struct metrics *m = calloc(1, sizeof *m);
    *out = NULL;
    if (!m) return ERR_NOMEM;
    m->server = server;
    m->http = evhttp_new(server->ctx.base);
    if (!m->http || evhttp_set_cb(m->http, "/metrics", answer, m) != 0) {
        metrics_free(&m);
        return ERR_NOMEM;
    }
    evhttp_set_allowed_methods(m->http, EVHTTP_REQ_GET);
    evhttp_set_max_body_size(m->http, 0);
    evhttp_set_max_headers_size(m->http, 8192);
    evhttp_set_timeout(m->http, 10);
    if (evhttp_bind_socket(m->http, "127.0.0.1", (uint16_t)port) != 0) {
        log_error("metrics", "port=%u of 127.0.0.1 cannot be listened on: choose another site.metrics_port",
                  port);
        metrics_free(&m);
        return ERR_BUSY;
    }
    log_info("metrics", "listening=127.0.0.1:%u", port);
    *out = m;
    return OK;
}

void metrics_free(struct metrics **m) {
    if (*m && (*m)->http) evhttp_free((*m)->http);
    free(*m);
    *m = NULL;
}
