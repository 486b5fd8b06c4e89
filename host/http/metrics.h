/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - counters for the site's monitoring, in Prometheus' text format 0.0.4, at /metrics of a port of
 * its own on 127.0.0.1, without TLS and without login: numbers only, never a name, a plate, a case or a file.
 * Threads: the loop's. */
#ifndef HOST_HTTP_METRICS_H
#define HOST_HTTP_METRICS_H

#include "host/base/err.h"

struct http_server;
struct metrics;

/* Borrows the server for its life. ERR_BUSY: the port is taken; ERR_NOMEM. */
MUST_CHECK enum err metrics_new(const struct http_server *server, unsigned port, struct metrics **out);
void metrics_free(struct metrics **m);

#endif
