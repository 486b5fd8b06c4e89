/* SPDX-License-Identifier: Apache-2.0 */
/* connection.h - what every connection gets before evhttp reads a request: TLS, a deadline for the request, a
 * place among the connections that may be open at once, and the security headers on whatever is answered,
 * also by evhttp itself (400, 413, 501). Threads: the loop's. */
#ifndef HOST_HTTP_CONNECTION_H
#define HOST_HTTP_CONNECTION_H

#include <stdbool.h>

#include "host/base/err.h"
#include "host/http/certificate.h"

struct bufferevent;
struct connections;
struct evconnlistener;
struct event_base;
struct evhttp_request;

#define CONNECTIONS_MAX            512u
#define CONNECTIONS_OF_ONE_ADDRESS 64u
#define CONNECTION_FIRST_S         20 /* from accept to the end of the first request */
#define CONNECTION_NEXT_S          75 /* from an answer to the end of the next request */

/* Borrows the listener, which rests while all places are taken; shares the context. */
MUST_CHECK enum err connections_new(struct event_base *base, SSL_CTX *tls, struct evconnlistener *listener,
                                    struct connections **out);
/* For evhttp_set_bevcb(); arg = the connections. */
struct bufferevent *connection_accept(struct event_base *base, void *arg);
/* A whole request is there: its answer may take what it takes, then the next deadline runs. False: it did not
 * come by TLS (evhttp opens a plain connection when memory for a TLS one is refused) and must not be
 * answered. */
MUST_CHECK bool connection_request(struct evhttp_request *req);
unsigned connections_open(const struct connections *c);
/* Forgets the listener; those still open end with their bufferevents. */
void connections_free(struct connections **c);

#endif
