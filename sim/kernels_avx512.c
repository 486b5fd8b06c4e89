/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/kernels_avx512.h"

#include <immintrin.h>
#include <string.h>

#include "driver/card_abi.h"
#include "kernels/crop/crop.h"
#include "kernels/include/nv12_resize.h"
#include "kernels/letterbox/letterbox.h"

enum {
    LANES = 16,    /* output pixels at once */
    PAIRS_MAX = 4, /* of taps: two go into one dot product */
    WINDOW = 64,   /* 16-bit sums that one permutation reaches */
    BLOCKS = KERNEL_DST_W_MAX / LANES
};

/* The columns of one axis, laid out for blocks of 16 outputs. */
struct columns {
    uint32_t n_pairs;
    uint32_t base[BLOCKS];                      /* first sample of the block */
    uint32_t first[KERNEL_DST_W_MAX];           /* of each output, from base */
    uint32_t weights[BLOCKS][PAIRS_MAX][LANES]; /* low half: the even tap, high half: the odd one */
};

struct work {
    struct axis axis;
    struct columns luma, chroma;
    uint16_t row_weight[KERNEL_TAPS_MAX];
    uint16_t sum[KERNEL_SRC_W_MAX + 2 * WINDOW];
    uint8_t y[KERNEL_DST_W_MAX], u[KERNEL_DST_W_MAX], v[KERNEL_DST_W_MAX];
    uint8_t b[KERNEL_DST_W_MAX + 64], g[KERNEL_DST_W_MAX + 64], r[KERNEL_DST_W_MAX + 64];
};

bool kernels_avx512_can(void) {
    return __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

/* step: 1 for luma, 2 for interleaved chroma. False when a block reaches further than its window. */
static bool lay_out(struct work *k, struct columns *c, uint32_t n_src, uint32_t n_dst, uint32_t step) {
    uint32_t n_max = 1;
    axis_fill(&k->axis, n_src, n_dst);
    for (uint32_t i = 0; i < n_dst; i++)
        if (k->axis.n[i] > n_max) n_max = k->axis.n[i];
    c->n_pairs = (n_max + 1) / 2;
    if (c->n_pairs > PAIRS_MAX) return false;
    memset(c->weights, 0, sizeof c->weights);
    memset(c->first, 0, sizeof c->first);
    for (uint32_t i = 0; i < n_dst; i++) {
        const uint32_t block = i / LANES, lane = i % LANES;
        if (lane == 0) c->base[block] = k->axis.first[i];
        c->first[i] = k->axis.first[i] - c->base[block];
        if ((c->first[i] + 2 * c->n_pairs) * step > WINDOW) return false;
        for (uint32_t t = 0; t < k->axis.n[i]; t++)
            c->weights[block][t / 2][lane] |= (uint32_t)k->axis.weight[k->axis.at[i] + t] << (t % 2 * 16);
    }
    return true;
}

static void sum_rows_fast(const uint8_t *src, uint32_t stride, uint32_t n_bytes, const uint16_t *weight,
                          uint32_t n_rows, uint16_t *sum) {
    for (uint32_t x = 0; x < n_bytes; x += 64) {
        const uint32_t left = n_bytes - x;
        const __mmask64 m = left >= 64 ? ~0ull : (1ull << left) - 1;
        __m512i lo = _mm512_setzero_si512(), hi = lo;
        const uint8_t *p = src + x;
        for (uint32_t r = 0; r < n_rows; r++, p += stride) {
            const __m512i s = _mm512_maskz_loadu_epi8(m, p), w = _mm512_set1_epi16((short)weight[r]);
            lo = _mm512_add_epi16(lo, _mm512_mullo_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(s)), w));
            hi = _mm512_add_epi16(
                hi, _mm512_mullo_epi16(_mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(s, 1)), w));
        }
        _mm512_storeu_si512(sum + x, lo);
        _mm512_storeu_si512(sum + x + 32, hi);
    }
}

/* Sums are up to 65,280: taken as signed around 32,768; the weights' sum of 256 puts that back, with the
 * rounding. */
#define SIGN_BACK (32768 * 256 + 32768)

