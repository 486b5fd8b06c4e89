/* SPDX-License-Identifier: Apache-2.0 */
/* router.h - the path table. A pattern is literal but for `{}`, which stands for one path element's worth of
 * letters, digits, '.', '_' and '-' (never '/', never empty), so "/api/v1/media/t/{}.jpg" takes "12.jpg".
 * Pure. Threads: any. */
#ifndef HOST_HTTP_ROUTER_H
#define HOST_HTTP_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROUTER_PARAMETERS_MAX 2u
#define ROUTER_PARAMETER_MAX  64u

enum router_method {
    ROUTER_GET = 1,
    ROUTER_POST = 2,
    ROUTER_HEAD = 4,
    ROUTER_OTHER = 8,
    ROUTER_PATCH = 16,
    ROUTER_DELETE = 32
};

/* Whom a route answers; the strictest way to forget this member still asks for a session. */
enum route_access { ROUTE_SIGNED_IN, ROUTE_ANYONE, ROUTE_FIRST_ACTION };
/* Only roles that may do this action of host/case/rights.h: ROUTE_MAY(SEARCH). */
#define ROUTE_MAY(action) (ROUTE_FIRST_ACTION + (int)ACTION_##action)

struct exchange; /* host/http/exchange.h */
struct route {
    unsigned methods; /* of enum router_method; HEAD is understood wherever GET is */
    const char *pattern;
    void (*handle)(struct exchange *x);
    int access;         /* of enum route_access, or ROUTE_MAY() */
    bool quiet;         /* a page asks by itself: no sign of a person at the desk */
    bool with_one_time; /* answered although the password must be changed first */
};
struct router_match {
    const struct route *route;
    unsigned n_parameters;
    char parameter[ROUTER_PARAMETERS_MAX][ROUTER_PARAMETER_MAX];
    unsigned allowed; /* methods of the path, when none fits */
};
enum router_result { ROUTER_FOUND, ROUTER_NO_PATH, ROUTER_NO_METHOD };

/* `path` is decoded and terminated. The first route that fits wins. */
enum router_result router_find(const struct route *routes, size_t n, enum router_method method,
                               const char *path, struct router_match *out);

/* Decimal, the whole text, no sign; false when it does not fit. */
bool router_u64(const char *text, uint64_t *out);

#endif
