/* SPDX-License-Identifier: Apache-2.0 */
/* column.h - chunks of one column, newest first: a walk over the table costs a third of a look-up per chunk.
 * Inside a reader's transaction; one walk per statement at a time. */
#ifndef HOST_INDEX_COLUMN_H
#define HOST_INDEX_COLUMN_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

#define COLUMN_WALK_SQL                                                                                      \
    "SELECT key & 1099511627775, data FROM segment_column WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC"

struct column_walk {
    sqlite3_stmt *st; /* of COLUMN_WALK_SQL, borrowed */
    unsigned column;
    uint64_t first, at; /* lowest chunk asked; chunk of the current row */
    bool row;
};

static inline uint64_t column_chunk(uint64_t segment, unsigned chunk) {
    return segment << 4 | chunk;
}
void column_start(struct column_walk *w, sqlite3_stmt *st, unsigned column, uint64_t first_segment,
                  uint64_t last_segment);
void column_end(struct column_walk *w);
/* The chunk's bytes, borrowed until the next call; n_bytes 0 when there is no such chunk. Chunks are asked in
 * falling order. */
MUST_CHECK enum err column_to(struct column_walk *w, uint64_t chunk, const uint8_t **data, size_t *n_bytes);

#endif
