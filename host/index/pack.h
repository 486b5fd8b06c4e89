/* SPDX-License-Identifier: Apache-2.0 */
/* pack.h - thumbnails, packed into files dir/thumbs/NNNNNN.pack of at most 64 MiB that only grow.
 * A thumbnail starts on a unit of 256 bytes: a header (magic, length, sighting id, checksum), then the JPEG.
 * Its number in the sighting's row is first unit << 12 | units - 1, so that erasing needs no look into the
 * file. Order of a commit: write, one fdatasync, then the rows with `thumbnail_end_unit`. What lies behind
 * that unit belongs to no row and is cut off at the next start. Erasing punches holes; a pack that is erased
 * whole is unlinked. Threads: a writer pack by the index writer; pack_read() by anybody. */
#ifndef HOST_INDEX_PACK_H
#define HOST_INDEX_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

#define PACK_UNIT_BYTES 256u
#define PACK_UNITS      (1u << 18) /* per file: 64 MiB */
#define PACK_UNITS_MAX  4096u      /* per thumbnail: 1 MiB */

static inline uint64_t pack_first_unit(int64_t number) {
    return (uint64_t)number >> 12;
}
static inline uint64_t pack_end_unit(int64_t number) {
    return ((uint64_t)number >> 12) + ((uint64_t)number & 4095) + 1;
}

struct pack;
/* Opens for appending at end_unit; whatever lies behind it is removed. ERR_IO, ERR_FULL, ERR_NOMEM. */
MUST_CHECK enum err pack_open(const char *dir, uint64_t end_unit, struct pack **out);
void pack_close(struct pack **p);
/* Appends; *number for the row. ERR_USAGE (empty or above 1 MiB), ERR_IO, ERR_FULL. */
MUST_CHECK enum err pack_add(struct pack *p, uint64_t sighting_id, const void *jpeg, size_t n,
                             int64_t *number);
/* Everything added so far is on disk when this returns OK. *end_unit for the transaction. */
MUST_CHECK enum err pack_sync(struct pack *p, uint64_t *end_unit);
/* Forget what was added since end_unit (the transaction was rolled back). */
void pack_rewind(struct pack *p, uint64_t end_unit);
uint64_t pack_end(const struct pack *p);

/* The JPEG, owned by the caller (or NULL jpeg: only check). ERR_MISSING (erased), ERR_CORRUPT, ERR_IO. */
MUST_CHECK enum err pack_read(const char *dir, int64_t number, uint64_t sighting_id, uint8_t **jpeg,
                              size_t *n);
/* Zeroes units [from, to) for good; unlinks packs that lie in them whole and are not appended to any more.
 * Durable after pack_erase_sync(). */
MUST_CHECK enum err pack_erase(struct pack *p, uint64_t from_unit, uint64_t to_unit);
MUST_CHECK enum err pack_erase_sync(struct pack *p);

#endif
