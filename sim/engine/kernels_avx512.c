/* SPDX-License-Identifier: Apache-2.0 */
/* AVX-512 with VNNI. The convolution keeps the sums of up to 14 pixels by 32 output channels in registers: 28
 * of the 32, with two for weights and one for the pixel's four channels. Build with clang: gcc 12 spills the
 * sums. */
#include "sim/engine/kernels_avx512.h"

#define TILE_MAX 14
#define LANES    16 /* sums of one register */
#define UNIT     4  /* input channels of one dot product */

/* X(0) to X(pixels - 1). Sums indexed by anything but a constant would all live in memory, and whether a loop
 * is unrolled early enough is up to the compiler's mood; so it is written out. `pixels` is a constant where
 * used. */
#define EACH_PIXEL(X)                                                                                        \
    if (pixels > 0) {                                                                                        \
        X(0)                                                                                                 \
    }                                                                                                        \
    if (pixels > 1) {                                                                                        \
        X(1)                                                                                                 \
    }                                                                                                        \
    if (pixels > 2) {                                                                                        \
        X(2)                                                                                                 \
    }                                                                                                        \
    if (pixels > 3) {                                                                                        \
        X(3)                                                                                                 \
    }                                                                                                        \
    if (pixels > 4) {                                                                                        \
        X(4)                                                                                                 \
    }                                                                                                        \
    if (pixels > 5) {                                                                                        \
        X(5)                                                                                                 \
    }                                                                                                        \
    if (pixels > 6) {                                                                                        \
        X(6)                                                                                                 \
    }                                                                                                        \
    if (pixels > 7) {                                                                                        \
        X(7)                                                                                                 \
    }                                                                                                        \
    if (pixels > 8) {                                                                                        \
        X(8)                                                                                                 \
    }                                                                                                        \
    if (pixels > 9) {                                                                                        \
        X(9)                                                                                                 \
    }                                                                                                        \
    if (pixels > 10) {                                                                                       \
        X(10)                                                                                                \
    }                                                                                                        \
    if (pixels > 11) {                                                                                       \
        X(11)                                                                                                \
    }                                                                                                        \
    if (pixels > 12) {                                                                                       \
        X(12)                                                                                                \
    }                                                                                                        \
    if (pixels > 13) {                                                                                       \
        X(13)                                                                                                \
    }

/* Lanes that are computed for a group of so many real channels: one register, one and a half, or two. */
static int32_t lanes_of(int32_t channels) {
    return channels <= LANES ? LANES : channels <= LANES * 3 / 2 ? LANES * 3 / 2 : GROUP_CHANNELS;
}

