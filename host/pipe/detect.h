/* SPDX-License-Identifier: Apache-2.0 */
/* detect.h - the detector's raw int8 output tensors -> detections in the pixels of the surface.
 * Formulas: models/nanodet-g/README.md (class logits, distances as the expectation over 11 bins).
 * Threads: a detector is immutable after open; detect_decode() from any thread, each with its own output. */
#ifndef HOST_PIPE_DETECT_H
#define HOST_PIPE_DETECT_H

#include <stdint.h>

#include "host/base/err.h"
#include "host/base/vocab.h"
#include "host/proc/wire.h"

#define DETECTIONS_MAX 256u

struct detection {
    float x_px, y_px, w_px, h_px; /* in the surface, clipped to it */
    float score;                  /* 0..1 */
    uint16_t class_id;            /* FIELD_CLASS, or an accessory hint when is_hint */
    uint8_t is_hint;              /* 1 = class_id is in FIELD_ACCESSORY (umbrella, suitcase ...) */
    uint8_t reserved;
};

struct detector;

/* Reads `dir`/model.json (task "detect"): input geometry, strides, decode numbers, label map, thresholds.
 * ERR_IO, ERR_CORRUPT (file and field are logged), ERR_DENIED for a task or label that this product refuses.
 */
MUST_CHECK enum err detector_open(const char *dir, const struct vocab *vocab, struct detector **out);
void detector_close(struct detector **d);
float detector_threshold_start(const struct detector *d); /* a track may begin */
float detector_threshold_keep(const struct detector *d);  /* a track may go on; detect_decode's lower limit */

/* Checks that what the card runs (names, shapes, fix points) is what model.json says. ERR_CORRUPT, logged. */
MUST_CHECK enum err detector_match(const struct detector *d, const struct wire_card_ready *ready);

/* `tensors`: the outputs back to back as in `ready`; n_bytes must be their sum (ERR_CORRUPT). Per class NMS
 * is done. Fills at most DETECTIONS_MAX, best first. */
MUST_CHECK enum err detect_decode(const struct detector *d, const struct wire_card_ready *ready,
                                  const uint8_t *tensors, uint32_t n_bytes,
                                  const struct wire_surface *surface, struct detection *out, unsigned *n_out);

#endif
