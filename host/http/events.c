/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <sodium.h>

#include "host/case/approval.h"
#include "host/case/journal.h"
#include "host/http/api.h"
#include "host/http/login.h"

#define CLIENTS_MAX   64u
#define PING_EVERY    15u /* ticks of a second */
#define BACKLOG_BYTES ((size_t)256 << 10)

enum topic { TOPIC_IMPORT, TOPIC_CASE, TOPIC_APPROVAL, TOPIC_JOURNAL, TOPIC_COUNT };
static const char *const topic_names[TOPIC_COUNT] = {"import", "case", "approval", "journal_head"};

struct client {
    TAILQ_ENTRY(client) link;
    struct events *ev;
    struct evhttp_request *req;
    char case_id[40]; /* "" = none */
    uint8_t token[SESSION_TOKEN_BYTES];
    char login[64];
    enum role role;
    unsigned topics;
    char *last[TOPIC_COUNT]; /* as last sent */
    unsigned quiet;
    uint64_t id;
};
TAILQ_HEAD(client_list, client);

struct events {
    struct http_server *server;
    struct event *tick;
    struct client_list clients;
    unsigned n;
};

static void forget(struct client *c) {
    TAILQ_REMOVE(&c->ev->clients, c, link);
    if (--c->ev->n == 0) event_del(c->ev->tick);
    for (unsigned t = 0; t < TOPIC_COUNT; t++) free(c->last[t]);
    sodium_memzero(c->token, sizeof c->token);
    free(c);
}

/* The browser is gone: its request has lost its connection and is freed by ending the reply. */
static void on_closed(struct evhttp_connection *con, void *arg) {
    (void)con;
    struct client *c = arg;
    struct evhttp_request *req = c->req;
    forget(c);
    evhttp_send_reply_end(req);
}

/* ---- states ----------------------------------------------------------------------------------------------
 */

static json_t *case_state(const struct client *c) {
    struct case_counts n;
    if (case_count(c->ev->server->ctx.reg, c->case_id, &n) != OK) return NULL;
    return json_pack("{s:s,s:i,s:i,s:i,s:i,s:I}", "case_id", c->case_id, "n_decisions", (int)n.n_decisions,
                     "n_exhibits", (int)n.n_exhibits, "n_extensions_pending", (int)n.n_extensions_pending,
                     "n_searches", (int)n.n_searches, "version",
                     (json_int_t)http_case_changes(c->ev->server, c->case_id));
}

struct approvals {
    const struct client *c;
    json_t *items;
};

static void add_approval(const struct approval *a, void *arg) {
    struct approvals *all = arg;
    const enum action needed = strcmp(a->kind, "seal") == 0 ? ACTION_EXPORT_APPROVE : ACTION_CASE_OPEN;
    if (rights_allow(all->c->role, needed))
        json_array_append_new(all->items,
                              json_pack("{s:s,s:s,s:I,s:s,s:I}", "kind", a->kind, "case_id", a->case_id, "id",
                                        (json_int_t)a->id, "by", a->by, "at_ms", (json_int_t)a->at_ms));
}

static json_t *approval_state(const struct client *c) {
    struct approvals all = {.c = c, .items = json_array()};
    if (approval_each(c->ev->server->ctx.reg, c->login, add_approval, &all) != OK) {
        json_decref(all.items);
        return NULL;
    }
    return json_pack("{s:o}", "items", all.items);
}

static json_t *journal_state(const struct client *c) {
    int64_t seq;
    char hash[JOURNAL_HASH_BYTES];
    if (journal_head(c->ev->server->ctx.reg, &seq, hash) != OK) return NULL;
    return json_pack("{s:I,s:s}", "seq", (json_int_t)seq, "hash", hash);
}

/* What is compared with the state before: the moment in it is no change. */
static char *compared(enum topic t, const json_t *state) {
    return json_dumps(t == TOPIC_IMPORT ? json_object_get(state, "items") : state,
                      JSON_COMPACT | JSON_REAL_PRECISION(4));
}

static json_t *state_of(const struct client *c, enum topic t) {
    switch (t) {
    case TOPIC_IMPORT:
        return api_imports_json(&c->ev->server->ctx, c->case_id);
    case TOPIC_CASE:
        return case_state(c);
    case TOPIC_APPROVAL:
        return approval_state(c);
    case TOPIC_JOURNAL:
        return journal_state(c);
    case TOPIC_COUNT:
        break;
    }
    return NULL;
}

/* Appends the topic's event when its state is another one. */
static void look(struct client *c, enum topic t, struct evbuffer *out) {
    json_t *state = state_of(c, t);
    char *now = state ? compared(t, state) : NULL;
    if (now && (!c->last[t] || strcmp(now, c->last[t]) != 0)) {
        char *text = json_dumps(state, JSON_COMPACT | JSON_REAL_PRECISION(4));
        if (text && evbuffer_add_printf(out, "id: %llu\nevent: %s\ndata: %s\n\n", (unsigned long long)++c->id,
                                        topic_names[t], text) > 0) {
            free(c->last[t]);
            c->last[t] = now;
            now = NULL;
        }
        free(text);
    }
    free(now);
    json_decref(state);
}

/* ---- streams ---------------------------------------------------------------------------------------------
 */

static void hang_up(struct client *c) {
    struct evhttp_request *req = c->req;
    evhttp_connection_set_closecb(evhttp_request_get_connection(req), NULL, NULL);
    forget(c);
    evhttp_send_reply_end(req);
}

