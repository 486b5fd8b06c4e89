/* SPDX-License-Identifier: Apache-2.0 */
/* register_internal.h - what the files of host/case share: the database handle and its small helpers. */
#ifndef HOST_CASE_REGISTER_INTERNAL_H
#define HOST_CASE_REGISTER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include <sqlite3.h>

#include "host/base/err.h"

struct register_db {
    sqlite3 *db;
    unsigned depth;                                            /* of register_begin() */
    sqlite3_stmt *find_session, *find_decision, *find_exhibit; /* asked often: prepared at their first use */
};
struct user;

/* Translates and logs a SQLite result once. OK for SQLITE_OK, ROW and DONE. */
enum err register_error(struct register_db *r, int rc, const char *what);
/* Prepares `sql` into *out. */
MUST_CHECK enum err register_prepare(struct register_db *r, const char *sql, sqlite3_stmt **out);
/* Runs a statement that returns no row, then finalizes it. */
MUST_CHECK enum err register_run(struct register_db *r, sqlite3_stmt *st, const char *what);
/* A text column into out, cut to fit; NULL becomes "". */
void register_text(sqlite3_stmt *st, int column, char *out, size_t cap);
/* The first twelve columns of a row, in the order of user.c. */
void user_of_row(sqlite3_stmt *st, struct user *u);
/* UTF-8 of at least `least` bytes without control characters: the journal's lines are JSON. */
bool register_text_fine(const char *t, size_t least);
/* The list with room for one more element after n; NULL = no memory, and the list is as it was. */
void *register_grow(void *list, unsigned n, size_t element_bytes);

#endif
