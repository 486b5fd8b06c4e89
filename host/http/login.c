/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/login.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <sodium.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/http/exchange.h"

#define COOKIE         "__Host-s"
#define ACTIVE_MAX     512u
#define SHOWN_MAX      4096u /* passages remembered per session; a power of two */
#define BRAKES_MAX     512u
#define BRAKE_MS       USER_LOCKOUT_MS
#define STATION_MAX    30u /* failures of one address, of whatever login */
#define CLOCK_SLACK_MS (5LL * 60 * 1000)
#define SWEEP_S        60
#define ENDED_MAX      16u

/* What one session did lately. The idle time runs on the monotonic clock; only over a restart of the server
 * the wall clock's word must do. */
struct active {
    uint8_t hash[SESSION_HASH_BYTES];
    int64_t mono_ms, wall_ms; /* of its last request */
    bool unsaved;             /* wall_ms is not in the register yet */
    const char *ended;        /* why; NULL = it goes on */
    uint64_t *shown;          /* passages that the journal says were shown; NULL = none */
};

struct brake {
    uint64_t key; /* 0 = free */
    unsigned n;
    int64_t until_mono_ms;
};

/* What the clerk writes now and then. */
struct sweep {
    struct clerk_job job;
    bool in_flight;
    unsigned n_seen, n_ended;
    struct {
        uint8_t hash[SESSION_HASH_BYTES];
        int64_t wall_ms;
    } seen[ACTIVE_MAX];
    struct {
        uint8_t hash[SESSION_HASH_BYTES];
        char login[64];
        enum role role;
        const char *reason;
    } ended[ENDED_MAX];
};

struct logins {
    struct http_server *server;
    unsigned idle_s;
    struct event *tick;
    struct active active[ACTIVE_MAX];
    struct brake brakes[BRAKES_MAX];
    uint8_t brake_key[crypto_shorthash_KEYBYTES];
    struct sweep sweep;
};

static int64_t mono_ms(void) {
    return (int64_t)(clock_mono_ns() / 1000000);
}

/* ---- what sessions did lately -----------------------------------------------------------------------------
 */

static struct active *find_active(struct logins *l, const uint8_t hash[static SESSION_HASH_BYTES]) {
    for (unsigned i = 0; i < ACTIVE_MAX; i++)
        if (l->active[i].wall_ms && memcmp(l->active[i].hash, hash, SESSION_HASH_BYTES) == 0)
            return &l->active[i];
    return NULL;
}

/* A free place, or that of the session quiet for longest. */
static struct active *new_active(struct logins *l, const uint8_t hash[static SESSION_HASH_BYTES]) {
    struct active *oldest = &l->active[0];
    for (unsigned i = 0; i < ACTIVE_MAX; i++) {
        if (!l->active[i].wall_ms) {
            oldest = &l->active[i];
            break;
        }
        if (l->active[i].mono_ms < oldest->mono_ms) oldest = &l->active[i];
    }
    free(oldest->shown);
    *oldest = (struct active){0};
    memcpy(oldest->hash, hash, SESSION_HASH_BYTES);
    return oldest;
}

static void touch(struct active *a) {
    a->mono_ms = mono_ms();
    a->wall_ms = clock_wall_ms();
    a->unsaved = true;
}

/* Mixes the case in: a passage lies in several cases. */
static uint64_t shown_key(const struct exchange *x, uint64_t sighting) {
    uint64_t key = sighting + 1; /* 0 = a free place */
    for (const char *p = x->c.id; *p; p++) key = (key ^ (unsigned char)*p) * 0x100000001b3u;
    return key;
}

bool login_was_shown(const struct exchange *x, uint64_t sighting) {
    const struct active *a = find_active(x->server->logins, x->who.hash);
    const uint64_t key = shown_key(x, sighting);
    return a && a->shown && a->shown[(key ^ key >> 32) & (SHOWN_MAX - 1)] == key;
}

void login_note_shown(struct exchange *x, uint64_t sighting) {
    struct active *a = find_active(x->server->logins, x->who.hash);
    const uint64_t key = shown_key(x, sighting);
    if (!a || (!a->shown && !(a->shown = calloc(SHOWN_MAX, sizeof *a->shown)))) return;
    a->shown[(key ^ key >> 32) & (SHOWN_MAX - 1)] = key;
}

/* ---- the sweep --------------------------------------------------------------------------------------------
 */

