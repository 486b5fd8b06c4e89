/* SPDX-License-Identifier: Apache-2.0 */
/* reader.h - inside of an index reader, shared by the files that answer; nobody outside host/index includes
 * it. */
#ifndef HOST_INDEX_READER_H
#define HOST_INDEX_READER_H

#include <stdbool.h>

#include "host/index/bits.h"
#include "host/index/db.h"
#include "host/index/index.h"

enum reader_statement {
    R_BEGIN,
    R_COMMIT,
    R_COMMITS,
    R_ROWS_BEGIN, /* these: on `rows` */
    R_ROWS_COMMIT,
    R_ROWS_COMMITS,
    R_SIGHTING,
    R_DURATION,
    R_PLATE_TEXTS, /* and from here on `db` */
    R_RECORDING,
    R_RECORDINGS,
    R_RECORDING_AT,
    R_COVERAGE,
    R_SEGMENTS,
    R_COLUMN,
    R_NEXT_VALUE,
    R_PLATE_BLOCKS,
    R_PLATE_LAST,
    R_PLATE_COLUMN,
    R_CAMERA_COLUMN,
    R_PURGES,
    R_STATEMENTS
};

struct index_reader {
    char *dir;
    sqlite3 *db;   /* mapped: bitmaps, columns, dictionary */
    sqlite3 *rows; /* not mapped: rows are read once, and their pages would fill memory in time */
    sqlite3_stmt *st[R_STATEMENTS];
    sqlite3_stmt **cursors; /* idle statements of cursor.h, kept for the next search */
    unsigned n_cursors, cap_cursors;
    const struct bits_ops *ops;
    long n_faults;     /* while it was at work, since its map of the file was last given back */
    struct like *like; /* made by the first search by likeness */
    int64_t print_version; /* of the file, when `print` was made; 0 = not yet */
    char print[65];        /* index_fingerprint() */
};

/* The database for reading: made when absent, brought up to this version when older. ERR_BUSY: older, and its
 * writer is at work. */
MUST_CHECK enum err reader_db(const char *dir, const struct vocab *vocab, sqlite3 **out);
/* Everything answered between begin and end comes from one state of the index. */
MUST_CHECK enum err reader_begin(struct index_reader *r);
void reader_end(struct index_reader *r);

/* By id, inside a begun transaction. ERR_MISSING. *thumbnail may be NULL; -1 = none. */
MUST_CHECK enum err reader_fetch(struct index_reader *r, uint64_t id, bool plates, struct sighting *out,
                                 int64_t *thumbnail);

/* ERR_DENIED without cameras or with an empty period. */
MUST_CHECK enum err perimeter_check(const struct perimeter *p);
bool perimeter_holds(const struct perimeter *p, uint16_t camera_number, int64_t start_ms);

#endif
