/* SPDX-License-Identifier: Apache-2.0 */
/* exhibit.h - sightings kept for a case, with the seconds before and after that belong to them. A removed one
 * keeps its row, marked. Threads: as the register handle. Ownership: lists are the caller's to free(). */
#ifndef HOST_CASE_EXHIBIT_H
#define HOST_CASE_EXHIBIT_H

#include <stdint.h>

#include "host/base/err.h"
#include "host/case/register.h"

#define EXHIBIT_PAD_MAX_S 600
#define EXHIBIT_NOTE_MAX  1000u

struct exhibit {
    uint64_t id; /* given on adding */
    char case_id[40];
    uint64_t sighting, recording;
    uint16_t camera;
    int64_t from_ms, to_ms, best_ms; /* the sighting's own, without the pads */
    int pad_before_s, pad_after_s;
    char note[EXHIBIT_NOTE_MAX + 1];
    char by[64];
    int64_t at_ms;
    char removed_by[64];
    int64_t removed_ms; /* 0 = kept */
};

/* Fills id and at_ms. ERR_EXISTS: kept already; ERR_USAGE: pads or note; ERR_FULL: 1,000 are kept. */
MUST_CHECK enum err exhibit_add(struct register_db *r, struct exhibit *x);
/* ERR_MISSING also when it was removed or belongs to another case. */
MUST_CHECK enum err exhibit_get(struct register_db *r, const char *case_id, uint64_t id, struct exhibit *out);
/* Pads and note. */
MUST_CHECK enum err exhibit_update(struct register_db *r, const struct exhibit *x);
MUST_CHECK enum err exhibit_remove(struct register_db *r, const char *case_id, uint64_t id, const char *by);
/* Those kept, in the order of adding. */
MUST_CHECK enum err exhibit_list(struct register_db *r, const char *case_id, struct exhibit **out,
                                 unsigned *n);
/* The kept exhibit of a sighting; 0 = none. */
MUST_CHECK enum err exhibit_of(struct register_db *r, const char *case_id, uint64_t sighting, uint64_t *id);

#endif
