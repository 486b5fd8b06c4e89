/* SPDX-License-Identifier: Apache-2.0 */
/* database.h - a consistent copy of a SQLite file that others are writing. Internal to host/backup. */
#ifndef HOST_BACKUP_DATABASE_H
#define HOST_BACKUP_DATABASE_H

#include <stdbool.h>

#include "host/base/err.h"

/* Copies by SQLite's online backup: the state of one moment, without -wal beside it. ERR_BUSY after a minute
 * in which a writer never paused; ERR_FULL, ERR_IO, ERR_CORRUPT. */
MUST_CHECK enum err database_copy(const char *from, const char *to);

#endif
