/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/row.h"

#include <string.h>

#include "host/base/log.h"
#include "host/index/db.h"
#include "host/index/record.h"

static int64_t number_or(sqlite3_stmt *st, int column, int64_t otherwise) {
    return sqlite3_column_type(st, column) == SQLITE_NULL ? otherwise : sqlite3_column_int64(st, column);
}

enum err row_get(sqlite3_stmt *st, struct row *out) {
    memset(out, 0, sizeof *out);
    struct sighting *s = &out->s;
    s->id = (uint64_t)sqlite3_column_int64(st, 0);
    s->start_ms = (int64_t)(s->id >> 24) * DB_HOUR_MS + sqlite3_column_int64(st, 1);
    s->end_ms = s->start_ms + sqlite3_column_int64(st, 2);
    s->camera_number = (uint16_t)sqlite3_column_int(st, 3);
    s->recording_id = (uint64_t)sqlite3_column_int64(st, 4);
    s->class_id = (uint16_t)sqlite3_column_int(st, 5);
    s->confidence = (uint8_t)sqlite3_column_int(st, 6);
    out->plate_id = number_or(st, 7, -1);
    out->thumbnail = number_or(st, 8, -1);
    const void *attributes = sqlite3_column_blob(st, 9);
    size_t n_attributes = (size_t)sqlite3_column_bytes(st, 9);
    enum err e = record_get_attributes(attributes, n_attributes, s);
    if (!e && s->has_likeness)
        e = record_stored_likeness_check(attributes, n_attributes, &out->likeness_check);
    bool packed = record_is_packed(attributes, n_attributes);
    const void *path = sqlite3_column_blob(st, 10);
    if (!e) e = record_get_path(path, (size_t)sqlite3_column_bytes(st, 10), packed, s);
    if (!e && ((out->plate_id >= 0) != (s->plate.n_chars > 0) || out->plate_id > UINT32_MAX)) e = ERR_CORRUPT;
    if (e) log_error("index", "state=\"row does not decode\" sighting=%llu", (unsigned long long)s->id);
    return e;
}
