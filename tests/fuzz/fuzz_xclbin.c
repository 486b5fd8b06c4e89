/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an xclbin for the simulated card: refused, nothing read outside, nothing left behind. The code
 * in it is a program and is not loaded here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/xrt/model.h"
#include "tests/fuzz/fuzz.h"

void sim_note(const char *fmt, ...) {
    (void)fmt;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static struct sim_card card;
    if (n < sizeof(struct axlf)) return 0; /* XRT and driver/card_xrt.c refuse it */
    uint8_t *copy = malloc(n);
    if (!copy) return 0;
    memcpy(copy, data, n);
    for (size_t i = 0; i + 4 <= n; i++)
        if (memcmp(copy + i, "\177ELF", 4) == 0) copy[i] = 0;
    struct axlf *top = (struct axlf *)(void *)copy;
    top->m_header.m_length = n; /* driver/card_xrt.c has compared them */
    if (sim_xclbin_load(&card, top) == 0) abort();
    if (card.loaded || card.n_banks != 0 || card.n_cus != 0 || card.so) abort();
    free(copy);
    return 0;
}

/* The good one of the corpus, cut or with up to four wrong bytes. */
size_t fuzz_make_input(uint64_t seed, uint8_t *out, size_t cap) {
    FILE *f = fopen("tests/fuzz/corpus/xclbin/two-kernels", "rb");
    if (!f) return 0;
    size_t n = fread(out, 1, cap, f);
    fclose(f);
    if (n == 0) return 0;
    for (unsigned i = 0; i < seed % 5; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        out[(seed >> 33) % n] = (uint8_t)(seed >> 25);
    }
    return seed % 7 == 0 ? n - (seed >> 33) % n : n;
}