/* One component out of samples `step` apart, `offset` from the first. */
static void sum_columns_fast(const uint16_t *sum, const struct columns *c, uint32_t n_dst, uint32_t step,
                             uint32_t offset, uint8_t *out) {
    const __m512i sign = _mm512_set1_epi16((short)0x8000);
    for (uint32_t i = 0, block = 0; i < n_dst; i += LANES, block++) {
        const uint16_t *s = sum + c->base[block] * step;
        const __m512i lo = _mm512_xor_si512(_mm512_loadu_si512(s), sign);
        const __m512i hi = _mm512_xor_si512(_mm512_loadu_si512(s + 32), sign);
        __m512i first = _mm512_loadu_si512(&c->first[i]);
        if (step == 2) first = _mm512_slli_epi32(first, 1);
        first = _mm512_or_si512(first, _mm512_slli_epi32(first, 16));
        __m512i at = _mm512_add_epi16(first, _mm512_set1_epi32((int)(offset | (offset + step) << 16)));
        __m512i acc = _mm512_set1_epi32(SIGN_BACK);
        for (uint32_t p = 0; p < c->n_pairs; p++) {
            const __m512i taps = _mm512_permutex2var_epi16(lo, at, hi);
            acc = _mm512_dpwssd_epi32(acc, taps, _mm512_loadu_si512(c->weights[block][p]));
            at = _mm512_add_epi16(at, _mm512_set1_epi16((short)(2 * step)));
        }
        _mm_storeu_si128((__m128i *)(void *)(out + i), _mm512_cvtepi32_epi8(_mm512_srli_epi32(acc, 16)));
    }
}

static __m512i pair_of(int32_t even, int32_t odd) {
    return _mm512_set1_epi32((int)((uint32_t)(uint16_t)even | (uint32_t)(uint16_t)odd << 16));
}

static __m128i to_bytes(__m512i v) {
    v = _mm512_srai_epi32(_mm512_add_epi32(v, _mm512_set1_epi32(4096)), 13);
    return _mm512_cvtusepi32_epi8(_mm512_max_epi32(v, _mm512_setzero_si512()));
}

static __m512i load_bytes(const uint8_t *p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
}

static void to_bgr(struct work *k, const struct yuv_matrix *m, uint32_t n) {
    const __m512i y_off = _mm512_set1_epi32(m->y_off), grey = _mm512_set1_epi32(128),
                  low = _mm512_set1_epi32(0xffff);
    const __m512i of_b = pair_of(m->y, m->bu), of_r = pair_of(m->y, m->rv), of_g = pair_of(m->y, m->gu);
    const __m512i of_gv = pair_of(m->gv, 0);
    for (uint32_t i = 0; i < n; i += LANES) {
        const __m512i y = _mm512_and_si512(_mm512_sub_epi32(load_bytes(k->y + i), y_off), low);
        const __m512i u = _mm512_sub_epi32(load_bytes(k->u + i), grey),
                      v = _mm512_sub_epi32(load_bytes(k->v + i), grey);
        const __m512i yu = _mm512_or_si512(y, _mm512_slli_epi32(u, 16)),
                      yv = _mm512_or_si512(y, _mm512_slli_epi32(v, 16));
        const __m512i green = _mm512_add_epi32(_mm512_madd_epi16(yu, of_g), _mm512_madd_epi16(v, of_gv));
        _mm_storeu_si128((__m128i *)(void *)(k->b + i), to_bytes(_mm512_madd_epi16(yu, of_b)));
        _mm_storeu_si128((__m128i *)(void *)(k->g + i), to_bytes(green));
        _mm_storeu_si128((__m128i *)(void *)(k->r + i), to_bytes(_mm512_madd_epi16(yv, of_r)));
    }
}

static void row_bgr(struct work *k, const struct yuv_matrix *m, const uint8_t *luma, const uint8_t *chroma,
                    uint32_t stride, uint32_t w_px, uint32_t h_px, uint32_t dst_w_px, uint32_t dst_h_px,
                    uint32_t j) {
    uint32_t first;
    const uint32_t cw = (w_px + 1) / 2, ch = (h_px + 1) / 2;
    uint32_t n = axis_taps(j, h_px, dst_h_px, axis_step(h_px, dst_h_px), &first, k->row_weight);
    sum_rows_fast(luma + (uint64_t)first * stride, stride, w_px, k->row_weight, n, k->sum);
    sum_columns_fast(k->sum, &k->luma, dst_w_px, 1, 0, k->y);
    n = axis_taps(j, ch, dst_h_px, axis_step(ch, dst_h_px), &first, k->row_weight);
    sum_rows_fast(chroma + (uint64_t)first * stride, stride, 2 * cw, k->row_weight, n, k->sum);
    sum_columns_fast(k->sum, &k->chroma, dst_w_px, 2, 0, k->u);
    sum_columns_fast(k->sum, &k->chroma, dst_w_px, 2, 1, k->v);
    to_bgr(k, m, dst_w_px);
}

