/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/fs.h"
#include "host/index/db.h"

enum { ADD, SET, REMOVE, STATEMENTS };

struct queue {
    sqlite3 *db;
    bool in_transaction;
    sqlite3_stmt *st[STATEMENTS];
};

static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
    "CREATE TABLE IF NOT EXISTS queue("
    " number INTEGER PRIMARY KEY, batch INTEGER NOT NULL, path TEXT NOT NULL, case_id TEXT NOT NULL,"
    " camera_id INTEGER NOT NULL CHECK(camera_id BETWEEN 0 AND 65535), start_ms INTEGER NOT NULL,"
    " priority INTEGER NOT NULL, paused INTEGER NOT NULL CHECK(paused IN (0,1)),"
    " ungated INTEGER NOT NULL CHECK(ungated IN (0,1)),"
    " UNIQUE(path, camera_id, start_ms)) STRICT;";

static enum err open_file(const char *dir, int flags, sqlite3 **db) {
    char path[FS_PATH_MAX];
    enum err e = fs_join(path, dir, "queue.db");
    if (e) return e;
    const int rc = sqlite3_open_v2(path, db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) e = db_err(*db, rc, "open queue.db");
    if (!e) (void)sqlite3_busy_timeout(*db, 5000);
    return e;
}

enum err queue_open(const char *dir, struct queue **out) {
    static const char *const sql[STATEMENTS] = {
        [ADD] = "INSERT OR REPLACE INTO queue VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)",
        [SET] = "UPDATE queue SET priority=?2, paused=?3 WHERE number=?1",
        [REMOVE] = "DELETE FROM queue WHERE number=?1",
    };
    *out = NULL;
    struct queue *q = calloc(1, sizeof *q);
    if (!q) return ERR_NOMEM;
    enum err e = open_file(dir, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &q->db);
    if (!e) e = db_exec(q->db, schema);
    for (unsigned i = 0; !e && i < STATEMENTS; i++) e = db_prepare(q->db, sql[i], &q->st[i]);
    if (e) {
        queue_close(&q);
        return e;
    }
    *out = q;
    return OK;
}

void queue_close(struct queue **pq) {
    if (!pq || !*pq) return;
    struct queue *q = *pq;
    *pq = NULL;
    for (unsigned i = 0; i < STATEMENTS; i++) (void)sqlite3_finalize(q->st[i]);
    (void)sqlite3_close(q->db);
    free(q);
}

static enum err begin(struct queue *q) {
    if (q->in_transaction) return OK;
    const enum err e = db_exec(q->db, "BEGIN IMMEDIATE");
    q->in_transaction = !e;
    return e;
}

enum err queue_add(struct queue *q, const struct queue_row *r) {
    sqlite3_stmt *st = q->st[ADD];
    const enum err e = begin(q);
    if (e) return e;
    (void)sqlite3_bind_int64(st, 1, (int64_t)r->number);
    (void)sqlite3_bind_int64(st, 2, (int64_t)r->batch);
    (void)sqlite3_bind_text(st, 3, r->path, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_text(st, 4, r->case_id, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_int(st, 5, r->camera_number);
    (void)sqlite3_bind_int64(st, 6, r->start_ms);
    (void)sqlite3_bind_int(st, 7, r->priority);
    (void)sqlite3_bind_int(st, 8, r->paused);
    (void)sqlite3_bind_int(st, 9, r->ungated);
    return db_run(st);
}

enum err queue_set(struct queue *q, uint64_t number, int priority, bool paused) {
    sqlite3_stmt *st = q->st[SET];
    const enum err e = begin(q);
    if (e) return e;
    (void)sqlite3_bind_int64(st, 1, (int64_t)number);
    (void)sqlite3_bind_int(st, 2, priority);
    (void)sqlite3_bind_int(st, 3, paused);
    return db_run(st);
}

enum err queue_remove(struct queue *q, uint64_t number) {
    const enum err e = begin(q);
    if (e) return e;
    (void)sqlite3_bind_int64(q->st[REMOVE], 1, (int64_t)number);
    return db_run(q->st[REMOVE]);
}

enum err queue_commit(struct queue *q) {
    if (!q->in_transaction) return OK;
    const enum err e = db_exec(q->db, "COMMIT");
    if (e) (void)sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL);
    q->in_transaction = false;
    return e;
}

static void text_of(sqlite3_stmt *st, int column, char *out, size_t cap) {
    const char *t = (const char *)sqlite3_column_text(st, column);
    snprintf(out, cap, "%s", t ? t : "");
}

enum err queue_list(struct queue *q, struct queue_row **out, size_t *n) {
    sqlite3_stmt *st = NULL;
    struct queue_row *rows = NULL;
    size_t cap = 0;
    bool more = true;
    *out = NULL;
    *n = 0;
    enum err e =
        db_prepare(q->db,
                   "SELECT number, batch, path, case_id, camera_id, start_ms, priority, paused, ungated"
                   " FROM queue ORDER BY number",
                   &st);
    while (!e && more) {
        e = db_step(st, &more);
        if (e || !more) break;
        if (*n == cap) {
            cap = cap ? 2 * cap : 64;
            struct queue_row *grown = realloc(rows, cap * sizeof *rows);
            if (!grown) {
                e = ERR_NOMEM;
                break;
            }
            rows = grown;
        }
        struct queue_row *r = &rows[(*n)++];
        *r = (struct queue_row){.number = (uint64_t)sqlite3_column_int64(st, 0),
                                .batch = (uint64_t)sqlite3_column_int64(st, 1),
                                .camera_number = (uint16_t)sqlite3_column_int(st, 4),
                                .start_ms = sqlite3_column_int64(st, 5),
                                .priority = sqlite3_column_int(st, 6),
                                .paused = sqlite3_column_int(st, 7) != 0,
                                .ungated = sqlite3_column_int(st, 8) != 0};
        text_of(st, 2, r->path, sizeof r->path);
        text_of(st, 3, r->case_id, sizeof r->case_id);
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

enum err queue_drop_case(const char *dir, const char *case_id) {
    char path[FS_PATH_MAX];
    sqlite3_stmt *st = NULL;
    sqlite3 *db = NULL;
    enum err e = fs_join(path, dir, "queue.db");
    if (e || !fs_exists(path)) return e;
    e = open_file(dir, SQLITE_OPEN_READWRITE, &db);
    if (!e) e = db_prepare(db, "DELETE FROM queue WHERE case_id=?1", &st);
    if (!e) {
        (void)sqlite3_bind_text(st, 1, case_id, -1, SQLITE_STATIC);
        e = db_run(st);
    }
    (void)sqlite3_finalize(st);
    (void)sqlite3_close(db);
    return e;
}
