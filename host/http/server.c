/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <openssl/ssl.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/http/api.h"
#include "host/http/certificate.h"
#include "host/http/connection.h"
#include "host/http/events.h"
#include "host/http/exchange.h"
#include "host/http/guard.h"
#include "host/http/journaler.h"
#include "host/http/login.h"
#include "host/http/metrics.h"
#include "host/http/sealer.h"

/* 2.1.12 closed a request smuggling hole; evhttp_set_bevcb and the limits below also need it. */
#define LIBEVENT_LEAST 0x02010c00u
#if LIBEVENT_VERSION_NUMBER < 0x02010c00
#error "libevent 2.1.12 or later is needed"
#endif

#define HEADERS_MAX_BYTES 16384
#define BODY_MAX_BYTES    65536
#define TIMEOUT_S         60
#define BACKLOG           128
#define ACTS_WAITING      256u
#define LOGINS_WAITING    32u
#define LOOKS_WAITING     32u

static enum router_method method_of(enum evhttp_cmd_type type) {
    if (type == EVHTTP_REQ_GET) return ROUTER_GET;
    if (type == EVHTTP_REQ_POST) return ROUTER_POST;
    if (type == EVHTTP_REQ_PATCH) return ROUTER_PATCH;
    if (type == EVHTTP_REQ_DELETE) return ROUTER_DELETE;
    return type == EVHTTP_REQ_HEAD ? ROUTER_HEAD : ROUTER_OTHER;
}

/* The decoded path, owned by the caller; NULL when it does not decode or holds a zero byte. */
static char *path_of(struct evhttp_request *req) {
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *raw = uri ? evhttp_uri_get_path(uri) : NULL;
    if (!raw || raw[0] != '/') return NULL;
    size_t n = 0;
    char *path = evhttp_uridecode(raw, 0, &n);
    if (path && strlen(path) == n) return path;
    free(path);
    return NULL;
}

/* Where the request comes from, without the port. */
static void note_station(struct exchange *x) {
    char *address = NULL;
    ev_uint16_t port = 0;
    struct evhttp_connection *con = evhttp_request_get_connection(x->req);
    if (con) evhttp_connection_get_peer(con, &address, &port);
    (void)snprintf(x->station, sizeof x->station, "%s", address ? address : "");
}

/* True when the request is addressed to us by a page of ours or a program; else the exchange has ended. */
static bool admit(struct exchange *x) {
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(x->req);
    const char *host = exchange_header(x, "Host");
    /* An absolute target would override Host in evhttp; only proxies send one. */
    if ((uri && evhttp_uri_get_host(uri)) || !guard_host(host, x->ctx->names)) {
        exchange_error(x, 421, "wrong_host", NULL,
                       "This server is not called so: site.names lists its names.");
        return false;
    }
    if (!guard_origin(exchange_header(x, "Origin"), host) ||
        !guard_fetch_site(exchange_header(x, "Sec-Fetch-Site"))) {
        exchange_error(x, 403, "wrong_origin", NULL, "The request comes from another site's page.");
        return false;
    }
    return true;
}

static void say_allowed(struct exchange *x, unsigned methods) {
    char text[64] = "";
    static const struct {
        unsigned method;
        const char *name;
    } names[] = {
        {ROUTER_GET, "GET, HEAD"}, {ROUTER_POST, "POST"}, {ROUTER_PATCH, "PATCH"}, {ROUTER_DELETE, "DELETE"}};
    for (size_t i = 0, n = 0; i < sizeof names / sizeof *names; i++)
        if (methods & names[i].method)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? ", " : "", names[i].name);
    exchange_set_header(x, "Allow", text);
    exchange_error(x, 405, "bad_method", NULL, "This address does not know that method.");
}

