/* SPDX-License-Identifier: Apache-2.0 */
/* The DPU's arithmetic by hand-computed cases, on every instruction set this processor has. */
#include <string.h>

#include "tests/support/engine_graph.h"

static const struct engine_window ONE = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};

/* Every case on every instruction set: `node` reads input 0 of shape in_shape. */
static void expect(const struct engine_node *node, struct engine_shape in_shape, int32_t in_fix,
                   const int8_t *in, const int8_t *want) {
    size_t n = (size_t)(node->shape.h * node->shape.w * node->shape.c);
    for (int isa = ENGINE_ISA_REFERENCE; isa < ENGINE_ISA_N; isa++) {
        if (!engine_isa_available((enum engine_isa)isa)) continue;
        int8_t out[1024];
        struct engine_graph *g = NULL;
        assert_int_equal(engine_graph_new(&g), OK);
        int32_t x = add_input(g, "x", in_shape, in_fix);
        struct engine_node with = *node;
        int32_t inputs[2] = {x, x};
        with.name = "y";
        with.inputs = inputs;
        if (!with.n_inputs) with.n_inputs = 1;
        assert_true(n <= sizeof out);
        memset(out, 0x55, sizeof out);
        run_once(g, add_node(g, &with), (enum engine_isa)isa, in, out);
        for (size_t i = 0; i < n; i++)
            if (out[i] != want[i]) {
                print_error("%s, element %zu: %d, not %d\n", engine_isa_name((enum engine_isa)isa), i, out[i],
                            want[i]);
                fail();
            }
        engine_graph_free(&g);
    }
}

/* A 1x1 convolution of one channel over a row of values: sum = x * weight + bias, then the step to fix_out.
 */
struct line {
    int32_t in_fix, weight_fix, bias_fix, out_fix;
    int8_t weight, bias;
    enum engine_act act;
    int32_t prelu, prelu_shift;
    struct engine_hard hard;
};
static void expect_line(struct line l, size_t n, const int8_t *in, const int8_t *want) {
    struct engine_shape s = {1, (int32_t)n, 1};
    struct engine_node node = {.op = ENGINE_OP_CONV,
                               .shape = s,
                               .fix_point = l.out_fix,
                               .window = ONE,
                               .act = l.act,
                               .prelu = l.prelu,
                               .prelu_shift = l.prelu_shift,
                               .hard = l.hard,
                               .weights = &l.weight,
                               .n_weights = 1,
                               .weights_fix = l.weight_fix,
                               .bias = &l.bias,
                               .n_bias = 1,
                               .bias_fix = l.bias_fix};
    expect(&node, s, l.in_fix, in, want);
    node.op = ENGINE_OP_DEPTHWISE;
    expect(&node, s, l.in_fix, in, want);
    node.op = ENGINE_OP_TRANSPOSED_CONV;
    expect(&node, s, l.in_fix, in, want);
    node.op = ENGINE_OP_TRANSPOSED_DEPTHWISE;
    expect(&node, s, l.in_fix, in, want);
}

static void conv_rounds_halves_towards_plus_infinity(void **state) {
    (void)state;
    /* shift 1: halves. -3/2 -> -1, -1/2 -> 0, 1/2 -> 1, 3/2 -> 2 */
    expect_line((struct line){.in_fix = 1, .weight = 1}, 6, (const int8_t[]){-3, -2, -1, 0, 1, 3},
                (const int8_t[]){-1, -1, 0, 0, 1, 2});
    /* shift 3: -12/8 = -1.5 -> -1, -13/8 = -1.625 -> -2, 4/8 -> 1, 3/8 -> 0, -4/8 -> 0, -5/8 -> -1 */
    expect_line((struct line){.in_fix = 3, .weight = 1}, 6, (const int8_t[]){-12, -13, 4, 3, -4, -5},
                (const int8_t[]){-1, -2, 1, 0, 0, -1});
}

