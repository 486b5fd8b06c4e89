/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/plate_match.h"

#include <string.h>

char plate_class(char c) {
    switch (c) {
    case 'O':
    case 'Q':
    case 'D':
        return '0';
    case 'I':
    case 'L':
        return '1';
    case 'B':
        return '8';
    case 'S':
        return '5';
    case 'Z':
        return '2';
    case 'G':
        return '6';
    case 'A':
        return '4';
    case 'T':
        return '7';
    default:
        return c;
    }
}

/* `?` one character, `*` any number. Goes back only to the last star: linear in practice. */
static bool pattern_fits(const char *asked, const char *text) {
    const char *star = NULL, *retry = NULL;
    while (*text) {
        if (*asked == '*') {
            star = asked++;
            retry = text;
        } else if (*asked == '?' || *asked == *text) {
            asked++;
            text++;
        } else if (star) {
            asked = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*asked == '*') asked++;
    return *asked == '\0';
}

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

/* Edit distance with confusable letters equal; both at most 24 characters. */
static unsigned plate_distance(const char *asked, const char *text) {
    enum { TEXT_MAX = 24 };
    unsigned row[TEXT_MAX + 1];
    size_t n = strlen(text);
    if (n > TEXT_MAX) return PLATE_SLIPS_NONE;
    for (unsigned j = 0; j <= n; j++) row[j] = j;
    for (unsigned i = 1; asked[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= n; j++) {
            bool same = asked[i - 1] == '?' || plate_class(asked[i - 1]) == plate_class(text[j - 1]);
            unsigned best = least(least(row[j] + 1, row[j - 1] + 1), diagonal + (same ? 0 : 1));
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[n];
}

uint8_t plate_match(enum query_plate mode, const char *asked, unsigned max_slips, const char *text) {
    switch (mode) {
    case QUERY_PLATE_EXACT:
        return strcmp(asked, text) == 0 ? 0 : PLATE_SLIPS_NONE;
    case QUERY_PLATE_PATTERN:
        return pattern_fits(asked, text) ? 0 : PLATE_SLIPS_NONE;
    case QUERY_PLATE_FUZZY: {
        if (strcmp(asked, text) == 0) return 0;
        unsigned d = plate_distance(asked, text);
        if (d > max_slips) return PLATE_SLIPS_NONE;
        return (uint8_t)(d == 0 ? 1 : 2 * d);
    }
    case QUERY_PLATE_NONE:
    default:
        return 0;
    }
}
