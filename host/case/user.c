/* SPDX-License-Identifier: Apache-2.0 */
#include "host/case/user.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/case/register_internal.h"

enum { TOTP_STEP_MS = 30000, TOTP_DRIFT_STEPS = 1 };

/* ---- passwords -------------------------------------------------------------------------------------------
 */

static bool login_is_fine(const char *login) {
    if (!*login || strlen(login) >= sizeof(((struct user *)0)->login)) return false;
    for (const char *p = login; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("-_.", *p)) return false;
    return true;
}

enum err user_password_check(const char *login, const char *password) {
    const size_t n = strlen(password);
    unsigned kinds = 0;
    bool seen[4] = {false};
    if (n < USER_PASSWORD_MIN || n > USER_PASSWORD_MAX || strcasestr(password, login)) return ERR_USAGE;
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)password[i];
        if (c < 0x20) return ERR_USAGE;
        seen[islower(c) ? 0 : isupper(c) ? 1 : isdigit(c) ? 2 : 3] = true;
    }
    for (int i = 0; i < 4; i++) kinds += seen[i];
    return kinds >= 3 ? OK : ERR_USAGE;
}

/* Letters and digits that are not taken for one another, in groups of four. */
void user_password_make(char out[static USER_ONE_TIME_BYTES]) {
    static const char sign[] = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    do {
        for (unsigned i = 0; i + 1 < USER_ONE_TIME_BYTES; i++)
            out[i] = i % 5 == 4 ? '-' : sign[randombytes_uniform(sizeof sign - 1)];
        out[USER_ONE_TIME_BYTES - 1] = '\0';
    } while (user_password_check("-----", out) != OK);
}

