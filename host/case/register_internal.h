/* SPDX-License-Identifier: Apache-2.0 */
/* register_internal.h - what the files of host/case share: the database handle and its small helpers. */
#ifndef HOST_CASE_REGISTER_INTERNAL_H
#define HOST_CASE_REGISTER_INTERNAL_H

#include <sqlite3.h>

#include "host/base/err.h"

struct register_db {
    sqlite3 *db;
    unsigned depth; /* of register_begin() */
};

/* Translates and logs a SQLite result once. OK for SQLITE_OK, ROW and DONE. */
enum err register_error(struct register_db *r, int rc, const char *what);
/* Prepares `sql` into *out. */
MUST_CHECK enum err register_prepare(struct register_db *r, const char *sql, sqlite3_stmt **out);
/* Runs a statement that returns no row, then finalizes it. */
MUST_CHECK enum err register_run(struct register_db *r, sqlite3_stmt *st, const char *what);

#endif
