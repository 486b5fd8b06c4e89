/* SPDX-License-Identifier: Apache-2.0 */
/* job.h - one recording on its way into the index; internal to host/import.
 *
 *   state      what runs                          arrow to the next
 *   WAITING    nothing                            job_start()
 *   HASHING    hasher thread                      on_hashed()
 *   PROBING    decode worker, probe               on_probed(), on_probe_end()
 *   RUNNING    decode worker, card jobs, scene    finish(), fail()
 *   DONE | SKIPPED | FAILED | CANCELLED           job_free()
 *
 * job_hold() stops it in any state without losing anything: it takes no further frame, so the decoder, out of
 * slots, waits. What it found since the last commit is its own until commit() puts it all into one
 * transaction: several jobs share the writer, and none may commit half of another's work.
 *
 * Everything decoded goes through one queue in order of pts: frames, gaps, the end. A frame is detected as
 * soon as a card has room, but the scene sees frames strictly in order, so the outcome never depends on
 * timing. Threads: the importer's loop. */
#ifndef HOST_IMPORT_JOB_H
#define HOST_IMPORT_JOB_H

#include "host/import/import.h"
#include "host/import/plate_desk.h"
#include "host/import/look_desk.h"
#include "host/import/rig.h"

struct job;

/* What all jobs of an importer share; borrowed by each job. */
struct job_shared {
    struct event_base *base;
    const struct importer_config *cfg;
    struct index_writer *writer;
    struct look_desk *looks; /* NULL = no network runs on crops */
    struct import_costs costs;
};

struct job_callbacks {
    void (*on_change)(struct job *j, void *arg); /* figures or state changed */
    void (*on_end)(struct job *j,
                   void *arg); /* reached an end state; job_free() is allowed from the loop, not here */
    /* Another job of the importer works on this content for this camera: its number, 0 = none. */
    uint64_t (*twin)(const char *sha256, uint16_t camera_number, const struct job *j, void *arg);
    /* The detector and cards for pictures of this shape; borrowed. Not ready yet is fine: job_pump() follows.
     */
    enum err (*rig_for)(uint32_t w_px, uint32_t h_px, struct rig **out, void *arg);
    /* Where its case and the site allow plates, what reads them (borrowed; not ready yet is fine) and in which time,
     * else NULL. */
    enum err (*desk_for)(const char *case_id, uint16_t camera_number, struct plate_desk **out, int64_t *from_ms,
                         int64_t *to_ms, void *arg);
    void (*on_room)(struct job *j, void *arg); /* a card answered: others may find room now */
    void *arg;
};

struct job_request {
    uint64_t number, batch;
    int priority;
    bool ungated;
    const char *file, *case_id;
    uint16_t camera_number;
    int64_t start_ms; /* UTC, clock offset applied */
    /* Taken up again: what the file must still hold. "" or NULL = a new one. */
    const char *sha256;
};

MUST_CHECK enum err job_new(struct job_shared *shared, const struct job_request *rq,
                            const struct job_callbacks *cb, struct job **out);
void job_item(const struct job *j, struct import_item *out); /* figures brought up to date */
enum import_state job_state(const struct job *j);            /* as job_item(), but never PAUSED */
uint64_t job_number(const struct job *j);
int job_priority(const struct job *j);
void job_set_priority(struct job *j, int priority);
const char *job_case(const struct job *j);
uint16_t job_camera(const struct job *j);
const char *job_sha256(const struct job *j);    /* "" before it is known */
const struct plate_desk *job_desk(const struct job *j); /* NULL = it reads no plates, or is not that far */
void job_forget_desk(struct job *j);                    /* the desk closes; for jobs that can be freed */
const struct rig *job_rig(const struct job *j); /* NULL before it is probed */
bool job_is_over(const struct job *j);
/* An end state, and no card job refers to it any more. */
bool job_can_be_freed(const struct job *j);
void job_start(struct job *j);
void job_pump(struct job *j); /* the cards have room again */
/* by_person: it is shown as paused, else it only yields to more urgent ones. */
void job_hold(struct job *j, bool hold, bool by_person);
bool job_is_paused(const struct job *j); /* by a person */
void job_cancel(struct job *j); /* what is committed stays; the same file added again goes on from there */
void job_fail(struct job *j, const char *text);
void job_free(struct job **j);

#endif
