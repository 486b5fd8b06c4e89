/* SPDX-License-Identifier: Apache-2.0 */
/* assign.h - pairs of least total cost between two sets (Hungarian method), from the pairs that are allowed.
 * The allowed pairs fall apart into groups that do not touch; each group is solved alone, so a crowded street
 * costs little more than its largest crowd. Equal inputs give equal answers, ties included.
 * Threads: one per assigner. */
#ifndef HOST_PIPE_ASSIGN_H
#define HOST_PIPE_ASSIGN_H

#include <stdint.h>

#include "host/base/err.h"

#define ASSIGN_SIDE_MAX 256u

/* A pair that may be formed. gain > 0: what forming it is worth; the sum of gains is made as large as it
 * gets. */
struct assign_pair {
    uint16_t row, col; /* < ASSIGN_SIDE_MAX */
    float gain;
};

struct assigner; /* opaque: working memory */
MUST_CHECK enum err assigner_new(struct assigner **out);
void assigner_free(struct assigner **a);

/* match[row] = its column, or -1, for rows 0 .. n_rows-1. Pairs out of range, or with gain <= 0, are passed
 * over; of two entries for one pair the last counts. */
void assign_best(struct assigner *a, const struct assign_pair *pairs, unsigned n_pairs, unsigned n_rows,
                 unsigned n_cols, int16_t *match);

#endif
