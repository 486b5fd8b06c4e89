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
#include "host/base/utf8.h"
#include "host/import/import.h"
#include "host/import/job.h"
#include "host/import/rig.h"
#include "host/index/gate.h"
#include "host/index/queue.h"

enum { REMOVED_MAX = 200 };

struct node {
    struct node *next;
    struct job *job;
    bool in_queue; /* it has a row in queue.db */
};

struct importer {
    struct importer_config cfg;
    struct job_shared shared;
    struct rig *square, *wide; /* wide: opened when the first wide recording comes */
    struct plate_desk *desk;   /* there while a recording is at work whose case allows plates */
    struct node *head, **tail;
    struct queue *queue;
    uint64_t next_number, next_batch;
    import_event_fn *on_event;
    import_idle_fn *on_idle;
    void *arg;
    struct event *kick; /* starts jobs and reports idleness from the loop, never from inside a callback */
    struct event *room; /* lets the jobs in turn try the room that an answer made */
    unsigned turn;      /* which of them is first */
    bool asked;         /* changes to queue.db that somebody relies on, not committed yet */
    unsigned n_removed;
    bool was_busy;
    uint64_t base_cpu_ns;
};

static void kick(struct importer *im) {
    event_active(im->kick, EV_TIMEOUT, 0);
}

static void tell(struct importer *im, const struct job *j) {
    struct import_item item;
    job_item(j, &item);
    im->on_event(&item, im->arg);
}

static void on_job_change(struct job *j, void *arg) {
    tell(arg, j);
}

static void on_job_end(struct job *j, void *arg) {
    struct importer *im = arg;
    tell(im, j);
    kick(im);
}

static void on_job_room(struct job *j, void *arg) {
    (void)j;
    struct importer *im = arg;
    if (im->cfg.n_jobs > 1) event_active(im->room, EV_TIMEOUT, 0);
}

