/* SPDX-License-Identifier: Apache-2.0 */
#include "host/import/service.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "host/base/log.h"
#include "host/base/mailbox.h"
#include "host/evidence/signer.h"
#include "host/import/control.h"
#include "host/import/retention.h"

enum { SNAPSHOT_MS = 250, ITEMS_MAX = 512, PURGE_EVERY_S = 3600 };

struct service {
    struct importer_config cfg;
    struct service_retention retention;
    pthread_t thread;
    int stop_fd; /* written once, to end the loop */
    /* Guards all below; held for copies only. */
    pthread_mutex_t lock;
    pthread_cond_t started; /* or a call is over */
    bool has_started;
    enum err start_err;
    struct import_item *items;
    unsigned n_items;
    struct service_status status;
    /* The import thread's own. */
    struct event_base *base;
    struct importer *im;
    struct control *control;
    struct mailbox *calls;
    struct register_db *reg; /* these two: for the purge alone */
    struct signer *signer;
};

static void add_stats(struct cards_stats *sum, const struct cards_stats *s) {
    sum->n_jobs += s->n_jobs;
    sum->n_done += s->n_done;
    sum->n_failed += s->n_failed;
    sum->n_resubmitted += s->n_resubmitted;
    sum->n_restarts += s->n_restarts;
    sum->worker_cpu_us += s->worker_cpu_us;
    if (s->worker_peak_kib > sum->worker_peak_kib) sum->worker_peak_kib = s->worker_peak_kib;
    sum->n_ready += s->n_ready;
    sum->n_cards += s->n_cards;
    sum->simulated |= s->simulated;
}

static void snapshot(struct service *s) {
    struct service_status now = {.n_cards = 0};
    for (unsigned i = 0; importer_cards(s->im, i); i++) {
        const struct cards *c = importer_cards(s->im, i);
        const struct wire_card_ready *ready = cards_model(c);
        struct cards_stats one;
        cards_stats(c, &one);
        add_stats(&now.cards, &one);
        if (ready && i == 0) now.card = *ready;
        if (ready && i == 0) now.ready = one.n_ready > 0;
        for (unsigned k = 0; k < s->cfg.cards.n_cards && now.n_cards < SERVICE_PIDS_MAX; k++)
            now.card_pids[now.n_cards++] = cards_pid(c, k);
    }
    snprintf(now.dead_text, sizeof now.dead_text, "%s", importer_dead_text(s->im));
    pthread_mutex_lock(&s->lock);
    s->n_items = importer_items(s->im, s->items, ITEMS_MAX);
    s->status = now;
    pthread_mutex_unlock(&s->lock);
}

static void on_tick(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    snapshot(arg);
}

/* A failure is logged, and the next hour tries again. */
static void purge(struct service *s) {
    const struct retention t = {.dir = s->cfg.dir,
                                .site_days = s->retention.site_days,
                                .user = "server",
                                .ending = s->retention.ending,
                                .arg = s->retention.arg};
    struct purge_receipt receipt;
    const enum err e = retention_run(importer_writer(s->im), s->reg, s->signer, &t, &receipt);
    if (e == ERR_BUSY) log_warn("service", "op=purge err=%s: the log still holds old pages", err_text(e));
}

static void on_hour(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    purge(arg);
}

static void on_stop(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct service *s = arg;
    event_base_loopbreak(s->base);
}

static void on_item(const struct import_item *i, void *arg) {
    struct service *s = arg;
    if (s->control) control_item(s->control, i);
}

/* Something that another thread wants of the importer, and waits for. */
struct call {
    struct mail mail; /* first member */
    const struct import_request *rq;
    const struct import_order *order;
    unsigned n;
    uint64_t batch, *jobs;
    enum err result;
    bool over;
};

static void on_call(struct mail *m, void *arg) {
    struct service *s = arg;
    struct call *c = (struct call *)m;
    enum err e = OK;
    if (c->order) {
        c->n = importer_order(s->im, c->order);
    } else {
        c->batch = importer_new_batch(s->im);
        for (unsigned i = 0; !e && i < c->n; i++) {
            struct import_request rq = c->rq[i];
            rq.batch = c->batch;
            e = importer_add(s->im, &rq, &c->jobs[i]);
        }
    }
    snapshot(s); /* whoever asked sees it at once */
    pthread_mutex_lock(&s->lock);
    c->result = e;
    c->over = true;
    pthread_cond_broadcast(&s->started);
    pthread_mutex_unlock(&s->lock);
}

