/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - the steps that are not worth instructions of their own, as plain loops for the compiler to
 * vectorise. Each kernels_*.c includes this once and so gets them for its instruction set. */
#ifndef SIM_ENGINE_ROWS_H
#define SIM_ENGINE_ROWS_H

#include <stdlib.h>
#include <string.h>

#include "host/base/size.h"
#include "sim/engine/plan.h"

#define ROW_BLOCK 256 /* sums kept at a time; fits the first-level cache */

static inline uint8_t *view_at(const struct view *v, int32_t y, int32_t x) {
    return v->at + y * v->row + x * v->pixel;
}

/* Plain loops over n sums; the branches are outside them so that they vectorise. */
static inline void rows_apply(const struct rule *r, const int32_t *restrict sum, int32_t n,
                              uint8_t *restrict out) {
    int32_t lo = r->lo, hi = r->hi;
    if (rule_only_shifts(r)) {
        for (int32_t i = 0; i < n; i++) {
            int32_t v = (sum[i] + r->round) >> r->shift;
            v = v < lo ? lo : v > hi ? hi : v;
            out[i] = (uint8_t)(v ^ 0x80);
        }
    } else if (r->kind == RULE_SLOPE || r->kind == RULE_SLOPE_CLAMPED) {
        /* without need the clamp changes nothing: beyond it every result is saturated */
        for (int32_t i = 0; i < n; i++) {
            int32_t v = sum[i] < r->pre_lo ? r->pre_lo : sum[i] > r->pre_hi ? r->pre_hi : sum[i];
            v = (v * (v < 0 ? r->slope : 256) + r->round) >> r->shift;
            v = v < lo ? lo : v > hi ? hi : v;
            out[i] = (uint8_t)(v ^ 0x80);
        }
    } else if (r->kind == RULE_LEFT) {
        for (int32_t i = 0; i < n; i++) {
            int32_t v = (sum[i] < -128 ? -128 : sum[i] > 127 ? 127 : sum[i]) * (1 << r->shift);
            v = v < lo ? lo : v > hi ? hi : v;
            out[i] = (uint8_t)(v ^ 0x80);
        }
    } else {
        for (int32_t i = 0; i < n; i++) out[i] = (uint8_t)(rule_apply_wide(r, sum[i]) ^ 0x80);
    }
}

static inline void rows_add(const struct step *s) {
    int32_t sum[ROW_BLOCK];
    for (int32_t y = 0; y < s->out.shape.h; y++)
        for (int32_t x = 0; x < s->out.shape.w; x++)
            for (int32_t c = 0; c < s->out.shape.c; c += ROW_BLOCK) {
                int32_t n = s->out.shape.c - c < ROW_BLOCK ? s->out.shape.c - c : ROW_BLOCK;
                const uint8_t *first = view_at(&s->in[0], y, x) + c;
                for (int32_t i = 0; i < n; i++) sum[i] = (first[i] - 128) * (1 << s->align[0]);
                for (size_t k = 1; k < s->n_in; k++) {
                    const uint8_t *more = view_at(&s->in[k], y, x) + c;
                    for (int32_t i = 0; i < n; i++) sum[i] += (more[i] - 128) * (1 << s->align[k]);
                }
                rows_apply(&s->rule, sum, n, view_at(&s->out, y, x) + c);
            }
}

static inline void rows_requant(const struct step *s) {
    bool same = s->rule.kind == RULE_SHIFT && s->rule.shift == 0 && s->rule.lo == -128;
    int32_t sum[ROW_BLOCK];
    for (int32_t y = 0; y < s->out.shape.h; y++)
        for (int32_t x = 0; x < s->out.shape.w; x++) {
            const uint8_t *in = view_at(&s->in[0], y, x);
            uint8_t *out = view_at(&s->out, y, x);
            if (same) {
                memcpy(out, in, (size_t)s->out.shape.c);
                continue;
            }
            for (int32_t c = 0; c < s->out.shape.c; c += ROW_BLOCK) {
                int32_t n = s->out.shape.c - c < ROW_BLOCK ? s->out.shape.c - c : ROW_BLOCK;
                for (int32_t i = 0; i < n; i++) sum[i] = in[c + i] - 128;
                rows_apply(&s->rule, sum, n, out + c);
            }
        }
}

