/* SPDX-License-Identifier: Apache-2.0 */
/* footage.h - films and pictures through the shipped workers and the detector on the simulated card, one
 * frame after the other, for programs that measure. Everything that cannot work ends the program with a
 * message. Threads: one. */
#ifndef TESTS_ACCURACY_FOOTAGE_H
#define TESTS_ACCURACY_FOOTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/vocab.h"
#include "host/import/plate_desk.h"
#include "host/pipe/detect.h"
#include "host/pipe/look_net.h"
#include "host/proc/wire.h"

struct footage;
struct scene;

/* One analysed frame; borrowed until the callback returns. */
struct footage_frame {
    unsigned seq;
    int64_t pts_us;
    const struct wire_surface *surface;
    const uint8_t *pixels;
    const struct detection *det;
    unsigned n_det;
};
typedef void footage_fn(struct footage *f, const struct footage_frame *frame, void *arg);

/* Starts the card worker beside this program (build/VARIANT) with the model in `model_dir`. */
struct footage *footage_open(const char *model_dir, const struct vocab *vocab);
void footage_close(struct footage **f);
const struct detector *footage_detector(const struct footage *f);

/* Every frame on the time grid (fps_milli, 0 = all), in order. Returns the number of frames. */
unsigned footage_play(struct footage *f, const char *path, uint32_t fps_milli, footage_fn *fn, void *arg);
/* One JPEG, as if it were a frame. False: no such file or not readable. */
bool footage_still(struct footage *f, const char *path, footage_fn *fn, void *arg);

/* Networks on crops, opened beside the detector: numbers 0, 1 .. in the order of the calls, before anything is played. */
void footage_add_net(struct footage *f, const char *model_dir, const struct vocab *vocab);
const struct look_net *footage_net(const struct footage *f, unsigned net); /* NULL behind the last */
/* Inside a callback: what the network says of regions of the frame at hand, n_labels bytes each. */
void footage_ask(struct footage *f, unsigned net, const struct wire_roi *rois, unsigned n, int8_t *out);

/* Inside a callback: gives the frame, its crops and the networks' answers to the scene. */
struct footage_cost {
    uint64_t scene_ns; /* CPU of scene_frame() */
    unsigned n_crops;
};
struct footage_cost footage_feed(struct footage *f, struct scene *scene, const struct footage_frame *frame);

/* Inside a callback: cuts regions of the frame at hand, back to back into out (n * w * h * 3 bytes). */
void footage_crops(struct footage *f, const struct wire_roi *rois, unsigned n, unsigned w_px, unsigned h_px,
                   int8_t *out);

/* Inside a callback: what the plates of these vehicles of the frame at hand say, by the product's own desk
 * with the networks in build/models, whose card workers are started with the first call. */
void footage_plates(struct footage *f, const struct wire_roi *vehicles, unsigned n, struct plate_seen *out);
/* Mean share of the characters below which the product keeps no plate; after a call of footage_plates(). */
float footage_plates_least(const struct footage *f);

/* ---- what programs that measure share ---- */

/* One line of a comma-separated file without quotes, cut in place into at most `max` fields. Returns their
 * number. */
unsigned footage_fields(char *line, char **fields, unsigned max);
/* A hand-given colour ("dark-blue", "silver/beige", "blue+red") accepts this name of the vocabulary. */
bool footage_colour_fits(const char *label, const char *name);

/* The measurement data: $RELECTURE_DATA, or ../shared/data; NULL when absent. */
const char *footage_data(void);
/* Figures go to the file $RELECTURE_ROWS, one line of JSON each (models/tools/report.py says what they are),
 * and to stdout. `filter` is "field:value" of the vocabulary, "field:" for all its values, or NULL. A goal of
 * 0 is none. For shares, k of n. */
void footage_row(const char *set, const char *filter, const char *metric, const char *what, unsigned k,
                 unsigned n, double goal);
void footage_row_value(const char *set, const char *what, double value, unsigned n, double goal,
                       bool at_most);
/* k of n objects whose true value is that of `filter` were called something else. */
void footage_confusion(const char *filter, const char *called, unsigned k, unsigned n);

#endif
