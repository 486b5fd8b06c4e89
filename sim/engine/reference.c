/* SPDX-License-Identifier: Apache-2.0 */
/* reference.c - every operator written once more, slowly and plainly, straight from its definition. It is the
 * first witness for the fast paths, so it shares no arithmetic with them: 64-bit sums, one output at a time.
 *
 * Arithmetic of the DPU: sums are exact; the activation acts on the sum; then one rounding, half towards plus
 * infinity; then saturation to -128..127. */
#include <math.h>
#include <string.h>

#include "sim/engine/internal.h"

static int64_t floor_div_pow2(int64_t v, int32_t s) {
    int64_t d = (int64_t)1 << s, q = v / d;
    return v % d < 0 ? q - 1 : q;
}

/* v * 2^-s, rounded half up. */
static int64_t shift_round(int64_t v, int32_t s) {
    if (s <= 0) return v * ((int64_t)1 << -s);
    return floor_div_pow2(v + ((int64_t)1 << (s - 1)), s);
}

static int8_t saturate(int64_t v) {
    return (int8_t)(v > 127 ? 127 : v < -128 ? -128 : v);
}

static int64_t hard_sigmoid(int64_t x, const struct engine_hard *h) {
    int64_t most = (int64_t)1 << 32;
    int64_t y = x * 2731 + 3 * 2731 * ((int64_t)1 << h->input_fix);
    if (y < 0) y = 0;
    if (y > most) y = most;
    return saturate(shift_round(y, h->shift_hsigmoid));
}

/* The activation and the step to int8 of a sum whose real value is acc * 2^-acc_fix. */
static int8_t finish(int64_t acc, int32_t acc_fix, const struct node *n) {
    int32_t shift = acc_fix - n->fix_point;
    switch (n->act) {
    case ENGINE_ACT_NONE:
    case ENGINE_ACT_N:
        break;
    case ENGINE_ACT_RELU:
        if (acc < 0) acc = 0;
        break;
    case ENGINE_ACT_LEAKY:
        if (acc < 0) return saturate(shift_round(acc * 26, shift + 8));
        break;
    case ENGINE_ACT_PRELU:
        if (acc < 0) return saturate(shift_round(acc * n->prelu, shift + n->prelu_shift));
        break;
    case ENGINE_ACT_RELU6:
        if (acc < 0) acc = 0;
        if (acc_fix >= 0) {
            if (acc_fix < 40 && acc > (int64_t)6 << acc_fix) acc = (int64_t)6 << acc_fix;
        } else if (acc_fix > -8) {
            acc <<= -acc_fix;
            shift -= acc_fix;
            if (acc > 6) acc = 6;
        } else if (acc > 0) {
            return saturate(shift_round(6, -n->fix_point)); /* one step is worth more than 6 */
        }
        break;
    case ENGINE_ACT_HSIGMOID:
        return saturate(hard_sigmoid(saturate(shift_round(acc, acc_fix - n->hard.input_fix)), &n->hard));
    case ENGINE_ACT_HSWISH: {
        int64_t x = saturate(shift_round(acc, acc_fix - n->hard.input_fix));
        return saturate(shift_round(x * hard_sigmoid(x, &n->hard), n->hard.shift_hswish));
    }
    }
    return saturate(shift_round(acc, shift));
}

static int8_t at(const int8_t *t, struct engine_shape s, int64_t y, int64_t x, int64_t c) {
    if (y < 0 || y >= s.h || x < 0 || x >= s.w) return 0;
    return t[((size_t)y * (size_t)s.w + (size_t)x) * (size_t)s.c + (size_t)c];
}

/* Calls for every output element, in order; `i` is its index in the dense tensor. */
#define FOR_EACH_OUTPUT(shape)                                                                               \
    for (int64_t y = 0, i = 0; y < (shape).h; y++)                                                           \
        for (int64_t x = 0; x < (shape).w; x++)                                                              \
            for (int64_t c = 0; c < (shape).c; c++, i++)

static int64_t bias_of(const struct node *n, int64_t c, int32_t sum_fix) {
    return n->bias ? shift_round(n->bias[c], n->bias_fix - sum_fix) : 0;
}

