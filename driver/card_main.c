/* SPDX-License-Identifier: Apache-2.0 */
/* relecture-card - the worker that owns one card. The server talks to it over descriptor 3
 * (host/proc/wire.h). Main thread: socket, arenas, the queue. One thread per lane: a lane has its compute
 * units, a DPU runner and buffers, takes a job, answers it, takes the next. Nothing here tries to survive a
 * card that does not answer: the process ends with a status of card_exit.h and the server starts another. */
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <unistd.h>

#include "driver/card.h"
#include "driver/card_exit.h"
#include "driver/dpu.h"
#include "driver/model_file.h"
#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/proc/slots.h"
#include "host/proc/wire.h"
#include "host/proc/worker.h"

#define ARENAS_MAX 64u
#define QUEUE_MAX  256u /* the server submits at most two jobs per lane */
#define LANES_MAX  16u

struct options {
    unsigned card, n_lanes; /* 0 lanes = as many as fit */
    uint32_t run_timeout_ms;
    const char *xclbin, *model_dir, *runner, *dpu;
    bool check;
};

struct arena {
    bool used;
    uint32_t id;
    bool writable;
    struct slots_view view;
    unsigned n_jobs; /* that read or write it */
};

struct job {
    union {
        struct wire_detect detect;
        struct wire_crops crops;
    } m;
    enum wire_type type;
    const uint8_t *in; /* the slots, resolved */
    uint8_t *out;
    size_t out_bytes;
    struct arena *in_arena, *out_arena;
};

struct worker_state;
struct lane {
    struct worker_state *w;
    struct card_lane *card;
    struct dpu_runner *dpu;
    struct card_buf *src, *tensor, *rois, *crops; /* src and crops grow to what the jobs need */
    pthread_t thread;
    bool started;
};

struct worker_state {
    struct options opt;
    struct card *card;
    struct card_info info;
    struct model_file model;
    struct dpu_model *dpu;
    struct card_buf *lut;
    unsigned n_lanes;
    struct lane lanes[LANES_MAX];
    struct wire_card_ready ready;
    unsigned out_index[WIRE_TENSORS_MAX]; /* the runner's number of each output in `ready` */
    uint32_t out_bytes;
    struct arena arenas[ARENAS_MAX];

    pthread_mutex_t lock; /* below: the queue, n_jobs of arenas, times */
    pthread_cond_t wake;
    bool stop;
    struct job queue[QUEUE_MAX];
    uint64_t head, tail; /* free-running */
    uint64_t kernel_us, dpu_us;
};

/* --- jobs, on a lane's thread
 * --------------------------------------------------------------------------------- */

static uint64_t now_us(void) {
    return clock_mono_ns() / 1000;
}

/* At least n_bytes; what it held is lost. */
static enum err grow(struct lane *l, struct card_buf **b, enum card_place place, size_t n_bytes) {
    if (*b && card_buf_bytes(*b) >= n_bytes) return OK;
    card_buf_free(b);
    return card_buf_new(l->w->card, place, n_bytes, b);
}

static bool surface_is_small_enough(const struct wire_surface *s) {
    return s->w_px <= CARD_SURFACE_SIDE_MAX_PX && s->h_px <= CARD_SURFACE_SIDE_MAX_PX;
}

/* Brings a slot's surface to the card: the copy is the transfer's staging memory, which the card can reach.
 */
static enum err load_surface(struct lane *l, const uint8_t *slot, const struct wire_surface *s,
                             struct card_surface *out) {
    const size_t luma = (size_t)s->stride_bytes * s->h_px, chroma = (size_t)s->stride_bytes * (s->h_px / 2);
    enum err e = grow(l, &l->src, CARD_PLACE_SURFACE, luma + chroma);
    if (e != OK) return e;
    memcpy(card_buf_at(l->src), slot, luma);
    memcpy(card_buf_at(l->src) + luma, slot + s->uv_offset_bytes, chroma);
    *out = (struct card_surface){.buf = l->src,
                                 .w_px = s->w_px,
                                 .h_px = s->h_px,
                                 .stride_bytes = s->stride_bytes,
                                 .uv_offset_bytes = (uint32_t)luma,
                                 .matrix =
                                     s->matrix == CARD_MATRIX_BT709 ? CARD_MATRIX_BT709 : CARD_MATRIX_BT601,
                                 .full_range = s->full_range != 0};
    return card_buf_sync_to_card(l->src, 0, luma + chroma);
}

