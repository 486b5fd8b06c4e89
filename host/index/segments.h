/* SPDX-License-Identifier: Apache-2.0 */
/* segments.h - the writer's side of bitmaps and columns. A few segments are open in memory; what is touched
 * of them is written in the transaction of the rows. Every bitmap and chunk is read from the file the first
 * time it is touched, so that resuming a half-full segment (restart, late data) cannot lose what is there.
 * Threads: the writer's. On any error the caller rolls back and calls segments_forget(). */
#ifndef HOST_INDEX_SEGMENTS_H
#define HOST_INDEX_SEGMENTS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/pipe/sighting.h"

struct segments;
/* Borrows the connection. */
MUST_CHECK enum err segments_open(sqlite3 *db, struct segments **out);
void segments_close(struct segments **s);
/* Sets the bits and column places of a row that was just inserted. plate_id counts when it has a plate. */
MUST_CHECK enum err segments_add(struct segments *s, const struct sighting *row, uint32_t plate_id);
/* Takes a row out again; `row` as stored. */
MUST_CHECK enum err segments_remove(struct segments *s, const struct sighting *row);
/* Writes all that is touched into the open transaction. */
MUST_CHECK enum err segments_flush(struct segments *s);
void segments_forget(struct segments *s);

#endif
