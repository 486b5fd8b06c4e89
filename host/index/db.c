/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/base/log.h"
#include "index_schema.h"

#define DB_APPLICATION_ID 0x524C4358 /* "RLCX" */
#define DB_VERSION        2

enum err db_err(sqlite3 *db, int rc, const char *doing) {
    enum err e = ERR_IO;
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return OK;
    case SQLITE_FULL:
        e = ERR_FULL;
        break;
    case SQLITE_IOERR:
        /* SQLite reports a full disk as FULL only where write() says ENOSPC; ftruncate and shm come as IOERR.
         */
        e = db && sqlite3_system_errno(db) == ENOSPC ? ERR_FULL : ERR_IO;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        e = ERR_CORRUPT;
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        e = ERR_BUSY;
        break;
    case SQLITE_NOMEM:
        e = ERR_NOMEM;
        break;
    case SQLITE_INTERRUPT:
        e = ERR_TIMEOUT;
        break;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        e = ERR_USAGE;
        break;
    default:
        break;
    }
    log_error("index", "doing=\"%s\" sqlite=%d text=\"%s\" error=\"%s\"", doing, rc,
              db ? sqlite3_errstr(sqlite3_extended_errcode(db)) : sqlite3_errstr(rc), err_text(e));
    return e;
}

enum err db_exec(sqlite3 *db, const char *sql) {
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? OK : db_err(db, rc, sql);
}

enum err db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out) {
    int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return rc == SQLITE_OK ? OK : db_err(db, rc, sql);
}

enum err db_run(sqlite3_stmt *st) {
    int rc = sqlite3_step(st);
    enum err e = OK;
    if (rc != SQLITE_DONE && rc != SQLITE_ROW) e = db_err(sqlite3_db_handle(st), rc, sqlite3_sql(st));
    (void)sqlite3_reset(st); /* its code repeats that of the step */
    return e;
}

enum err db_step(sqlite3_stmt *st, bool *row) {
    int rc = sqlite3_step(st);
    *row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW) return OK;
    enum err e = rc == SQLITE_DONE ? OK : db_err(sqlite3_db_handle(st), rc, sqlite3_sql(st));
    (void)sqlite3_reset(st);
    return e;
}

enum err db_number(sqlite3_stmt *st, int64_t otherwise, int64_t *out) {
    bool row;
    *out = otherwise;
    enum err e = db_step(st, &row);
    if (e || !row) return e;
    if (sqlite3_column_type(st, 0) != SQLITE_NULL) *out = sqlite3_column_int64(st, 0);
    (void)sqlite3_reset(st);
    return OK;
}

static enum err pragma_number(sqlite3 *db, const char *sql, int64_t *out) {
    sqlite3_stmt *st = NULL;
    enum err e = db_prepare(db, sql, &st);
    if (!e) e = db_number(st, 0, out);
    (void)sqlite3_finalize(st);
    return e;
}

#define TEXT_OF(x)    TEXT_OF_IT(x)
#define TEXT_OF_IT(x) #x

/* Version 1 knew no list of gaps. Its rows are read as they are (record.h). */
static enum err db_upgrade(sqlite3 *db) {
    enum err e = db_exec(db, "BEGIN IMMEDIATE");
    if (e) return e;
    e = db_exec(db,
                "ALTER TABLE bitmap RENAME TO bitmap_1;"
                "CREATE TABLE bitmap(key INTEGER PRIMARY KEY, kind INTEGER NOT NULL CHECK(kind IN (0,1,2)),"
                " bits BLOB NOT NULL) STRICT;"
                "INSERT INTO bitmap SELECT key, kind, bits FROM bitmap_1;"
                "DROP TABLE bitmap_1; PRAGMA user_version=2; COMMIT");
    if (e) (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    if (!e) log_info("index", "index.db is now of version 2");
    return e;
}

/* Brings the schema to an empty file; refuses a file that is not ours. */
static enum err db_settle(sqlite3 *db, bool writer, const char *path) {
    int64_t id = 0, version = 0, n_tables = 0;
    enum err e = pragma_number(db, "PRAGMA application_id", &id);
    if (!e) e = pragma_number(db, "PRAGMA user_version", &version);
    if (!e) e = pragma_number(db, "SELECT count(*) FROM sqlite_schema", &n_tables);
    if (e) return e;
    if (n_tables == 0 && id == 0 && writer) {
        char sql[96];
        snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d;", DB_APPLICATION_ID,
                 DB_VERSION);
        e = db_exec(db, "BEGIN IMMEDIATE");
        if (!e) e = db_exec(db, index_schema_sql);
        if (!e) e = db_exec(db, sql);
        if (!e) return db_exec(db, "COMMIT");
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return e;
    }
    if (id == DB_APPLICATION_ID && version == 1) return writer ? db_upgrade(db) : ERR_AGAIN;
    if (id != DB_APPLICATION_ID || version != DB_VERSION) {
        log_error("index", "file=\"%s\" is not an index of this version: application_id=%lld version=%lld",
                  path, (long long)id, (long long)version);
        return ERR_CORRUPT;
    }
    return OK;
}

enum err db_open(const char *dir, bool writer, sqlite3 **out) {
    char path[4096];
    *out = NULL;
    int n = snprintf(path, sizeof path, "%s/index.db", dir);
    if (n < 0 || (size_t)n >= sizeof path) return ERR_USAGE;
    struct stat st;
    if (!writer && stat(path, &st) != 0 && errno == ENOENT) return ERR_MISSING;

    sqlite3 *db = NULL;
    int flags =
        SQLITE_OPEN_NOMUTEX | (writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    int rc = sqlite3_open_v2(path, &db, flags, NULL);
    enum err e = db_err(db, rc, "open index.db");
    if (e) {
        (void)sqlite3_close(db);
        return e;
    }
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, 5000);
    /* mmap: bitmaps are read in place, without a page cache of their own in every reader. 2 GB is SQLite's
     * limit. */
    e = db_exec(db, "PRAGMA page_size=8192; PRAGMA mmap_size=" TEXT_OF(
                        DB_MAP_BYTES_MAX) "; PRAGMA trusted_schema=OFF;"
                                          "PRAGMA cell_size_check=ON;");
    if (!e && writer)
        e = db_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;"
                        "PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-65536;");
    if (!e && !writer) e = db_exec(db, "PRAGMA cache_size=-4096; PRAGMA query_only=ON;");
    if (!e) e = db_settle(db, writer, path);
    if (e) {
        (void)sqlite3_close(db);
        return e;
    }
    *out = db;
    return OK;
}

void db_close(sqlite3 **db) {
    if (!db || !*db) return;
    sqlite3_stmt *st;
    while ((st = sqlite3_next_stmt(*db, NULL)) != NULL) (void)sqlite3_finalize(st);
    (void)sqlite3_close(*db);
    *db = NULL;
}
