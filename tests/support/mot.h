/* SPDX-License-Identifier: Apache-2.0 */
/* mot.h - scores tracks against a truth: CLEAR-MOT (Bernardin and Stiefelhagen 2008) and IDF1 (Ristani 2016).
 * A box is right when its overlap with the truth is at least iou_min. In each frame a pair of the frame
 * before stays while it is right; the rest is paired for the largest total overlap. */
#ifndef TESTS_SUPPORT_MOT_H
#define TESTS_SUPPORT_MOT_H

#include <stdint.h>

#include "host/base/err.h"

struct mot_box {
    uint32_t frame; /* any numbering, the same in truth and answer */
    uint32_t id;    /* of the person; at most 256 different ones on each side */
    float x_px, y_px, w_px, h_px;
};

struct mot_score {
    unsigned n_truth, n_answer; /* boxes */
    unsigned n_matched, n_missed, n_false, n_switches;
    unsigned n_id_right; /* boxes right under the best one-to-one pairing of identities */
    unsigned n_truth_ids, n_answer_ids;
    double mota, idf1, iou_mean;
};

/* ERR_USAGE: too many identities or boxes in a frame, or no truth. Frames without truth count as they are. */
MUST_CHECK enum err mot_score(const struct mot_box *truth, unsigned n_truth, const struct mot_box *answer,
                              unsigned n_answer, double iou_min, struct mot_score *out);

float mot_iou(const struct mot_box *a, const struct mot_box *b);

/* Reads "frame,id,x,y,w,h[,...]" lines, the MOT Challenge's form. *boxes is the caller's (free). */
MUST_CHECK enum err mot_read(const char *path, struct mot_box **boxes, unsigned *n);

#endif
