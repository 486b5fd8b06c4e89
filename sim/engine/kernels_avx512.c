/* SPDX-License-Identifier: Apache-2.0 */
/* AVX-512 with VNNI. The convolution keeps the sums of up to 14 pixels by 32 output channels in registers: 28
 * of the 32, with two for weights and one for the pixel's four channels. Build with clang: gcc 12 spills the
 * sums. */
#include <immintrin.h>

#include "sim/engine/rows.h"

#define TILE_MAX 14
#define LANES    16 /* sums of one register */
#define UNIT     4  /* input channels of one dot product */

/* Every loop over the sums: an index that is not constant would put them all in memory. */
#define UNROLLED _Pragma("clang loop unroll(full)")

/* Groups of 32 outputs (16 for a last half): [group][run][unit][16 or 32 outputs][4 channels]. Sums start
 * from the bias, less 128 times the weights for the offset of the inputs, plus the rounding where the rule
 * only shifts. */
static enum err pack_conv(struct step *s, const int8_t *weights, int32_t n_index, const struct tap *taps,
                          int32_t n_taps, const int32_t *bias) {
    size_t ic = (size_t)s->in[0].shape.c, oc = (size_t)s->out.shape.c;
    size_t units = (ic + UNIT - 1) / UNIT, halves = (oc + LANES - 1) / LANES, n;
    enum err e = rows_tap_offsets(s, taps, n_taps);
    if (e) return e;
    s->steps = (int32_t)units;
    if (!size_mul(halves * LANES * UNIT, units, &n) || !size_mul(n, (size_t)n_taps, &n)) return ERR_NOMEM;
    int8_t *packed = aligned_alloc(64, n ? n : 64);
    s->weights = packed;
    s->bias = aligned_alloc(64, halves * LANES * sizeof *s->bias);
    if (!packed || !s->bias) return ERR_NOMEM;
    memset(packed, 0, n);
    memset(s->bias, 0, halves * LANES * sizeof *s->bias);
    size_t per_half = (size_t)n_taps * units * LANES * UNIT;
    for (size_t o = 0; o < oc; o++) {
        int64_t sum = 0;
        size_t half = o / LANES, width = (half | 1) < halves ? 2 : 1;
        int8_t *group = packed + (half & ~(size_t)1) * per_half;
        for (size_t t = 0; t < (size_t)n_taps; t++)
            for (size_t i = 0; i < ic; i++) {
                int8_t w = weights[(o * (size_t)n_index + (size_t)taps[t].index) * ic + i];
                size_t at = ((t * units + i / UNIT) * width + half % 2) * LANES + o % LANES;
                group[at * UNIT + i % UNIT] = w;
                sum += w;
            }
        s->bias[o] = (int32_t)(bias[o] - 128 * sum + (s->rule.kind == RULE_SHIFT ? s->rule.round : 0));
    }
    s->packed_bytes = n + halves * LANES * sizeof *s->bias;
    /* Taps side by side in memory make one longer run. */
    if (n_taps > 1 && (size_t)s->in[0].pixel == units * UNIT) {
        int32_t runs = 0, length = 1, first = 1;
        bool even = true;
        while (first < n_taps && s->run_offset[first] == s->run_offset[first - 1] + s->in[0].pixel) first++;
        length = first;
        for (int32_t t = 0; t < n_taps && even; t += length, runs++) {
            even = t + length <= n_taps;
            for (int32_t k = 1; k < length && even; k++)
                even = s->run_offset[t + k] == s->run_offset[t] + k * s->in[0].pixel;
        }
        if (even) {
            for (int32_t r = 0; r < runs; r++) s->run_offset[r] = s->run_offset[r * length];
            s->n_runs = runs;
            s->steps *= length;
        }
    }
    return OK;
}

