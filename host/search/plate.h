/* SPDX-License-Identifier: Apache-2.0 */
/* plate.h - what a person types for a plate -> the form the index matches. Pure, any thread. */
#ifndef HOST_SEARCH_PLATE_H
#define HOST_SEARCH_PLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "host/index/query.h"

#define PLATE_CHARS_MAX 16u /* letters, digits and signs of one pattern */

/* Reads a typed plate: separators fall away, letters become capitals, `?` = one character, `*` = any number.
 * A whole plate (no sign) is searched with its look-alikes: QUERY_PLATE_FUZZY, no slip. A piece ("4?8",
 * "123") is looked for anywhere in the plate; a pattern with `*` is taken as typed. Writes q->plate,
 * plate_mode, max_slips. False: no plate (nothing but signs, too long, odd characters); q is then unchanged.
 */
bool plate_parse(const char *typed, size_t n, struct query *q);

/* A plate as France and its neighbours write them whole: AB-123-CD, 1234 AB 06, or 5 to 9 letters and digits
 * mixed. */
bool plate_is_whole(const char *plain);

#endif
