/* SPDX-License-Identifier: Apache-2.0 */
/* random_graph.h - seeded random networks for comparing one way of computing with another. The same seed
 * gives the same graph and inputs everywhere. Every node's output is an output of the graph, so nothing is
 * compared only through what follows it. */
#ifndef TESTS_SUPPORT_RANDOM_GRAPH_H
#define TESTS_SUPPORT_RANDOM_GRAPH_H

#include "sim/engine/engine.h"

#define RANDOM_NODES_MAX  16
#define RANDOM_FRAMES_MAX 3

struct random_node {
    struct engine_node node; /* borrows from the fields below */
    char name[32];
    int32_t inputs[4];
    int8_t *weights, *bias;
    size_t bytes; /* of one frame */
    bool output;  /* an output of the graph: only these are computed into tensors */
};

struct random_graph {
    struct random_node nodes[RANDOM_NODES_MAX];
    size_t n_nodes, n_inputs, n_frames;
    bool all_outputs;
    size_t outputs; /* elements of all nodes that compute something and are outputs, over all frames */
    struct engine_graph *graph;
};

/* `macs_max` limits the work of each node of one frame. False only without memory. */
bool random_graph_make(struct random_graph *g, uint64_t seed, uint64_t macs_max);
void random_graph_fini(struct random_graph *g);

/* Memory for the tensors of every node over all frames, each at its own odd address between guard bytes. */
struct random_tensors {
    int8_t *of[RANDOM_NODES_MAX];
    uint8_t *memory;
    size_t bytes;
};
bool random_tensors_make(struct random_tensors *t, const struct random_graph *g, uint64_t seed);
void random_tensors_fini(struct random_tensors *t);
/* Compute every node on one instruction set from the inputs already in `t`. False: it could not be prepared.
 */
bool random_graph_run(const struct random_graph *g, struct random_tensors *t, enum engine_isa isa);
/* True when no byte between the tensors was written. */
bool random_tensors_guarded(const struct random_tensors *t, const struct random_graph *g);

/* splitmix64: next number of a seeded sequence; and one below n (n > 0). */
uint64_t random_next(uint64_t *state);
uint32_t random_below(uint64_t *state, uint32_t n);

#endif
