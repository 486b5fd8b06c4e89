/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/container.h"

#include <stdbool.h>
#include <string.h>

/* Steps through a list of slots; one that was checked ends well. */
struct list {
    const uint8_t *p, *end;
    unsigned next; /* gaps: the lowest slot that may come */
    bool gaps;
};
static struct list list_of(const struct container *c) {
    return (struct list){c->bytes, c->bytes + c->n_bytes, 0, c->kind == CONTAINER_GAPS};
}
static inline bool list_next(struct list *l, unsigned *slot) {
    if (l->p == l->end) return false;
    if (!l->gaps) {
        *slot = (unsigned)(l->p[0] | l->p[1] << 8);
        l->p += 2;
        return true;
    }
    unsigned at = l->next;
    while (*l->p == UINT8_MAX) at += *l->p++;
    at += *l->p++;
    l->next = at + 1;
    *slot = at;
    return true;
}

static enum err list_check(const struct container *c, unsigned slot_count) {
    if (c->kind == CONTAINER_ARRAY && c->n_bytes % 2) return ERR_CORRUPT;
    if (c->kind == CONTAINER_GAPS && c->n_bytes && c->bytes[c->n_bytes - 1] == UINT8_MAX) return ERR_CORRUPT;
    if (c->n_bytes > CONTAINER_BYTES_MAX) return ERR_CORRUPT;
    struct list l = list_of(c);
    unsigned slot, least = 0; /* of at most 8,192 bytes: nothing overflows */
    while (list_next(&l, &slot)) {
        if (slot < least || slot >= slot_count) return ERR_CORRUPT;
        least = slot + 1;
    }
    return OK;
}

enum err container_check(const struct container *c, unsigned slot_count) {
    if (slot_count == 0 || slot_count > 65536 || (c->n_bytes && !c->bytes)) return ERR_CORRUPT;
    if (c->kind == CONTAINER_ARRAY || c->kind == CONTAINER_GAPS) return list_check(c, slot_count);
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
    unsigned slot;
    for (struct list l = list_of(c); list_next(&l, &slot);) words[slot / 64] |= UINT64_C(1) << slot % 64;
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
    unsigned slot;
    memset(both, 0, n_words * sizeof *both);
    for (struct list l = list_of(c); list_next(&l, &slot);)
        both[slot / 64] |= words[slot / 64] & UINT64_C(1) << slot % 64;
    memcpy(words, both, n_words * sizeof *both);
}

void container_and_not(const struct bits_ops *ops, uint64_t *words, const struct container *c) {
    if (c->kind == CONTAINER_BITSET) {
        ops->and_not(words, c->bytes, c->n_bytes / 8);
        return;
    }
    unsigned slot;
    for (struct list l = list_of(c); list_next(&l, &slot);) words[slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

uint64_t container_count_and(const struct bits_ops *ops, const uint64_t *words, const struct container *c) {
    if (c->kind == CONTAINER_BITSET) return ops->count_and(words, c->bytes, c->n_bytes / 8);
    uint64_t sum = 0;
    unsigned slot;
    for (struct list l = list_of(c); list_next(&l, &slot);) sum += words[slot / 64] >> slot % 64 & 1;
    return sum;
}

/* Bytes of the list as gaps; written when `room` is given. */
static size_t put_gaps(const uint64_t *words, size_t n_words, uint8_t *room) {
    size_t n = 0, next = 0;
    for (size_t w = 0; w < n_words; w++)
        for (uint64_t left = words[w]; left; left &= left - 1) {
            size_t slot = w * 64 + (size_t)__builtin_ctzll(left), gap = slot - next;
            for (; gap >= UINT8_MAX; gap -= UINT8_MAX, n++)
                if (room) room[n] = UINT8_MAX;
            if (room) room[n] = (uint8_t)gap;
            n++;
            next = slot + 1;
        }
    return n;
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
    out->n_bytes = put_gaps(words, n_words, NULL);
    if (out->n_bytes < 2 * (size_t)n) {
        out->kind = CONTAINER_GAPS;
        (void)put_gaps(words, n_words, room);
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