static void dispatch(struct exchange *x, const char *path) {
    size_t n = 0;
    const struct route *routes = api_routes(&n);
    const struct static_file *f;
    switch (router_find(routes, n, x->method, path, &x->match)) {
    case ROUTER_FOUND:
        if (login_admit(x)) x->match.route->handle(x);
        return;
    case ROUTER_NO_METHOD:
        say_allowed(x, x->match.allowed);
        return;
    case ROUTER_NO_PATH:
        break;
    }
    f = x->server->page ? static_find(x->server->page, path) : NULL;
    if (!f)
        exchange_error(x, 404, "not_found", NULL, "There is nothing at this address.");
    else if (x->method != ROUTER_GET && x->method != ROUTER_HEAD)
        say_allowed(x, ROUTER_GET);
    else
        exchange_static(x, f);
}

static void on_request(struct evhttp_request *req, void *arg) {
    struct http_server *s = arg;
    s->counters.n_requests++;
    if (!connection_request(req)) {
        evhttp_send_error(req, HTTP_BADREQUEST, NULL);
        return;
    }
    struct exchange *x = calloc(1, sizeof *x);
    if (!x) {
        evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
        return;
    }
    x->server = s;
    x->ctx = &s->ctx;
    x->req = req;
    x->method = method_of(evhttp_request_get_command(req));
    TAILQ_INSERT_TAIL(&s->open, x, link);
    note_station(x);
    if (!admit(x)) return;
    char *path = path_of(req);
    if (path)
        dispatch(x, path);
    else
        exchange_error(x, 400, "bad_path", NULL, "The address cannot be read.");
    free(path);
}

static enum err bind_socket(const char *listen_on, int *out, unsigned *port) {
    struct sockaddr_storage at;
    socklen_t n = 0;
    enum err e = guard_listen(listen_on, &at, &n);
    if (e != OK) {
        log_error("http", "listen=%s is not ADDRESS:PORT (numeric, such as 127.0.0.1:8443 or [::1]:8443)",
                  listen_on);
        return e;
    }
    int one = 1;
    int fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        log_error("http", "listen=%s errno=%d", listen_on, errno);
        return ERR_IO;
    }
    /* NODELAY is inherited by every connection: headers and a small body are two writes, and Nagle against
     * the client's delayed acknowledgement would hold the second back for 40 ms. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        bind(fd, (const struct sockaddr *)&at, n) != 0 || listen(fd, BACKLOG) != 0) {
        e = errno == EADDRINUSE ? ERR_BUSY : ERR_IO;
        log_error("http", "listen=%s errno=%d%s", listen_on, errno,
                  e == ERR_BUSY ? " the port is taken: end the other server or choose another port" : "");
        close(fd);
        return e;
    }
    n = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &n) != 0) {
        close(fd);
        return ERR_IO;
    }
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    memcpy(&in, &at, sizeof in);
    memcpy(&in6, &at, sizeof in6);
    *port = ntohs(at.ss_family == AF_INET ? in.sin_port : in6.sin6_port);
    *out = fd;
    return OK;
}

static enum err start_http(struct http_server *s, SSL_CTX *tls, int *fd) {
    s->http = evhttp_new(s->ctx.base);
    if (!s->http) return ERR_NOMEM;
    evhttp_set_max_headers_size(s->http, HEADERS_MAX_BYTES);
    evhttp_set_max_body_size(s->http, BODY_MAX_BYTES);
    evhttp_set_timeout(s->http, TIMEOUT_S);
    evhttp_set_default_content_type(s->http, NULL);
    /* Every method comes to us, so that even a refusal carries our headers and says what is allowed. */
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
                                            EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
                                            EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
    evhttp_set_gencb(s->http, on_request, s);
    struct evconnlistener *l =
        evconnlistener_new(s->ctx.base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, *fd);
    if (!l) return ERR_NOMEM;
    *fd = -1; /* the listener's now */
    const enum err e = connections_new(s->ctx.base, tls, l, &s->connections);
    if (e == OK) evhttp_set_bevcb(s->http, connection_accept, s->connections);
    if (e == OK && evhttp_bind_listener(s->http, l)) return OK;
    evconnlistener_free(l);
    return ERR_NOMEM;
}

