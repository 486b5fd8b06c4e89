/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h - int8 networks with power-of-two scales, exact to the DPU's arithmetic.
 * Build a graph node by node, prepare it once (weights packed, memory planned), run it any number of times.
 * Threads: a graph and an engine belong to one thread at a time; different engines are independent.
 * Ownership: a graph copies all it is given; an engine borrows nothing from its graph after prepare.
 * Layout outside: NHWC, signed int8, dense. Real value of a number q = q * 2^-fix_point. */
#ifndef SIM_ENGINE_ENGINE_H
#define SIM_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

enum engine_op {
    ENGINE_OP_INPUT,           /* a tensor that engine_run is given */
    ENGINE_OP_CONST,           /* values that come with the graph, in `weights` */
    ENGINE_OP_CONV,            /* weights [oc][kh][kw][ic] */
    ENGINE_OP_DEPTHWISE,       /* weights [1][kh][kw][c] */
    ENGINE_OP_TRANSPOSED_CONV, /* weights [oc][kh][kw][ic], as they slide over the input with zeros between
                                * its pixels: turned by 180 degrees against the usual way to write them */
    ENGINE_OP_TRANSPOSED_DEPTHWISE, /* weights [1][kh][kw][c], turned likewise */
    ENGINE_OP_POOL_MAX,             /* padding never wins */
    ENGINE_OP_POOL_AVG,             /* padding counts as zeros */
    ENGINE_OP_ADD,                  /* any number of inputs of one shape */
    ENGINE_OP_MUL,                  /* two inputs; one may be [1][1][c], spread over the image */
    ENGINE_OP_CONCAT,               /* along `axis` */
    ENGINE_OP_NEAREST,              /* resize by index */
    ENGINE_OP_BILINEAR,             /* resize by interpolation */
    ENGINE_OP_COPY,                 /* the same values, in order, perhaps another shape and fix point */
    ENGINE_OP_PAD,                  /* border of `pad_value` */
    ENGINE_OP_TILE,                 /* space to depth by window.stride; `reverse`: depth to space */
    ENGINE_OP_REORG,                /* the same, rows first exchanged as in YOLO's layer of that name */
    ENGINE_OP_PIXEL_SHUFFLE,        /* depth to space, block index slowest in the channel; `reverse`: back */
    ENGINE_OP_HARD_SIGMOID,
    ENGINE_OP_N
};

enum engine_act {
    ENGINE_ACT_NONE,
    ENGINE_ACT_RELU,
    ENGINE_ACT_LEAKY,    /* slope 26/256 */
    ENGINE_ACT_RELU6,    /* limit 6 */
    ENGINE_ACT_PRELU,    /* slope prelu * 2^-prelu_shift */
    ENGINE_ACT_HSIGMOID, /* see struct engine_hard */
    ENGINE_ACT_HSWISH,
    ENGINE_ACT_N
};

/* The instruction sets an engine can be made for. AUTO takes the best of this processor. */
enum engine_isa {
    ENGINE_ISA_AUTO,
    ENGINE_ISA_REFERENCE, /* the plain reference itself */
    ENGINE_ISA_PORTABLE,
    ENGINE_ISA_AVX2,
    ENGINE_ISA_AVX512_VNNI,
    ENGINE_ISA_N
};

enum engine_axis { ENGINE_AXIS_H, ENGINE_AXIS_W, ENGINE_AXIS_C };

struct engine_shape {
    int32_t h, w, c;
};

struct engine_window {
    int32_t kernel_w, kernel_h, stride_w, stride_h, dilation_w, dilation_h;
    int32_t pad_l, pad_r, pad_t, pad_b;
};

/* Shifts of the hard activations. They act on the sum rounded to int8 at fix point input_fix. */
struct engine_hard {
    int32_t input_fix;      /* hsigmoid_in */
    int32_t shift_hsigmoid; /* to the right, before the int8 result of the sigmoid */
    int32_t shift_hswish;   /* to the right, after the product */
};

/* One operator and its output. Fields that the operator does not use stay zero. */
struct engine_node {
    const char *name; /* for messages; 1 to 1023 bytes */
    enum engine_op op;
    const int32_t *inputs; /* ids returned by engine_graph_add */
    size_t n_inputs;
    struct engine_shape shape; /* of the output, per frame */
    int32_t fix_point;         /* of the output */
    struct engine_window window;
    enum engine_act act;
    struct engine_hard hard;
    int32_t prelu, prelu_shift; /* ENGINE_ACT_PRELU */
    const int8_t *weights;
    size_t n_weights; /* elements */
    int32_t weights_fix;
    const int8_t *bias; /* NULL: none */
    size_t n_bias;
    int32_t bias_fix;
    enum engine_axis axis;
    bool align_corners, half_pixel, reverse;
    int8_t pad_value;
};

struct engine_graph;
struct engine;

#define ENGINE_NODES_MAX   8192
#define ENGINE_INPUTS_MAX  64                 /* of one node */
#define ENGINE_TENSOR_MAX  ((int64_t)1 << 28) /* elements of one tensor of one frame */
#define ENGINE_MESSAGE_MAX 1280

/* A graph with no nodes. ERR_NOMEM. Returns owned. */
MUST_CHECK enum err engine_graph_new(struct engine_graph **out);
void engine_graph_free(struct engine_graph **graph);
/* Check and append a node; *id is its number. Nothing is added on failure, and engine_graph_message says why:
 * ERR_USAGE (shapes, attributes or constants that do not fit), ERR_UNSUPPORTED (an operator or activation
 * that this engine does not have), ERR_NOMEM. Borrows everything in `node`. */
MUST_CHECK enum err engine_graph_add(struct engine_graph *graph, const struct engine_node *node, int32_t *id);
/* Node `id` is an output of engine_run, after those marked before. ERR_USAGE. */
MUST_CHECK enum err engine_graph_mark_output(struct engine_graph *graph, int32_t id);
/* Why the last call failed, naming the node; never NULL, valid until the next call on this graph. */
const char *engine_graph_message(const struct engine_graph *graph);
/* Multiply-adds of one frame, padding not counted as saved. */
uint64_t engine_graph_macs(const struct engine_graph *graph);

/* Pack weights and plan memory. ERR_USAGE without an output, ERR_UNSUPPORTED when this processor lacks `isa`,
 * ERR_NOMEM. Returns owned. */
MUST_CHECK enum err engine_prepare(const struct engine_graph *graph, enum engine_isa isa,
                                   struct engine **out);
void engine_free(struct engine **engine);
size_t engine_n_inputs(const struct engine *engine);
size_t engine_n_outputs(const struct engine *engine);
/* Bytes of one frame of input or output `i`. */
size_t engine_input_bytes(const struct engine *engine, size_t i);
size_t engine_output_bytes(const struct engine *engine, size_t i);
/* What it was made for; never AUTO. */
enum engine_isa engine_isa_of(const struct engine *engine);
const char *engine_isa_name(enum engine_isa isa);
bool engine_isa_available(enum engine_isa isa);

struct engine_memory {
    size_t weight_bytes;     /* int8 weights and biases as given */
    size_t packed_bytes;     /* as kept */
    size_t activation_bytes; /* the arena, tables included */
};
void engine_memory_of(const struct engine *engine, struct engine_memory *out);

/* Compute `n_frames` frames: inputs[i] and outputs[i] hold n_frames dense frames each, at any alignment, and
 * do not overlap. Inputs in the order they were added, outputs as marked. Allocates nothing, cannot fail. */
void engine_run(struct engine *engine, const int8_t *const *inputs, int8_t *const *outputs, size_t n_frames);

#endif
