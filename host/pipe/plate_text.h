/* SPDX-License-Identifier: Apache-2.0 */
/* plate_text.h - what the reader's columns say: the best text, by the forms of registrations that Europe uses
 * or freely, with the share of every character at every place. Pure; any thread. */
#ifndef HOST_PIPE_PLATE_TEXT_H
#define HOST_PIPE_PLATE_TEXT_H

#include <stdint.h>

#define PLATE_CLASSES  37u /* blank, 0-9, A-Z: the reader's order */
#define PLATE_ALPHABET 36u
#define PLATE_COLUMNS  32u
#define PLATE_TEXT_MIN 4u /* shorter is a badge or a part of a plate */
#define PLATE_TEXT_MAX 9u

/* One reading of one picture. */
struct plate_guess {
    uint8_t n_chars;                             /* 0 = nothing readable */
    uint8_t form;                                /* number of the registration form + 1; 0 = read freely */
    float score;                                 /* mean logarithm per column; 0 is perfect */
    float share[PLATE_TEXT_MAX][PLATE_ALPHABET]; /* of each character at each place; sums to 1 */
};

/* log_p[t][k]: logarithm of the probability of class k in column t. */
void plate_text_read(const float log_p[PLATE_COLUMNS][PLATE_CLASSES], struct plate_guess *out);

/* The character of an index of the alphabet: '0'..'9', 'A'..'Z'. */
char plate_text_char(unsigned i);

/* The country whose forms alone fit this text ("F", "GB"), or "" when none or several do. */
const char *plate_text_country(const char *text);

#endif