/* The threads beside the loop, and what is known about logins. */
static enum err start_threads(struct http_server *s) {
    enum err e = journaler_new(s->ctx.base, s->ctx.data_dir, &s->journaler);
    if (e == OK) e = clerk_new(s->ctx.base, s->ctx.data_dir, ACTS_WAITING, &s->clerk);
    if (e == OK) e = clerk_new(s->ctx.base, s->ctx.data_dir, LOGINS_WAITING, &s->gate);
    if (e == OK && s->ctx.build_seal) e = sealer_new(s, &s->sealer);
    if (e == OK) e = clerk_new(s->ctx.base, s->ctx.data_dir, LOOKS_WAITING, &s->archive);
    if (e != OK)
        log_error("http", "data_dir=%s err=%s: its register cannot be opened", s->ctx.data_dir, err_text(e));
    if (e == OK) e = register_now_ms(s->ctx.reg, &s->latest_ms);
    return e == OK ? logins_new(s, s->ctx.idle_s, &s->logins) : e;
}

enum err http_server_new(const struct http_context *ctx, struct http_server **out) {
    int fd = -1;
    *out = NULL;
    if (event_get_version_number() < LIBEVENT_LEAST) {
        log_error("http", "libevent=%s is too old: 2.1.12 or later is needed", event_get_version());
        return ERR_UNSUPPORTED;
    }
    SSL_CTX *tls = NULL;
    struct http_server *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    s->ctx = *ctx;
    s->started_ms = clock_wall_ms();
    TAILQ_INIT(&s->open);
    enum err e = certificate_load(ctx->data_dir, &tls);
    if (e == OK) e = bind_socket(ctx->listen, &fd, &s->port);
    if (e != OK) goto fail;
    if (ctx->page_dir && (e = static_load(ctx->page_dir, &s->page)) != OK) {
        log_error("http", "page=%s err=%s: build it with `make web`", ctx->page_dir, err_text(e));
        goto fail;
    }
    if ((e = events_new(s, &s->events)) != OK) goto fail;
    if ((e = start_threads(s)) != OK) goto fail;
    if ((e = start_http(s, tls, &fd)) != OK) goto fail;
    if (ctx->metrics_port && (e = metrics_new(s, ctx->metrics_port, &s->metrics)) != OK) goto fail;
    SSL_CTX_free(tls); /* shared by the connections */
    log_info("http", "listening=%s port=%u libevent=%s tls=1.2,1.3", ctx->listen, s->port,
             event_get_version());
    *out = s;
    return OK;
fail:
    SSL_CTX_free(tls);
    if (fd >= 0) close(fd);
    http_server_free(&s);
    return e;
}

unsigned http_server_port(const struct http_server *s) {
    return s->port;
}

void http_server_free(struct http_server **server) {
    struct http_server *s = *server;
    *server = NULL;
    if (!s) return;
    api_plans_free(s);
    metrics_free(&s->metrics);
    events_free(&s->events);
    /* What is queued is written; then nobody else touches the exchanges. */
    sealer_free(&s->sealer);
    clerk_free(&s->archive);
    clerk_free(&s->gate);
    clerk_free(&s->clerk);
    journaler_free(&s->journaler);
    logins_free(&s->logins);
    /* Open exchanges wait for work that will not come; their requests go with their connections, or, when the
     * client left already, are ours to free. */
    for (struct exchange *x; (x = TAILQ_FIRST(&s->open));) {
        struct evhttp_request *req = exchange_detach(x);
        if (!evhttp_request_get_connection(req)) evhttp_request_free(req);
    }
    connections_free(&s->connections);
    if (s->http) evhttp_free(s->http);
    static_free(&s->page);
    free(s);
}
