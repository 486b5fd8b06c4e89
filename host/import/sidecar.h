/* SPDX-License-Identifier: Apache-2.0 */
/* sidecar.h - camera and time of recordings as an export wrote them beside the files: FILE.json or FILE.csv
 * for one, index.csv, metadata.csv, index.json or metadata.json for a folder. Known words for the fields are
 * in sidecar.c; what else is there is left alone. Pure over the text; outside texts, fuzzed. */
#ifndef HOST_IMPORT_SIDECAR_H
#define HOST_IMPORT_SIDECAR_H

#include <stddef.h>

#include "host/import/naming.h"

struct sidecar {
    char camera[128]; /* id or name; "" = not said */
    char start[48];   /* as it stands there; "" = not said */
};

/* What `text` says of the file `name` (its base name). is_json: else CSV, separated by , or ; with a head
 * line. A text about one file need not name it. False = nothing. */
bool sidecar_read(const char *text, size_t n, bool is_json, const char *name, struct sidecar *out);

#endif
