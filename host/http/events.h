/* SPDX-License-Identifier: Apache-2.0 */
/* events.h - server-sent events: of each topic a client gets the whole state whenever it changed, at most once
 * a second, so a client that comes back has missed nothing. A comment every 15 s keeps the line. A stream ends
 * with its session. Threads: the loop's. */
#ifndef HOST_HTTP_EVENTS_H
#define HOST_HTTP_EVENTS_H

#include "host/base/err.h"

struct events;
struct exchange;
struct http_server;

MUST_CHECK enum err events_new(struct http_server *s, struct events **out);
/* Ends the exchange; its request becomes a stream of these topics (bits of events.c). */
void events_add(struct events *ev, struct exchange *x, unsigned topics);
/* Ends every stream. */
void events_free(struct events **ev);

#endif
