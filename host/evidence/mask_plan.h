/* SPDX-License-Identifier: Apache-2.0 */
/* mask_plan.h - what the masked copy of one passage hides: the areas of its camera, and every other object
 * that the index knows of in that recording (persons, two-wheelers, vehicles: a plate tells a person too), a
 * second longer than it was seen on either side. The passage's own box is shown. Objects that were never
 * detected are not hidden: the export says so. Threads: the reader's. */
#ifndef HOST_EVIDENCE_MASK_PLAN_H
#define HOST_EVIDENCE_MASK_PLAN_H

#include "host/base/err.h"
#include "host/case/register.h"
#include "host/index/index.h"
#include "host/media/decoder.h"

struct mask_plan {
    struct decoder_mask mask; /* points into the two below */
    struct wire_area *areas;
    struct wire_mask_piece *pieces;
    unsigned cap_pieces;
    unsigned n_bystanders;
};
/* [from_ms, to_ms) of `rec`, about `own`. ERR_FULL: more than a copy can hide (take a shorter one). */
MUST_CHECK enum err mask_plan_make(struct register_db *r, struct index_reader *reader,
                                   const struct recording *rec, const struct sighting *own, int64_t from_ms,
                                   int64_t to_ms, struct mask_plan *out);
void mask_plan_fini(struct mask_plan *p);

#endif
