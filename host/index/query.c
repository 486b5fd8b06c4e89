/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/query.h"

#include <stdlib.h>

void query_fini(struct query *q) {
    if (!q) return;
    free(q->cameras);
    q->cameras = NULL;
    q->n_cameras = 0;
}
