/* SPDX-License-Identifier: Apache-2.0 */
/* /users: an administrator keeps accounts, roles and habilitations. One-time passwords and second factors are
 * shown once, in the answer, and stand in no log and no journal. */
#include "host/http/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "host/case/session.h"
#include "host/case/user.h"
#include "host/http/field.h"

#define MOMENT_MAX_MS 253402300799999LL /* the year 9999 */
#define BASE32_BYTES  (USER_TOTP_SECRET_BYTES * 8 / 5 + 1)

struct user_work {
    struct user user;
    char secret[USER_ONE_TIME_BYTES];
    char totp[BASE32_BYTES];
};

static void work_free(void *arg) {
    if (arg) sodium_memzero(arg, sizeof(struct user_work));
    free(arg);
}

static json_t *user_json(struct register_db *r, const struct user *u) {
    unsigned n_sessions = 0;
    if (session_count(r, u->login, &n_sessions) != OK) return NULL;
    return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:o,s:b,s:b,s:b,s:I,s:I,s:i}", "login", u->login, "name",
                     u->name, "role", role_name(u->role), "habilitation", u->habilitation, "valid_from_ms",
                     (json_int_t)u->valid_from_ms, "valid_to_ms", (json_int_t)u->valid_to_ms, "criteria",
                     api_words_json(u->criteria), "totp", (int)u->has_totp, "disabled", (int)u->disabled,
                     "must_change", (int)u->must_change, "locked_until_ms", (json_int_t)u->locked_until_ms,
                     "last_login_ms", (json_int_t)u->last_login_ms, "n_sessions", (int)n_sessions);
}

void api_users_get(struct exchange *x) {
    struct user *list = NULL;
    unsigned n = 0;
    const enum err e = user_list(x->ctx->reg, &list, &n);
    if (e != OK) {
        exchange_err(x, e);
        return;
    }
    json_t *items = json_array();
    for (unsigned i = 0; i < n; i++) json_array_append_new(items, user_json(x->ctx->reg, &list[i]));
    free(list);
    exchange_json(x, 200, json_pack("{s:o}", "items", items));
}

/* ---- the clerk's side -------------------------------------------------------------------------------------
 */

/* The user as he is now, into the answer. */
static enum err answer_user(struct register_db *r, struct exchange *x) {
    struct user_work *w = x->work;
    const enum err e = user_get(r, w->user.login, &w->user);
    if (e == OK) x->answer = user_json(r, &w->user);
    return e;
}

static enum err answer_secret(struct register_db *r, struct exchange *x) {
    const struct user_work *w = x->work;
    const enum err e = answer_user(r, x);
    if (e == OK) x->answer = json_pack("{s:o,s:s}", "user", x->answer, "one_time_secret", w->secret);
    return e;
}

static void name_object(struct exchange *x) {
    const struct user_work *w = x->work;
    (void)snprintf(x->object, sizeof x->object, "%s", w->user.login);
}

static enum err add(struct register_db *r, struct exchange *x) {
    struct user_work *w = x->work;
    user_password_make(w->secret);
    w->user.must_change = true;
    enum err e = user_add(r, &w->user, w->secret);
    if (e == ERR_EXISTS) return act_refuse(x, 409, "exists", NULL, "There is a user of that login.");
    if (e == ERR_USAGE) return act_bad_field(x, "login", "range");
    name_object(x);
    x->detail = json_deep_copy(x->asked);
    x->status = 201;
    return e ? e : answer_secret(r, x);
}

static enum err change(struct register_db *r, struct exchange *x) {
    struct user_work *w = x->work;
    enum err e = user_update(r, &w->user);
    if (e == ERR_DENIED)
        return act_refuse(x, 409, "last_administrator", NULL,
                          "Nobody could make users any more: name another administrator first.");
    if (e == ERR_USAGE) return act_bad_field(x, "user", "range");
    /* Sessions of the old role or of a disabled user end. */
    if (!e && (w->user.disabled || json_object_get(x->asked, "role")))
        e = session_close_user(r, w->user.login);
    name_object(x);
    x->detail = json_deep_copy(x->asked);
    return e ? e : answer_user(r, x);
}

static enum err reset_password(struct register_db *r, struct exchange *x) {
    struct user_work *w = x->work;
    user_password_make(w->secret);
    enum err e = user_password_set(r, w->user.login, w->secret, true);
    if (!e) e = session_close_user(r, w->user.login);
    name_object(x);
    return e ? e : answer_secret(r, x);
}

/* RFC 4648 base 32, as authenticator programs take it. */
static void base32(const uint8_t secret[static USER_TOTP_SECRET_BYTES], char out[static BASE32_BYTES]) {
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned n = 0;
    for (unsigned bit = 0; bit < USER_TOTP_SECRET_BYTES * 8; bit += 5) {
        const unsigned pair =
            (unsigned)secret[bit / 8] << 8 | (bit / 8 + 1 < USER_TOTP_SECRET_BYTES ? secret[bit / 8 + 1] : 0);
        out[n++] = digit[pair >> (11 - bit % 8) & 31];
    }
    out[n] = '\0';
}

