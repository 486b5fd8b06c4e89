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
#include "host/import/rig.h"

/* One recording at a time: with one detector the next would only wait. */
enum { JOBS_AT_ONCE = 1 };

struct node {
    struct node *next;
    struct job *job;
};

struct importer {
    struct importer_config cfg;
    struct job_shared shared;
    struct rig *square, *wide; /* wide: opened when the first wide recording comes */
    struct node *head, **tail;
    uint64_t next_number;
    import_event_fn *on_event;
    import_idle_fn *on_idle;
    void *arg;
    struct event *kick; /* starts jobs and reports idleness from the loop, never from inside a callback */
    bool was_busy;
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

/* Every job that this rig would have to carry: all of them for the square one, which every start waits for.
 */
static void fail_jobs(struct importer *im, const struct rig *r) {
    for (struct node *n = im->head; n; n = n->next)
        if (r == im->square || job_rig(n->job) == r) job_fail(n->job, rig_dead_text(r));
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
    if (*rig_dead_text(im->square)) {
        fail_jobs(im, im->square);
        busy = waiting = 0;
    } else if (rig_is_ready(im->square)) {
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

static void on_rig_ready(struct rig *r, void *arg) {
    struct importer *im = arg;
    for (struct node *n = im->head; n; n = n->next)
        if (job_rig(n->job) == r) job_pump(n->job);
    kick(im);
}

static void on_rig_dead(struct rig *r, void *arg) {
    struct importer *im = arg;
    /* At once: the card's jobs come back as failed right after this, and their frames must not go into the
     * index as looked at. What is committed stays, the recording goes on from there. */
    if (im->square) fail_jobs(im, r);
    kick(im);
}

static enum err open_rig(struct importer *im, const char *model_dir, struct rig **out) {
    const struct rig_spec spec = {
        .cfg = &im->cfg, .model_dir = model_dir, .on_ready = on_rig_ready, .on_dead = on_rig_dead, .arg = im};
    return rig_new(im->shared.base, &spec, out);
}

/* By the picture's shape alone, so that a resumed run takes the same one. */
static enum err rig_for(uint32_t w_px, uint32_t h_px, struct rig **out, void *arg) {
    struct importer *im = arg;
    *out = im->square;
    if (!im->cfg.wide_model_dir || (uint64_t)w_px * IMPORT_WIDE_H < (uint64_t)h_px * IMPORT_WIDE_W) return OK;
    const enum err e = im->wide ? OK : open_rig(im, im->cfg.wide_model_dir, &im->wide);
    *out = im->wide;
    return e;
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
    e = index_writer_open(cfg->dir, cfg->vocab, &im->shared.writer);
    if (e) goto fail;
    e = open_rig(im, cfg->cards.model_dir, &im->square);
    if (e) goto fail;
    *out = im;
    return OK;
fail:
    importer_free(&im);
    return e;
}

static enum err add(struct importer *im, const struct job_request *rq, uint64_t *number) {
    const struct job_callbacks cb = {on_job_change, on_job_end, twin, rig_for, im};
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
    *out = im->shared.costs;
    for (unsigned i = 0; importer_cards(im, i); i++) {
        struct cards_stats s;
        cards_stats(importer_cards(im, i), &s);
        out->card_cpu_us += s.worker_cpu_us;
        if (s.worker_peak_kib > out->card_peak_kib) out->card_peak_kib = s.worker_peak_kib;
    }
    out->host_cpu_us = (clock_thread_cpu_ns() - im->base_cpu_ns) / 1000;
}

const struct cards *importer_cards(const struct importer *im, unsigned i) {
    const struct rig *r = i == 0 ? im->square : i == 1 ? im->wide : NULL;
    return r ? rig_cards(r) : NULL;
}

const char *importer_dead_text(const struct importer *im) {
    return *rig_dead_text(im->square) || !im->wide ? rig_dead_text(im->square) : rig_dead_text(im->wide);
}

void importer_free(struct importer **pim) {
    if (!pim || !*pim) return;
    struct importer *im = *pim;
    *pim = NULL;
    /* Workers first: no completion may arrive for a job that is gone. */
    rig_free(&im->square);
    rig_free(&im->wide);
    while (im->head) {
        struct node *n = im->head;
        im->head = n->next;
        job_free(&n->job);
        free(n);
    }
    index_writer_close(&im->shared.writer);
    if (im->kick) event_free(im->kick);
    free(im);
}
