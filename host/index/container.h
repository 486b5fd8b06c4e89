/* SPDX-License-Identifier: Apache-2.0 */
/* container.h - one bitmap of one segment as it is stored: a sorted list of u16 slots, or of the gaps between
 * them in bytes, or a bitset whose missing tail words are zero. The kind is stored beside it: a blob's length
 * cannot tell, for a segment grows after a value was last written. Readers check every length and slot
 * against the segment's slot count. Threads: any. */
#ifndef HOST_INDEX_CONTAINER_H
#define HOST_INDEX_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/index/bits.h"

/* Gaps: how many slots lie between one and the next; bytes of 255 are added to the one that follows. */
enum container_kind { CONTAINER_ARRAY = 0, CONTAINER_BITSET = 1, CONTAINER_GAPS = 2 };
#define CONTAINER_WORDS     1024u
#define CONTAINER_BYTES_MAX 8192u

struct container {
    enum container_kind kind;
    const uint8_t *bytes; /* borrowed */
    size_t n_bytes;
};

/* ERR_CORRUPT when it is no container for a segment of slot_count slots. */
MUST_CHECK enum err container_check(const struct container *c, unsigned slot_count);

/* All of these want a container that was checked. n_words covers the slot count. */
void container_or(const struct bits_ops *ops, uint64_t *words, const struct container *c);
void container_and(const struct bits_ops *ops, uint64_t *words, size_t n_words, const struct container *c);
void container_and_not(const struct bits_ops *ops, uint64_t *words, const struct container *c);
uint64_t container_count_and(const struct bits_ops *ops, const uint64_t *words, const struct container *c);

/* Encodes words (CONTAINER_WORDS of them); *out points into `room`. Gives the number of bits set; 0 = store
 * nothing. */
unsigned container_encode(const uint64_t words[CONTAINER_WORDS], unsigned slot_count,
                          uint8_t room[CONTAINER_BYTES_MAX], struct container *out);

#endif