static void run_conv(const struct node *n, const struct node *from, const int8_t *in, int8_t *out) {
    const struct engine_window *w = &n->window;
    struct engine_shape s = from->shape;
    bool depthwise = n->op == ENGINE_OP_DEPTHWISE;
    int32_t sum_fix = from->fix_point + n->weights_fix;
    FOR_EACH_OUTPUT(n->shape) {
        int64_t acc = bias_of(n, c, sum_fix);
        for (int64_t ky = 0; ky < w->kernel_h; ky++)
            for (int64_t kx = 0; kx < w->kernel_w; kx++) {
                int64_t sy = y * w->stride_h - w->pad_t + ky * w->dilation_h;
                int64_t sx = x * w->stride_w - w->pad_l + kx * w->dilation_w;
                if (depthwise) {
                    size_t k = (size_t)((ky * w->kernel_w + kx) * s.c + c);
                    acc += (int64_t)at(in, s, sy, sx, c) * n->weights[k];
                    continue;
                }
                for (int64_t ic = 0; ic < s.c; ic++) {
                    size_t k = (size_t)(((c * w->kernel_h + ky) * w->kernel_w + kx) * s.c + ic);
                    acc += (int64_t)at(in, s, sy, sx, ic) * n->weights[k];
                }
            }
        out[i] = finish(acc, sum_fix, n);
    }
}

/* The transposed window: input pixel (sy, sx) reaches output (sy * stride - pad + k). The weights are stored
 * as a window that slides over the stretched input would have them, which is from the end. */
static void run_transposed(const struct node *n, const struct node *from, const int8_t *in, int8_t *out) {
    const struct engine_window *w = &n->window;
    struct engine_shape s = from->shape;
    bool depthwise = n->op == ENGINE_OP_TRANSPOSED_DEPTHWISE;
    int32_t sum_fix = from->fix_point + n->weights_fix;
    FOR_EACH_OUTPUT(n->shape) {
        int64_t acc = bias_of(n, c, sum_fix);
        for (int64_t ky = 0; ky < w->kernel_h; ky++)
            for (int64_t kx = 0; kx < w->kernel_w; kx++) {
                int64_t ty = y + w->pad_t - ky, tx = x + w->pad_l - kx;
                if (ty < 0 || tx < 0 || ty % w->stride_h || tx % w->stride_w) continue;
                int64_t sy = ty / w->stride_h, sx = tx / w->stride_w;
                int64_t wy = w->kernel_h - 1 - ky, wx = w->kernel_w - 1 - kx;
                if (depthwise) {
                    size_t k = (size_t)((wy * w->kernel_w + wx) * s.c + c);
                    acc += (int64_t)at(in, s, sy, sx, c) * n->weights[k];
                    continue;
                }
                for (int64_t ic = 0; ic < s.c; ic++) {
                    size_t k = (size_t)(((c * w->kernel_h + wy) * w->kernel_w + wx) * s.c + ic);
                    acc += (int64_t)at(in, s, sy, sx, ic) * n->weights[k];
                }
            }
        out[i] = finish(acc, sum_fix, n);
    }
}

static void run_pool(const struct node *n, const struct node *from, const int8_t *in, int8_t *out) {
    const struct engine_window *w = &n->window;
    struct engine_shape s = from->shape;
    int32_t fix_drop = from->fix_point - n->fix_point;
    FOR_EACH_OUTPUT(n->shape) {
        int64_t most = -128, sum = 0;
        for (int64_t ky = 0; ky < w->kernel_h; ky++)
            for (int64_t kx = 0; kx < w->kernel_w; kx++) {
                int64_t sy = y * w->stride_h - w->pad_t + ky, sx = x * w->stride_w - w->pad_l + kx;
                if (sy < 0 || sy >= s.h || sx < 0 || sx >= s.w) continue;
                int64_t v = at(in, s, sy, sx, c);
                sum += v;
                if (v > most) most = v;
            }
        if (n->op == ENGINE_OP_POOL_MAX)
            out[i] = saturate(shift_round(most, fix_drop));
        else
            out[i] = saturate(shift_round(sum * n->avg_n, n->avg_m + fix_drop));
    }
}

