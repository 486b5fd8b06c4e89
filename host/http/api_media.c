/* SPDX-License-Identifier: Apache-2.0 */
/* GET /media: thumbnails from the index; clips and stills from the view copies. */
#include "host/http/api.h"

#include <stdlib.h>

void api_media_thumbnail_get(struct exchange *x) {
    uint64_t id;
    struct perimeter p;
    uint8_t *jpeg = NULL;
    size_t n = 0;
    if (!exchange_case(x)) return;
    case_perimeter(&x->c, &p);
    enum err e = router_u64(x->match.parameter[0], &id)
                     ? index_thumbnail_get(x->ctx->reader, &p, id, &jpeg, &n)
                     : ERR_MISSING;
    if (e != OK)
        exchange_err(x, e);
    else
        exchange_bytes(x, "image/jpeg", "private, max-age=3600, immutable", jpeg, n);
}
