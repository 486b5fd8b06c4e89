/* SPDX-License-Identifier: Apache-2.0 */
/* values.h - which bitmaps a sighting is in. The one place that says so: the writer sets these bits,
 * check-index rebuilds from them. Threads: any. */
#ifndef HOST_INDEX_VALUES_H
#define HOST_INDEX_VALUES_H

#include <stdint.h>

#include "host/pipe/sighting.h"

/* Two bits for each plausible value, and the store's own. */
#define VALUES_MAX (SIGHTING_ATTRIBUTES_MAX * SIGHTING_ALTERNATIVES_MAX * 2u + 8u)

/* Fills out[] with value numbers (a number may stand there twice), gives how many. */
unsigned values_of(const struct sighting *s, uint32_t out[VALUES_MAX]);

#endif
