/* SPDX-License-Identifier: Apache-2.0 */
/* look.h - what a scene remembers of one track beyond its motion: way, best picture, colour votes,
 * accessories. Threads: those of the scene. */
#ifndef HOST_PIPE_LOOK_H
#define HOST_PIPE_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/bytes.h"
#include "host/base/err.h"
#include "host/pipe/colour.h"
#include "host/pipe/look_net.h"
#include "host/pipe/plate_vote.h"
#include "host/pipe/sighting.h"
#include "host/pipe/track.h"

#define LOOK_VOTES_MAX 5u
#define LOOK_HINTS_MAX 4u

struct look_point {
    int64_t pts_us;
    struct box_norm box;
};

/* What one crop said. Persons: upper and lower garment; vehicles: [0] only. */
struct look_vote {
    float quality;
    struct colour_shares part[2];
};

/* What one network said of one crop. */
struct look_answer {
    float quality;
    int8_t out[LOOK_NET_LABELS_MAX];
};
struct look_answers {
    unsigned n, n_bytes; /* n_bytes: of each */
    struct look_answer of[LOOK_VOTES_MAX];
};

struct look_hint {
    uint16_t id; /* in FIELD_ACCESSORY */
    uint32_t n_seen;
};

struct look {
    unsigned n_path;
    struct look_point path[SIGHTING_PATH_MAX];
    float best_quality;
    int64_t best_pts_us;
    struct box_norm best_box;
    uint8_t *jpeg; /* owned */
    uint32_t jpeg_bytes;
    unsigned n_votes, n_asked;
    int64_t asked_us; /* pts of the last crop asked for */
    struct look_vote votes[LOOK_VOTES_MAX];
    struct look_answers answers[LOOK_NETS_MAX]; /* by the scene's number of the network */
    unsigned n_hints;
    struct look_hint hints[LOOK_HINTS_MAX];
    uint8_t has_likeness;
    float likeness_quality;
    int8_t likeness[128];
    struct plate_votes plates;
};

void look_fini(struct look *k);

/* Takes the point into the way; when it is full, the point whose loss bends the way least goes. */
void look_add_point(struct look *k, int64_t pts_us, const struct box_norm *box);

/* Worth of a frame for the picture, 0 .. about 1: sure, large, whole, not hidden. */
float look_quality(const struct track *t, float frame_w_px, float frame_h_px);
/* The box touches the edge of the picture: a part of the object is outside. */
bool look_is_cut(const struct track_box *b, float frame_w_px, float frame_h_px);

/* Would a crop of this quality be worth its cost? */
bool look_wants_vote(const struct look *k, float quality, int64_t pts_us);
/* Keeps the best LOOK_VOTES_MAX votes. */
void look_add_vote(struct look *k, const struct look_vote *v);
/* Mean of the votes by quality; false when there are none. */
bool look_mean(const struct look *k, unsigned part, struct colour_shares *out);

/* Keeps the best LOOK_VOTES_MAX answers of each network; n_bytes <= LOOK_NET_LABELS_MAX, equal for all of one. */
void look_add_answer(struct look *k, unsigned net, float quality, const int8_t *out, unsigned n_bytes);
/* Shares 0..1 of the network's labels over its answers, weighted by quality; false when there are none. */
bool look_shares(const struct look *k, unsigned net, const struct look_net *n, float *shares);

void look_add_hint(struct look *k, uint16_t id);

void look_save(const struct look *k, struct bytes *out);
/* `version`: of the scene's record that it is part of. On a spoilt reader, what was read stays in *k to be freed with
 * look_fini(). ERR_NOMEM. */
enum { LOOK_WITH_PLATES = 4, LOOK_WITH_ANSWERS = 5 };
MUST_CHECK enum err look_load(struct bytes_reader *r, unsigned version, struct look *k);

#endif
