/* SPDX-License-Identifier: Apache-2.0 */
/* match.h - the meaning of a query, said once and plainly over one decoded sighting. Searches find their hits
 * by bitmaps; this gives the conditions that no bitmap holds (exact durations, drawn areas), the degree of a
 * match, and the reference that the bitmaps are tested against. Threads: any. */
#ifndef HOST_INDEX_MATCH_H
#define HOST_INDEX_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/index/query.h"
#include "host/pipe/sighting.h"

/* ERR_USAGE when counts, numbers or combinations are impossible. */
MUST_CHECK enum err match_check(const struct query *q);

/* Groups, periods, cameras, duration, direction and area; not plate, likeness and together. */
bool match_sighting(const struct query *q, const struct sighting *s);
bool match_groups(const struct query *q, const struct sighting *s);
bool match_period(const struct query *q, int64_t start_ms);
bool match_duration(const struct query *q, int64_t duration_ms);
/* The path's foot points, joined by straight lines, touch the polygon. */
bool match_area(const struct query *q, const struct sighting *s);

/* Rank of a match before its confidence: each positive group, optional ones too, gives one for a plausible
 * and one more for a certain value. */
unsigned match_level(const struct query *q, const struct sighting *s);
/* 1..100: the weakest required group's best score; a query without one gives the confidence. */
uint8_t match_degree(const struct query *q, const struct sighting *s);

#endif
