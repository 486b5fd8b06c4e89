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

#include "host/http/api.h"

#define CLIENTS_MAX   64u
#define PING_EVERY    15u /* ticks of a second */
#define BACKLOG_BYTES ((size_t)256 << 10)

struct client {
    TAILQ_ENTRY(client) link;
    struct events *ev;
    struct evhttp_request *req;
    char case_id[40];
    char *last; /* items as last sent */
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
    free(c->last);
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

static void send_text(struct client *c, struct evbuffer *text) {
    evhttp_send_reply_chunk(c->req, text);
    c->quiet = 0;
}

static void update(struct client *c) {
    struct evhttp_connection *con = evhttp_request_get_connection(c->req);
    struct bufferevent *bev = evhttp_connection_get_bufferevent(con);
    /* A browser that does not read gets the next state when it does, not all of those in between. */
    if (evbuffer_get_length(bufferevent_get_output(bev)) > BACKLOG_BYTES) return;
    json_t *state = api_imports_json(&c->ev->server->ctx, c->case_id);
    char *items =
        state ? json_dumps(json_object_get(state, "items"), JSON_COMPACT | JSON_REAL_PRECISION(4)) : NULL;
    struct evbuffer *out = evbuffer_new();
    if (out && items && (!c->last || strcmp(items, c->last) != 0)) {
        char *text = json_dumps(state, JSON_COMPACT | JSON_REAL_PRECISION(4));
        if (text && evbuffer_add_printf(out, "id: %llu\nevent: import\ndata: %s\n\n",
                                        (unsigned long long)++c->id, text) > 0)
            send_text(c, out);
        free(text);
        free(c->last);
        c->last = items;
        items = NULL;
    } else if (out && ++c->quiet >= PING_EVERY && evbuffer_add_printf(out, ": ping\n\n") > 0) {
        send_text(c, out);
    }
    if (out) evbuffer_free(out);
    free(items);
    json_decref(state);
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

void events_add(struct events *ev, struct exchange *x) {
    struct client *c = ev->n < CLIENTS_MAX ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        exchange_err(x, ERR_BUSY);
        return;
    }
    c->ev = ev;
    memcpy(c->case_id, x->c.id, sizeof c->case_id);
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
    for (struct client *c; (c = TAILQ_FIRST(&ev->clients));) {
        struct evhttp_request *req = c->req;
        struct evhttp_connection *con = evhttp_request_get_connection(req);
        evhttp_connection_set_closecb(con, NULL, NULL);
        forget(c);
        evhttp_send_reply_end(req);
    }
    event_free(ev->tick);
    free(ev);
}

void api_events_get(struct exchange *x) {
    if (x->method == ROUTER_HEAD)
        exchange_error(x, 405, "bad_method", NULL, "A stream of events is read with GET.");
    else if (exchange_case(x))
        events_add(x->server->events, x);
}
