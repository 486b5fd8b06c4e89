/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a Cookie header: it holds a token or none, and a token, written as the server writes it, is
 * read back the same, also behind what came before. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/http/login.h"
#include "tests/fuzz/fuzz.h"

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x)) abort();                                                                                   \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    uint8_t token[SESSION_TOKEN_BYTES], again[SESSION_TOKEN_BYTES];
    char text[sodium_base64_ENCODED_LEN(SESSION_TOKEN_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    char header[256];
    char *given = malloc(n + 1);
    if (!given || sodium_init() < 0) abort();
    memcpy(given, data, n);
    given[n] = 0;
    if (login_cookie(given, token)) {
        sodium_bin2base64(text, sizeof text, token, sizeof token, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        REQUIRE(strstr(given, text));
        snprintf(header, sizeof header, "language=fr; __Host-s=%s; other=1", text);
        REQUIRE(login_cookie(header, again) && memcmp(token, again, sizeof token) == 0);
    }
    REQUIRE(!login_cookie(NULL, token));
    free(given);
    return 0;
}
