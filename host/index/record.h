/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - the two blobs of a sighting's row: all attributes with scores (and what the plate reader saw),
 * and the path with the best moment, packed bit by bit. Lossless but for the corners of boxes, which are kept
 * on a grid of RECORD_GRID steps (half a pixel of 1,920). Decoding trusts nothing: every count is checked and
 * a record that does not end where it should is ERR_CORRUPT. Records of an index of version 1 are read too.
 * Threads: any; plain data. */
#ifndef HOST_INDEX_RECORD_H
#define HOST_INDEX_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/bytes.h"
#include "host/base/err.h"
#include "host/pipe/sighting.h"

enum { RECORD_GRID_BITS = 11 };
#define RECORD_GRID ((1u << RECORD_GRID_BITS) - 1)

/* Appends to *out. The plate's text is not in the record (the dictionary has it), its characters' scores are.
 */
void record_put_attributes(struct bytes *out, const struct sighting *s);
void record_put_path(struct bytes *out, const struct sighting *s);

/* Fill the fields that came from the record; id, start, end, camera, class, confidence and plate text are set
 * before. */
MUST_CHECK enum err record_get_attributes(const void *p, size_t n, struct sighting *s);
/* `packed`: record_is_packed() of the same row's attributes. */
MUST_CHECK enum err record_get_path(const void *p, size_t n, bool packed, struct sighting *s);
bool record_is_packed(const void *attributes, size_t n);

/* Corners of boxes on the grid: what a row gives back. */
void record_round(struct sighting *s);

/* A check of the likeness vector, kept in its row because the vector lies in another file. */
uint16_t record_likeness_check(const int8_t v[128]);
/* The same as stored in the row; valid after record_get_attributes() of a sighting with has_likeness. */
MUST_CHECK enum err record_stored_likeness_check(const void *p, size_t n, uint16_t *out);

/* ERR_USAGE when a sighting cannot be stored as it is: counts, scores or times out of range, a value id of 0.
 */
MUST_CHECK enum err record_check(const struct sighting *s);

/* Durations fall into buckets by powers of two: 1 = under 1 s, 2 = 1..2 s, 3 = 2..4 s ... 24 = longer than
 * any. */
enum { RECORD_DURATION_BUCKETS = 24 };
unsigned record_duration_bucket(int64_t duration_ms);
/* First and last (inclusive) millisecond of a bucket. */
void record_duration_range(unsigned bucket, int64_t *from_ms, int64_t *to_ms);

/* Bit n set = it moved that way (enum query_direction n): at least 1/16 of the picture along that axis, and
 * not less than half of what it moved along the other. A diagonal track has two ways. */
unsigned record_directions(const struct sighting *s);

#endif
