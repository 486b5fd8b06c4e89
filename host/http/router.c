/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/router.h"

#include <ctype.h>
#include <string.h>

static bool is_element(char c) {
    return isalnum((unsigned char)c) || c == '.' || c == '_' || c == '-';
}

static bool match(const char *pattern, const char *path, struct router_match *m) {
    m->n_parameters = 0;
    while (*pattern) {
        if (pattern[0] != '{' || pattern[1] != '}') {
            if (*pattern++ != *path++) return false;
            continue;
        }
        pattern += 2;
        size_t n = 0;
        while (is_element(path[n])) n++;
        /* What follows the parameter inside this element (".jpg") belongs to the pattern. */
        size_t suffix = strcspn(pattern, "/");
        if (n <= suffix || memcmp(path + n - suffix, pattern, suffix) != 0) return false;
        n -= suffix;
        if (n >= ROUTER_PARAMETER_MAX || m->n_parameters == ROUTER_PARAMETERS_MAX) return false;
        memcpy(m->parameter[m->n_parameters], path, n);
        m->parameter[m->n_parameters++][n] = '\0';
        path += n;
    }
    return *path == '\0';
}

enum router_result router_find(const struct route *routes, size_t n, enum router_method method,
                               const char *path, struct router_match *out) {
    unsigned wanted = method == ROUTER_HEAD ? ROUTER_GET : (unsigned)method;
    *out = (struct router_match){0};
    for (size_t i = 0; i < n; i++) {
        if (!match(routes[i].pattern, path, out)) continue;
        out->allowed |= routes[i].methods;
        if (!(routes[i].methods & wanted)) continue;
        out->route = &routes[i];
        return ROUTER_FOUND;
    }
    return out->allowed ? ROUTER_NO_METHOD : ROUTER_NO_PATH;
}

bool router_u64(const char *text, uint64_t *out) {
    uint64_t v = 0;
    if (!*text) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*text - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}
