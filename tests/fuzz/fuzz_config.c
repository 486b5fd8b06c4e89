/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as relecture.conf: it is taken or refused, and what was taken is within its limits and is printed
 * and read back the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

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

/* Each refusal says why on stderr: not a million times. */
static enum err parse_quietly(struct config *c, char *text, const char *name) {
    const int kept = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    REQUIRE(kept >= 0 && nowhere >= 0 && dup2(nowhere, STDERR_FILENO) >= 0);
    const enum err e = config_parse(c, text, name);
    REQUIRE(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
    close(nowhere);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    char *text = malloc(n + 1), *printed = NULL;
    if (!text) return 0;
    memcpy(text, data, n);
    text[n] = 0;
    struct config c, again;
    config_defaults(&c, "/usr/lib/relecture/bin");
    if (parse_quietly(&c, text, "relecture.conf") == OK) {
        size_t n_printed;
        within_limits(&c);
        config_finish(&c, "/usr/lib/relecture/bin");
        FILE *out = open_memstream(&printed, &n_printed);
        REQUIRE(out);
        config_print(&c, out);
        fclose(out);
        config_defaults(&again, "/usr/lib/relecture/bin");
        /* A value may hold what ends a line's meaning only when it came by --set, never by a file. */
        REQUIRE(parse_quietly(&again, printed, "printed") == OK);
        REQUIRE(again.n_cards == c.n_cards && strcmp(again.tz, c.tz) == 0 &&
                strcmp(again.listen, c.listen) == 0);
        free(printed);
    }
    free(text);
    return 0;
}