static inline void rows_nearest(const struct step *s) {
    struct step one = *s;
    struct view in = s->in[0];
    one.in = &in;
    one.out.shape.h = one.out.shape.w = 1;
    for (int32_t y = 0; y < s->out.shape.h; y++)
        for (int32_t x = 0; x < s->out.shape.w; x++) {
            int64_t sy = (int64_t)y * s->in[0].shape.h / s->out.shape.h,
                    sx = (int64_t)x * s->in[0].shape.w / s->out.shape.w;
            in.at = view_at(&s->in[0], (int32_t)sy, (int32_t)sx);
            one.out.at = view_at(&s->out, y, x);
            rows_requant(&one);
        }
}

/* The part of a window that lies inside the image, as offsets from its first tap. */
struct inside {
    int32_t y0, y1, x0, x1;
};
static inline struct inside window_inside(const struct step *s, int32_t sy, int32_t sx) {
    struct engine_shape in = s->in[0].shape;
    struct inside i = {sy < 0 ? -sy : 0, s->window.kernel_h, sx < 0 ? -sx : 0, s->window.kernel_w};
    if (sy + i.y1 > in.h) i.y1 = in.h - sy;
    if (sx + i.x1 > in.w) i.x1 = in.w - sx;
    return i;
}

static inline void rows_pool_max(const struct step *s) {
    const struct engine_window *w = &s->window;
    bool same = s->rule.kind == RULE_SHIFT && s->rule.shift == 0;
    uint8_t most[ROW_BLOCK];
    int32_t sum[ROW_BLOCK];
    for (int32_t y = 0; y < s->out.shape.h; y++)
        for (int32_t x = 0; x < s->out.shape.w; x++) {
            int32_t sy = y * w->stride_h - w->pad_t, sx = x * w->stride_w - w->pad_l;
            struct inside in = window_inside(s, sy, sx);
            for (int32_t c = 0; c < s->out.shape.c; c += ROW_BLOCK) {
                int32_t n = s->out.shape.c - c < ROW_BLOCK ? s->out.shape.c - c : ROW_BLOCK;
                memset(most, 0, sizeof most);
                for (int32_t ky = in.y0; ky < in.y1; ky++)
                    for (int32_t kx = in.x0; kx < in.x1; kx++) {
                        const uint8_t *from = view_at(&s->in[0], sy + ky, sx + kx) + c;
                        for (int32_t i = 0; i < n; i++) most[i] = from[i] > most[i] ? from[i] : most[i];
                    }
                uint8_t *out = view_at(&s->out, y, x) + c;
                if (same) {
                    memcpy(out, most, (size_t)n);
                    continue;
                }
                for (int32_t i = 0; i < n; i++) sum[i] = most[i] - 128;
                rows_apply(&s->rule, sum, n, out);
            }
        }
}

static inline void rows_pool_avg(const struct step *s) {
    const struct engine_window *w = &s->window;
    int32_t sum[ROW_BLOCK];
    for (int32_t y = 0; y < s->out.shape.h; y++)
        for (int32_t x = 0; x < s->out.shape.w; x++) {
            int32_t sy = y * w->stride_h - w->pad_t, sx = x * w->stride_w - w->pad_l;
            struct inside in = window_inside(s, sy, sx);
            for (int32_t c = 0; c < s->out.shape.c; c += ROW_BLOCK) {
                int32_t n = s->out.shape.c - c < ROW_BLOCK ? s->out.shape.c - c : ROW_BLOCK;
                memset(sum, 0, sizeof sum);
                for (int32_t ky = in.y0; ky < in.y1; ky++)
                    for (int32_t kx = in.x0; kx < in.x1; kx++) {
                        const uint8_t *from = view_at(&s->in[0], sy + ky, sx + kx) + c;
                        for (int32_t i = 0; i < n; i++) sum[i] += from[i] - 128;
                    }
                for (int32_t i = 0; i < n; i++) sum[i] *= s->avg_n;
                rows_apply(&s->rule, sum, n, view_at(&s->out, y, x) + c);
            }
        }
}

