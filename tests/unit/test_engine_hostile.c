/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that no honest model has. Each is either refused with a message that names it, or is so right that
 * every path computes the same from it; nothing in between. */
#include <string.h>

#include "tests/support/engine_graph.h"
#include "tests/support/random_graph.h"

#define SEEDS        60000
#define ELEMENTS_MAX 20000 /* of a node that is also run */

static int32_t nasty(uint64_t *r) {
    static const int32_t VALUES[] = {INT32_MIN, INT32_MIN + 1,
                                     -65536,    -257,
                                     -1,        0,
                                     0,         1,
                                     1,         1,
                                     2,         2,
                                     3,         5,
                                     255,       256,
                                     257,       65535,
                                     65536,     65537,
                                     1 << 24,   1 << 28,
                                     1 << 30,   INT32_MAX - 1,
                                     INT32_MAX};
    /* mostly small, or nothing would ever get past the first check */
    if (random_below(r, 12)) return (int32_t)random_below(r, 5);
    return VALUES[random_below(r, sizeof VALUES / sizeof VALUES[0])];
}

static void nasty_node(uint64_t *r, struct engine_node *n, const int8_t *bytes) {
    n->op = (enum engine_op)(random_below(r, 40) ? (int)random_below(r, ENGINE_OP_N) : nasty(r));
    n->n_inputs = random_below(r, 8) ? 1 : random_below(r, 3);
    n->shape = (struct engine_shape){nasty(r), nasty(r), random_below(r, 3) ? 2 : nasty(r)};
    n->fix_point = nasty(r);
    n->window = (struct engine_window){nasty(r), nasty(r), nasty(r), nasty(r), 1,
                                       1,        nasty(r), nasty(r), nasty(r), nasty(r)};
    if (!random_below(r, 4)) n->window.dilation_w = nasty(r);
    if (!random_below(r, 4)) n->window.dilation_h = nasty(r);
    n->act = (enum engine_act)(random_below(r, 40) ? (int)random_below(r, ENGINE_ACT_N) : nasty(r));
    if (random_below(r, 3)) n->act = ENGINE_ACT_NONE;
    n->hard = (struct engine_hard){nasty(r), nasty(r), nasty(r)};
    n->prelu = nasty(r);
    n->prelu_shift = nasty(r);
    n->weights = random_below(r, 10) ? bytes : NULL;
    /* the right number for a convolution from 2 channels, as often as not */
    int64_t taps = (int64_t)n->window.kernel_w * n->window.kernel_h;
    bool narrow = n->op == ENGINE_OP_DEPTHWISE || n->op == ENGINE_OP_TRANSPOSED_DEPTHWISE;
    int64_t right = taps > 0 && taps < 1000 && n->shape.c > 0 && n->shape.c < 1000
                        ? taps * n->shape.c * (narrow ? 1 : 2)
                        : 0;
    if (n->op == ENGINE_OP_CONST) right = (int64_t)random_below(r, 64);
    n->n_weights = right > 0 && right <= 4096 && random_below(r, 8) ? (size_t)right : random_below(r, 64);
    n->weights_fix = nasty(r);
    n->bias = random_below(r, 2) ? bytes : NULL;
    n->n_bias =
        random_below(r, 8) && n->shape.c > 0 && n->shape.c < 4096 ? (size_t)n->shape.c : random_below(r, 64);
    n->bias_fix = nasty(r);
    n->axis = (enum engine_axis)random_below(r, 4);
    n->align_corners = random_below(r, 2);
    n->half_pixel = random_below(r, 2);
    n->reverse = random_below(r, 2);
}

static void run_everywhere(struct engine_graph *g, int32_t id, const struct engine_node *n, uint64_t seed) {
    size_t size = (size_t)n->shape.h * (size_t)n->shape.w * (size_t)n->shape.c;
    int8_t in[32], want[ELEMENTS_MAX], got[ELEMENTS_MAX];
    for (size_t i = 0; i < sizeof in; i++) in[i] = (int8_t)random_next(&seed);
    assert_int_equal(engine_graph_mark_output(g, id), OK);
    for (int isa = ENGINE_ISA_REFERENCE; isa < ENGINE_ISA_N; isa++) {
        if (!engine_isa_available((enum engine_isa)isa)) continue;
        struct engine *e = NULL;
        assert_int_equal(engine_prepare(g, (enum engine_isa)isa, &e), OK);
        const int8_t *inputs[2] = {in, in};
        int8_t *outputs[1] = {isa == ENGINE_ISA_REFERENCE ? want : got};
        assert_in_range(engine_n_inputs(e), 1, 2);
        engine_run(e, inputs, outputs, 1);
        engine_free(&e);
        if (isa != ENGINE_ISA_REFERENCE && memcmp(want, got, size) != 0)
            fail_msg("operator %d differs on %s", (int)n->op, engine_isa_name((enum engine_isa)isa));
    }
}

