/* SPDX-License-Identifier: Apache-2.0 */
#include "host/case/register.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sys/stat.h>

#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/base/utf8.h"
#include "host/case/register_internal.h"
#include "host/case/register_schema.h"

/* A case without its own date ends with the footage it may search (CSI L252-5: a month). */
#define CASE_LIFE_MS (30LL * 24 * 3600 * 1000)

enum err register_error(struct register_db *r, int rc, const char *what) {
    const int primary = rc & 0xff;
    if (primary == SQLITE_OK || primary == SQLITE_ROW || primary == SQLITE_DONE) return OK;
    if (primary == SQLITE_CONSTRAINT) return ERR_EXISTS;
    log_error("register", "op=%s sqlite=%d (%s)", what, rc,
              r->db ? sqlite3_errmsg(r->db) : sqlite3_errstr(rc));
    switch (primary) {
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    default:
        return ERR_IO;
    }
}

enum err register_prepare(struct register_db *r, const char *sql, sqlite3_stmt **out) {
    *out = NULL;
    return register_error(r, sqlite3_prepare_v2(r->db, sql, -1, out, NULL), "prepare");
}

enum err register_run(struct register_db *r, sqlite3_stmt *st, const char *what) {
    const enum err e = register_error(r, sqlite3_step(st), what);
    sqlite3_finalize(st);
    return e;
}

void register_text(sqlite3_stmt *st, int column, char *out, size_t cap) {
    const char *t = (const char *)sqlite3_column_text(st, column);
    snprintf(out, cap, "%s", t ? t : "");
}

void *register_grow(void *list, unsigned n, size_t element_bytes) {
    if (n & (n - 1)) return list; /* full only at powers of two */
    return realloc(list, (n ? 2 * (size_t)n : 1) * element_bytes);
}

static enum err exec(struct register_db *r, const char *sql) {
    return register_error(r, sqlite3_exec(r->db, sql, NULL, NULL, NULL), "exec");
}

static enum err read_pragma(struct register_db *r, const char *sql, int *out) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, sql, &st);
    if (e) return e;
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) *out = sqlite3_column_int(st, 0);
    e = register_error(r, rc, sql);
    sqlite3_finalize(st);
    return e;
}

enum err register_begin(struct register_db *r) {
    /* IMMEDIATE: two writers must not read the same head of the journal. */
    const enum err e = r->depth == 0 ? exec(r, "BEGIN IMMEDIATE") : OK;
    if (!e) r->depth++;
    return e;
}

enum err register_end(struct register_db *r, enum err so_far) {
    if (--r->depth > 0) return so_far;
    const enum err e = so_far ? so_far : exec(r, "COMMIT");
    /* SQLite ends a transaction by itself after some errors (a full disk). */
    if (e && !sqlite3_get_autocommit(r->db) && exec(r, "ROLLBACK"))
        log_error("register", "op=rollback failed after %s", err_text(e));
    return e;
}

static enum err create_tables(struct register_db *r) {
    char sql[128];
    enum err e = register_begin(r);
    if (e) return e;
    e = exec(r, register_schema);
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=1", REGISTER_APPLICATION_ID);
    if (!e) e = exec(r, sql);
    return register_end(r, e);
}

/* Every step that this register has not had yet; another process may be at the same. */
static enum err upgrade(struct register_db *r) {
    int version = 0;
    char sql[64];
    enum err e = register_begin(r);
    if (e) return e;
    e = read_pragma(r, "PRAGMA user_version", &version);
    for (; !e && version < REGISTER_VERSION; version++) e = exec(r, register_upgrades[version - 1]);
    snprintf(sql, sizeof sql, "PRAGMA user_version=%d", REGISTER_VERSION);
    if (!e) e = exec(r, sql);
    return register_end(r, e);
}

