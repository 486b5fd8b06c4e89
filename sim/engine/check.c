/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - the rules a node must meet before the engine computes with it. They are what lets reference.c and
 * the kernels index without further checks: every shape is positive and bounded, every window starts inside
 * its image, every accumulator fits in 32 bits, every shift in its word. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/engine/internal.h"

#define FIX_MAX         64 /* of either sign: card models use about -16 to 16 */
#define SHIFT_LEFT_MAX  24
#define SHIFT_RIGHT_MAX 30
#define SIDE_MAX        65536
#define KERNEL_MAX      256
#define STRIDE_MAX      256

static const struct {
    const char *name;
    size_t inputs_min, inputs_max;
} RULES[ENGINE_OP_N] = {
    [ENGINE_OP_INPUT] = {"input", 0, 0},
    [ENGINE_OP_CONST] = {"const", 0, 0},
    [ENGINE_OP_CONV] = {"conv", 1, 1},
    [ENGINE_OP_DEPTHWISE] = {"depthwise", 1, 1},
    [ENGINE_OP_TRANSPOSED_CONV] = {"transposed conv", 1, 1},
    [ENGINE_OP_TRANSPOSED_DEPTHWISE] = {"transposed depthwise", 1, 1},
    [ENGINE_OP_POOL_MAX] = {"max pool", 1, 1},
    [ENGINE_OP_POOL_AVG] = {"average pool", 1, 1},
    [ENGINE_OP_ADD] = {"add", 1, ENGINE_INPUTS_MAX},
    [ENGINE_OP_MUL] = {"mul", 2, 2},
    [ENGINE_OP_CONCAT] = {"concat", 1, ENGINE_INPUTS_MAX},
    [ENGINE_OP_NEAREST] = {"nearest", 1, 1},
    [ENGINE_OP_BILINEAR] = {"bilinear", 1, 1},
    [ENGINE_OP_COPY] = {"copy", 1, 1},
    [ENGINE_OP_PAD] = {"pad", 1, 1},
    [ENGINE_OP_TILE] = {"tile", 1, 1},
    [ENGINE_OP_REORG] = {"reorg", 1, 1},
    [ENGINE_OP_PIXEL_SHUFFLE] = {"pixel shuffle", 1, 1},
    [ENGINE_OP_HARD_SIGMOID] = {"hard sigmoid", 1, 1},
};

__attribute__((format(printf, 4, 5))) static enum err refuse(struct engine_graph *g, const struct node *n,
                                                             enum err e, const char *format, ...) {
    int used = snprintf(g->message, sizeof g->message, "%s: ", n->name);
    if (used < 0 || (size_t)used >= sizeof g->message) return e;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(g->message + used, sizeof g->message - (size_t)used, format, args);
    va_end(args);
    return e;
}

static bool shape_ok(struct engine_shape s) {
    if (s.h < 1 || s.w < 1 || s.c < 1 || s.h > SIDE_MAX || s.w > SIDE_MAX || s.c > SIDE_MAX) return false;
    return (int64_t)s.h * s.w * s.c <= ENGINE_TENSOR_MAX; /* at most 2^48 before the comparison */
}

static bool shape_same(struct engine_shape a, struct engine_shape b) {
    return a.h == b.h && a.w == b.w && a.c == b.c;
}

static enum err check_shift(struct engine_graph *g, const struct node *n, int64_t shift) {
    if (shift >= -SHIFT_LEFT_MAX && shift <= SHIFT_RIGHT_MAX) return OK;
    return refuse(g, n, ERR_USAGE, "fix points out of range: result would be shifted by %lld bits",
                  (long long)shift);
}

static enum err check_window(struct engine_graph *g, const struct node *n) {
    const struct engine_window *w = &n->window;
    if (w->kernel_w < 1 || w->kernel_h < 1 || w->kernel_w > SIDE_MAX || w->kernel_h > SIDE_MAX)
        return refuse(g, n, ERR_USAGE, "kernel %d x %d", w->kernel_w, w->kernel_h);
    if (w->stride_w < 1 || w->stride_h < 1 || w->stride_w > STRIDE_MAX || w->stride_h > STRIDE_MAX)
        return refuse(g, n, ERR_USAGE, "stride %d x %d", w->stride_w, w->stride_h);
    if (w->dilation_w < 1 || w->dilation_h < 1 || w->dilation_w > KERNEL_MAX || w->dilation_h > KERNEL_MAX)
        return refuse(g, n, ERR_USAGE, "dilation %d x %d", w->dilation_w, w->dilation_h);
    const int32_t pads[] = {w->pad_l, w->pad_r, w->pad_t, w->pad_b};
    for (size_t i = 0; i < 4; i++)
        if (pads[i] < 0 || pads[i] > KERNEL_MAX) return refuse(g, n, ERR_USAGE, "pad of %d", pads[i]);
    return OK;
}

