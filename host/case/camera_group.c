/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "host/case/register.h"
#include "host/case/register_internal.h"

void camera_group_fini(struct camera_group *g) {
    free(g->cameras);
    g->cameras = NULL;
    g->n_cameras = 0;
}

static enum err read_members(struct register_db *r, struct camera_group *g) {
    sqlite3_stmt *st;
    enum err e =
        register_prepare(r, "SELECT number FROM camera_group_member WHERE group_id=?1 ORDER BY number", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)g->id);
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        uint16_t *more = register_grow(g->cameras, g->n_cameras, sizeof *more);
        if (!more) {
            rc = SQLITE_NOMEM;
            break;
        }
        g->cameras = more;
        g->cameras[g->n_cameras++] = (uint16_t)sqlite3_column_int(st, 0);
    }
    e = register_error(r, rc, "group members");
    sqlite3_finalize(st);
    return e;
}

enum err camera_group_list(struct register_db *r, struct camera_group **out, unsigned *n) {
    struct camera_group *list = NULL;
    sqlite3_stmt *st;
    *out = NULL;
    *n = 0;
    enum err e = register_prepare(r, "SELECT id,name FROM camera_group ORDER BY name", &st);
    if (e) return e;
    int rc = SQLITE_DONE;
    while (!e && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct camera_group *more = register_grow(list, *n, sizeof *list);
        if (!more) {
            e = ERR_NOMEM;
            break;
        }
        list = more;
        struct camera_group *g = &list[(*n)++];
        *g = (struct camera_group){.id = (uint64_t)sqlite3_column_int64(st, 0)};
        register_text(st, 1, g->name, sizeof g->name);
        e = read_members(r, g);
    }
    if (!e) e = register_error(r, rc, "group list");
    sqlite3_finalize(st);
    if (e) {
        for (unsigned i = 0; i < *n; i++) camera_group_fini(&list[i]);
        free(list);
        *n = 0;
        return e;
    }
    *out = list;
    return OK;
}

static enum err put_row(struct register_db *r, struct camera_group *g) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r,
                                  g->id ? "UPDATE camera_group SET name=?1 WHERE id=?2"
                                        : "INSERT INTO camera_group(name) VALUES(?1)",
                                  &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, g->name, -1, SQLITE_STATIC);
    if (g->id) sqlite3_bind_int64(st, 2, (sqlite3_int64)g->id);
    e = register_run(r, st, "group put");
    if (!e && g->id && sqlite3_changes(r->db) == 0) e = ERR_MISSING;
    if (!e && !g->id) g->id = (uint64_t)sqlite3_last_insert_rowid(r->db);
    return e;
}

enum err camera_group_put(struct register_db *r, struct camera_group *g) {
    sqlite3_stmt *st;
    if (!register_text_fine(g->name, 1)) return ERR_USAGE;
    enum err e = register_begin(r);
    if (e) return e;
    e = put_row(r, g);
    if (!e) e = register_prepare(r, "DELETE FROM camera_group_member WHERE group_id=?1", &st);
    if (!e) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)g->id);
        e = register_run(r, st, "group members");
    }
    for (unsigned i = 0; !e && i < g->n_cameras; i++) {
        e = register_prepare(r, "INSERT OR IGNORE INTO camera_group_member VALUES(?1,?2)", &st);
        if (e) break;
        sqlite3_bind_int64(st, 1, (sqlite3_int64)g->id);
        sqlite3_bind_int(st, 2, g->cameras[i]);
        e = register_run(r, st, "group member");
    }
    return register_end(r, e);
}

enum err camera_group_remove(struct register_db *r, uint64_t id) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "DELETE FROM camera_group WHERE id=?1", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    e = register_run(r, st, "group remove");
    return !e && sqlite3_changes(r->db) == 0 ? ERR_MISSING : e;
}
