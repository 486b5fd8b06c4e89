/* SPDX-License-Identifier: Apache-2.0 */
#include "host/import/job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/base/bytes.h"
#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/base/utf8.h"
#include "host/import/hasher.h"
#include "host/index/gate.h"
#include "host/media/decoder.h"
#include "host/pipe/scene.h"

enum {
    COMMIT_EVERY_FRAMES = 500,
    COMMIT_EVERY_MS = 2000,
    GAP_ENDS_TRACKS_US = 2000000, /* nobody can say that it is the same person after that */
    CARD_FAILED_US = 1000,        /* what one frame stands for: it has no length of its own */
    DEATHS_MAX = 2,
};
/* What the index can date: its hours are numbered with 22 bits, until 2448. */
#define START_MAX_MS 13569465600000ll
/* How many groups of pictures are remembered, for passages that end long after they began: 17 minutes and
 * more. */
enum { VERDICTS = 512 };
/* Narrower than this many misses are chance. */
enum { GATE_MISSES_MIN = 2, GATE_RECALL_PCT = 98, GATE_WIDEST = 3 };
static const char closed_reason[] = "gate: key frames only";
/* Below this much free space an import is not begun: SQLite would fail in mid-transaction. */
#define FREE_BYTES_MIN (64ull << 20)

enum entry_kind { ENTRY_FRAME, ENTRY_GAP, ENTRY_END };
enum entry_state { ENTRY_QUEUED, ENTRY_DETECTING, ENTRY_READY, ENTRY_CROPPING };

/* One thing that came out of the decoder, waiting for its turn. */
struct entry {
    struct entry *next;
    struct job *job;
    enum entry_kind kind;
    enum entry_state state;
    unsigned slot;
    int64_t pts_us; /* frame; gap: its start; end: the end */
    int64_t to_us;  /* gap */
    bool card_failed;
    struct wire_surface surface;
    struct detection det[DETECTIONS_MAX];
    unsigned n_det;
    struct scene_crop crop[WIRE_ROIS_MAX];
    unsigned n_crops, crop_next, crop_sent; /* [crop_next, crop_next + crop_sent) is with the card */
    enum { PLATES_LATER, PLATES_AT_DESK, PLATES_DONE } plates;
    unsigned net_next;                      /* the network to be asked about the crops ... */
    bool net_asked;                         /* ... has been */
    char reason[WIRE_TEXT_MAX];
};

/* A stretch of time that was dealt with, waiting for the commit. */
struct span {
    int64_t from_ms, to_ms;
    enum coverage_state state;
    char reason[WIRE_TEXT_MAX];
};

struct job {
    struct job_shared *shared;
    struct job_callbacks cb;
    struct import_item item;
    struct recording rec;
    bool has_row; /* rec is in the index */
    int fd;
    struct stat st;
    struct hasher *hasher;
    struct decoder *decoder;
    struct wire_probed probed;
    struct slots *slots;
    uint32_t arena;
    bool has_arena;
    struct rig *rig;         /* the importer's; by the picture's shape */
    struct plate_desk *desk; /* the importer's; NULL = no plates are read here */
    struct plate_arena plate_arena;
    int64_t plates_from_ms, plates_to_ms; /* the time that its case covers */
    struct look_arena look_arena;
    struct scene *scene;
    struct entry *head, **tail;
    unsigned n_with_card;  /* card jobs that refer to our slots */
    int64_t last_sent_us;  /* pts of the last frame that the decoder delivered */
    int64_t first_us;      /* position at which this run began */
    int64_t speed_from_us; /* and where it was at run_mono_ns, for the speed */
    uint64_t run_mono_ns, commit_mono_ns;
    int64_t covered_us; /* what lies before it has its rows of coverage */
    char expected_sha256[65];
    const char *bad_name; /* why the file cannot even be tried; NULL = it can */
    bool gated;
    struct gate_row gate;                /* of this recording */
    struct gate_row gate_before;         /* sample of earlier ones of the camera at this width */
    struct wire_gate verdicts[VERDICTS]; /* a ring */
    unsigned n_verdicts;
    int64_t gate_counted_us;
    /* Found since the last commit. */
    struct sighting **found;
    size_t n_found, found_cap;
    struct span *spans;
    size_t n_spans, spans_cap;
    unsigned frames_since_commit, n_deaths;
    int64_t death_us;
    bool yielding, paused;
    bool grow; /* larger slots are asked for, once the queue is empty */
    uint32_t grow_w_px, grow_h_px;
};

static void pump(struct job *j);
static void start_decoding(struct job *j);
static void widen_if_short(struct job *j);
static void on_detected(const struct cards_result *r, void *arg);
static void on_cropped(const struct cards_result *r, void *arg);
static void on_plates(const struct plate_seen *seen, unsigned n, void *arg);
static void on_looked(const struct cards_result *r, void *arg);

const char *import_state_name(enum import_state s) {
    static const char *const names[] = {"waiting", "hashing", "probing", "running",  "paused",
                                        "done",    "skipped", "failed",  "cancelled"};
    return (unsigned)s < sizeof names / sizeof names[0] ? names[s] : "unknown";
}

bool job_is_over(const struct job *j) {
    return j->item.state >= IMPORT_DONE;
}

bool job_can_be_freed(const struct job *j) {
    return job_is_over(j) && j->n_with_card == 0;
}

const struct rig *job_rig(const struct job *j) {
    return j->rig;
}

const struct plate_desk *job_desk(const struct job *j) {
    return j->desk;
}

void job_forget_desk(struct job *j) {
    j->desk = NULL;
}

const char *job_sha256(const struct job *j) {
    return j->rec.sha256;
}

enum import_state job_state(const struct job *j) {
    return j->item.state;
}

uint64_t job_number(const struct job *j) {
    return j->item.job;
}

int job_priority(const struct job *j) {
    return j->item.priority;
}

void job_set_priority(struct job *j, int priority) {
    j->item.priority = priority;
}

const char *job_case(const struct job *j) {
    return j->item.case_id;
}

uint16_t job_camera(const struct job *j) {
    return j->item.camera_number;
}

bool job_is_paused(const struct job *j) {
    return j->paused;
}

/* Footage per time of this run, so far; 0 = too early to say. */
static double speed_of(const struct job *j) {
    if (!j->run_mono_ns) return 0;
    const double wall_us = (double)(clock_mono_ns() - j->run_mono_ns) / 1e3;
    const double done_us = (double)(j->item.position_us - j->speed_from_us);
    return wall_us > 1e5 && done_us > 0 ? done_us / wall_us : 0;
}