static void run_eltwise(const struct node *nodes, const struct node *n, const int8_t *const *in,
                        int8_t *out) {
    int32_t most = nodes[n->inputs[0]].fix_point, sum_fix = 0;
    for (size_t k = 0; k < n->n_inputs; k++) {
        int32_t f = nodes[n->inputs[k]].fix_point;
        if (f > most) most = f;
        sum_fix += f;
    }
    FOR_EACH_OUTPUT(n->shape) {
        int64_t acc = n->op == ENGINE_OP_MUL ? 1 : 0;
        for (size_t k = 0; k < n->n_inputs; k++) {
            const struct node *from = &nodes[n->inputs[k]];
            bool spread = from->shape.h != n->shape.h || from->shape.w != n->shape.w;
            int64_t v = in[k][spread ? c : i];
            if (n->op == ENGINE_OP_MUL)
                acc *= v;
            else
                acc += v * ((int64_t)1 << (most - from->fix_point));
        }
        out[i] = finish(acc, n->op == ENGINE_OP_MUL ? sum_fix : most, n);
    }
}

static void run_concat(const struct node *nodes, const struct node *n, const int8_t *const *in, int8_t *out) {
    FOR_EACH_OUTPUT(n->shape) {
        int64_t p[3] = {y, x, c};
        for (size_t k = 0; k < n->n_inputs; k++) {
            const struct node *from = &nodes[n->inputs[k]];
            const int32_t size[3] = {from->shape.h, from->shape.w, from->shape.c};
            if (p[n->axis] >= size[n->axis]) {
                p[n->axis] -= size[n->axis];
                continue;
            }
            out[i] = saturate(
                shift_round(at(in[k], from->shape, p[0], p[1], p[2]), from->fix_point - n->fix_point));
            break;
        }
    }
}

static int64_t nearest_source(int64_t i, int64_t in, int64_t out, const struct node *n) {
    int64_t s;
    if (n->align_corners)
        s = out > 1 ? (2 * i * (in - 1) + (out - 1)) / (2 * (out - 1)) : 0;
    else if (n->half_pixel)
        s = (2 * i + 1) * in / (2 * out);
    else
        s = i * in / out;
    return s < in ? s : in - 1;
}

static float bilinear_source(int64_t i, int64_t in, int64_t out, const struct node *n) {
    float s;
    if (n->align_corners)
        s = out > 1 ? (float)i * ((float)(in - 1) / (float)(out - 1)) : 0.0F;
    else if (n->half_pixel)
        s = ((float)i + 0.5F) * ((float)in / (float)out) - 0.5F;
    else
        s = (float)i * ((float)in / (float)out);
    if (s < 0) s = 0;
    return s > (float)(in - 1) ? (float)(in - 1) : s;
}

static void run_resize(const struct node *n, const struct node *from, const int8_t *in, int8_t *out) {
    struct engine_shape s = from->shape;
    int32_t fix_drop = from->fix_point - n->fix_point;
    FOR_EACH_OUTPUT(n->shape) {
        if (n->op == ENGINE_OP_NEAREST) {
            int64_t sy = nearest_source(y, s.h, n->shape.h, n), sx = nearest_source(x, s.w, n->shape.w, n);
            out[i] = saturate(shift_round(at(in, s, sy, sx, c), fix_drop));
            continue;
        }
        float fy = bilinear_source(y, s.h, n->shape.h, n), fx = bilinear_source(x, s.w, n->shape.w, n);
        int64_t y0 = (int64_t)fy, x0 = (int64_t)fx;
        int64_t y1 = y0 + 1 < s.h ? y0 + 1 : y0, x1 = x0 + 1 < s.w ? x0 + 1 : x0;
        float dy = fy - (float)y0, dx = fx - (float)x0;
        float a = at(in, s, y0, x0, c), b = at(in, s, y0, x1, c);
        float d = at(in, s, y1, x0, c), e = at(in, s, y1, x1, c);
        float top = a + (b - a) * dx, bottom = d + (e - d) * dx;
        float v = ldexpf(top + (bottom - top) * dy, -fix_drop);
        out[i] = v >= 127 ? 127 : v <= -128 ? -128 : saturate((int64_t)floorf(v + 0.5F));
    }
}

/* YOLO's reorg takes the rows of each group of s * s in another order: row a * s + b and row b * s + a change
 * places. */