static void conv_result_saturates_on_both_sides(void **state) {
    (void)state;
    expect_line((struct line){.weight = 127}, 5, (const int8_t[]){-128, -2, 0, 1, 127},
                (const int8_t[]){-128, -128, 0, 127, 127});
    /* 127 * 127 / 128 = 126.0; -128 * 127 / 128 = -127; with bias 127 * 2^1: 383 + ... saturates */
    expect_line((struct line){.in_fix = 7, .weight = 127}, 3, (const int8_t[]){127, -128, 64},
                (const int8_t[]){126, -127, 64});
}

static void conv_shifts_left_when_the_output_is_finer(void **state) {
    (void)state;
    expect_line((struct line){.out_fix = 3, .weight = 1}, 5, (const int8_t[]){1, -1, 15, 16, -17},
                (const int8_t[]){8, -8, 120, 127, -128});
}

static void bias_is_aligned_to_the_sum_and_rounded_when_it_is_finer(void **state) {
    (void)state;
    /* sum fix 2, bias fix 0: 3 * 4 = 12; (x + 12) / 4 */
    expect_line((struct line){.in_fix = 2, .weight = 1, .bias = 3}, 4, (const int8_t[]){0, 2, -14, 4},
                (const int8_t[]){3, 4, 0, 4});
    /* bias finer than the sum by 1: 3/2 = 1.5 -> 2; -3/2 -> -1 */
    expect_line((struct line){.bias_fix = 1, .weight = 1, .bias = 3}, 2, (const int8_t[]){0, 5},
                (const int8_t[]){2, 7});
    expect_line((struct line){.bias_fix = 1, .weight = 1, .bias = -3}, 2, (const int8_t[]){0, 5},
                (const int8_t[]){-1, 4});
}

static void relu_acts_before_rounding(void **state) {
    (void)state;
    expect_line((struct line){.in_fix = 1, .weight = 1, .act = ENGINE_ACT_RELU}, 5,
                (const int8_t[]){-128, -1, 0, 1, 127}, (const int8_t[]){0, 0, 0, 1, 64});
}

static void relu6_limits_at_six_in_the_output_scale(void **state) {
    (void)state;
    /* fix 3 in and out: 6 = 48 */
    expect_line((struct line){.in_fix = 3, .out_fix = 3, .weight = 1, .act = ENGINE_ACT_RELU6}, 5,
                (const int8_t[]){-5, 47, 48, 49, 127}, (const int8_t[]){0, 47, 48, 48, 48});
    /* fix 4 to 6: 6 would be 384, so only saturation shows */
    expect_line((struct line){.in_fix = 4, .out_fix = 6, .weight = 1, .act = ENGINE_ACT_RELU6}, 3,
                (const int8_t[]){31, 32, 100}, (const int8_t[]){124, 127, 127});
    /* input steps of 4 (fix -2): 6 is one and a half of them */
    expect_line((struct line){.in_fix = -2, .weight = 1, .act = ENGINE_ACT_RELU6}, 4,
                (const int8_t[]){-1, 0, 1, 2}, (const int8_t[]){0, 0, 4, 6});
}

static void leaky_relu_has_slope_26_over_256_and_one_rounding(void **state) {
    (void)state;
    /* shift 0: -10 * 26/256 = -1.0156 -> -1; -5 -> -0.508 -> -1; -4 -> -0.406 -> 0; -128 -> -13 exactly */
    expect_line((struct line){.weight = 1, .act = ENGINE_ACT_LEAKY}, 6,
                (const int8_t[]){-10, -5, -4, -128, 0, 100}, (const int8_t[]){-1, -1, 0, -13, 0, 100});
    /* shift 1: two roundings would give -64 -> -6.5 -> -6; one: -128 * 26 / 512 = -6.5 -> -6; 3 -> 1.5 -> 2
     */
    expect_line((struct line){.in_fix = 1, .weight = 1, .act = ENGINE_ACT_LEAKY}, 4,
                (const int8_t[]){-128, 3, -15, -1}, (const int8_t[]){-6, 2, -1, 0});
}

static void prelu_takes_its_slope_from_the_node(void **state) {
    (void)state;
    expect_line((struct line){.weight = 1, .act = ENGINE_ACT_PRELU, .prelu = 1, .prelu_shift = 2}, 5,
                (const int8_t[]){-8, -2, -3, 5, -1}, (const int8_t[]){-2, 0, -1, 5, 0});
}