/* Runs the network on `tensor`, its outputs to `out` in the order of `ready`. */
static enum err run_network(struct lane *l, const uint8_t *tensor, uint8_t *at) {
    const struct worker_state *w = l->w;
    const void *in[1] = {tensor};
    void *out[DPU_TENSORS_MAX] = {NULL};
    for (unsigned i = 0; i < w->ready.n_outputs; i++) {
        out[w->out_index[i]] = at;
        at += w->ready.outputs[i].n_bytes;
    }
    const enum err e = dpu_submit(l->dpu, in, out);
    return e == OK ? dpu_wait(l->dpu, w->opt.run_timeout_ms) : e;
}

static enum err do_detect(struct lane *l, const struct job *j, struct wire_card_done *done) {
    struct worker_state *w = l->w;
    struct card_letterbox_job job = {
        .lut = w->lut, .out = l->tensor, .dst_w_px = w->model.w_px, .dst_h_px = w->model.h_px};
    if (w->model.takes_crops || j->out_bytes < w->out_bytes || !surface_is_small_enough(&j->m.detect.surface))
        return ERR_USAGE;
    const uint64_t t0 = now_us();
    enum err e = load_surface(l, j->in, &j->m.detect.surface, &job.src);
    uint32_t checksum = 0;
    if (e == OK) e = card_letterbox(l->card, &job, w->opt.run_timeout_ms, &checksum);
    if (e == OK) e = card_buf_fetch(l->tensor, w->model.h_px, w->model.w_px * 3, checksum);
    const uint64_t t1 = now_us();
    done->kernel_us = (uint32_t)(t1 - t0);
    if (e != OK) return e;
    e = run_network(l, card_buf_at(l->tensor), j->out);
    done->dpu_us = (uint32_t)(now_us() - t1);
    if (e == OK) done->n_bytes = w->out_bytes;
    return e;
}

/* The regions lie in l->crops afterwards, back to back, checked and in host memory. */
static enum err cut(struct lane *l, const struct job *j) {
    const struct wire_crops *m = &j->m.crops;
    const uint64_t each = (uint64_t)m->dst_w_px * m->dst_h_px * 3, total = each * m->n_rois;
    struct card_crop_job job = {
        .rois = l->rois, .n_rois = m->n_rois, .dst_w_px = m->dst_w_px, .dst_h_px = m->dst_h_px};
    enum err e = grow(l, &l->crops, CARD_PLACE_TENSOR, total);
    if (e == OK) e = load_surface(l, j->in, &m->surface, &job.src);
    if (e != OK) return e;
    for (uint32_t i = 0; i < m->n_rois; i++) {
        const struct card_roi r = {.x_px = m->rois[i].x_px,
                                   .y_px = m->rois[i].y_px,
                                   .w_px = m->rois[i].w_px,
                                   .h_px = m->rois[i].h_px,
                                   .dst_offset_bytes = (uint32_t)(each * i)};
        memcpy(card_buf_at(l->rois) + i * sizeof r, &r, sizeof r);
    }
    job.out = l->crops;
    e = card_buf_sync_to_card(l->rois, 0, m->n_rois * sizeof(struct card_roi));
    uint32_t checksum = 0;
    if (e == OK) e = card_crop(l->card, &job, l->w->opt.run_timeout_ms, &checksum);
    if (e == OK) e = card_buf_fetch(l->crops, m->n_rois * m->dst_h_px, m->dst_w_px * 3u, checksum);
    return e;
}

static bool crops_are_small_enough(const struct wire_crops *m) {
    return m->dst_w_px <= CARD_TENSOR_SIDE_MAX_PX && m->dst_h_px <= CARD_TENSOR_SIDE_MAX_PX &&
           surface_is_small_enough(&m->surface);
}

static enum err do_crops(struct lane *l, const struct job *j, struct wire_card_done *done) {
    const struct wire_crops *m = &j->m.crops;
    const uint64_t total = (uint64_t)m->dst_w_px * m->dst_h_px * 3 * m->n_rois;
    if (total > j->out_bytes || !crops_are_small_enough(m)) return ERR_USAGE;
    const uint64_t t0 = now_us();
    const enum err e = cut(l, j);
    if (e == OK) {
        memcpy(j->out, card_buf_at(l->crops), total);
        done->n_bytes = (uint32_t)total;
    }
    done->kernel_us = (uint32_t)(now_us() - t0);
    return e;
}