static int64_t exchanged_row(int64_t y, int64_t s) {
    int64_t in_group = y % (s * s);
    return y - in_group + in_group % s * s + in_group / s;
}

static void run_rearrange(const struct node *n, const struct node *from, const int8_t *in, int8_t *out) {
    const struct engine_window *w = &n->window;
    struct engine_shape s = from->shape;
    int32_t fix_drop = from->fix_point - n->fix_point;
    bool shuffle = n->op == ENGINE_OP_PIXEL_SHUFFLE, exchange = n->op == ENGINE_OP_REORG;
    bool enlarge = shuffle != n->reverse;
    FOR_EACH_OUTPUT(n->shape) {
        int64_t sy, sx, sc;
        if (enlarge) {
            int64_t ty = exchange ? exchanged_row(y, w->stride_h) : y;
            int64_t block = (ty % w->stride_h) * w->stride_w + x % w->stride_w;
            sy = ty / w->stride_h;
            sx = x / w->stride_w;
            sc = shuffle ? c * w->stride_h * w->stride_w + block : block * n->shape.c + c;
        } else {
            int64_t blocks = (int64_t)w->stride_h * w->stride_w;
            int64_t block = shuffle ? c % blocks : c / s.c;
            sy = y * w->stride_h + block / w->stride_w;
            if (exchange) sy = exchanged_row(sy, w->stride_h);
            sx = x * w->stride_w + block % w->stride_w;
            sc = shuffle ? c / blocks : c % s.c;
        }
        out[i] = saturate(shift_round(at(in, s, sy, sx, sc), fix_drop));
    }
}

static void run_simple(const struct node *n, const struct node *from, const int8_t *in, int8_t *out) {
    struct engine_shape s = from->shape;
    int32_t fix_drop = from->fix_point - n->fix_point;
    FOR_EACH_OUTPUT(n->shape) {
        if (n->op == ENGINE_OP_COPY) {
            out[i] = saturate(shift_round(in[i], fix_drop));
        } else if (n->op == ENGINE_OP_HARD_SIGMOID) {
            out[i] = saturate(hard_sigmoid(in[i], &n->hard));
        } else {
            int64_t sy = y - n->window.pad_t, sx = x - n->window.pad_l;
            bool inside = sy >= 0 && sy < s.h && sx >= 0 && sx < s.w;
            out[i] = inside ? saturate(shift_round(at(in, s, sy, sx, c), fix_drop)) : n->pad_value;
        }
    }
}

void reference_run_node(const struct node *nodes, const struct node *n, const int8_t *const *in,
                        int8_t *out) {
    const struct node *from = n->n_inputs ? &nodes[n->inputs[0]] : NULL;
    switch (n->op) {
    case ENGINE_OP_INPUT:
    case ENGINE_OP_N:
        return;
    case ENGINE_OP_CONST:
        memcpy(out, n->weights, n->n_weights);
        return;
    case ENGINE_OP_CONV:
    case ENGINE_OP_DEPTHWISE:
        run_conv(n, from, in[0], out);
        return;
    case ENGINE_OP_TRANSPOSED_CONV:
    case ENGINE_OP_TRANSPOSED_DEPTHWISE:
        run_transposed(n, from, in[0], out);
        return;
    case ENGINE_OP_POOL_MAX:
    case ENGINE_OP_POOL_AVG:
        run_pool(n, from, in[0], out);
        return;
    case ENGINE_OP_ADD:
    case ENGINE_OP_MUL:
        run_eltwise(nodes, n, in, out);
        return;
    case ENGINE_OP_CONCAT:
        run_concat(nodes, n, in, out);
        return;
    case ENGINE_OP_NEAREST:
    case ENGINE_OP_BILINEAR:
        run_resize(n, from, in[0], out);
        return;
    case ENGINE_OP_TILE:
    case ENGINE_OP_REORG:
    case ENGINE_OP_PIXEL_SHUFFLE:
        run_rearrange(n, from, in[0], out);
        return;
    case ENGINE_OP_COPY:
    case ENGINE_OP_PAD:
    case ENGINE_OP_HARD_SIGMOID:
        run_simple(n, from, in[0], out);
        return;
    }
}
