/* SPDX-License-Identifier: Apache-2.0 */
/* nv12_resize.h - what the kernels `letterbox` and `crop` share: one region of an NV12 surface, resized, as
 * rows of 8-bit B, G, R. All arithmetic is in integers and defined in kernels/README.md, so that the card,
 * the simulated card and any faster code of the host give the same bytes.
 *
 * Order of work, chosen for a card and for vector units alike: each output row first sums its source rows
 * (vertical weights of sum 256, so a column sum fits 16 bits exactly), then each output pixel sums its
 * columns, with one rounding at the end. No array depends on the picture's height. */
#ifndef KERNELS_INCLUDE_NV12_RESIZE_H
#define KERNELS_INCLUDE_NV12_RESIZE_H

#include "kernels/include/hls_compat.h"

#define KERNEL_SRC_W_MAX 8192 /* pixels in a row of a surface */
#define KERNEL_DST_W_MAX 1024 /* pixels in a row of a tensor */
#define KERNEL_TAPS_MAX  (KERNEL_SRC_W_MAX + 2 * KERNEL_DST_W_MAX)

/* Where output positions of one axis take their samples: position i sums n[i] samples from first[i] on, with
 * the weights from at[i] on; they add up to 256. */
struct axis {
    uint16_t first[KERNEL_DST_W_MAX];
    uint16_t n[KERNEL_DST_W_MAX];
    uint16_t at[KERNEL_DST_W_MAX];
    uint16_t weight[KERNEL_TAPS_MAX];
};

/* Samples and weights of output position i when n_src samples become n_dst. Returns how many there are, at
 * most n_src / n_dst + 2; writes the index of the first. n_src, n_dst >= 1. */
static inline uint32_t axis_taps(uint32_t i, uint32_t n_src, uint32_t n_dst, uint32_t step, uint32_t *first,
                                 uint16_t *weight) {
    if (n_src >= n_dst) {
        /* Shrinking: the area that position i covers, [i * step, (i + 1) * step) in 1/65536 sample. Weights
         * are differences of the rounded-down cumulative share, so their sum is 256 whatever the fractions.
         */
        const uint32_t from = i * step, end = from + step;
        const uint32_t lo = from >> 16, hi = (end - 1) >> 16;
        uint32_t n = 0, done = 0;
    area:
        for (uint32_t s = lo; s <= hi; s++) {
#pragma HLS PIPELINE II = 1
            const uint32_t upto = s == hi ? step : ((s + 1) << 16) - from;
            const uint32_t share = (uint32_t)(((uint64_t)upto << 8) / step);
            weight[n++] = (uint16_t)(share - done);
            done = share;
        }
        *first = lo;
        return n;
    }
    /* Growing: two samples around the centre, half-pixel centres, the border replicated. */
    const int32_t at = (int32_t)(((int64_t)(2 * i + 1) * step) >> 1) - 32768;
    if (at <= 0) {
        *first = 0;
        weight[0] = 256;
        return 1;
    }
    const uint32_t s = (uint32_t)at >> 16;
    const uint32_t w = ((uint32_t)at >> 8) & 255u;
    *first = s;
    if (s + 1 >= n_src || w == 0) {
        weight[0] = 256;
        return 1;
    }
    weight[0] = (uint16_t)(256u - w);
    weight[1] = (uint16_t)w;
    return 2;
}

static inline uint32_t axis_step(uint32_t n_src, uint32_t n_dst) {
    return (n_src << 16) / n_dst;
}

static inline void axis_fill(struct axis *a, uint32_t n_src, uint32_t n_dst) {
    const uint32_t step = axis_step(n_src, n_dst);
    uint32_t used = 0;
axis_positions:
    for (uint32_t i = 0; i < n_dst; i++) {
        uint32_t first;
        const uint32_t n = axis_taps(i, n_src, n_dst, step, &first, a->weight + used);
        a->first[i] = (uint16_t)first;
        a->n[i] = (uint16_t)n;
        a->at[i] = (uint16_t)used;
        used += n;
    }
}

/* sum[x] = the weighted sum of n_rows source rows; fits 16 bits because the weights add up to 256. */
static inline void sum_rows(const uint8_t *src, uint32_t stride, uint32_t n_bytes, const uint16_t *weight,
                            uint32_t n_rows, uint16_t *sum) {
rows_first:
    for (uint32_t x = 0; x < n_bytes; x++) {
#pragma HLS PIPELINE II = 1
        sum[x] = (uint16_t)(src[x] * weight[0]);
    }
rows_more:
    for (uint32_t r = 1; r < n_rows; r++) {
        const uint8_t *row = src + (uint64_t)r * stride;
        const uint16_t w = weight[r];
    rows_add:
        for (uint32_t x = 0; x < n_bytes; x++) {
#pragma HLS PIPELINE II = 1
            sum[x] = (uint16_t)(sum[x] + row[x] * w);
        }
    }
}

/* The columns of one luma output row, rounded to 8 bits. */
static inline void sum_columns(const uint16_t *sum, const struct axis *a, uint32_t n_dst, uint8_t *out) {
columns:
    for (uint32_t i = 0; i < n_dst; i++) {
        uint32_t acc = 32768u;
        const uint16_t *s = sum + a->first[i];
        const uint16_t *w = a->weight + a->at[i];
    column_taps:
        for (uint32_t k = 0; k < a->n[i]; k++) {
#pragma HLS PIPELINE II = 1
            acc += (uint32_t)s[k] * w[k];
        }
        out[i] = (uint8_t)(acc >> 16);
    }
}