/* Groups of 32 outputs, the last perhaps of 16 or 24: [group][run][unit][lanes][4 channels]. Sums start from
 * the bias, less 128 times the weights for the offset of the inputs, plus the rounding where the rule only
 * shifts. */
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
    size_t per_group = (size_t)n_taps * units * GROUP_CHANNELS * UNIT;
    for (size_t o = 0; o < oc; o++) {
        int64_t sum = 0;
        size_t first = o / GROUP_CHANNELS * GROUP_CHANNELS;
        size_t lanes = (size_t)lanes_of(oc - first < GROUP_CHANNELS ? (int32_t)(oc - first) : GROUP_CHANNELS);
        int8_t *group = packed + o / GROUP_CHANNELS * per_group;
        for (size_t t = 0; t < (size_t)n_taps; t++)
            for (size_t i = 0; i < ic; i++) {
                int8_t w = weights[(o * (size_t)n_index + (size_t)taps[t].index) * ic + i];
                size_t at = (t * units + i / UNIT) * lanes + o - first;
                group[at * UNIT + i % UNIT] = w;
                sum += w;
            }
        s->bias[o] = (int32_t)(bias[o] - 128 * sum + (rule_only_shifts(&s->rule) ? s->rule.round : 0));
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

/* What is left of a rule once its kind is a constant. */
struct rule_regs {
    __m512i pre_lo, pre_hi, slope, round, lo, hi, factor;
    __m128i shift;
};

static ALWAYS_INLINE struct rule_regs rule_load(const struct rule *r) {
    return (struct rule_regs){.pre_lo = _mm512_set1_epi32(r->pre_lo),
                              .pre_hi = _mm512_set1_epi32(r->pre_hi),
                              .slope = _mm512_set1_epi32(r->slope),
                              .round = _mm512_set1_epi32(r->round),
                              .lo = _mm512_set1_epi8(r->lo),
                              .hi = _mm512_set1_epi8(r->hi),
                              .factor = _mm512_set1_epi16(shift_factor(r)),
                              .shift = _mm_cvtsi32_si128(r->shift)};
}

static ALWAYS_INLINE __m512i finish(__m512i sum, const struct rule_regs *r, const enum rule_kind kind) {
    if (kind == RULE_SHIFT_16) return sum;
    if (kind == RULE_SHIFT) return _mm512_sra_epi32(sum, r->shift);
    if (kind == RULE_LEFT) {
        sum = _mm512_max_epi32(_mm512_set1_epi32(-128), _mm512_min_epi32(_mm512_set1_epi32(127), sum));
        return _mm512_sll_epi32(sum, r->shift);
    }
    if (kind == RULE_SLOPE_CLAMPED) sum = _mm512_max_epi32(r->pre_lo, _mm512_min_epi32(r->pre_hi, sum));
    __m512i factor = _mm512_mask_blend_epi32(_mm512_movepi32_mask(sum), _mm512_set1_epi32(256), r->slope);
    return _mm512_sra_epi32(_mm512_add_epi32(_mm512_mullo_epi32(sum, factor), r->round), r->shift);
}

/* Four registers of finished sums to 64 bytes with the offset, in their order. */
static ALWAYS_INLINE __m512i to_bytes(__m512i a, __m512i b, __m512i c, __m512i d, const struct rule_regs *r,
                                      const enum rule_kind kind) {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i ab = _mm512_packs_epi32(a, b), cd = _mm512_packs_epi32(c, d);
    if (kind == RULE_SHIFT_16) {
        ab = _mm512_mulhi_epi16(ab, r->factor);
        cd = _mm512_mulhi_epi16(cd, r->factor);
    }
    __m512i v = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(ab, cd));
    if (clamps(kind)) v = _mm512_max_epi8(r->lo, _mm512_min_epi8(r->hi, v));
    return _mm512_xor_si512(v, _mm512_set1_epi8((char)0x80));
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

static ALWAYS_INLINE void store_part(uint8_t *at, __m256i bytes, int32_t channels) {
    if (channels == GROUP_CHANNELS)
        _mm256_storeu_si256((void *)at, bytes);
    else
        _mm256_mask_storeu_epi8(at, (1U << channels) - 1, bytes);
}

/* The sums of pixel p are sums[p * 2] and, with two halves, sums[p * 2 + 1]. */
static ALWAYS_INLINE void store_tile(const struct tile *t, const __m512i *sums, const int pixels,
                                     const int halves, const enum rule_kind kind) {
    const ptrdiff_t pixel = t->step->out.pixel;
    if (kind == RULE_WIDE) {
        int32_t wide[TILE_MAX][GROUP_CHANNELS];
#define KEEP(p)                                                                                              \
    _mm512_storeu_si512(wide[p], sums[(p)*2]);                                                               \
    if (halves > 1) _mm512_storeu_si512(wide[p] + LANES, sums[(p)*2 + 1]);
        EACH_PIXEL(KEEP)
        for (int p = 0; p < pixels; p++) rows_apply(&t->step->rule, wide[p], t->channels, t->out + p * pixel);
        return;
    }
    const struct rule_regs r = rule_load(&t->step->rule);
    const int32_t channels = t->channels;
    uint8_t *out = t->out;
#define FINISHED(i) finish(sums[i], &r, kind)
    if (halves > 1) {
#define STORE_2(p)                                                                                           \
    if ((p) % 2 == 0) {                                                                                      \
        const int q = (p) + 1 < pixels ? (p)*2 + 2 : (p)*2;                                                  \
        __m512i b = to_bytes(FINISHED((p)*2), FINISHED((p)*2 + 1), FINISHED(q), FINISHED(q + 1), &r, kind);  \
        store_part(out + (p)*pixel, _mm512_castsi512_si256(b), channels);                                    \
        if ((p) + 1 < pixels)                                                                                \
            store_part(out + ((p) + 1) * pixel, _mm512_extracti64x4_epi64(b, 1), channels);                  \
    }
        EACH_PIXEL(STORE_2)
        return;
    }
    const __mmask16 real = (__mmask16)((1U << channels) - 1);
#define STORE_1(p)                                                                                           \
    if ((p) % 4 == 0) {                                                                                      \
        const int q1 = (p) + 1 < pixels ? (p) + 1 : (p), q2 = (p) + 2 < pixels ? (p) + 2 : (p);              \
        const int q3 = (p) + 3 < pixels ? (p) + 3 : (p);                                                     \
        __m512i b =                                                                                          \
            to_bytes(FINISHED((p)*2), FINISHED(q1 * 2), FINISHED(q2 * 2), FINISHED(q3 * 2), &r, kind);       \
        _mm_mask_storeu_epi8(out + (p)*pixel, real, _mm512_castsi512_si128(b));                              \
        if ((p) + 1 < pixels) _mm_mask_storeu_epi8(out + q1 * pixel, real, _mm512_extracti32x4_epi32(b, 1)); \
        if ((p) + 2 < pixels) _mm_mask_storeu_epi8(out + q2 * pixel, real, _mm512_extracti32x4_epi32(b, 2)); \
        if ((p) + 3 < pixels) _mm_mask_storeu_epi8(out + q3 * pixel, real, _mm512_extracti32x4_epi32(b, 3)); \
    }
    EACH_PIXEL(STORE_1)
}

static ALWAYS_INLINE __m512i four_channels(const uint8_t *at) {
    int32_t four;
    memcpy(&four, at, sizeof four);
    return _mm512_set1_epi32(four);
}

/* The dot product in the lower half of the registers only, in half the time. */
static ALWAYS_INLINE __m512i half_dot(__m512i sum, __m512i x, __m512i w) {
    return _mm512_zextsi256_si512(_mm256_dpbusd_epi32(_mm512_castsi512_si256(sum), _mm512_castsi512_si256(x),
                                                      _mm512_castsi512_si256(w)));
}

static ALWAYS_INLINE void run_tile(const struct tile *t, const int pixels, const int lanes) {
    const struct step *s = t->step;
    const int halves = lanes > LANES ? 2 : 1;
    const ptrdiff_t pixel = s->in[0].pixel * s->stride_w;
    const int8_t *w = t->weights;
    __m512i sums[TILE_MAX * 2];
#define START(p)                                                                                             \
    sums[(p)*2] = _mm512_load_si512(t->bias);                                                                \
    if (halves > 1) sums[(p)*2 + 1] = _mm512_load_si512(t->bias + LANES);
    EACH_PIXEL(START)
    for (int32_t run = 0; run < s->n_runs; run++) {
        const uint8_t *in = t->in + s->run_offset[run];
        for (int32_t k = 0; k < s->steps; k++, in += UNIT, w += lanes * UNIT) {
            __m512i w0 = _mm512_loadu_si512(w), w1 = w0, x;
            if (lanes == GROUP_CHANNELS) w1 = _mm512_loadu_si512(w + LANES * UNIT);
            if (lanes == LANES * 3 / 2)
                w1 = _mm512_castsi256_si512(_mm256_loadu_si256((const void *)(w + LANES * UNIT)));
#define DOT(p)                                                                                               \
    x = four_channels(in + (p)*pixel);                                                                       \
    sums[(p)*2] = _mm512_dpbusd_epi32(sums[(p)*2], x, w0);                                                   \
    if (lanes == GROUP_CHANNELS) sums[(p)*2 + 1] = _mm512_dpbusd_epi32(sums[(p)*2 + 1], x, w1);              \
    if (lanes == LANES * 3 / 2) sums[(p)*2 + 1] = half_dot(sums[(p)*2 + 1], x, w1);
            EACH_PIXEL(DOT)
        }
    }
    if (s->rule.kind == RULE_SHIFT_16)
        store_tile(t, sums, pixels, halves, RULE_SHIFT_16);
    else if (s->rule.kind == RULE_SHIFT)
        store_tile(t, sums, pixels, halves, RULE_SHIFT);
    else if (s->rule.kind == RULE_SLOPE)
        store_tile(t, sums, pixels, halves, RULE_SLOPE);
    else if (s->rule.kind == RULE_SLOPE_CLAMPED)
        store_tile(t, sums, pixels, halves, RULE_SLOPE_CLAMPED);
    else if (s->rule.kind == RULE_LEFT)
        store_tile(t, sums, pixels, halves, RULE_LEFT);
    else
        store_tile(t, sums, pixels, halves, RULE_WIDE);
}

#define TILE(pixels)                                                                                         \
    static void tile_##pixels##_16(const struct tile *t) {                                                   \
        run_tile(t, pixels, 16);                                                                             \
    }                                                                                                        \
    static void tile_##pixels##_24(const struct tile *t) {                                                   \
        run_tile(t, pixels, 24);                                                                             \
    }                                                                                                        \
    static void tile_##pixels##_32(const struct tile *t) {                                                   \
        run_tile(t, pixels, 32);                                                                             \
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

