/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a Range header: a part, when there is one, lies inside the body and is named as it is. The
 * first byte chooses the size of the body. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/http/range.h"
#include "tests/fuzz/fuzz.h"

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x)) abort();                                                                                   \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static const uint64_t sizes[] = {0, 1, 2, 10, 499, 1u << 20, UINT64_MAX / 2, UINT64_MAX};
    if (n == 0) return 0;
    uint64_t size = sizes[data[0] % (sizeof sizes / sizeof *sizes)];
    /* Exactly as long as it is said to be: a read beyond is seen. */
    char *header = malloc(n);
    if (!header) return 0;
    memcpy(header, data + 1, n - 1);
    struct range r;
    char text[RANGE_TEXT_MAX], again[RANGE_TEXT_MAX];
    switch (range_parse(header, n - 1, size, &r)) {
    case RANGE_PART:
        REQUIRE(r.n_bytes >= 1 && r.first_bytes < size && r.n_bytes <= size - r.first_bytes);
        range_content(&r, size, text);
        unsigned long long first, last, whole;
        REQUIRE(sscanf(text, "bytes %llu-%llu/%llu", &first, &last, &whole) == 3);
        REQUIRE(first == r.first_bytes && last - first + 1 == r.n_bytes && whole == size);
        /* What was answered, asked again, is answered the same. */
        snprintf(again, sizeof again, "bytes=%llu-%llu", first, last);
        struct range same;
        REQUIRE(range_parse(again, strlen(again), size, &same) == RANGE_PART);
        REQUIRE(same.first_bytes == r.first_bytes && same.n_bytes == r.n_bytes);
        break;
    case RANGE_WHOLE:
        REQUIRE(r.first_bytes == 0 && r.n_bytes == size);
        break;
    case RANGE_UNSATISFIABLE:
        break;
    default:
        abort();
    }
    free(header);
    return 0;
}
