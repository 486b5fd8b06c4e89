/* SPDX-License-Identifier: Apache-2.0 */
/* db.h - how host/index opens and speaks SQLite: one place for PRAGMAs, error translation and numbers that
 * the whole store shares. Threads: a connection is used by one thread at a time. */
#ifndef HOST_INDEX_DB_H
#define HOST_INDEX_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"

#define DB_HOUR_MS       INT64_C(3600000)
#define DB_SEGMENT_SHIFT 16 /* id >> 16 */
#define DB_SEGMENT_SLOTS 65536u
#define DB_CHUNK_SHIFT   12 /* id >> 12 */
#define DB_CHUNK_SLOTS   4096u
#define DB_KEY_SHIFT     40
#define DB_ARRIVALS_MAX  (1u << 24)
enum { DB_COLUMN_TIME = 1, DB_COLUMN_CAMERA = 2, DB_COLUMN_SCORE = 3, DB_COLUMN_PLATE = 4 };

/* Fields of bitmaps that no vocabulary holds; numbers are in every database. */
#define DB_MAP_BYTES_MAX 2147418112 /* SQLite's limit for a map of the file */

enum db_field {
    DB_FIELD_ALL = 1000,       /* id 1: the row exists */
    DB_FIELD_DIRECTION = 1001, /* id: enum query_direction */
    DB_FIELD_DURATION = 1002,  /* id: record_duration_bucket() */
    DB_FIELD_HAS = 1003        /* id 1 plate, 2 likeness */
};
enum { DB_HAS_PLATE = 1, DB_HAS_LIKENESS = 2 };

/* Opens dir/index.db. A writer creates it when absent and brings the schema; a reader never writes.
 * ERR_MISSING (a reader found no file), ERR_CORRUPT (not ours, or of a later version), ERR_AGAIN (a reader found
 * an earlier version, which only a writer brings up to this one), ERR_IO, ERR_FULL. */
MUST_CHECK enum err db_open(const char *dir, bool writer, sqlite3 **out);
void db_close(sqlite3 **db);

/* Translates a SQLite result and logs it once; OK for SQLITE_OK, ROW and DONE. */
enum err db_err(sqlite3 *db, int rc, const char *doing);
MUST_CHECK enum err db_exec(sqlite3 *db, const char *sql);
/* A statement that lives as long as its connection. */
MUST_CHECK enum err db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out);
/* Steps a statement that gives no row, and resets it. */
MUST_CHECK enum err db_run(sqlite3_stmt *st);
/* Steps: *row says whether there is one. After false or an error the statement is reset. */
MUST_CHECK enum err db_step(sqlite3_stmt *st, bool *row);
/* One integer from a statement with its parameters bound; `otherwise` when there is no row or it is NULL. */
MUST_CHECK enum err db_number(sqlite3_stmt *st, int64_t otherwise, int64_t *out);

#endif
