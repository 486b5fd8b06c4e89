/* SPDX-License-Identifier: Apache-2.0 */
/* writer.h - inside of the index writer, shared by writer.c, recordings.c, gate.c and purge.c; nobody else includes
 * it. */
#ifndef HOST_INDEX_WRITER_H
#define HOST_INDEX_WRITER_H

#include <stdbool.h>

#include "host/base/bytes.h"
#include "host/index/db.h"
#include "host/index/index.h"
#include "host/index/pack.h"
#include "host/index/plates.h"
#include "host/index/segments.h"
#include "host/index/vectors.h"

enum writer_statement {
    W_SIGHTING_ADD,
    W_MAX_ID,
    W_META_SET,
    W_COMMITS,
    W_RECORDING_ADD,
    W_RECORDING_SET,
    W_RECORDING_HOURS,
    W_RECORDING_BY_SHA,
    W_CHECKPOINT_SET,
    W_CHECKPOINT_DEL,
    W_CHECKPOINT_GET,
    W_COVERAGE_LAST,
    W_COVERAGE_EXTEND,
    W_COVERAGE_ADD,
    W_STATEMENTS
};

/* Next arrival number of an hour; a few hours stay known so that late sightings need no look-up. */
struct writer_hour {
    int64_t hour;
    uint32_t next;
};
enum { WRITER_HOURS = 16 };

struct index_writer {
    char *dir;
    sqlite3 *db;
    int lock_fd;
    bool in_transaction;
    sqlite3_stmt *st[W_STATEMENTS];
    struct plates *plates;
    struct segments *segments;
    struct pack *pack;
    uint64_t committed_unit; /* of the pack, at the last commit */
    struct vectors *vectors;
    struct writer_hour hour[WRITER_HOURS];
    unsigned hour_at;         /* which one is replaced next */
    uint64_t hours_recording; /* whose first and last hour these are, to be written at the commit; 0 = none */
    int64_t hours_first, hours_last;
    struct bytes attributes, path; /* of the row being added; kept to save allocations */
};

/* Opens a transaction unless one is open. */
MUST_CHECK enum err writer_begin(struct index_writer *w);
/* Passes e on; a full disk, an I/O error or corruption first rolls everything back, as index.h promises. */
enum err writer_fail(struct index_writer *w, enum err e);
/* The hours in which the current recording's sightings start, into its row. */
MUST_CHECK enum err writer_flush_hours(struct index_writer *w);

/* Finishes erasing the files of rows that a purge took out (purge.c). */
MUST_CHECK enum err writer_erase_pending(struct index_writer *w);

/* Columns of `recording` in the order of RECORDING_COLUMNS into *out. */
void recording_from_row(sqlite3_stmt *st, struct recording *out);
#define RECORDING_COLUMNS                                                                                    \
    "id, sha256, case_id, camera_id, path, n_bytes, start_ms, duration_us, w_px, h_px, fps_milli, codec, "   \
    "container, state, error, position_us, imported_ms"

#endif
