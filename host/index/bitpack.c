/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/bitpack.h"

void bits_put(struct bit_writer *w, uint64_t v, unsigned n) {
    w->held |= (v & ((UINT64_C(1) << n) - 1)) << w->n_held;
    w->n_held += n;
    for (; w->n_held >= 8; w->n_held -= 8, w->held >>= 8) bytes_put_u8(w->out, (uint8_t)w->held);
}

static void put_long(struct bit_writer *w, uint64_t v, unsigned n) {
    if (n > 32) bits_put(w, v & UINT32_MAX, 32);
    bits_put(w, n > 32 ? v >> 32 : v, n > 32 ? n - 32 : n);
}

/* v + 2^k without its highest bit, behind as many ones as it is longer than k bits, and a zero. */
void bits_put_number(struct bit_writer *w, uint64_t v, unsigned k) {
    v += UINT64_C(1) << k;
    unsigned length = 63 - (unsigned)__builtin_clzll(v);
    put_long(w, (UINT64_C(1) << (length - k)) - 1, length - k + 1);
    put_long(w, v, length);
}

void bits_put_signed(struct bit_writer *w, int64_t v, unsigned k) {
    bits_put_number(w, (uint64_t)v << 1 ^ (uint64_t)(v >> 63), k);
}

void bits_flush(struct bit_writer *w) {
    if (w->n_held) bits_put(w, 0, 8 - w->n_held);
}

uint64_t bits_get(struct bit_reader *r, unsigned n) {
    uint64_t v = 0;
    for (unsigned got = 0; got < n;) {
        if (r->p == r->end) {
            r->bad = true;
            return 0;
        }
        unsigned here = 8 - r->at < n - got ? 8 - r->at : n - got;
        v |= (uint64_t)(*r->p >> r->at & ((1u << here) - 1)) << got;
        got += here;
        r->at += here;
        if (r->at == 8) {
            r->at = 0;
            r->p++;
        }
    }
    return v;
}

uint64_t bits_get_number(struct bit_reader *r, unsigned k) {
    unsigned length = k;
    while (bits_get(r, 1) && length < 63) length++;
    if (length == 63 || r->bad) {
        r->bad = true;
        return 0;
    }
    uint64_t low = bits_get(r, length < 32 ? length : 32);
    if (length > 32) low |= bits_get(r, length - 32) << 32;
    return r->bad ? 0 : (low | UINT64_C(1) << length) - (UINT64_C(1) << k);
}

int64_t bits_get_signed(struct bit_reader *r, unsigned k) {
    uint64_t v = bits_get_number(r, k);
    return (int64_t)(v >> 1 ^ -(v & 1));
}

bool bits_at_end(const struct bit_reader *r) {
    if (r->bad) return false;
    if (r->at == 0) return r->p == r->end;
    return r->p + 1 == r->end && *r->p >> r->at == 0;
}
