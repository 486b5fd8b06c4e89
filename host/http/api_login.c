/* SPDX-License-Identifier: Apache-2.0 */
/* POST /login, /logout and /password, GET /session: who works here. */
#include "host/http/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/http/field.h"
#include "host/http/login.h"

#define CLOCK_SLACK_MS (5LL * 60 * 1000)

/* What the gate works with; holds secrets, so it is wiped before the exchange frees it. */
struct gate_work {
    char login[sizeof((struct user *)0)->login];
    char secret[USER_PASSWORD_MAX + 1], new_secret[USER_PASSWORD_MAX + 1];
    char otp[16];
    uint8_t token[SESSION_TOKEN_BYTES];
};

static struct exchange *exchange_of(struct clerk_job *job) {
    return (struct exchange *)(void *)((char *)job - offsetof(struct exchange, job));
}

static json_t *rights_json(enum role role) {
    json_t *out = json_array();
    for (int a = 0; a < ACTION_COUNT; a++)
        if (rights_allow(role, (enum action)a))
            json_array_append_new(out, json_string(action_name((enum action)a)));
    return out;
}

json_t *api_words_json(const char *list) {
    json_t *out = json_array();
    for (const char *p = list; *p;) {
        p += strspn(p, ", ");
        const size_t n = strcspn(p, ", ");
        if (n > 0) json_array_append_new(out, json_stringn(p, n));
        p += n;
    }
    return out;
}

static json_t *session_json(const struct exchange *x) {
    char csrf[LOGIN_CSRF_BYTES];
    const struct user *u = &x->who.user;
    login_csrf(x->token, csrf);
    return json_pack("{s:{s:s,s:s,s:s,s:o,s:o,s:s,s:I,s:b,s:b},s:s,s:I,s:I,s:s,s:s,s:[ss]}", "user", "login",
                     u->login, "name", u->name, "role", role_name(u->role), "rights", rights_json(u->role),
                     "criteria", api_words_json(u->criteria), "habilitation", u->habilitation, "valid_to_ms",
                     (json_int_t)u->valid_to_ms, "totp", (int)u->has_totp, "must_change", (int)u->must_change,
                     "csrf", csrf, "idle_s", (json_int_t)logins_idle_s(x->server->logins), "server_ms",
                     (json_int_t)clock_wall_ms(), "tz", x->ctx->tz, "version", x->ctx->version, "languages",
                     "fr", "en");
}

void api_session_get(struct exchange *x) {
    exchange_json(x, 200, session_json(x));
}

void api_roles_get(struct exchange *x) {
    json_t *items = json_array();
    for (int r = ROLE_NONE + 1; r < ROLE_COUNT; r++)
        json_array_append_new(items, json_pack("{s:s,s:o}", "role", role_name((enum role)r), "rights",
                                               rights_json((enum role)r)));
    exchange_json(x, 200, json_pack("{s:o}", "items", items));
}

/* ---- the gate's side --------------------------------------------------------------------------------------
 */

static enum err add_line(struct register_db *r, const struct exchange *x, const char *action,
                         const char *login, json_t *detail) {
    uint64_t seq;
    json_object_set_new(detail, "station", json_string(x->station));
    char *text = json_dumps(detail, JSON_COMPACT);
    json_decref(detail);
    const struct journal_entry line = {.user = login,
                                       .role = role_name(x->who.user.role),
                                       .action = action,
                                       .case_id = "",
                                       .object = login,
                                       .detail = text ? text : "{}"};
    const enum err e = journal_add(r, &line, &seq);
    free(text);
    return e;
}

/* A clock that was set back is no reason to keep people out, but the auditor must see it. */
static enum err note_clock(struct register_db *r, const struct exchange *x, const char *login) {
    int64_t latest_ms;
    const int64_t now_ms = clock_wall_ms();
    const enum err e = register_now_ms(r, &latest_ms);
    if (e || latest_ms <= now_ms + CLOCK_SLACK_MS) return e;
    return add_line(r, x, "clock.back", login,
                    json_pack("{s:I,s:I}", "latest_ms", (json_int_t)latest_ms, "now_ms", (json_int_t)now_ms));
}

static enum err open_session(struct register_db *r, struct exchange *x, struct gate_work *w,
                             const char *action) {
    enum err e = register_begin(r);
    if (e) return e;
    if (strcmp(action, "password") == 0) {
        e = user_password_set(r, w->login, w->new_secret, false);
        if (!e) e = session_close_user(r, w->login);
    }
    if (!e) e = note_clock(r, x, w->login);
    if (!e) e = session_open(r, w->login, x->station, w->token);
    if (!e) e = add_line(r, x, action, w->login, json_object());
    return register_end(r, e);
}

/* Only logins that exist are named: what was typed may be anything, a password in the wrong field too. */
static void note_failure(struct register_db *r, struct exchange *x, const struct gate_work *w,
                         const char *action, enum err why) {
    struct user u;
    const bool known = user_get(r, w->login, &u) == OK;
    x->who.user.role = known ? u.role : ROLE_NONE;
    const enum err e = add_line(r, x, action, known ? w->login : "unknown",
                                json_pack("{s:s}", "code", why == ERR_BUSY ? "locked" : "bad_login"));
    if (e) log_error("http", "journal of a failed login err=%s", err_text(e));
}

