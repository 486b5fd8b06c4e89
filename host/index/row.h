/* SPDX-License-Identifier: Apache-2.0 */
/* row.h - from a row of `sighting` to a struct sighting; for readers, purge and check-index alike. */
#ifndef HOST_INDEX_ROW_H
#define HOST_INDEX_ROW_H

#include <sqlite3.h>

#include "host/base/err.h"
#include "host/pipe/sighting.h"

#define SIGHTING_COLUMNS                                                                                     \
    "id, start_in_hour_ms, duration_ms, camera_id, recording_id, class, confidence, plate_id, "              \
    "thumbnail_number, attributes, path"

struct row {
    struct sighting s;       /* without thumbnail, vector and the plate's text */
    int64_t plate_id;        /* -1 = none */
    int64_t thumbnail;       /* number, -1 = none */
    uint16_t likeness_check; /* of its vector, when it has one */
};
/* From a statement that stands on a row of SIGHTING_COLUMNS. ERR_CORRUPT (logged). */
MUST_CHECK enum err row_get(sqlite3_stmt *st, struct row *out);

#endif
