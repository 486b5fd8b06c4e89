/* SPDX-License-Identifier: Apache-2.0 */
/* Where a seal lies; apart from folder.c, so that who only serves the file needs nothing of the builder. */
#include <inttypes.h>
#include <stdio.h>

#include "host/evidence/folder.h"

enum err folder_path(const char *dir, uint64_t seal_id, bool archive, char out[static FOLDER_PATH_MAX]) {
    const int n =
        snprintf(out, FOLDER_PATH_MAX, "%s/exports/seal-%" PRIu64 "%s", dir, seal_id, archive ? ".tar" : "");
    return n > 0 && (size_t)n < FOLDER_PATH_MAX ? OK : ERR_USAGE;
}

enum err folder_record_path(const char *dir, const char *case_id, char out[static FOLDER_PATH_MAX]) {
    const int n = snprintf(out, FOLDER_PATH_MAX, "%s/exports/record-%s", dir, case_id);
    return n > 0 && (size_t)n < FOLDER_PATH_MAX ? OK : ERR_USAGE;
}
