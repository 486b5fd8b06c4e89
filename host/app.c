/* SPDX-License-Identifier: Apache-2.0 */
#include "host/app.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <event2/event.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/vocab.h"
#include "host/case/case_plates.h"
#include "host/case/register.h"
#include "host/evidence/case_end.h"
#include "host/evidence/daily.h"
#include "host/evidence/folder.h"
#include "host/http/certificate.h"
#include "host/http/server.h"
#include "host/import/service.h"
#include "host/index/index.h"
#include "host/media/extract.h"
#include "host/pipe/accuracy.h"

enum { EXTRACTS_WAITING = 64, EXTRACT_LIMIT_S = 120, CLIP_MAX_S = 600 };

struct app {
    struct config cfg;
    char *dir;
    struct app_models models;
    struct event_base *base;
    struct event *signals[2];
    struct register_db *reg;
    struct vocab *vocab;
    struct accuracy *accuracy;
    struct service *imports;
    struct index_reader *reader;
    struct extract *extract;
    struct http_server *http;
    struct daily *daily;
    const char *version;
};

/* One stream per core is the fastest; what decodes leaves the cards their threads, who mostly wait. */
static unsigned cores(void) {
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > IMPORT_JOBS_MAX ? IMPORT_JOBS_MAX : (unsigned)n;
}

static bool plates_allowed(const char *case_id, uint16_t camera_number, int64_t *from_ms, int64_t *to_ms,
                           void *arg) {
    const struct app_models *m = arg;
    return case_plates_allowed(m->dir, m->site_allowed, case_id, camera_number, clock_wall_ms(), from_ms,
                               to_ms);
}

/* "a,b" names folders of models_dir. A name too long becomes an empty one: opening it then says what is
 * wrong. */
static void name_looks(const struct config *cfg, struct app_models *models, struct importer_config *out) {
    unsigned n = 0;
    for (const char *p = cfg->looks; *p && strcmp(cfg->looks, "none") != 0 && n < LOOK_NETS_MAX;) {
        char name[sizeof cfg->looks];
        const size_t len = strcspn(p, ",");
        snprintf(name, sizeof name, "%.*s", (int)len, p);
        if (fs_join(models->looks[n], cfg->models_dir, name)) models->looks[n][0] = 0;
        out->looks[n] = models->looks[n];
        n++;
        p += len + (p[len] == ',');
    }
}

void app_importer_config(const struct config *cfg, const char *dir, const struct vocab *vocab,
                         struct app_models *models, struct importer_config *out) {
    const bool one =
        strcmp(cfg->detector_wide, "none") == 0 || strcmp(cfg->detector_wide, cfg->detector) == 0;
    /* Too long a name becomes an empty one: the detector then says what is wrong. */
    if (fs_join(models->square, cfg->models_dir, cfg->detector)) models->square[0] = 0;
    if (fs_join(models->wide, cfg->models_dir, cfg->detector_wide)) models->wide[0] = 0;
    if (fs_join(models->plate_find, cfg->models_dir, cfg->plate_find)) models->plate_find[0] = 0;
    if (fs_join(models->plate_read, cfg->models_dir, cfg->plate_read)) models->plate_read[0] = 0;
    models->dir = dir;
    models->site_allowed = cfg->allowed;
    *out = (struct importer_config){.dir = dir,
                                    .decode_exe = cfg->decode_exe,
                                    .cards = {.exe = cfg->card_exe,
                                              .xilinx_xrt = cfg->xilinx_xrt,
                                              .runner_lib = cfg->runner_lib,
                                              .xclbin = cfg->xclbin,
                                              .model_dir = models->square,
                                              .n_cards = (unsigned)cfg->n_cards,
                                              .job_timeout_ms = (unsigned)cfg->job_timeout_ms},
                                    .wide_model_dir = one ? NULL : models->wide,
                                    .simulated = strcmp(cfg->backend, "simulator") == 0,
                                    .vocab = vocab,
                                    .likeness = strstr(cfg->allowed, "vehicle.similar") != NULL,
                                    .plate_find_dir = models->plate_find,
                                    .plate_read_dir = models->plate_read,
                                    .plates_allowed = plates_allowed,
                                    .plates_arg = models,
                                    .fps_milli = (uint32_t)cfg->fps_milli,
                                    .n_slots = (unsigned)cfg->slots,
                                    .gate = strcmp(cfg->gate, "on") == 0,
                                    .n_jobs = cfg->jobs > 0 ? (unsigned)cfg->jobs : cores()};
    name_looks(cfg, models, out);
}

static unsigned imports_of(struct import_item *out, unsigned max, void *arg) {
    struct app *a = arg;
    return service_items(a->imports, out, max);
}

