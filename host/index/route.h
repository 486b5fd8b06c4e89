/* SPDX-License-Identifier: Apache-2.0 */
/* route.h - one vehicle over several cameras: the same plate (or one that looks alike) here and then there,
 * with travel time and speed, for a person to confirm hop by hop. Never for persons: only plates and
 * vehicles' vectors link. Threads and perimeter: as in index.h; plates_allowed is needed, likeness_allowed
 * for links by look. */
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

enum route_link { ROUTE_SEED, ROUTE_PLATE, ROUTE_PLATE_FUZZY, ROUTE_LOOK };
enum route_flag {
    ROUTE_PLAUSIBLE,
    ROUTE_TOO_FAST, /* nobody drives that fast between the two places */
    ROUTE_UNPLACED  /* a camera has no place on the map: speed unknown */
};
struct route_hop {
    struct sighting s; /* without thumbnail */
    enum route_link link;
    uint8_t score;           /* 1..100: 100 the same plate, less for slips; by look, the likeness */
    double km, minutes, kmh; /* from the hop before, as the crow flies; 0 for the first */
    enum route_flag flag;
};
struct route {
    unsigned n;
    struct route_hop *hop; /* owned; by time, the seed among them */
};
/* Where a camera stands, WGS 84 degrees; false = not placed. */
typedef bool route_place_fn(void *arg, uint16_t camera_number, double *lat, double *lon);
struct route_query {
    uint64_t seed_id;
    bool by_plate, by_look;
    unsigned max_slips;     /* of the plate, 0..2; confusable letters are equal */
    int64_t from_ms, to_ms; /* 0, 0 = the whole perimeter */
    double max_kmh;         /* above: flagged, not hidden; 0 = 130 */
    uint8_t least_likeness; /* by look: 1..100 */
    unsigned limit;         /* hops, 1..200 */
    route_place_fn *place;
    void *arg;
};
/* The sightings that may be the seed's vehicle, each with the leg from the one before. ERR_MISSING: no such
 * seed, or it has neither plate nor vector; else as above. */
MUST_CHECK enum err index_route(struct index_reader *r, const struct perimeter *p,
                                const struct route_query *q, unsigned deadline_ms, struct route *out);
void route_fini(struct route *r);

#endif
