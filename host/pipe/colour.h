/* SPDX-License-Identifier: Apache-2.0 */
/* colour.h - names of colours, by CIELAB, of the clothes and vehicles on crops (int8 B,G,R = value - 128).
 * A crop gives shares of 13 names; the shares of a track's best crops, averaged, give a verdict with up to
 * three plausible names. Silver and grey, or black and dark blue, differ by light as much as by paint:
 * alternatives are part of the answer. Threads: any; no state. */
#ifndef HOST_PIPE_COLOUR_H
#define HOST_PIPE_COLOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "host/proc/wire.h"

/* The vocabulary's colour names, in this order; multicolour is only ever a verdict. */
enum colour {
    COLOUR_BLACK,
    COLOUR_WHITE,
    COLOUR_GREY,
    COLOUR_SILVER,
    COLOUR_BEIGE,
    COLOUR_BROWN,
    COLOUR_RED,
    COLOUR_ORANGE,
    COLOUR_YELLOW,
    COLOUR_GREEN,
    COLOUR_BLUE,
    COLOUR_PURPLE,
    COLOUR_PINK,
    COLOUR_NAMES, /* 13 names; what follows is for verdicts */
    COLOUR_MULTI = COLOUR_NAMES,
    COLOUR_COUNT
};
/* "black" .. "multicolour": the names of the vocabulary file; NULL out of range. */
const char *colour_name(unsigned colour);

struct colour_lab {
    float l, a, b; /* CIE 1976, D65: l 0..100 */
};
struct colour_lab colour_lab_of(uint8_t r, uint8_t g, uint8_t b);
/* The same for many pixels: the costly part of sRGB once per crop, on the caller's stack. */
struct colour_table {
    float linear[256];
};
void colour_table_fill(struct colour_table *t);
struct colour_lab colour_lab_at(const struct colour_table *t, const int8_t *bgr);

/* Shares of the names, sum 1, but for silver: that is a second reading of light grey and counts beside the
 * sum. */
struct colour_shares {
    float of[COLOUR_NAMES];
};

/* False for a crop that is dark in its lightest parts, or white almost everywhere from too much light. */
bool colour_is_readable(const int8_t *bgr, unsigned n_px);
/* Upper and lower garment of an upright figure that fills a CROP_PERSON crop. False: not readable. */
bool colour_of_clothes(const int8_t *bgr, struct colour_shares *upper, struct colour_shares *lower);
/* A vehicle that fills a CROP_VEHICLE crop. False: not readable. */
bool colour_of_vehicle(const int8_t *bgr, struct colour_shares *out);

enum colour_use { COLOUR_CLOTHES, COLOUR_VEHICLE };
struct colour_verdict {
    unsigned n; /* 1..3; 0 = looked at, undecided */
    struct {
        uint8_t colour; /* enum colour */
        uint8_t score;  /* 1..100 */
        bool sure;
    } value[3];
};
void colour_decide(const struct colour_shares *mean, enum colour_use use, struct colour_verdict *out);

#endif
