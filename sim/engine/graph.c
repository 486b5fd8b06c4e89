/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/size.h"
#include "sim/engine/internal.h"

static void *copy_bytes(const void *from, size_t n) {
    void *to = malloc(n ? n : 1);
    if (to && n) memcpy(to, from, n);
    return to;
}

void node_fini(struct node *node) {
    free(node->name);
    free(node->inputs);
    free(node->weights);
    free(node->bias);
    *node = (struct node){0};
}

enum err node_copy(const struct node *from, struct node *to) {
    *to = *from;
    to->name = copy_bytes(from->name, strlen(from->name) + 1);
    to->inputs = copy_bytes(from->inputs, from->n_inputs * sizeof *from->inputs);
    to->weights = from->weights ? copy_bytes(from->weights, from->n_weights) : NULL;
    to->bias = from->bias ? copy_bytes(from->bias, from->n_bias) : NULL;
    if (!to->name || !to->inputs || (from->weights && !to->weights) || (from->bias && !to->bias)) {
        node_fini(to);
        return ERR_NOMEM;
    }
    return OK;
}

enum err engine_graph_new(struct engine_graph **out) {
    *out = calloc(1, sizeof **out);
    return *out ? OK : ERR_NOMEM;
}

void engine_graph_free(struct engine_graph **graph) {
    if (!graph || !*graph) return;
    for (size_t i = 0; i < (*graph)->n_nodes; i++) node_fini(&(*graph)->nodes[i]);
    free((*graph)->nodes);
    free((*graph)->outputs);
    free(*graph);
    *graph = NULL;
}

const char *engine_graph_message(const struct engine_graph *graph) {
    return graph->message;
}

/* Room for one more of `size` bytes in a growing table; doubles. */
static enum err reserve(void **table, size_t *cap, size_t n, size_t size) {
    if (n < *cap) return OK;
    size_t more = *cap ? *cap * 2 : 32, bytes;
    if (!size_mul(more, size, &bytes)) return ERR_NOMEM;
    void *grown = realloc(*table, bytes);
    if (!grown) return ERR_NOMEM;
    *table = grown;
    *cap = more;
    return OK;
}

enum err engine_graph_add(struct engine_graph *graph, const struct engine_node *from, int32_t *id) {
    graph->message[0] = 0;
    bool named = from->name && from->name[0] && strlen(from->name) < 1024;
    struct node owned = {.op = from->op,
                         .n_inputs = from->n_inputs,
                         .shape = from->shape,
                         .fix_point = from->fix_point,
                         .window = from->window,
                         .act = from->act,
                         .hard = from->hard,
                         .prelu = from->prelu,
                         .prelu_shift = from->prelu_shift,
                         .n_weights = from->weights ? from->n_weights : 0,
                         .weights_fix = from->weights_fix,
                         .n_bias = from->bias ? from->n_bias : 0,
                         .bias_fix = from->bias_fix,
                         .axis = from->axis,
                         .align_corners = from->align_corners,
                         .half_pixel = from->half_pixel,
                         .reverse = from->reverse,
                         .pad_value = from->pad_value};
    if (!named || (from->n_inputs && !from->inputs) || from->n_inputs > ENGINE_INPUTS_MAX) {
        (void)snprintf(graph->message, sizeof graph->message, "a node without a usable name or input list");
        return ERR_USAGE;
    }
    if (graph->n_nodes >= ENGINE_NODES_MAX) {
        (void)snprintf(graph->message, sizeof graph->message, "%s: more than %d nodes", from->name,
                       ENGINE_NODES_MAX);
        return ERR_UNSUPPORTED;
    }
    void *table = graph->nodes;
    enum err e = reserve(&table, &graph->cap_nodes, graph->n_nodes, sizeof *graph->nodes);
    graph->nodes = table;
    if (e) goto no_memory;
    owned.name = copy_bytes(from->name, strlen(from->name) + 1);
    owned.inputs = copy_bytes(from->inputs, from->n_inputs * sizeof *from->inputs);
    owned.weights = from->weights ? copy_bytes(from->weights, from->n_weights) : NULL;
    owned.bias = from->bias ? copy_bytes(from->bias, from->n_bias) : NULL;
    if (!owned.name || !owned.inputs || (from->weights && !owned.weights) || (from->bias && !owned.bias)) {
        node_fini(&owned);
        goto no_memory;
    }
    e = node_check(graph, &owned);
    if (e) {
        node_fini(&owned);
        return e;
    }
    graph->nodes[graph->n_nodes] = owned;
    *id = (int32_t)graph->n_nodes++;
    return OK;
no_memory:
    (void)snprintf(graph->message, sizeof graph->message, "%s: no memory for the node", from->name);
    return ERR_NOMEM;
}

enum err engine_graph_mark_output(struct engine_graph *graph, int32_t id) {
    graph->message[0] = 0;
    if (id < 0 || (size_t)id >= graph->n_nodes) {
        (void)snprintf(graph->message, sizeof graph->message, "output %d is not a node", (int)id);
        return ERR_USAGE;
    }
    void *table = graph->outputs;
    enum err e = reserve(&table, &graph->cap_outputs, graph->n_outputs, sizeof *graph->outputs);
    graph->outputs = table;
    if (e) return e;
    graph->outputs[graph->n_outputs++] = id;
    return OK;
}

uint64_t engine_graph_macs(const struct engine_graph *graph) {
    uint64_t sum = 0;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct node *n = &graph->nodes[i];
        uint64_t taps = (uint64_t)n->window.kernel_w * (uint64_t)n->window.kernel_h;
        uint64_t out = shape_elements(n->shape);
        if (n->op == ENGINE_OP_CONV) {
            sum += out * taps * (uint64_t)graph->nodes[n->inputs[0]].shape.c;
        } else if (n->op == ENGINE_OP_DEPTHWISE) {
            sum += out * taps;
        } else if (n->op == ENGINE_OP_TRANSPOSED_CONV) {
            sum += shape_elements(graph->nodes[n->inputs[0]].shape) * taps * (uint64_t)n->shape.c;
        } else if (n->op == ENGINE_OP_TRANSPOSED_DEPTHWISE) {
            sum += shape_elements(graph->nodes[n->inputs[0]].shape) * taps;
        }
    }
    return sum;
}
