/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/nets.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim/engine/internal.h"
#include "tests/support/random_graph.h"

struct builder {
    struct engine_graph *g;
    uint64_t r;
    int n;
    bool failed;
};

static const struct node *node_of(const struct builder *b, int32_t id) {
    return &b->g->nodes[id];
}

static int32_t add(struct builder *b, const struct engine_node *n, const char *what) {
    char name[64];
    int32_t id = 0;
    (void)snprintf(name, sizeof name, "%s%d", what, b->n++);
    struct engine_node named = *n;
    named.name = name;
    if (!b->failed && engine_graph_add(b->g, &named, &id) != OK) {
        fprintf(stderr, "%s\n", engine_graph_message(b->g));
        b->failed = true;
    }
    return id;
}

/* A convolution of odd kernel that keeps the size, or halves it. Weights as trained ones spread. */
static int32_t conv(struct builder *b, enum engine_op op, int32_t in, int32_t oc, int32_t kernel,
                    int32_t stride, enum engine_act act) {
    if (b->failed) return 0;
    struct engine_shape s = node_of(b, in)->shape;
    int32_t pad = kernel / 2;
    struct engine_node n = {.op = op,
                            .inputs = &in,
                            .n_inputs = 1,
                            .shape = {(s.h + stride - 1) / stride, (s.w + stride - 1) / stride, oc},
                            .fix_point = 4,
                            .window = {kernel, kernel, stride, stride, 1, 1, pad, pad, pad, pad},
                            .act = act,
                            .weights_fix = 7,
                            .bias_fix = 7};
    n.n_weights = (size_t)(kernel * kernel) * (size_t)oc * (size_t)(op == ENGINE_OP_CONV ? s.c : 1);
    n.n_bias = (size_t)oc;
    int8_t *weights = malloc(n.n_weights), *bias = malloc(n.n_bias);
    int32_t id = 0;
    if (weights && bias) {
        for (size_t i = 0; i < n.n_weights; i++) weights[i] = (int8_t)((int32_t)random_below(&b->r, 61) - 30);
        for (size_t i = 0; i < n.n_bias; i++) bias[i] = (int8_t)((int32_t)random_below(&b->r, 61) - 30);
        n.weights = weights;
        n.bias = bias;
        id = add(b, &n, op == ENGINE_OP_CONV ? "conv" : "dw");
    } else {
        b->failed = true;
    }
    free(weights);
    free(bias);
    return id;
}

static int32_t image(struct builder *b, struct engine_shape s) {
    struct engine_node n = {.op = ENGINE_OP_INPUT, .shape = s, .fix_point = 5};
    return add(b, &n, "image");
}

static int32_t sum(struct builder *b, int32_t x, int32_t y) {
    const int32_t inputs[2] = {x, y};
    struct engine_node n = {
        .op = ENGINE_OP_ADD, .inputs = inputs, .n_inputs = 2, .shape = node_of(b, x)->shape, .fix_point = 4};
    return add(b, &n, "add");
}

static int32_t separable(struct builder *b, int32_t in, int32_t oc, int32_t stride, enum engine_act last) {
    if (b->failed) return 0;
    int32_t x = conv(b, ENGINE_OP_DEPTHWISE, in, node_of(b, in)->shape.c, 3, stride, ENGINE_ACT_RELU6);
    return conv(b, ENGINE_OP_CONV, x, oc, 1, 1, last);
}

static struct engine_graph *finish(struct builder *b) {
    if (b->failed) engine_graph_free(&b->g);
    return b->g;
}

static void output(struct builder *b, int32_t id) {
    if (engine_graph_mark_output(b->g, id) != OK) b->failed = true;
}

