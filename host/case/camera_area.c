/* SPDX-License-Identifier: Apache-2.0 */
#include "host/case/camera_area.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/case/register_internal.h"

enum { POINTS_BYTES = CAMERA_AREA_CORNERS_MAX * 12 + 1 };

static enum err count(struct register_db *r, const struct camera_area *a, unsigned *n) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT count(*) FROM camera_area WHERE number=?1 AND name<>?2", &st);
    if (e) return e;
    sqlite3_bind_int(st, 1, a->camera_number);
    sqlite3_bind_text(st, 2, a->name, -1, SQLITE_STATIC);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) *n = (unsigned)sqlite3_column_int(st, 0);
    e = register_error(r, rc, "camera areas");
    sqlite3_finalize(st);
    return e;
}

enum err camera_area_set(struct register_db *r, const struct camera_area *a) {
    char points[POINTS_BYTES] = "";
    size_t len = 0;
    unsigned n = 0;
    if (!register_text_fine(a->name, 1) || a->n < 3 || a->n > CAMERA_AREA_CORNERS_MAX) return ERR_USAGE;
    for (unsigned i = 0; i < a->n; i++)
        len += (size_t)snprintf(points + len, sizeof points - len, "%s%u,%u", i ? " " : "", a->x[i], a->y[i]);
    enum err e = register_begin(r);
    if (e) return e;
    e = count(r, a, &n);
    if (!e && n >= CAMERA_AREAS_MAX) e = ERR_FULL;
    sqlite3_stmt *st;
    if (!e)
        e = register_prepare(r,
                             "INSERT INTO camera_area VALUES(?1,?2,?3) ON CONFLICT(number,name) DO UPDATE "
                             "SET points=excluded.points",
                             &st);
    if (!e) {
        sqlite3_bind_int(st, 1, a->camera_number);
        sqlite3_bind_text(st, 2, a->name, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 3, points, -1, SQLITE_STATIC);
        e = register_run(r, st, "camera area");
    }
    return register_end(r, e);
}

enum err camera_area_remove(struct register_db *r, uint16_t camera_number, const char *name) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "DELETE FROM camera_area WHERE number=?1 AND name=?2", &st);
    if (e) return e;
    sqlite3_bind_int(st, 1, camera_number);
    sqlite3_bind_text(st, 2, name, -1, SQLITE_STATIC);
    e = register_run(r, st, "camera area");
    return !e && sqlite3_changes(r->db) == 0 ? ERR_MISSING : e;
}

static enum err of_row(sqlite3_stmt *st, struct camera_area *a) {
    memset(a, 0, sizeof *a);
    a->camera_number = (uint16_t)sqlite3_column_int(st, 0);
    register_text(st, 1, a->name, sizeof a->name);
    const char *p = (const char *)sqlite3_column_text(st, 2);
    for (int used = 0; p && *p && a->n < CAMERA_AREA_CORNERS_MAX; p += used) {
        unsigned x, y;
        if (sscanf(p, " %u,%u%n", &x, &y, &used) != 2 || x > UINT16_MAX || y > UINT16_MAX) return ERR_CORRUPT;
        a->x[a->n] = (uint16_t)x;
        a->y[a->n++] = (uint16_t)y;
    }
    return a->n >= 3 ? OK : ERR_CORRUPT;
}

enum err camera_area_list(struct register_db *r, uint16_t camera_number, struct camera_area **out,
                          unsigned *n) {
    *out = NULL;
    *n = 0;
    sqlite3_stmt *st;
    enum err e =
        register_prepare(r, "SELECT number,name,points FROM camera_area WHERE number=?1 ORDER BY name", &st);
    if (e) return e;
    sqlite3_bind_int(st, 1, camera_number);
    int rc = SQLITE_DONE;
    while (!e && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct camera_area *more = register_grow(*out, *n, sizeof *more);
        if (!more) {
            e = ERR_NOMEM;
            break;
        }
        *out = more;
        e = of_row(st, &more[(*n)++]);
    }
    if (!e) e = register_error(r, rc, "camera areas");
    sqlite3_finalize(st);
    if (e) {
        free(*out);
        *out = NULL;
        *n = 0;
    }
    return e;
}