static void (*const TILES[3][TILE_MAX + 1])(const struct tile *) = {
    {0, tile_1_16, tile_2_16, tile_3_16, tile_4_16, tile_5_16, tile_6_16, tile_7_16, tile_8_16, tile_9_16,
     tile_10_16, tile_11_16, tile_12_16, tile_13_16, tile_14_16},
    {0, tile_1_24, tile_2_24, tile_3_24, tile_4_24, tile_5_24, tile_6_24, tile_7_24, tile_8_24, tile_9_24,
     tile_10_24, tile_11_24, tile_12_24, tile_13_24, tile_14_24},
    {0, tile_1_32, tile_2_32, tile_3_32, tile_4_32, tile_5_32, tile_6_32, tile_7_32, tile_8_32, tile_9_32,
     tile_10_32, tile_11_32, tile_12_32, tile_13_32, tile_14_32}};

/* One row of output pixels for one group of channels, in tiles of nearly equal width. */
static void run_row(struct tile t, int32_t width, int32_t n_tiles) {
    const struct step *s = t.step;
    ptrdiff_t in_pixel = s->in[0].pixel * s->stride_w, out_pixel = s->out.pixel;
    int32_t lanes = lanes_of(t.channels);
    for (int32_t i = 0; i < n_tiles; i++) {
        int32_t pixels = width / n_tiles + (i < width % n_tiles);
        TILES[lanes / 8 - 2][pixels](&t);
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

static void flip_copy(uint8_t *out, const uint8_t *in, ptrdiff_t n) {
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    for (; n >= 64; n -= 64, in += 64, out += 64)
        _mm512_storeu_si512(out, _mm512_xor_si512(_mm512_loadu_si512(in), flip));
    __mmask64 rest = first_bytes((int32_t)n);
    if (n) _mm512_mask_storeu_epi8(out, rest, _mm512_xor_si512(_mm512_maskz_loadu_epi8(rest, in), flip));
}

/* Three channels to four, sixteen pixels at a time: the usual image. */
static void import_three(uint8_t *out, const int8_t *in, int32_t w) {
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    const __m512i apart =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
    for (; w >= 16; w -= 16, in += 48, out += 64) {
        __m512i v = _mm512_permutexvar_epi32(lanes, _mm512_maskz_loadu_epi8(first_bytes(48), in));
        _mm512_storeu_si512(out, _mm512_xor_si512(_mm512_shuffle_epi8(v, apart), flip));
    }
    for (; w > 0; w--, in += 3, out += 4)
        for (int c = 0; c < 3; c++) out[c] = (uint8_t)(in[c] ^ 0x80);
}

static void import_dense(const struct view *v, const int8_t *dense) {
    ptrdiff_t w = v->shape.w, c = v->shape.c;
    for (int32_t y = 0; y < v->shape.h; y++, dense += w * c) {
        uint8_t *row = view_at(v, y, 0);
        if (c == 3 && v->pixel == 4)
            import_three(row, dense, v->shape.w);
        else if (v->pixel == c)
            flip_copy(row, (const uint8_t *)dense, w * c);
        else
            for (ptrdiff_t x = 0; x < w; x++)
                flip_copy(row + x * v->pixel, (const uint8_t *)dense + x * c, c);
    }
}

static void export_dense(const struct view *v, int8_t *dense) {
    ptrdiff_t w = v->shape.w, c = v->shape.c;
    for (int32_t y = 0; y < v->shape.h; y++, dense += w * c) {
        const uint8_t *row = view_at(v, y, 0);
        if (v->pixel == c)
            flip_copy((uint8_t *)dense, row, w * c);
        else
            for (ptrdiff_t x = 0; x < w; x++) flip_copy((uint8_t *)dense + x * c, row + x * v->pixel, c);
    }
}

static void pool_max(const struct step *s) {
    if (s->rule.kind != RULE_SHIFT || s->rule.shift) {
        rows_pool_max(s);
        return;
    }
    const struct engine_window *w = &s->window;
    const struct view *from = &s->in[0];
    for (int32_t y = 0; y < s->out.shape.h; y++)
        for (int32_t x = 0; x < s->out.shape.w; x++) {
            int32_t sy = y * w->stride_h - w->pad_t, sx = x * w->stride_w - w->pad_l;
            struct inside in = window_inside(s, sy, sx);
            for (int32_t c = 0; c < s->out.shape.c; c += 64) {
                __mmask64 real = first_bytes(s->out.shape.c - c);
                __m512i most = _mm512_setzero_si512();
                for (int32_t ky = in.y0; ky < in.y1; ky++) {
                    const uint8_t *row = view_at(from, sy + ky, sx) + c;
                    for (int32_t kx = in.x0; kx < in.x1; kx++)
                        most = _mm512_max_epu8(most, _mm512_maskz_loadu_epi8(real, row + kx * from->pixel));
                }
                _mm512_mask_storeu_epi8(view_at(&s->out, y, x) + c, real, most);
            }
        }
}

/* Sums of 16 bits, for any number of inputs whose aligned sum fits and that is only shifted: the usual case.
 */
static void add(const struct step *s) {
    int32_t constant = s->rule.round, most = s->rule.round, w = s->out.shape.w, c = s->out.shape.c;
    bool dense = s->out.pixel == c;
    for (size_t k = 0; k < s->n_in; k++) {
        constant -= 128 << s->align[k];
        most += 128 << s->align[k];
        dense = dense && s->in[k].pixel == c;
    }
    if (!rule_only_shifts(&s->rule) || most > INT16_MAX || s->rule.shift > 15) {
        rows_add(s);
        return;
    }
    const __m512i start = _mm512_set1_epi16((int16_t)constant), flip = _mm512_set1_epi8((char)0x80);
    const __m512i lo = _mm512_set1_epi8(s->rule.lo), hi = _mm512_set1_epi8(s->rule.hi);
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    const __m128i shift = _mm_cvtsi32_si128(s->rule.shift);
    int32_t pixels = dense ? 1 : w, length = dense ? w * c : c;
    for (int32_t y = 0; y < s->out.shape.h; y++)
        for (int32_t x = 0; x < pixels; x++)
            for (int32_t i = 0; i < length; i += 64) {
                __mmask64 real = first_bytes(length - i);
                __m512i a = start, b = start;
                for (size_t k = 0; k < s->n_in; k++) {
                    __m512i v = _mm512_maskz_loadu_epi8(real, view_at(&s->in[k], y, x) + i);
                    __m128i align = _mm_cvtsi32_si128(s->align[k]);
                    __m512i v0 = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(v));
                    __m512i v1 = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(v, 1));
                    a = _mm512_add_epi16(a, _mm512_sll_epi16(v0, align));
                    b = _mm512_add_epi16(b, _mm512_sll_epi16(v1, align));
                }
                __m512i v = _mm512_packs_epi16(_mm512_sra_epi16(a, shift), _mm512_sra_epi16(b, shift));
                v = _mm512_max_epi8(lo, _mm512_min_epi8(hi, _mm512_permutexvar_epi64(order, v)));
                _mm512_mask_storeu_epi8(view_at(&s->out, y, x) + i, real, _mm512_xor_si512(v, flip));
            }
}

const struct kernels KERNELS_AVX512 = {.isa = ENGINE_ISA_AVX512_VNNI,
                                       .pack_conv = pack_conv,
                                       .pack_depthwise = avx512_pack_depthwise,
                                       .run = {[STEP_CONV] = run_conv,
                                               [STEP_DEPTHWISE] = avx512_run_depthwise,
                                               [STEP_POOL_MAX] = pool_max,
                                               [STEP_POOL_AVG] = rows_pool_avg,
                                               [STEP_ADD] = add,
                                               [STEP_REQUANT] = rows_requant,
                                               [STEP_NEAREST] = rows_nearest},
                                       .import = import_dense,
                                       .export = export_dense};
