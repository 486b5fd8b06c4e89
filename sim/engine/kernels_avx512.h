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

/* RULE_SHIFT_16: the shift as the upper half of a product, which leaves the shuffling pipes free. */
static inline int16_t shift_factor(const struct rule *r) {
    return (int16_t)(r->kind == RULE_SHIFT_16 ? 1 << (16 - r->shift) : 0);
}

/* Rules whose limits packing with saturation does not keep by itself. */
static ALWAYS_INLINE bool clamps(enum rule_kind kind) {
    return kind == RULE_SHIFT || kind == RULE_SHIFT_16 || kind == RULE_LEFT;
}

/* kernels_avx512_depthwise.c */
enum err avx512_pack_depthwise(struct step *s, const int8_t *weights, const struct tap *taps, int32_t n_taps,
                               const int32_t *bias);
void avx512_run_depthwise(const struct step *s);

/* kernels_avx512_rolling.c: a depthwise step whose sorted taps it takes. */
bool avx512_rolls(const struct step *s, const struct tap *taps, int32_t n_taps);
enum err avx512_pack_rolling(struct step *s, const int8_t *weights, const struct tap *taps,
                             const int32_t *bias);
void avx512_run_rolling(const struct step *s);

#endif
