/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* 0..65535 from one to five digits, the whole text; -1 otherwise. */
static int port_of(const char *text) {
    size_t n = strspn(text, "0123456789");
    if (n == 0 || n > 5 || text[n] != '\0') return -1;
    int port = 0;
    for (; *text; text++) port = port * 10 + (*text - '0');
    return port <= UINT16_MAX ? port : -1;
}

enum err guard_listen(const char *text, struct sockaddr_storage *out, socklen_t *n_bytes) {
    char address[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(text, ':');
    memset(out, 0, sizeof *out);
    if (!colon || (size_t)(colon - text) >= sizeof address) return ERR_USAGE;
    size_t n = (size_t)(colon - text);
    int port = port_of(colon + 1);
    if (port < 0 || n == 0) return ERR_USAGE;
    memcpy(address, text, n);
    address[n] = '\0';
    if (address[0] == '[' && address[n - 1] == ']') {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        address[n - 1] = '\0';
        if (inet_pton(AF_INET6, address + 1, &in6.sin6_addr) != 1) return ERR_USAGE;
        memcpy(out, &in6, sizeof in6);
        *n_bytes = sizeof in6;
    } else {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        if (inet_pton(AF_INET, address, &in.sin_addr) != 1) return ERR_USAGE;
        memcpy(out, &in, sizeof in);
        *n_bytes = sizeof in;
    }
    return OK;
}

/* The length of the name in "name[:port]"; 0 when the port is not 1 to 5 digits or the name is empty. */
static size_t name_length(const char *host) {
    size_t n = host[0] == '[' ? strcspn(host, "]") + (strchr(host, ']') ? 1 : 0) : strcspn(host, ":");
    const char *port = host + n;
    if (*port == '\0') return n;
    size_t digits = strspn(port + 1, "0123456789");
    return *port == ':' && digits >= 1 && digits <= 5 && port[1 + digits] == '\0' ? n : 0;
}

static bool is_listed(const char *names, const char *name, size_t n) {
    for (const char *p = names; p && *p;) {
        p += strspn(p, ", ");
        const size_t len = strcspn(p, ", ");
        if (len == n && len > 0 && strncasecmp(p, name, n) == 0) return true;
        p += len;
    }
    return false;
}

bool guard_host(const char *host, const char *names) {
    char address[INET6_ADDRSTRLEN];
    unsigned char binary[16];
    if (!host) return false;
    size_t n = name_length(host);
    if (n == 0) return false;
    if (n == 9 && strncasecmp(host, "localhost", 9) == 0) return true;
    const bool v6 = host[0] == '[' && host[n - 1] == ']';
    const char *bare = v6 ? host + 1 : host;
    const size_t n_bare = v6 ? n - 2 : n;
    if (n_bare > 0 && n_bare < sizeof address) {
        memcpy(address, bare, n_bare);
        address[n_bare] = '\0';
        /* inet_pton takes four decimal parts only: no "127.1", no octal */
        if (inet_pton(v6 ? AF_INET6 : AF_INET, address, binary) == 1) return true;
    }
    return is_listed(names, host, n);
}

bool guard_origin(const char *origin, const char *host) {
    if (!origin) return true;
    return host && strncmp(origin, "https://", 8) == 0 && strcasecmp(origin + 8, host) == 0;
}

bool guard_fetch_site(const char *site) {
    return !site || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
}