void job_item(const struct job *j, struct import_item *out) {
    *out = j->item;
    out->eta_ms = -1;
    if (out->state == IMPORT_RUNNING) {
        out->x_realtime = speed_of(j);
        if (out->x_realtime > 0 && out->duration_us > out->position_us)
            out->eta_ms = (int64_t)((double)(out->duration_us - out->position_us) / out->x_realtime / 1e3);
    }
    if (j->paused && !job_is_over(j)) {
        out->state = IMPORT_PAUSED;
        out->eta_ms = -1;
    }
}

/* ---- ends ---------------------------------------------------------------------------------------------- */

static void drop_queue(struct job *j) {
    while (j->head) {
        struct entry *e = j->head;
        j->head = e->next;
        if (e->kind == ENTRY_FRAME) slots_unref(j->slots, e->slot);
        free(e);
    }
    j->tail = &j->head;
}

static void drop_found(struct job *j) {
    for (size_t i = 0; i < j->n_found; i++) sighting_free(&j->found[i]);
    j->n_found = j->n_spans = 0;
}

/* Gives back what a running job holds. Entries that a card still works on are freed by their completion. */
static void release(struct job *j) {
    hasher_free(&j->hasher);
    decoder_free(&j->decoder);
    scene_free(&j->scene);
    drop_found(j);
    struct entry **pe = &j->head;
    while (*pe) {
        struct entry *e = *pe;
        const bool busy = e->kind == ENTRY_FRAME && (e->state == ENTRY_DETECTING || e->crop_sent > 0 || e->net_asked ||
                                                     e->plates == PLATES_AT_DESK);
        if (busy) {
            pe = &e->next;
            continue;
        }
        *pe = e->next;
        if (e->kind == ENTRY_FRAME) slots_unref(j->slots, e->slot);
        free(e);
    }
    j->tail = pe;
    if (j->fd >= 0) close(j->fd);
    j->fd = -1;
}

static void drop_arena(struct job *j) {
    if (j->has_arena) cards_arena_drop(rig_cards(j->rig), j->arena);
    if (j->has_arena && j->desk) plate_desk_arena_drop(j->desk, &j->plate_arena);
    if (j->has_arena && j->shared->looks) look_desk_arena_drop(j->shared->looks, &j->look_arena);
    j->has_arena = false;
    slots_free(&j->slots);
}

static void end(struct job *j, enum import_state state) {
    if (job_is_over(j)) return;
    j->item.state = state;
    release(j);
    if (j->n_with_card == 0) drop_arena(j);
    j->cb.on_end(j, j->cb.arg);
}

static void say(struct job *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct job *j, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(j->item.error, sizeof j->item.error, fmt, ap);
    va_end(ap);
    utf8_mend(j->item.error); /* it may end in the middle of a character */
}

