/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "host/base/fold.h"
#include "host/search/grammar_internal.h"

bool plain_is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '~';
}

/* The sign a separator stands for; 0 = it is a letter or belongs to one. */
static char sign_of(uint32_t c) {
    switch (c) {
    case '-':
    case 0x2010:
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2212:
        return '-';
    case '\'':
    case 0x2019:
    case '_':
        return '\'';
    case ':':
    case '/':
    case '.':
    case '?':
    case '*':
    case '+':
    case '=':
        return (char)c;
    case 0x00b1: /* plus or minus */
        return '+';
    case ',':
    case ';':
    case '(':
    case ')':
    case '[':
    case ']':
    case '|':
        return ',';
    default:
        return ' ';
    }
}

bool plain_make(const char *text, struct plain *out) {
    size_t n = strnlen(text, GRAMMAR_TEXT_MAX + 1);
    const char *p = text, *end = text + n;
    out->n = 0;
    if (n > GRAMMAR_TEXT_MAX) return false;
    while (p < end) {
        char l[2];
        uint16_t at = (uint16_t)(p - text);
        uint32_t c = fold_next(&p, end);
        int k = fold_letters(c, l);
        if (k == FOLD_NOTHING) continue;
        if (k == FOLD_BREAK) {
            l[0] = sign_of(c);
            k = 1;
        }
        for (int i = 0; i < k; i++) {
            out->c[out->n] = l[i];
            out->at[out->n++] = at;
        }
    }
    out->c[out->n] = '\0';
    out->at[out->n] = (uint16_t)n;
    return true;
}

static bool is_soft(char c) {
    return c == ' ' || c == '-' || c == '\'' || c == '.';
}

bool plain_next_word(const struct plain *p, unsigned i, unsigned *from, unsigned *to) {
    while (i < p->n && is_soft(p->c[i])) i++;
    if (i >= p->n || !plain_is_word(p->c[i])) return false;
    *from = i;
    while (i < p->n && plain_is_word(p->c[i])) i++;
    *to = i;
    return true;
}

bool plain_word_starts(const struct plain *p, unsigned i) {
    return i < p->n && plain_is_word(p->c[i]) && (i == 0 || !plain_is_word(p->c[i - 1]));
}

bool plain_phrase(const struct plain *p, unsigned i, unsigned n, char out[static 96], unsigned *to) {
    unsigned len = 0, from, end = i;
    for (unsigned k = 0; k < n; k++) {
        if (!plain_next_word(p, end, &from, &end)) return false;
        if (k == 0 && from != i) return false;
        if (len + (end - from) + 2 > 96) return false;
        if (k > 0) out[len++] = ' ';
        memcpy(out + len, p->c + from, end - from);
        len += end - from;
    }
    out[len] = '\0';
    *to = end;
    return n > 0;
}

unsigned plain_chunk_end(const struct plain *p, unsigned i) {
    while (i < p->n && p->c[i] != ' ' && p->c[i] != ',') i++;
    return i;
}

bool text_within_one(const char *a, const char *b) {
    size_t na = strlen(a), nb = strlen(b), i = 0;
    if (na > nb) {
        const char *t = a;
        a = b;
        b = t;
        size_t tn = na;
        na = nb;
        nb = tn;
    }
    if (nb - na > 1) return false;
    while (i < na && a[i] == b[i]) i++;
    if (nb > na) return strcmp(a + i, b + i + 1) == 0;
    if (i == na || strcmp(a + i + 1, b + i + 1) == 0) return true;
    return i + 1 < na && a[i] == b[i + 1] && a[i + 1] == b[i] && strcmp(a + i + 2, b + i + 2) == 0;
}

void text_copy(char *out, size_t cap, const char *text) {
    size_t n = strnlen(text, cap - 1);
    memcpy(out, text, n);
    out[n] = '\0';
}
