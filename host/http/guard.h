/* SPDX-License-Identifier: Apache-2.0 */
/* guard.h - who may talk to the server: the listen address, the Host and the Origin of a request. Pure
 * functions over texts from outside. Threads: any. */
#ifndef HOST_HTTP_GUARD_H
#define HOST_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/socket.h>

#include "host/base/err.h"

/* "127.0.0.1:8443" or "[::]:8443", numeric, port 0 = any free one. ERR_USAGE: not an address and port. */
MUST_CHECK enum err guard_listen(const char *text, struct sockaddr_storage *out, socklen_t *n_bytes);

/* The Host header names this server: an address, "localhost", or one of `names` (comma-separated, NULL =
 * none), with or without a port. A page of another site whose name was rebound to our address sends its own
 * name, and is refused here. */
bool guard_host(const char *host, const char *names);

/* A request that a page of ours sent: no Origin header (NULL), or https:// followed by exactly `host`. */
bool guard_origin(const char *origin, const char *host);

/* Sec-Fetch-Site as browsers send it; NULL (older browser, command line) passes. Pages of other sites do not.
 */
bool guard_fetch_site(const char *site);

#endif
