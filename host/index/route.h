/* SPDX-License-Identifier: Apache-2.0 */
/* route.h - the same plate here and then there, joined from columns without touching a row. A whole route of
 * one vehicle is made of searches (host/search/search_route.c); this answers what no single search can.
 * Threads and perimeter: as in index.h; plates_allowed is needed. */
#ifndef HOST_INDEX_ROUTE_H
#define HOST_INDEX_ROUTE_H

#include "host/index/index.h"

/* "Plate X at camera A, then at B within ten minutes"; without a plate: any plate that does so. */
struct route_pair_query {
    char plate[24]; /* exact; "" = any */
    uint16_t from_camera;
    int to_camera;     /* -1 = any other than from_camera */
    int64_t within_ms; /* from the start here to the start there, > 0 */
    unsigned limit;    /* pairs wanted, newest first, 1..1000 */
};
struct route_pair {
    uint64_t from_id, to_id;
    int64_t from_ms, to_ms; /* starts */
    uint16_t to_camera;
};
struct route_pairs {
    uint64_t total; /* exact */
    unsigned n;
    struct route_pair *pair; /* owned */
};
/* ERR_DENIED (no perimeter, plates not allowed), ERR_USAGE, ERR_TIMEOUT, ERR_IO, ERR_CORRUPT. */
MUST_CHECK enum err index_route_pairs(struct index_reader *r, const struct perimeter *p,
                                      const struct route_pair_query *q, unsigned deadline_ms,
                                      struct route_pairs *out);
void route_pairs_fini(struct route_pairs *p);

#endif