static void hard_sigmoid_and_swish_follow_their_integer_form(void **state) {
    (void)state;
    /* fix 4, out fix 7: y = x * 2731 + 3 * 2731 * 16; shift 4 + 7. x = 0: 131088 / 2048 = 64.008 -> 64;
     * x = -48: 0; x = 48: 262176 / 2048 = 128.02 -> 127; x = 16 (1.0): 174784 / 2048 = 85.34 -> 85 */
    struct engine_hard h = {.input_fix = 4, .shift_hsigmoid = 11, .shift_hswish = 7};
    expect_line((struct line){.in_fix = 4, .out_fix = 7, .weight = 1, .act = ENGINE_ACT_HSIGMOID, .hard = h},
                5, (const int8_t[]){0, -48, 48, 16, -128}, (const int8_t[]){64, 0, 127, 85, 0});
    /* times x, shift 7: 16 * 85 / 128 = 10.625 -> 11; -16: y = 87392 / 2048 = 42.67 -> 43; -688/128 = -5.375
     * -> -5; 100 * 127 / 128 = 99.2 -> 99 */
    expect_line((struct line){.in_fix = 4, .out_fix = 4, .weight = 1, .act = ENGINE_ACT_HSWISH, .hard = h}, 4,
                (const int8_t[]){0, 16, -16, 100}, (const int8_t[]){0, 11, -5, 99});
}

static void hard_activations_see_the_sum_rounded_and_saturated_to_eight_bits(void **state) {
    (void)state;
    /* fix 1, sum to fix 0: 255 -> 128 -> 127 saturated; -1 -> -0.5 -> 0. y = x * 2731 + 3 * 2731 * 1, shift
     * 7: x = 127: 355030 / 128 -> 127; x = 0: 8193 / 128 = 64.008 -> 64 */
    struct engine_hard h = {.input_fix = 0, .shift_hsigmoid = 7};
    expect_line((struct line){.in_fix = 1, .out_fix = 7, .weight = 2, .act = ENGINE_ACT_HSIGMOID, .hard = h},
                2, (const int8_t[]){127, 0}, (const int8_t[]){127, 64});
    /* swish: 200 saturates to 127 before the product: 127 * 127 >> 8 = 63.002 -> 63 (200 would give 99) */
    h = (struct engine_hard){.input_fix = 0, .shift_hsigmoid = 7, .shift_hswish = 8};
    expect_line((struct line){.weight = 2, .act = ENGINE_ACT_HSWISH, .hard = h}, 1, (const int8_t[]){100},
                (const int8_t[]){63});
}

