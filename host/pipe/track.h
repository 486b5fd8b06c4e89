/* SPDX-License-Identifier: Apache-2.0 */
/* track.h - links detections of one object over the frames of one recording.
 * Each track has a Kalman filter of constant velocity per axis, stepped by the real time between frames, so
 * that 5 and 25 frames per second mean the same. Frames are associated in rounds, in the manner of ByteTrack:
 * sure detections by overlap, then doubtful ones that continue a track seen just now, then what is left by
 * distance. Only motion and size are used: no description of a person's look is computed here, by design.
 * Threads: one per tracker. Deterministic: plain float arithmetic, ties by the order of detections and slots.
 */
#ifndef HOST_PIPE_TRACK_H
#define HOST_PIPE_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/bytes.h"
#include "host/base/err.h"

#define TRACKS_MAX      256u
#define TRACK_OBS_MAX   256u
#define TRACK_KINDS_MAX 16u

/* Detections of one group may be the same object, whatever the detector calls them: a van is mostly "truck".
 */
enum track_group { TRACK_PERSON, TRACK_TWO_WHEELER, TRACK_VEHICLE, TRACK_GROUPS };

struct track_box {
    float x_px, y_px, w_px, h_px; /* in the surface */
};

struct track_obs {
    struct track_box box;
    float score;   /* 0..1 */
    uint8_t group; /* enum track_group */
    uint8_t kind;  /* the caller's class number, < TRACK_KINDS_MAX */
};

/* One axis: value and speed with their covariance. */
struct track_axis {
    float x, v, p_xx, p_xv, p_vv;
};

enum track_state {
    TRACK_FREE,  /* slot not in use */
    TRACK_ALIVE, /* seen lately, or still looked for */
    TRACK_ENDED  /* finished: read it, then tracker_release() */
};

struct track {
    uint32_t number; /* 1, 2, 3 ... in order of birth; never reused within a recording */
    uint8_t state;   /* enum track_state */
    uint8_t group;
    bool seen_now;             /* matched in the last step */
    bool static_spot;          /* began where false boxes stood before */
    struct track_axis axis[4]; /* centre x, centre y, width, height */
    struct track_box seen;     /* last matched detection */
    float seen_score;
    int64_t first_us, last_us; /* pts of the first and last matched detection */
    uint32_t n_seen;           /* frames in which it was matched */
    float score_sum, score_best;
    float kind_votes[TRACK_KINDS_MAX]; /* sums of scores */
    float x_first_px, y_first_px;      /* centre at birth */
    float dx_sum, dy_sum, dd_sum;      /* sums of the centre's offsets from there and of their squares */
    float size_sum_px;                 /* of sizes as seen; / n_seen = mean */
    float cover;                       /* share of the box hidden by a nearer one in this frame, 0..1 */
};

struct track_config {
    float start; /* score at which a track may begin */
    float keep;  /* lower limit of what may continue one */
};

struct tracker;
MUST_CHECK enum err tracker_new(const struct track_config *cfg, struct tracker **out);
void tracker_free(struct tracker **t);

/* One frame; pts must grow. Observations with impossible numbers are passed over. */
void tracker_step(struct tracker *t, int64_t pts_us, float frame_w_px, float frame_h_px,
                  const struct track_obs *obs, unsigned n_obs);
/* Ends every track; the next frame may follow after any time. */
void tracker_end(struct tracker *t);

/* The slots 0 .. TRACKS_MAX-1; entries of state TRACK_FREE are to be passed over. Borrowed. */
const struct track *tracker_slots(const struct tracker *t);
void tracker_release(struct tracker *t, unsigned slot);

struct track_box track_box_of(const struct track *k); /* filtered, or predicted when it was not seen */
/* The object kept to one place for as long as it was seen. */
bool track_is_still(const struct track *k);
/* Worth a sighting: seen often and surely enough, and no false box that stands still (bin, cone, sign). */
bool track_is_real(const struct track *k);

float track_box_iou(const struct track_box *a, const struct track_box *b);
/* Share of a that b covers. */
float track_box_cover(const struct track_box *a, const struct track_box *b);

void tracker_save(const struct tracker *t, struct bytes *out);
MUST_CHECK enum err tracker_load(const struct track_config *cfg, struct bytes_reader *r,
                                 struct tracker **out);

#endif