static void position_text(int64_t us, char out[static 32]) {
    const int64_t s = us > 0 ? us / 1000000 : 0;
    snprintf(out, 32, "%" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
}

static int64_t wall_ms(const struct job *j, int64_t us) {
    return j->rec.start_ms + us / 1000;
}

/* The index refused. Whatever was not committed is rolled back; the file can be added again and goes on. */
static void fail_index(struct job *j, enum err e) {
    char at[32];
    position_text(j->rec.position_us, at);
    index_rollback(j->shared->writer);
    if (e == ERR_FULL)
        say(j, "the disk is full; free some space and import the file again: it goes on from %s", at);
    else
        say(j,
            "the index cannot be written (%s); see the log, then import the file again: it goes on from %s",
            err_text(e), at);
    log_error("import", "job=%" PRIu64 " op=commit err=\"%s\"", j->item.job, err_text(e));
    end(j, IMPORT_FAILED);
}

/* The file is at fault: the state and the stretch not searched are recorded. item.error holds the text. */
static void fail_file(struct job *j) {
    struct index_writer *w = j->shared->writer;
    index_rollback(w);
    const int64_t from_us = j->rec.position_us > 0 ? j->rec.position_us : 0;
    const int64_t to_us = j->rec.duration_us > from_us ? j->rec.duration_us : from_us;
    enum err e = OK;
    if (*j->rec.sha256) {
        j->rec.state = RECORDING_FAILED;
        snprintf(j->rec.error, sizeof j->rec.error, "%s", j->item.error);
        e = j->has_row ? index_recording_set(w, &j->rec) : index_recording_add(w, &j->rec);
        if (!e && to_us > from_us)
            e = index_coverage_add(w, j->rec.id, j->rec.camera_number, wall_ms(j, from_us), wall_ms(j, to_us),
                                   COVERAGE_FAILED, j->item.error);
        if (!e) e = index_commit(w);
    }
    if (e) {
        fail_index(j, e);
        return;
    }
    end(j, IMPORT_FAILED);
}

void job_fail(struct job *j, const char *text) {
    if (job_is_over(j)) return;
    index_rollback(j->shared->writer);
    say(j, "%s", text);
    end(j, IMPORT_FAILED);
}

void job_cancel(struct job *j) {
    if (job_is_over(j)) return;
    index_rollback(j->shared->writer);
    say(j, "cancelled; import the file again to go on");
    if (j->has_row) { /* else the next start would take it up as one that was interrupted */
        j->rec.state = RECORDING_FAILED;
        snprintf(j->rec.error, sizeof j->rec.error, "%s", j->item.error);
        enum err e = index_recording_set(j->shared->writer, &j->rec);
        if (!e) e = index_commit(j->shared->writer);
        if (e) log_error("import", "job=%" PRIu64 " op=cancel err=\"%s\"", j->item.job, err_text(e));
    }
    end(j, IMPORT_CANCELLED);
}

/* ---- the scene, strictly in order ---------------------------------------------------------------------- */

/* One more element; *items grows as needed. */
static enum err make_room(void **items, size_t n, size_t *cap, size_t each) {
    if (n < *cap) return OK;
    const size_t more = *cap ? 2 * *cap : 16;
    void *grown = realloc(*items, more * each);
    if (!grown) return ERR_NOMEM;
    *items = grown;
    *cap = more;
    return OK;
}

/* The sample is looked at whatever the gate says, so it shows what the gate would have missed. */
static void measure_gate(struct job *j, const struct sighting *s) {
    const int64_t from_us = (s->start_ms - j->rec.start_ms) * 1000,
                  to_us = (s->end_ms - j->rec.start_ms) * 1000;
    bool began_in_sample = false, found = false;
    for (unsigned i = 0; i < j->n_verdicts && i < VERDICTS; i++) {
        const struct wire_gate *v = &j->verdicts[i];
        if (v->to_us <= from_us || v->from_us > to_us) continue;
        found |= v->would_open != 0;
        if (v->from_us <= from_us) began_in_sample = v->sample && !v->learning;
    }
    if (!began_in_sample) return;
    j->gate.n_sample++;
    j->gate.n_found += found;
    j->shared->costs.n_sample++;
    j->shared->costs.n_found += found;
}

static enum err take_sightings(struct job *j) {
    for (;;) {
        void *items = j->found;
        const enum err e = make_room(&items, j->n_found, &j->found_cap, sizeof *j->found);
        if (e) return e;
        j->found = items;
        struct sighting *s = scene_take(j->scene);
        if (!s) return OK;
        if (!j->shared->cfg->likeness) s->has_likeness = 0;
        j->found[j->n_found++] = s;
        if (j->gated) measure_gate(j, s);
        j->item.n_sightings++;
    }
}

/* From where the last span ended; so a stretch that was not looked at never hides in one that was. */
static enum err cover(struct job *j, int64_t to_us, enum coverage_state state, const char *reason) {
    const int64_t from_us = j->covered_us;
    if (to_us <= from_us) return OK;
    j->covered_us = to_us;
    const int64_t from_ms = wall_ms(j, from_us), to_ms = wall_ms(j, to_us);
    if (to_ms <= from_ms) return OK;
    void *items = j->spans;
    const enum err e = make_room(&items, j->n_spans, &j->spans_cap, sizeof *j->spans);
    if (e) return e;
    j->spans = items;
    struct span *s = &j->spans[j->n_spans++];
    *s = (struct span){.from_ms = from_ms, .to_ms = to_ms, .state = state};
    snprintf(s->reason, sizeof s->reason, "%s", reason);
    return OK;
}

/* The same for what was looked at, told apart by how: all of it, or key frames where the gate was closed. */
static enum err cover_looked(struct job *j, int64_t to_us) {
    enum err e = OK;
    const unsigned first = j->n_verdicts > VERDICTS ? j->n_verdicts - VERDICTS : 0;
    for (unsigned i = first; !e && j->gated && i < j->n_verdicts; i++) {
        const struct wire_gate *v = &j->verdicts[i % VERDICTS];
        if (v->open || v->to_us <= j->covered_us || v->from_us >= to_us) continue;
        e = cover(j, v->from_us, COVERAGE_INDEXED, "");
        if (!e) e = cover(j, v->to_us < to_us ? v->to_us : to_us, COVERAGE_INDEXED, closed_reason);
    }
    return e ? e : cover(j, to_us, COVERAGE_INDEXED, "");
}

/* What was found goes into the open transaction. */
static enum err put_found(struct job *j) {
    struct index_writer *w = j->shared->writer;
    enum err e = OK;
    for (size_t i = 0; !e && i < j->n_found; i++) e = index_sighting_add(w, j->found[i]);
    for (size_t i = 0; !e && i < j->n_spans; i++) {
        const struct span *s = &j->spans[i];
        e = index_coverage_add(w, j->rec.id, j->rec.camera_number, s->from_ms, s->to_ms, s->state, s->reason);
    }
    return e;
}

/* Everything up to `to_us` in one transaction: sightings, the stretch covered, the scene, the position. */
static enum err commit(struct job *j, int64_t to_us, bool last) {
    struct index_writer *w = j->shared->writer;
    struct bytes record = {0};
    enum err e = take_sightings(j);
    if (!e) e = cover_looked(j, to_us);
    if (!e) e = put_found(j);
    if (!e && j->gated) e = index_gate_set(w, &j->gate);
    if (!e && !last) e = scene_save(j->scene, &record);
    if (!e) e = index_checkpoint_set(w, j->rec.id, to_us, record.data, record.len);
    if (!e) {
        j->rec.position_us = to_us;
        if (last) {
            j->rec.state = RECORDING_DONE;
            j->rec.duration_us = to_us;
        }
        e = index_recording_set(w, &j->rec);
    }
    if (!e) e = index_commit(w);
    bytes_fini(&record);
    if (!e) drop_found(j);
    j->frames_since_commit = 0;
    j->commit_mono_ns = clock_mono_ns();
    return e;
}

static bool file_changed(const struct job *j) {
    struct stat now;
    return fstat(j->fd, &now) != 0 || now.st_size != j->st.st_size ||
           now.st_mtim.tv_sec != j->st.st_mtim.tv_sec || now.st_mtim.tv_nsec != j->st.st_mtim.tv_nsec;
}

static void fail_changed(struct job *j) {
    say(j, "the file changed while it was read; wait until the recorder has closed it, then import it again");
    fail_file(j);
}

static void finish(struct job *j, int64_t end_us) {
    if (file_changed(j)) {
        fail_changed(j);
        return;
    }
    enum err e = scene_end(j->scene);
    if (!e) e = commit(j, end_us, true);
    if (e) {
        fail_index(j, e);
        return;
    }
    j->item.position_us = j->item.duration_us = end_us;
    j->item.x_realtime = speed_of(j);
    log_info("import", "job=%" PRIu64 " recording=%" PRIu64 " state=done sightings=%" PRIu64, j->item.job,
             j->rec.id, j->item.n_sightings);
    end(j, IMPORT_DONE);
}

/* One frame is complete. False when the job ended. */
static bool frame_done(struct job *j, const struct entry *f) {
    enum err e = take_sightings(j);
    if (!e && f->card_failed) e = cover_looked(j, f->pts_us);
    if (!e && f->card_failed)
        e = cover(j, f->pts_us + CARD_FAILED_US, COVERAGE_DAMAGED, "the card kept failing on this frame");
    j->item.position_us = f->pts_us;
    j->shared->costs.n_frames++;
    j->frames_since_commit++;
    if (!e && (j->frames_since_commit >= COMMIT_EVERY_FRAMES ||
               clock_mono_ns() - j->commit_mono_ns > COMMIT_EVERY_MS * 1000000ull))
        e = commit(j, f->pts_us, false);
    if (e) fail_index(j, e);
    if (!e && j->gated && j->decoder) widen_if_short(j);
    if (!e) j->cb.on_change(j, j->cb.arg);
    return !e && !job_is_over(j);
}

static bool gap_done(struct job *j, const struct entry *g) {
    enum err e = OK;
    if (g->to_us - g->pts_us > GAP_ENDS_TRACKS_US) e = scene_end(j->scene);
    if (!e) e = take_sightings(j);
    if (!e) e = cover_looked(j, g->pts_us);
    if (!e) e = cover(j, g->to_us, COVERAGE_DAMAGED, g->reason);
    if (e) fail_index(j, e);
    return !e;
}

/* Crops of one size go to the card together; the next size waits for them. ERR_AGAIN = the card has no room.
 */
static enum err send_crops(struct entry *f) {
    struct job *j = f->job;
    struct wire_roi rois[WIRE_ROIS_MAX];
    const struct scene_crop *first = &f->crop[f->crop_next];
    unsigned n = 0;
    while (f->crop_next + n < f->n_crops && f->crop[f->crop_next + n].dst_w_px == first->dst_w_px &&
           f->crop[f->crop_next + n].dst_h_px == first->dst_h_px) {
        rois[n] = f->crop[f->crop_next + n].roi;
        n++;
    }
    const enum err e = cards_crops(rig_cards(j->rig), j->arena, f->slot, &f->surface, rois, n,
                                   first->dst_w_px, first->dst_h_px, on_cropped, f);
    if (e) return e;
    f->crop_sent = n;
    j->n_with_card++;
    return OK;
}

/* The vehicles whose plates the scene wants in this frame, in its order. */
static unsigned vehicles_of(const struct entry *f, struct wire_roi rois[WIRE_ROIS_MAX]) {
    unsigned n = 0;
    for (unsigned i = 0; i < f->n_crops; i++)
        if (f->crop[i].plate) rois[n++] = f->crop[i].roi;
    return n;
}

/* ERR_AGAIN = the desk has no room. */
static enum err send_plates(struct entry *f) {
    struct job *j = f->job;
    struct wire_roi rois[WIRE_ROIS_MAX];
    const unsigned n = vehicles_of(f, rois);
    f->plates = PLATES_DONE;
    if (!j->desk || n == 0) return OK;
    const enum err e = plate_desk_look(j->desk, &j->plate_arena, f->slot, &f->surface, rois, n, on_plates, f);
    if (e == ERR_AGAIN) f->plates = PLATES_LATER;
    if (e) return e;
    f->plates = PLATES_AT_DESK;
    j->n_with_card++;
    return OK;
}

/* The crops that the next network is asked about, in the scene's order; 0 = none. */
static unsigned crops_for_net(const struct entry *f, struct wire_roi rois[WIRE_ROIS_MAX]) {
    unsigned n = 0;
    for (unsigned i = 0; i < f->n_crops; i++)
        if (f->crop[i].nets & 1u << f->net_next) rois[n++] = f->crop[i].roi;
    return n;
}

/* One network after the other. OK = one is being asked; ERR_AGAIN = no room; ERR_EOF = all have been. */
static enum err ask_nets(struct entry *f) {
    struct job *j = f->job;
    struct wire_roi rois[WIRE_ROIS_MAX];
    for (; j->shared->looks && look_desk_net(j->shared->looks, f->net_next); f->net_next++) {
        const unsigned n = crops_for_net(f, rois);
        if (n == 0) continue;
        const enum err e = look_desk_ask(j->shared->looks, f->net_next, &j->look_arena, f->slot, &f->surface, rois, n,
                                         on_looked, f);
        if (e && e != ERR_AGAIN) {
            log_warn("import", "job=%" PRIu64 " pts_us=%" PRId64 " op=net err=\"%s\"", j->item.job, f->pts_us,
                     err_text(e));
            continue; /* fewer votes, nothing else is lost */
        }
        if (e) return e;
        f->net_asked = true;
        j->n_with_card++;
        return OK;
    }
    return ERR_EOF;
}

/* Works off the head of the queue as far as it is ready. */
static void advance(struct job *j) {
    while (!job_is_over(j) && j->head) {
        struct entry *f = j->head;
        if (f->kind == ENTRY_FRAME) {
            if (f->state == ENTRY_QUEUED || f->state == ENTRY_DETECTING) return;
            if (f->state == ENTRY_READY) {
                const enum err e = scene_frame(j->scene, f->pts_us, &f->surface, slots_at(j->slots, f->slot),
                                               f->det, f->n_det, f->crop, WIRE_ROIS_MAX, &f->n_crops);
                if (e) {
                    fail_index(j, e);
                    return;
                }
                f->state = ENTRY_CROPPING;
            }
            if (f->crop_sent > 0 || f->net_asked || f->plates == PLATES_AT_DESK) return;
            while (f->crop_next < f->n_crops && !f->crop[f->crop_next].colours) f->crop_next++;
            if (f->crop_next < f->n_crops) {
                const enum err e = send_crops(f);
                if (!e || e == ERR_AGAIN) return;
                f->crop_next = f->n_crops; /* its attributes get fewer votes, nothing else is lost */
            }
            if (ask_nets(f) != ERR_EOF) return; /* one thing of a frame at a time is with a card */
            if (f->plates == PLATES_LATER) {
                const enum err e = send_plates(f);
                if (e == ERR_AGAIN || f->plates == PLATES_AT_DESK) return;
                if (e)
                    log_warn("import", "job=%" PRIu64 " pts_us=%" PRId64 " op=plates err=\"%s\"", j->item.job,
                             f->pts_us, err_text(e));
            }
        }
        j->head = f->next;
        if (!j->head) j->tail = &j->head;
        bool alive = true;
        if (f->kind == ENTRY_FRAME) {
            alive = frame_done(j, f);
            if (alive || j->slots) slots_unref(j->slots, f->slot);
        } else if (f->kind == ENTRY_GAP) {
            alive = gap_done(j, f);
        } else {
            finish(j, f->pts_us);
            alive = false;
        }
        free(f);
        if (!alive) return;
        if (j->decoder) decoder_pump(j->decoder);
    }
}

static void pump(struct job *j) {
    if (j->yielding || j->paused) return;
    advance(j);
    if (job_is_over(j)) return;
    for (struct entry *f = j->head; f; f = f->next) {
        if (f->kind != ENTRY_FRAME || f->state != ENTRY_QUEUED) continue;
        const enum err e = cards_detect(rig_cards(j->rig), j->arena, f->slot, &f->surface, on_detected, f);
        if (e == ERR_AGAIN) break;
        if (e == ERR_CARD || e == ERR_NOMEM) {
            job_fail(j, e == ERR_CARD ? "no card can work; see the log" : "out of memory");
            return;
        }
        if (e) {
            say(j, "the card refuses the picture size %ux%u (%s)", f->surface.w_px, f->surface.h_px,
                err_text(e));
            fail_file(j);
            return;
        }
        f->state = ENTRY_DETECTING;
        j->n_with_card++;
    }
    if (j->grow && !j->head && j->n_with_card == 0) {
        j->grow = false;
        start_decoding(j);
    }
}

void job_pump(struct job *j) {
    if (j->item.state == IMPORT_RUNNING) pump(j);
}

void job_hold(struct job *j, bool hold, bool by_person) {
    bool *which = by_person ? &j->paused : &j->yielding;
    if (*which == hold || job_is_over(j)) return;
    *which = hold;
    if (!j->paused && !j->yielding && j->item.state == IMPORT_RUNNING) {
        j->run_mono_ns = j->commit_mono_ns = clock_mono_ns(); /* the rest does not count for its speed */
        j->speed_from_us = j->item.position_us;
        pump(j);
    }
    if (by_person && !job_is_over(j)) j->cb.on_change(j, j->cb.arg);
}

/* A completion for a job that ended meanwhile only gives back what it held. True = that was it. */
static bool completion_of_a_dead_job(struct entry *f) {
    struct job *j = f->job;
    j->n_with_card--;
    if (!job_is_over(j)) return false;
    for (struct entry **pe = &j->head; *pe; pe = &(*pe)->next) {
        if (*pe != f) continue;
        *pe = f->next;
        break;
    }
    slots_unref(j->slots, f->slot);
    free(f);
    if (j->n_with_card == 0) drop_arena(j);
    return true;
}

static void on_detected(const struct cards_result *r, void *arg) {
    struct entry *f = arg;
    struct job *j = f->job;
    if (completion_of_a_dead_job(f)) return;
    j->shared->costs.kernel_us += r->kernel_us;
    j->shared->costs.dpu_us += r->dpu_us;
    enum err e = r->status;
    const struct wire_card_ready *model = cards_model(rig_cards(j->rig));
    if (!e && !model) e = ERR_CARD;
    if (!e)
        e = detect_decode(rig_detector(j->rig), model, r->out, r->n_bytes, &f->surface, f->det, &f->n_det);
    if (e) {
        log_warn("import", "job=%" PRIu64 " pts_us=%" PRId64 " op=detect err=\"%s\"", j->item.job, f->pts_us,
                 err_text(e));
        f->n_det = 0;
        f->card_failed = true;
    }
    f->state = ENTRY_READY;
    pump(j);
    j->cb.on_room(j, j->cb.arg);
}

static void on_plates(const struct plate_seen *seen, unsigned n, void *arg) {
    struct entry *f = arg;
    struct job *j = f->job;
    if (completion_of_a_dead_job(f)) return;
    enum err e = OK;
    for (unsigned i = 0, k = 0; !e && i < f->n_crops && k < n; i++) {
        if (!f->crop[i].plate) continue;
        e = scene_plate_done(j->scene, &f->crop[i], &seen[k].guess, seen[k].weight);
        k++;
    }
    if (e)
        log_warn("import", "job=%" PRIu64 " pts_us=%" PRId64 " op=plates err=\"%s\"", j->item.job, f->pts_us,
                 err_text(e));
    f->plates = PLATES_DONE;
    pump(j);
    j->cb.on_room(j, j->cb.arg);
}

static void on_looked(const struct cards_result *r, void *arg) {
    struct entry *f = arg;
    struct job *j = f->job;
    f->net_asked = false;
    if (completion_of_a_dead_job(f)) return;
    j->shared->costs.kernel_us += r->kernel_us;
    j->shared->costs.dpu_us += r->dpu_us;
    j->shared->costs.look_us += r->kernel_us + r->dpu_us;
    const struct look_net *net = look_desk_net(j->shared->looks, f->net_next);
    enum err e = r->status;
    for (unsigned i = 0, k = 0; !e && i < f->n_crops; i++) {
        if (!(f->crop[i].nets & 1u << f->net_next)) continue;
        e = (size_t)(k + 1) * net->n_labels > r->n_bytes
                ? ERR_CARD
                : scene_net_done(j->scene, &f->crop[i], f->net_next, (const int8_t *)r->out + (size_t)k * net->n_labels);
        k++;
    }
    if (e)
        log_warn("import", "job=%" PRIu64 " pts_us=%" PRId64 " op=net err=\"%s\"", j->item.job, f->pts_us,
                 err_text(e));
    f->net_next++;
    pump(j);
    j->cb.on_room(j, j->cb.arg);
}

static void on_cropped(const struct cards_result *r, void *arg) {
    struct entry *f = arg;
    struct job *j = f->job;
    if (completion_of_a_dead_job(f)) return;
    j->shared->costs.kernel_us += r->kernel_us;
    j->shared->costs.look_us += r->kernel_us;
    const struct scene_crop *c = &f->crop[f->crop_next];
    const size_t each = (size_t)c->dst_w_px * c->dst_h_px * 3;
    enum err e = r->status;
    if (!e && r->n_bytes != each * f->crop_sent) e = ERR_CARD;
    for (unsigned i = 0; !e && i < f->crop_sent; i++)
        e = scene_crop_done(j->scene, &c[i], (const int8_t *)r->out + each * i);
    if (e)
        log_warn("import", "job=%" PRIu64 " pts_us=%" PRId64 " op=crops err=\"%s\"", j->item.job, f->pts_us,
                 err_text(e));
    f->crop_next += f->crop_sent;
    f->crop_sent = 0;
    pump(j);
    j->cb.on_room(j, j->cb.arg);
}

/* ---- what the decoder says ------------------------------------------------------------------------------
 */

static struct entry *push(struct job *j, enum entry_kind kind, int64_t pts_us) {
    struct entry *e = calloc(1, sizeof *e);
    if (!e) {
        job_fail(j, "out of memory");
        return NULL;
    }
    e->job = j;
    e->kind = kind;
    e->pts_us = pts_us;
    *j->tail = e;
    j->tail = &e->next;
    return e;
}

static void on_frame(struct decoder *d, const struct wire_frame *m, void *arg) {
    (void)d;
    struct job *j = arg;
    struct entry *e = push(j, ENTRY_FRAME, m->pts_us);
    if (!e) {
        slots_unref(j->slots, m->slot);
        return;
    }
    e->slot = m->slot;
    e->surface = m->surface;
    j->last_sent_us = m->pts_us;
    pump(j);
}

static void on_gap(struct decoder *d, const struct wire_gap *g, void *arg) {
    (void)d;
    struct job *j = arg;
    struct entry *e = push(j, ENTRY_GAP, g->from_us);
    if (!e) return;
    e->to_us = g->to_us;
    snprintf(e->reason, sizeof e->reason, "%s", g->reason);
    pump(j);
}

/* More missed than may be: from here on wider, also for the camera's next recordings. The decoder starts anew
 * behind the last frame it delivered. */
static void widen_if_short(struct job *j) {
    const uint32_t n = j->gate.n_sample + j->gate_before.n_sample;
    const uint32_t missed = n - j->gate.n_found - j->gate_before.n_found;
    if (missed < GATE_MISSES_MIN || 100 * missed <= (100 - GATE_RECALL_PCT) * n || j->gate.width == 0) return;
    log_warn(
        "import",
        "job=%" PRIu64 " camera=%u op=gate of %u passages in the sample it would have missed %u; opened %s",
        j->item.job, j->item.camera_number, n, missed, j->gate.width < GATE_WIDEST ? "wider" : "for good");
    j->gate.width = j->gate.width < GATE_WIDEST ? j->gate.width + 1 : 0;
    j->gate_before = (struct gate_row){.n_sample = 0};
    j->gate.n_sample = j->gate.n_found = 0;
    decoder_free(&j->decoder);
    start_decoding(j);
}

static void on_gate(struct decoder *d, const struct wire_gate *v, void *arg) {
    (void)d;
    struct job *j = arg;
    j->verdicts[j->n_verdicts++ % VERDICTS] = *v;
    if (v->from_us <= j->gate_counted_us) return; /* a worker that began anew tells it again */
    j->gate_counted_us = v->from_us;
    j->gate.n_groups++;
    j->gate.n_open += v->open;
    j->gate.n_by_packets += v->by_packets;
    *(v->open ? &j->gate.open_us : &j->gate.closed_us) += v->to_us - v->from_us;
    if (!v->open) j->shared->costs.closed_us += (uint64_t)(v->to_us - v->from_us);
}

static void count_usage(struct job *j) {
    uint64_t cpu_us, peak_kib;
    decoder_usage(j->decoder, &cpu_us, &peak_kib);
    j->shared->costs.decode_cpu_us += cpu_us;
    if (peak_kib > j->shared->costs.decode_peak_kib) j->shared->costs.decode_peak_kib = peak_kib;
}

static void on_end(struct decoder *d, const struct wire_decode_end *m, void *arg) {
    (void)d;
    struct job *j = arg;
    count_usage(j);
    const int64_t from_us = j->first_us > 0 ? j->first_us : 0;
    if (m->end_us > from_us) j->shared->costs.footage_us += (uint64_t)(m->end_us - from_us);
    if (push(j, ENTRY_END, m->end_us > j->last_sent_us ? m->end_us : j->last_sent_us)) pump(j);
}

/* The worker crashed or was killed: once more from the last frame it delivered, in a fresh one. */
static bool retried(struct job *j) {
    if (j->last_sent_us > j->death_us) j->n_deaths = 0;
    j->death_us = j->last_sent_us;
    if (++j->n_deaths >= DEATHS_MAX) return false;
    log_warn("import",
             "job=%" PRIu64 " op=decode pts_us=%" PRId64 " the decode worker died; trying once more",
             j->item.job, j->last_sent_us);
    decoder_free(&j->decoder);
    start_decoding(j);
    return true;
}

static void on_decode_failed(struct decoder *d, enum err e, const struct wire_failed *f, void *arg) {
    (void)d, (void)e;
    struct job *j = arg;
    char at[32];
    count_usage(j);
    if (f->why == WIRE_FAIL_GEOMETRY) {
        decoder_free(&j->decoder);
        j->grow = true;
        j->grow_w_px = f->w_px;
        j->grow_h_px = f->h_px;
        pump(j);
        return;
    }
    if (f->why == WIRE_FAIL_DIED && retried(j)) return;
    position_text(j->last_sent_us, at);
    say(j, "%.200s (at %s)", f->text, at);
    fail_file(j);
}

/* Picks up at the last frame delivered (or committed), with slots that fit. */
static void start_decoding(struct job *j) {
    struct job_shared *sh = j->shared;
    uint32_t w = j->probed.w_px, h = j->probed.h_px;
    if (j->grow_w_px) {
        w = j->grow_w_px;
        h = j->grow_h_px;
        drop_arena(j);
    }
    enum err e = OK;
    if (!j->has_arena) {
        const uint64_t stride = ((uint64_t)w + 63) / 64 * 64;
        const uint64_t bytes = stride * (((uint64_t)h + 1) / 2 * 2) * 3 / 2;
        e = slots_new("surfaces", (unsigned)sh->cfg->n_slots, (size_t)bytes, &j->slots);
        if (!e) e = cards_arena_add(rig_cards(j->rig), j->slots, &j->arena);
        if (!e && j->desk) {
            e = plate_desk_arena_add(j->desk, j->slots, &j->plate_arena);
            if (e) cards_arena_drop(rig_cards(j->rig), j->arena);
        }
        if (!e && sh->looks) {
            e = look_desk_arena_add(sh->looks, j->slots, &j->look_arena);
            if (e) cards_arena_drop(rig_cards(j->rig), j->arena);
        }
        j->has_arena = !e;
    }
    const struct decoder_spec spec = {.exe = sh->cfg->decode_exe,
                                      .label = strrchr(j->item.file, '/') ? strrchr(j->item.file, '/') + 1
                                                                          : j->item.file,
                                      .job = DECODER_FRAMES,
                                      .in_fd = j->fd,
                                      .out_fd = -1,
                                      .slots = j->slots,
                                      .gate_width = j->gated ? j->gate.width : 0,
                                      .fps_milli = sh->cfg->fps_milli,
                                      .after_us = j->last_sent_us};
    const struct decoder_callbacks cb = {.on_frame = on_frame,
                                         .on_gate = on_gate,
                                         .on_gap = on_gap,
                                         .on_end = on_end,
                                         .on_failed = on_decode_failed,
                                         .arg = j};
    if (!e) e = decoder_start(sh->base, &spec, &cb, &j->decoder);
    if (e) {
        log_error("import", "job=%" PRIu64 " op=start err=\"%s\"", j->item.job, err_text(e));
        job_fail(j, e == ERR_NOMEM ? "not enough memory for its pictures"
                                   : "the decode worker cannot be started; see the log");
    }
}

/* As wide as the camera's last recording ended; one that was begun goes on as it was. */
static enum err prepare_gate(struct job *j, int64_t position_us) {
    struct gate_row last = {.width = 1};
    j->gate = (struct gate_row){.recording_id = j->rec.id, .camera_number = j->rec.camera_number};
    j->gate_counted_us = position_us;
    if (!j->gated) return OK;
    enum err e = index_gate_camera(j->shared->writer, j->rec.camera_number, &last);
    if (e == ERR_MISSING) e = OK;
    const unsigned width = last.width;
    if (!e) e = index_gate_get(j->shared->writer, j->rec.id, &j->gate);
    if (e == ERR_MISSING) {
        e = OK;
        j->gate.width = width;
        j->gate_before = last;
    }
    return e;
}

static void start_running(struct job *j) {
    struct scene_config sc = {.vocab = j->shared->cfg->vocab,
                                    .start_ms = j->rec.start_ms,
                                    .camera_number = j->rec.camera_number,
                                    .recording_id = j->rec.id,
                                    .threshold_start = detector_threshold_start(rig_detector(j->rig)),
                                    .threshold_keep = detector_threshold_keep(rig_detector(j->rig)),
                                    .plates_from_ms = j->plates_from_ms,
                                    .plates_to_ms = j->desk ? j->plates_to_ms : j->plates_from_ms,
                                    .plate_least_share = j->desk ? plate_desk_least_share(j->desk) : 1.0f};
    for (unsigned i = 0; j->shared->looks && i < LOOK_NETS_MAX; i++)
        sc.nets[i] = look_desk_net(j->shared->looks, i);
    void *record = NULL;
    size_t n = 0;
    int64_t position_us = -1;
    enum err e = index_checkpoint_get(j->shared->writer, j->rec.id, &position_us, &record, &n);
    if (e == ERR_MISSING) e = OK;
    if (!e && n > 0)
        e = scene_load(&sc, record, n, &j->scene);
    else if (!e)
        e = scene_new(&sc, &j->scene);
    if (n == 0) position_us = -1;
    free(record);
    if (!e) e = prepare_gate(j, position_us);
    if (e) {
        fail_index(j, e);
        return;
    }
    j->item.state = IMPORT_RUNNING;
    j->item.position_us = j->speed_from_us = position_us > 0 ? position_us : 0;
    j->rec.position_us = j->last_sent_us = j->first_us = position_us;
    j->covered_us = position_us > 0 ? position_us : 0;
    j->death_us = position_us - 1;
    j->run_mono_ns = j->commit_mono_ns = clock_mono_ns();
    j->cb.on_change(j, j->cb.arg);
    start_decoding(j);
}

/* ---- before it runs -------------------------------------------------------------------------------------
 */

static void on_probed(struct decoder *d, const struct wire_probed *p, void *arg) {
    (void)d;
    ((struct job *)arg)->probed = *p;
}

static void on_probe_end(struct decoder *d, const struct wire_decode_end *m, void *arg) {
    (void)d, (void)m;
    struct job *j = arg;
    const struct wire_probed *p = &j->probed;
    count_usage(j);
    decoder_free(&j->decoder);
    j->rec.w_px = p->w_px;
    j->rec.h_px = p->h_px;
    j->rec.fps_milli = p->fps_milli;
    j->rec.duration_us = j->item.duration_us = p->duration_us;
    snprintf(j->rec.codec, sizeof j->rec.codec, "%s", p->codec);
    snprintf(j->rec.container, sizeof j->rec.container, "%s", p->container);
    if (p->n_video_streams > 1)
        log_warn("import", "job=%" PRIu64 " n_video_streams=%u only the first is analysed", j->item.job,
                 p->n_video_streams);
    j->rec.state = RECORDING_RUNNING;
    j->rec.error[0] = 0;
    enum err e = j->has_row ? index_recording_set(j->shared->writer, &j->rec)
                            : index_recording_add(j->shared->writer, &j->rec);
    if (!e) e = index_commit(j->shared->writer);
    if (e) {
        fail_index(j, e);
        return;
    }
    j->has_row = true;
    e = j->cb.rig_for(j->rec.w_px, j->rec.h_px, &j->rig, j->cb.arg);
    if (e || *rig_dead_text(j->rig)) {
        job_fail(j,
                 e ? "the detector for wide pictures cannot be used; see the log, or set detector.wide = none"
                   : rig_dead_text(j->rig));
        return;
    }
    e = j->cb.desk_for(j->item.case_id, j->rec.camera_number, &j->desk, &j->plates_from_ms, &j->plates_to_ms,
                       j->cb.arg);
    if (e || (j->desk && *plate_desk_dead_text(j->desk))) {
        job_fail(j, e ? "the networks that read plates cannot be used, though its case asks for plates; see the log"
                      : plate_desk_dead_text(j->desk));
        return;
    }
    start_running(j);
}

static void on_probe_failed(struct decoder *d, enum err e, const struct wire_failed *f, void *arg) {
    (void)d, (void)e;
    struct job *j = arg;
    count_usage(j);
    say(j, "%.250s", f->text);
    fail_file(j);
}

/* What the index knows of this content. False when the job ended here. */
static bool meets_the_index(struct job *j) {
    struct recording old;
    const uint64_t twin = j->cb.twin(j->rec.sha256, j->rec.camera_number, j, j->cb.arg);
    if (twin) {
        say(j, "the same file is being imported already (job %" PRIu64 ")", twin);
        end(j, IMPORT_SKIPPED);
        return false;
    }
    enum err e = index_recording_by_sha256(j->shared->writer, j->rec.sha256, j->rec.camera_number, &old);
    if (e == ERR_MISSING) return true;
    if (e) {
        fail_index(j, e);
        return false;
    }
    char when[25];
    clock_format(old.start_ms, when);
    if (old.start_ms != j->rec.start_ms) {
        say(j,
            "the same file was imported for this camera with start %s (recording %" PRIu64
            "); give that start, or purge it first",
            when, old.id);
        end(j, IMPORT_FAILED);
        return false;
    }
    if (old.state == RECORDING_DONE) {
        j->item.duration_us = j->item.position_us = old.duration_us;
        if (!fs_exists(old.path)) { /* moved: its passages play from where it is now */
            snprintf(old.path, sizeof old.path, "%s", j->rec.path);
            e = index_recording_set(j->shared->writer, &old);
            if (!e) e = index_commit(j->shared->writer);
            if (e) {
                fail_index(j, e);
                return false;
            }
        }
        say(j, "already imported (recording %" PRIu64 ", start %s): nothing to do", old.id, when);
        end(j, IMPORT_SKIPPED);
        return false;
    }
    char path[sizeof old.path];
    memcpy(path, j->rec.path, sizeof path);
    j->rec = old; /* and on from its position */
    memcpy(j->rec.path, path, sizeof path);
    j->has_row = true;
    return true;
}

/* Another file took its name between two runs: its pictures must not go into the index under this start. */
static void fail_replaced(struct job *j) {
    struct recording old;
    const enum err e =
        index_recording_by_sha256(j->shared->writer, j->expected_sha256, j->rec.camera_number, &old);
    if (e) {
        fail_index(j, e);
        return;
    }
    j->rec = old;
    j->has_row = true;
    say(j,
        "is no longer the file whose import began (recording %" PRIu64
        "): it was replaced; put the first one back, or import this one with its own start",
        old.id);
    fail_file(j);
}

static void on_hashed(const struct hasher_result *result, void *arg) {
    struct job *j = arg;
    const struct hasher_result hashed = *result, *r = &hashed; /* the hasher owns the original */
    hasher_free(&j->hasher);
    if (r->status == ERR_CANCELLED) return;
    if (r->status == ERR_IO) {
        fail_changed(j);
        return;
    }
    if (r->status) {
        job_fail(j, "out of memory");
        return;
    }
    if (*j->expected_sha256 && strcmp(j->expected_sha256, r->sha256) != 0) {
        fail_replaced(j);
        return;
    }
    memcpy(j->rec.sha256, r->sha256, sizeof j->rec.sha256);
    j->rec.n_bytes = r->n_bytes;
    if (!meets_the_index(j)) return;
    const struct decoder_spec spec = {.exe = j->shared->cfg->decode_exe,
                                      .label = strrchr(j->item.file, '/') ? strrchr(j->item.file, '/') + 1
                                                                          : j->item.file,
                                      .job = DECODER_PROBE,
                                      .in_fd = j->fd,
                                      .out_fd = -1,
                                      .after_us = -1};
    const struct decoder_callbacks cb = {
        .on_probed = on_probed, .on_end = on_probe_end, .on_failed = on_probe_failed, .arg = j};
    j->item.state = IMPORT_PROBING;
    j->cb.on_change(j, j->cb.arg);
    if (decoder_start(j->shared->base, &spec, &cb, &j->decoder))
        job_fail(j, "the decode worker cannot be started; see the log");
}

/* A closed file of ours, readable, not empty, with room on the disk; else item.error says what to do. */
static bool openable(struct job *j) {
    const char *file = j->item.file;
    if (j->bad_name) {
        say(j, "%s", j->bad_name);
        return false;
    }
    if (strstr(file, "://")) {
        say(j, "this is a URL; Relecture takes closed files only, never a stream: copy the recording first");
        return false;
    }
    j->fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (j->fd < 0) {
        say(j, "cannot be opened: %s", errno == ENOENT ? "there is no such file" : strerrordesc_np(errno));
        return false;
    }
    if (fstat(j->fd, &j->st) != 0 || !S_ISREG(j->st.st_mode)) {
        say(j, "is not a file but %s", S_ISDIR(j->st.st_mode) ? "a folder" : "a device, pipe or socket");
        return false;
    }
    if (j->st.st_size == 0) {
        say(j, "is empty (0 bytes); export it again from the recorder");
        return false;
    }
    uint64_t room;
    if (!fs_free_bytes(j->shared->cfg->dir, &room) && room < FREE_BYTES_MIN) {
        say(j,
            "the disk of the data directory has only %" PRIu64
            " MB left; free some space and import it again",
            room >> 20);
        return false;
    }
    return true;
}

void job_start(struct job *j) {
    if (j->item.state != IMPORT_WAITING) return;
    if (!openable(j)) {
        end(j, IMPORT_FAILED);
        return;
    }
    j->item.state = IMPORT_HASHING;
    j->cb.on_change(j, j->cb.arg);
    if (hasher_start(j->shared->base, j->fd, on_hashed, j, &j->hasher)) job_fail(j, "out of memory");
}

enum err job_new(struct job_shared *shared, const struct job_request *rq, const struct job_callbacks *cb,
                 struct job **out) {
    *out = NULL;
    if (strlen(rq->case_id) >= sizeof(((struct import_item *)0)->case_id)) return ERR_USAGE;
    struct job *j = calloc(1, sizeof *j);
    if (!j) return ERR_NOMEM;
    j->shared = shared;
    j->cb = *cb;
    j->fd = -1;
    j->tail = &j->head;
    j->last_sent_us = j->first_us = j->rec.position_us = -1;
    j->item.job = rq->number;
    j->item.batch = rq->batch;
    j->item.priority = rq->priority;
    j->gated = shared->cfg->gate && !rq->ungated;
    j->item.camera_number = j->rec.camera_number = rq->camera_number;
    j->item.start_ms = j->rec.start_ms = rq->start_ms;
    j->item.eta_ms = -1;
    snprintf(j->item.file, sizeof j->item.file, "%s", rq->file);
    snprintf(j->item.case_id, sizeof j->item.case_id, "%s", rq->case_id);
    snprintf(j->rec.path, sizeof j->rec.path, "%s", rq->file);
    snprintf(j->rec.case_id, sizeof j->rec.case_id, "%s", rq->case_id);
    j->rec.imported_ms = clock_wall_ms();
    if (rq->sha256) snprintf(j->expected_sha256, sizeof j->expected_sha256, "%s", rq->sha256);
    if (strlen(rq->file) >= sizeof j->item.file)
        j->bad_name = "its name with all folders is longer than 1,023 bytes; move it to a shorter one";
    else if (!utf8_is_valid(rq->file))
        j->bad_name = "its name is not UTF-8; rename it (each odd byte is shown as ?)";
    else if (rq->start_ms < 0 || rq->start_ms > START_MAX_MS)
        j->bad_name = "its start, with the camera's clock offset, lies outside 1970 to 2400; check both";
    utf8_mend(j->item.file);
    *out = j;
    return OK;
}

void job_free(struct job **jp) {
    if (!jp || !*jp) return;
    struct job *j = *jp;
    *jp = NULL;
    release(j);
    drop_queue(j);
    slots_free(&j->slots);
    free(j->found);
    free(j->spans);
    free(j);
}
