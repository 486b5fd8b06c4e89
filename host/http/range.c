/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/range.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct text {
    const char *p, *end;
};

static void skip_blank(struct text *t) {
    while (t->p < t->end && (*t->p == ' ' || *t->p == '\t')) t->p++;
}

static bool take(struct text *t, char c) {
    if (t->p >= t->end || *t->p != c) return false;
    t->p++;
    return true;
}

/* Digits, saturating at UINT64_MAX: a position beyond every file is outside the body, not malformed. */
static bool take_number(struct text *t, uint64_t *out) {
    const char *start = t->p;
    uint64_t v = 0;
    for (; t->p < t->end && *t->p >= '0' && *t->p <= '9'; t->p++) {
        unsigned digit = (unsigned)(*t->p - '0');
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) || __builtin_add_overflow(v, (uint64_t)digit, &v))
            v = UINT64_MAX;
    }
    *out = v;
    return t->p != start;
}

enum range_result range_parse(const char *header, size_t n, uint64_t size_bytes, struct range *out) {
    *out = (struct range){.first_bytes = 0, .n_bytes = size_bytes};
    if (!header || n < 6 || strncasecmp(header, "bytes=", 6) != 0) return RANGE_WHOLE;
    struct text t = {header + 6, header + n};
    uint64_t first = 0, last = 0;
    skip_blank(&t);
    bool has_first = take_number(&t, &first);
    if (!take(&t, '-')) return RANGE_WHOLE;
    bool has_last = take_number(&t, &last);
    skip_blank(&t);
    /* A comma means several ranges: RFC 9110 allows ignoring them, and no player of ours asks for them. */
    if (t.p != t.end || (!has_first && !has_last)) return RANGE_WHOLE;
    if (has_first && has_last && last < first) return RANGE_WHOLE;
    if (!has_first) {
        if (last == 0 || size_bytes == 0) return RANGE_UNSATISFIABLE;
        uint64_t tail = last < size_bytes ? last : size_bytes;
        *out = (struct range){.first_bytes = size_bytes - tail, .n_bytes = tail};
        return RANGE_PART;
    }
    if (first >= size_bytes) return RANGE_UNSATISFIABLE;
    if (!has_last || last >= size_bytes) last = size_bytes - 1;
    *out = (struct range){.first_bytes = first, .n_bytes = last - first + 1};
    return RANGE_PART;
}

bool range_if_matches(const char *if_range, const char *etag) {
    if (!if_range) return true;
    return etag && etag[0] == '"' && strcmp(if_range, etag) == 0;
}

void range_content(const struct range *part, uint64_t size_bytes, char out[static RANGE_TEXT_MAX]) {
    if (part)
        (void)snprintf(out, RANGE_TEXT_MAX, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, part->first_bytes,
                       part->first_bytes + part->n_bytes - 1, size_bytes);
    else
        (void)snprintf(out, RANGE_TEXT_MAX, "bytes */%" PRIu64, size_bytes);
}