/* Where the 192 bytes of 64 pixels come from: for each of the three vectors, which pixel of B and G (bit 6 =
 * G), and which bytes are R. */
struct interleave {
    __m512i bg[3], r[3];
    __mmask64 is_r[3];
};

static struct interleave interleave_of(void) {
    struct interleave x;
    for (unsigned v = 0; v < 3; v++) {
        uint8_t bg[64], r[64];
        x.is_r[v] = 0;
        for (unsigned i = 0; i < 64; i++) {
            const unsigned at = v * 64 + i, px = at / 3, c = at % 3;
            bg[i] = (uint8_t)(c == 1 ? 64 + px : px);
            r[i] = (uint8_t)px;
            if (c == 2) x.is_r[v] |= 1ull << i;
        }
        x.bg[v] = _mm512_loadu_si512(bg);
        x.r[v] = _mm512_loadu_si512(r);
    }
    return x;
}

static __m512i look_up(const int8_t *table, __m512i x) {
    const __m512i low =
        _mm512_permutex2var_epi8(_mm512_loadu_si512(table), x, _mm512_loadu_si512(table + 64));
    const __m512i high =
        _mm512_permutex2var_epi8(_mm512_loadu_si512(table + 128), x, _mm512_loadu_si512(table + 192));
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high);
}

/* n pixels through the table (NULL: value - 128) into `row`; the sum of their bytes. */
static uint32_t put_row(const struct work *k, const struct interleave *x, const int8_t *table, uint32_t n,
                        int8_t *row) {
    __m512i sum = _mm512_setzero_si512();
    for (uint32_t i = 0; i < n; i += 64) {
        const uint32_t left = n - i;
        const __mmask64 some = left >= 64 ? ~0ull : (1ull << left) - 1;
        __m512i b = _mm512_loadu_si512(k->b + i), g = _mm512_loadu_si512(k->g + i),
                r = _mm512_loadu_si512(k->r + i);
        if (table) {
            b = look_up(table, b);
            g = look_up(table + 256, g);
            r = look_up(table + 512, r);
        } else {
            const __m512i sign = _mm512_set1_epi8((char)0x80);
            b = _mm512_xor_si512(b, sign);
            g = _mm512_xor_si512(g, sign);
            r = _mm512_xor_si512(r, sign);
        }
        b = _mm512_maskz_mov_epi8(some, b);
        g = _mm512_maskz_mov_epi8(some, g);
        r = _mm512_maskz_mov_epi8(some, r);
        for (unsigned v = 0; v < 3; v++) {
            const __m512i bg = _mm512_permutex2var_epi8(b, x->bg[v], g);
            const __m512i all = _mm512_mask_permutexvar_epi8(bg, x->is_r[v], x->r[v], r);
            const uint32_t from = v * 64, bytes = 3 * left;
            if (bytes <= from) break;
            const __mmask64 m = bytes - from >= 64 ? ~0ull : (1ull << (bytes - from)) - 1;
            _mm512_mask_storeu_epi8(row + 3 * i + from, m, all);
            sum =
                _mm512_add_epi64(sum, _mm512_sad_epu8(_mm512_maskz_mov_epi8(m, all), _mm512_setzero_si512()));
        }
    }
    return (uint32_t)_mm512_reduce_add_epi64(sum);
}

static bool is_surface(uint32_t w_px, uint32_t h_px, uint32_t stride_bytes, uint32_t uv_offset_bytes,
                       uint32_t dst_w_px, uint32_t dst_h_px) {
    return w_px > 0 && h_px > 0 && !(w_px & 1u) && !(h_px & 1u) && w_px <= KERNEL_SRC_W_MAX &&
           h_px <= KERNEL_SRC_W_MAX && stride_bytes >= w_px &&
           (uint64_t)stride_bytes * h_px <= uv_offset_bytes && dst_w_px > 0 && dst_h_px > 0 &&
           dst_w_px <= KERNEL_DST_W_MAX && dst_h_px <= KERNEL_DST_W_MAX;
}

static bool lay_out_both(struct work *k, uint32_t w_px, uint32_t dst_w_px) {
    return lay_out(k, &k->luma, w_px, dst_w_px, 1) && lay_out(k, &k->chroma, (w_px + 1) / 2, dst_w_px, 2);
}

static void pad(int8_t *row, uint32_t n, const int8_t *lut) {
    for (uint32_t i = 0; i < n; i++) {
        row[3 * i] = lut[0];
        row[3 * i + 1] = lut[256];
        row[3 * i + 2] = lut[512];
    }
}

