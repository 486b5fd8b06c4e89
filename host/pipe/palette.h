/* SPDX-License-Identifier: Apache-2.0 */
/* palette.h - what the colour modules share: soft names of pixels by typical colours, coarse LAB histograms
 * that tell an object from the street beside it. Threads: any; all state is the caller's. */
#ifndef HOST_PIPE_PALETTE_H
#define HOST_PIPE_PALETTE_H

#include "host/pipe/colour.h"

#define PALETTE_MAX 64u

struct palette {
    struct colour_lab lab[PALETTE_MAX];
};
void palette_fill(struct palette *p);
/* Adds a pixel of this weight to the names it may bear: a pixel between black and navy is some of both, which
 * is what makes the second colour of an object worth offering. */
void palette_name_pixel(const struct palette *p, const struct colour_lab *lab, float weight,
                        struct colour_shares *out);
/* Makes the sum 1, unless it is 0. */
void palette_normalise(struct colour_shares *s);

enum {
    PALETTE_BINS_L = 13,
    PALETTE_BINS_AB = 24,
    PALETTE_BINS = PALETTE_BINS_L * PALETTE_BINS_AB * PALETTE_BINS_AB
};
/* Shares of colours in a set of pixels, smoothed, since colours do not keep to the borders of bins. */
struct histogram {
    float of[PALETTE_BINS];
};
void histogram_fill(struct histogram *h, const struct colour_lab *lab, unsigned n);
/* Weight of a pixel of `object`: small when its colour stands as much or more in `street`. */
float histogram_weight(const struct histogram *object, const struct histogram *street,
                       const struct colour_lab *lab, float least);

#endif
