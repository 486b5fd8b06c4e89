/* SPDX-License-Identifier: Apache-2.0 */
/* sightings_gen.h - seeded sightings for tests and bench-index. Every sighting is a function of (seed, hour,
 * number), in integer arithmetic, so that the same seed gives the same bytes everywhere. Shapes: sparse =
 * 1,021 cameras over 30 days; dense = 20 incidents of 10 cameras and 2 hours; one_hour = all of the dense
 * cameras in a single clock hour. Distributions: comments in sightings_gen.c. Single thread. */
#ifndef TESTS_SUPPORT_SIGHTINGS_GEN_H
#define TESTS_SUPPORT_SIGHTINGS_GEN_H

#include <stdbool.h>
#include <stdint.h>

#include "host/pipe/sighting.h"

enum gen_shape { GEN_SPARSE, GEN_DENSE, GEN_ONE_HOUR };
enum {
    GEN_CAMERAS = 1021,
    GEN_DAYS = 30,
    GEN_CLASS_PERSON = 3,
    GEN_CLASS_CAR,
    GEN_CLASS_VAN,
    GEN_CLASS_TRUCK,
    GEN_CLASS_BUS,
    GEN_CLASS_MOTORBIKE,
    GEN_CLASS_BICYCLE,
    /* Colours of vehicles from 3: white black grey silver blue red green brown beige yellow orange purple.
     * Colours of clothes from 3: black grey white blue red green brown beige yellow orange pink purple. */
    GEN_FIRST = 3,
    GEN_VEHICLE_COLOURS = 12,
    GEN_CLOTHES_COLOURS = 12,
    GEN_TYPES = 8,
    GEN_MODELS = 200,
    GEN_UPPER_KINDS = 6,
    GEN_LOWER_KINDS = 5,
    GEN_ACCESSORIES = 8 /* the first is the backpack; numbers 3, 4 and 7 are rare */
};
#define GEN_FIRST_HOUR (INT64_C(1793491200000) / 3600000) /* 2026-11-01T00:00:00Z */

struct gen_config {
    enum gen_shape shape;
    uint64_t rows, seed;
    bool vectors;
};
struct gen;
struct gen *gen_new(const struct gen_config *c); /* NULL: no memory */
void gen_free(struct gen **g);
/* The next sighting in order of arrival; false at the end. Without id and thumbnail. */
bool gen_next(struct gen *g, struct sighting *out);

uint64_t gen_mix(uint64_t x); /* splitmix64's output function */
/* A stream of numbers. */
struct gen_random {
    uint64_t state;
};
uint64_t gen_u64(struct gen_random *r);
uint32_t gen_below(struct gen_random *r, uint32_t n);

#endif
