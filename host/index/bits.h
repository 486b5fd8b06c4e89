/* SPDX-License-Identifier: Apache-2.0 */
/* bits.h - the inner loops of a search: bitsets of 64-bit words, camera membership, plate columns, vectors.
 * bits_plain() is the reference; bits_best() is the fastest that this processor has (AVX-512, else the
 * reference), compared with it bit for bit in the tests. Pointers to stored bytes need no alignment. Threads:
 * any; constant. */
#ifndef HOST_INDEX_BITS_H
#define HOST_INDEX_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which cameras are wanted. `small` holds the same for numbers below 1024. */
struct camera_set {
    uint64_t all[1024];
    uint8_t small[128];
    bool only_small; /* no number of 1024 or more is in the set */
};
void camera_set_clear(struct camera_set *s);
void camera_set_add(struct camera_set *s, uint16_t camera);
/* Against a stored bitset of n bytes: is any of its cameras in the set, are all? */
void camera_set_compare(const struct camera_set *s, const uint8_t *stored, size_t n, bool *any, bool *all);
static inline bool camera_set_has(const struct camera_set *s, uint16_t camera) {
    return s->all[camera >> 6] >> (camera & 63) & 1;
}

/* One plate text looked for among the 8-byte places of a dictionary block. */
struct plate_mask {
    uint64_t mask, value; /* text & mask == value; `?` has mask 0 */
};

/* One plate text looked for by edit distance (Myers): bit i of equal[c] = character c equals the i-th asked
 * one. */
struct plate_edit {
    uint32_t equal[256];
    uint8_t equal8[2][128]; /* the same of ASCII characters: asked ones 0..7, and 8..15 */
    unsigned n_chars;       /* 1..24 */
    unsigned max_distance;
};

struct bits_ops {
    const char *name;
    /* a op= b for n words of stored bytes. */
    void (*and_with)(uint64_t *a, const uint8_t *b, size_t n);
    void (*or_with)(uint64_t *a, const uint8_t *b, size_t n);
    void (*and_not)(uint64_t *a, const uint8_t *b, size_t n);
    uint64_t (*count)(const uint64_t *a, size_t n);
    uint64_t (*count_and)(const uint64_t *a, const uint8_t *b, size_t n);
    /* Clears the bits of slots whose camera is not in the set; `cameras` are n u16, bits beyond n stay. */
    void (*keep_cameras)(uint64_t *a, const uint8_t *cameras, size_t n, const struct camera_set *set);
    /* Bit i of out (n bits, words overwritten) = the i-th u32 equals v. */
    void (*equal_u32)(uint64_t *out, const uint8_t *numbers, size_t n, uint32_t v);
    /* Bit i of out = the i-th u32 is below n_set and its bit in `set` is set (n_set is a multiple of 32). */
    void (*in_set)(uint64_t *out, const uint8_t *numbers, size_t n, const uint32_t *set, uint32_t n_set);
    /* Bit i of out (n bits) = the i-th 8-byte text fits the mask. */
    void (*fit_mask)(uint64_t *out, const uint8_t *texts, size_t n, const struct plate_mask *m);
    /* Bit i of out (n bits) = the i-th place of `width` bytes (8 or 16) is within the distance; empty ones
     * are not. */
    void (*within)(uint64_t *out, const uint8_t *texts, size_t n, unsigned width, const struct plate_edit *e);
    /* out[i] = dot product of `a` and vector number place[i] of `vectors`, 128 bytes each. */
    void (*dots128)(int32_t *out, const int8_t *a, const int8_t *vectors, const uint16_t *place, size_t n);
    /* out[i] = sum of a[k] times the four-bit code k of the 64 bytes number place[i]; code k is in byte k %
     * 64, the half k / 64 of it. */
    void (*code_dots)(int32_t *out, const int8_t *a, const uint8_t *codes, const uint32_t *place, size_t n);
    /* Sum of those a[k] whose bit k is set among 128. */
    int32_t (*bit_dot)(const int8_t *a, const uint8_t bits[16]);
};
const struct bits_ops *bits_plain(void);
const struct bits_ops *bits_best(void);

#define BITS_WORDS(n) (((n) + 63) / 64)

#endif