/* The same for interleaved chroma. */
static inline void sum_columns_uv(const uint16_t *sum, const struct axis *a, uint32_t n_dst, uint8_t *u,
                                  uint8_t *v) {
columns_uv:
    for (uint32_t i = 0; i < n_dst; i++) {
        uint32_t acc_u = 32768u, acc_v = 32768u;
        const uint16_t *s = sum + 2u * a->first[i];
        const uint16_t *w = a->weight + a->at[i];
    column_taps_uv:
        for (uint32_t k = 0; k < a->n[i]; k++) {
#pragma HLS PIPELINE II = 1
            acc_u += (uint32_t)s[2 * k] * w[k];
            acc_v += (uint32_t)s[2 * k + 1] * w[k];
        }
        u[i] = (uint8_t)(acc_u >> 16);
        v[i] = (uint8_t)(acc_v >> 16);
    }
}

/* YUV -> RGB in 1/8192 units: { luma offset, luma, red of V, green of U, green of V, blue of U }.
 * ITU-R BT.601-7 and BT.709-6; index = matrix + 2 * full_range. */
struct yuv_matrix {
    int32_t y_off, y, rv, gu, gv, bu;
};
static inline struct yuv_matrix yuv_matrix_of(uint32_t matrix, uint32_t full_range) {
    static const struct yuv_matrix all[4] = {
        {16, 9539, 13075, -3209, -6660, 16525}, /* 601, 16..235 */
        {16, 9539, 14686, -1747, -4366, 17305}, /* 709, 16..235 */
        {0, 8192, 11485, -2819, -5850, 14516},  /* 601, 0..255 */
        {0, 8192, 12901, -1535, -3835, 15201},  /* 709, 0..255 */
    };
    return all[(matrix & 1u) + 2u * (full_range & 1u)];
}

static inline uint8_t to_u8(int32_t v) {
    const int32_t r = (v + 4096) >> 13;
    return (uint8_t)(r < 0 ? 0 : r > 255 ? 255 : r);
}

/* One row of planar Y, U, V -> interleaved B, G, R. */
static inline void yuv_to_bgr(const struct yuv_matrix *m, const uint8_t *y, const uint8_t *u,
                              const uint8_t *v, uint32_t n, uint8_t *b, uint8_t *g, uint8_t *r) {
to_bgr:
    for (uint32_t i = 0; i < n; i++) {
#pragma HLS PIPELINE II = 1
        const int32_t yy = m->y * (y[i] - m->y_off), du = u[i] - 128, dv = v[i] - 128;
        b[i] = to_u8(yy + m->bu * du);
        g[i] = to_u8(yy + m->gu * du + m->gv * dv);
        r[i] = to_u8(yy + m->rv * dv);
    }
}

/* Buffers of one run; a kernel holds one, so that compute units share nothing. */
struct resize_work {
    struct axis luma, chroma;
    uint16_t row_weight[KERNEL_TAPS_MAX];
    uint16_t sum[KERNEL_SRC_W_MAX];
    uint8_t y[KERNEL_DST_W_MAX], u[KERNEL_DST_W_MAX], v[KERNEL_DST_W_MAX];
    uint8_t b[KERNEL_DST_W_MAX], g[KERNEL_DST_W_MAX], r[KERNEL_DST_W_MAX];
};

/* The columns' weights for a region of w_px becoming dst_w_px. */
static inline void resize_begin(struct resize_work *k, uint32_t w_px, uint32_t dst_w_px) {
    axis_fill(&k->luma, w_px, dst_w_px);
    axis_fill(&k->chroma, (w_px + 1) / 2, dst_w_px);
}

/* Output row j of the region: `luma` and `chroma` point at its first samples. Fills k->b, g, r. */
static inline void resize_row(struct resize_work *k, const struct yuv_matrix *m, const uint8_t *luma,
                              const uint8_t *chroma, uint32_t stride, uint32_t w_px, uint32_t h_px,
                              uint32_t dst_w_px, uint32_t dst_h_px, uint32_t j) {
    uint32_t first;
    const uint32_t cw = (w_px + 1) / 2, ch = (h_px + 1) / 2;
    uint32_t n = axis_taps(j, h_px, dst_h_px, axis_step(h_px, dst_h_px), &first, k->row_weight);
    sum_rows(luma + (uint64_t)first * stride, stride, w_px, k->row_weight, n, k->sum);
    sum_columns(k->sum, &k->luma, dst_w_px, k->y);
    n = axis_taps(j, ch, dst_h_px, axis_step(ch, dst_h_px), &first, k->row_weight);
    sum_rows(chroma + (uint64_t)first * stride, stride, 2 * cw, k->row_weight, n, k->sum);
    sum_columns_uv(k->sum, &k->chroma, dst_w_px, k->u, k->v);
    yuv_to_bgr(m, k->y, k->u, k->v, dst_w_px, k->b, k->g, k->r);
}

#endif