static void call(struct service *s, struct call *c) {
    mailbox_post(s->calls, &c->mail);
    pthread_mutex_lock(&s->lock);
    while (!c->over) pthread_cond_wait(&s->started, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

enum err service_add(struct service *s, const struct import_request *rq, unsigned n, uint64_t *batch,
                     uint64_t *jobs) {
    struct call c = {.rq = rq, .n = n, .jobs = jobs};
    call(s, &c);
    *batch = c.batch;
    return c.result;
}

enum err service_order(struct service *s, const struct import_order *o, unsigned *n) {
    struct call c = {.order = o};
    call(s, &c);
    *n = c.n;
    return c.result;
}

static enum err build(struct service *s) {
    s->base = event_base_new();
    if (!s->base) return ERR_NOMEM;
    enum err e = importer_new(s->base, &s->cfg, on_item, NULL, s, &s->im);
    if (!e) e = control_new(s->base, s->cfg.dir, s->im, &s->control);
    if (!e) e = mailbox_new(s->base, on_call, s, &s->calls);
    if (e) return e;
    if (s->retention.automatic) {
        e = register_open(s->cfg.dir, false, &s->reg);
        if (!e) e = signer_open(s->cfg.dir, &s->signer);
        if (e) return e;
        purge(s); /* before anything that has reached its term is shown or taken up again */
    } else {
        log_warn("service", "site.purge=by_hand: nothing is erased unless `relecture purge` is run");
    }
    return importer_resume(s->im);
}

static void *run(void *arg) {
    struct service *s = arg;
    struct event *tick = NULL, *stop = NULL, *hour = NULL;
    enum err e = build(s);
    if (!e) {
        const struct timeval every = {0, SNAPSHOT_MS * 1000};
        tick = event_new(s->base, -1, EV_PERSIST, on_tick, s);
        stop = event_new(s->base, s->stop_fd, EV_READ, on_stop, s);
        if (!tick || !stop || event_add(tick, &every) != 0 || event_add(stop, NULL) != 0) e = ERR_NOMEM;
        const struct timeval hourly = {PURGE_EVERY_S, 0};
        hour = event_new(s->base, -1, EV_PERSIST, on_hour, s);
        if (!hour || (s->retention.automatic && event_add(hour, &hourly) != 0)) e = ERR_NOMEM;
    }
    pthread_mutex_lock(&s->lock);
    s->has_started = true;
    s->start_err = e;
    pthread_cond_signal(&s->started);
    pthread_mutex_unlock(&s->lock);
    if (!e) event_base_dispatch(s->base);
    if (tick) event_free(tick);
    if (stop) event_free(stop);
    if (hour) event_free(hour);
    control_free(&s->control);
    mailbox_free(s->calls);
    importer_free(&s->im);
    signer_close(&s->signer);
    register_close(&s->reg);
    if (s->base) event_base_free(s->base);
    return NULL;
}

enum err service_start(const struct importer_config *cfg, const struct service_retention *retention,
                       struct service **out) {
    *out = NULL;
    struct service *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    s->cfg = *cfg;
    s->retention = *retention;
    s->stop_fd = -1;
    enum err e = ERR_NOMEM;
    s->items = calloc(ITEMS_MAX, sizeof *s->items);
    if (!s->items) goto fail_free;
    if (pthread_mutex_init(&s->lock, NULL) != 0) goto fail_free;
    if (pthread_cond_init(&s->started, NULL) != 0) goto fail_lock;
    s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->stop_fd < 0) goto fail_cond;
    if (pthread_create(&s->thread, NULL, run, s) != 0) goto fail_fd;
    pthread_mutex_lock(&s->lock);
    while (!s->has_started) pthread_cond_wait(&s->started, &s->lock);
    e = s->start_err;
    pthread_mutex_unlock(&s->lock);
    if (!e) {
        *out = s;
        return OK;
    }
    pthread_join(s->thread, NULL);
fail_fd:
    close(s->stop_fd);
fail_cond:
    pthread_cond_destroy(&s->started);
fail_lock:
    pthread_mutex_destroy(&s->lock);
fail_free:
    free(s->items);
    free(s);
    return e;
}

unsigned service_items(struct service *s, struct import_item *out, unsigned max) {
    pthread_mutex_lock(&s->lock);
    const unsigned n = s->n_items < max ? s->n_items : max;
    memcpy(out, s->items, n * sizeof *out);
    pthread_mutex_unlock(&s->lock);
    return n;
}

void service_status(struct service *s, struct service_status *out) {
    pthread_mutex_lock(&s->lock);
    *out = s->status;
    pthread_mutex_unlock(&s->lock);
}

void service_stop(struct service **ps) {
    if (!ps || !*ps) return;
    struct service *s = *ps;
    *ps = NULL;
    const uint64_t one = 1;
    if (write(s->stop_fd, &one, sizeof one) < 0)
        log_error("service", "op=stop the import thread cannot be told");
    pthread_join(s->thread, NULL);
    close(s->stop_fd);
    pthread_cond_destroy(&s->started);
    pthread_mutex_destroy(&s->lock);
    free(s->items);
    free(s);
}
