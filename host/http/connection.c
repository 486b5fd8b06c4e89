/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/connection.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <openssl/ssl.h>

#include "host/base/log.h"

#define SECURITY_HEADERS                                                                                     \
    "Content-Security-Policy: default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri "        \
    "'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'\r\n"             \
    "Strict-Transport-Security: max-age=31536000\r\n"                                                        \
    "X-Content-Type-Options: nosniff\r\n"                                                                    \
    "Referrer-Policy: no-referrer\r\n"                                                                       \
    "Cross-Origin-Opener-Policy: same-origin\r\n"                                                            \
    "Cross-Origin-Resource-Policy: same-origin\r\n"                                                          \
    "Permissions-Policy: camera=(), microphone=(), geolocation=(), display-capture=(), usb=(), serial=(), "  \
    "hid=(), payment=(), midi=(), idle-detection=()\r\n"

/* Ends with its SSL object, which ends with its bufferevent, whoever frees that. */
struct connection {
    TAILQ_ENTRY(connection) link;
    struct connections *all;
    struct bufferevent *bev; /* evhttp's */
    struct event *deadline;
    bool admitted;
    struct sockaddr_storage peer;
};
TAILQ_HEAD(connection_list, connection);

struct connections {
    struct event_base *base;
    SSL_CTX *tls;
    struct evconnlistener *listener; /* NULL once the server is gone */
    struct connection_list open;
    unsigned n;
    bool abandoned; /* freed with the last connection */
};

static void release(struct connections *c) {
    if (!c->abandoned || c->n > 0) return;
    SSL_CTX_free(c->tls);
    free(c);
}

static void on_ssl_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp) {
    (void)parent;
    (void)ad;
    (void)index;
    (void)argl;
    (void)argp;
    struct connection *k = ptr;
    if (!k) return;
    struct connections *c = k->all;
    TAILQ_REMOVE(&c->open, k, link);
    if (c->n-- == CONNECTIONS_MAX && c->listener) evconnlistener_enable(c->listener);
    event_free(k->deadline);
    free(k);
    release(c);
}

static int ssl_index(void) {
    static int index = -1;
    if (index < 0) index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_free);
    return index;
}

static struct connection *of_request(struct evhttp_request *req) {
    struct evhttp_connection *con = evhttp_request_get_connection(req);
    SSL *ssl = con ? bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(con)) : NULL;
    return ssl ? SSL_get_ex_data(ssl, ssl_index()) : NULL;
}

/* ---- headers ---------------------------------------------------------------------------------------------
 */

static bool is_status_line(const char *text, size_t n) {
    static const char digits[] = "0123456789";
    if (n < 15 || memcmp(text, "HTTP/1.", 7) != 0 || !strchr("01", text[7]) || text[8] != ' ') return false;
    for (int i = 9; i < 12; i++)
        if (!strchr(digits, text[i])) return false;
    const char *end = memchr(text, '\r', n);
    return text[12] == ' ' && end == text + n - 2 && end[1] == '\n';
}

/* evhttp adds the status line by a call of its own, for our answers and for those that it makes by itself:
 * the headers go right behind it. No header can be added to the latter in any other way (libevent 2.1). */
static void on_output(struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg) {
    char line[128];
    struct evbuffer_ptr at;
    (void)arg;
    const size_t n = info->n_added, all = evbuffer_get_length(out);
    if (n < 15 || n > sizeof line || n > all || evbuffer_ptr_set(out, &at, all - n, EVBUFFER_PTR_SET) != 0)
        return;
    if (evbuffer_copyout_from(out, &at, line, n) == (ev_ssize_t)n && is_status_line(line, n))
        evbuffer_add(out, SECURITY_HEADERS, sizeof SECURITY_HEADERS - 1);
}

/* ---- places and deadlines --------------------------------------------------------------------------------
 */

/* Seen from evhttp the client has gone. */
static void hang_up(struct connection *k) {
    (void)shutdown(bufferevent_getfd(k->bev), SHUT_RDWR);
}

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b) {
    struct sockaddr_in a4, b4;
    struct sockaddr_in6 a6, b6;
    if (a->ss_family != b->ss_family) return false;
    memcpy(&a4, a, sizeof a4);
    memcpy(&b4, b, sizeof b4);
    memcpy(&a6, a, sizeof a6);
    memcpy(&b6, b, sizeof b6);
    return a->ss_family == AF_INET ? a4.sin_addr.s_addr == b4.sin_addr.s_addr
                                   : memcmp(&a6.sin6_addr, &b6.sin6_addr, sizeof a6.sin6_addr) == 0;
}

