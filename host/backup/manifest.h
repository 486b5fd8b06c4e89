/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.h - BACKUP.json. Internal to host/backup. */
#ifndef HOST_BACKUP_MANIFEST_H
#define HOST_BACKUP_MANIFEST_H

#include "host/backup/backup.h"
#include "host/backup/tree.h"

MUST_CHECK enum err manifest_write(const char *folder, const struct tree *t, const struct backup_report *r);
/* Reads it into an empty tree and a report. Names that leave the folder are ERR_CORRUPT. ERR_MISSING. */
MUST_CHECK enum err manifest_read(const char *folder, struct tree *t, struct backup_report *r);

#endif