static enum err add_imports(const struct import_request *rq, unsigned n, uint64_t *batch, uint64_t *jobs,
                            void *arg) {
    struct app *a = arg;
    return service_add(a->imports, rq, n, batch, jobs);
}

static enum err order_imports(const struct import_order *o, unsigned *n, void *arg) {
    struct app *a = arg;
    return service_order(a->imports, o, n);
}

static void status_of(struct http_status *out, void *arg) {
    struct app *a = arg;
    struct service_status s;
    service_status(a->imports, &s);
    memset(out, 0, sizeof *out);
    out->card_ready = s.ready;
    out->simulated = s.card.simulated != 0;
    snprintf(out->device, sizeof out->device, "%s", s.card.device);
    snprintf(out->core_library, sizeof out->core_library, "%s", s.card.core_library);
    snprintf(out->runner_library, sizeof out->runner_library, "%s", s.card.runner_library);
    snprintf(out->model, sizeof out->model, "%s", s.card.model);
    snprintf(out->model_sha256, sizeof out->model_sha256, "%s", s.card.model_sha256);
    snprintf(out->card_error, sizeof out->card_error, "%s", s.dead_text);
    out->cards = s.cards;
    for (unsigned i = 0; i < s.n_cards && i < HTTP_WORKERS_MAX; i++) {
        struct http_worker *w = &out->workers[out->n_workers++];
        snprintf(w->kind, sizeof w->kind, "card");
        w->pid = s.card_pids[i];
        snprintf(w->state, sizeof w->state, "%s", w->pid > 0 ? "running" : "down");
        w->n_restarts = s.cards.n_restarts;
    }
}

static void build_seal_of(uint64_t seal_id, const atomic_bool *stop, void *arg) {
    const struct app *a = arg;
    const struct folder_context ctx = {
        .dir = a->dir, .config = &a->cfg, .vocab = a->vocab, .version = a->version, .stop = stop};
    char text[256];
    /* What went wrong stands in the register, for the page. */
    if (folder_build(&ctx, seal_id, text, sizeof text) != OK) log_warn("app", "a seal was not built");
}

/* What it holds does not change any more once threads run. */
static struct case_end_context end_context(const struct app *a) {
    return (struct case_end_context){
        .dir = a->dir, .config = &a->cfg, .vocab = a->vocab, .accuracy = a->accuracy, .version = a->version};
}

/* On the clerk's thread. */
static enum err write_record(const char *case_id, void *arg) {
    const struct case_end_context ctx = end_context(arg);
    return case_end_renew(&ctx, case_id);
}

/* On the import thread. */
static void case_ending(const char *case_id, void *arg) {
    const struct case_end_context ctx = end_context(arg);
    if (case_end_record(&ctx, case_id, NULL)) log_error("app", "no closing record of case %s", case_id);
}

static void on_signal(evutil_socket_t sig, short what, void *arg) {
    (void)what;
    struct app *a = arg;
    log_info("app", "signal=%d ending", (int)sig);
    event_base_loopbreak(a->base);
}