static enum err hash_password(const char *password, char out[static crypto_pwhash_STRBYTES]) {
    if (sodium_init() < 0) return ERR_IO;
    if (crypto_pwhash_str(out, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        return ERR_NOMEM;
    return OK;
}

/* ---- the second factor ------------------------------------------------------------------------------------
 */

unsigned user_totp_code(const uint8_t *secret, unsigned n_bytes, uint64_t step) {
    uint8_t counter[8], md[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    for (int i = 7; i >= 0; i--, step >>= 8) counter[i] = (uint8_t)step;
    if (!HMAC(EVP_sha1(), secret, (int)n_bytes, counter, sizeof counter, md, &n) || n != 20)
        return UINT32_MAX;
    const unsigned at = md[19] & 15; /* RFC 4226 5.3: dynamic truncation */
    const uint32_t v =
        (uint32_t)(md[at] & 0x7f) << 24 | (uint32_t)md[at + 1] << 16 | (uint32_t)md[at + 2] << 8 | md[at + 3];
    sodium_memzero(md, sizeof md);
    return v % 1000000;
}

/* The step whose code was typed, newer than the last one used; 0 = none. A code works once. */
static uint64_t totp_step(const uint8_t *secret, const char *otp, uint64_t last_step) {
    if (!otp || strlen(otp) != 6 || strspn(otp, "0123456789") != 6) return 0;
    const unsigned typed = (unsigned)strtoul(otp, NULL, 10);
    const uint64_t now = (uint64_t)clock_wall_ms() / TOTP_STEP_MS;
    uint64_t found = 0;
    for (uint64_t s = now - TOTP_DRIFT_STEPS; s <= now + TOTP_DRIFT_STEPS; s++)
        if (user_totp_code(secret, USER_TOTP_SECRET_BYTES, s) == typed && s > last_step) found = s;
    return found;
}

/* ---- rows -------------------------------------------------------------------------------------------------
 */

#define USER_COLUMNS                                                                                         \
    "login,name,habilitation,role,valid_from_ms,valid_to_ms,totp IS NOT NULL,disabled,locked_until_ms,"      \
    "must_change,last_login_ms,criteria"

void user_of_row(sqlite3_stmt *st, struct user *u) {
    memset(u, 0, sizeof *u);
    snprintf(u->login, sizeof u->login, "%s", (const char *)sqlite3_column_text(st, 0));
    snprintf(u->name, sizeof u->name, "%s", (const char *)sqlite3_column_text(st, 1));
    snprintf(u->habilitation, sizeof u->habilitation, "%s", (const char *)sqlite3_column_text(st, 2));
    u->role = role_by_name((const char *)sqlite3_column_text(st, 3));
    u->valid_from_ms = sqlite3_column_int64(st, 4);
    u->valid_to_ms = sqlite3_column_int64(st, 5);
    u->has_totp = sqlite3_column_int(st, 6) != 0;
    u->disabled = sqlite3_column_int(st, 7) != 0;
    u->locked_until_ms = sqlite3_column_int64(st, 8);
    u->must_change = sqlite3_column_int(st, 9) != 0;
    u->last_login_ms = sqlite3_column_int64(st, 10);
    register_text(st, 11, u->criteria, sizeof u->criteria);
}

bool user_is_valid(const struct user *u, int64_t now_ms) {
    return !u->disabled && now_ms >= u->valid_from_ms && now_ms < u->valid_to_ms;
}

static bool row_is_fine(const struct user *u) {
    return register_text_fine(u->name, 1) && register_text_fine(u->habilitation, 0) && u->role != ROLE_NONE &&
           u->valid_to_ms > u->valid_from_ms && (!*u->criteria || case_criteria_known(u->criteria));
}

/* One UPDATE of the row of `login`; the caller has bound 2 and up. ERR_MISSING when there is none. */
static enum err update(struct register_db *r, sqlite3_stmt *st, const char *login) {
    sqlite3_bind_text(st, 1, login, -1, SQLITE_STATIC);
    const enum err e = register_run(r, st, "user update");
    return !e && sqlite3_changes(r->db) == 0 ? ERR_MISSING : e;
}

/* Parameters 1 to 7 and, with a password, 8 and 9. */
static enum err write_row(struct register_db *r, const struct user *u, const char *sql, const char *hash) {
    sqlite3_stmt *st;
    const enum err e = register_prepare(r, sql, &st);
    if (e) return e;
    const char *const text[] = {u->login, u->name, u->habilitation, role_name(u->role),
                                *u->criteria ? u->criteria : "all"};
    for (int i = 0; i < 5; i++) sqlite3_bind_text(st, i + 1, text[i], -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 6, u->valid_from_ms);
    sqlite3_bind_int64(st, 7, u->valid_to_ms);
    sqlite3_bind_int(st, 8, hash ? u->must_change : u->disabled);
    if (hash) sqlite3_bind_text(st, 9, hash, -1, SQLITE_STATIC);
    return register_run(r, st, "user write");
}

enum err user_add(struct register_db *r, const struct user *u, const char *password) {
    char hash[crypto_pwhash_STRBYTES];
    if (!login_is_fine(u->login) || !row_is_fine(u) || user_password_check(u->login, password))
        return ERR_USAGE;
    enum err e = hash_password(password, hash);
    if (!e)
        e = write_row(r, u,
                      "INSERT INTO user(login,name,habilitation,role,criteria,valid_from_ms,valid_to_ms,"
                      "must_change,password) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)",
                      hash);
    sodium_memzero(hash, sizeof hash);
    return e;
}

/* Without an administrator who can log in nobody could make another one. */
static enum err check_administrators(struct register_db *r) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r,
                                  "SELECT count(*) FROM user WHERE role='administrator' AND disabled=0 AND "
                                  "valid_from_ms<=?1 AND valid_to_ms>?1",
                                  &st);
    if (e) return e;
    sqlite3_bind_int64(st, 1, clock_wall_ms());
    const int rc = sqlite3_step(st);
    const bool none = rc == SQLITE_ROW && sqlite3_column_int(st, 0) == 0;
    e = register_error(r, rc, "administrators");
    sqlite3_finalize(st);
    return !e && none ? ERR_DENIED : e;
}

enum err user_update(struct register_db *r, const struct user *u) {
    struct user before;
    if (!row_is_fine(u)) return ERR_USAGE;
    enum err e = register_begin(r);
    if (e) return e;
    e = user_get(r, u->login, &before);
    if (!e)
        e = write_row(r, u,
                      "UPDATE user SET name=?2,habilitation=?3,role=?4,criteria=?5,valid_from_ms=?6,"
                      "valid_to_ms=?7,disabled=?8 WHERE login=?1",
                      NULL);
    if (!e && before.role == ROLE_ADMINISTRATOR) e = check_administrators(r);
    return register_end(r, e);
}

enum err user_get(struct register_db *r, const char *login, struct user *out) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT " USER_COLUMNS " FROM user WHERE login=?1", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, login, -1, SQLITE_STATIC);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) user_of_row(st, out);
    e = rc == SQLITE_DONE ? ERR_MISSING : register_error(r, rc, "user get");
    sqlite3_finalize(st);
    return e;
}

