/* SPDX-License-Identifier: Apache-2.0 */
/* internal.h - what the files of the engine share: checked nodes and the table of one instruction set.
 * Nothing outside sim/engine includes this. */
#ifndef SIM_ENGINE_INTERNAL_H
#define SIM_ENGINE_INTERNAL_H

#include "sim/engine/engine.h"

/* A node after engine_graph_add accepted it: every rule of check.c holds, constants are owned copies. */
struct node {
    char *name;
    enum engine_op op;
    int32_t *inputs;
    size_t n_inputs;
    struct engine_shape shape;
    int32_t fix_point;
    struct engine_window window;
    enum engine_act act;
    struct engine_hard hard;
    int32_t prelu, prelu_shift;
    int8_t *weights;
    size_t n_weights;
    int32_t weights_fix;
    int8_t *bias;
    size_t n_bias;
    int32_t bias_fix;
    enum engine_axis axis;
    bool align_corners, half_pixel, reverse;
    int8_t pad_value;
    int32_t avg_n, avg_m; /* POOL_AVG: the quotient is sum * avg_n / 2^avg_m */
};

struct engine_graph {
    struct node *nodes;
    size_t n_nodes, cap_nodes;
    int32_t *outputs;
    size_t n_outputs, cap_outputs;
    char message[ENGINE_MESSAGE_MAX];
};

static inline size_t shape_elements(struct engine_shape s) {
    return (size_t)s.h * (size_t)s.w * (size_t)s.c;
}

/* check.c: all rules for one node against the nodes before it; writes graph->message on failure. */
MUST_CHECK enum err node_check(struct engine_graph *graph, struct node *node);
/* graph.c */
MUST_CHECK enum err node_copy(const struct node *from, struct node *to);
void node_fini(struct node *node);

/* reference.c: one node of one frame, from dense tensors (in[i] as node->inputs[i]) to a dense tensor.
 * `nodes` is the graph's table, for shapes and fix points of the inputs. */
void reference_run_node(const struct node *nodes, const struct node *node, const int8_t *const *in,
                        int8_t *out);

#endif
