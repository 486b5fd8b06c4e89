/* SPDX-License-Identifier: Apache-2.0 */
/* plate_match.h - does one plate text fit what was asked? The plain reference; plate_scan.h is the fast form
 * of it. Confusable letters count as equal in a fuzzy search: 0 O Q D; 1 I L; 8 B; 5 S; 2 Z; 6 G; 4 A; 7 T.
 * Threads: any. */
#ifndef HOST_INDEX_PLATE_MATCH_H
#define HOST_INDEX_PLATE_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "host/index/query.h"

#define PLATE_SLIPS_NONE 255u /* does not fit */

/* 0 exact (or fits the pattern), 1 equal but for confusable letters, else 2 x edit distance (confusable
 * letters equal,
 * `?` of a fuzzy text equals any one character); PLATE_SLIPS_NONE when it is further than max_slips. */
uint8_t plate_match(enum query_plate mode, const char *asked, unsigned max_slips, const char *text);

/* The letter that stands for a class of confusable ones ('0' for O, Q, D). */
char plate_class(char c);

#endif
