/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "host/base/size.h"
#include "sim/engine/internal.h"

struct engine {
    enum engine_isa isa;
    struct node *nodes;
    size_t n_nodes;
    int32_t *inputs, *outputs;
    size_t n_inputs, n_outputs;
    int8_t **tensors; /* one dense frame per node */
    int8_t *arena;
    size_t arena_bytes;
};

static const char *const ISA_NAMES[ENGINE_ISA_N] = {"auto", "reference", "portable", "avx2", "avx512-vnni"};

const char *engine_isa_name(enum engine_isa isa) {
    return (unsigned)isa < ENGINE_ISA_N ? ISA_NAMES[isa] : "unknown";
}

bool engine_isa_available(enum engine_isa isa) {
    return isa == ENGINE_ISA_AUTO || isa == ENGINE_ISA_REFERENCE;
}

static enum err plan_reference(struct engine *e) {
    size_t total = 0;
    for (size_t i = 0; i < e->n_nodes; i++)
        if (!size_add(total, shape_elements(e->nodes[i].shape), &total)) return ERR_NOMEM;
    e->arena = calloc(total ? total : 1, 1);
    e->tensors = calloc(e->n_nodes, sizeof *e->tensors);
    if (!e->arena || !e->tensors) return ERR_NOMEM;
    e->arena_bytes = total;
    int8_t *p = e->arena;
    for (size_t i = 0; i < e->n_nodes; i++) {
        e->tensors[i] = p;
        p += shape_elements(e->nodes[i].shape);
    }
    return OK;
}

enum err engine_prepare(const struct engine_graph *graph, enum engine_isa isa, struct engine **out) {
    *out = NULL;
    if (!graph->n_outputs) return ERR_USAGE;
    if ((unsigned)isa >= ENGINE_ISA_N || !engine_isa_available(isa)) return ERR_UNSUPPORTED;
    struct engine *e = calloc(1, sizeof *e);
    if (!e) return ERR_NOMEM;
    enum err rc = ERR_NOMEM;
    e->isa = ENGINE_ISA_REFERENCE;
    e->nodes = calloc(graph->n_nodes, sizeof *e->nodes);
    e->inputs = calloc(graph->n_nodes, sizeof *e->inputs);
    e->outputs = calloc(graph->n_outputs, sizeof *e->outputs);
    if (!e->nodes || !e->inputs || !e->outputs) goto fail;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        rc = node_copy(&graph->nodes[i], &e->nodes[i]);
        if (rc) goto fail;
        e->n_nodes++;
        if (e->nodes[i].op == ENGINE_OP_INPUT) e->inputs[e->n_inputs++] = (int32_t)i;
    }
    memcpy(e->outputs, graph->outputs, graph->n_outputs * sizeof *e->outputs);
    e->n_outputs = graph->n_outputs;
    rc = plan_reference(e);
    if (rc) goto fail;
    *out = e;
    return OK;
fail:
    engine_free(&e);
    return rc;
}

void engine_free(struct engine **engine) {
    if (!engine || !*engine) return;
    struct engine *e = *engine;
    for (size_t i = 0; i < e->n_nodes; i++) node_fini(&e->nodes[i]);
    free(e->nodes);
    free(e->inputs);
    free(e->outputs);
    free(e->tensors);
    free(e->arena);
    free(e);
    *engine = NULL;
}

size_t engine_n_inputs(const struct engine *e) {
    return e->n_inputs;
}

size_t engine_n_outputs(const struct engine *e) {
    return e->n_outputs;
}

size_t engine_input_bytes(const struct engine *e, size_t i) {
    return shape_elements(e->nodes[e->inputs[i]].shape);
}

size_t engine_output_bytes(const struct engine *e, size_t i) {
    return shape_elements(e->nodes[e->outputs[i]].shape);
}

enum engine_isa engine_isa_of(const struct engine *e) {
    return e->isa;
}

void engine_memory_of(const struct engine *e, struct engine_memory *out) {
    *out = (struct engine_memory){.activation_bytes = e->arena_bytes};
    for (size_t i = 0; i < e->n_nodes; i++) out->weight_bytes += e->nodes[i].n_weights + e->nodes[i].n_bias;
    out->packed_bytes = out->weight_bytes;
}

static void run_frame_reference(struct engine *e) {
    const int8_t *in[ENGINE_INPUTS_MAX];
    for (size_t i = 0; i < e->n_nodes; i++) {
        const struct node *n = &e->nodes[i];
        for (size_t k = 0; k < n->n_inputs; k++) in[k] = e->tensors[n->inputs[k]];
        reference_run_node(e->nodes, n, in, e->tensors[i]);
    }
}

void engine_run(struct engine *e, const int8_t *const *inputs, int8_t *const *outputs, size_t n_frames) {
    for (size_t f = 0; f < n_frames; f++) {
        for (size_t i = 0; i < e->n_inputs; i++) {
            size_t bytes = engine_input_bytes(e, i);
            memcpy(e->tensors[e->inputs[i]], inputs[i] + f * bytes, bytes);
        }
        run_frame_reference(e);
        for (size_t i = 0; i < e->n_outputs; i++) {
            size_t bytes = engine_output_bytes(e, i);
            memcpy(outputs[i] + f * bytes, e->tensors[e->outputs[i]], bytes);
        }
    }
}