static inline __attribute__((always_inline)) __m512i finish(__m512i sum, const struct rule *r) {
    if (r->kind == RULE_SHIFT) return _mm512_sra_epi32(sum, _mm_cvtsi32_si128(r->shift));
    if (r->kind == RULE_LEFT) {
        sum = _mm512_max_epi32(_mm512_set1_epi32(-128), _mm512_min_epi32(_mm512_set1_epi32(127), sum));
        return _mm512_sll_epi32(sum, _mm_cvtsi32_si128(r->shift));
    }
    sum = _mm512_max_epi32(_mm512_set1_epi32(r->pre_lo), _mm512_min_epi32(_mm512_set1_epi32(r->pre_hi), sum));
    __m512i factor = _mm512_mask_blend_epi32(_mm512_movepi32_mask(sum), _mm512_set1_epi32(256),
                                             _mm512_set1_epi32(r->slope));
    sum = _mm512_add_epi32(_mm512_mullo_epi32(sum, factor), _mm512_set1_epi32(r->round));
    return _mm512_sra_epi32(sum, _mm_cvtsi32_si128(r->shift));
}

/* Sixteen finished sums to bytes with the offset. */
static inline __attribute__((always_inline)) __m128i to_bytes(__m512i v, const struct rule *r) {
    __m128i b = _mm512_cvtsepi32_epi8(v);
    b = _mm_max_epi8(_mm_set1_epi8(r->lo), _mm_min_epi8(_mm_set1_epi8(r->hi), b));
    return _mm_xor_si128(b, _mm_set1_epi8((char)0x80));
}

/* Sums of one tile: pixels by 16 or 32 channels, `channels` of them real. */
struct tile {
    const struct step *step;
    const uint8_t *in;
    uint8_t *out;
    const int8_t *weights;
    const int32_t *bias;
    int32_t channels;
};

static inline __attribute__((always_inline)) void store_tile(const struct tile *t, const __m512i *sums,
                                                             const int pixels, const int halves,
                                                             const enum rule_kind kind) {
    struct rule r = t->step->rule;
    ptrdiff_t pixel = t->step->out.pixel;
    r.kind = kind;
    if (kind == RULE_WIDE) {
        int32_t wide[GROUP_CHANNELS];
        UNROLLED
        for (int p = 0; p < pixels; p++) {
            UNROLLED
            for (int h = 0; h < halves; h++) _mm512_storeu_si512(wide + h * LANES, sums[p * halves + h]);
            rows_apply(&r, wide, t->channels, t->out + p * pixel);
        }
        return;
    }
    UNROLLED
    for (int h = 0; h < halves; h++) {
        int32_t left = t->channels - h * LANES;
        __mmask16 real = (__mmask16)(left >= LANES ? 0xffff : (1 << left) - 1);
        UNROLLED
        for (int p = 0; p < pixels; p++)
            _mm_mask_storeu_epi8(t->out + p * pixel + h * LANES, real,
                                 to_bytes(finish(sums[p * halves + h], &r), &r));
    }
}

static inline __attribute__((always_inline)) void run_tile(const struct tile *t, const int pixels,
                                                           const int halves) {
    const struct step *s = t->step;
    const ptrdiff_t pixel = s->in[0].pixel * s->stride_w;
    const int8_t *w = t->weights;
    __m512i sums[TILE_MAX * 2];
    UNROLLED
    for (int p = 0; p < pixels; p++) {
        UNROLLED
        for (int h = 0; h < halves; h++) sums[p * halves + h] = _mm512_load_si512(t->bias + h * LANES);
    }
    for (int32_t run = 0; run < s->n_runs; run++) {
        const uint8_t *in = t->in + s->run_offset[run];
        for (int32_t k = 0; k < s->steps; k++, in += UNIT, w += halves * LANES * UNIT) {
            __m512i w0 = _mm512_load_si512(w), w1 = halves > 1 ? _mm512_load_si512(w + LANES * UNIT) : w0;
            UNROLLED
            for (int p = 0; p < pixels; p++) {
                int32_t four;
                memcpy(&four, in + p * pixel, sizeof four);
                __m512i x = _mm512_set1_epi32(four);
                sums[p * halves] = _mm512_dpbusd_epi32(sums[p * halves], x, w0);
                if (halves > 1) sums[p * halves + 1] = _mm512_dpbusd_epi32(sums[p * halves + 1], x, w1);
            }
        }
    }
    if (s->rule.kind == RULE_SHIFT)
        store_tile(t, sums, pixels, halves, RULE_SHIFT);
    else if (s->rule.kind == RULE_SLOPE)
        store_tile(t, sums, pixels, halves, RULE_SLOPE);
    else if (s->rule.kind == RULE_LEFT)
        store_tile(t, sums, pixels, halves, RULE_LEFT);
    else
        store_tile(t, sums, pixels, halves, RULE_WIDE);
}

