/* SPDX-License-Identifier: Apache-2.0 */
#include "host/case/exhibit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/case/register_internal.h"

#define EXHIBITS_MAX 1000u
#define EXHIBIT_COLUMNS                                                                                      \
    "id,case_id,sighting,recording,camera,from_ms,to_ms,best_ms,pad_before_s,pad_after_s,note,by,at_ms,"     \
    "removed_by,removed_ms"

static void of_row(sqlite3_stmt *st, struct exhibit *x) {
    memset(x, 0, sizeof *x);
    x->id = (uint64_t)sqlite3_column_int64(st, 0);
    register_text(st, 1, x->case_id, sizeof x->case_id);
    x->sighting = (uint64_t)sqlite3_column_int64(st, 2);
    x->recording = (uint64_t)sqlite3_column_int64(st, 3);
    x->camera = (uint16_t)sqlite3_column_int(st, 4);
    x->from_ms = sqlite3_column_int64(st, 5);
    x->to_ms = sqlite3_column_int64(st, 6);
    x->best_ms = sqlite3_column_int64(st, 7);
    x->pad_before_s = sqlite3_column_int(st, 8);
    x->pad_after_s = sqlite3_column_int(st, 9);
    register_text(st, 10, x->note, sizeof x->note);
    register_text(st, 11, x->by, sizeof x->by);
    x->at_ms = sqlite3_column_int64(st, 12);
    register_text(st, 13, x->removed_by, sizeof x->removed_by);
    x->removed_ms = sqlite3_column_int64(st, 14);
}

static bool is_fine(const struct exhibit *x) {
    return x->pad_before_s >= 0 && x->pad_before_s <= EXHIBIT_PAD_MAX_S && x->pad_after_s >= 0 &&
           x->pad_after_s <= EXHIBIT_PAD_MAX_S && register_text_fine(x->note, 0);
}

static enum err check_room(struct register_db *r, const char *case_id) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT count(*) FROM exhibit WHERE case_id=?1 AND removed_ms=0", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, case_id, -1, SQLITE_STATIC);
    const int rc = sqlite3_step(st);
    const bool full = rc == SQLITE_ROW && (unsigned)sqlite3_column_int(st, 0) >= EXHIBITS_MAX;
    e = register_error(r, rc, "exhibits");
    sqlite3_finalize(st);
    return !e && full ? ERR_FULL : e;
}

static enum err insert(struct register_db *r, struct exhibit *x) {
    sqlite3_stmt *st;
    enum err e =
        register_prepare(r,
                         "INSERT INTO exhibit(case_id,sighting,recording,camera,from_ms,to_ms,best_ms,"
                         "pad_before_s,pad_after_s,note,by,at_ms) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,"
                         "?10,?11,?12)",
                         &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, x->case_id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)x->sighting);
    sqlite3_bind_int64(st, 3, (sqlite3_int64)x->recording);
    sqlite3_bind_int(st, 4, x->camera);
    sqlite3_bind_int64(st, 5, x->from_ms);
    sqlite3_bind_int64(st, 6, x->to_ms);
    sqlite3_bind_int64(st, 7, x->best_ms);
    sqlite3_bind_int(st, 8, x->pad_before_s);
    sqlite3_bind_int(st, 9, x->pad_after_s);
    sqlite3_bind_text(st, 10, x->note, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 11, x->by, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 12, x->at_ms);
    e = register_run(r, st, "exhibit add");
    if (!e) x->id = (uint64_t)sqlite3_last_insert_rowid(r->db);
    return e;
}

enum err exhibit_add(struct register_db *r, struct exhibit *x) {
    if (!is_fine(x)) return ERR_USAGE;
    x->at_ms = clock_wall_ms();
    enum err e = register_begin(r);
    if (e) return e;
    e = check_room(r, x->case_id);
    if (!e) e = insert(r, x);
    return register_end(r, e);
}

enum err exhibit_get(struct register_db *r, const char *case_id, uint64_t id, struct exhibit *out) {
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r, "SELECT " EXHIBIT_COLUMNS " FROM exhibit WHERE id=?1 AND case_id=?2 AND removed_ms=0", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    sqlite3_bind_text(st, 2, case_id, -1, SQLITE_STATIC);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) of_row(st, out);
    e = rc == SQLITE_DONE ? ERR_MISSING : register_error(r, rc, "exhibit get");
    sqlite3_finalize(st);
    return e;
}

enum err exhibit_update(struct register_db *r, const struct exhibit *x) {
    if (!is_fine(x)) return ERR_USAGE;
    sqlite3_stmt *st;
    enum err e = register_prepare(r,
                                  "UPDATE exhibit SET pad_before_s=?3,pad_after_s=?4,note=?5 WHERE id=?1 AND "
                                  "case_id=?2 AND removed_ms=0",
                                  &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)x->id);
    sqlite3_bind_text(st, 2, x->case_id, -1, SQLITE_STATIC);
    sqlite3_bind_int(st, 3, x->pad_before_s);
    sqlite3_bind_int(st, 4, x->pad_after_s);
    sqlite3_bind_text(st, 5, x->note, -1, SQLITE_STATIC);
    e = register_run(r, st, "exhibit update");
    return !e && sqlite3_changes(r->db) == 0 ? ERR_MISSING : e;
}

enum err exhibit_remove(struct register_db *r, const char *case_id, uint64_t id, const char *by) {
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r, "UPDATE exhibit SET removed_by=?3,removed_ms=?4 WHERE id=?1 AND case_id=?2 AND removed_ms=0", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    sqlite3_bind_text(st, 2, case_id, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, by, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 4, clock_wall_ms());
    e = register_run(r, st, "exhibit remove");
    return !e && sqlite3_changes(r->db) == 0 ? ERR_MISSING : e;
}

enum err exhibit_list(struct register_db *r, const char *case_id, struct exhibit **out, unsigned *n) {
    sqlite3_stmt *st;
    struct exhibit *list = NULL;
    int rc;
    *out = NULL;
    *n = 0;
    enum err e = register_prepare(
        r, "SELECT " EXHIBIT_COLUMNS " FROM exhibit WHERE case_id=?1 AND removed_ms=0 ORDER BY id", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, case_id, -1, SQLITE_STATIC);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct exhibit *more = register_grow(list, *n, sizeof *list);
        if (!more) {
            rc = SQLITE_NOMEM;
            break;
        }
        list = more;
        of_row(st, &list[(*n)++]);
    }
    e = register_error(r, rc, "exhibit list");
    sqlite3_finalize(st);
    if (e) {
        free(list);
        *n = 0;
        return e;
    }
    *out = list;
    return OK;
}

enum err exhibit_of(struct register_db *r, const char *case_id, uint64_t sighting, uint64_t *id) {
    *id = 0;
    enum err e = OK;
    if (!r->find_exhibit)
        e = register_prepare(r, "SELECT id FROM exhibit WHERE case_id=?1 AND sighting=?2 AND removed_ms=0",
                             &r->find_exhibit);
    if (e) return e;
    sqlite3_stmt *st = r->find_exhibit;
    sqlite3_bind_text(st, 1, case_id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)sighting);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) *id = (uint64_t)sqlite3_column_int64(st, 0);
    e = register_error(r, rc, "exhibit of");
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return e;
}