enum err user_list(struct register_db *r, struct user **out, unsigned *n) {
    *out = NULL;
    *n = 0;
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT " USER_COLUMNS " FROM user ORDER BY login", &st);
    if (e) return e;
    struct user *list = NULL;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        struct user *more = register_grow(list, *n, sizeof *list);
        if (!more) {
            rc = SQLITE_NOMEM;
            break;
        }
        list = more;
        user_of_row(st, &list[(*n)++]);
    }
    e = register_error(r, rc, "user list");
    sqlite3_finalize(st);
    if (e) {
        free(list);
        *n = 0;
        return e;
    }
    *out = list;
    return OK;
}

enum err user_password_set(struct register_db *r, const char *login, const char *password, bool must_change) {
    char hash[crypto_pwhash_STRBYTES];
    enum err e = user_password_check(login, password);
    if (!e) e = hash_password(password, hash);
    if (e) return e;
    sqlite3_stmt *st;
    e = register_prepare(
        r, "UPDATE user SET password=?2,must_change=?3,n_failed=0,locked_until_ms=0 WHERE login=?1", &st);
    if (e) return e;
    sqlite3_bind_text(st, 2, hash, -1, SQLITE_STATIC);
    sqlite3_bind_int(st, 3, must_change);
    e = update(r, st, login);
    sodium_memzero(hash, sizeof hash);
    return e;
}

enum err user_disable(struct register_db *r, const char *login, bool disabled) {
    sqlite3_stmt *st;
    const enum err e = register_prepare(r, "UPDATE user SET disabled=?2 WHERE login=?1", &st);
    if (e) return e;
    sqlite3_bind_int(st, 2, disabled);
    return update(r, st, login);
}

enum err user_totp_set(struct register_db *r, const char *login, uint8_t secret[USER_TOTP_SECRET_BYTES]) {
    if (sodium_init() < 0) return ERR_IO;
    if (secret) randombytes_buf(secret, USER_TOTP_SECRET_BYTES);
    sqlite3_stmt *st;
    const enum err e = register_prepare(r, "UPDATE user SET totp=?2,totp_step=0 WHERE login=?1", &st);
    if (e) return e;
    if (secret) sqlite3_bind_blob(st, 2, secret, USER_TOTP_SECRET_BYTES, SQLITE_STATIC);
    return update(r, st, login);
}

/* ---- login ------------------------------------------------------------------------------------------------
 */

struct secrets {
    char password[crypto_pwhash_STRBYTES];
    uint8_t totp[USER_TOTP_SECRET_BYTES];
    uint64_t last_step;
    unsigned n_failed;
};

