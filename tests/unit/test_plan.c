/* SPDX-License-Identifier: Apache-2.0 */
/* The latency model and its virtual clock: sums that can be done by hand, and the rates published for the
 * cards. */
#include <stdio.h>
#include <string.h>

#include "sim/plan.h"
#include "tests/support/test.h"

/* A card on which everything is a round number: 10 us each way per transfer, 20 us kernel, 100 us DPU. */
static struct sim_config round_card(void) {
    struct sim_config c;
    sim_config_defaults(&c);
    c.to_card_gb_s = c.from_card_gb_s = 1000;
    c.per_transfer_us = 10;
    c.kernel_start_us = 20;
    c.kernel_units = 1;
    c.dpu_job_us = 100;
    return c;
}
static const struct sim_plan_frame nothing = {0, 0, 0, NULL, 0};

static bool close_to(double a, double b) {
    return a > b * 0.999 && a < b * 1.001;
}

static void one_frame_takes_the_sum_of_its_stages(void **state) {
    (void)state;
    const struct sim_config c = round_card();
    struct sim_plan p;
    sim_plan_run(&c, &nothing, 1, 1, &p);
    assert_true(close_to(p.us, 10 + 20 + 10 + 10 + 100 + 10));
    assert_true(close_to(p.frame_us[SIM_PLAN_TO_CARD], 20));
    assert_true(close_to(p.frame_us[SIM_PLAN_DPU], 100));
    sim_plan_run(&c, &nothing, 1, 10, &p);
    assert_true(close_to(p.us, 1600));
}

static void lanes_overlap_until_the_scarcest_part_is_busy(void **state) {
    (void)state;
    struct sim_config c = round_card();
    struct sim_plan p;
    sim_plan_run(&c, &nothing, 8, 1000, &p);
    assert_true(p.frames_per_s > 9900 && p.frames_per_s < 10000); /* one engine, 100 us a frame */
    assert_true(p.busy[SIM_PLAN_DPU] > 0.99 && p.busy[SIM_PLAN_KERNELS] < 0.25);
    c.dpu_engines = 4;
    sim_plan_run(&c, &nothing, 16, 1000, &p);
    assert_true(p.frames_per_s > 39000 && p.frames_per_s <= 40000);
    c.dpu_engines = 64; /* now the only compute unit of the kernel and the two transfers, 20 us each */
    sim_plan_run(&c, &nothing, 64, 2000, &p);
    assert_true(p.frames_per_s > 48000 && p.frames_per_s <= 50000);
}

static void batch_shares_one_dpu_job(void **state) {
    (void)state;
    struct sim_config c = round_card();
    struct sim_plan p;
    c.dpu_batch = 4;
    sim_plan_run(&c, &nothing, 1, 4, &p);
    assert_true(close_to(p.us, 4 * 40 + 10 + 100 + 10));
    sim_plan_run(&c, &nothing, 1, 1, &p); /* a batch is always whole */
    assert_true(close_to(p.us, 280));
}

static void transfers_of_4_kb_and_64_mb_take_the_published_rates(void **state) {
    (void)state;
    struct sim_config c;
    char why[512];
    sim_config_defaults(&c);
    assert_int_equal(sim_config_load("sim/cards/u55c.toml", &c, why, sizeof why), 0);
    const double small = 4096 / sim_latency_transfer_us(&c, true, 4096) / 1e3;
    const double large = 67108864 / sim_latency_transfer_us(&c, true, 67108864) / 1e3;
    assert_true(small > 0.65 && small < 0.75);
    assert_true(large > 9.2 && large < 11.0);
}

/* ssd_mobilenet_v1: 2.5 GOP, 3.1 % of the multiply-adds depthwise. */
static void depthwise_layers_have_an_efficiency_of_their_own(void **state) {
    (void)state;
    static const struct {
        const char *file;
        double fps;
    } card[] = {{"sim/cards/u55c.toml", 2116}, {"sim/cards/v70.toml", 6100}};
    const struct sim_layer layers[] = {{(uint64_t)(1.25e9 * 0.969), false},
                                       {(uint64_t)(1.25e9 * 0.031), true}};
    for (unsigned i = 0; i < 2; i++) {
        struct sim_config c;
        char why[512];
        sim_config_defaults(&c);
        assert_int_equal(sim_config_load(card[i].file, &c, why, sizeof why), 0);
        const double us = sim_latency_layers_us(&c, layers, 2, c.dpu_batch);
        const double fps = 1e6 / us * c.dpu_batch * c.dpu_engines;
        if (fps < 0.95 * card[i].fps || fps > 1.05 * card[i].fps)
            fail_msg("%s gives %.0f frames/s, not %.0f", card[i].file, fps, card[i].fps);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_frame_takes_the_sum_of_its_stages),
        cmocka_unit_test(lanes_overlap_until_the_scarcest_part_is_busy),
        cmocka_unit_test(batch_shares_one_dpu_job),
        cmocka_unit_test(transfers_of_4_kb_and_64_mb_take_the_published_rates),
        cmocka_unit_test(depthwise_layers_have_an_efficiency_of_their_own),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
