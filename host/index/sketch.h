/* SPDX-License-Identifier: Apache-2.0 */
/* sketch.h - the likeness vectors of a reader in memory, cut to five bits a number: 80 bytes each, segment by
 * segment, packed, so that a search by likeness over millions of them touches one run of memory and no file.
 * The upper four bits of each number lie apart from the lowest: one line of the cache settles most vectors, a
 * quarter of another one the rest. A sketch gives a vector's dot product within bounds that always hold; what
 * comes close enough is looked up in full (like.c). Built from the vector files when first needed; all of it
 * is dropped when it outgrows its budget or when something was purged. Threads: those of its reader. */
#ifndef HOST_INDEX_SKETCH_H
#define HOST_INDEX_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/index/bits.h"
#include "host/index/vectors.h"

/* At most so much memory: 5.2 million vectors, those of about 10 million sightings of a city. */
#define SKETCHES_BYTES_MAX (448u << 20)

/* How the vectors of a segment were cut: code c of 0..31 stands for `most` * (2 c / 31 - 1). */
struct sketch_scale {
    int most;    /* largest magnitude among them */
    float upper; /* length of what the upper four bits leave of any, at most */
};
/* What all five bits leave of one, in quarters, rounded up. */
#define SKETCH_QUARTER 0.25f

struct sketch_segment {
    uint64_t id;
    unsigned slot_count; /* of the segment when this was made: it has grown when it has more now */
    struct sketch_scale scale;
    const uint64_t *has;   /* BITS_WORDS(slot_count) words: slots with a vector */
    const uint16_t *place; /* of a slot's vector in the two below */
    const uint8_t *upper;  /* 64 bytes each: bits_ops.code_dots */
    const uint8_t *lower;  /* 16 bytes each: bits_ops.bit_dot */
    const uint8_t *off;    /* one each, quarters */
};

struct sketches;
MUST_CHECK enum err sketches_new(struct sketches **out);
void sketches_free(struct sketches **s);
void sketches_drop(struct sketches *s); /* empties it */
size_t sketches_bytes(const struct sketches *s);

/* NULL when the segment is not there or has grown since. Borrowed until the next build or drop. */
const struct sketch_segment *sketches_find(struct sketches *s, uint64_t segment, unsigned slot_count);
/* Makes a segment's sketches of all slots set in `has` (all that have vectors) from `files`. order[n] are the
 * slots in the order in which their sketches shall lie: a search that filters by what they are ordered by
 * then reads runs of memory. */
MUST_CHECK enum err sketches_build(struct sketches *s, struct vector_files *files, uint64_t segment,
                                   unsigned slot_count, const uint64_t *has, const uint16_t *order, size_t n,
                                   const struct sketch_segment **out);

/* The largest magnitude in n vectors, at least 1; and one vector's sketch by a scale of no less, whose
 * `upper` it raises where it must. Pure. */
int sketch_most(const int8_t *vectors, size_t n);
void sketch_cut(const int8_t vector[VECTOR_BYTES], struct sketch_scale *scale, uint8_t upper[64],
                uint8_t lower[16], uint8_t *off);

/* Within `off` of this lies the dot product with a vector whose numbers sum to `sum`; `dot` is that of all
 * five bits of its codes. off = length of that vector * length of what was cut + SKETCH_SLACK. */
static inline float sketch_middle(int32_t dot, const struct sketch_scale *scale, float sum) {
    return (float)scale->most * ((float)dot * (2.0f / 31.0f) - sum);
}
#define SKETCH_SLACK 4.0f /* more than floats of this size lose */

/* The least dot product of upper codes with which the true one may reach `floor`; a little less to be safe.
 */
static inline int32_t sketch_upper_for(float floor, const struct sketch_scale *scale, float sum,
                                       float length) {
    float middle = floor - (scale->upper * length + SKETCH_SLACK);
    /* The lowest bit is taken for a half. */
    return (int32_t)(((middle / (float)scale->most + sum) * (31.0f / 2.0f) - 0.5f * sum) / 2) - 2;
}

#endif