/* A sliding window must begin inside the image or its padding and touch no more than the last stride beyond.
 */
static enum err check_slide(struct engine_graph *g, const struct node *n, struct engine_shape in) {
    const struct engine_window *w = &n->window;
    int64_t last_x = (int64_t)(n->shape.w - 1) * w->stride_w - w->pad_l;
    int64_t last_y = (int64_t)(n->shape.h - 1) * w->stride_h - w->pad_t;
    int64_t reach_x = last_x + (int64_t)(w->kernel_w - 1) * w->dilation_w;
    int64_t reach_y = last_y + (int64_t)(w->kernel_h - 1) * w->dilation_h;
    if (last_x >= in.w || last_y >= in.h || reach_x >= (int64_t)in.w + w->pad_r + w->stride_w ||
        reach_y >= (int64_t)in.h + w->pad_b + w->stride_h)
        return refuse(g, n, ERR_USAGE, "output %d x %d does not follow from input %d x %d", n->shape.w,
                      n->shape.h, in.w, in.h);
    return OK;
}

static enum err check_transposed(struct engine_graph *g, const struct node *n, struct engine_shape in) {
    const struct engine_window *w = &n->window;
    if (w->dilation_w != 1 || w->dilation_h != 1)
        return refuse(g, n, ERR_UNSUPPORTED, "dilated and transposed");
    int64_t x = (int64_t)(in.w - 1) * w->stride_w + w->kernel_w - w->pad_l - w->pad_r;
    int64_t y = (int64_t)(in.h - 1) * w->stride_h + w->kernel_h - w->pad_t - w->pad_b;
    if (n->shape.w > x + w->stride_w - 1 || n->shape.h > y + w->stride_h - 1)
        return refuse(g, n, ERR_USAGE, "output %d x %d does not follow from input %d x %d", n->shape.w,
                      n->shape.h, in.w, in.h);
    return OK;
}

static enum err check_hard(struct engine_graph *g, const struct node *n) {
    const struct engine_hard *h = &n->hard;
    if (h->input_fix < 0 || h->input_fix > 40 || h->shift_hsigmoid < 0 || h->shift_hsigmoid > 60 ||
        h->shift_hswish < 0 || h->shift_hswish > 30)
        return refuse(g, n, ERR_USAGE, "hard sigmoid of fix point %d with shifts %d and %d", h->input_fix,
                      h->shift_hsigmoid, h->shift_hswish);
    return OK;
}

static enum err check_act(struct engine_graph *g, const struct node *n) {
    if ((unsigned)n->act >= ENGINE_ACT_N) return refuse(g, n, ERR_UNSUPPORTED, "activation %d", (int)n->act);
    if (n->act == ENGINE_ACT_PRELU &&
        (n->prelu < -4096 || n->prelu > 4096 || n->prelu_shift < 0 || n->prelu_shift > 16))
        return refuse(g, n, ERR_USAGE, "slope of %d / 2^%d", n->prelu, n->prelu_shift);
    if (n->act == ENGINE_ACT_HSIGMOID || n->act == ENGINE_ACT_HSWISH) return check_hard(g, n);
    return OK;
}

/* Largest magnitude of any accumulator of a convolution with these constants. */
static int64_t accumulator_bound(const struct node *n, size_t per_channel, bool depthwise,
                                 int32_t bias_left) {
    int64_t most = 0;
    size_t channels = (size_t)n->shape.c;
    for (size_t o = 0; o < channels; o++) {
        int64_t sum = 0;
        for (size_t i = 0; i < per_channel; i++) {
            sum += abs(n->weights[depthwise ? i * channels + o : o * per_channel + i]);
        }
        sum *= 128;
        if (n->bias) {
            int64_t b = llabs((long long)n->bias[o]);
            sum += bias_left >= 0 ? b << bias_left : (b >> -bias_left) + 1;
        }
        if (sum > most) most = sum;
    }
    return most;
}

