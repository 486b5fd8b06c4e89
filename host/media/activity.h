/* SPDX-License-Identifier: Apache-2.0 */
/* activity.h - does a picture of a fixed camera differ from what the camera usually shows? The luma is
 * averaged over square cells (about 120 across, which takes away the sensor's noise), each cell remembers its
 * usual value and how much it wavers, and cells that leave it together are counted. A change of the whole
 * picture's brightness is taken out first. Knows nothing of objects: it may be wrong towards "something is
 * there" only, as long as what comes in covers two cells. Pure; threads: one at a time. */
#ifndef HOST_MEDIA_ACTIVITY_H
#define HOST_MEDIA_ACTIVITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

struct activity;

MUST_CHECK enum err activity_new(struct activity **out);
void activity_free(struct activity **a);
/* Forgets what is usual. */
void activity_restart(struct activity *a);
/* How many pictures what is usual rests on; below ACTIVITY_LEARNED an answer means little. */
enum { ACTIVITY_LEARNED = 5 };
unsigned activity_n_seen(const struct activity *a);

struct activity_limits {
    float least;  /* grey levels by which a cell must leave its usual value, of 255 */
    float wavers; /* and how many times its usual wavering */
};
/* Compares, then learns. *n_active: cells out of the ordinary that have such a neighbour; every cell where
 * nothing is known yet or the size changed. ERR_NOMEM. */
MUST_CHECK enum err activity_look(struct activity *a, const uint8_t *luma, size_t stride, unsigned w_px,
                                  unsigned h_px, const struct activity_limits *limits, unsigned *n_active);

#endif
