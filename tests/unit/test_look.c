/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <string.h>

#include "host/pipe/look.h"

static struct box_norm at(unsigned x, unsigned y) {
    return (struct box_norm){(uint16_t)x, (uint16_t)y, (uint16_t)(x + 1000), (uint16_t)(y + 3000)};
}

static void long_way_keeps_its_ends_and_its_corner(void **state) {
    (void)state;
    struct look k = {0};
    /* 500 frames right, then 500 frames down. */
    for (unsigned f = 0; f < 1000; f++) {
        struct box_norm b = f < 500 ? at(100 * f, 0) : at(50000, 100 * (f - 500));
        look_add_point(&k, (int64_t)f * 40000, &b);
    }
    assert_int_equal(k.n_path, SIGHTING_PATH_MAX);
    assert_int_equal(k.path[0].pts_us, 0);
    assert_int_equal(k.path[k.n_path - 1].pts_us, 999 * 40000);
    unsigned n_corner = 0;
    for (unsigned i = 0; i < k.n_path; i++) {
        if (i > 0) assert_true(k.path[i].pts_us > k.path[i - 1].pts_us);
        n_corner += k.path[i].box.x0 > 49500 && k.path[i].box.y0 < 500;
    }
    assert_true(n_corner >= 1);
    look_fini(&k);
}

static void best_votes_stay_and_weigh_by_quality(void **state) {
    (void)state;
    struct look k = {0};
    struct colour_shares mean;
    assert_false(look_mean(&k, 0, &mean));
    for (unsigned i = 0; i < 12; i++) {
        struct look_vote v = {.quality = 0.1f + 0.05f * (float)(i % 6)};
        v.part[0].of[i % 6 == 5 ? COLOUR_RED : COLOUR_GREY] = 1.0f;
        look_add_vote(&k, &v);
    }
    assert_int_equal(k.n_votes, LOOK_VOTES_MAX);
    for (unsigned i = 0; i < k.n_votes; i++) assert_true(k.votes[i].quality > 0.24f);
    assert_true(look_mean(&k, 0, &mean));
    assert_true(mean.of[COLOUR_RED] > 0.4f); /* two of five votes, but the best ones */
    assert_true(mean.of[COLOUR_RED] + mean.of[COLOUR_GREY] > 0.999f);
    look_fini(&k);
}

static void crops_are_asked_for_apart_in_time_and_then_only_when_better(void **state) {
    (void)state;
    struct look k = {0};
    assert_true(look_wants_vote(&k, 0.5f, 0));
    k.n_asked = 1;
    k.asked_us = 0;
    struct look_vote v = {.quality = 0.5f};
    look_add_vote(&k, &v);
    assert_false(look_wants_vote(&k, 0.9f, 200000));
    assert_true(look_wants_vote(&k, 0.5f, 400000));
    for (unsigned i = 1; i < LOOK_VOTES_MAX; i++) look_add_vote(&k, &v);
    assert_false(look_wants_vote(&k, 0.55f, 5000000));
    assert_true(look_wants_vote(&k, 0.70f, 5000000));
    k.n_asked = 12;
    assert_false(look_wants_vote(&k, 0.95f, 9000000));
    look_fini(&k);
}

static void hidden_small_cut_or_doubtful_objects_make_worse_pictures(void **state) {
    (void)state;
    struct track t = {.seen = {300.0f, 200.0f, 60.0f, 150.0f}, .seen_score = 0.8f};
    const float best = look_quality(&t, 1280.0f, 720.0f);
    struct track other = t;
    other.cover = 0.5f;
    assert_true(look_quality(&other, 1280.0f, 720.0f) < best);
    other = t;
    other.seen.h_px = 70.0f;
    assert_true(look_quality(&other, 1280.0f, 720.0f) < best);
    other = t;
    other.seen.x_px = 0.0f;
    assert_true(look_quality(&other, 1280.0f, 720.0f) < best);
    other = t;
    other.seen_score = 0.5f;
    assert_true(look_quality(&other, 1280.0f, 720.0f) < best);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_way_keeps_its_ends_and_its_corner),
        cmocka_unit_test(best_votes_stay_and_weigh_by_quality),
        cmocka_unit_test(crops_are_asked_for_apart_in_time_and_then_only_when_better),
        cmocka_unit_test(hidden_small_cut_or_doubtful_objects_make_worse_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
