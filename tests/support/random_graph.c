/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/random_graph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD      64
#define GUARD_BYTE 0xA5

uint64_t random_next(uint64_t *state) {
    uint64_t z = (*state += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

uint32_t random_below(uint64_t *state, uint32_t n) {
    return (uint32_t)(((random_next(state) >> 32) * n) >> 32);
}

static int32_t between(uint64_t *r, int32_t lo, int32_t hi) {
    return lo + (int32_t)random_below(r, (uint32_t)(hi - lo + 1));
}

static bool one_in(uint64_t *r, uint32_t n) {
    return random_below(r, n) == 0;
}

/* Values as networks have them, and as they should not: extremes, few bits, mostly zero, powers of two
 * (ties). */
static void fill(uint64_t *r, int8_t *v, size_t n) {
    uint32_t how = random_below(r, 8);
    for (size_t i = 0; i < n; i++) {
        uint64_t x = random_next(r);
        int8_t full = (int8_t)(x >> 56);
        switch (how) {
        case 0:
            v[i] = (int8_t)(x & 1 ? 127 : -128);
            break;
        case 1:
            v[i] = (int8_t)((int32_t)(x % 7) - 3);
            break;
        case 2:
            v[i] = x & 7 ? 0 : full;
            break;
        case 3:
            v[i] = (int8_t)((x & 8 ? -1 : 1) * (1 << (x & 7) / 2));
            break;
        case 4:
            v[i] = (int8_t)(full / 4);
            break;
        default:
            v[i] = full;
            break;
        }
    }
}

static int32_t channels(uint64_t *r) {
    static const int32_t COUNTS[] = {1,  2,  3,  4,  5,  7,  8,  12, 15, 16, 17,  24,
                                     31, 32, 33, 40, 47, 48, 63, 64, 65, 96, 100, 130};
    return COUNTS[random_below(r, sizeof COUNTS / sizeof COUNTS[0])];
}

struct maker {
    struct random_graph *g;
    uint64_t r, macs_max;
};

static struct random_node *slot(struct maker *m) {
    struct random_node *n = &m->g->nodes[m->g->n_nodes];
    *n = (struct random_node){0};
    return n;
}

static const struct engine_node *input_of(const struct maker *m, const struct random_node *n, size_t i) {
    return &m->g->nodes[n->inputs[i]].node;
}

/* Mostly near the scale at which the sums just fit, sometimes far off, so that all saturates or vanishes. */
static int32_t output_fix(struct maker *m, int32_t sum_fix, double deviation) {
    int32_t drop = (int32_t)lrint(log2(deviation + 1) - 5.5) + between(&m->r, -2, 2);
    if (one_in(&m->r, 8)) drop += between(&m->r, -6, 6);
    if (drop > 20) drop = 20;
    if (drop < -10) drop = -10;
    int32_t fix = sum_fix - drop;
    return fix < -30 ? -30 : fix > 30 ? 30 : fix;
}

static void activation(struct maker *m, struct engine_node *n, int32_t acc_fix) {
    static const enum engine_act ACTS[] = {ENGINE_ACT_NONE,  ENGINE_ACT_NONE,     ENGINE_ACT_RELU,
                                           ENGINE_ACT_RELU,  ENGINE_ACT_LEAKY,    ENGINE_ACT_LEAKY,
                                           ENGINE_ACT_LEAKY, ENGINE_ACT_RELU6,    ENGINE_ACT_PRELU,
                                           ENGINE_ACT_RELU6, ENGINE_ACT_HSIGMOID, ENGINE_ACT_HSWISH};
    n->act = ACTS[random_below(&m->r, sizeof ACTS / sizeof ACTS[0])];
    n->prelu = between(&m->r, -256, 256);
    n->prelu_shift = one_in(&m->r, 2) ? 8 : between(&m->r, 0, 12);
    int32_t in = acc_fix < 0 ? 0 : acc_fix > 16 ? 16 : acc_fix;
    n->hard = (struct engine_hard){in, between(&m->r, in, in + 8), between(&m->r, 0, 10)};
}

static bool add_window(struct maker *m, struct random_node *rn, int32_t kernel_max) {
    struct engine_node *n = &rn->node;
    const struct engine_node *in = input_of(m, rn, 0);
    struct engine_window *w = &n->window;
    w->kernel_w = between(&m->r, 1, kernel_max);
    w->kernel_h = one_in(&m->r, 3) ? between(&m->r, 1, kernel_max) : w->kernel_w;
    w->stride_w = one_in(&m->r, 3) ? between(&m->r, 1, 3) : 1 + (int32_t)random_below(&m->r, 2);
    w->stride_h = one_in(&m->r, 4) ? between(&m->r, 1, 3) : w->stride_w;
    w->dilation_w = w->dilation_h = 1;
    bool pool = n->op == ENGINE_OP_POOL_MAX || n->op == ENGINE_OP_POOL_AVG;
    if (!pool && one_in(&m->r, 5)) {
        w->dilation_w = between(&m->r, 1, 3);
        w->dilation_h = between(&m->r, 1, 3);
    }
    int32_t reach_w = (w->kernel_w - 1) * w->dilation_w, reach_h = (w->kernel_h - 1) * w->dilation_h;
    w->pad_l = between(&m->r, 0, reach_w);
    w->pad_r = one_in(&m->r, 3) ? between(&m->r, 0, reach_w) : w->pad_l;
    w->pad_t = between(&m->r, 0, reach_h);
    w->pad_b = one_in(&m->r, 3) ? between(&m->r, 0, reach_h) : w->pad_t;
    int32_t room_w = in->shape.w + w->pad_l + w->pad_r - reach_w - 1;
    int32_t room_h = in->shape.h + w->pad_t + w->pad_b - reach_h - 1;
    if (room_w < 0 || room_h < 0) return false;
    n->shape.w = room_w / w->stride_w + 1;
    n->shape.h = room_h / w->stride_h + 1;
    /* a window must start before the image ends */
    return (n->shape.w - 1) * w->stride_w - w->pad_l < in->shape.w &&
           (n->shape.h - 1) * w->stride_h - w->pad_t < in->shape.h;
}

static bool add_transposed_window(struct maker *m, struct random_node *rn) {
    struct engine_node *n = &rn->node;
    const struct engine_node *in = input_of(m, rn, 0);
    struct engine_window *w = &n->window;
    *w = (struct engine_window){.dilation_w = 1, .dilation_h = 1};
    w->stride_w = between(&m->r, 1, 3);
    w->stride_h = one_in(&m->r, 3) ? between(&m->r, 1, 3) : w->stride_w;
    w->kernel_w = between(&m->r, 1, 5);
    w->kernel_h = one_in(&m->r, 3) ? between(&m->r, 1, 5) : w->kernel_w;
    w->pad_l = between(&m->r, 0, w->kernel_w - 1);
    w->pad_r = one_in(&m->r, 3) ? between(&m->r, 0, w->kernel_w - 1) : w->pad_l;
    w->pad_t = between(&m->r, 0, w->kernel_h - 1);
    w->pad_b = one_in(&m->r, 3) ? between(&m->r, 0, w->kernel_h - 1) : w->pad_t;
    n->shape.w = (in->shape.w - 1) * w->stride_w + w->kernel_w - w->pad_l - w->pad_r;
    n->shape.h = (in->shape.h - 1) * w->stride_h + w->kernel_h - w->pad_t - w->pad_b;
    return n->shape.w >= 1 && n->shape.h >= 1;
}

static double magnitude(const int8_t *v, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)v[i] * v[i];
    return n ? sqrt(sum / (double)n) : 0;
}

static bool make_conv(struct maker *m, struct random_node *rn) {
    struct engine_node *n = &rn->node;
    const struct engine_node *in = input_of(m, rn, 0);
    bool depthwise = n->op == ENGINE_OP_DEPTHWISE || n->op == ENGINE_OP_TRANSPOSED_DEPTHWISE;
    bool transposed = n->op == ENGINE_OP_TRANSPOSED_CONV || n->op == ENGINE_OP_TRANSPOSED_DEPTHWISE;
    if (!(transposed ? add_transposed_window(m, rn) : add_window(m, rn, one_in(&m->r, 4) ? 7 : 3)))
        return false;
    n->shape.c = depthwise ? in->shape.c : channels(&m->r);
    size_t taps = (size_t)n->window.kernel_w * (size_t)n->window.kernel_h;
    size_t per_output = depthwise ? taps : taps * (size_t)in->shape.c;
    uint64_t outputs = (uint64_t)n->shape.h * (uint64_t)n->shape.w * (uint64_t)n->shape.c;
    if (outputs * per_output > m->macs_max) {
        uint64_t per_channel = (uint64_t)n->shape.h * (uint64_t)n->shape.w * per_output;
        n->shape.c = depthwise ? n->shape.c : (int32_t)(m->macs_max / per_channel);
        if (depthwise || n->shape.c < 1) return false;
    }
    n->n_weights = per_output * (size_t)n->shape.c;
    rn->weights = malloc(n->n_weights);
    rn->bias = malloc((size_t)n->shape.c);
    if (!rn->weights || !rn->bias) return false;
    fill(&m->r, rn->weights, n->n_weights);
    fill(&m->r, rn->bias, (size_t)n->shape.c);
    n->weights = rn->weights;
    n->weights_fix = between(&m->r, 4, 9);
    int32_t sum_fix = in->fix_point + n->weights_fix;
    if (!one_in(&m->r, 6)) {
        n->bias = rn->bias;
        n->n_bias = (size_t)n->shape.c;
        n->bias_fix = sum_fix - between(&m->r, one_in(&m->r, 8) ? -4 : 0, 10);
    }
    n->fix_point =
        output_fix(m, sum_fix, magnitude(rn->weights, n->n_weights) * 50 * sqrt((double)per_output));
    activation(m, n, sum_fix);
    if (n->act == ENGINE_ACT_HSIGMOID) n->fix_point = 7;
    return true;
}

static bool make_pool(struct maker *m, struct random_node *rn) {
    struct engine_node *n = &rn->node;
    const struct engine_node *in = input_of(m, rn, 0);
    if (one_in(&m->r, 4)) { /* global */
        n->window = (struct engine_window){in->shape.w, in->shape.h, 1, 1, 1, 1, 0, 0, 0, 0};
        n->shape.h = n->shape.w = 1;
    } else if (!add_window(m, rn, one_in(&m->r, 6) ? 14 : 5)) {
        return false;
    }
    n->shape.c = in->shape.c;
    n->fix_point = in->fix_point + (one_in(&m->r, 3) ? between(&m->r, -2, 2) : 0);
    return true;
}

/* A node of one pixel whose channels can scale all pixels of `in`; -1 when there is none. */
static int32_t find_factors(const struct maker *m, const struct engine_node *in) {
    for (size_t i = 0; i < m->g->n_nodes; i++) {
        struct engine_shape s = m->g->nodes[i].node.shape;
        if (s.h == 1 && s.w == 1 && s.c == in->shape.c) return (int32_t)i;
    }
    return -1;
}

static bool make_add(struct maker *m, struct random_node *rn) {
    struct engine_node *n = &rn->node;
    const struct engine_node *in = input_of(m, rn, 0);
    size_t count = 1;
    for (size_t i = 0; i < m->g->n_nodes && count < 4; i++) {
        const struct engine_node *o = &m->g->nodes[i].node;
        bool near = abs(o->fix_point - in->fix_point) <= 12;
        if (near && o->shape.h == in->shape.h && o->shape.w == in->shape.w && o->shape.c == in->shape.c)
            rn->inputs[count++] = (int32_t)i;
    }
    if (n->op == ENGINE_OP_MUL) count = 2;
    if (n->op == ENGINE_OP_MUL && rn->inputs[1] == 0 && m->g->n_nodes > 1) rn->inputs[1] = rn->inputs[0];
    int32_t factors = n->op == ENGINE_OP_MUL && one_in(&m->r, 2) ? find_factors(m, in) : -1;
    if (factors >= 0) rn->inputs[1] = factors;
    n->n_inputs = count;
    n->shape = in->shape;
    int32_t most = in->fix_point, sum = 0;
    for (size_t i = 0; i < count; i++) {
        const struct engine_node *o = input_of(m, rn, i);
        bool spread = factors >= 0 && i == 1;
        if (!spread && (o->shape.h != in->shape.h || o->shape.w != in->shape.w || o->shape.c != in->shape.c))
            return false;
        most = o->fix_point > most ? o->fix_point : most;
        sum += o->fix_point;
    }
    if (n->op == ENGINE_OP_MUL) most = sum;
    n->fix_point = n->op == ENGINE_OP_MUL ? output_fix(m, sum, 2500) : most - between(&m->r, -2, 4);
    activation(m, n, most);
    if (n->act == ENGINE_ACT_HSIGMOID) n->fix_point = 7;
    return true;
}

static bool make_concat(struct maker *m, struct random_node *rn) {
    struct engine_node *n = &rn->node;
    const struct engine_node *in = input_of(m, rn, 0);
    n->axis = one_in(&m->r, 5) ? (one_in(&m->r, 2) ? ENGINE_AXIS_H : ENGINE_AXIS_W) : ENGINE_AXIS_C;
    n->shape = in->shape;
    n->n_inputs = 1;
    bool same_fix = !one_in(&m->r, 3);
    for (size_t i = 0; i < m->g->n_nodes && n->n_inputs < 4; i++) {
        const struct engine_node *o = &m->g->nodes[i].node;
        if (same_fix ? o->fix_point != in->fix_point : abs(o->fix_point - in->fix_point) > 6) continue;
        if (n->axis != ENGINE_AXIS_H && o->shape.h != in->shape.h) continue;
        if (n->axis != ENGINE_AXIS_W && o->shape.w != in->shape.w) continue;
        if (n->axis != ENGINE_AXIS_C && o->shape.c != in->shape.c) continue;
        rn->inputs[n->n_inputs++] = (int32_t)i;
        if (n->axis == ENGINE_AXIS_H) n->shape.h += o->shape.h;
        if (n->axis == ENGINE_AXIS_W) n->shape.w += o->shape.w;
        if (n->axis == ENGINE_AXIS_C) n->shape.c += o->shape.c;
    }
    n->fix_point = in->fix_point + (same_fix ? 0 : between(&m->r, -2, 2));
    return n->shape.h <= 200 && n->shape.w <= 200 && n->shape.c <= 600;
}

static bool make_resize(struct maker *m, struct random_node *rn) {
    struct engine_node *n = &rn->node;
    const struct engine_node *in = input_of(m, rn, 0);
    n->shape = in->shape;
    if (one_in(&m->r, 3)) {
        n->shape.h = between(&m->r, 1, 48);
        n->shape.w = between(&m->r, 1, 48);
    } else {
        n->shape.h *= between(&m->r, 1, 3);
        n->shape.w *= between(&m->r, 1, 3);
    }
    n->align_corners = one_in(&m->r, 3);
    n->half_pixel = !n->align_corners && one_in(&m->r, 2);
    n->fix_point = in->fix_point + (one_in(&m->r, 3) ? between(&m->r, -2, 2) : 0);
    return n->shape.h <= 100 && n->shape.w <= 100;
}

static bool make_rearrangement(struct maker *m, struct random_node *rn) {
    struct engine_node *n = &rn->node;
    const struct engine_node *in = input_of(m, rn, 0);
    int32_t s = between(&m->r, 1, 3);
    n->fix_point = in->fix_point + (one_in(&m->r, 3) ? between(&m->r, -2, 2) : 0);
    n->window = (struct engine_window){.stride_w = s, .stride_h = s};
    n->reverse = one_in(&m->r, 2);
    n->shape = in->shape;
    if (n->op == ENGINE_OP_COPY) {
        if (one_in(&m->r, 2)) n->shape = (struct engine_shape){1, in->shape.h * in->shape.w, in->shape.c};
        return true;
    }
    if (n->op == ENGINE_OP_PAD) {
        n->window = (struct engine_window){.pad_l = between(&m->r, 0, 3),
                                           .pad_r = between(&m->r, 0, 3),
                                           .pad_t = between(&m->r, 0, 3),
                                           .pad_b = between(&m->r, 0, 3)};
        n->shape.w += n->window.pad_l + n->window.pad_r;
        n->shape.h += n->window.pad_t + n->window.pad_b;
        n->pad_value = (int8_t)between(&m->r, -128, 127);
        return true;
    }
    bool enlarge = (n->op == ENGINE_OP_PIXEL_SHUFFLE) != n->reverse;
    if (enlarge) {
        if (in->shape.c % (s * s)) return false;
        n->shape = (struct engine_shape){in->shape.h * s, in->shape.w * s, in->shape.c / (s * s)};
    } else {
        if (in->shape.h % s || in->shape.w % s) return false;
        n->shape = (struct engine_shape){in->shape.h / s, in->shape.w / s, in->shape.c * s * s};
    }
    return true;
}

static bool make_node(struct maker *m, struct random_node *rn) {
    static const enum engine_op OPS[] = {ENGINE_OP_CONV,
                                         ENGINE_OP_CONV,
                                         ENGINE_OP_CONV,
                                         ENGINE_OP_CONV,
                                         ENGINE_OP_CONV,
                                         ENGINE_OP_CONV,
                                         ENGINE_OP_DEPTHWISE,
                                         ENGINE_OP_DEPTHWISE,
                                         ENGINE_OP_DEPTHWISE,
                                         ENGINE_OP_TRANSPOSED_CONV,
                                         ENGINE_OP_TRANSPOSED_DEPTHWISE,
                                         ENGINE_OP_POOL_MAX,
                                         ENGINE_OP_POOL_AVG,
                                         ENGINE_OP_ADD,
                                         ENGINE_OP_ADD,
                                         ENGINE_OP_MUL,
                                         ENGINE_OP_CONCAT,
                                         ENGINE_OP_CONCAT,
                                         ENGINE_OP_NEAREST,
                                         ENGINE_OP_BILINEAR,
                                         ENGINE_OP_TILE,
                                         ENGINE_OP_COPY,
                                         ENGINE_OP_PAD,
                                         ENGINE_OP_REORG,
                                         ENGINE_OP_PIXEL_SHUFFLE,
                                         ENGINE_OP_HARD_SIGMOID};
    struct engine_node *n = &rn->node;
    n->op = OPS[random_below(&m->r, sizeof OPS / sizeof OPS[0])];
    uint32_t nodes = (uint32_t)m->g->n_nodes;
    rn->inputs[0] = (int32_t)(one_in(&m->r, 2) ? nodes - 1 : random_below(&m->r, nodes));
    n->n_inputs = 1;
    switch (n->op) {
    case ENGINE_OP_CONV:
    case ENGINE_OP_DEPTHWISE:
    case ENGINE_OP_TRANSPOSED_CONV:
    case ENGINE_OP_TRANSPOSED_DEPTHWISE:
        return make_conv(m, rn);
    case ENGINE_OP_POOL_MAX:
    case ENGINE_OP_POOL_AVG:
        return make_pool(m, rn);
    case ENGINE_OP_ADD:
    case ENGINE_OP_MUL:
        return make_add(m, rn);
    case ENGINE_OP_CONCAT:
        return make_concat(m, rn);
    case ENGINE_OP_NEAREST:
    case ENGINE_OP_BILINEAR:
        return make_resize(m, rn);
    case ENGINE_OP_HARD_SIGMOID:
        n->shape = input_of(m, rn, 0)->shape;
        n->fix_point = 7;
        activation(m, n, input_of(m, rn, 0)->fix_point);
        n->act = ENGINE_ACT_NONE;
        return true;
    case ENGINE_OP_INPUT:
    case ENGINE_OP_CONST:
    case ENGINE_OP_N:
        break;
    case ENGINE_OP_COPY:
    case ENGINE_OP_PAD:
    case ENGINE_OP_TILE:
    case ENGINE_OP_REORG:
    case ENGINE_OP_PIXEL_SHUFFLE:
        return make_rearrangement(m, rn);
    }
    return false;
}

/* Hand the node to the engine; a combination the engine refuses (sums too large) is simply not used. */
static bool keep(struct maker *m, struct random_node *rn) {
    struct random_graph *g = m->g;
    rn->node.name = rn->name;
    rn->node.inputs = rn->inputs;
    (void)snprintf(rn->name, sizeof rn->name, "node%zu", g->n_nodes);
    int32_t id;
    if (engine_graph_add(g->graph, &rn->node, &id) != OK) return false;
    rn->bytes = (size_t)rn->node.shape.h * (size_t)rn->node.shape.w * (size_t)rn->node.shape.c;
    if (rn->node.op == ENGINE_OP_INPUT) g->n_inputs++;
    g->n_nodes++;
    return true;
}

static bool mark_outputs(struct maker *m) {
    struct random_graph *g = m->g;
    g->all_outputs = one_in(&m->r, 2);
    for (size_t i = 0; i < g->n_nodes; i++) {
        struct random_node *n = &g->nodes[i];
        n->output = g->all_outputs || i + 1 == g->n_nodes || one_in(&m->r, 5);
        if (n->output && engine_graph_mark_output(g->graph, (int32_t)i) != OK) return false;
        if (n->output && n->node.op != ENGINE_OP_INPUT) g->outputs += n->bytes * g->n_frames;
    }
    return true;
}

bool random_graph_make(struct random_graph *g, uint64_t seed, uint64_t macs_max) {
    *g = (struct random_graph){.n_frames = 1};
    struct maker m = {.g = g, .r = seed, .macs_max = macs_max};
    (void)random_next(&m.r);
    if (engine_graph_new(&g->graph) != OK) return false;
    if (one_in(&m.r, 4)) g->n_frames = (size_t)between(&m.r, 1, RANDOM_FRAMES_MAX);
    struct engine_shape s = {between(&m.r, 1, 32), between(&m.r, 1, 40), channels(&m.r)};
    if (one_in(&m.r, 10)) s.h = s.w = 1;
    for (int32_t i = between(&m.r, 1, 2); i > 0; i--) {
        struct random_node *rn = slot(&m);
        rn->node.op = ENGINE_OP_INPUT;
        rn->node.shape = s;
        rn->node.fix_point = between(&m.r, 2, 8);
        if (!keep(&m, rn)) return false;
    }
    size_t wanted = (size_t)between(&m.r, 4, RANDOM_NODES_MAX - 1);
    for (int tries = 0; tries < 60 && g->n_nodes < wanted; tries++) {
        struct random_node *rn = slot(&m);
        if (make_node(&m, rn) &&
            (uint64_t)rn->node.shape.h * (uint64_t)rn->node.shape.w * (uint64_t)rn->node.shape.c <=
                macs_max &&
            keep(&m, rn))
            continue;
        free(rn->weights);
        free(rn->bias);
    }
    return mark_outputs(&m);
}

void random_graph_fini(struct random_graph *g) {
    for (size_t i = 0; i < g->n_nodes; i++) {
        free(g->nodes[i].weights);
        free(g->nodes[i].bias);
    }
    engine_graph_free(&g->graph);
}

bool random_tensors_make(struct random_tensors *t, const struct random_graph *g, uint64_t seed) {
    *t = (struct random_tensors){0};
    uint64_t r = seed ^ 0x5EED;
    t->bytes = GUARD;
    for (size_t i = 0; i < g->n_nodes; i++) t->bytes += g->nodes[i].bytes * g->n_frames + 2 * GUARD;
    t->memory = malloc(t->bytes);
    if (!t->memory) return false;
    memset(t->memory, GUARD_BYTE, t->bytes);
    uint8_t *at = t->memory + GUARD;
    for (size_t i = 0; i < g->n_nodes; i++) {
        t->of[i] = (int8_t *)at + random_below(&r, GUARD);
        at += g->nodes[i].bytes * g->n_frames + 2 * GUARD;
        if (g->nodes[i].node.op == ENGINE_OP_INPUT) fill(&r, t->of[i], g->nodes[i].bytes * g->n_frames);
    }
    return true;
}

void random_tensors_fini(struct random_tensors *t) {
    free(t->memory);
    *t = (struct random_tensors){0};
}

bool random_tensors_guarded(const struct random_tensors *t, const struct random_graph *g) {
    const uint8_t *at = t->memory;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const uint8_t *first = (const uint8_t *)t->of[i];
        for (; at < first; at++)
            if (*at != GUARD_BYTE) return false;
        at = first + g->nodes[i].bytes * g->n_frames;
    }
    for (; at < t->memory + t->bytes; at++)
        if (*at != GUARD_BYTE) return false;
    return true;
}

bool random_graph_run(const struct random_graph *g, struct random_tensors *t, enum engine_isa isa) {
    struct engine *e = NULL;
    if (engine_prepare(g->graph, isa, &e) != OK) return false;
    const int8_t *in[RANDOM_NODES_MAX];
    int8_t *out[RANDOM_NODES_MAX], *echo[RANDOM_NODES_MAX] = {0};
    bool ok = true;
    size_t n_in = 0, n_out = 0;
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct random_node *n = &g->nodes[i];
        bool given = n->node.op == ENGINE_OP_INPUT;
        if (given) in[n_in++] = t->of[i];
        if (!n->output) continue;
        if (given) echo[i] = malloc(n->bytes * g->n_frames); /* outputs may not overlap inputs */
        out[n_out++] = given ? echo[i] : t->of[i];
        ok = ok && out[n_out - 1];
    }
    if (ok) engine_run(e, in, out, g->n_frames);
    for (size_t i = 0; i < g->n_nodes; i++) {
        if (echo[i] && ok) ok = memcmp(echo[i], t->of[i], g->nodes[i].bytes * g->n_frames) == 0;
        free(echo[i]);
    }
    engine_free(&e);
    return ok;
}
