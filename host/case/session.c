/* SPDX-License-Identifier: Apache-2.0 */
#include "host/case/session.h"

#include <string.h>

#include <sodium.h>

#include "host/base/clock.h"
#include "host/case/register_internal.h"

/* The token is 256 random bits: a plain hash is enough, nobody can guess it from there. */
static void hash_of(const uint8_t token[static SESSION_TOKEN_BYTES],
                    uint8_t hash[static SESSION_HASH_BYTES]) {
    crypto_generichash(hash, SESSION_HASH_BYTES, token, SESSION_TOKEN_BYTES, NULL, 0);
}

enum err session_open(struct register_db *r, const char *login, const char *station,
                      uint8_t token[static SESSION_TOKEN_BYTES]) {
    uint8_t hash[SESSION_HASH_BYTES];
    sqlite3_stmt *st;
    if (sodium_init() < 0) return ERR_IO;
    randombytes_buf(token, SESSION_TOKEN_BYTES);
    hash_of(token, hash);
    enum err e = register_begin(r);
    if (e) return e;
    e = register_prepare(
        r, "INSERT INTO session(token_hash,login,station,created_ms,seen_ms) VALUES(?1,?2,?3,?4,?4)", &st);
    if (!e) {
        sqlite3_bind_blob(st, 1, hash, sizeof hash, SQLITE_STATIC);
        sqlite3_bind_text(st, 2, login, -1, SQLITE_STATIC);
        sqlite3_bind_text(st, 3, station, -1, SQLITE_STATIC);
        sqlite3_bind_int64(st, 4, clock_wall_ms());
        e = register_run(r, st, "session open");
    }
    if (!e)
        e = register_prepare(
            r,
            "DELETE FROM session WHERE login=?1 AND token_hash NOT IN (SELECT token_hash FROM "
            "session WHERE login=?1 ORDER BY created_ms DESC, token_hash=?3 DESC LIMIT ?2)",
            &st);
    if (!e) {
        sqlite3_bind_text(st, 1, login, -1, SQLITE_STATIC);
        sqlite3_bind_int(st, 2, SESSIONS_OF_ONE_USER);
        sqlite3_bind_blob(st, 3, hash, sizeof hash, SQLITE_STATIC);
        e = register_run(r, st, "session limit");
    }
    return register_end(r, e);
}

enum err session_find(struct register_db *r, const uint8_t token[static SESSION_TOKEN_BYTES],
                      struct session *out) {
    memset(out, 0, sizeof *out);
    hash_of(token, out->hash);
    /* Asked at every request: prepared once. */
    enum err e = OK;
    if (!r->find_session)
        e = register_prepare(
            r,
            "SELECT u.login,u.name,u.habilitation,u.role,u.valid_from_ms,u.valid_to_ms,u.totp IS "
            "NOT NULL,u.disabled,u.locked_until_ms,u.must_change,u.last_login_ms,u.criteria,"
            "s.station,s.created_ms,s.seen_ms FROM session s JOIN user u ON u.login=s.login "
            "WHERE s.token_hash=?1",
            &r->find_session);
    if (e) return e;
    sqlite3_stmt *st = r->find_session;
    sqlite3_bind_blob(st, 1, out->hash, sizeof out->hash, SQLITE_STATIC);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        user_of_row(st, &out->user);
        register_text(st, 12, out->station, sizeof out->station);
        out->created_ms = sqlite3_column_int64(st, 13);
        out->seen_ms = sqlite3_column_int64(st, 14);
    }
    e = rc == SQLITE_DONE ? ERR_MISSING : register_error(r, rc, "session find");
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return e;
}

enum err session_seen(struct register_db *r, const uint8_t hash[static SESSION_HASH_BYTES], int64_t seen_ms) {
    sqlite3_stmt *st;
    const enum err e = register_prepare(r, "UPDATE session SET seen_ms=?2 WHERE token_hash=?1", &st);
    if (e) return e;
    sqlite3_bind_blob(st, 1, hash, SESSION_HASH_BYTES, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, seen_ms);
    return register_run(r, st, "session seen");
}

enum err session_close(struct register_db *r, const uint8_t hash[static SESSION_HASH_BYTES]) {
    sqlite3_stmt *st;
    const enum err e = register_prepare(r, "DELETE FROM session WHERE token_hash=?1", &st);
    if (e) return e;
    sqlite3_bind_blob(st, 1, hash, SESSION_HASH_BYTES, SQLITE_STATIC);
    return register_run(r, st, "session close");
}

enum err session_close_user(struct register_db *r, const char *login) {
    sqlite3_stmt *st;
    const enum err e = register_prepare(r, "DELETE FROM session WHERE login=?1", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, login, -1, SQLITE_STATIC);
    return register_run(r, st, "sessions close");
}

enum err session_count(struct register_db *r, const char *login, unsigned *n) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT count(*) FROM session WHERE login=?1", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, login, -1, SQLITE_STATIC);
    const int rc = sqlite3_step(st);
    *n = rc == SQLITE_ROW ? (unsigned)sqlite3_column_int(st, 0) : 0;
    e = register_error(r, rc, "session count");
    sqlite3_finalize(st);
    return e;
}

enum err session_purge(struct register_db *r, int64_t created_before_ms) {
    sqlite3_stmt *st;
    const enum err e = register_prepare(r, "DELETE FROM session WHERE created_ms<?1", &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, created_before_ms);
    return register_run(r, st, "session purge");
}
