/* SPDX-License-Identifier: Apache-2.0 */
/* plate_vote.h - the readings of one vehicle's best frames, fused character by character. One frame's plate
 * is a guess; only this is stored. Plain data inside a track's look; threads: those of the scene. */
#ifndef HOST_PIPE_PLATE_VOTE_H
#define HOST_PIPE_PLATE_VOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/bytes.h"
#include "host/pipe/plate_text.h"
#include "host/pipe/sighting.h"

#define PLATE_VOTES_MAX 5u

struct plate_vote {
    float weight;
    uint8_t n_chars;
    uint8_t share[PLATE_TEXT_MAX][PLATE_ALPHABET]; /* 255 = 1 */
};

struct plate_votes {
    unsigned n;
    struct plate_vote of[PLATE_VOTES_MAX];
};

/* Keeps the PLATE_VOTES_MAX heaviest. weight: width of the plate in px times the finder's score. */
void plate_votes_add(struct plate_votes *v, const struct plate_guess *g, float weight);

/* The text most readings agree on in length, its characters by weighted shares, up to three for each place.
 * False: none, or the mean share of the best characters is below `least`. */
bool plate_votes_decide(const struct plate_votes *v, float least, struct plate_read *out);

void plate_votes_save(const struct plate_votes *v, struct bytes *out);
void plate_votes_load(struct bytes_reader *r, struct plate_votes *v);

#endif
