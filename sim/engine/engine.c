/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "host/base/size.h"
#include "sim/engine/plan.h"

struct engine {
    enum engine_isa isa;
    struct node *nodes;
    size_t n_nodes;
    int32_t *inputs, *outputs;
    size_t n_inputs, n_outputs;
    struct plan plan; /* of the fast paths */
    int8_t **tensors; /* of the reference: one dense frame per node */
    int8_t *arena;
    size_t arena_bytes;
};

static const char *const ISA_NAMES[ENGINE_ISA_N] = {"auto", "reference", "portable", "avx2", "avx512-vnni"};

const char *engine_isa_name(enum engine_isa isa) {
    return (unsigned)isa < ENGINE_ISA_N ? ISA_NAMES[isa] : "unknown";
}

static const struct kernels *kernels_of(enum engine_isa isa) {
    return isa == ENGINE_ISA_AVX512_VNNI ? &KERNELS_AVX512
           : isa == ENGINE_ISA_AVX2      ? &KERNELS_AVX2
                                         : &KERNELS_PORTABLE;
}

bool engine_isa_available(enum engine_isa isa) {
    switch (isa) {
    case ENGINE_ISA_AUTO:
    case ENGINE_ISA_REFERENCE:
    case ENGINE_ISA_PORTABLE:
        return true;
    case ENGINE_ISA_AVX2:
        return __builtin_cpu_supports("avx2");
    case ENGINE_ISA_AVX512_VNNI:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512vnni");
    case ENGINE_ISA_N:
        break;
    }
    return false;
}

static enum engine_isa best_isa(void) {
    if (engine_isa_available(ENGINE_ISA_AVX512_VNNI)) return ENGINE_ISA_AVX512_VNNI;
    return engine_isa_available(ENGINE_ISA_AVX2) ? ENGINE_ISA_AVX2 : ENGINE_ISA_PORTABLE;
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

/* The plan has its own packed copy. Nodes that still run on the reference keep theirs: none has weights. */
static void drop_constants(struct engine *e) {
    for (size_t i = 0; i < e->n_nodes; i++) {
        free(e->nodes[i].weights);
        free(e->nodes[i].bias);
        e->nodes[i].weights = e->nodes[i].bias = NULL;
    }
}

enum err engine_prepare(const struct engine_graph *graph, enum engine_isa isa, struct engine **out) {
    *out = NULL;
    if (!graph->n_outputs) return ERR_USAGE;
    if ((unsigned)isa >= ENGINE_ISA_N || !engine_isa_available(isa)) return ERR_UNSUPPORTED;
    struct engine *e = calloc(1, sizeof *e);
    if (!e) return ERR_NOMEM;
    enum err rc = ERR_NOMEM;
    e->isa = isa == ENGINE_ISA_AUTO ? best_isa() : isa;
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
    rc = e->isa == ENGINE_ISA_REFERENCE ? plan_reference(e)
                                        : plan_make(&e->plan, graph, e->nodes, kernels_of(e->isa));
    if (rc) goto fail;
    if (e->isa != ENGINE_ISA_REFERENCE) drop_constants(e);
    *out = e;
    return OK;
fail:
    engine_free(&e);
    return rc;
}

void engine_free(struct engine **engine) {
    if (!engine || !*engine) return;
    struct engine *e = *engine;
    if (e->plan.kernels) plan_fini(&e->plan);
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
    if (e->isa == ENGINE_ISA_REFERENCE) return;
    out->packed_bytes = e->plan.packed_bytes;
    out->activation_bytes = e->plan.arena_bytes + e->plan.dense_bytes;
}

static void run_frame_reference(struct engine *e) {
    const int8_t *in[ENGINE_INPUTS_MAX];
    for (size_t i = 0; i < e->n_nodes; i++) {
        const struct node *n = &e->nodes[i];
        for (size_t k = 0; k < n->n_inputs; k++) in[k] = e->tensors[n->inputs[k]];
        reference_run_node(e->nodes, n, in, e->tensors[i]);
    }
}

void engine_run_planned(struct engine *e) {
    plan_run(&e->plan);
}

static void import_input(struct engine *e, size_t i, const int8_t *dense) {
    int32_t id = e->inputs[i];
    if (e->isa == ENGINE_ISA_REFERENCE)
        memcpy(e->tensors[id], dense, engine_input_bytes(e, i));
    else
        e->plan.kernels->import(&e->plan.views[id], dense);
}

static void export_output(const struct engine *e, size_t i, int8_t *dense) {
    int32_t id = e->outputs[i];
    if (e->isa == ENGINE_ISA_REFERENCE)
        memcpy(dense, e->tensors[id], engine_output_bytes(e, i));
    else
        e->plan.kernels->export(&e->plan.views[id], dense);
}

void engine_run(struct engine *e, const int8_t *const *inputs, int8_t *const *outputs, size_t n_frames) {
    for (size_t f = 0; f < n_frames; f++) {
        for (size_t i = 0; i < e->n_inputs; i++) import_input(e, i, inputs[i] + f * engine_input_bytes(e, i));
        if (e->isa == ENGINE_ISA_REFERENCE)
            run_frame_reference(e);
        else
            plan_run(&e->plan);
        for (size_t i = 0; i < e->n_outputs; i++)
            export_output(e, i, outputs[i] + f * engine_output_bytes(e, i));
    }
}