static enum err end_session(struct register_db *r, const struct sweep *w, unsigned i) {
    uint64_t seq;
    char detail[64];
    (void)snprintf(detail, sizeof detail, "{\"reason\":\"%s\"}", w->ended[i].reason);
    const struct journal_entry line = {.user = w->ended[i].login,
                                       .role = role_name(w->ended[i].role),
                                       .action = "session.end",
                                       .case_id = "",
                                       .object = w->ended[i].login,
                                       .detail = detail};
    const enum err e = session_close(r, w->ended[i].hash);
    return e ? e : journal_add(r, &line, &seq);
}

static void work_sweep(struct register_db *r, struct clerk_job *job) {
    const struct sweep *w = (const struct sweep *)job;
    enum err e = register_begin(r);
    if (e == OK) {
        for (unsigned i = 0; !e && i < w->n_seen; i++)
            e = session_seen(r, w->seen[i].hash, w->seen[i].wall_ms);
        for (unsigned i = 0; !e && i < w->n_ended; i++) e = end_session(r, w, i);
        if (!e) e = session_purge(r, clock_wall_ms() - 2 * LOGIN_AGE_MAX_MS);
        e = register_end(r, e);
    }
    if (e) log_error("http", "sessions cannot be kept err=%s", err_text(e));
}

static void done_sweep(struct clerk_job *job) {
    struct sweep *w = (struct sweep *)job;
    w->in_flight = false;
    w->n_ended = 0;
}

static void gather(struct logins *l) {
    struct sweep *w = &l->sweep;
    w->n_seen = 0;
    for (unsigned i = 0; i < ACTIVE_MAX; i++) {
        struct active *a = &l->active[i];
        if (!a->unsaved || a->ended) continue;
        a->unsaved = false;
        memcpy(w->seen[w->n_seen].hash, a->hash, SESSION_HASH_BYTES);
        w->seen[w->n_seen++].wall_ms = a->wall_ms;
    }
}

static void sweep(struct logins *l) {
    if (l->sweep.in_flight) return;
    gather(l);
    if (l->sweep.n_seen == 0 && l->sweep.n_ended == 0) return;
    l->sweep.in_flight = clerk_add(l->server->clerk, &l->sweep.job) == OK;
}

static void on_tick(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    sweep(arg);
}

/* Its row goes and the journal says why; until then memory refuses it. */
static void note_end(struct logins *l, const struct session *s, const char *reason) {
    struct sweep *w = &l->sweep;
    struct active *a = find_active(l, s->hash);
    if (!a) a = new_active(l, s->hash);
    touch(a);
    a->ended = reason;
    if (w->in_flight || w->n_ended == ENDED_MAX) return; /* the purge takes it later */
    memcpy(w->ended[w->n_ended].hash, s->hash, SESSION_HASH_BYTES);
    memcpy(w->ended[w->n_ended].login, s->user.login, sizeof s->user.login);
    w->ended[w->n_ended].role = s->user.role;
    w->ended[w->n_ended++].reason = reason;
    sweep(l);
}

enum err logins_new(struct http_server *s, unsigned idle_s, struct logins **out) {
    *out = NULL;
    struct logins *l = calloc(1, sizeof *l);
    if (!l) return ERR_NOMEM;
    l->server = s;
    l->idle_s = idle_s;
    l->sweep.job.work = work_sweep;
    l->sweep.job.done = done_sweep;
    crypto_shorthash_keygen(l->brake_key);
    l->tick = event_new(s->ctx.base, -1, EV_PERSIST, on_tick, l);
    if (!l->tick || event_add(l->tick, &(struct timeval){.tv_sec = SWEEP_S}) != 0) {
        logins_free(&l);
        return ERR_NOMEM;
    }
    *out = l;
    return OK;
}

/* After the clerk: what it has not got is written here, so that a restart knows who was there last. */
void logins_free(struct logins **logins) {
    struct logins *l = *logins;
    *logins = NULL;
    if (!l) return;
    gather(l);
    l->sweep.n_ended = 0;
    if (l->sweep.n_seen > 0) work_sweep(l->server->ctx.reg, &l->sweep.job);
    if (l->tick) event_free(l->tick);
    for (unsigned i = 0; i < ACTIVE_MAX; i++) free(l->active[i].shown);
    free(l);
}

unsigned logins_idle_s(const struct logins *l) {
    return l->idle_s;
}

/* ---- cookie and token -------------------------------------------------------------------------------------
 */

