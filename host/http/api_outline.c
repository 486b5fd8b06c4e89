/* SPDX-License-Identifier: Apache-2.0 */
/* GET /outline: the drawing of the city under the maps, if the site has put one into its data directory. */
#include "host/http/api.h"

#include <stdio.h>
#include <unistd.h>

void api_outline_get(struct exchange *x) {
    char path[1100];
    int n = snprintf(path, sizeof path, "%s/outline.json", x->ctx->data_dir);
    if (n < 0 || (size_t)n >= sizeof path || access(path, R_OK) != 0)
        exchange_err(x, ERR_MISSING);
    else
        exchange_file(x, path, "application/json", "private, max-age=3600");
}