static void nonsense_nodes_are_refused_by_name_or_computed_alike(void **state) {
    (void)state;
    static int8_t bytes[8192];
    uint64_t fill = 3;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (int8_t)random_next(&fill);
    unsigned accepted = 0, refused = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t r = seed;
        struct engine_graph *g = NULL;
        assert_int_equal(engine_graph_new(&g), OK);
        int32_t inputs[2] = {add_input(g, "x", (struct engine_shape){4, 4, 2}, 4), 0}, id = -1;
        if (!random_below(&r, 10)) inputs[0] = nasty(&r);
        struct engine_node n = {.name = "odd", .inputs = inputs};
        nasty_node(&r, &n, bytes);
        enum err e = engine_graph_add(g, &n, &id);
        if (e) {
            refused++;
            assert_true(e == ERR_USAGE || e == ERR_UNSUPPORTED);
            assert_non_null(strstr(engine_graph_message(g), "odd: "));
        } else {
            accepted++;
            size_t size = (size_t)n.shape.h * (size_t)n.shape.w * (size_t)n.shape.c;
            bool has_data = n.op != ENGINE_OP_INPUT || size <= 32;
            if (size <= ELEMENTS_MAX && has_data && engine_graph_macs(g) < 2000000)
                run_everywhere(g, id, &n, seed);
        }
        engine_graph_free(&g);
    }
    assert_true(accepted > SEEDS / 50);
    assert_true(refused > SEEDS / 2);
}

static void shapes_whose_product_overflows_are_refused(void **state) {
    (void)state;
    struct engine_graph *g = NULL;
    int32_t id;
    assert_int_equal(engine_graph_new(&g), OK);
    struct engine_node n = {.name = "big", .op = ENGINE_OP_INPUT, .shape = {65536, 65536, 65536}};
    assert_int_equal(engine_graph_add(g, &n, &id), ERR_USAGE);
    assert_string_equal(engine_graph_message(g),
                        "big: shape 65536 x 65536 x 65536 (h, w, c) is out of range");
    engine_graph_free(&g);
}

static void sums_that_could_pass_32_bits_are_refused(void **state) {
    (void)state;
    static int8_t weights[65536];
    memset(weights, -128, sizeof weights);
    const int8_t bias = 127;
    struct engine_graph *g = NULL;
    int32_t id;
    assert_int_equal(engine_graph_new(&g), OK);
    int32_t x = add_input(g, "x", (struct engine_shape){1, 1, 65536}, 0);
    struct engine_node n = {.name = "wide",
                            .op = ENGINE_OP_CONV,
                            .inputs = &x,
                            .n_inputs = 1,
                            .shape = {1, 1, 1},
                            .window = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0},
                            .weights = weights,
                            .n_weights = sizeof weights,
                            .weights_fix = 20,
                            .bias = &bias,
                            .n_bias = 1,
                            .fix_point = 10};
    n.bias_fix = 20; /* 2^30 + 127: fits */
    assert_int_equal(engine_graph_add(g, &n, &id), OK);
    n.bias_fix = -4; /* 127 * 2^24 more: does not */
    assert_int_equal(engine_graph_add(g, &n, &id), ERR_USAGE);
    assert_string_equal(engine_graph_message(g), "wide: sums do not fit in 32 bits");
    engine_graph_free(&g);
}

static void a_graph_without_outputs_is_not_prepared(void **state) {
    (void)state;
    struct engine_graph *g = NULL;
    struct engine *e = NULL;
    assert_int_equal(engine_graph_new(&g), OK);
    assert_int_equal(engine_prepare(g, ENGINE_ISA_AUTO, &e), ERR_USAGE);
    assert_null(e);
    assert_int_equal(engine_graph_mark_output(g, 0), ERR_USAGE);
    assert_int_equal(engine_prepare(g, (enum engine_isa)77, &e), ERR_USAGE);
    engine_graph_free(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nonsense_nodes_are_refused_by_name_or_computed_alike),
        cmocka_unit_test(shapes_whose_product_overflows_are_refused),
        cmocka_unit_test(sums_that_could_pass_32_bits_are_refused),
        cmocka_unit_test(a_graph_without_outputs_is_not_prepared),
    };
    return cmocka_run_group_tests_name("engine_hostile", tests, NULL, NULL);
}
