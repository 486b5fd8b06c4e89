/* SPDX-License-Identifier: Apache-2.0 */
/* folder.h - builds the folder of an approved seal in DIR/exports/seal-N, and beside it the same as
 * seal-N.tar. Takes minutes: it reads and hashes the recordings and waits for decode workers, so never on a
 * loop's thread. Steps: the register's guard once more; per exhibit the recording's hash against that of its
 * import, original packets, their unit hashes from source and extract compared, masked copy, description;
 * then manifest, sums, signature, archive; then the register says "ready". Everything is made in seal-N.part
 * and renamed when whole. */
#ifndef HOST_EVIDENCE_FOLDER_H
#define HOST_EVIDENCE_FOLDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/config.h"
#include "host/base/err.h"
#include "host/base/vocab.h"
#include "host/case/register.h"

struct folder_context {
    const char *dir; /* data directory */
    const struct config *config;
    const struct vocab *vocab;
    const char *version;     /* of this program */
    const atomic_bool *stop; /* set: break off; NULL = never */
};
/* A seal in state "building" becomes "ready", or "failed" with the reason in the register and in text
 * (English, for a person). ERR_BUSY: it is not waiting to be built. Opens index and register of its own. */
MUST_CHECK enum err folder_build(const struct folder_context *ctx, uint64_t seal_id, char *text, size_t cap);

#define FOLDER_PATH_MAX 1024u
/* DIR/exports/seal-N, or seal-N.tar. */
MUST_CHECK enum err folder_path(const char *dir, uint64_t seal_id, bool archive,
                                char out[static FOLDER_PATH_MAX]);
/* DIR/exports/record-CASE: the closing record that somebody asked for last. */
MUST_CHECK enum err folder_record_path(const char *dir, const char *case_id,
                                       char out[static FOLDER_PATH_MAX]);
/* Erases a folder of ours, two levels deep; none there is fine. */
MUST_CHECK enum err folder_erase(const char *path, uint64_t *n_files);
/* Erases the folders and archives of a case's seals: with its footage, at the end of the case. */
MUST_CHECK enum err folder_erase_case(const char *dir, struct register_db *r, const char *case_id,
                                      uint64_t *n_files);

#endif