static void say_end(struct client *c, const char *reason) {
    struct evbuffer *out = evbuffer_new();
    if (out && evbuffer_add_printf(out, "id: %llu\nevent: session\ndata: {\"reason\":\"%s\"}\n\n",
                                   (unsigned long long)++c->id, reason) > 0)
        evhttp_send_reply_chunk(c->req, out);
    if (out) evbuffer_free(out);
    hang_up(c);
}

static void update(struct client *c) {
    struct evhttp_connection *con = evhttp_request_get_connection(c->req);
    struct bufferevent *bev = evhttp_connection_get_bufferevent(con);
    const char *ended = login_ended(c->ev->server, c->token);
    if (ended) {
        say_end(c, ended);
        return;
    }
    /* A browser that does not read gets the next state when it does, not all of those in between. */
    if (evbuffer_get_length(bufferevent_get_output(bev)) > BACKLOG_BYTES) return;
    struct evbuffer *out = evbuffer_new();
    if (!out) return;
    for (unsigned t = 0; t < TOPIC_COUNT; t++)
        if (c->topics & 1u << t) look(c, (enum topic)t, out);
    if (evbuffer_get_length(out) == 0 && ++c->quiet >= PING_EVERY) evbuffer_add_printf(out, ": ping\n\n");
    if (evbuffer_get_length(out) > 0) {
        evhttp_send_reply_chunk(c->req, out);
        c->quiet = 0;
    }
    evbuffer_free(out);
}

static void on_tick(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    struct events *ev = arg;
    for (struct client *c = TAILQ_FIRST(&ev->clients), *next; c; c = next) {
        next = TAILQ_NEXT(c, link);
        update(c);
    }
}

enum err events_new(struct http_server *s, struct events **out) {
    *out = NULL;
    struct events *ev = calloc(1, sizeof *ev);
    if (!ev) return ERR_NOMEM;
    TAILQ_INIT(&ev->clients);
    ev->server = s;
    ev->tick = event_new(s->ctx.base, -1, EV_PERSIST, on_tick, ev);
    if (!ev->tick) {
        free(ev);
        return ERR_NOMEM;
    }
    *out = ev;
    return OK;
}

void events_add(struct events *ev, struct exchange *x, unsigned topics) {
    struct client *c = ev->n < CLIENTS_MAX ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        exchange_err(x, ERR_BUSY);
        return;
    }
    c->ev = ev;
    c->topics = topics;
    c->role = x->who.user.role;
    memcpy(c->case_id, x->c.id, sizeof c->case_id);
    memcpy(c->token, x->token, sizeof c->token);
    memcpy(c->login, x->who.user.login, sizeof c->login);
    exchange_set_header(x, "Content-Type", "text/event-stream");
    exchange_set_header(x, "Cache-Control", "no-store");
    c->req = exchange_detach(x);
    TAILQ_INSERT_TAIL(&ev->clients, c, link);
    if (ev->n++ == 0) event_add(ev->tick, &(struct timeval){.tv_sec = 1});
    struct evhttp_connection *con = evhttp_request_get_connection(c->req);
    /* A stream is quiet by nature; the client's silence is no reason to close it. */
    bufferevent_set_timeouts(evhttp_connection_get_bufferevent(con), NULL, NULL);
    evhttp_connection_set_closecb(con, on_closed, c);
    evhttp_send_reply_start(c->req, 200, NULL);
    update(c);
}

void events_free(struct events **events) {
    struct events *ev = *events;
    *events = NULL;
    if (!ev) return;
    for (struct client *c; (c = TAILQ_FIRST(&ev->clients));) hang_up(c);
    event_free(ev->tick);
    free(ev);
}

/* ---- GET /events -----------------------------------------------------------------------------------------
 */

/* "import,case" as bits; 0: a word is unknown. */
static unsigned topics_of(const char *list) {
    unsigned topics = 0;
    for (const char *p = list; *p; p += strspn(p, ",")) {
        const size_t n = strcspn(p, ",");
        unsigned bit = 0;
        for (unsigned t = 0; t < TOPIC_COUNT; t++)
            if (strlen(topic_names[t]) == n && strncmp(topic_names[t], p, n) == 0) bit = 1u << t;
        if (!bit) return 0;
        topics |= bit;
        p += n;
    }
    return topics;
}

#define OF_A_CASE (1u << TOPIC_IMPORT | 1u << TOPIC_CASE)

void api_events_get(struct exchange *x) {
    char list[96], id[40];
    const bool has_case = exchange_header(x, "X-Case") || exchange_query(x, "case", id, sizeof id);
    unsigned topics = (1u << TOPIC_COUNT) - 1;
    const bool chosen = exchange_query(x, "topics", list, sizeof list);
    if (chosen && !(topics = topics_of(list))) {
        exchange_err(x, ERR_USAGE);
        return;
    }
    if (x->method == ROUTER_HEAD) {
        exchange_error(x, 405, "bad_method", NULL, "A stream of events is read with GET.");
        return;
    }
    if (!chosen && !has_case) topics &= ~OF_A_CASE;
    if (!rights_allow(x->who.user.role, ACTION_JOURNAL_READ)) topics &= ~(1u << TOPIC_JOURNAL);
    if (!rights_allow(x->who.user.role, ACTION_CASE_READ)) topics &= ~OF_A_CASE;
    if ((topics & OF_A_CASE) && !exchange_case(x)) return;
    events_add(x->server->events, x, topics);
}