static enum err check_conv(struct engine_graph *g, const struct node *n, const struct node *in) {
    bool depthwise = n->op == ENGINE_OP_DEPTHWISE || n->op == ENGINE_OP_TRANSPOSED_DEPTHWISE;
    bool transposed = n->op == ENGINE_OP_TRANSPOSED_CONV || n->op == ENGINE_OP_TRANSPOSED_DEPTHWISE;
    enum err e = check_window(g, n);
    if (!e) e = check_act(g, n);
    if (!e) e = transposed ? check_transposed(g, n, in->shape) : check_slide(g, n, in->shape);
    if (e) return e;
    if (n->window.kernel_w > KERNEL_MAX || n->window.kernel_h > KERNEL_MAX)
        return refuse(g, n, ERR_USAGE, "kernel %d x %d", n->window.kernel_w, n->window.kernel_h);
    if (depthwise && n->shape.c != in->shape.c)
        return refuse(g, n, n->shape.c % in->shape.c ? ERR_USAGE : ERR_UNSUPPORTED, "%d channels from %d",
                      n->shape.c, in->shape.c);
    /* 2^16 taps of 2^16 channels of 2^16 kernels: no overflow in 64 bits */
    int64_t taps = (int64_t)n->window.kernel_w * n->window.kernel_h;
    int64_t per_channel = depthwise ? taps : taps * in->shape.c;
    if ((uint64_t)per_channel * (uint64_t)n->shape.c != n->n_weights)
        return refuse(g, n, ERR_USAGE, "%zu bytes of weights where %lld are needed%s", n->n_weights,
                      (long long)per_channel * n->shape.c,
                      n->n_weights ? "" : " (a compiled model has none: use the golden one)");
    if (n->bias && n->n_bias != (size_t)n->shape.c)
        return refuse(g, n, ERR_USAGE, "%zu bytes of bias where %d are needed", n->n_bias, n->shape.c);
    int32_t bias_fix = n->bias ? n->bias_fix : 0;
    bool near = n->weights_fix >= -FIX_MAX && n->weights_fix <= FIX_MAX && bias_fix >= -FIX_MAX &&
                bias_fix <= FIX_MAX;
    int32_t sum_fix = near ? in->fix_point + n->weights_fix : 0,
            bias_left = near && n->bias ? sum_fix - bias_fix : 0;
    if (!near || bias_left > SHIFT_LEFT_MAX || bias_left < -SHIFT_RIGHT_MAX)
        return refuse(g, n, ERR_USAGE, "fix points out of range: input %d, weights %d, bias %d",
                      in->fix_point, n->weights_fix, bias_fix);
    if (accumulator_bound(n, (size_t)per_channel, depthwise, bias_left) >= INT32_MAX)
        return refuse(g, n, ERR_USAGE, "sums do not fit in 32 bits");
    return check_shift(g, n, (int64_t)sum_fix - n->fix_point);
}

/* Quotient of an average pool as the DPU has it: see reference.c. */
static void average_factors(struct node *n) {
    static const int32_t KNOWN[][3] = {{3, 7, 6}, {5, 10, 8}, {6, 7, 8}, {7, 21, 10}, {14, 21, 12}};
    int64_t k = (int64_t)n->window.kernel_w * n->window.kernel_h;
    for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++)
        if (n->window.kernel_w == KNOWN[i][0] && n->window.kernel_h == KNOWN[i][0]) {
            n->avg_n = KNOWN[i][1];
            n->avg_m = KNOWN[i][2];
            return;
        }
    /* |N/2^M - 1/k| compared exactly as |N*k - 2^M| / 2^M; ceil(log2(128 k)) = 7 + ceil(log2 k) */
    int32_t log2_k = 0;
    while (((int64_t)1 << log2_k) < k) log2_k++;
    int64_t best_over = -1;
    int32_t best_m = 0;
    for (int32_t m = 0; m < 7 + log2_k; m++) {
        int64_t p = (int64_t)1 << m, q = (2 * p + k) / (2 * k); /* round(2^M / k) */
        int64_t over = llabs(q * k - p);
        if (best_over < 0 || over * ((int64_t)1 << best_m) < best_over * p) {
            best_over = over;
            best_m = m;
            n->avg_n = (int32_t)q;
            n->avg_m = m;
        }
    }
}

