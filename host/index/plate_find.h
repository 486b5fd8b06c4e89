/* SPDX-License-Identifier: Apache-2.0 */
/* plate_find.h - which entries of the plate dictionary fit, and which sightings carry one of them.
 * The whole dictionary is read for each question (8 bytes a text: 7 MB for 859,000) rather than kept in every
 * reader. Inside a reader's transaction. */
#ifndef HOST_INDEX_PLATE_FIND_H
#define HOST_INDEX_PLATE_FIND_H

#include "host/index/column.h"
#include "host/index/query.h"
#include "host/index/reader.h"

struct plate_find {
    /* One byte per dictionary place of each family: 0 = does not fit, else slips + 1. */
    uint8_t *fits[2];
    uint32_t n_places[2];
    uint32_t *set; /* the same of short texts as bits, n_places[0] of them */
    bool has_long; /* a long text fits */
    uint32_t n_found;
    uint32_t only_id; /* when n_found is 1 */
    struct column_walk walk;
};

/* ERR_MISSING when nothing in the dictionary fits (then there is nothing to close). */
MUST_CHECK enum err plate_find_open(struct index_reader *r, enum query_plate mode, const char *asked,
                                    unsigned max_slips, struct plate_find *out);
void plate_find_close(struct plate_find *p);
/* Prepares the walk over segments first..last, newest first. */
void plate_find_start(struct index_reader *r, struct plate_find *p, uint64_t first, uint64_t last);
/* Slips of an id, or PLATE_SLIPS_NONE. */
uint8_t plate_find_slips(const struct plate_find *p, uint32_t id);
/* words &= slots of the segment that carry a fitting plate. */
MUST_CHECK enum err plate_find_keep(struct index_reader *r, struct plate_find *p, uint64_t segment,
                                    uint64_t *words, size_t n_words);
/* Plate of each slot of a chunk: n slots and ids, borrowed until the next call; for together-with and routes.
 */
MUST_CHECK enum err plate_column(struct index_reader *r, uint64_t segment, unsigned chunk,
                                 const uint8_t **slots, const uint8_t **ids, size_t *n);

#endif
