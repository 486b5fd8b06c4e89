/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/import/import.h"
#include "host/import/job.h"

/* One recording at a time: with one detector the next would only wait. */
enum { JOBS_AT_ONCE = 1 };

struct node {
    struct node *next;
    struct job *job;
};

struct importer {
    struct importer_config cfg;
    struct job_shared shared;
    struct detector *detector;
    struct node *head, **tail;
    uint64_t next_number;
    import_event_fn *on_event;
    import_idle_fn *on_idle;
    void *arg;
    struct event *kick; /* starts jobs and reports idleness from the loop, never from inside a callback */
    bool cards_ready, cards_dead, was_busy;
    char dead_text[256];
    uint64_t base_cpu_ns;
};

static void kick(struct importer *im) {
    event_active(im->kick, EV_TIMEOUT, 0);
}

static void on_job_change(struct job *j, void *arg) {
    struct importer *im = arg;
    im->on_event(job_item(j), im->arg);
}

static void on_job_end(struct job *j, void *arg) {
    struct importer *im = arg;
    im->on_event(job_item(j), im->arg);
    kick(im);
}

static uint64_t twin(const char *sha256, uint16_t camera_number, const struct job *self, void *arg) {
    struct importer *im = arg;
    for (struct node *n = im->head; n; n = n->next) {
        if (n->job == self || job_is_over(n->job)) continue;
        if (job_item(n->job)->camera_number == camera_number && strcmp(job_sha256(n->job), sha256) == 0)
            return job_item(n->job)->job;
    }
    return 0;
}

static void fail_all(struct importer *im) {
    for (struct node *n = im->head; n; n = n->next) job_fail(n->job, im->dead_text);
}

/* The oldest of those that are over, so that a server that runs for months does not keep them all. */
static void forget_old(struct importer *im) {
    unsigned n_over = 0;
    for (const struct node *n = im->head; n; n = n->next) n_over += job_is_over(n->job);
    for (struct node **p = &im->head; *p && n_over > IMPORT_OVER_KEPT;) {
        struct node *n = *p;
        if (!job_can_be_freed(n->job)) {
            p = &n->next;
            continue;
        }
        *p = n->next;
        if (!*p) im->tail = p;
        job_free(&n->job);
        free(n);
        n_over--;
    }
}

static void on_kick(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct importer *im = arg;
    unsigned busy = 0, waiting = 0;
    for (struct node *n = im->head; n; n = n->next) {
        const enum import_state s = job_item(n->job)->state;
        if (s == IMPORT_WAITING)
            waiting++;
        else if (!job_is_over(n->job))
            busy++;
    }
    if (im->cards_dead) {
        fail_all(im);
        busy = waiting = 0;
    } else if (im->cards_ready) {
        for (struct node *n = im->head; n && busy < JOBS_AT_ONCE; n = n->next) {
            if (job_item(n->job)->state != IMPORT_WAITING) continue;
            job_start(n->job);
            waiting--;
            if (!job_is_over(n->job)) busy++;
        }
    }
    forget_old(im);
    if (busy + waiting == 0 && im->was_busy) {
        im->was_busy = false;
        if (im->on_idle) im->on_idle(im->arg);
    }
}

static void on_cards_ready(const struct wire_card_ready *ready, void *arg) {
    struct importer *im = arg;
    const enum err e = detector_match(im->detector, ready);
    if ((ready->simulated != 0) != im->cfg.simulated) {
        snprintf(im->dead_text, sizeof im->dead_text, "card.backend asks for %s, but %.180s is %s",
                 im->cfg.simulated ? "the simulator" : "a card", ready->core_library,
                 ready->simulated ? "the simulator" : "not the simulator");
        im->cards_dead = true;
    } else if (e) {
        snprintf(im->dead_text, sizeof im->dead_text,
                 "the card runs another model than %.100s/model.json describes; see the log",
                 im->cfg.cards.model_dir);
        im->cards_dead = true;
    } else {
        im->cards_ready = true;
        im->cards_dead = false;
        for (struct node *n = im->head; n; n = n->next) job_pump(n->job);
    }
    kick(im);
}

static void on_cards_dead(enum err e, const char *text, void *arg) {
    struct importer *im = arg;
    (void)e;
    snprintf(im->dead_text, sizeof im->dead_text, "no card can work: %.220s", text);
    im->cards_dead = true;
    /* At once: the card's jobs come back as failed right after this, and their frames must not go into the
     * index as looked at. What is committed stays, the recording goes on from there. */
    fail_all(im);
    kick(im);
}

