/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the path of a recording and as a sidecar file: what is read of them is a date that exists. The first
 * byte chooses: 0 a path, 1 JSON, else CSV. */
#include <stdlib.h>
#include <string.h>

#include "host/base/utf8.h"
#include "host/base/zone.h"
#include "host/import/naming.h"
#include "host/import/sidecar.h"
#include "tests/fuzz/fuzz.h"

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x)) abort();                                                                                   \
    } while (0)

static void check(const struct naming_time *t) {
    if (!t->known) return;
    REQUIRE(zone_date_exists(t->year, t->month, t->day) && t->ms >= 0 && t->ms < 86400000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n == 0) return 0;
    /* Exactly as long as it is said to be: a read beyond is seen. */
    char *text = malloc(n);
    if (!text) return 0;
    memcpy(text, data + 1, n - 1);
    text[n - 1] = 0;
    if (data[0] == 0) {
        struct naming m;
        struct naming_time t;
        naming_read(text, &m);
        check(&m.start);
        check(&m.end);
        if (naming_time_parse(text, &t)) check(&t);
        (void)naming_match_camera(text, "gare-01");
    } else {
        struct sidecar s;
        if (sidecar_read(text, n - 1, data[0] == 1, "one.mp4", &s)) {
            REQUIRE(*s.camera || *s.start);
            REQUIRE(utf8_is_valid(s.camera) && utf8_is_valid(s.start));
        }
    }
    free(text);
    return 0;
}
