/* SPDX-License-Identifier: Apache-2.0 */
/* like.h - the vectors nearest to one vector among the hits of a scan, by brute force over mapped day files.
 */
#ifndef HOST_INDEX_LIKE_H
#define HOST_INDEX_LIKE_H

#include <stdint.h>

#include "host/base/err.h"
#include "host/index/bits.h"
#include "host/index/vectors.h"

struct like_files;
MUST_CHECK enum err like_files_open(const char *dir, struct like_files **out);
void like_files_close(struct like_files **f);
/* One vector, borrowed until the next call. ERR_MISSING when the file does not reach that far. */
MUST_CHECK enum err like_vector(struct like_files *f, uint64_t id, const int8_t **out);

struct like_hit {
    uint64_t id;
    int32_t dot;
};
struct like_best {
    struct like_hit *heap; /* worst first while searching; best first after like_finish() */
    unsigned n, max;
    uint64_t n_seen;
};
MUST_CHECK enum err like_start(struct like_best *b, unsigned max);
void like_fini(struct like_best *b);
/* Every set bit of a segment's words is compared with `vector`. */
MUST_CHECK enum err like_add(struct like_files *f, const struct bits_ops *ops,
                             const int8_t vector[VECTOR_BYTES], uint64_t segment, const uint64_t *words,
                             size_t n_words, struct like_best *b);
/* Sorts best first (ties: the newer id). Gives back the memory that a large search mapped. */
void like_finish(struct like_files *f, struct like_best *b);

/* Cosine of two vectors as 1..100. */
uint8_t like_degree(const int8_t a[VECTOR_BYTES], const int8_t b[VECTOR_BYTES]);

#endif
