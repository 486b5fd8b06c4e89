/* SPDX-License-Identifier: Apache-2.0 */
/* backup.h - a copy of a data directory, made while it is in use, checked before it counts, and put back.
 *
 * A backup is a folder with the same files as the data directory, without what can be made anew (cache,
 * locks), and BACKUP.json: version, moment, counts, and size and SHA-256 of every file. It holds footage's
 * derivatives, so it must die when the oldest of them must (CSI L252-5): `delete_by_ms`. Threads: any. */
#ifndef HOST_BACKUP_BACKUP_H
#define HOST_BACKUP_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/base/vocab.h"

#define BACKUP_MANIFEST "BACKUP.json"

struct backup_report {
    uint64_t n_files, n_bytes;
    uint64_t n_passages, n_journal; /* rows that were checked in the copy */
    int64_t made_ms;
    int64_t delete_by_ms; /* UTC; INT64_MAX when nothing in it has a term */
    char why[256];        /* after an error: which file, what to do */
};
/* Bytes copied so far and in all (an estimate while databases are copied); false ends it. */
typedef bool backup_progress(uint64_t done, uint64_t total, void *arg);

/* Copies `dir` into the new folder `to`; a folder named `to` with ".part" behind it is what a broken attempt
 * leaves, and is replaced by the next. A copy that a purge passed while it was made is made again.
 * retention_days: the site's term. ERR_EXISTS, ERR_FULL, ERR_IO, ERR_CORRUPT (the data directory itself fails
 * its checks), ERR_CANCELLED. */
MUST_CHECK enum err backup_make(const char *dir, const struct vocab *vocab, int retention_days,
                                const char *to, backup_progress *progress, void *arg,
                                struct backup_report *out);
/* Checks every file of the backup `from`, copies it into the new data directory `dir`, and checks the copy.
 * ERR_MISSING (no backup), ERR_CORRUPT (names the file), ERR_EXISTS, ERR_FULL, ERR_IO. */
MUST_CHECK enum err backup_restore(const char *from, const struct vocab *vocab, const char *dir,
                                   backup_progress *progress, void *arg, struct backup_report *out);
/* Removes the backups among the direct subfolders of `parent` whose delete_by_ms has passed; what is no
 * backup is left alone. */
MUST_CHECK enum err backup_erase_expired(const char *parent, int64_t now_ms, unsigned *n_erased);

#endif
