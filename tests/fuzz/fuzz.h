/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h - what every target of tests/fuzz/fuzz_NAME.c has. The same file is linked with libFuzzer (make
 * fuzz) and with replay.c, which runs the committed corpus as an ordinary test in every variant. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Aborts on a broken promise; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Optional: a made input that reaches further than random bytes; how long it is. Replay runs many seeds of
 * it. */
__attribute__((weak)) size_t fuzz_make_input(uint64_t seed, uint8_t *out, size_t cap);

#endif
