/* SPDX-License-Identifier: Apache-2.0 */
/* AVX2 without VNNI: products of 16 bits, two at a time. Multiplying bytes directly would saturate in
 * between. */
#include <immintrin.h>

#include "sim/engine/rows.h"

#define TILE_MAX 6
#define LANES    16 /* outputs of one group: two registers of sums */

/* Weights of 16 bits: [group of 16][tap][pair of channels][16 outputs][2]. */
static enum err pack_conv(struct step *s, const int8_t *weights, int32_t n_index, const struct tap *taps,
                          int32_t n_taps, const int32_t *bias) {
    size_t ic = (size_t)s->in[0].shape.c, oc = (size_t)s->out.shape.c, pairs = (ic + 1) / 2;
    size_t groups = (oc + LANES - 1) / LANES, n;
    enum err e = rows_tap_offsets(s, taps, n_taps);
    if (e) return e;
    s->steps = (int32_t)pairs;
    if (!size_mul(groups * LANES * 2 * sizeof(int16_t), pairs, &n) || !size_mul(n, (size_t)n_taps, &n))
        return ERR_NOMEM;
    int16_t *packed = aligned_alloc(64, n ? n : 64);
    s->weights = packed;
    s->bias = aligned_alloc(64, groups * LANES * sizeof *s->bias);
    if (!packed || !s->bias) return ERR_NOMEM;
    memset(packed, 0, n);
    memset(s->bias, 0, groups * LANES * sizeof *s->bias);
    memcpy(s->bias, bias, oc * sizeof *bias);
    for (size_t o = 0; o < oc; o++)
        for (size_t t = 0; t < (size_t)n_taps; t++)
            for (size_t i = 0; i < ic; i++) {
                size_t at = (((o / LANES) * (size_t)n_taps + t) * pairs + i / 2) * LANES + o % LANES;
                packed[at * 2 + i % 2] = weights[(o * (size_t)n_index + (size_t)taps[t].index) * ic + i];
            }
    s->packed_bytes = n + groups * LANES * sizeof *s->bias;
    return OK;
}

struct tile {
    const struct step *step;
    const uint8_t *in;
    uint8_t *out;
    const int16_t *weights;
    const int32_t *bias;
    int32_t channels;
};

static inline __m256i load(const void *at) {
    return _mm256_loadu_si256(at);
}

static inline __attribute__((always_inline)) void run_tile(const struct tile *t, const int pixels) {
    const struct step *s = t->step;
    const ptrdiff_t pixel = s->in[0].pixel * s->stride_w;
    const int16_t *w = t->weights;
    __m256i sums[TILE_MAX * 2];
    for (int p = 0; p < pixels * 2; p++) sums[p] = load(t->bias + p % 2 * 8);
    for (int32_t run = 0; run < s->n_runs; run++) {
        const uint8_t *in = t->in + s->run_offset[run];
        for (int32_t k = 0; k < s->steps; k++, in += 2, w += LANES * 2) {
            __m256i w0 = load(w), w1 = load(w + LANES);
            for (int p = 0; p < pixels; p++) {
                const uint8_t *two = in + p * pixel;
                uint32_t pair = (uint32_t)(two[0] - 128) & 0xffffU;
                pair |= (uint32_t)(two[1] - 128) << 16;
                __m256i x = _mm256_set1_epi32((int32_t)pair);
                sums[p * 2] = _mm256_add_epi32(sums[p * 2], _mm256_madd_epi16(x, w0));
                sums[p * 2 + 1] = _mm256_add_epi32(sums[p * 2 + 1], _mm256_madd_epi16(x, w1));
            }
        }
    }
    for (int p = 0; p < pixels; p++) {
        int32_t wide[LANES];
        memcpy(wide, &sums[p * 2], sizeof wide);
        rows_apply(&s->rule, wide, t->channels, t->out + p * s->out.pixel);
    }
}

static void tile_1(const struct tile *t) {
    run_tile(t, 1);
}
static void tile_2(const struct tile *t) {
    run_tile(t, 2);
}
static void tile_3(const struct tile *t) {
    run_tile(t, 3);
}
static void tile_4(const struct tile *t) {
    run_tile(t, 4);
}
static void tile_5(const struct tile *t) {
    run_tile(t, 5);
}
static void tile_6(const struct tile *t) {
    run_tile(t, 6);
}
static void (*const TILES[TILE_MAX + 1])(const struct tile *) = {0,      tile_1, tile_2, tile_3,
                                                                 tile_4, tile_5, tile_6};

static void run_conv(const struct step *s) {
    int32_t w = s->out.shape.w, oc = s->out.shape.c, n_tiles = (w + TILE_MAX - 1) / TILE_MAX;
    ptrdiff_t per_group = (ptrdiff_t)s->n_runs * s->steps * LANES * 2;
    for (int32_t y = 0; y < s->out.shape.h; y++)
        for (int32_t o = 0; o < oc; o += LANES) {
            struct tile t = {.step = s,
                             .in = s->in[0].at + (ptrdiff_t)y * s->stride_h * s->in[0].row,
                             .out = view_at(&s->out, y, 0) + o,
                             .weights = (const int16_t *)s->weights + o / LANES * per_group,
                             .bias = s->bias + o,
                             .channels = oc - o < LANES ? oc - o : LANES};
            for (int32_t i = 0; i < n_tiles; i++) {
                int32_t pixels = w / n_tiles + (i < w % n_tiles);
                TILES[pixels](&t);
                t.in += pixels * s->in[0].pixel * s->stride_w;
                t.out += pixels * s->out.pixel;
            }
        }
}

const struct kernels KERNELS_AVX2 = {.isa = ENGINE_ISA_AVX2,
                                     .pack_conv = pack_conv,
                                     .pack_depthwise = rows_pack_depthwise,
                                     .run = {[STEP_CONV] = run_conv,
                                             [STEP_DEPTHWISE] = rows_depthwise,
                                             [STEP_POOL_MAX] = rows_pool_max,
                                             [STEP_POOL_AVG] = rows_pool_avg,
                                             [STEP_ADD] = rows_add,
                                             [STEP_REQUANT] = rows_requant,
                                             [STEP_NEAREST] = rows_nearest},
                                     .import = rows_import,
                                     .export = rows_export};