static enum err fail(enum err e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static enum err fail(enum err e, const char *fmt, ...) {
    va_list ap;
    fputs("relecture: serve: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, ": %s\n", err_text(e));
    return e;
}

static enum err open_http(struct app *a, const char *version) {
    const struct http_context ctx = {.base = a->base,
                                     .listen = a->cfg.listen,
                                     .metrics_port = (unsigned)a->cfg.metrics_port,
                                     .names = a->cfg.names,
                                     .idle_s = (unsigned)a->cfg.idle_min * 60,
                                     .retention_days = a->cfg.retention_days,
                                     .journal_years = a->cfg.journal_years,
                                     .page_dir = a->cfg.web_dir,
                                     .data_dir = a->dir,
                                     .tz = a->cfg.tz,
                                     .site_allowed = a->cfg.allowed,
                                     .version = version,
                                     .vocab = a->vocab,
                                     .accuracy = a->accuracy,
                                     .reg = a->reg,
                                     .reader = a->reader,
                                     .extract = a->extract,
                                     .imports = imports_of,
                                     .build_seal = build_seal_of,
                                     .write_record = write_record,
                                     .imports_add = add_imports,
                                     .imports_order = order_imports,
                                     .inbox = a->cfg.inbox,
                                     .decode_exe = a->cfg.decode_exe,
                                     .status = status_of,
                                     .arg = a};
    return http_server_new(&ctx, &a->http);
}

static enum err open_extract(struct app *a) {
    char dir[FS_PATH_MAX];
    const enum err e = fs_join(dir, a->dir, "cache");
    if (e) return e;
    const struct extract_config ec = {.exe = a->cfg.decode_exe,
                                      .dir = dir,
                                      .n_waiting = EXTRACTS_WAITING,
                                      .limit_s = EXTRACT_LIMIT_S,
                                      .clip_max_s = CLIP_MAX_S,
                                      .max_bytes = (uint64_t)a->cfg.cache_mib << 20};
    return extract_new(a->base, &ec, &a->extract);
}

static enum err open_all(struct app *a, const char *version) {
    enum err e = register_open(a->dir, false, &a->reg);
    if (e == ERR_MISSING)
        return fail(e, "%s is not a data directory; `relecture init %s` makes one", a->dir, a->dir);
    if (e) return fail(e, "%s/register.db cannot be opened; the log line above says why", a->dir);
    e = vocab_load(a->cfg.vocabulary, &a->vocab);
    if (e) return fail(e, "the vocabulary %s cannot be used (paths.vocabulary)", a->cfg.vocabulary);
    e = accuracy_load(a->cfg.accuracy, a->vocab, &a->accuracy);
    if (e) return fail(e, "the measured figures %s cannot be used (paths.accuracy)", a->cfg.accuracy);
    a->base = event_base_new();
    if (!a->base) return fail(ERR_NOMEM, "the event loop");
    struct importer_config ic;
    app_importer_config(&a->cfg, a->dir, a->vocab, &a->models, &ic);
    const struct service_retention retention = {.automatic = strcmp(a->cfg.purge, "hourly") == 0,
                                                .site_days = a->cfg.retention_days,
                                                .ending = case_ending,
                                                .arg = a};
    e = service_start(&ic, &retention, &a->imports);
    if (e == ERR_BUSY)
        return fail(e, "another relecture process writes to %s; wait for it or end it", a->dir);
    if (e)
        return fail(e, "the index of %s, the detector %s or a network of \"looks\" cannot be opened; the log line above says why",
                    a->dir, a->models.square);
    e = index_reader_open(a->dir, a->vocab, &a->reader);
    if (!e && ic.likeness) e = index_reader_ready_likeness(a->reader);
    if (e) return fail(e, "the index of %s cannot be read", a->dir);
    e = open_extract(a);
    if (e) return fail(e, "%s/cache cannot be used; the log line above says why", a->dir);
    /* A directory of an earlier version has no certificate yet. */
    e = certificate_make(a->dir, a->cfg.names);
    if (e && e != ERR_EXISTS) return fail(e, "%s/tls cannot be made; the log line above says why", a->dir);
    e = open_http(a, version);
    if (e) return fail(e, "the page cannot be served on %s; the log line above says why", a->cfg.listen);
    e = daily_new(a->base, a->dir, a->reg, a->cfg.tz, &a->daily);
    if (e)
        return fail(e, "the journal's head cannot be signed with %s/keys; the log line above says why",
                    a->dir);
    static const int signals[] = {SIGINT, SIGTERM};
    for (unsigned i = 0; i < 2; i++) {
        a->signals[i] = evsignal_new(a->base, signals[i], on_signal, a);
        if (!a->signals[i] || event_add(a->signals[i], NULL) != 0) return fail(ERR_NOMEM, "signals");
    }
    return OK;
}

enum err app_open(const char *dir, const struct config *cfg, const char *version, struct app **out) {
    *out = NULL;
    struct app *a = calloc(1, sizeof *a);
    if (!a) return ERR_NOMEM;
    a->cfg = *cfg;
    a->version = version;
    a->dir = strdup(dir);
    signal(SIGPIPE, SIG_IGN);
    const enum err e = a->dir ? open_all(a, version) : ERR_NOMEM;
    if (e) {
        app_close(&a);
        return e;
    }
    *out = a;
    return OK;
}

unsigned app_port(const struct app *a) {
    return http_server_port(a->http);
}

void app_run(struct app *a) {
    event_base_dispatch(a->base);
}

void app_close(struct app **pa) {
    if (!pa || !*pa) return;
    struct app *a = *pa;
    *pa = NULL;
    for (unsigned i = 0; i < 2; i++)
        if (a->signals[i]) event_free(a->signals[i]);
    daily_free(&a->daily);
    extract_free(&a->extract); /* first: its answers go to HTTP requests */
    http_server_free(&a->http);
    index_reader_close(&a->reader);
    service_stop(&a->imports);
    if (a->base) event_base_free(a->base);
    accuracy_free(&a->accuracy);
    vocab_free(&a->vocab);
    register_close(&a->reg);
    free(a->dir);
    free(a);
}