static enum err read_secrets(struct register_db *r, const char *login, struct secrets *out) {
    sqlite3_stmt *st;
    enum err e = register_prepare(r, "SELECT password,totp,totp_step,n_failed FROM user WHERE login=?1", &st);
    if (e) return e;
    sqlite3_bind_text(st, 1, login, -1, SQLITE_STATIC);
    const int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW) {
        snprintf(out->password, sizeof out->password, "%s", (const char *)sqlite3_column_text(st, 0));
        if (sqlite3_column_bytes(st, 1) == USER_TOTP_SECRET_BYTES)
            memcpy(out->totp, sqlite3_column_blob(st, 1), USER_TOTP_SECRET_BYTES);
        out->last_step = (uint64_t)sqlite3_column_int64(st, 2);
        out->n_failed = (unsigned)sqlite3_column_int(st, 3);
    }
    e = rc == SQLITE_DONE ? ERR_MISSING : register_error(r, rc, "user secrets");
    sqlite3_finalize(st);
    return e;
}

static enum err note_failure(struct register_db *r, struct user *u, unsigned n_failed) {
    const bool lock = n_failed >= USER_FAILURES_MAX;
    u->locked_until_ms = lock ? clock_wall_ms() + USER_LOCKOUT_MS : 0;
    sqlite3_stmt *st;
    const enum err e =
        register_prepare(r, "UPDATE user SET n_failed=?2,locked_until_ms=?3 WHERE login=?1", &st);
    if (e) return e;
    sqlite3_bind_int(st, 2, lock ? 0 : (int)n_failed);
    sqlite3_bind_int64(st, 3, u->locked_until_ms);
    return update(r, st, u->login);
}

static enum err note_success(struct register_db *r, const char *login, uint64_t step) {
    sqlite3_stmt *st;
    const enum err e = register_prepare(
        r,
        "UPDATE user SET n_failed=0,locked_until_ms=0,totp_step=max(totp_step,?2),last_login_ms=?3 "
        "WHERE login=?1",
        &st);
    if (e) return e;
    sqlite3_bind_int64(st, 2, (sqlite3_int64)step);
    sqlite3_bind_int64(st, 3, clock_wall_ms());
    return update(r, st, login);
}

enum err user_login(struct register_db *r, const char *login, const char *password, const char *otp,
                    struct user *out) {
    struct secrets s = {0};
    memset(out, 0, sizeof *out);
    if (sodium_init() < 0) return ERR_IO;
    if (strlen(password) > USER_PASSWORD_MAX) return ERR_DENIED;
    enum err e = user_get(r, login, out);
    if (!e) e = read_secrets(r, login, &s);
    if (e == ERR_MISSING) {
        /* The same work as for a known login. */
        e = hash_password(password, s.password);
        sodium_memzero(&s, sizeof s);
        return e ? e : ERR_DENIED;
    }
    if (e) return e;
    int64_t now;
    e = register_now_ms(r, &now);
    if (e) {
        sodium_memzero(&s, sizeof s);
        return e;
    }
    if (out->locked_until_ms > now) {
        sodium_memzero(&s, sizeof s);
        return ERR_BUSY;
    }
    const bool password_fits = crypto_pwhash_str_verify(s.password, password, strlen(password)) == 0;
    const uint64_t step = out->has_totp ? totp_step(s.totp, otp, s.last_step) : 0;
    const bool in = password_fits && (!out->has_totp || step) && user_is_valid(out, now);
    const unsigned n_failed = s.n_failed + 1;
    sodium_memzero(&s, sizeof s);
    if (in) return note_success(r, login, step);
    e = note_failure(r, out, n_failed);
    if (e) return e;
    return out->locked_until_ms ? ERR_BUSY : ERR_DENIED;
}

enum err user_password_verify(struct register_db *r, const char *login, const char *password) {
    struct secrets s = {0};
    enum err e = sodium_init() < 0 ? ERR_IO : read_secrets(r, login, &s);
    if (!e && (strlen(password) > USER_PASSWORD_MAX ||
               crypto_pwhash_str_verify(s.password, password, strlen(password)) != 0))
        e = ERR_DENIED;
    sodium_memzero(&s, sizeof s);
    return e;
}
