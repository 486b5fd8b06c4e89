/* SPDX-License-Identifier: Apache-2.0 */
/* kernels_avx512.h - what the files of this instruction set share. */
#ifndef SIM_ENGINE_KERNELS_AVX512_H
#define SIM_ENGINE_KERNELS_AVX512_H

#include <immintrin.h>

#include "sim/engine/rows.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

static ALWAYS_INLINE __mmask64 first_bytes(int32_t n) {
    return n >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << n) - 1;
}

/* kernels_avx512_depthwise.c */
enum err avx512_pack_depthwise(struct step *s, const int8_t *weights, const struct tap *taps, int32_t n_taps,
                               const int32_t *bias);
void avx512_run_depthwise(const struct step *s);

#endif