static enum err enrol(struct register_db *r, struct exchange *x) {
    struct user_work *w = x->work;
    uint8_t secret[USER_TOTP_SECRET_BYTES];
    char uri[256];
    const enum err e = user_totp_set(r, w->user.login, secret);
    if (e) return e;
    base32(secret, w->totp);
    sodium_memzero(secret, sizeof secret);
    (void)snprintf(uri, sizeof uri, "otpauth://totp/Relecture:%s?secret=%s&issuer=Relecture", w->user.login,
                   w->totp);
    x->answer = json_pack("{s:s,s:s}", "secret", w->totp, "uri", uri);
    sodium_memzero(uri, sizeof uri);
    name_object(x);
    return OK;
}

static enum err remove_totp(struct register_db *r, struct exchange *x) {
    struct user_work *w = x->work;
    const enum err e = user_totp_set(r, w->user.login, NULL);
    name_object(x);
    return e ? e : answer_user(r, x);
}

static enum err end_sessions(struct register_db *r, struct exchange *x) {
    struct user_work *w = x->work;
    const enum err e = session_close_user(r, w->user.login);
    name_object(x);
    return e ? e : answer_user(r, x);
}

/* ---- the loop's side --------------------------------------------------------------------------------------
 */

/* Members of a new user (all needed) or of a change (those that are there). */
static bool read_user(struct exchange *x, struct user *u, enum field_need need) {
    const json_t *b = x->asked;
    char role[32] = "";
    if (!field_text(x, b, "name", json_object_get(b, "name") ? FIELD_NEEDED : need, u->name,
                    sizeof u->name) ||
        !field_text(x, b, "role", need, role, sizeof role) ||
        !field_text(x, b, "habilitation", FIELD_OPTIONAL, u->habilitation, sizeof u->habilitation) ||
        !field_integer(x, b, "valid_from_ms", need, 0, MOMENT_MAX_MS, &u->valid_from_ms) ||
        !field_integer(x, b, "valid_to_ms", need, 0, MOMENT_MAX_MS, &u->valid_to_ms) ||
        !field_words(x, b, "criteria", FIELD_OPTIONAL, u->criteria, sizeof u->criteria) ||
        !field_bool(x, b, "disabled", &u->disabled))
        return false;
    if (*role) u->role = role_by_name(role);
    if (u->role == ROLE_NONE) return field_bad(x, "role", "unknown");
    if (u->valid_to_ms <= u->valid_from_ms) return field_bad(x, "valid_to_ms", "order");
    return !*u->criteria || case_criteria_known(u->criteria) || field_bad(x, "criteria", "unknown");
}

void api_users_post(struct exchange *x) {
    static const char *const known[] = {"login",         "name",        "role",     "habilitation",
                                        "valid_from_ms", "valid_to_ms", "criteria", NULL};
    if (!exchange_asked(x, known)) return;
    struct user_work *w = x->work = calloc(1, sizeof *w);
    x->work_free = work_free;
    if (!w)
        exchange_err(x, ERR_NOMEM);
    else if (field_text(x, x->asked, "login", FIELD_NEEDED, w->user.login, sizeof w->user.login) &&
             read_user(x, &w->user, FIELD_NEEDED))
        exchange_act(x, "user.add", add, NULL);
}

/* The user of the path; NULL = the exchange has ended. */
static struct user_work *find(struct exchange *x) {
    struct user_work *w = x->work = calloc(1, sizeof *w);
    x->work_free = work_free;
    const enum err e = w ? user_get(x->ctx->reg, x->match.parameter[0], &w->user) : ERR_NOMEM;
    if (e == OK) return w;
    exchange_err(x, e);
    return NULL;
}

void api_user_patch(struct exchange *x) {
    static const char *const known[] = {"name",        "role",     "habilitation", "valid_from_ms",
                                        "valid_to_ms", "criteria", "disabled",     NULL};
    if (!exchange_asked(x, known)) return;
    struct user_work *w = find(x);
    if (w && read_user(x, &w->user, FIELD_OPTIONAL)) exchange_act(x, "user.change", change, NULL);
}

void api_user_password_post(struct exchange *x) {
    if (find(x)) exchange_act(x, "user.password", reset_password, NULL);
}

/* One's own second factor needs no right. */
void api_user_totp_post(struct exchange *x) {
    if (strcmp(x->match.parameter[0], x->who.user.login) != 0 &&
        !rights_allow(x->who.user.role, ACTION_USER_EDIT)) {
        exchange_error(x, 403, "not_allowed",
                       json_pack("{s:s,s:s}", "action", action_name(ACTION_USER_EDIT), "role",
                                 role_name(x->who.user.role)),
                       "Your role may not do that.");
        return;
    }
    if (find(x)) exchange_act(x, "user.totp", enrol, NULL);
}

void api_user_totp_delete(struct exchange *x) {
    if (find(x)) exchange_act(x, "user.totp_off", remove_totp, NULL);
}

void api_user_logout_post(struct exchange *x) {
    if (find(x)) exchange_act(x, "user.logout", end_sessions, NULL);
}
