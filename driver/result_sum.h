/* SPDX-License-Identifier: Apache-2.0 */
/* result_sum.h - the checksum of a network's results, where the runner library offers one (the simulator's
 * does: relecture_dpu_wait; a card's VART has none, see SEAM.md). C and C++. */
#ifndef DRIVER_RESULT_SUM_H
#define DRIVER_RESULT_SUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Goes on from `sum` (0 at the start) over n bytes. Four words side by side, since a multiplication waits for
 * the one before it; every step can be undone, so a wrong byte always shows in 64 bits, and in the 32 of the
 * result but for one time in 4e9. Pure. */
static inline uint32_t result_sum(uint32_t sum, const void *data, size_t n) {
    const uint8_t *p = (const uint8_t *)data;
    uint64_t s[4] = {sum, 1, 2, 3}, w[4];
    size_t i = 0;
    for (; i + sizeof w <= n; i += sizeof w) {
        memcpy(w, p + i, sizeof w);
        for (int k = 0; k < 4; k++) s[k] = (s[k] ^ w[k]) * 0x9e3779b97f4a7c15u;
    }
    for (; i < n; i++) s[0] = (s[0] ^ p[i]) * 0x9e3779b97f4a7c15u;
    for (int k = 1; k < 4; k++) s[0] = (s[0] ^ (s[0] >> 29) ^ s[k]) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)(s[0] >> 32);
}

#endif