enum err register_open(const char *dir, bool create, struct register_db **out) {
    *out = NULL;
    char path[FS_PATH_MAX];
    enum err e = fs_join(path, dir, "register.db");
    if (e) return e;
    const bool fresh = !fs_exists(path);
    if (fresh && !create) return ERR_MISSING;
    struct register_db *r = calloc(1, sizeof *r);
    if (!r) return ERR_NOMEM;
    e = register_error(
        r,
        sqlite3_open_v2(path, &r->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0),
                        NULL),
        "open");
    if (e) goto fail;
    if (fresh && chmod(path, 0600) != 0) log_warn("register", "op=chmod path=%s failed", path);
    sqlite3_busy_timeout(r->db, 5000);
    /* The journal is evidence: a commit that was answered must survive a power cut. */
    e = exec(
        r,
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON; "
        "PRAGMA trusted_schema=OFF");
    int app = 0, version = 0;
    if (!e && fresh) e = create_tables(r);
    if (!e) e = read_pragma(r, "PRAGMA application_id", &app);
    if (!e) e = read_pragma(r, "PRAGMA user_version", &version);
    if (!e && (app != REGISTER_APPLICATION_ID || version < 1 || version > REGISTER_VERSION)) {
        log_error("register",
                  "path=%s is not a register of this version or an earlier one (application %x, version %d, "
                  "known up to %d)",
                  path, app, version, REGISTER_VERSION);
        e = ERR_CORRUPT;
    }
    if (!e && version < REGISTER_VERSION) e = upgrade(r);
    if (e) goto fail;
    *out = r;
    return OK;
fail:
    register_close(&r);
    return e;
}

enum err register_now_ms(struct register_db *r, int64_t *out) {
    sqlite3_stmt *st;
    *out = clock_wall_ms();
    enum err e = register_prepare(r, "SELECT at_ms FROM journal ORDER BY seq DESC LIMIT 1", &st);
    if (e) return e;
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW && sqlite3_column_int64(st, 0) > *out) *out = sqlite3_column_int64(st, 0);
    e = register_error(r, rc, "now");
    sqlite3_finalize(st);
    return e;
}

void register_close(struct register_db **r) {
    if (!r || !*r) return;
    sqlite3_finalize((*r)->find_session);
    sqlite3_finalize((*r)->find_decision);
    sqlite3_finalize((*r)->find_exhibit);
    sqlite3_close((*r)->db);
    free(*r);
    *r = NULL;
}

/* ---- cameras ------------------------------------------------------------------------------------------- */

static bool id_is_fine(const char *id) {
    if (!*id) return false;
    for (const char *p = id; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("-_.", *p)) return false;
    return true;
}

bool register_text_fine(const char *t, size_t least) {
    if (strlen(t) < least) return false;
    for (const char *p = t; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) return false;
    return utf8_is_valid(t); /* the journal's lines are JSON */
}

static bool camera_is_fine(const struct camera *c) {
    return id_is_fine(c->id) && register_text_fine(c->name, 1) && fabs(c->lat) <= 90 && fabs(c->lon) <= 180 &&
           c->heading_deg >= -1 && c->heading_deg <= 359 && c->fov_deg >= -1 && c->fov_deg <= 360 &&
           c->retention_days >= 0 && c->retention_days <= 30;
}

/* Parameters 1 to 8 of both statements below. */
static enum err write_camera(struct register_db *r, const struct camera *c, const char *sql,
                             const char *what) {
    sqlite3_stmt *st;
    const enum err e = register_prepare(r, sql, &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, c->id, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, c->name, -1, SQLITE_STATIC);
    sqlite3_bind_double(st, 3, c->lat);
    sqlite3_bind_double(st, 4, c->lon);
    sqlite3_bind_int(st, 5, c->heading_deg);
    sqlite3_bind_int(st, 6, c->fov_deg);
    sqlite3_bind_int64(st, 7, c->clock_offset_ms);
    sqlite3_bind_int(st, 8, c->retention_days);
    return register_run(r, st, what);
}

enum err camera_add(struct register_db *r, struct camera *c) {
    if (!camera_is_fine(c)) return ERR_USAGE;
    const enum err e = write_camera(
        r, c,
        "INSERT INTO camera VALUES((SELECT coalesce(max(number),0)+1 FROM camera),?1,?2,?3,?4,?5,?6,?7,?8)",
        "camera add");
    if (!e) c->number = (uint16_t)sqlite3_last_insert_rowid(r->db);
    return e;
}

enum err camera_update(struct register_db *r, const struct camera *c) {
    if (!camera_is_fine(c)) return ERR_USAGE;
    const enum err e = write_camera(r, c,
                                    "UPDATE camera SET name=?2,lat=?3,lon=?4,heading_deg=?5,fov_deg=?6,"
                                    "clock_offset_ms=?7,retention_days=?8 WHERE id=?1",
                                    "camera update");
    return !e && sqlite3_changes(r->db) == 0 ? ERR_MISSING : e;
}

#define CAMERA_COLUMNS "number,id,name,lat,lon,heading_deg,fov_deg,clock_offset_ms,retention_days"

