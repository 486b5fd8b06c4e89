/* SPDX-License-Identifier: Apache-2.0 */
/* scan.h - the heart of a search: which slots of which segments fit. Groups of bitmaps are combined segment
 * by segment, newest first; columns and rows are read only where bits are left. Inside a reader's
 * transaction. */
#ifndef HOST_INDEX_SCAN_H
#define HOST_INDEX_SCAN_H

#include "host/index/cursor.h"
#include "host/index/plate_find.h"
#include "host/index/reader.h"

enum { SCAN_GROUPS_MAX = QUERY_GROUPS_MAX + 8, SCAN_RANGES_MAX = QUERY_PERIODS_MAX };

/* OR of values; `only`: and no other value of their fields. */
struct scan_group {
    uint32_t number[32];
    unsigned n;
    bool negated, only;
};

struct scan_request {
    struct scan_group group[SCAN_GROUPS_MAX];
    unsigned n_groups;
    struct {
        int64_t from_ms, to_ms;
    } range[SCAN_RANGES_MAX]; /* rising, apart */
    unsigned n_ranges;
    struct camera_set cameras;
    const struct query *exact;           /* durations and area to be checked on rows; NULL = none */
    unsigned exact_bucket[2], n_buckets; /* only sightings of these duration buckets need the look */
    struct plate_find *plates;           /* NULL = any */
    bool likeness;                       /* only what has a vector; the reader is like_open() then */
    uint64_t except_id;                  /* 0 = none */
    uint64_t deadline_ns;                /* of clock_mono_ns(); 0 = none */
};

/* Adds a period, clipped to [from, to); call in any order, then scan_settle() sorts and merges. ERR_USAGE:
 * too many. */
MUST_CHECK enum err scan_range(struct scan_request *q, int64_t from_ms, int64_t to_ms);
void scan_settle(struct scan_request *q);

struct scan_segment {
    uint64_t id;
    unsigned slot_count;
    size_t n_words;
    uint64_t *words; /* the hits; the scan's, may be changed, gone after the call */
    uint64_t n_hits; /* never 0 */
};
typedef enum err scan_fn(void *arg, const struct scan_segment *s);
/* ERR_TIMEOUT, ERR_CORRUPT, ERR_IO, ERR_NOMEM, or what `fn` returned. */
MUST_CHECK enum err scan_run(struct index_reader *r, const struct scan_request *q, scan_fn *fn, void *arg);

/* First and last segment that the ranges touch; false when there is none. */
bool scan_bounds(const struct scan_request *q, uint64_t *first, uint64_t *last);

/* One chunk of a column, borrowed until the next call; n items of `width` bytes. Missing = n 0. */
MUST_CHECK enum err scan_column(struct index_reader *r, unsigned column, uint64_t segment, unsigned chunk,
                                unsigned width, const uint8_t **data, size_t *n);

#endif
