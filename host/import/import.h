/* SPDX-License-Identifier: Apache-2.0 */
/* import.h - bring recordings in: hash, probe, decode, detect, track, index; resumable, exactly once.
 * An importer owns the index writer and the card workers and runs on one event_base (one thread): the
 * command's own loop, or the server's import thread. Job states: waiting -> hashing -> probing -> running ->
 * done | failed | cancelled. Up to `n_jobs` recordings are at work at once, those of the highest priority, of
 * equal ones the oldest; a job that is paused, or has to yield, keeps its place and stops taking frames. What
 * was asked for is in queue.db until it is over, so a killed process finds its jobs again and goes on from
 * the last commit of each. */
#ifndef HOST_IMPORT_IMPORT_H
#define HOST_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/base/vocab.h"
#include "host/index/index.h"
#include "host/pipe/cards.h"
#include "host/pipe/look_net.h"

struct event_base;
struct importer;

enum import_state {
    IMPORT_WAITING,
    IMPORT_HASHING,
    IMPORT_PROBING,
    IMPORT_RUNNING,
    IMPORT_PAUSED, /* by a person; whatever it was at */
    IMPORT_DONE,
    IMPORT_SKIPPED,
    IMPORT_FAILED,
    IMPORT_CANCELLED
};
const char *import_state_name(enum import_state s); /* "running" */

/* One file of a batch, as shown to people. */
struct import_item {
    uint64_t job, batch; /* batch: what was asked for together */
    enum import_state state;
    int priority; /* IMPORT_PRIORITY_MIN .. MAX; 0 = usual, higher first */
    char file[1024];
    char case_id[40];
    uint16_t camera_number;
    int64_t start_ms;
    int64_t duration_us; /* probed; 0 = not known yet */
    int64_t position_us; /* analysed so far */
    uint64_t n_sightings;
    double x_realtime; /* hours of footage per hour, since it began running */
    int64_t eta_ms;    /* time left; -1 = unknown */
    char error[256];   /* FAILED, SKIPPED: what, where, what to do */
};

enum { IMPORT_PRIORITY_MIN = -9, IMPORT_PRIORITY_MAX = 9 };
enum { IMPORT_JOBS_MAX = 64 };

/* How many items that are over importer_items() still tells of. */
#define IMPORT_OVER_KEPT 64u

/* From this shape on a picture is wide. */
enum { IMPORT_WIDE_W = 3, IMPORT_WIDE_H = 2 };

struct importer_config {
    const char *dir;        /* data directory */
    const char *decode_exe; /* path of relecture-decode */
    struct cards_config cards;
    const char *wide_model_dir; /* detector for pictures of 3:2 and wider; NULL = the same as for all */
    bool simulated; /* card.backend = simulator; a card of the other kind is an error, never used silently */
    const struct vocab *vocab;
    const char *looks[LOOK_NETS_MAX]; /* folders of the networks that run on crops; NULL ends the list */
    bool likeness;      /* the site allows vehicle.similar; else no likeness vector is kept */
    /* The two networks of plates, and whether they may look at this camera's recordings for this case: site AND case
     * allow it, and in which time (end exclusive). Asked when a recording begins or is taken up again; NULL = never. */
    const char *plate_find_dir, *plate_read_dir;
    bool (*plates_allowed)(const char *case_id, uint16_t camera_number, int64_t *from_ms, int64_t *to_ms, void *arg);
    void *plates_arg;
    uint32_t fps_milli; /* frames analysed per second of footage, x 1000 */
    unsigned n_slots;   /* surfaces in flight per recording */
    bool gate;          /* stretches in which nothing differs are looked at by their key frames */
    unsigned n_jobs;    /* recordings at work at once, 1 .. IMPORT_JOBS_MAX */
};
/* What the work has cost since the importer began, for `--stats` and make bench. CPU in microseconds. */
struct import_costs {
    uint64_t n_frames, footage_us, closed_us;         /* closed: of the footage, by the gate */
    uint64_t n_sample, n_found;                       /* of the sample, as struct gate_row */
    uint64_t decode_cpu_us, card_cpu_us, host_cpu_us; /* host: this thread */
    uint64_t kernel_us, dpu_us;                       /* time inside the card worker, by wall clock */
    uint64_t look_us;                                 /* of it for crops and the networks on them */
    uint64_t decode_peak_kib, card_peak_kib;
};

/* A state or figure changed; `item` borrowed until return. */
typedef void import_event_fn(const struct import_item *item, void *arg);
struct import_request {
    const char *file, *case_id;
    uint16_t camera_number;
    int64_t start_ms;        /* UTC of its first frame as the camera's clock claims */
    int64_t clock_offset_ms; /* added to that */
    int priority;
    bool ungated;   /* whatever the configuration says */
    uint64_t batch; /* of importer_new_batch(); 0 = a batch of its own */
};
/* All jobs ended. */
typedef void import_idle_fn(void *arg);

MUST_CHECK enum err importer_new(struct event_base *base, const struct importer_config *cfg,
                                 import_event_fn *on_event, import_idle_fn *on_idle, void *arg,
                                 struct importer **out);
/* Queue one file (everything borrowed). Problems of the file itself come as a FAILED item, never as an error
 * here. */
MUST_CHECK enum err importer_add(struct importer *im, const struct import_request *rq, uint64_t *job);
uint64_t importer_new_batch(struct importer *im);

enum import_action { IMPORT_PAUSE, IMPORT_RESUME, IMPORT_CANCEL, IMPORT_PRIORITY };
/* "pause", "resume", "cancel", "priority"; false for another word. */
bool import_action_of(const char *name, enum import_action *out);
/* Which jobs: a number, or 0 and a case (NULL = of all cases). Both given must both fit. */
struct import_order {
    enum import_action action;
    uint64_t job;
    const char *case_id;
    int priority; /* PRIORITY */
};
/* How many it concerned. Kept in queue.db, so it holds after a restart too. */
unsigned importer_order(struct importer *im, const struct import_order *o);
/* In order of arrival, of those that are over only the last IMPORT_OVER_KEPT; the first `max` of them. */
/* For what else writes to the index on this thread, between two events of the loop. */
struct index_writer *importer_writer(struct importer *im);
unsigned importer_items(const struct importer *im, struct import_item *out, unsigned max);
/* Take up again what an earlier process left running. */
MUST_CHECK enum err importer_resume(struct importer *im);
void importer_costs(const struct importer *im, struct import_costs *out);
/* Card workers: NULL behind the last of those open now, which are the square detector's (0), and then the wide one's,
 * those of the networks on crops, and those of plate-find and plate-read, where they are. */
const struct cards *importer_cards(const struct importer *im, unsigned i);
/* Why no card can work, for a person; "" while none failed. */
const char *importer_dead_text(const struct importer *im);
void importer_free(struct importer **im);

#endif