static void camera_of_row(sqlite3_stmt *st, struct camera *c) {
    memset(c, 0, sizeof *c);
    c->number = (uint16_t)sqlite3_column_int(st, 0);
    register_text(st, 1, c->id, sizeof c->id);
    register_text(st, 2, c->name, sizeof c->name);
    c->lat = sqlite3_column_double(st, 3);
    c->lon = sqlite3_column_double(st, 4);
    c->heading_deg = sqlite3_column_int(st, 5);
    c->fov_deg = sqlite3_column_int(st, 6);
    c->clock_offset_ms = sqlite3_column_int64(st, 7);
    c->retention_days = sqlite3_column_int(st, 8);
}

enum err camera_get(struct register_db *r, const char *id, struct camera *out) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT " CAMERA_COLUMNS " FROM camera WHERE id=?1", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) camera_of_row(st, out);
    e = rc == SQLITE_DONE ? ERR_MISSING : register_error(r, rc, "camera get");
    sqlite3_finalize(st);
    return e;
}

enum err camera_list(struct register_db *r, struct camera **out, unsigned *n) {
    *out = NULL;
    *n = 0;
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT " CAMERA_COLUMNS " FROM camera ORDER BY number", &st);
    if (e) return e;
    unsigned cap = 0;
    struct camera *list = NULL;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        if (*n == cap) {
            cap = cap ? cap * 2 : 64;
            struct camera *more = realloc(list, cap * sizeof *list);
            if (!more) {
                rc = SQLITE_NOMEM;
                break;
            }
            list = more;
        }
        camera_of_row(st, &list[(*n)++]);
    }
    e = register_error(r, rc, "camera list");
    sqlite3_finalize(st);
    if (e) {
        free(list);
        *n = 0;
        return e;
    }
    *out = list;
    return OK;
}

/* ---- cases --------------------------------------------------------------------------------------------- */

/* 2026-0001, 2026-0002 ...: the year of opening and a number within it. */
static enum err next_case_id(struct register_db *r, int64_t now_ms, char *out, size_t cap) {
    const time_t t = (time_t)(now_ms / 1000);
    struct tm tm;
    gmtime_r(&t, &tm);
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r, "SELECT coalesce(max(CAST(substr(id,6) AS INTEGER)),0)+1 FROM case_file WHERE id GLOB ?1", &st);
    if (e) return e;
    char glob[16];
    snprintf(glob, sizeof glob, "%04d-*", tm.tm_year + 1900);
    sqlite3_bind_text(st, 1, glob, -1, SQLITE_STATIC);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) snprintf(out, cap, "%04d-%04d", tm.tm_year + 1900, sqlite3_column_int(st, 0));
    e = register_error(r, rc, "case id");
    sqlite3_finalize(st);
    return e;
}

static enum err insert_case(struct register_db *r, const struct case_file *c) {
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r,
        "INSERT INTO "
        "case_file(id,requisition,authority,basis,offence,from_ms,to_ms,criteria,state,opened_ms,expires_ms,"
        "doc_sha256,opened_by) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
        &st);
    if (e) return e;
    const char *const text[] = {c->id, c->requisition, c->authority, c->basis, c->offence};
    for (int i = 0; i < 5; i++) sqlite3_bind_text(st, i + 1, text[i], -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 6, c->from_ms);
    sqlite3_bind_int64(st, 7, c->to_ms);
    sqlite3_bind_text(st, 8, c->criteria, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 9, c->state, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 10, c->opened_ms);
    sqlite3_bind_int64(st, 11, c->expires_ms);
    sqlite3_bind_text(st, 12, c->doc_sha256, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 13, c->opened_by, -1, SQLITE_STATIC);
    e = register_run(r, st, "case open");
    for (unsigned i = 0; !e && i < c->n_cameras; i++) {
        e = register_prepare(r, "INSERT OR IGNORE INTO case_camera VALUES(?1,?2)", &st);
        if (e) break;
        sqlite3_bind_text(st, 1, c->id, -1, SQLITE_STATIC);
        sqlite3_bind_int(st, 2, c->cameras[i]);
        e = register_run(r, st, "case camera");
    }
    return e;
}

