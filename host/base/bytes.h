/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.h - a growing byte buffer and a checked reader, for records that we write and read back ourselves.
 * Little-endian, fixed width. A reader never passes its end: after the first short read every value is 0 and
 * `bad` stays set, so a caller may read a whole record and check once. Not thread-safe. */
#ifndef HOST_BASE_BYTES_H
#define HOST_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data; /* owned; NULL when empty */
    size_t len, cap;
    bool bad; /* an allocation failed; everything since was dropped */
};
void bytes_fini(struct bytes *b);
void bytes_put(struct bytes *b, const void *p, size_t n);
void bytes_put_u8(struct bytes *b, uint8_t v);
void bytes_put_u16(struct bytes *b, uint16_t v);
void bytes_put_u32(struct bytes *b, uint32_t v);
void bytes_put_u64(struct bytes *b, uint64_t v);
void bytes_put_f32(struct bytes *b, float v);
void bytes_put_block(struct bytes *b, const void *p, uint32_t n); /* length, then the bytes */

struct bytes_reader {
    const uint8_t *p, *end; /* borrowed */
    bool bad;
};
struct bytes_reader bytes_reader_of(const void *p, size_t n);
const uint8_t *bytes_get(struct bytes_reader *r, size_t n); /* NULL when short */
uint8_t bytes_get_u8(struct bytes_reader *r);
uint16_t bytes_get_u16(struct bytes_reader *r);
uint32_t bytes_get_u32(struct bytes_reader *r);
uint64_t bytes_get_u64(struct bytes_reader *r);
float bytes_get_f32(struct bytes_reader *r);
const uint8_t *bytes_get_block(struct bytes_reader *r, uint32_t *n); /* borrowed from the record */

#endif
