/* SPDX-License-Identifier: Apache-2.0 */
/* fold.h - UTF-8 read with every check, and letters reduced to plain ones: lower case, no accents, oe for the
 * ligature. What people type and what the vocabulary lists meet in this form. Pure, any thread. */
#ifndef HOST_BASE_FOLD_H
#define HOST_BASE_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes one code point at p (at least one byte before end) and moves past it. A byte that is no UTF-8
 * (overlong, surrogate, past U+10FFFF, cut short) gives U+FFFD and moves one byte. */
uint32_t fold_next(const char **p, const char *end);

/* Writes the plain letters or digits of a code point (0..2 characters, no end). FOLD_BREAK: a separator,
 * FOLD_NOTHING: a mark that belongs to the letter before it. Otherwise how many were written. A letter of
 * another script gives one '~', which no word of the vocabulary contains. */
enum { FOLD_BREAK = -1, FOLD_NOTHING = 0 };
int fold_letters(uint32_t c, char out[static 2]);

/* The whole text, words separated by one space, with its end. False: it did not fit (out then holds ""). */
bool fold_text(const char *text, size_t n, char *out, size_t cap);

#endif
