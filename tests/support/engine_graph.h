/* SPDX-License-Identifier: Apache-2.0 */
/* engine_graph.h - small helpers to build engine graphs in tests; each fails the running test on an error. */
#ifndef TESTS_SUPPORT_ENGINE_GRAPH_H
#define TESTS_SUPPORT_ENGINE_GRAPH_H

#include "sim/engine/engine.h"
#include "tests/support/test.h"

static inline int32_t add_node(struct engine_graph *g, const struct engine_node *n) {
    int32_t id = -1;
    enum err e = engine_graph_add(g, n, &id);
    if (e != OK) print_error("%s\n", engine_graph_message(g));
    assert_int_equal(e, OK);
    return id;
}

static inline int32_t add_input(struct engine_graph *g, const char *name, struct engine_shape s,
                                int32_t fix) {
    struct engine_node n = {.name = name, .op = ENGINE_OP_INPUT, .shape = s, .fix_point = fix};
    return add_node(g, &n);
}

/* Run a graph whose only output is `id` and whose only input is node 0 once, on one instruction set. */
static inline void run_once(struct engine_graph *g, int32_t id, enum engine_isa isa, const int8_t *in,
                            int8_t *out) {
    struct engine *e = NULL;
    assert_int_equal(engine_graph_mark_output(g, id), OK);
    assert_int_equal(engine_prepare(g, isa, &e), OK);
    engine_run(e, &in, &out, 1);
    engine_free(&e);
}

#endif
