/* SPDX-License-Identifier: Apache-2.0 */
/* light.h - what the light of a whole frame allows to say of colours in it, from a grid of its pixels.
 * Threads: any; no state. */
#ifndef HOST_PIPE_LIGHT_H
#define HOST_PIPE_LIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/proc/wire.h"

struct light {
    bool is_grey; /* a picture without colour (infrared, a grey camera), also when it has a tint as a whole */
    bool is_dim;  /* too little light for colours */
    bool is_blown; /* too much: four fifths of the picture are as bright as it can tell */
    float gain[3]; /* B, G, R: takes a strong cast of the light away; 1 when there is none, or none is sure */
};

void light_of_frame(const struct wire_surface *s, const uint8_t *pixels, struct light *out);
/* Applies the gains to a crop (int8 = value - 128) of n_px pixels. */
void light_balance(const float gain[static 3], const int8_t *bgr, size_t n_px, int8_t *out);

#endif