#define TILE(pixels)                                                                                         \
    static void tile_##pixels##_1(const struct tile *t) {                                                    \
        run_tile(t, pixels, 1);                                                                              \
    }                                                                                                        \
    static void tile_##pixels##_2(const struct tile *t) {                                                    \
        run_tile(t, pixels, 2);                                                                              \
    }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)
TILE(7)
TILE(8)
TILE(9)
TILE(10)
TILE(11)
TILE(12)
TILE(13)
TILE(14)

static void (*const TILES[2][TILE_MAX + 1])(const struct tile *) = {
    {0, tile_1_1, tile_2_1, tile_3_1, tile_4_1, tile_5_1, tile_6_1, tile_7_1, tile_8_1, tile_9_1, tile_10_1,
     tile_11_1, tile_12_1, tile_13_1, tile_14_1},
    {0, tile_1_2, tile_2_2, tile_3_2, tile_4_2, tile_5_2, tile_6_2, tile_7_2, tile_8_2, tile_9_2, tile_10_2,
     tile_11_2, tile_12_2, tile_13_2, tile_14_2}};

/* One row of output pixels for one group of channels, in tiles of nearly equal width. */
static void run_row(struct tile t, int32_t width, int32_t n_tiles) {
    const struct step *s = t.step;
    ptrdiff_t in_pixel = s->in[0].pixel * s->stride_w, out_pixel = s->out.pixel;
    int32_t halves = t.channels > LANES ? 2 : 1;
    for (int32_t i = 0; i < n_tiles; i++) {
        int32_t pixels = width / n_tiles + (i < width % n_tiles);
        TILES[halves - 1][pixels](&t);
        t.in += pixels * in_pixel;
        t.out += pixels * out_pixel;
    }
}

#define CACHE_BYTES 262144 /* packed weights that may stay in the second-level cache beside the rows */

static void run_conv(const struct step *s) {
    int32_t w = s->out.shape.w, h = s->out.shape.h, oc = s->out.shape.c;
    int32_t n_tiles = (w + TILE_MAX - 1) / TILE_MAX, n_groups = (oc + GROUP_CHANNELS - 1) / GROUP_CHANNELS;
    ptrdiff_t per_group = (ptrdiff_t)s->n_runs * s->steps * GROUP_CHANNELS * UNIT;
    /* Few weights: all groups of a row while its inputs are near. Many: all rows of a group instead. */
    bool rows_first = (ptrdiff_t)n_groups * per_group <= CACHE_BYTES;
    int32_t outer = rows_first ? h : n_groups, inner = rows_first ? n_groups : h;
    for (int32_t i = 0; i < outer; i++)
        for (int32_t j = 0; j < inner; j++) {
            int32_t y = rows_first ? i : j, g = rows_first ? j : i, first = g * GROUP_CHANNELS;
            struct tile t = {.step = s,
                             .in = s->in[0].at + (ptrdiff_t)y * s->stride_h * s->in[0].row,
                             .out = view_at(&s->out, y, 0) + first,
                             .weights = (const int8_t *)s->weights + g * per_group,
                             .bias = s->bias + first,
                             .channels = oc - first < GROUP_CHANNELS ? oc - first : GROUP_CHANNELS};
            run_row(t, w, n_tiles);
        }
}

const struct kernels KERNELS_AVX512 = {.isa = ENGINE_ISA_AVX512_VNNI,
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