enum err case_open(struct register_db *r, struct case_file *c) {
    if (!register_text_fine(c->requisition, 1) || !register_text_fine(c->authority, 1) ||
        !register_text_fine(c->basis, 1) || !register_text_fine(c->offence, 0) ||
        !case_criteria_known(c->criteria) || c->to_ms <= c->from_ms || c->n_cameras == 0 ||
        c->n_cameras > CASE_CAMERAS_MAX)
        return ERR_USAGE;
    c->opened_ms = clock_wall_ms();
    if (c->expires_ms == 0) c->expires_ms = c->opened_ms + CASE_LIFE_MS;
    snprintf(c->state, sizeof c->state, "open");
    enum err e = register_begin(r);
    if (e) return e;
    e = next_case_id(r, c->opened_ms, c->id, sizeof c->id);
    if (!e) e = insert_case(r, c);
    return register_end(r, e);
}

#define CASE_COLUMNS                                                                                         \
    "id,requisition,authority,basis,offence,from_ms,to_ms,criteria,state,opened_ms,expires_ms,doc_sha256,"   \
    "opened_by,closed_by,closed_ms"

static enum err case_of_row(struct register_db *r, sqlite3_stmt *row, struct case_file *c) {
    memset(c, 0, sizeof *c);
    register_text(row, 0, c->id, sizeof c->id);
    register_text(row, 1, c->requisition, sizeof c->requisition);
    register_text(row, 2, c->authority, sizeof c->authority);
    register_text(row, 3, c->basis, sizeof c->basis);
    register_text(row, 4, c->offence, sizeof c->offence);
    c->from_ms = sqlite3_column_int64(row, 5);
    c->to_ms = sqlite3_column_int64(row, 6);
    register_text(row, 7, c->criteria, sizeof c->criteria);
    register_text(row, 8, c->state, sizeof c->state);
    c->opened_ms = sqlite3_column_int64(row, 9);
    c->expires_ms = sqlite3_column_int64(row, 10);
    register_text(row, 11, c->doc_sha256, sizeof c->doc_sha256);
    register_text(row, 12, c->opened_by, sizeof c->opened_by);
    register_text(row, 13, c->closed_by, sizeof c->closed_by);
    c->closed_ms = sqlite3_column_int64(row, 14);

    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT number FROM case_camera WHERE case_id=?1 ORDER BY number", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, c->id, -1, SQLITE_STATIC);
    c->cameras = calloc(CASE_CAMERAS_MAX, sizeof *c->cameras);
    int rc = SQLITE_NOMEM;
    if (c->cameras)
        while ((rc = sqlite3_step(st)) == SQLITE_ROW && c->n_cameras < CASE_CAMERAS_MAX)
            c->cameras[c->n_cameras++] = (uint16_t)sqlite3_column_int(st, 0);
    e = rc == SQLITE_NOMEM ? ERR_NOMEM : register_error(r, rc, "case cameras");
    sqlite3_finalize(st);
    if (e) case_fini(c);
    return e;
}

enum err case_get(struct register_db *r, const char *id, struct case_file *out) {
    memset(out, 0, sizeof *out);
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT " CASE_COLUMNS " FROM case_file WHERE id=?1", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        e = case_of_row(r, st, out);
    else
        e = rc == SQLITE_DONE ? ERR_MISSING : register_error(r, rc, "case get");
    sqlite3_finalize(st);
    return e;
}

enum err case_list(struct register_db *r, struct case_file **out, unsigned *n) {
    *out = NULL;
    *n = 0;
    sqlite3_stmt *st;
    enum err e =
        register_prepare(r, "SELECT " CASE_COLUMNS " FROM case_file ORDER BY opened_ms DESC, id DESC", &st);
    if (e) return e;
    struct case_file *list = NULL;
    int rc = SQLITE_DONE;
    while (!e && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct case_file *more = realloc(list, (*n + 1) * sizeof *list);
        if (!more) {
            e = ERR_NOMEM;
            break;
        }
        list = more;
        e = case_of_row(r, st, &list[*n]);
        if (!e) (*n)++;
    }
    if (!e) e = register_error(r, rc, "case list");
    sqlite3_finalize(st);
    if (e) {
        for (unsigned i = 0; i < *n; i++) case_fini(&list[i]);
        free(list);
        *n = 0;
        return e;
    }
    *out = list;
    return OK;
}

enum err case_close(struct register_db *r, const char *id, const char *by) {
    sqlite3_stmt *st;
    enum err e = register_prepare(
        r, "UPDATE case_file SET state='closed',closed_by=?2,closed_ms=?3 WHERE id=?1 AND state='open'", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, by, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 3, clock_wall_ms());
    e = register_run(r, st, "case close");
    if (!e && sqlite3_changes(r->db) == 0) e = ERR_MISSING;
    return e;
}