static enum err check_pool(struct engine_graph *g, struct node *n, const struct node *in) {
    enum err e = check_window(g, n);
    if (!e) e = check_slide(g, n, in->shape);
    if (e) return e;
    if (n->window.dilation_w != 1 || n->window.dilation_h != 1 || n->shape.c != in->shape.c)
        return refuse(g, n, ERR_USAGE, "a pool with dilation or another number of channels");
    if ((int64_t)n->window.kernel_w * n->window.kernel_h > 65536)
        return refuse(g, n, ERR_USAGE, "pool of %d x %d", n->window.kernel_w, n->window.kernel_h);
    if (n->op == ENGINE_OP_POOL_AVG) {
        average_factors(n);
        return check_shift(g, n, (int64_t)n->avg_m + in->fix_point - n->fix_point);
    }
    return check_shift(g, n, (int64_t)in->fix_point - n->fix_point);
}

static enum err check_eltwise(struct engine_graph *g, const struct node *n) {
    enum err e = check_act(g, n);
    if (e) return e;
    int32_t most = INT32_MIN, least = INT32_MAX, sum = 0;
    for (size_t i = 0; i < n->n_inputs; i++) {
        const struct node *in = &g->nodes[n->inputs[i]];
        bool spread =
            n->op == ENGINE_OP_MUL && in->shape.h == 1 && in->shape.w == 1 && in->shape.c == n->shape.c;
        if (!spread && !shape_same(in->shape, n->shape))
            return refuse(g, n, ERR_USAGE, "inputs of different shapes");
        if (in->fix_point > most) most = in->fix_point;
        if (in->fix_point < least) least = in->fix_point;
        sum += in->fix_point;
    }
    if (n->op == ENGINE_OP_MUL) return check_shift(g, n, (int64_t)sum - n->fix_point);
    if (most - least > 16) return refuse(g, n, ERR_USAGE, "inputs %d bits apart", most - least);
    return check_shift(g, n, (int64_t)most - n->fix_point);
}

static enum err check_concat(struct engine_graph *g, const struct node *n) {
    struct engine_shape sum = {0};
    if ((unsigned)n->axis > ENGINE_AXIS_C)
        return refuse(g, n, ERR_USAGE, "concat along axis %d", (int)n->axis);
    for (size_t i = 0; i < n->n_inputs; i++) {
        const struct node *in = &g->nodes[n->inputs[i]];
        struct engine_shape s = in->shape;
        sum.h = n->axis == ENGINE_AXIS_H ? sum.h + s.h : s.h;
        sum.w = n->axis == ENGINE_AXIS_W ? sum.w + s.w : s.w;
        sum.c = n->axis == ENGINE_AXIS_C ? sum.c + s.c : s.c;
        bool fits = (n->axis == ENGINE_AXIS_H || s.h == n->shape.h) &&
                    (n->axis == ENGINE_AXIS_W || s.w == n->shape.w) &&
                    (n->axis == ENGINE_AXIS_C || s.c == n->shape.c);
        if (!fits) return refuse(g, n, ERR_USAGE, "input %zu does not fit the others", i);
        enum err e = check_shift(g, n, (int64_t)in->fix_point - n->fix_point);
        if (e) return e;
    }
    if (!shape_same(sum, n->shape)) return refuse(g, n, ERR_USAGE, "inputs do not add up to the output");
    return OK;
}

static enum err check_rearrange(struct engine_graph *g, const struct node *n, const struct node *in) {
    const struct engine_window *w = &n->window;
    struct engine_shape small = n->reverse ? in->shape : n->shape, large = n->reverse ? n->shape : in->shape;
    if (n->op == ENGINE_OP_PIXEL_SHUFFLE) { /* forward means enlarging there */
        struct engine_shape swap = small;
        small = large;
        large = swap;
    }
    if (w->stride_w < 1 || w->stride_h < 1 || w->stride_w > STRIDE_MAX || w->stride_h > STRIDE_MAX ||
        (int64_t)small.h * w->stride_h != large.h || (int64_t)small.w * w->stride_w != large.w ||
        (int64_t)large.c * w->stride_w * w->stride_h != small.c)
        return refuse(g, n, ERR_USAGE, "blocks of %d x %d do not fit the shapes", w->stride_w, w->stride_h);
    if (n->op == ENGINE_OP_REORG && (w->stride_w != w->stride_h || large.h % (w->stride_h * w->stride_h)))
        return refuse(g, n, ERR_USAGE, "rows of %d do not exchange in groups of %d", large.h,
                      w->stride_h * w->stride_h);
    return OK;
}

