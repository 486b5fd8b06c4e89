/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as relecture.conf: it is taken or refused, and what was taken is within its limits and is printed
 * and read back the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/config.h"
#include "tests/fuzz/fuzz.h"

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x)) abort();                                                                                   \
    } while (0)

static void within_limits(const struct config *c) {
    REQUIRE(c->n_cards >= 1 && c->n_cards <= 16);
    REQUIRE(c->retention_days >= 1 && c->retention_days <= 30);
    REQUIRE(strcmp(c->backend, "simulator") == 0 || strcmp(c->backend, "card") == 0);
    REQUIRE(memchr(c->tz, 0, sizeof c->tz) && memchr(c->listen, 0, sizeof c->listen));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static FILE *nowhere;
    if (!nowhere) nowhere = freopen("/dev/null", "w", stderr); /* each refusal says why */
    char *text = malloc(n + 1), *printed = NULL;
    if (!text) return 0;
    memcpy(text, data, n);
    text[n] = 0;
    struct config c, again;
    config_defaults(&c, "/usr/lib/relecture/bin");
    if (config_parse(&c, text, "relecture.conf") == OK) {
        size_t n_printed;
        within_limits(&c);
        config_finish(&c, "/usr/lib/relecture/bin");
        FILE *out = open_memstream(&printed, &n_printed);
        REQUIRE(out);
        config_print(&c, out);
        fclose(out);
        config_defaults(&again, "/usr/lib/relecture/bin");
        /* A value may hold what ends a line's meaning only when it came by --set, never by a file. */
        REQUIRE(config_parse(&again, printed, "printed") == OK);
        REQUIRE(again.n_cards == c.n_cards && strcmp(again.tz, c.tz) == 0 &&
                strcmp(again.listen, c.listen) == 0);
        free(printed);
    }
    free(text);
    return 0;
}
