/* SPDX-License-Identifier: Apache-2.0 */
/* zone.h - local time of one IANA zone, read from the system's zoneinfo files. The C library knows only one
 * zone per process and changes it under everybody's feet; a search must say "mardi 14 h" in the site's zone
 * on any thread. Threads: immutable after zone_open(). */
#ifndef HOST_BASE_ZONE_H
#define HOST_BASE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"

struct zone;

/* "Europe/Paris". ERR_USAGE: not a zone name; ERR_MISSING: no such zone; ERR_IO, ERR_CORRUPT. */
MUST_CHECK enum err zone_open(const char *name, struct zone **out);
void zone_free(struct zone **z);

/* Seconds to add to UTC at that moment. */
int32_t zone_offset_s(const struct zone *z, int64_t utc_ms);

/* A local calendar day is a number: days since 1970-01-01. */
int64_t zone_day(int year, int month, int day); /* proleptic Gregorian; month 1..12 */
void zone_date(int64_t local_day, int *year, int *month, int *day);
bool zone_date_exists(int year, int month, int day);
int zone_weekday(int64_t local_day); /* 0 = Monday */
int64_t zone_local_day(const struct zone *z, int64_t utc_ms);

/* UTC of a wall-clock reading: `local_ms` of that day, 0..48 h. In the hour that autumn repeats there are
 * two: the first, or with `later` the second. In the hour that spring skips: the moment of the jump. */
int64_t zone_utc_ms(const struct zone *z, int64_t local_day, int64_t local_ms, bool later);

#endif
