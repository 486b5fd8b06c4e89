/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as what a request's head holds: Host, Origin, a listen address, and a path against the API's
 * table. Only names of this server and addresses pass, and a parameter never holds a slash or more than its
 * room. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "host/http/guard.h"
#include "host/http/router.h"
#include "tests/fuzz/fuzz.h"

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x)) abort();                                                                                   \
    } while (0)

/* The table's shapes; the handlers need a server and are tested with one (tests/unit/test_http.c). */
static const struct route routes[] = {
    {ROUTER_GET, "/api/v1/boot", NULL, ROUTE_SIGNED_IN, false, false},
    {ROUTER_GET | ROUTER_POST, "/api/v1/search", NULL, ROUTE_SIGNED_IN, false, false},
    {ROUTER_GET, "/api/v1/sightings/{}", NULL, ROUTE_SIGNED_IN, false, false},
    {ROUTER_GET, "/api/v1/sightings/{}/clip", NULL, ROUTE_SIGNED_IN, false, false},
    {ROUTER_GET, "/api/v1/media/t/{}.jpg", NULL, ROUTE_SIGNED_IN, false, false},
    {ROUTER_GET, "/{}.{}", NULL, ROUTE_SIGNED_IN, false, false},
};

static void check_path(const char *text, enum router_method method) {
    struct router_match m;
    if (router_find(routes, sizeof routes / sizeof *routes, method, text, &m) != ROUTER_FOUND) return;
    REQUIRE(m.n_parameters <= ROUTER_PARAMETERS_MAX);
    for (unsigned i = 0; i < m.n_parameters; i++) {
        uint64_t v;
        REQUIRE(memchr(m.parameter[i], 0, ROUTER_PARAMETER_MAX) && m.parameter[i][0]);
        REQUIRE(!strpbrk(m.parameter[i], "/%\\ "));
        REQUIRE(strstr(text, m.parameter[i]));
        if (router_u64(m.parameter[i], &v))
            REQUIRE(strspn(m.parameter[i], "0123456789") == strlen(m.parameter[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static const enum router_method methods[] = {ROUTER_GET, ROUTER_POST, ROUTER_HEAD, ROUTER_OTHER};
    if (n == 0) return 0;
    char *text = malloc(n);
    if (!text) return 0;
    memcpy(text, data + 1, n - 1);
    text[n - 1] = '\0';
    if (guard_host(text, "centre.example")) {
        REQUIRE(strncasecmp(text, "localhost", 9) == 0 || strncasecmp(text, "centre.example", 14) == 0 ||
                text[0] == '[' || (text[0] >= '0' && text[0] <= '9'));
        REQUIRE(strlen(text) <= 54 && !strpbrk(text, "@/ \t\r\n"));
    }
    if (guard_origin(text, "127.0.0.1:8443")) REQUIRE(strcmp(text, "https://127.0.0.1:8443") == 0);
    struct sockaddr_storage at;
    socklen_t size;
    if (guard_listen(text, &at, &size) == OK) REQUIRE(at.ss_family == AF_INET || at.ss_family == AF_INET6);
    check_path(text, methods[data[0] % 4]);
    free(text);
    return 0;
}
