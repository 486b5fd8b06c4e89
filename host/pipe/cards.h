/* SPDX-License-Identifier: Apache-2.0 */
/* cards.h - the server's view of its card workers: start, capacity, jobs in flight, restart, resubmission.
 * A dead or hung card worker is restarted (back-off 1, 2, 4 .. 60 s) and every job it held is submitted once
 * more; a job that kills three workers, or ends badly eight times, is answered ERR_CARD. Each
 * job gets exactly one completion. Threads: that of the event_base. */
#ifndef HOST_PIPE_CARDS_H
#define HOST_PIPE_CARDS_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/proc/slots.h"
#include "host/proc/wire.h"

struct event_base;
struct cards;

struct cards_config {
    const char *exe; /* path of relecture-card */
    const char
        *xilinx_xrt; /* directory whose lib/libxrt_core.so.2 is loaded: the simulator's or the card's */
    const char *runner_lib;  /* VART runner library for DPU subgraphs */
    const char *xclbin;      /* our kernels (on a card: with the DPU in it) */
    const char *model_dir;   /* directory of model.json of the detector */
    unsigned n_cards;        /* device indices 0 .. n_cards-1, one worker each */
    unsigned job_timeout_ms; /* a job older than this means a hung card: its worker is ended */
};

/* What a job came to. `out` is the slot of the results arena, borrowed until return. */
struct cards_result {
    enum err status;
    const uint8_t *out;
    uint32_t n_bytes;
    uint32_t kernel_us, dpu_us;
};
typedef void cards_done_fn(const struct cards_result *r, void *arg);
/* The model and card are known; called once per (re)start of a worker. */
typedef void cards_ready_fn(const struct wire_card_ready *ready, void *arg);
/* Nothing can work any more: every worker failed to come up (missing card, wrong library, refused model). Said
 * before the jobs still in hand are answered ERR_CARD, so that the callee can tell them from single failures. */
typedef void cards_dead_fn(enum err e, const char *text, void *arg);

MUST_CHECK enum err cards_new(struct event_base *base, const struct cards_config *cfg,
                              cards_ready_fn *on_ready, cards_dead_fn *on_dead, void *arg,
                              struct cards **out);
/* NULL until the first worker is ready. */
const struct wire_card_ready *cards_model(const struct cards *c);
/* Jobs that may be submitted now before ERR_AGAIN: twice the lanes ready, less those in flight. */
unsigned cards_room(const struct cards *c);

/* Makes an arena of surfaces known to every worker (also to those that start later). The slots are borrowed
 * until cards_arena_drop(); no job on it may be in flight then. */
MUST_CHECK enum err cards_arena_add(struct cards *c, struct slots *s, uint32_t *arena);
void cards_arena_drop(struct cards *c, uint32_t arena);

/* Submit. The caller keeps its reference on `slot` until `done`. ERR_AGAIN = no room. */
MUST_CHECK enum err cards_detect(struct cards *c, uint32_t arena, unsigned slot, const struct wire_surface *s,
                                 cards_done_fn *done, void *arg);
MUST_CHECK enum err cards_crops(struct cards *c, uint32_t arena, unsigned slot, const struct wire_surface *s,
                                const struct wire_roi *rois, unsigned n_rois, unsigned dst_w_px,
                                unsigned dst_h_px, cards_done_fn *done, void *arg);
/* Runs the network on regions of the surface, each stretched to its input; for models whose input takes crops
 * (model.json: fit stretch). The result is the raw outputs of the first region, then of the next. ERR_USAGE also
 * when no such model is loaded yet, or the results would not fit a slot. */
MUST_CHECK enum err cards_regions(struct cards *c, uint32_t arena, unsigned slot, const struct wire_surface *s,
                                  const struct wire_roi *rois, unsigned n_rois, cards_done_fn *done, void *arg);
/* Forget a job's callback: its result will be dropped. */
void cards_cancel(struct cards *c, void *arg);

struct cards_stats {
    uint64_t n_jobs, n_done, n_failed, n_resubmitted, n_restarts;
    uint64_t worker_cpu_us, worker_peak_kib; /* finished workers and, where /proc tells, the living */
    unsigned n_ready, n_cards;
    bool simulated;
};
void cards_stats(const struct cards *c, struct cards_stats *out);
int cards_pid(const struct cards *c, unsigned card); /* -1 = not running */
void cards_free(struct cards **c);

#endif