struct engine_graph *nets_mobilenet(void) {
    static const struct {
        int32_t expand, c, n, stride;
    } BLOCKS[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                  {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    struct builder b = {.r = 7};
    if (engine_graph_new(&b.g) != OK) return NULL;
    int32_t x = conv(&b, ENGINE_OP_CONV, image(&b, (struct engine_shape){320, 320, 3}), 32, 3, 2,
                     ENGINE_ACT_RELU6),
            c4 = 0;
    for (size_t i = 0; i < sizeof BLOCKS / sizeof BLOCKS[0]; i++)
        for (int32_t k = 0; k < BLOCKS[i].n && !b.failed; k++) {
            int32_t in = x, c = node_of(&b, in)->shape.c, stride = k ? 1 : BLOCKS[i].stride;
            if (BLOCKS[i].expand > 1)
                x = conv(&b, ENGINE_OP_CONV, x, c * BLOCKS[i].expand, 1, 1, ENGINE_ACT_RELU6);
            if (i == 5 && k == 0) c4 = x; /* stride 16, before it halves */
            x = separable(&b, x, BLOCKS[i].c, stride, ENGINE_ACT_NONE);
            if (stride == 1 && c == BLOCKS[i].c) x = sum(&b, in, x);
        }
    x = conv(&b, ENGINE_OP_CONV, x, 1280, 1, 1, ENGINE_ACT_RELU6);
    int32_t maps[4] = {c4, x};
    for (int32_t i = 2; i < 4; i++) {
        x = conv(&b, ENGINE_OP_CONV, x, 256 / (i - 1), 1, 1, ENGINE_ACT_RELU6);
        maps[i] = x = separable(&b, x, 512 / (i - 1), 2, ENGINE_ACT_RELU6);
    }
    for (int32_t i = 0; i < 4; i++)
        output(&b, separable(&b, maps[i], i ? 6 * 25 : 3 * 25, 1, ENGINE_ACT_NONE));
    return finish(&b);
}

struct engine_graph *nets_layer(enum engine_op op, int32_t side, int32_t ic, int32_t oc, int32_t kernel,
                                int32_t stride) {
    struct builder b = {.r = 11};
    if (engine_graph_new(&b.g) != OK) return NULL;
    output(&b, conv(&b, op, image(&b, (struct engine_shape){side, side, ic}), oc, kernel, stride,
                    ENGINE_ACT_RELU));
    return finish(&b);
}

struct engine_graph *nets_with_relu(const struct engine_graph *from) {
    struct engine_graph *g;
    if (engine_graph_new(&g) != OK) return NULL;
    bool ok = true;
    for (size_t i = 0; i < from->n_nodes && ok; i++) {
        const struct node *n = &from->nodes[i];
        struct engine_node copy = {.name = n->name,
                                   .op = n->op,
                                   .inputs = n->inputs,
                                   .n_inputs = n->n_inputs,
                                   .shape = n->shape,
                                   .fix_point = n->fix_point,
                                   .window = n->window,
                                   .act = n->act == ENGINE_ACT_LEAKY ? ENGINE_ACT_RELU : n->act,
                                   .weights = n->weights,
                                   .n_weights = n->n_weights,
                                   .weights_fix = n->weights_fix,
                                   .bias = n->bias,
                                   .n_bias = n->n_bias,
                                   .bias_fix = n->bias_fix,
                                   .axis = n->axis};
        int32_t id;
        ok = engine_graph_add(g, &copy, &id) == OK;
    }
    for (size_t i = 0; i < from->n_outputs && ok; i++)
        ok = engine_graph_mark_output(g, from->outputs[i]) == OK;
    if (!ok) engine_graph_free(&g);
    return g;
}

static const char *const ACTS[ENGINE_ACT_N] = {"none",  "relu",     "leaky", "relu6",
                                               "prelu", "hsigmoid", "hswish"};
static const char *const OPS[ENGINE_OP_N] = {[ENGINE_OP_INPUT] = "input",
                                             [ENGINE_OP_CONST] = "const",
                                             [ENGINE_OP_CONV] = "conv",
                                             [ENGINE_OP_DEPTHWISE] = "depthwise",
                                             [ENGINE_OP_TRANSPOSED_CONV] = "tconv",
                                             [ENGINE_OP_TRANSPOSED_DEPTHWISE] = "tdepthwise",
                                             [ENGINE_OP_POOL_MAX] = "max",
                                             [ENGINE_OP_POOL_AVG] = "avg",
                                             [ENGINE_OP_ADD] = "add",
                                             [ENGINE_OP_MUL] = "mul",
                                             [ENGINE_OP_CONCAT] = "concat",
                                             [ENGINE_OP_NEAREST] = "nearest",
                                             [ENGINE_OP_BILINEAR] = "bilinear",
                                             [ENGINE_OP_COPY] = "copy",
                                             [ENGINE_OP_PAD] = "pad",
                                             [ENGINE_OP_TILE] = "tile",
                                             [ENGINE_OP_REORG] = "reorg",
                                             [ENGINE_OP_PIXEL_SHUFFLE] = "shuffle",
                                             [ENGINE_OP_HARD_SIGMOID] = "hsigmoid"};

bool nets_dump(const struct engine_graph *g, const char *dir) {
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/graph.json", dir);
    FILE *text = fopen(path, "w");
    (void)snprintf(path, sizeof path, "%s/graph.bin", dir);
    FILE *data = fopen(path, "wb");
    size_t at = 0;
    bool ok = text && data;
    if (ok) fprintf(text, "{\"nodes\": [");
    for (size_t i = 0; i < g->n_nodes && ok; i++) {
        const struct node *n = &g->nodes[i];
        const struct engine_window *w = &n->window;
        fprintf(text,
                "%s\n{\"op\": \"%s\", \"act\": \"%s\", \"shape\": [%d, %d, %d], \"fix\": %d, \"inputs\": [",
                i ? "," : "", OPS[n->op], ACTS[n->act], n->shape.h, n->shape.w, n->shape.c, n->fix_point);
        for (size_t k = 0; k < n->n_inputs; k++) fprintf(text, "%s%d", k ? ", " : "", n->inputs[k]);
        fprintf(text, "], \"kernel\": [%d, %d], \"stride\": [%d, %d], \"pads\": [%d, %d, %d, %d]",
                w->kernel_h, w->kernel_w, w->stride_h, w->stride_w, w->pad_t, w->pad_l, w->pad_b, w->pad_r);
        fprintf(text,
                ", \"weights_fix\": %d, \"bias_fix\": %d, \"weights_at\": %zu, \"n_weights\": %zu, "
                "\"n_bias\": %zu}",
                n->weights_fix, n->bias_fix, at, n->n_weights, n->n_bias);
        at += n->n_weights + n->n_bias;
        ok = fwrite(n->weights, 1, n->n_weights, data) == n->n_weights &&
             fwrite(n->bias, 1, n->n_bias, data) == n->n_bias;
    }
    if (ok) fprintf(text, "],\n\"outputs\": [");
    for (size_t i = 0; i < g->n_outputs && ok; i++) fprintf(text, "%s%d", i ? ", " : "", g->outputs[i]);
    if (ok) fprintf(text, "]}\n");
    if (text) ok = fclose(text) == 0 && ok;
    if (data) ok = fclose(data) == 0 && ok;
    return ok;
}
