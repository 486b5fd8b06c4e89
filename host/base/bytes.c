/* SPDX-License-Identifier: Apache-2.0 */
#include "host/base/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/size.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are little-endian");

void bytes_fini(struct bytes *b) {
    if (!b) return;
    free(b->data);
    *b = (struct bytes){0};
}

void bytes_put(struct bytes *b, const void *p, size_t n) {
    size_t need;
    if (b->bad || n == 0) return;
    if (!size_add(b->len, n, &need)) {
        b->bad = true;
        return;
    }
    if (need > b->cap) {
        size_t cap = b->cap ? b->cap : 256;
        while (cap < need) {
            if (!size_mul(cap, 2, &cap)) {
                b->bad = true;
                return;
            }
        }
        uint8_t *q = realloc(b->data, cap);
        if (!q) {
            b->bad = true;
            return;
        }
        b->data = q;
        b->cap = cap;
    }
    memcpy(b->data + b->len, p, n);
    b->len = need;
}

void bytes_put_u8(struct bytes *b, uint8_t v) {
    bytes_put(b, &v, sizeof v);
}
void bytes_put_u16(struct bytes *b, uint16_t v) {
    bytes_put(b, &v, sizeof v);
}
void bytes_put_u32(struct bytes *b, uint32_t v) {
    bytes_put(b, &v, sizeof v);
}
void bytes_put_u64(struct bytes *b, uint64_t v) {
    bytes_put(b, &v, sizeof v);
}
void bytes_put_f32(struct bytes *b, float v) {
    bytes_put(b, &v, sizeof v);
}
void bytes_put_block(struct bytes *b, const void *p, uint32_t n) {
    bytes_put_u32(b, n);
    bytes_put(b, p, n);
}

struct bytes_reader bytes_reader_of(const void *p, size_t n) {
    const uint8_t *q = p;
    return (struct bytes_reader){.p = q, .end = q ? q + n : q};
}

const uint8_t *bytes_get(struct bytes_reader *r, size_t n) {
    if (r->bad || (size_t)(r->end - r->p) < n) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p += n;
    return p;
}

#define GETTER(name, type)                                                                                   \
    type bytes_get_##name(struct bytes_reader *r) {                                                          \
        type v = 0;                                                                                          \
        const uint8_t *p = bytes_get(r, sizeof v);                                                           \
        if (p) memcpy(&v, p, sizeof v);                                                                      \
        return v;                                                                                            \
    }
GETTER(u8, uint8_t)
GETTER(u16, uint16_t)
GETTER(u32, uint32_t)
GETTER(u64, uint64_t)
GETTER(f32, float)

const uint8_t *bytes_get_block(struct bytes_reader *r, uint32_t *n) {
    *n = bytes_get_u32(r);
    const uint8_t *p = bytes_get(r, *n);
    if (!p) *n = 0;
    return p;
}