enum err importer_new(struct event_base *base, const struct importer_config *cfg, import_event_fn *on_event,
                      import_idle_fn *on_idle, void *arg, struct importer **out) {
    *out = NULL;
    struct importer *im = calloc(1, sizeof *im);
    if (!im) return ERR_NOMEM;
    im->cfg = *cfg;
    im->on_event = on_event;
    im->on_idle = on_idle;
    im->arg = arg;
    im->tail = &im->head;
    im->next_number = 1;
    im->base_cpu_ns = clock_thread_cpu_ns();
    im->shared.base = base;
    im->shared.cfg = &im->cfg;
    enum err e = ERR_NOMEM;
    im->kick = event_new(base, -1, 0, on_kick, im);
    if (!im->kick) goto fail;
    e = detector_open(cfg->cards.model_dir, cfg->vocab, &im->detector);
    if (e) goto fail;
    im->shared.detector = im->detector;
    e = index_writer_open(cfg->dir, cfg->vocab, &im->shared.writer);
    if (e) goto fail;
    e = cards_new(base, &cfg->cards, on_cards_ready, on_cards_dead, im, &im->shared.cards);
    if (e) goto fail;
    *out = im;
    return OK;
fail:
    importer_free(&im);
    return e;
}

static enum err add(struct importer *im, const struct job_request *rq, uint64_t *number) {
    const struct job_callbacks cb = {on_job_change, on_job_end, twin, im};
    struct node *n = calloc(1, sizeof *n);
    if (!n) return ERR_NOMEM;
    const enum err e = job_new(&im->shared, rq, &cb, &n->job);
    if (e) {
        free(n);
        return e;
    }
    *im->tail = n;
    im->tail = &n->next;
    im->was_busy = true;
    if (number) *number = rq->number;
    im->on_event(job_item(n->job), im->arg);
    kick(im);
    return OK;
}

enum err importer_add(struct importer *im, const struct import_request *rq, uint64_t *number) {
    char full[PATH_MAX];
    /* By its full name, so that playback finds it from another folder; a URL or a missing file fails as an
     * item. */
    const char *file = strstr(rq->file, "://") || !realpath(rq->file, full) ? rq->file : full;
    int64_t start_ms;
    if (__builtin_add_overflow(rq->start_ms, rq->clock_offset_ms, &start_ms)) start_ms = -1;
    const struct job_request jr = {.number = im->next_number,
                                   .file = file,
                                   .case_id = rq->case_id,
                                   .camera_number = rq->camera_number,
                                   .start_ms = start_ms};
    const enum err e = add(im, &jr, number);
    if (!e) im->next_number++;
    return e;
}

enum err importer_resume(struct importer *im) {
    struct index_reader *r;
    struct recording *list = NULL;
    size_t n = 0;
    enum err e = index_reader_open(im->cfg.dir, im->cfg.vocab, &r);
    if (e) return e;
    e = index_recordings(r, NULL, &list, &n);
    for (size_t i = 0; !e && i < n; i++) {
        if (list[i].state != RECORDING_RUNNING && list[i].state != RECORDING_WAITING) continue;
        const struct job_request jr = {.number = im->next_number,
                                       .file = list[i].path,
                                       .case_id = list[i].case_id,
                                       .camera_number = list[i].camera_number,
                                       .start_ms = list[i].start_ms,
                                       .sha256 = list[i].sha256};
        e = add(im, &jr, NULL);
        if (!e) im->next_number++;
    }
    free(list);
    index_reader_close(&r);
    return e;
}

void importer_cancel(struct importer *im, uint64_t number) {
    for (struct node *n = im->head; n; n = n->next)
        if (job_item(n->job)->job == number) job_cancel(n->job);
    kick(im);
}

unsigned importer_items(const struct importer *im, struct import_item *out, unsigned max) {
    unsigned n = 0;
    for (struct node *p = im->head; p && n < max; p = p->next) out[n++] = *job_item(p->job);
    return n;
}

void importer_costs(const struct importer *im, struct import_costs *out) {
    struct cards_stats s;
    cards_stats(im->shared.cards, &s);
    *out = im->shared.costs;
    out->card_cpu_us = s.worker_cpu_us;
    out->card_peak_kib = s.worker_peak_kib;
    out->host_cpu_us = (clock_thread_cpu_ns() - im->base_cpu_ns) / 1000;
}

const struct cards *importer_cards(const struct importer *im) {
    return im->shared.cards;
}

const char *importer_dead_text(const struct importer *im) {
    return im->cards_dead ? im->dead_text : "";
}

void importer_free(struct importer **pim) {
    if (!pim || !*pim) return;
    struct importer *im = *pim;
    *pim = NULL;
    /* Workers first: no completion may arrive for a job that is gone. */
    cards_free(&im->shared.cards);
    while (im->head) {
        struct node *n = im->head;
        im->head = n->next;
        job_free(&n->job);
        free(n);
    }
    index_writer_close(&im->shared.writer);
    detector_close(&im->detector);
    if (im->kick) event_free(im->kick);
    free(im);
}