static void rearrangements_move_blocks_as_their_definitions_say(void **state) {
    (void)state;
    const int8_t in[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct engine_node n = {
        .op = ENGINE_OP_TILE, .shape = {2, 2, 4}, .window = {.stride_w = 2, .stride_h = 2}};
    expect(&n, (struct engine_shape){4, 4, 1}, 0, in,
           (const int8_t[]){0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15});
    /* reorg: rows 1 and 2 of each four change places first */
    n.op = ENGINE_OP_REORG;
    expect(&n, (struct engine_shape){4, 4, 1}, 0, in,
           (const int8_t[]){0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15});
    /* pixel shuffle: the block is the fastest part of the channel */
    n.op = ENGINE_OP_PIXEL_SHUFFLE;
    n.shape = (struct engine_shape){2, 2, 2};
    expect(&n, (struct engine_shape){1, 1, 8}, 0, in, (const int8_t[]){0, 4, 1, 5, 2, 6, 3, 7});
}

static void taps_outside_the_image_count_as_zero(void **state) {
    (void)state;
    struct engine_shape s = {2, 3, 1};
    const int8_t ones[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    struct engine_node n = {.op = ENGINE_OP_CONV,
                            .shape = s,
                            .window = {3, 3, 1, 1, 1, 1, 1, 1, 1, 1},
                            .weights = ones,
                            .n_weights = 9};
    const int8_t in[6] = {1, 2, 3, 4, 5, 6}, want[6] = {12, 21, 16, 12, 21, 16};
    expect(&n, s, 0, in, want);
    n.op = ENGINE_OP_DEPTHWISE;
    expect(&n, s, 0, in, want);
}

static void conv_weights_are_ordered_out_row_column_in(void **state) {
    (void)state;
    /* kernel 2 wide, 1 high, 2 in, 2 out; distinct powers show which weight met which input */
    const int8_t w[8] = {1, 2, 4, 8, -1, -2, -4, -8}, in[4] = {1, 3, 5, 7};
    struct engine_node n = {.op = ENGINE_OP_CONV,
                            .shape = {1, 1, 2},
                            .window = {2, 1, 1, 1, 1, 1, 0, 0, 0, 0},
                            .weights = w,
                            .n_weights = 8};
    /* 1*1 + 3*2 + 5*4 + 7*8 = 83 */
    expect(&n, (struct engine_shape){1, 2, 2}, 0, in, (const int8_t[]){83, -83});
}

static void stride_and_dilation_step_as_they_say(void **state) {
    (void)state;
    const int8_t in[7] = {1, 2, 4, 8, 16, 32, 64}, w[2] = {1, 1};
    struct engine_node n = {.op = ENGINE_OP_CONV,
                            .shape = {1, 2, 1},
                            .window = {2, 1, 2, 1, 3, 1, 0, 0, 0, 0},
                            .weights = w,
                            .n_weights = 2};
    expect(&n, (struct engine_shape){1, 7, 1}, 0, in, (const int8_t[]){9, 36});
}

static void transposed_conv_spreads_each_input_over_its_window(void **state) {
    (void)state;
    /* kernel 1 2 3 4, stride 2, pad 1: out[x] takes in[i] * kernel[x + 1 - 2 i] */
    const int8_t in[2] = {1, 10}, w[4] = {4, 3, 2, 1}; /* stored from the end */
    struct engine_node n = {.op = ENGINE_OP_TRANSPOSED_CONV,
                            .shape = {1, 4, 1},
                            .window = {4, 1, 2, 1, 1, 1, 1, 1, 0, 0},
                            .weights = w,
                            .n_weights = 4};
    /* out0 = 1*2; out1 = 1*3 + 10*1; out2 = 1*4 + 10*2; out3 = 10*3 */
    const int8_t want[4] = {2, 13, 24, 30};
    expect(&n, (struct engine_shape){1, 2, 1}, 0, in, want);
    n.op = ENGINE_OP_TRANSPOSED_DEPTHWISE;
    expect(&n, (struct engine_shape){1, 2, 1}, 0, in, want);
}

static void max_pool_of_negative_values_ignores_the_padding(void **state) {
    (void)state;
    struct engine_node n = {
        .op = ENGINE_OP_POOL_MAX, .shape = {1, 2, 1}, .window = {3, 3, 2, 2, 1, 1, 1, 1, 1, 1}};
    expect(&n, (struct engine_shape){1, 3, 1}, 0, (const int8_t[]){-7, -5, -9}, (const int8_t[]){-5, -5});
    /* to a coarser step: -5/2 = -2.5 -> -2 */
    n.fix_point = -1;
    expect(&n, (struct engine_shape){1, 3, 1}, 0, (const int8_t[]){-7, -5, -9}, (const int8_t[]){-2, -2});
}

static void average_pool_uses_the_factors_of_the_dpu(void **state) {
    (void)state;
    struct engine_node n = {
        .op = ENGINE_OP_POOL_AVG, .shape = {1, 1, 1}, .window = {2, 2, 2, 2, 1, 1, 0, 0, 0, 0}};
    /* 2x2: 1/4: 1+2+3+4 = 10 -> 2.5 -> 3; negated -2.5 -> -2 */
    expect(&n, (struct engine_shape){2, 2, 1}, 0, (const int8_t[]){1, 2, 3, 4}, (const int8_t[]){3});
    expect(&n, (struct engine_shape){2, 2, 1}, 0, (const int8_t[]){-1, -2, -3, -4}, (const int8_t[]){-2});
    /* 3x3: 7/64, so 9 times 100 gives 98.4 -> 98, not 100 */
    n.window = (struct engine_window){3, 3, 3, 3, 1, 1, 0, 0, 0, 0};
    expect(&n, (struct engine_shape){3, 3, 1}, 0,
           (const int8_t[]){100, 100, 100, 100, 100, 100, 100, 100, 100}, (const int8_t[]){98});
    /* padding counts: one value of 64 in a padded 3x3: 64 * 7 / 64 = 7 */
    n.window = (struct engine_window){3, 3, 1, 1, 1, 1, 1, 1, 1, 1};
    expect(&n, (struct engine_shape){1, 1, 1}, 0, (const int8_t[]){64}, (const int8_t[]){7});
    /* 3x1, k = 3: first minimum of |N/2^M - 1/3| for M up to 8: 85/256; 3 * 127 * 85 / 256 = 126.5 -> 127;
     * 3 * 100 * 85 / 256 = 99.6 -> 100 */
    n.window = (struct engine_window){3, 1, 3, 1, 1, 1, 0, 0, 0, 0};
    expect(&n, (struct engine_shape){1, 3, 1}, 0, (const int8_t[]){100, 100, 100}, (const int8_t[]){100});
    /* 5x5: 10/256: 25 * 64 * 10 / 256 = 62.5 -> 63 */
    n.window = (struct engine_window){5, 5, 5, 5, 1, 1, 0, 0, 0, 0};
    int8_t all[25];
    memset(all, 64, sizeof all);
    expect(&n, (struct engine_shape){5, 5, 1}, 0, all, (const int8_t[]){63});
}

static void add_aligns_to_the_finest_input_before_its_activation(void **state) {
    (void)state;
    for (int isa = ENGINE_ISA_REFERENCE; isa < ENGINE_ISA_N; isa++) {
        if (!engine_isa_available((enum engine_isa)isa)) continue;
        struct engine_graph *g = NULL;
        assert_int_equal(engine_graph_new(&g), OK);
        struct engine_shape s = {1, 6, 1};
        int32_t x = add_input(g, "x", s, 3);
        const int8_t half[6] = {1, -1, 100, -100, 0, -1};
        struct engine_node k = {
            .name = "k", .op = ENGINE_OP_CONST, .shape = s, .fix_point = 1, .weights = half, .n_weights = 6};
        int32_t inputs[2] = {x, add_node(g, &k)};
        struct engine_node n = {
            .name = "y", .op = ENGINE_OP_ADD, .inputs = inputs, .n_inputs = 2, .shape = s, .fix_point = 2};
        const int8_t in[6] = {1, 1, 100, -100, -1, 127};
        /* (x + 4 k) / 2: 2.5 -> 3; -1.5 -> -1; 250 -> 127; -250 -> -128; -0.5 -> 0; 61.5 -> 62 */
        const int8_t want[6] = {3, -1, 127, -128, 0, 62};
        int8_t out[6];
        run_once(g, add_node(g, &n), (enum engine_isa)isa, in, out);
        assert_memory_equal(out, want, 6);
        engine_graph_free(&g);
    }
}

static void mul_sums_the_fix_points(void **state) {
    (void)state;
    struct engine_node n = {.op = ENGINE_OP_MUL, .n_inputs = 2, .shape = {1, 4, 1}, .fix_point = 3};
    /* x * x at fix 8 to fix 3: / 32: 100 -> 3.1 -> 3; 2304/32 = 72; 12*12 = 144/32 = 4.5 -> 5; 128*128/32 ->
     * 127 */
    expect(&n, (struct engine_shape){1, 4, 1}, 4, (const int8_t[]){10, 48, 12, -128},
           (const int8_t[]){3, 72, 5, 127});
}

static void concat_requantises_each_input(void **state) {
    (void)state;
    for (int isa = ENGINE_ISA_REFERENCE; isa < ENGINE_ISA_N; isa++) {
        if (!engine_isa_available((enum engine_isa)isa)) continue;
        struct engine_graph *g = NULL;
        assert_int_equal(engine_graph_new(&g), OK);
        int32_t x = add_input(g, "x", (struct engine_shape){1, 2, 2}, 4);
        const int8_t data[2] = {70, -70};
        struct engine_node k = {.name = "k",
                                .op = ENGINE_OP_CONST,
                                .shape = {1, 2, 1},
                                .fix_point = 2,
                                .weights = data,
                                .n_weights = 2};
        int32_t inputs[2] = {x, add_node(g, &k)};
        struct engine_node n = {.name = "y",
                                .op = ENGINE_OP_CONCAT,
                                .inputs = inputs,
                                .n_inputs = 2,
                                .shape = {1, 2, 3},
                                .fix_point = 3,
                                .axis = ENGINE_AXIS_C};
        const int8_t in[4] = {1, -1, 5, -6};
        const int8_t want[6] = {1, 0, 127, 3, -3, -128}; /* halves up; 70 * 2 saturates */
        int8_t out[6];
        run_once(g, add_node(g, &n), (enum engine_isa)isa, in, out);
        assert_memory_equal(out, want, 6);
        engine_graph_free(&g);
    }
}

static void resizes_pick_and_mix_the_right_pixels(void **state) {
    (void)state;
    struct engine_node n = {.op = ENGINE_OP_NEAREST, .shape = {1, 4, 1}};
    expect(&n, (struct engine_shape){1, 2, 1}, 0, (const int8_t[]){5, 9}, (const int8_t[]){5, 5, 9, 9});
    n.op = ENGINE_OP_BILINEAR;
    n.half_pixel = true;
    /* at -0.25 (clamped), 0.25, 0.75, 1.25 (clamped): 0, 2.5 -> 3, 7.5 -> 8, 10 */
    expect(&n, (struct engine_shape){1, 2, 1}, 0, (const int8_t[]){0, 10}, (const int8_t[]){0, 3, 8, 10});
    n.half_pixel = false;
    n.align_corners = true;
    /* at 0, 1/3, 2/3, 1: 0, 3, 6, 9 */
    expect(&n, (struct engine_shape){1, 2, 1}, 0, (const int8_t[]){0, 9}, (const int8_t[]){0, 3, 6, 9});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv_rounds_halves_towards_plus_infinity),
        cmocka_unit_test(conv_result_saturates_on_both_sides),
        cmocka_unit_test(conv_shifts_left_when_the_output_is_finer),
        cmocka_unit_test(bias_is_aligned_to_the_sum_and_rounded_when_it_is_finer),
        cmocka_unit_test(relu_acts_before_rounding),
        cmocka_unit_test(relu6_limits_at_six_in_the_output_scale),
        cmocka_unit_test(leaky_relu_has_slope_26_over_256_and_one_rounding),
        cmocka_unit_test(prelu_takes_its_slope_from_the_node),
        cmocka_unit_test(hard_sigmoid_and_swish_follow_their_integer_form),
        cmocka_unit_test(hard_activations_see_the_sum_rounded_and_saturated_to_eight_bits),
        cmocka_unit_test(rearrangements_move_blocks_as_their_definitions_say),
        cmocka_unit_test(taps_outside_the_image_count_as_zero),
        cmocka_unit_test(conv_weights_are_ordered_out_row_column_in),
        cmocka_unit_test(stride_and_dilation_step_as_they_say),
        cmocka_unit_test(transposed_conv_spreads_each_input_over_its_window),
        cmocka_unit_test(max_pool_of_negative_values_ignores_the_padding),
        cmocka_unit_test(average_pool_uses_the_factors_of_the_dpu),
        cmocka_unit_test(add_aligns_to_the_finest_input_before_its_activation),
        cmocka_unit_test(mul_sums_the_fix_points),
        cmocka_unit_test(concat_requantises_each_input),
        cmocka_unit_test(resizes_pick_and_mix_the_right_pixels),
    };
    return cmocka_run_group_tests_name("engine_rules", tests, NULL, NULL);
}