static uint64_t twin(const char *sha256, uint16_t camera_number, const struct job *self, void *arg) {
    struct importer *im = arg;
    for (struct node *n = im->head; n; n = n->next) {
        if (n->job == self || job_is_over(n->job)) continue;
        if (job_camera(n->job) == camera_number && strcmp(job_sha256(n->job), sha256) == 0)
            return job_number(n->job);
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

/* The next in line after `last` (NULL = the first): by priority, then by age. */
static struct node *next_in_line(const struct importer *im, const struct node *last) {
    struct node *best = NULL;
    for (struct node *n = im->head; n; n = n->next) {
        if (job_is_over(n->job) || job_is_paused(n->job)) continue;
        const int p = job_priority(n->job);
        if (last) {
            const int q = job_priority(last->job);
            if (p > q || (p == q && job_number(n->job) <= job_number(last->job))) continue;
        }
        if (!best || p > job_priority(best->job)) best = n;
    }
    return best;
}

/* The first n_jobs in line have a seat; who is at work without one yields. Yielding comes first, so that the
 * new ones find room. */
static void give_seats(struct importer *im) {
    struct node *seated[IMPORT_JOBS_MAX];
    unsigned n = 0;
    for (struct node *c = NULL; n < im->cfg.n_jobs && (c = next_in_line(im, c)) != NULL;) seated[n++] = c;
    for (struct node *c = im->head; c; c = c->next) {
        bool has_seat = false;
        for (unsigned i = 0; i < n; i++) has_seat |= seated[i] == c;
        if (!has_seat && job_state(c->job) != IMPORT_WAITING) job_hold(c->job, true, false);
    }
    for (unsigned i = 0; i < n; i++) {
        job_hold(seated[i]->job, false, false);
        job_start(seated[i]->job);
    }
}

/* Those that are over leave queue.db. A row that stays too long does no harm, so those commits are gathered:
 * each waits for the disk, and of tiny files there are thousands. */
static void keep_queue(struct importer *im, bool now) {
    enum err e = OK;
    for (struct node *n = im->head; n && !e; n = n->next) {
        /* A job that no card could carry is not over for good: the next start takes it up. */
        if (!n->in_queue || !job_is_over(n->job) || *importer_dead_text(im)) continue;
        e = queue_remove(im->queue, job_number(n->job));
        n->in_queue = false;
        im->n_removed++;
    }
    if (!e && (now || im->n_removed >= REMOVED_MAX)) {
        e = queue_commit(im->queue);
        im->n_removed = 0;
        im->asked = false;
    }
    if (e) log_error("import", "op=queue err=\"%s\" what waits is not kept over a restart", err_text(e));
}

static void close_desk(struct importer *im);
static void on_looks_dead(void *arg);

static void on_kick(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct importer *im = arg;
    if (*rig_dead_text(im->square))
        fail_jobs(im, im->square);
    else if (im->shared.looks && *look_desk_dead_text(im->shared.looks))
        on_looks_dead(im);
    else if (rig_is_ready(im->square))
        give_seats(im);
    keep_queue(im, im->asked);
    forget_old(im);
    close_desk(im);
    bool busy = false; /* also with those that are paused: a batch is not over before they are */
    for (const struct node *n = im->head; n && !busy; n = n->next) busy = !job_is_over(n->job);
    if (!busy && im->was_busy) {
        im->was_busy = false;
        if (im->on_idle) im->on_idle(im->arg);
    }
}

static void on_room(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct importer *im = arg;
    struct node *running[IMPORT_JOBS_MAX];
    unsigned n = 0;
    for (struct node *c = im->head; c && n < IMPORT_JOBS_MAX; c = c->next)
        if (job_state(c->job) == IMPORT_RUNNING) running[n++] = c;
    im->turn++;
    for (unsigned i = 0; i < n; i++) job_pump(running[(im->turn + i) % n]->job);
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

static void on_desk_ready(void *arg) {
    struct importer *im = arg;
    for (struct node *n = im->head; n; n = n->next)
        if (job_desk(n->job)) job_pump(n->job);
}

/* As with a detector: a recording whose plates were asked for is not gone through without them. */
static void on_desk_dead(void *arg) {
    struct importer *im = arg;
    for (struct node *n = im->head; n; n = n->next)
        if (im->desk && job_desk(n->job) == im->desk) job_fail(n->job, plate_desk_dead_text(im->desk));
    kick(im);
}

static enum err desk_for(const char *case_id, uint16_t camera_number, struct plate_desk **out, int64_t *from_ms,
                         int64_t *to_ms, void *arg) {
    struct importer *im = arg;
    *out = NULL;
    *from_ms = *to_ms = 0;
    if (!im->cfg.plates_allowed ||
        !im->cfg.plates_allowed(case_id, camera_number, from_ms, to_ms, im->cfg.plates_arg))
        return OK;
    const struct plate_desk_spec spec = {
        .cfg = &im->cfg, .on_ready = on_desk_ready, .on_dead = on_desk_dead, .arg = im};
    const enum err e = im->desk ? OK : plate_desk_new(im->shared.base, &spec, &im->desk);
    *out = im->desk;
    return e;
}

static void add_costs(const struct cards *c, struct import_costs *to) {
    struct cards_stats s;
    cards_stats(c, &s);
    to->card_cpu_us += s.worker_cpu_us;
    if (s.worker_peak_kib > to->card_peak_kib) to->card_peak_kib = s.worker_peak_kib;
}

/* The networks leave the cards with the last recording that needed them. */
static void close_desk(struct importer *im) {
    if (!im->desk) return;
    for (const struct node *n = im->head; n; n = n->next)
        if (job_desk(n->job) && !job_can_be_freed(n->job)) return;
    for (struct node *n = im->head; n; n = n->next) job_forget_desk(n->job);
    for (unsigned i = 0; i < 2; i++) add_costs(plate_desk_cards(im->desk, i), &im->shared.costs);
    plate_desk_free(&im->desk);
}

static void on_looks_ready(void *arg) {
    struct importer *im = arg;
    for (struct node *n = im->head; n; n = n->next) job_pump(n->job);
}

/* As with a detector: no recording is gone through without what it is searched by later. */
static void on_looks_dead(void *arg) {
    struct importer *im = arg;
    for (struct node *n = im->head; n && im->shared.looks; n = n->next)
        job_fail(n->job, look_desk_dead_text(im->shared.looks));
    kick(im);
}

static enum err open_looks(struct importer *im) {
    const struct look_desk_spec spec = {
        .cfg = &im->cfg, .on_ready = on_looks_ready, .on_dead = on_looks_dead, .arg = im};
    return im->cfg.looks[0] ? look_desk_new(im->shared.base, &spec, &im->shared.looks) : OK;
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

/* New numbers are above those that wait from an earlier process. */
static enum err number_from_queue(struct importer *im) {
    struct queue_row *rows;
    size_t n;
    const enum err e = queue_list(im->queue, &rows, &n);
    for (size_t i = 0; i < n; i++) {
        if (rows[i].number >= im->next_number) im->next_number = rows[i].number + 1;
        if (rows[i].batch >= im->next_batch) im->next_batch = rows[i].batch + 1;
    }
    free(rows);
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
    im->next_number = im->next_batch = 1;
    if (im->cfg.n_jobs < 1) im->cfg.n_jobs = 1;
    if (im->cfg.n_jobs > IMPORT_JOBS_MAX) im->cfg.n_jobs = IMPORT_JOBS_MAX;
    im->base_cpu_ns = clock_thread_cpu_ns();
    im->shared.base = base;
    im->shared.cfg = &im->cfg;
    enum err e = ERR_NOMEM;
    im->kick = event_new(base, -1, 0, on_kick, im);
    im->room = event_new(base, -1, 0, on_room, im);
    if (!im->kick || !im->room) goto fail;
    e = index_writer_open(cfg->dir, cfg->vocab, &im->shared.writer);
    if (e) goto fail;
    e = index_gate_prepare(im->shared.writer);
    if (!e) e = queue_open(cfg->dir, &im->queue);
    if (!e) e = number_from_queue(im);
    if (e) goto fail;
    e = open_rig(im, cfg->cards.model_dir, &im->square);
    if (!e) e = open_looks(im);
    if (e) goto fail;
    *out = im;
    return OK;
fail:
    importer_free(&im);
    return e;
}

static enum err add(struct importer *im, const struct job_request *rq, bool paused, struct node **out) {
    const struct job_callbacks cb = {on_job_change, on_job_end, twin, rig_for, desk_for, on_job_room, im};
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
    if (paused)
        job_hold(n->job, true, true); /* tells of it */
    else
        tell(im, n->job);
    kick(im);
    if (out) *out = n;
    return OK;
}

uint64_t importer_new_batch(struct importer *im) {
    return im->next_batch++;
}

enum err importer_add(struct importer *im, const struct import_request *rq, uint64_t *number) {
    char full[PATH_MAX];
    /* By its full name, so that playback finds it from another folder; a URL or a missing file fails as an
     * item. */
    const char *file = strstr(rq->file, "://") || !realpath(rq->file, full) ? rq->file : full;
    int64_t start_ms;
    if (__builtin_add_overflow(rq->start_ms, rq->clock_offset_ms, &start_ms)) start_ms = -1;
    struct queue_row row = {.number = im->next_number,
                            .batch = rq->batch ? rq->batch : importer_new_batch(im),
                            .camera_number = rq->camera_number,
                            .start_ms = start_ms,
                            .priority = rq->priority,
                            .ungated = rq->ungated};
    const struct job_request jr = {.number = row.number,
                                   .batch = row.batch,
                                   .priority = rq->priority,
                                   .ungated = rq->ungated,
                                   .file = file,
                                   .case_id = rq->case_id,
                                   .camera_number = rq->camera_number,
                                   .start_ms = start_ms};
    struct node *n;
    enum err e = add(im, &jr, false, &n);
    if (e) return e;
    im->next_number++;
    if (number) *number = row.number;
    /* One that cannot even be named fails at once and needs no row. */
    const size_t length = strlen(file);
    if (length >= sizeof row.path || !utf8_is_valid(file)) return OK;
    memcpy(row.path, file, length + 1);
    snprintf(row.case_id, sizeof row.case_id, "%s", rq->case_id);
    e = queue_add(im->queue, &row);
    n->in_queue = im->asked = !e;
    return e;
}

/* A recording that began: what its file must still hold. NULL = it has not begun. */
static struct recording *begun(struct recording *list, size_t n, const struct queue_row *row) {
    for (size_t i = 0; i < n; i++)
        if (list[i].camera_number == row->camera_number && list[i].start_ms == row->start_ms &&
            strcmp(list[i].path, row->path) == 0)
            return &list[i];
    return NULL;
}

/* Those that wait in queue.db, in their order; then what runs according to index.db alone, as a version
 * without queue left it. */
enum err importer_resume(struct importer *im) {
    struct index_reader *r;
    struct recording *list = NULL;
    struct queue_row *rows = NULL;
    size_t n_all = 0, n = 0, n_rows = 0;
    enum err e = index_reader_open(im->cfg.dir, im->cfg.vocab, &r);
    if (e) return e;
    e = index_recordings(r, NULL, &list, &n_all);
    index_reader_close(&r);
    for (size_t i = 0; i < n_all; i++)
        if (list[i].state == RECORDING_RUNNING || list[i].state == RECORDING_WAITING) list[n++] = list[i];
    if (!e) e = queue_list(im->queue, &rows, &n_rows);
    for (size_t i = 0; !e && i < n_rows; i++) {
        struct recording *old = begun(list, n, &rows[i]);
        const struct job_request jr = {.number = rows[i].number,
                                       .batch = rows[i].batch,
                                       .priority = rows[i].priority,
                                       .ungated = rows[i].ungated,
                                       .file = rows[i].path,
                                       .case_id = rows[i].case_id,
                                       .camera_number = rows[i].camera_number,
                                       .start_ms = rows[i].start_ms,
                                       .sha256 = old ? old->sha256 : NULL};
        struct node *added = NULL;
        e = add(im, &jr, rows[i].paused, &added);
        if (!e) added->in_queue = true;
        if (old) old->state = RECORDING_DONE; /* it has its job */
    }
    for (size_t i = 0; !e && i < n; i++) {
        if (list[i].state == RECORDING_DONE) continue;
        const struct job_request jr = {.number = im->next_number,
                                       .batch = importer_new_batch(im),
                                       .file = list[i].path,
                                       .case_id = list[i].case_id,
                                       .camera_number = list[i].camera_number,
                                       .start_ms = list[i].start_ms,
                                       .sha256 = list[i].sha256};
        e = add(im, &jr, false, NULL);
        if (!e) im->next_number++;
    }
    free(rows);
    free(list);
    return e;
}

static void obey(struct importer *im, struct node *n, const struct import_order *o) {
    switch (o->action) {
    case IMPORT_PAUSE:
    case IMPORT_RESUME:
        job_hold(n->job, o->action == IMPORT_PAUSE, true);
        break;
    case IMPORT_CANCEL:
        job_cancel(n->job);
        return;
    case IMPORT_PRIORITY:
        job_set_priority(n->job, o->priority);
        tell(im, n->job);
        break;
    }
    if (n->in_queue && queue_set(im->queue, job_number(n->job), job_priority(n->job), job_is_paused(n->job)))
        log_error("import", "job=%" PRIu64 " op=order not kept over a restart", job_number(n->job));
}

unsigned importer_order(struct importer *im, const struct import_order *o) {
    unsigned count = 0;
    for (struct node *n = im->head; n; n = n->next) {
        if (job_is_over(n->job) || (o->job && job_number(n->job) != o->job) ||
            (o->case_id && strcmp(job_case(n->job), o->case_id) != 0))
            continue;
        obey(im, n, o);
        im->asked = true;
        count++;
    }
    kick(im);
    return count;
}

struct index_writer *importer_writer(struct importer *im) {
    return im->shared.writer;
}

unsigned importer_items(const struct importer *im, struct import_item *out, unsigned max) {
    unsigned n = 0;
    for (struct node *p = im->head; p && n < max; p = p->next) job_item(p->job, &out[n++]);
    return n;
}

void importer_costs(const struct importer *im, struct import_costs *out) {
    *out = im->shared.costs;
    for (unsigned i = 0; importer_cards(im, i); i++) add_costs(importer_cards(im, i), out);
    out->host_cpu_us = (clock_thread_cpu_ns() - im->base_cpu_ns) / 1000;
}

const struct cards *importer_cards(const struct importer *im, unsigned i) {
    const struct cards *open[4 + LOOK_NETS_MAX];
    unsigned n = 0;
    open[n++] = rig_cards(im->square);
    if (im->wide) open[n++] = rig_cards(im->wide);
    for (unsigned k = 0; im->shared.looks && look_desk_cards(im->shared.looks, k); k++)
        open[n++] = look_desk_cards(im->shared.looks, k);
    for (unsigned k = 0; im->desk && k < 2; k++) open[n++] = plate_desk_cards(im->desk, k);
    return i < n ? open[i] : NULL;
}

const char *importer_dead_text(const struct importer *im) {
    if (im->shared.looks && *look_desk_dead_text(im->shared.looks)) return look_desk_dead_text(im->shared.looks);
    return *rig_dead_text(im->square) || !im->wide ? rig_dead_text(im->square) : rig_dead_text(im->wide);
}

void importer_free(struct importer **pim) {
    if (!pim || !*pim) return;
    struct importer *im = *pim;
    *pim = NULL;
    if (im->queue) keep_queue(im, true);
    /* Workers first: no completion may arrive for a job that is gone. */
    rig_free(&im->square);
    rig_free(&im->wide);
    plate_desk_free(&im->desk);
    look_desk_free(&im->shared.looks);
    while (im->head) {
        struct node *n = im->head;
        im->head = n->next;
        job_free(&n->job);
        free(n);
    }
    queue_close(&im->queue);
    index_writer_close(&im->shared.writer);
    if (im->room) event_free(im->room);
    if (im->kick) event_free(im->kick);
    free(im);
}
