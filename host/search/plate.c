/* SPDX-License-Identifier: Apache-2.0 */
#include "host/search/plate.h"

#include <ctype.h>
#include <string.h>

static bool shaped(const char *text, const char *shape) {
    size_t i = 0;
    for (; text[i] && shape[i]; i++)
        if (shape[i] == 'A' ? !isupper((unsigned char)text[i]) : !isdigit((unsigned char)text[i]))
            return false;
    return !text[i] && !shape[i];
}

bool plate_is_whole(const char *plain) {
    static const char *const shapes[] = {"AA000AA", "00A00",    "00AA00",  "00AAA00",  "000A00",
                                         "000AA00", "000AAA00", "0000A00", "0000AA00", "0000AAA00"};
    size_t n = strlen(plain), letters = 0, digits = 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (shaped(plain, shapes[i])) return true;
    for (size_t i = 0; i < n; i++) {
        letters += isupper((unsigned char)plain[i]) != 0;
        digits += isdigit((unsigned char)plain[i]) != 0;
    }
    return letters + digits == n && n >= 6 && n <= 9 && letters && digits;
}

bool plate_parse(const char *typed, size_t n, struct query *q) {
    char plain[PLATE_CHARS_MAX + 3];
    size_t len = 0, signs = 0;
    bool star = false;
    for (size_t i = 0; i < n; i++) {
        char c = (char)toupper((unsigned char)typed[i]);
        if (c == '-' || c == ' ' || c == '.') continue;
        if (!isupper((unsigned char)c) && !isdigit((unsigned char)c) && c != '?' && c != '*') return false;
        if (c == '*' && len && plain[len - 1] == '*') continue;
        if (len == PLATE_CHARS_MAX) return false;
        signs += c == '?' || c == '*';
        star = star || c == '*';
        plain[len++] = c;
    }
    if (len == signs) return false;
    plain[len] = '\0';
    q->max_slips = 0;
    if (signs == 0 && plate_is_whole(plain)) {
        q->plate_mode = QUERY_PLATE_FUZZY;
        memcpy(q->plate, plain, len + 1);
        return true;
    }
    q->plate_mode = QUERY_PLATE_PATTERN;
    size_t at = 0;
    if (!star) q->plate[at++] = '*';
    memcpy(q->plate + at, plain, len);
    at += len;
    if (!star) q->plate[at++] = '*';
    q->plate[at] = '\0';
    return true;
}
