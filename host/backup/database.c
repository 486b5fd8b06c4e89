/* SPDX-License-Identifier: Apache-2.0 */
#include "host/backup/database.h"

#include <sqlite3.h>
#include <stddef.h>

#include "host/base/log.h"

#define BUSY_MS 60000

static enum err translated(int rc, const char *path, sqlite3 *db) {
    const int primary = rc & 0xff;
    if (primary == SQLITE_OK || primary == SQLITE_DONE) return OK;
    log_error("backup", "op=copy path=%s sqlite=%d (%s)", path, rc, db ? sqlite3_errmsg(db) : "no memory");
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

/* All pages in one step, inside one read transaction of the source: writers go on in the WAL beside it. */
static int copy_pages(sqlite3 *source, sqlite3 *target) {
    sqlite3_backup *b = sqlite3_backup_init(target, "main", source, "main");
    if (!b) return sqlite3_errcode(target);
    (void)sqlite3_backup_step(b, -1);
    int rc = sqlite3_backup_finish(b);
    /* One file, whole in itself. */
    if (rc == SQLITE_OK) rc = sqlite3_exec(target, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
    return rc;
}

enum err database_copy(const char *from, const char *to) {
    sqlite3 *source = NULL, *target = NULL;
    enum err e = translated(sqlite3_open_v2(from, &source, SQLITE_OPEN_READONLY, NULL), from, source);
    if (!e)
        e = translated(sqlite3_open_v2(to, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL), to,
                       target);
    if (!e) {
        sqlite3_busy_timeout(source, BUSY_MS);
        sqlite3_busy_timeout(target, BUSY_MS);
        e = translated(copy_pages(source, target), to, target);
    }
    if (sqlite3_close(target) != SQLITE_OK && !e) e = ERR_IO;
    sqlite3_close(source);
    return e;
}
