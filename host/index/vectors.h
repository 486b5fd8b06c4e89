/* SPDX-License-Identifier: Apache-2.0 */
/* vectors.h - likeness vectors of vehicles, 128 bytes each, in one sparse file per day: dir/likeness/DAY.vec.
 * A vector's place follows from its sighting's id alone, so late data needs no map: hour of the day x 2 GiB +
 * arrival x 128 bytes (48 GiB apparent, only what was written takes room). Order of a commit: write,
 * fdatasync, then the rows. Places behind the last row of an hour are zeroed at the next start. Threads: a
 * writer by the index writer; a reader by one thread at a time. */
#ifndef HOST_INDEX_VECTORS_H
#define HOST_INDEX_VECTORS_H

#include <sqlite3.h>
#include <stdint.h>

#include "host/base/err.h"

#define VECTOR_BYTES 128u

struct vectors;
/* Makes the folder when absent; `db` (borrowed) tells how far each hour was committed. */
MUST_CHECK enum err vectors_open(const char *dir, sqlite3 *db, struct vectors **out);
void vectors_close(struct vectors **v);
MUST_CHECK enum err vectors_put(struct vectors *v, uint64_t id, const int8_t vector[VECTOR_BYTES]);
/* All that was put is on disk when this returns OK. */
MUST_CHECK enum err vectors_sync(struct vectors *v);
/* Zeroes the vectors of ids [from, to) for good; unlinks days that lie in the range whole. Durable
 * after vectors_sync(). */
MUST_CHECK enum err vectors_erase(struct vectors *v, uint64_t from_id, uint64_t to_id);

/* The files as a reader sees them; a few stay open. */
struct vector_files;
MUST_CHECK enum err vector_files_open(const char *dir, struct vector_files **out);
void vector_files_close(struct vector_files **f);
/* Forgets what is open: files that a purge unlinked must not be read on. */
void vector_files_forget(struct vector_files *f);
/* The vectors of ids [id, id + n), all of one hour. ERR_MISSING when the file does not reach that far. */
MUST_CHECK enum err vector_files_read(struct vector_files *f, uint64_t id, int8_t *out, unsigned n);

#endif