static void work_login(struct register_db *r, struct clerk_job *job) {
    struct exchange *x = exchange_of(job);
    struct gate_work *w = x->work;
    x->result = user_login(r, w->login, w->secret, *w->otp ? w->otp : NULL, &x->who.user);
    if (x->result == ERR_DENIED || x->result == ERR_BUSY) {
        note_failure(r, x, w, "login.refused", x->result);
        return;
    }
    if (x->result == OK) x->result = open_session(r, x, w, "login");
}

static void work_password(struct register_db *r, struct clerk_job *job) {
    struct exchange *x = exchange_of(job);
    struct gate_work *w = x->work;
    x->result = user_password_verify(r, w->login, w->secret);
    if (x->result == ERR_DENIED) {
        note_failure(r, x, w, "password.refused", ERR_DENIED);
        return;
    }
    if (x->result == OK &&
        (strcmp(w->secret, w->new_secret) == 0 || user_password_check(w->login, w->new_secret)))
        x->result = ERR_USAGE;
    if (x->result == OK) x->result = open_session(r, x, w, "password");
}

/* ---- the loop's side --------------------------------------------------------------------------------------
 */

/* ends: 429 */
static void refuse_locked(struct exchange *x, unsigned wait_s) {
    char text[16];
    (void)snprintf(text, sizeof text, "%u", wait_s);
    exchange_set_header(x, "Retry-After", text);
    exchange_error(x, 429, "locked", json_pack("{s:I}", "retry_s", (json_int_t)wait_s),
                   "Too many failures; wait, or ask an administrator.");
}

static void done_gate(struct clerk_job *job) {
    struct exchange *x = exchange_of(job);
    struct gate_work *w = x->work;
    struct logins *l = x->server->logins;
    enum err e = x->result;
    char login[sizeof w->login];
    memcpy(login, w->login, sizeof login);
    memcpy(x->token, w->token, sizeof x->token);
    sodium_memzero(w, sizeof *w);
    if (e == ERR_DENIED || e == ERR_BUSY) login_failed(l, x->station, login);
    if (e == OK) {
        login_succeeded(l, login);
        e = session_find(x->ctx->reg, x->token, &x->who);
    }
    if (e == OK) {
        login_used(x);
        login_set_cookie(x, x->token);
        exchange_json(x, 200, session_json(x));
    } else if (e == ERR_DENIED) {
        exchange_error(x, 401, "bad_login", NULL, "Login, password or code are not right.");
    } else if (e == ERR_BUSY) {
        refuse_locked(x, USER_LOCKOUT_MS / 1000);
    } else if (e == ERR_USAGE) {
        exchange_error(x, 422, "weak_password", NULL,
                       "A password needs 12 characters of three kinds, not the login, and not the old one.");
    } else {
        exchange_err(x, e);
    }
}

/* ends */
static void ask_gate(struct exchange *x, void (*work)(struct register_db *, struct clerk_job *)) {
    const struct gate_work *w = x->work;
    const unsigned wait_s = login_must_wait(x->server->logins, x->station, w->login);
    if (wait_s > 0) {
        refuse_locked(x, wait_s);
        return;
    }
    x->job.work = work;
    x->job.done = done_gate;
    const enum err e = clerk_add(x->server->gate, &x->job);
    if (e != OK) exchange_err(x, e);
}

/* Passwords may hold any character but control characters; their length is no secret. */
static bool read_secret(struct exchange *x, const char *name, char out[static USER_PASSWORD_MAX + 1]) {
    return field_text(x, x->asked, name, FIELD_NEEDED, out, USER_PASSWORD_MAX + 1);
}

void api_login_post(struct exchange *x) {
    static const char *const known[] = {"login", "secret", "otp", NULL};
    if (!exchange_asked(x, known)) return;
    struct gate_work *w = x->work = calloc(1, sizeof *w);
    if (!w) {
        exchange_err(x, ERR_NOMEM);
        return;
    }
    if (!field_text(x, x->asked, "login", FIELD_NEEDED, w->login, sizeof w->login) ||
        !read_secret(x, "secret", w->secret) ||
        !field_text(x, x->asked, "otp", FIELD_OPTIONAL, w->otp, sizeof w->otp))
        return;
    ask_gate(x, work_login);
}

void api_password_post(struct exchange *x) {
    static const char *const known[] = {"secret", "new_secret", NULL};
    if (!exchange_asked(x, known)) return;
    struct gate_work *w = x->work = calloc(1, sizeof *w);
    if (!w) {
        exchange_err(x, ERR_NOMEM);
        return;
    }
    memcpy(w->login, x->who.user.login, sizeof w->login);
    if (!read_secret(x, "secret", w->secret) || !read_secret(x, "new_secret", w->new_secret)) return;
    ask_gate(x, work_password);
}

static enum err close_session(struct register_db *r, struct exchange *x) {
    x->answer = json_object();
    return session_close(r, x->who.hash);
}

static void after_logout(struct exchange *x) {
    login_set_cookie(x, NULL);
    exchange_set_header(x, "Clear-Site-Data", "\"cache\""); /* pictures of the case */
}

void api_logout_post(struct exchange *x) {
    exchange_act(x, "logout", close_session, after_logout);
}
