/* SPDX-License-Identifier: Apache-2.0 */
/* hitset.h - the hits of one search as bits per segment, and pages of them in any order without touching a
 * row: whole hours are skipped by their counts, one hour is sorted by its time column. Inside a reader's
 * transaction. */
#ifndef HOST_INDEX_HITSET_H
#define HOST_INDEX_HITSET_H

#include "host/index/scan.h"

struct hit_segment {
    uint64_t id;
    size_t n_words;
    uint64_t *words; /* owned */
    uint16_t *keys;  /* owned; rank of each hit in slot order, SCORE order only */
    uint64_t n_hits;
};
struct hitset {
    struct hit_segment *segment; /* newest first */
    size_t n, cap;
    uint64_t total;
};
void hitset_fini(struct hitset *h);
/* Copies the words; takes `keys` (may be NULL) in any case. */
MUST_CHECK enum err hitset_add(struct hitset *h, const struct scan_segment *s, uint16_t *keys);

struct hit_place {
    int64_t start_ms;
    uint64_t id;
};
/* The hits number offset .. offset + limit - 1, newest or oldest first; out has room for `limit`. */
MUST_CHECK enum err hitset_page(struct index_reader *r, const struct hitset *h, bool oldest_first,
                                uint64_t offset, unsigned limit, struct hit_place *out, unsigned *n);
/* The same by falling key, then newest first. */
MUST_CHECK enum err hitset_page_by_key(struct index_reader *r, const struct hitset *h, uint64_t offset,
                                       unsigned limit, struct hit_place *out, unsigned *n);

#endif