static inline void rows_import(const struct view *v, const int8_t *dense) {
    for (int32_t y = 0; y < v->shape.h; y++)
        for (int32_t x = 0; x < v->shape.w; x++, dense += v->shape.c) {
            uint8_t *out = view_at(v, y, x);
            for (int32_t c = 0; c < v->shape.c; c++) out[c] = (uint8_t)(dense[c] ^ 0x80);
        }
}

static inline void rows_export(const struct view *v, int8_t *dense) {
    for (int32_t y = 0; y < v->shape.h; y++)
        for (int32_t x = 0; x < v->shape.w; x++, dense += v->shape.c) {
            const uint8_t *in = view_at(v, y, x);
            for (int32_t c = 0; c < v->shape.c; c++) dense[c] = (int8_t)(in[c] ^ 0x80);
        }
}

/* Offsets of all taps from the origin of their output pixel. */
static inline enum err rows_tap_offsets(struct step *s, const struct tap *taps, int32_t n_taps) {
    s->run_offset = calloc((size_t)n_taps + 1, sizeof *s->run_offset);
    if (!s->run_offset) return ERR_NOMEM;
    s->n_runs = n_taps;
    for (int32_t t = 0; t < n_taps; t++)
        s->run_offset[t] = taps[t].dy * s->in[0].row + taps[t].dx * s->in[0].pixel;
    return OK;
}

/* Depthwise with weights of 32 bits, [tap][c]: what every instruction set can do. */
static inline enum err rows_pack_depthwise(struct step *s, const int8_t *weights, const struct tap *taps,
                                           int32_t n_taps, const int32_t *bias) {
    size_t c = (size_t)s->out.shape.c, n;
    enum err e = rows_tap_offsets(s, taps, n_taps);
    if (e) return e;
    if (!size_mul(c, (size_t)n_taps, &n) || !size_mul(n, sizeof(int32_t), &n)) return ERR_NOMEM;
    int32_t *packed = malloc(n ? n : 1);
    s->weights = packed;
    s->bias = malloc(c * sizeof *s->bias);
    if (!packed || !s->bias) return ERR_NOMEM;
    for (int32_t t = 0; t < n_taps; t++)
        for (size_t i = 0; i < c; i++) packed[(size_t)t * c + i] = weights[(size_t)taps[t].index * c + i];
    memcpy(s->bias, bias, c * sizeof *bias);
    s->packed_bytes = n + c * sizeof *bias;
    return OK;
}

static inline void rows_depthwise(const struct step *s) {
    int32_t sum[ROW_BLOCK];
    const int32_t *weights = s->weights;
    for (int32_t y = 0; y < s->out.shape.h; y++)
        for (int32_t x = 0; x < s->out.shape.w; x++) {
            const uint8_t *origin = s->in[0].at + (ptrdiff_t)y * s->stride_h * s->in[0].row +
                                    (ptrdiff_t)x * s->stride_w * s->in[0].pixel;
            for (int32_t c = 0; c < s->out.shape.c; c += ROW_BLOCK) {
                int32_t n = s->out.shape.c - c < ROW_BLOCK ? s->out.shape.c - c : ROW_BLOCK;
                memcpy(sum, s->bias + c, (size_t)n * sizeof *sum);
                for (int32_t t = 0; t < s->n_runs; t++) {
                    const uint8_t *in = origin + s->run_offset[t] + c;
                    const int32_t *w = weights + (ptrdiff_t)t * s->out.shape.c + c;
                    for (int32_t i = 0; i < n; i++) sum[i] += (in[i] - 128) * w[i];
                }
                rows_apply(&s->rule, sum, n, view_at(&s->out, y, x) + c);
            }
        }
}

#endif
