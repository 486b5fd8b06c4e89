/* SPDX-License-Identifier: Apache-2.0 */
/* ask.h - from a query and a perimeter to a scan: what is allowed, which groups, times, cameras and plates.
 * Inside a reader's transaction, from ask_open() to ask_close(). */
#ifndef HOST_INDEX_ASK_H
#define HOST_INDEX_ASK_H

#include "host/index/scan.h"

struct ask {
    struct scan_request scan;
    struct plate_find plates;
    bool has_plates;
    bool nothing;     /* no hit is possible: no such plate, no time left */
    int8_t like[128]; /* of q->like_id */
};

/* ERR_DENIED, ERR_USAGE, ERR_MISSING (the sighting that it refers to), ERR_IO, ERR_CORRUPT. */
MUST_CHECK enum err ask_check(const struct perimeter *p, const struct query *q);
MUST_CHECK enum err ask_open(struct index_reader *r, const struct perimeter *p, const struct query *q,
                             unsigned deadline_ms, struct ask *out);
void ask_close(struct ask *a);

#endif
