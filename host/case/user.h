/* SPDX-License-Identifier: Apache-2.0 */
/* user.h - the people who work with Relecture: role, habilitation with its dates, password, second factor,
 * lockout. Passwords are kept as libsodium's Argon2id strings; a TOTP secret (RFC 6238, SHA-1, 30 s, 6
 * digits) is optional. Threads: as the register handle. Passwords are borrowed and never logged or
 * journalled. */
#ifndef HOST_CASE_USER_H
#define HOST_CASE_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/case/register.h"
#include "host/case/rights.h"

#define USER_PASSWORD_MIN      12u
#define USER_PASSWORD_MAX      256u
#define USER_FAILURES_MAX      5u
#define USER_LOCKOUT_MS        (15 * 60 * 1000)
#define USER_TOTP_SECRET_BYTES 20u

struct user {
    char login[64];         /* letters, digits, - _ . */
    char name[128];         /* the person, as printed in records */
    char habilitation[128]; /* reference of the act that habilitates; "" for roles that need none */
    enum role role;
    int64_t valid_from_ms, valid_to_ms; /* end exclusive; outside them the account is locked */
    bool has_totp, disabled;
    bool must_change;        /* the password is a one-time one */
    int64_t locked_until_ms; /* 0 = not locked */
    int64_t last_login_ms;   /* 0 = never */
    char criteria[512];      /* comma-separated, or "all": narrows what the user may ask for */
};

/* OK when a password may be used: 12 characters or more, three of four kinds, not holding the login.
 * ERR_USAGE. */
MUST_CHECK enum err user_password_check(const char *login, const char *password);

/* A one-time password, for the first login; shown once, kept nowhere. */
#define USER_ONE_TIME_BYTES 20u
void user_password_make(char out[static USER_ONE_TIME_BYTES]);

/* u->criteria "" stands for "all". ERR_USAGE (login, name, role, dates, criteria, password), ERR_EXISTS. */
MUST_CHECK enum err user_add(struct register_db *r, const struct user *u, const char *password);
MUST_CHECK enum err user_get(struct register_db *r, const char *login, struct user *out);
MUST_CHECK enum err user_list(struct register_db *r, struct user **out, unsigned *n);
/* Name, habilitation, role, dates, disabled and criteria of an existing user. ERR_USAGE as above; ERR_DENIED:
 * it is the last administrator who can log in. */
MUST_CHECK enum err user_update(struct register_db *r, const struct user *u);
/* Also ends a lockout. must_change: a one-time password. */
MUST_CHECK enum err user_password_set(struct register_db *r, const char *login, const char *password,
                                      bool must_change);
MUST_CHECK enum err user_disable(struct register_db *r, const char *login, bool disabled);
/* Whether the account may be used at that moment: enabled, and inside its dates. */
bool user_is_valid(const struct user *u, int64_t now_ms);
/* New random secret, or none (secret = NULL): the caller shows it once. */
MUST_CHECK enum err user_totp_set(struct register_db *r, const char *login,
                                  uint8_t secret[USER_TOTP_SECRET_BYTES]);

/* Who is it? OK fills *out. ERR_DENIED: unknown login, wrong password or code, disabled, outside the dates -
 * one answer for all, in about the same time, so that logins cannot be tried out. ERR_BUSY: locked after too
 * many failures, until out->locked_until_ms. `otp` may be NULL when none was typed. */
MUST_CHECK enum err user_login(struct register_db *r, const char *login, const char *password,
                               const char *otp, struct user *out);

/* Is it the user's password? ERR_DENIED. For someone who is signed in: no second factor, no lockout. */
MUST_CHECK enum err user_password_verify(struct register_db *r, const char *login, const char *password);

/* The code of a moment; exported for the test vectors of RFC 6238. */
unsigned user_totp_code(const uint8_t *secret, unsigned n_bytes, uint64_t step);

#endif