/* What a network wants that was not made for the crop kernel: its own normalisation, R before B. In place. */
static void through_table(const struct model_file *m, int8_t *crop) {
    const unsigned b_at = m->is_rgb ? 2 : 0;
    for (size_t i = 0; i < (size_t)m->w_px * m->h_px; i++, crop += 3) {
        const int8_t b = m->lut[crop[0] + 128], g = m->lut[256 + crop[1] + 128], r = m->lut[512 + crop[2] + 128];
        crop[b_at] = b;
        crop[1] = g;
        crop[2 - b_at] = r;
    }
}

/* A region at a time: the DPU's models are compiled for one picture. */
static enum err do_regions(struct lane *l, const struct job *j, struct wire_card_done *done) {
    const struct worker_state *w = l->w;
    const struct wire_crops *m = &j->m.crops;
    if (!w->model.takes_crops || m->dst_w_px != w->model.w_px || m->dst_h_px != w->model.h_px ||
        (uint64_t)w->out_bytes * m->n_rois > j->out_bytes || !crops_are_small_enough(m))
        return ERR_USAGE;
    const uint64_t t0 = now_us();
    enum err e = cut(l, j);
    const uint64_t t1 = now_us();
    for (uint32_t i = 0; e == OK && i < m->n_rois; i++) {
        uint8_t *crop = card_buf_at(l->crops) + (size_t)i * m->dst_w_px * m->dst_h_px * 3;
        if (w->model.needs_table) through_table(&w->model, (int8_t *)crop);
        e = run_network(l, crop, j->out + (size_t)i * w->out_bytes);
    }
    done->kernel_us = (uint32_t)(t1 - t0);
    done->dpu_us = (uint32_t)(now_us() - t1);
    if (e == OK) done->n_bytes = w->out_bytes * m->n_rois;
    return e;
}

static enum err do_job(struct lane *l, const struct job *j, struct wire_card_done *done) {
    switch ((unsigned)j->type) {
    case WIRE_CARD_DETECT:
        return do_detect(l, j, done);
    case WIRE_CARD_CROPS:
        return do_crops(l, j, done);
    default:
        return do_regions(l, j, done);
    }
}

/* CPU of the process, shared out by the time spent in each half: the simulated card's threads are in it. */
static void account(struct worker_state *w, struct wire_card_done *done) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    const double cpu_us = (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
    w->kernel_us += done->kernel_us;
    w->dpu_us += done->dpu_us;
    const uint64_t all = w->kernel_us + w->dpu_us;
    if (all == 0) return;
    done->kernel_cpu_us = (uint64_t)(cpu_us * (double)w->kernel_us / (double)all);
    done->dpu_cpu_us = (uint64_t)cpu_us - done->kernel_cpu_us;
}

static _Noreturn void leave(enum card_exit status) {
    fflush(NULL);
    /* Runs may be in flight and handles open: no destructor may touch them. */
    _exit((int)status);
}

