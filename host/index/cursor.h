/* SPDX-License-Identifier: Apache-2.0 */
/* cursor.h - one value's bitmaps, segment by segment, newest first. Inside a reader's transaction. */
#ifndef HOST_INDEX_CURSOR_H
#define HOST_INDEX_CURSOR_H

#include "host/index/container.h"
#include "host/index/reader.h"

struct cursor {
    sqlite3_stmt *st; /* from the reader's pool while open */
    uint32_t number;
    uint64_t first, at; /* lowest segment asked; segment of the current row */
    bool row, started;
    struct container current;
};

/* Over segments first..last. Close it before the transaction ends. */
MUST_CHECK enum err cursor_open(struct index_reader *r, uint32_t number, uint64_t first, uint64_t last,
                                struct cursor *out);
void cursor_close(struct index_reader *r, struct cursor *c);
/* *out is the value's checked bitmap of this segment, borrowed until the next call, or NULL when the segment
 * has none. Segments are asked in falling order. ERR_CORRUPT. */
MUST_CHECK enum err cursor_to(struct cursor *c, uint64_t segment, unsigned slot_count,
                              const struct container **out);

#endif
