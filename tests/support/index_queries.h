/* SPDX-License-Identifier: Apache-2.0 */
/* index_queries.h - random instances of the queries that the index promises to answer, each a function of
 * (kind, instance), over what sightings_gen.h makes. Used by the truth tests and by bench-index. */
#ifndef TESTS_SUPPORT_INDEX_QUERIES_H
#define TESTS_SUPPORT_INDEX_QUERIES_H

#include "host/index/index.h"
#include "tests/support/sightings_gen.h"

enum asked_kind {
    ASKED_Q1, /* vehicle class and colour */
    ASKED_Q2, /* the same at 40 cameras */
    ASKED_Q3, /* person, upper colour, backpack */
    ASKED_Q4, /* plate, exact */
    ASKED_Q5, /* plate, pattern */
    ASKED_Q6, /* plate, edit distance 1 or 2, confusable letters equal */
    ASKED_Q8, /* rare */
    ASKED_Q9, /* common, deep page */
    ASKED_SURE,
    ASKED_NOT,
    ASKED_ONLY,
    ASKED_SCORE, /* optional groups, score order */
    ASKED_DURATION,
    ASKED_DIRECTION,
    ASKED_AREA,  /* a rectangle on one camera */
    ASKED_BANDS, /* hours of the day over several days, oldest first */
    ASKED_TOGETHER,
    ASKED_PLATE_SCORE, /* Q6 by rank, with a colour */
    ASKED_Q7A,         /* nearest: cars of 24 h */
    ASKED_Q7B,         /* red cars of the whole period */
    ASKED_Q7C,         /* vehicles of 7 days at 40 cameras */
    ASKED_Q7D,         /* vehicles of 7 days */
    ASKED_Q7E,         /* no filter */
    ASKED_KINDS
};
extern const char *const asked_name[ASKED_KINDS];

/* What queries refer to: reads and sightings that exist. */
struct asked_sample {
    const char (*plate)[17];
    unsigned n_plates;
    const uint64_t *vehicle; /* ids with a likeness */
    unsigned n_vehicles;
    const uint64_t *any; /* ids */
    unsigned n_any;
};

struct asked {
    struct query q; /* q.cameras is `cameras` below */
    struct perimeter p;
    uint16_t allowed[GEN_CAMERAS], cameras[64];
};
void asked_make(enum asked_kind kind, unsigned instance, const struct asked_sample *sample,
                struct asked *out);

#endif
