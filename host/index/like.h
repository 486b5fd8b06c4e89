/* SPDX-License-Identifier: Apache-2.0 */
/* like.h - the vectors nearest to one vector among the hits of a scan, exactly. First every hit's sketch is
 * compared (sketch.h), then those that may be among the nearest are read in full, best first, until none that
 * is left can be. */
#ifndef HOST_INDEX_LIKE_H
#define HOST_INDEX_LIKE_H

#include <stdint.h>

#include "host/base/err.h"
#include "host/index/reader.h"
#include "host/index/sketch.h"

/* What a reader keeps between searches by likeness. */
struct like {
    struct vector_files *files;
    struct sketches *sketches;
    int64_t purges; /* the index's count of purges that the above belong to */
};
/* Inside a begun transaction: makes it ready, empties it when something was purged since. */
MUST_CHECK enum err like_open(struct index_reader *r);
void like_close(struct like **l);
size_t like_bytes(const struct like *l); /* of memory, NULL = 0 */
/* Sketches of everything, so that the first search finds them. Inside a begun transaction. */
MUST_CHECK enum err like_ready(struct index_reader *r);

struct like_hit {
    uint64_t id;
    int32_t dot;
};
struct like_maybe {
    uint64_t id;
    float most; /* its dot product is at most that */
};
struct like_best {
    const int8_t *vector; /* borrowed */
    int32_t sum;
    float length;
    unsigned max;
    float
        *floor; /* the `max` highest lower bounds so far, least first: what lies below cannot be among them */
    unsigned n_floor;
    struct like_maybe *maybe;
    size_t n_maybe, cap_maybe;
    struct like_hit *heap; /* best first after like_finish() */
    unsigned n;
};
MUST_CHECK enum err like_start(struct like_best *b, const int8_t vector[VECTOR_BYTES], unsigned max);
void like_fini(struct like_best *b);
/* Takes out of a segment's words what has no vector. */
MUST_CHECK enum err like_keep(struct index_reader *r, uint64_t segment, unsigned slot_count, uint64_t *words);
/* Every set bit of a segment's words, all of which have vectors, is compared. */
MUST_CHECK enum err like_add(struct index_reader *r, uint64_t segment, unsigned slot_count,
                             const uint64_t *words, struct like_best *b);
/* Sorts best first (ties: the newer id). */
MUST_CHECK enum err like_finish(struct index_reader *r, struct like_best *b);

/* Cosine of two vectors as 1..100. */
uint8_t like_degree(const int8_t a[VECTOR_BYTES], const int8_t b[VECTOR_BYTES]);

#endif
