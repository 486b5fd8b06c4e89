/* SPDX-License-Identifier: Apache-2.0 */
#include "host/base/utf8.h"

#include <string.h>

#include "host/base/fold.h"

/* Moves past one character; false: past one byte that is none. U+FFFD itself is three bytes long. */
static bool next(const char **p, const char *end) {
    const char *start = *p;
    return fold_next(p, end) != 0xfffd || *p - start > 1;
}

bool utf8_is_valid(const char *text) {
    const char *end = text + strlen(text);
    while (text < end)
        if (!next(&text, end)) return false;
    return true;
}

void utf8_mend(char *text) {
    const char *end = text + strlen(text);
    for (const char *p = text; p < end;)
        if (!next(&p, end)) text[p - text - 1] = '?';
}
