/* SPDX-License-Identifier: Apache-2.0 */
/* hits.h - the scan as SQL: two table-valued functions on a connection of the index.
 *   hits(terms, perimeter, start_ms, end_ms)         rows (id, start_ms), newest first
 *   hits_by_hour(terms, perimeter, start_ms, end_ms) rows (hour, hit_count), newest first; no row is touched
 * `terms`: groups joined by & (AND), each `v`, `v|v` (OR) or `!v`, `!v|v` (NOT), v a value number; "" =
 * everything. `perimeter` is a struct perimeter bound by the server with sqlite3_bind_pointer() under the
 * name below: a text or number in its place is refused, so that no SQL can widen what a case allows. NULL
 * anywhere is refused. Threads: those of the connection. */
#ifndef HOST_INDEX_HITS_H
#define HOST_INDEX_HITS_H

#include <sqlite3.h>

#include "host/base/err.h"
#include "host/index/reader.h"

#define HITS_PERIMETER "relecture-perimeter"

/* `r` is borrowed for as long as its connection is open. */
MUST_CHECK enum err hits_register(struct index_reader *r);
/* The connection, for statements that use the functions. */
sqlite3 *index_reader_sql(struct index_reader *r);

#endif