bool letterbox_avx512(const uint8_t *src, const int8_t *lut, int8_t *out, uint32_t *status, uint32_t w_px,
                      uint32_t h_px, uint32_t stride_bytes, uint32_t uv_offset_bytes, uint32_t colour,
                      uint32_t dst_w_px, uint32_t dst_h_px) {
    static _Thread_local struct work k;
    if (!is_surface(w_px, h_px, stride_bytes, uv_offset_bytes, dst_w_px, dst_h_px)) return false;
    const struct card_letterbox box = card_letterbox_of(w_px, h_px, dst_w_px, dst_h_px);
    if (!lay_out_both(&k, w_px, box.w_px)) return false;
    const struct yuv_matrix m = yuv_matrix_of(colour & 1u, (colour >> 1) & 1u);
    const struct interleave x = interleave_of();
    const uint32_t black = (uint8_t)lut[0] + (uint32_t)(uint8_t)lut[256] + (uint8_t)lut[512];
    uint32_t checksum = 0;
    for (uint32_t j = 0; j < dst_h_px; j++) {
        int8_t *row = out + (uint64_t)j * dst_w_px * 3u;
        if (j < box.y_px || j >= box.y_px + box.h_px) {
            pad(row, dst_w_px, lut);
            checksum = card_checksum_row(checksum, black * dst_w_px);
            continue;
        }
        row_bgr(&k, &m, src, src + uv_offset_bytes, stride_bytes, w_px, h_px, box.w_px, box.h_px,
                j - box.y_px);
        pad(row, box.x_px, lut);
        const uint32_t right = box.x_px + box.w_px;
        const uint32_t sum = put_row(&k, &x, lut, box.w_px, row + 3u * box.x_px);
        pad(row + 3u * right, dst_w_px - right, lut);
        checksum = card_checksum_row(checksum, black * (dst_w_px - box.w_px) + sum);
    }
    status[1] = 1;
    status[2] = LETTERBOX_OK;
    status[3] = checksum;
    status[0] = CARD_ABI_VERSION;
    return true;
}

bool crop_avx512(const uint8_t *src, const uint32_t *rois, int8_t *out, uint32_t *status, uint32_t w_px,
                 uint32_t h_px, uint32_t stride_bytes, uint32_t uv_offset_bytes, uint32_t colour,
                 uint32_t n_rois, uint32_t dst_w_px, uint32_t dst_h_px, uint32_t out_bytes) {
    static _Thread_local struct work k;
    if (!is_surface(w_px, h_px, stride_bytes, uv_offset_bytes, dst_w_px, dst_h_px) || n_rois == 0 ||
        n_rois > CROP_ROIS_MAX)
        return false;
    /* All regions first: what cannot be done here, or is wrong, is the HLS C's from the beginning. */
    for (uint32_t n = 0; n < n_rois; n++) {
        const uint32_t at = rois[4 * n], size = rois[4 * n + 1], to = rois[4 * n + 2];
        const uint32_t x = at & 0xffffu, y = at >> 16, w = size & 0xffffu, h = size >> 16;
        if ((x & 1u) || (y & 1u) || w == 0 || h == 0 || x + w > w_px || y + h > h_px ||
            (uint64_t)to + (uint64_t)dst_w_px * dst_h_px * 3u > out_bytes || !lay_out_both(&k, w, dst_w_px))
            return false;
    }
    const struct yuv_matrix m = yuv_matrix_of(colour & 1u, (colour >> 1) & 1u);
    const struct interleave il = interleave_of();
    uint32_t checksum = 0;
    for (uint32_t n = 0; n < n_rois; n++) {
        const uint32_t at = rois[4 * n], size = rois[4 * n + 1], to = rois[4 * n + 2];
        const uint32_t x = at & 0xffffu, y = at >> 16, w = size & 0xffffu, h = size >> 16;
        const uint8_t *luma = src + (uint64_t)y * stride_bytes + x;
        const uint8_t *chroma = src + uv_offset_bytes + (uint64_t)(y / 2) * stride_bytes + x;
        if (n_rois > 1 && !lay_out_both(&k, w, dst_w_px)) return false;
        for (uint32_t j = 0; j < dst_h_px; j++) {
            row_bgr(&k, &m, luma, chroma, stride_bytes, w, h, dst_w_px, dst_h_px, j);
            checksum = card_checksum_row(
                checksum, put_row(&k, &il, NULL, dst_w_px, out + to + (uint64_t)j * dst_w_px * 3u));
        }
    }
    status[1] = n_rois;
    status[2] = CROP_OK;
    status[3] = checksum;
    status[0] = CARD_ABI_VERSION;
    return true;
}
