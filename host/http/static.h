/* SPDX-License-Identifier: Apache-2.0 */
/* static.h - the bundled page, read once into memory. A request is answered by exact name from this table, so
 * no path of a request ever reaches the file system. FILE.gz beside FILE is its compressed form. Threads:
 * immutable after static_load(). Ownership: bodies live as long as the table; the server frees it after the
 * last connection. */
#ifndef HOST_HTTP_STATIC_H
#define HOST_HTTP_STATIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

struct static_page;
struct static_body {
    const uint8_t *data;
    size_t n_bytes;
    char etag[40]; /* strong, quoted; "" when this form does not exist */
};
struct static_file {
    const char *name; /* "assets/index-1a2b.js" */
    const char *mime;
    bool immutable; /* its name carries a hash of its content */
    struct static_body plain, gz;
};

/* Reads every regular file below `dir` (links and dot files are left out; at most 16 MiB in all).
 * ERR_MISSING: no such folder, or no index.html in it; ERR_IO; ERR_NOMEM; ERR_FULL: more than the limit. */
MUST_CHECK enum err static_load(const char *dir, struct static_page **out);
void static_free(struct static_page **p);

/* `path` as in the request ("/", "/assets/a.js"), decoded. NULL when there is none. */
const struct static_file *static_find(const struct static_page *p, const char *path);

#endif
