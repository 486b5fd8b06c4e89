/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/sighting.h"

#include <stdlib.h>

void sighting_free(struct sighting **s) {
    if (!s || !*s) return;
    free((*s)->thumbnail_jpeg);
    free(*s);
    *s = NULL;
}
