/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/container.h"

#include <string.h>

static unsigned slot_at(const struct container *c, size_t i) {
    return (unsigned)(c->bytes[2 * i] | c->bytes[2 * i + 1] << 8);
}

enum err container_check(const struct container *c, unsigned slot_count) {
    if (slot_count == 0 || slot_count > 65536 || (c->n_bytes && !c->bytes)) return ERR_CORRUPT;
    if (c->kind == CONTAINER_ARRAY) {
        size_t n = c->n_bytes / 2;
        if (c->n_bytes % 2 || n > slot_count) return ERR_CORRUPT;
        for (size_t i = 1; i < n; i++)
            if (slot_at(c, i - 1) >= slot_at(c, i)) return ERR_CORRUPT;
        return n && slot_at(c, n - 1) >= slot_count ? ERR_CORRUPT : OK;
    }
    if (c->kind != CONTAINER_BITSET || c->n_bytes % 8 || c->n_bytes / 8 > BITS_WORDS(slot_count))
        return ERR_CORRUPT;
    if (c->n_bytes / 8 == slot_count / 64 + 1) {
        uint64_t last;
        memcpy(&last, c->bytes + c->n_bytes - 8, sizeof last);
        if (last >> slot_count % 64) return ERR_CORRUPT;
    }
    return OK;
}

void container_or(const struct bits_ops *ops, uint64_t *words, const struct container *c) {
    if (c->kind == CONTAINER_BITSET) {
        ops->or_with(words, c->bytes, c->n_bytes / 8);
        return;
    }
    for (size_t i = 0; i < c->n_bytes / 2; i++)
        words[slot_at(c, i) / 64] |= UINT64_C(1) << slot_at(c, i) % 64;
}

void container_and(const struct bits_ops *ops, uint64_t *words, size_t n_words, const struct container *c) {
    if (c->kind == CONTAINER_BITSET) {
        size_t n = c->n_bytes / 8 < n_words ? c->n_bytes / 8 : n_words;
        ops->and_with(words, c->bytes, n);
        memset(words + n, 0, (n_words - n) * sizeof *words);
        return;
    }
    /* What is in both, without a branch for each slot. */
    uint64_t both[CONTAINER_WORDS];
    memset(both, 0, n_words * sizeof *both);
    for (size_t i = 0; i < c->n_bytes / 2; i++) {
        unsigned slot = slot_at(c, i);
        both[slot / 64] |= words[slot / 64] & UINT64_C(1) << slot % 64;
    }
    memcpy(words, both, n_words * sizeof *both);
}

void container_and_not(const struct bits_ops *ops, uint64_t *words, const struct container *c) {
    if (c->kind == CONTAINER_BITSET) {
        ops->and_not(words, c->bytes, c->n_bytes / 8);
        return;
    }
    for (size_t i = 0; i < c->n_bytes / 2; i++)
        words[slot_at(c, i) / 64] &= ~(UINT64_C(1) << slot_at(c, i) % 64);
}

uint64_t container_count_and(const struct bits_ops *ops, const uint64_t *words, const struct container *c) {
    if (c->kind == CONTAINER_BITSET) return ops->count_and(words, c->bytes, c->n_bytes / 8);
    uint64_t sum = 0;
    for (size_t i = 0; i < c->n_bytes / 2; i++) sum += words[slot_at(c, i) / 64] >> slot_at(c, i) % 64 & 1;
    return sum;
}

unsigned container_encode(const uint64_t words[CONTAINER_WORDS], unsigned slot_count,
                          uint8_t room[CONTAINER_BYTES_MAX], struct container *out) {
    size_t n_words = BITS_WORDS(slot_count);
    unsigned n = 0;
    while (n_words > 0 && words[n_words - 1] == 0) n_words--;
    for (size_t w = 0; w < n_words; w++) n += (unsigned)__builtin_popcountll(words[w]);
    out->bytes = room;
    if (n >= slot_count / 16) {
        out->kind = CONTAINER_BITSET;
        out->n_bytes = n_words * 8;
        memcpy(room, words, out->n_bytes);
        return n;
    }
    out->kind = CONTAINER_ARRAY;
    out->n_bytes = 2 * (size_t)n;
    size_t at = 0;
    for (size_t w = 0; w < n_words; w++)
        for (uint64_t left = words[w]; left; left &= left - 1) {
            size_t slot = w * 64 + (size_t)__builtin_ctzll(left);
            room[at++] = (uint8_t)slot;
            room[at++] = (uint8_t)(slot >> 8);
        }
    return n;
}
