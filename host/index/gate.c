/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/gate.h"

#include <stdlib.h>

#include "host/index/reader.h"
#include "host/index/writer.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS gate("
    " recording_id INTEGER PRIMARY KEY, camera_id INTEGER NOT NULL, width INTEGER NOT NULL,"
    " open_us INTEGER NOT NULL, closed_us INTEGER NOT NULL,"
    " n_groups INTEGER NOT NULL, n_open INTEGER NOT NULL, n_by_packets INTEGER NOT NULL,"
    " n_sample INTEGER NOT NULL, n_found INTEGER NOT NULL) STRICT;"
    "CREATE INDEX IF NOT EXISTS gate_camera ON gate(camera_id);"
    "DELETE FROM gate WHERE recording_id NOT IN (SELECT id FROM recording);";

enum err index_gate_prepare(struct index_writer *w) {
    return db_exec(w->db, schema);
}

static void from_row(sqlite3_stmt *st, struct gate_row *out) {
    *out = (struct gate_row){.recording_id = (uint64_t)sqlite3_column_int64(st, 0),
                             .camera_number = (uint16_t)sqlite3_column_int(st, 1),
                             .width = (unsigned)sqlite3_column_int(st, 2),
                             .open_us = sqlite3_column_int64(st, 3),
                             .closed_us = sqlite3_column_int64(st, 4),
                             .n_groups = (uint32_t)sqlite3_column_int64(st, 5),
                             .n_open = (uint32_t)sqlite3_column_int64(st, 6),
                             .n_by_packets = (uint32_t)sqlite3_column_int64(st, 7),
                             .n_sample = (uint32_t)sqlite3_column_int64(st, 8),
                             .n_found = (uint32_t)sqlite3_column_int64(st, 9)};
}

enum err index_gate_set(struct index_writer *w, const struct gate_row *row) {
    sqlite3_stmt *st = NULL;
    enum err e = writer_begin(w);
    if (e) return e;
    e = db_prepare(w->db, "INSERT OR REPLACE INTO gate VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)", &st);
    if (!e) {
        const int64_t values[] = {(int64_t)row->recording_id,
                                  row->camera_number,
                                  row->width,
                                  row->open_us,
                                  row->closed_us,
                                  row->n_groups,
                                  row->n_open,
                                  row->n_by_packets,
                                  row->n_sample,
                                  row->n_found};
        for (int i = 0; i < (int)(sizeof values / sizeof values[0]); i++)
            (void)sqlite3_bind_int64(st, i + 1, values[i]);
        e = db_run(st);
    }
    (void)sqlite3_finalize(st);
    return writer_fail(w, e);
}

/* One row of a query with one number as its parameter. */
static enum err one(sqlite3 *db, const char *sql, int64_t key, struct gate_row *out) {
    sqlite3_stmt *st = NULL;
    bool row = false;
    enum err e = db_prepare(db, sql, &st);
    if (!e) {
        (void)sqlite3_bind_int64(st, 1, key);
        e = db_step(st, &row);
        if (!e && row) from_row(st, out);
    }
    (void)sqlite3_finalize(st);
    return e ? e : row ? OK : ERR_MISSING;
}

enum err index_gate_get(struct index_writer *w, uint64_t recording_id, struct gate_row *out) {
    return one(w->db, "SELECT * FROM gate WHERE recording_id=?1", (int64_t)recording_id, out);
}

enum err index_gate_camera(struct index_writer *w, uint16_t camera_number, struct gate_row *out) {
    return one(w->db,
               "SELECT max(recording_id), camera_id, width, sum(open_us), sum(closed_us), sum(n_groups),"
               " sum(n_open), sum(n_by_packets), sum(n_sample), sum(n_found) FROM gate WHERE camera_id=?1 AND"
               " width=(SELECT width FROM gate WHERE camera_id=?1 ORDER BY recording_id DESC LIMIT 1)"
               " GROUP BY camera_id",
               camera_number, out);
}

static bool is_of(const struct perimeter *p, uint16_t camera_number) {
    for (unsigned i = 0; i < p->n_cameras; i++)
        if (p->cameras[i] == camera_number) return true;
    return false;
}

enum err index_gate_sums(struct index_reader *r, const struct perimeter *p, struct gate_row **out,
                         size_t *n) {
    sqlite3_stmt *st = NULL;
    struct gate_row *rows = NULL;
    size_t cap = 0;
    int64_t has_table = 0;
    bool more = true;
    *out = NULL;
    *n = 0;
    /* An index that no importer of this version has opened yet has no such table. */
    enum err e = db_prepare(r->db, "SELECT count(*) FROM sqlite_master WHERE name='gate'", &st);
    if (!e) e = db_number(st, 0, &has_table);
    (void)sqlite3_finalize(st);
    st = NULL;
    if (e || !has_table) return e;
    e = db_prepare(
        r->db,
        "SELECT 0, g.camera_id, max(width), sum(open_us), sum(closed_us), sum(n_groups), sum(n_open),"
        " sum(n_by_packets), sum(n_sample), sum(n_found) FROM gate g JOIN recording r"
        " ON r.id = g.recording_id WHERE r.start_ms < ?2 AND r.start_ms + r.duration_us / 1000 > ?1"
        " GROUP BY g.camera_id ORDER BY g.camera_id",
        &st);
    if (!e) {
        (void)sqlite3_bind_int64(st, 1, p->from_ms);
        (void)sqlite3_bind_int64(st, 2, p->to_ms);
    }
    while (!e && more) {
        struct gate_row one_row;
        e = db_step(st, &more);
        if (e || !more) break;
        from_row(st, &one_row);
        if (!is_of(p, one_row.camera_number)) continue;
        if (*n == cap) {
            cap = cap ? 2 * cap : 16;
            struct gate_row *grown = realloc(rows, cap * sizeof *rows);
            if (!grown) {
                e = ERR_NOMEM;
                break;
            }
            rows = grown;
        }
        rows[(*n)++] = one_row;
    }
    (void)sqlite3_finalize(st);
    if (e) {
        free(rows);
        *n = 0;
        return e;
    }
    *out = rows;
    return OK;
}