bool login_cookie(const char *header, uint8_t token[static SESSION_TOKEN_BYTES]) {
    const size_t n_name = sizeof COOKIE "=" - 1;
    for (const char *p = header; p && *p;) {
        p += strspn(p, "; ");
        const size_t n = strcspn(p, ";");
        if (n > n_name && strncmp(p, COOKIE "=", n_name) == 0) {
            /* libsodium also takes some bytes above 127: only the text that we would write counts. */
            const int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
            char text[sodium_base64_ENCODED_LEN(SESSION_TOKEN_BYTES,
                                                sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
            size_t got = 0;
            if (n - n_name != sizeof text - 1 ||
                sodium_base642bin(token, SESSION_TOKEN_BYTES, p + n_name, n - n_name, NULL, &got, NULL,
                                  variant) != 0 ||
                got != SESSION_TOKEN_BYTES)
                return false;
            sodium_bin2base64(text, sizeof text, token, SESSION_TOKEN_BYTES, variant);
            return memcmp(text, p + n_name, sizeof text - 1) == 0;
        }
        p += n;
    }
    return false;
}

void login_set_cookie(struct exchange *x, const uint8_t token[SESSION_TOKEN_BYTES]) {
    char text[64] = "", header[160];
    if (token)
        sodium_bin2base64(text, sizeof text, token, SESSION_TOKEN_BYTES,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    (void)snprintf(header, sizeof header, COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s", text,
                   token ? "" : "; Max-Age=0");
    exchange_set_header(x, "Set-Cookie", header);
    sodium_memzero(text, sizeof text);
    sodium_memzero(header, sizeof header);
}

/* Made from the token, so that nothing more needs to be kept; the token cannot be made from it. */
void login_csrf(const uint8_t token[static SESSION_TOKEN_BYTES], char out[static LOGIN_CSRF_BYTES]) {
    static const unsigned char word[] = "csrf";
    unsigned char hash[16];
    crypto_generichash(hash, sizeof hash, word, sizeof word - 1, token, SESSION_TOKEN_BYTES);
    sodium_bin2hex(out, LOGIN_CSRF_BYTES, hash, sizeof hash);
}

/* ---- admission --------------------------------------------------------------------------------------------
 */

/* Why this session may not go on; NULL = it may. */
static const char *judge(struct logins *l, const struct session *s, const struct active *a) {
    const int64_t wall_ms = clock_wall_ms(), now_ms = http_now_ms(l->server);
    const int64_t idle_max_ms = (int64_t)l->idle_s * 1000;
    if (a && a->ended) return a->ended;
    if (s->user.disabled) return "disabled";
    if (!user_is_valid(&s->user, now_ms)) return "habilitation";
    if (s->created_ms > wall_ms + CLOCK_SLACK_MS) return "clock";
    if (now_ms - s->created_ms >= LOGIN_AGE_MAX_MS) return "too_old";
    if (a) return mono_ms() - a->mono_ms >= idle_max_ms ? "idle" : NULL;
    if (s->seen_ms > wall_ms + CLOCK_SLACK_MS) return "clock";
    return wall_ms - s->seen_ms >= idle_max_ms ? "idle" : NULL;
}

/* OK; ERR_DENIED with *reason; or what failed. */
static enum err find_session(struct http_server *s, const uint8_t token[static SESSION_TOKEN_BYTES],
                             struct session *who, const char **reason) {
    enum err e = session_find(s->ctx.reg, token, who);
    const struct active *a = find_active(s->logins, who->hash);
    *reason = NULL;
    if (e == ERR_MISSING) {
        *reason = a && a->ended ? a->ended : "ended";
        return ERR_DENIED;
    }
    if (e) return e;
    *reason = judge(s->logins, who, a);
    if (!*reason) return OK;
    if (!a || !a->ended) note_end(s->logins, who, *reason);
    return ERR_DENIED;
}

const char *login_ended(struct http_server *s, const uint8_t token[static SESSION_TOKEN_BYTES]) {
    struct session who;
    const char *reason = NULL;
    const enum err e = find_session(s, token, &who, &reason);
    return e == OK ? NULL : reason ? reason : "ended";
}

static bool csrf_fits(const struct exchange *x) {
    char want[LOGIN_CSRF_BYTES];
    const char *got = exchange_header(x, "X-CSRF");
    login_csrf(x->token, want);
    return got && strlen(got) == sizeof want - 1 && sodium_memcmp(got, want, sizeof want - 1) == 0;
}

static void refuse_session(struct exchange *x, const char *reason) {
    exchange_error(x, 401, "no_session", json_pack("{s:s}", "reason", reason), "Log in first.");
}

static void refuse_action(struct exchange *x, enum action action) {
    char view[64];
    const char *role = role_name(x->who.user.role);
    json_t *error = json_pack("{s:s,s:s,s:{s:s,s:s},s:s}", "code", "not_allowed", "message_key",
                              "error.not_allowed", "params", "action", action_name(action), "role", role,
                              "message", "Your role may not do that.");
    (void)snprintf(view, sizeof view, "refused %s", action_name(action));
    if (exchange_seen_lately(x, view)) { /* one line a minute: a page that tries again is one attempt */
        exchange_json(x, 403, error);
        return;
    }
    exchange_remember_view(x, view);
    exchange_journal_json(x, "refused",
                          json_pack("{s:s,s:s}", "action", action_name(action), "code", "not_allowed"), 403,
                          error);
}

bool login_admit(struct exchange *x) {
    const struct route *route = x->match.route;
    const char *reason = NULL;
    if (route->access == ROUTE_ANYONE) return true;
    const char *cookie = exchange_header(x, "Cookie");
    if (!login_cookie(cookie, x->token)) {
        refuse_session(x, cookie && strstr(cookie, COOKIE "=") ? "ended" : "none");
        return false;
    }
    const enum err e = find_session(x->server, x->token, &x->who, &reason);
    if (e == ERR_DENIED) {
        refuse_session(x, reason);
        return false;
    }
    if (e) {
        exchange_err(x, e);
        return false;
    }
    if (x->method != ROUTER_GET && x->method != ROUTER_HEAD && !csrf_fits(x)) {
        exchange_error(x, 403, "bad_csrf", NULL, "The request does not carry this session's X-CSRF.");
        return false;
    }
    if (!route->quiet) login_used(x);
    if (x->who.user.must_change && !route->with_one_time) {
        exchange_error(x, 403, "password_must_change", NULL, "Replace the one-time password first.");
        return false;
    }
    if (route->access >= ROUTE_FIRST_ACTION) {
        const enum action action = (enum action)(route->access - ROUTE_FIRST_ACTION);
        if (!rights_allow(x->who.user.role, action)) {
            refuse_action(x, action);
            return false;
        }
    }
    return true;
}

void login_used(struct exchange *x) {
    struct active *a = find_active(x->server->logins, x->who.hash);
    touch(a ? a : new_active(x->server->logins, x->who.hash));
}

/* ---- brakes -----------------------------------------------------------------------------------------------
 */

static uint64_t brake_key(const struct logins *l, char kind, const char *name) {
    char text[130];
    uint64_t key;
    const int n = snprintf(text, sizeof text, "%c%.128s", kind, name);
    crypto_shorthash((unsigned char *)&key, (const unsigned char *)text, (unsigned long long)n, l->brake_key);
    return key ? key : 1;
}

/* Its brake, or (make) the place of one that is over or over soonest. */
static struct brake *find_brake(struct logins *l, uint64_t key, bool make) {
    struct brake *first = &l->brakes[0];
    for (unsigned i = 0; i < BRAKES_MAX; i++) {
        if (l->brakes[i].key == key) {
            first = &l->brakes[i];
            break;
        }
        if (l->brakes[i].until_mono_ms < first->until_mono_ms) first = &l->brakes[i];
    }
    if (first->key == key && first->until_mono_ms > mono_ms()) return first;
    if (!make) return NULL;
    *first = (struct brake){.key = key};
    return first;
}

static unsigned wait_s(struct logins *l, char kind, const char *name, unsigned most) {
    const struct brake *b = find_brake(l, brake_key(l, kind, name), false);
    return b && b->n >= most ? (unsigned)((b->until_mono_ms - mono_ms() + 999) / 1000) : 0;
}

unsigned login_must_wait(struct logins *l, const char *station, const char *login) {
    const unsigned by_login = wait_s(l, 'l', login, USER_FAILURES_MAX);
    const unsigned by_station = wait_s(l, 's', station, STATION_MAX);
    return by_login > by_station ? by_login : by_station;
}

static void count(struct logins *l, char kind, const char *name) {
    struct brake *b = find_brake(l, brake_key(l, kind, name), true);
    b->n++;
    b->until_mono_ms = mono_ms() + BRAKE_MS;
}

void login_failed(struct logins *l, const char *station, const char *login) {
    count(l, 'l', login);
    count(l, 's', station);
}

void login_succeeded(struct logins *l, const char *login) {
    struct brake *b = find_brake(l, brake_key(l, 'l', login), false);
    if (b) *b = (struct brake){0};
}