static void *lane_main(void *arg) {
    struct lane *l = arg;
    struct worker_state *w = l->w;
    for (;;) {
        pthread_mutex_lock(&w->lock);
        while (w->head == w->tail && !w->stop) pthread_cond_wait(&w->wake, &w->lock);
        if (w->head == w->tail) break;
        const struct job j = w->queue[w->head++ % QUEUE_MAX];
        pthread_mutex_unlock(&w->lock);

        struct wire_card_done done;
        memset(&done, 0, sizeof done);
        wire_begin(&done, WIRE_CARD_DONE, sizeof done);
        done.job = j.type == WIRE_CARD_DETECT ? j.m.detect.job : j.m.crops.job;
        const enum err e = do_job(l, &j, &done);
        if (e == ERR_TIMEOUT) {
            log_error("card", "job %llu hangs on the card; this worker ends", (unsigned long long)done.job);
            leave(CARD_EXIT_HUNG);
        }
        if (e == ERR_CARD && !card_alive(w->card)) {
            log_error("card", "the card %s no longer answers; this worker ends", w->info.device);
            leave(CARD_EXIT_LOST);
        }
        done.status = (uint32_t)e;
        pthread_mutex_lock(&w->lock);
        account(w, &done);
        j.in_arena->n_jobs--;
        j.out_arena->n_jobs--;
        pthread_mutex_unlock(&w->lock);
        if (worker_reply(&done, sizeof done) != OK) leave(CARD_EXIT_OK);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* --- the server's messages, on the main thread
 * ------------------------------------------------------------------ */

static struct arena *find_arena(struct worker_state *w, uint32_t id) {
    for (unsigned i = 0; i < ARENAS_MAX; i++)
        if (w->arenas[i].used && w->arenas[i].id == id) return &w->arenas[i];
    return NULL;
}

static bool add_arena(struct worker_state *w, const struct wire_arena *m, int fd) {
    if (find_arena(w, m->arena)) return false;
    for (unsigned i = 0; i < ARENAS_MAX; i++) {
        struct arena *a = &w->arenas[i];
        if (a->used) continue;
        if (slots_view_open(fd, m->n_slots, m->slot_bytes, m->writable != 0, &a->view) != OK) return false;
        a->used = true;
        a->id = m->arena;
        a->writable = m->writable != 0;
        a->n_jobs = 0;
        return true;
    }
    return false;
}

static bool drop_arena(struct worker_state *w, uint32_t id) {
    struct arena *a = find_arena(w, id);
    if (!a) return false;
    pthread_mutex_lock(&w->lock);
    const bool idle = a->n_jobs == 0;
    pthread_mutex_unlock(&w->lock);
    if (!idle) return false;
    slots_view_close(&a->view);
    a->used = false;
    return true;
}

/* Resolves the slots and queues the job. False = the message makes no sense here. */
static bool queue_job(struct worker_state *w, struct job *j, const struct wire_surface *s, uint32_t arena,
                      uint32_t slot, uint32_t out_arena, uint32_t out_slot) {
    j->in_arena = find_arena(w, arena);
    j->out_arena = find_arena(w, out_arena);
    if (!j->in_arena || !j->out_arena || !j->out_arena->writable || slot >= j->in_arena->view.n_slots ||
        out_slot >= j->out_arena->view.n_slots || wire_surface_fits(s, j->in_arena->view.slot_bytes) != OK)
        return false;
    j->in = j->in_arena->view.base + (size_t)slot * j->in_arena->view.slot_bytes;
    j->out = j->out_arena->view.base + (size_t)out_slot * j->out_arena->view.slot_bytes;
    j->out_bytes = j->out_arena->view.slot_bytes;
    pthread_mutex_lock(&w->lock);
    const bool room = w->tail - w->head < QUEUE_MAX;
    if (room) {
        w->queue[w->tail++ % QUEUE_MAX] = *j;
        j->in_arena->n_jobs++;
        j->out_arena->n_jobs++;
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
    return room;
}

static bool rois_fit(const struct wire_crops *m) {
    for (uint32_t i = 0; i < m->n_rois; i++)
        if ((uint32_t)m->rois[i].x_px + m->rois[i].w_px > m->surface.w_px ||
            (uint32_t)m->rois[i].y_px + m->rois[i].h_px > m->surface.h_px)
            return false;
    return true;
}

static bool on_message(struct worker_state *w, const union wire_any *m, enum wire_type type, const int *fds,
                       unsigned n_fds) {
    struct job j;
    memset(&j, 0, sizeof j);
    j.type = type;
    switch ((unsigned)type) {
    case WIRE_CARD_ARENA:
        return n_fds == 1 && add_arena(w, &m->arena, fds[0]);
    case WIRE_CARD_ARENA_DROP:
        return n_fds == 0 && drop_arena(w, m->arena.arena);
    case WIRE_CARD_DETECT:
        j.m.detect = m->detect;
        return n_fds == 0 && queue_job(w, &j, &m->detect.surface, m->detect.arena, m->detect.slot,
                                       m->detect.out_arena, m->detect.out_slot);
    case WIRE_CARD_CROPS:
    case WIRE_CARD_REGIONS:
        j.m.crops = m->crops;
        return n_fds == 0 && rois_fit(&m->crops) &&
               queue_job(w, &j, &m->crops.surface, m->crops.arena, m->crops.slot, m->crops.out_arena,
                         m->crops.out_slot);
    default:
        return false;
    }
}

static enum card_exit serve(struct worker_state *w) {
    if (worker_reply(&w->ready, sizeof w->ready) != OK) return CARD_EXIT_OK;
    for (;;) {
        _Alignas(16) uint8_t raw[WORKER_MESSAGE_MAX_BYTES];
        union wire_any m;
        size_t n = 0;
        int fds[4];
        unsigned n_fds = 0;
        enum wire_type type;
        const enum err e = worker_receive(raw, sizeof raw, &n, fds, &n_fds, -1);
        if (e == ERR_EOF) return CARD_EXIT_OK;
        bool fine = e == OK && wire_check(raw, n, &m, sizeof m, &type) == OK;
        if (fine) fine = on_message(w, &m, type, fds, n_fds);
        for (unsigned i = 0; i < n_fds; i++) close(fds[i]);
        if (!fine) {
            log_error("card", "the server sent something impossible err=%s bytes=%zu", err_text(e), n);
            return CARD_EXIT_PROTOCOL;
        }
    }
}

/* --- start and end
 * ---------------------------------------------------------------------------------------------- */

static void fill_tensor(struct wire_tensor *to, const struct dpu_tensor *t) {
    memset(to, 0, sizeof *to);
    memcpy(to->name, t->name, sizeof to->name);
    to->h = t->h;
    to->w = t->w;
    to->c = t->c;
    to->fix_point = t->fix_point;
    to->n_bytes = t->n_bytes;
}

/* The xmodel's tensors must be what model.json says; `ready` lists the outputs in the manifest's order. */
static enum err match_model(struct worker_state *w, const struct dpu_runner *r) {
    const struct model_file *m = &w->model;
    const struct dpu_tensor *in = dpu_runner_input(r, 0);
    if (dpu_runner_inputs(r) != 1 || in->n != 1 || in->w != m->w_px || in->h != m->h_px || in->c != 3 ||
        in->fix_point != m->fix_point) {
        log_error("model",
                  "%s: the input is %ux%ux%ux%u fix_point %d; model.json says 1x%ux%ux3 fix_point %d",
                  m->path, in->n, in->h, in->w, in->c, in->fix_point, m->h_px, m->w_px, m->fix_point);
        return ERR_CORRUPT;
    }
    if (dpu_runner_outputs(r) != m->n_outputs) {
        log_error("model", "%s has %u outputs; model.json names %u", m->path, dpu_runner_outputs(r),
                  m->n_outputs);
        return ERR_CORRUPT;
    }
    fill_tensor(&w->ready.input, in);
    uint64_t sum = 0;
    for (unsigned i = 0; i < m->n_outputs; i++) {
        unsigned k = 0;
        while (k < m->n_outputs && strcmp(dpu_runner_output(r, k)->name, m->outputs[i].tensor) != 0) k++;
        if (k == m->n_outputs || dpu_runner_output(r, k)->n != 1 ||
            dpu_runner_output(r, k)->fix_point != m->outputs[i].fix_point) {
            log_error("model", "%s: no output %s of one picture with fix_point %d", m->path,
                      m->outputs[i].tensor, m->outputs[i].fix_point);
            return ERR_CORRUPT;
        }
        w->out_index[i] = k;
        fill_tensor(&w->ready.outputs[i], dpu_runner_output(r, k));
        sum += dpu_runner_output(r, k)->n_bytes;
    }
    if (sum > UINT32_MAX) return ERR_CORRUPT;
    w->out_bytes = (uint32_t)sum;
    w->ready.n_outputs = m->n_outputs;
    return OK;
}

static enum err open_lane(struct worker_state *w, unsigned i) {
    struct lane *l = &w->lanes[i];
    l->w = w;
    enum err e = card_lane_open(w->card, i, &l->card);
    if (e == OK) e = dpu_runner_open(w->dpu, 0, w->opt.runner, &l->dpu);
    if (e == OK) e = match_model(w, l->dpu);
    if (e == OK)
        e = card_buf_new(w->card, CARD_PLACE_TENSOR, (size_t)w->model.w_px * w->model.h_px * 3, &l->tensor);
    if (e == OK)
        e = card_buf_new(w->card, CARD_PLACE_TENSOR, CARD_ROIS_MAX * sizeof(struct card_roi), &l->rois);
    return e;
}

static void fill_ready(struct worker_state *w) {
    struct wire_card_ready *r = &w->ready;
    wire_begin(r, WIRE_CARD_READY, sizeof *r);
    r->n_lanes = w->n_lanes;
    r->simulated = w->info.simulated;
    snprintf(r->device, sizeof r->device, "%s", w->info.device);
    snprintf(r->core_library, sizeof r->core_library, "%s", w->info.core_library);
    snprintf(r->runner_library, sizeof r->runner_library, "%s", dpu_runner_library(w->lanes[0].dpu));
    snprintf(r->model, sizeof r->model, "%s", w->model.name);
    snprintf(r->model_sha256, sizeof r->model_sha256, "%s", w->model.sha256);
}

/* Everything up to the first job. On failure what was opened is left to the end of the process. */
static enum card_exit start(struct worker_state *w) {
    const struct options *o = &w->opt;
    enum err e = card_open(o->card, o->xclbin, &w->card);
    if (e == ERR_NOMEM) return CARD_EXIT_MEMORY;
    if (e == ERR_MISSING) return CARD_EXIT_LIBRARY;
    if (e == ERR_IO || e == ERR_CORRUPT || e == ERR_UNSUPPORTED) return CARD_EXIT_XCLBIN;
    if (e != OK) return CARD_EXIT_NO_CARD;
    card_describe(w->card, &w->info);
    if (model_file_read(o->model_dir, w->info.simulated, o->dpu, &w->model) != OK) return CARD_EXIT_MODEL;
    if (dpu_model_open(w->model.path, &w->dpu) != OK) return CARD_EXIT_MODEL;
    if (dpu_model_subgraphs(w->dpu) != 1) {
        log_error("model", "%s has %u DPU subgraphs; this worker runs models of one", w->model.path,
                  dpu_model_subgraphs(w->dpu));
        return CARD_EXIT_MODEL;
    }
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    w->n_lanes = o->n_lanes ? o->n_lanes : cores < 2 ? 1 : 2;
    for (unsigned i = 0; i < w->n_lanes; i++) {
        e = open_lane(w, i);
        if (e == ERR_MISSING) return CARD_EXIT_LIBRARY;
        if (e == ERR_CORRUPT || e == ERR_UNSUPPORTED) return CARD_EXIT_MODEL;
        if (e == ERR_NOMEM) return CARD_EXIT_MEMORY;
        if (e != OK) return CARD_EXIT_NO_CARD;
    }
    e = card_buf_new(w->card, CARD_PLACE_TENSOR, CARD_LUT_BYTES, &w->lut);
    if (e != OK) return CARD_EXIT_MEMORY;
    memcpy(card_buf_at(w->lut), w->model.lut, CARD_LUT_BYTES);
    if (card_buf_sync_to_card(w->lut, 0, CARD_LUT_BYTES) != OK) return CARD_EXIT_LOST;
    fill_ready(w);
    log_info(
        "card",
        "ready card=%u device=\"%s\" simulated=%u core=%s runner=%s lanes=%u letterbox_cus=%u crop_cus=%u",
        o->card, w->info.device, w->info.simulated, w->info.core_library, w->ready.runner_library, w->n_lanes,
        w->info.n_letterbox, w->info.n_crop);
    log_info("card", "model=%s sha256=%s file=%s", w->model.name, w->model.sha256, w->model.path);
    return CARD_EXIT_OK;
}

static void stop(struct worker_state *w) {
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->n_lanes; i++)
        if (w->lanes[i].started) pthread_join(w->lanes[i].thread, NULL);
    for (unsigned i = 0; i < w->n_lanes; i++) {
        struct lane *l = &w->lanes[i];
        dpu_runner_close(&l->dpu);
        card_buf_free(&l->src);
        card_buf_free(&l->tensor);
        card_buf_free(&l->rois);
        card_buf_free(&l->crops);
        card_lane_close(&l->card);
    }
    card_buf_free(&w->lut);
    dpu_model_close(&w->dpu);
    card_close(&w->card);
}

static void print_ready(const struct worker_state *w) {
    const struct wire_card_ready *r = &w->ready;
    printf("device          %s%s\ncore library    %s\nrunner library  %s\nmodel           %s\nsha256         "
           " %s\nlanes           %u\n",
           r->device, r->simulated ? " (simulator)" : "", r->core_library, r->runner_library, r->model,
           r->model_sha256, r->n_lanes);
    printf("input           %s %ux%ux%u fix_point %d\n", r->input.name, r->input.h, r->input.w, r->input.c,
           r->input.fix_point);
    for (unsigned i = 0; i < r->n_outputs; i++)
        printf("output          %s %ux%ux%u fix_point %d\n", r->outputs[i].name, r->outputs[i].h,
               r->outputs[i].w, r->outputs[i].c, r->outputs[i].fix_point);
}

static const char usage[] =
    "usage: relecture-card --xclbin FILE --model DIR --runner LIBRARY [options]\n"
    "The worker that owns one accelerator card; started by relecture, which talks to it over descriptor 3.\n"
    "XILINX_XRT names the directory whose lib/libxrt_core.so.2 reaches the card (or is the simulator).\n"
    "  --card N             which card (0)\n"
    "  --xclbin FILE        the kernels; on a card the DPU is in it too\n"
    "  --model DIR          directory of the model.json of the network to run\n"
    "  --runner LIBRARY     VART runner library for DPU subgraphs\n"
    "  --dpu NAME           which compiled model, when model.json lists several\n"
    "  --lanes N            jobs at once, 1 to 16 (2; 1 on a single core)\n"
    "  --run-timeout-ms N   a run without answer for this long means a hung card (10000)\n"
    "  --check              open everything, say what was found, end\n"
    "  --help               this text\n"
    "exit status: 0 ended by the server; 2 usage; 10 core or runner library missing; 11 no such card; 12 "
    "xclbin;\n"
    "             13 model; 14 memory; 20 protocol; 21 the card hangs; 22 the card is gone\n";

static bool number(const char *s, unsigned long least, unsigned long most, unsigned long *out) {
    char *end;
    *out = strtoul(s, &end, 10);
    return *s >= '0' && *s <= '9' && *end == '\0' && *out >= least && *out <= most;
}

/* -1 = go on, else the exit status. */
static int parse(int argc, char **argv, struct options *o) {
    enum { CARD = 1, XCLBIN, MODEL, RUNNER, DPU, LANES, TIMEOUT, CHECK, HELP };
    static const struct option known[] = {
        {"card", required_argument, NULL, CARD},   {"xclbin", required_argument, NULL, XCLBIN},
        {"model", required_argument, NULL, MODEL}, {"runner", required_argument, NULL, RUNNER},
        {"dpu", required_argument, NULL, DPU},     {"lanes", required_argument, NULL, LANES},
        {"check", no_argument, NULL, CHECK},       {"run-timeout-ms", required_argument, NULL, TIMEOUT},
        {"help", no_argument, NULL, HELP},         {NULL, 0, NULL, 0}};
    unsigned long n = 0;
    bool fine = true;
    *o = (struct options){.run_timeout_ms = 10000};
    for (int c; fine && (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (c) {
        case CARD:
            fine = number(optarg, 0, 63, &n);
            o->card = (unsigned)n;
            break;
        case LANES:
            fine = number(optarg, 1, LANES_MAX, &n);
            o->n_lanes = (unsigned)n;
            break;
        case TIMEOUT:
            fine = number(optarg, 1, 600000, &n);
            o->run_timeout_ms = (uint32_t)n;
            break;
        case XCLBIN:
            o->xclbin = optarg;
            break;
        case MODEL:
            o->model_dir = optarg;
            break;
        case RUNNER:
            o->runner = optarg;
            break;
        case DPU:
            o->dpu = optarg;
            break;
        case CHECK:
            o->check = true;
            break;
        case HELP:
            fputs(usage, stdout);
            return CARD_EXIT_OK;
        default:
            fine = false;
        }
    }
    if (fine && optind == argc && o->xclbin && o->model_dir && o->runner) return -1;
    fputs(usage, stderr);
    return CARD_EXIT_USAGE;
}

int main(int argc, char **argv) {
    static struct worker_state w;
    log_init("card", LOG_INFO);
    const int early = parse(argc, argv, &w.opt);
    if (early >= 0) return early;
    if (!w.opt.check) worker_log_to_server();
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.wake, NULL);
    enum card_exit status = start(&w);
    if (status == CARD_EXIT_OK && w.opt.check) print_ready(&w);
    for (unsigned i = 0; status == CARD_EXIT_OK && !w.opt.check && i < w.n_lanes; i++) {
        if (pthread_create(&w.lanes[i].thread, NULL, lane_main, &w.lanes[i]) != 0)
            status = CARD_EXIT_MEMORY;
        else
            w.lanes[i].started = true;
    }
    if (status == CARD_EXIT_OK && !w.opt.check) status = serve(&w);
    if (status == CARD_EXIT_OK) stop(&w); /* in order: with handles open, XRT's static destructors crash */
    leave(status);
}