static unsigned n_of_address(const struct connection *k) {
    const struct connection *other;
    unsigned n = 0;
    TAILQ_FOREACH(other, &k->all->open, link) n += other->admitted && same_address(&other->peer, &k->peer);
    return n;
}

/* First at once, when evhttp has given the connection its socket; then when time is up. */
static void on_deadline(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    struct connection *k = arg;
    socklen_t n = sizeof k->peer;
    if (k->admitted || getpeername(bufferevent_getfd(k->bev), (struct sockaddr *)&k->peer, &n) != 0) {
        hang_up(k);
        return;
    }
    if (n_of_address(k) >= CONNECTIONS_OF_ONE_ADDRESS) {
        log_warn("http", "connections=%u of one address refused=1", CONNECTIONS_OF_ONE_ADDRESS);
        hang_up(k);
        return;
    }
    k->admitted = true;
    event_add(k->deadline, &(struct timeval){.tv_sec = CONNECTION_FIRST_S});
}

static void on_answered(struct evhttp_request *req, void *arg) {
    (void)arg;
    struct connection *k = of_request(req);
    if (k) event_add(k->deadline, &(struct timeval){.tv_sec = CONNECTION_NEXT_S});
}

bool connection_request(struct evhttp_request *req) {
    struct connection *k = of_request(req);
    if (!k) return false;
    k->admitted = true; /* its first request was faster than the look at its address */
    event_del(k->deadline);
    evhttp_request_set_on_complete_cb(req, on_answered, NULL);
    return true;
}

/* ---- accepting -------------------------------------------------------------------------------------------
 */

/* Takes `ssl` on success. */
static struct connection *connection_new(struct connections *c, SSL *ssl) {
    struct connection *k = calloc(1, sizeof *k);
    if (!k) return NULL;
    k->all = c;
    k->deadline = event_new(c->base, -1, 0, on_deadline, k);
    if (!k->deadline || SSL_set_ex_data(ssl, ssl_index(), k) != 1) {
        if (k->deadline) event_free(k->deadline);
        free(k);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&c->open, k, link);
    if (++c->n == CONNECTIONS_MAX && c->listener) {
        log_warn("http", "connections=%u all places are taken, others wait", c->n);
        evconnlistener_disable(c->listener);
    }
    return k;
}

struct bufferevent *connection_accept(struct event_base *base, void *arg) {
    struct connections *c = arg;
    SSL *ssl = SSL_new(c->tls);
    struct connection *k = ssl ? connection_new(c, ssl) : NULL;
    struct bufferevent *bev =
        k ? bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
          : NULL;
    if (!bev) {
        if (!k) SSL_free(ssl); /* else libevent has it */
        return NULL;
    }
    k->bev = bev;
    bufferevent_openssl_set_allow_dirty_shutdown(bev, 1); /* requests and answers tell their lengths */
    /* Larger single writes: a range is one call, not one per 16 kB. */
    if (bufferevent_set_max_single_write(bev, 1 << 20) != 0 ||
        !evbuffer_add_cb(bufferevent_get_output(bev), on_output, NULL)) {
        bufferevent_free(bev);
        return NULL;
    }
    event_add(k->deadline, &(struct timeval){0});
    return bev;
}

enum err connections_new(struct event_base *base, SSL_CTX *tls, struct evconnlistener *listener,
                         struct connections **out) {
    *out = NULL;
    struct connections *c = ssl_index() >= 0 ? calloc(1, sizeof *c) : NULL;
    if (!c) return ERR_NOMEM;
    c->base = base;
    c->tls = tls;
    SSL_CTX_up_ref(tls);
    c->listener = listener;
    TAILQ_INIT(&c->open);
    *out = c;
    return OK;
}

unsigned connections_open(const struct connections *c) {
    return c->n;
}

void connections_free(struct connections **connections) {
    struct connections *c = *connections;
    *connections = NULL;
    if (!c) return;
    c->listener = NULL;
    c->abandoned = true;
    release(c);
}