static enum err check_pad(struct engine_graph *g, const struct node *n, const struct node *in) {
    const struct engine_window *w = &n->window;
    if (w->pad_l < 0 || w->pad_r < 0 || w->pad_t < 0 || w->pad_b < 0 || n->shape.c != in->shape.c ||
        (int64_t)in->shape.w + w->pad_l + w->pad_r != n->shape.w ||
        (int64_t)in->shape.h + w->pad_t + w->pad_b != n->shape.h)
        return refuse(g, n, ERR_USAGE, "paddings do not add up to the output");
    return OK;
}

static enum err check_by_op(struct engine_graph *g, struct node *n) {
    const struct node *in = n->n_inputs ? &g->nodes[n->inputs[0]] : NULL;
    switch (n->op) {
    case ENGINE_OP_INPUT:
        return OK;
    case ENGINE_OP_CONST:
        if (!n->weights || n->n_weights != shape_elements(n->shape))
            return refuse(g, n, ERR_USAGE, "%zu bytes of data where %zu are needed%s", n->n_weights,
                          shape_elements(n->shape),
                          n->n_weights ? "" : " (a compiled model has none: use the golden one)");
        return OK;
    case ENGINE_OP_CONV:
    case ENGINE_OP_DEPTHWISE:
    case ENGINE_OP_TRANSPOSED_CONV:
    case ENGINE_OP_TRANSPOSED_DEPTHWISE:
        return check_conv(g, n, in);
    case ENGINE_OP_POOL_MAX:
    case ENGINE_OP_POOL_AVG:
        return check_pool(g, n, in);
    case ENGINE_OP_ADD:
    case ENGINE_OP_MUL:
        return check_eltwise(g, n);
    case ENGINE_OP_CONCAT:
        return check_concat(g, n);
    case ENGINE_OP_NEAREST:
    case ENGINE_OP_BILINEAR:
        if (n->shape.c != in->shape.c) return refuse(g, n, ERR_USAGE, "a resize of the channels");
        return check_shift(g, n, (int64_t)in->fix_point - n->fix_point);
    case ENGINE_OP_COPY:
        if (shape_elements(in->shape) != shape_elements(n->shape))
            return refuse(g, n, ERR_USAGE, "another number of elements");
        return check_shift(g, n, (int64_t)in->fix_point - n->fix_point);
    case ENGINE_OP_PAD:
    case ENGINE_OP_TILE:
    case ENGINE_OP_REORG:
    case ENGINE_OP_PIXEL_SHUFFLE: {
        enum err e = n->op == ENGINE_OP_PAD ? check_pad(g, n, in) : check_rearrange(g, n, in);
        return e ? e : check_shift(g, n, (int64_t)in->fix_point - n->fix_point);
    }
    case ENGINE_OP_HARD_SIGMOID:
        if (!shape_same(in->shape, n->shape)) return refuse(g, n, ERR_USAGE, "another shape");
        return check_hard(g, n);
    case ENGINE_OP_N:
        break;
    }
    return refuse(g, n, ERR_UNSUPPORTED, "unknown operator %d", (int)n->op);
}

enum err node_check(struct engine_graph *g, struct node *n) {
    if ((unsigned)n->op >= ENGINE_OP_N)
        return refuse(g, n, ERR_UNSUPPORTED, "unknown operator %d", (int)n->op);
    if (n->n_inputs < RULES[n->op].inputs_min || n->n_inputs > RULES[n->op].inputs_max)
        return refuse(g, n, ERR_USAGE, "%zu inputs of %s", n->n_inputs, RULES[n->op].name);
    for (size_t i = 0; i < n->n_inputs; i++)
        if (n->inputs[i] < 0 || (size_t)n->inputs[i] >= g->n_nodes)
            return refuse(g, n, ERR_USAGE, "input %zu is not a node before it", i);
    if (!shape_ok(n->shape))
        return refuse(g, n, ERR_USAGE, "shape %d x %d x %d (h, w, c) is out of range", n->shape.h, n->shape.w,
                      n->shape.c);
    if (n->fix_point < -FIX_MAX || n->fix_point > FIX_MAX)
        return refuse(g, n, ERR_USAGE, "fix point %d is out of range", n->fix_point);
    bool activates = n->op == ENGINE_OP_ADD || n->op == ENGINE_OP_MUL ||
                     (n->op >= ENGINE_OP_CONV && n->op <= ENGINE_OP_TRANSPOSED_DEPTHWISE);
    if (!activates && n->act != ENGINE_ACT_NONE)
        return refuse(g, n, ERR_UNSUPPORTED, "an activation on %s", RULES[n->op].name);
    return check_by_op(g, n);
}
