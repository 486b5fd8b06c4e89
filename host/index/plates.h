/* SPDX-License-Identifier: Apache-2.0 */
/* plates.h - the dictionary of plate texts: the writer's side (text -> id, adding, erasing) over table
 * plate_block. Texts of up to 8 characters take 8 bytes, longer ones (foreign plates) 16; ids of erased texts
 * are used again. The writer keeps the whole dictionary in memory (about 25 bytes a text), which replaces a
 * UNIQUE index on disk: a random page per plate is what an import of millions of rows cannot afford. Threads:
 * the writer's. */
#ifndef HOST_INDEX_PLATES_H
#define HOST_INDEX_PLATES_H

#include <sqlite3.h>
#include <stdint.h>

#include "host/base/err.h"

#define PLATE_BLOCK_TEXTS 960u /* x 8 bytes fit a page without overflow: read in place, not copied */
#define PLATE_LONG_BLOCK  (1u << 20) /* blocks from here hold 16-byte places */
#define PLATE_SHORT_BYTES 8u
#define PLATE_LONG_BYTES  16u

static inline unsigned plate_width(uint32_t id) {
    return id / PLATE_BLOCK_TEXTS < PLATE_LONG_BLOCK ? PLATE_SHORT_BYTES : PLATE_LONG_BYTES;
}

struct plates;
/* Borrows the connection; reads the dictionary. */
MUST_CHECK enum err plates_open(sqlite3 *db, struct plates **out);
void plates_close(struct plates **p);
/* The id of a text of 1..16 non-zero bytes; a new one belongs to the open transaction. */
MUST_CHECK enum err plates_id(struct plates *p, const char *text, unsigned n, uint32_t *id);
/* Writes the blocks touched since the last call into the open transaction. */
MUST_CHECK enum err plates_flush(struct plates *p);
/* Forget everything and read it again: the transaction was rolled back. */
MUST_CHECK enum err plates_reload(struct plates *p);
/* Erase one text. ERR_MISSING when the id is free. */
MUST_CHECK enum err plates_erase(struct plates *p, uint32_t id);

/* The text of an id, by one row of the dictionary: n_chars 0 and ERR_MISSING when it is free. */
MUST_CHECK enum err plates_text(sqlite3_stmt *block_texts, uint32_t id, char out[17]);
#define PLATES_TEXT_SQL "SELECT texts FROM plate_block WHERE number = ?1"

#endif
