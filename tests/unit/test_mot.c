/* SPDX-License-Identifier: Apache-2.0 */
/* The scorer on cases small enough to count by hand. */
#include "tests/support/test.h"

#include <math.h>

#include "tests/support/mot.h"

static struct mot_box at(uint32_t frame, uint32_t id, float x) {
    return (struct mot_box){frame, id, x, 0.0f, 40.0f, 100.0f};
}

static void perfect_answer_scores_one(void **state) {
    (void)state;
    const struct mot_box t[] = {at(1, 1, 0), at(1, 2, 200), at(2, 1, 10), at(2, 2, 190)};
    const struct mot_box a[] = {at(1, 7, 0), at(1, 9, 200), at(2, 7, 10), at(2, 9, 190)};
    struct mot_score s;
    assert_int_equal(mot_score(t, 4, a, 4, 0.5, &s), OK);
    assert_true(fabs(s.mota - (1.0)) < 1e-6);
    assert_true(fabs(s.idf1 - (1.0)) < 1e-6);
    assert_true(fabs(s.iou_mean - (1.0)) < 1e-6);
    assert_int_equal(s.n_switches + s.n_missed + s.n_false, 0);
}

static void empty_answer_misses_everything(void **state) {
    (void)state;
    const struct mot_box t[] = {at(1, 1, 0), at(2, 1, 0)};
    struct mot_score s;
    assert_int_equal(mot_score(t, 2, NULL, 0, 0.5, &s), OK);
    assert_int_equal(s.n_missed, 2);
    assert_true(fabs(s.mota - (0.0)) < 1e-6);
    assert_true(fabs(s.idf1 - (0.0)) < 1e-6);
}

static void identities_swapped_halfway_are_two_switches_and_half_the_idf1(void **state) {
    (void)state;
    struct mot_box t[20], a[20];
    for (uint32_t f = 0; f < 10; f++) {
        t[2 * f] = at(f, 1, 0);
        t[2 * f + 1] = at(f, 2, 200);
        a[2 * f] = at(f, f < 5 ? 1 : 2, 0);
        a[2 * f + 1] = at(f, f < 5 ? 2 : 1, 200);
    }
    struct mot_score s;
    assert_int_equal(mot_score(t, 20, a, 20, 0.5, &s), OK);
    assert_int_equal(s.n_switches, 2);
    assert_true(fabs(s.mota - (1.0 - 2.0 / 20.0)) < 1e-6);
    assert_true(fabs(s.idf1 - (0.5)) < 1e-6);
}

static void track_broken_by_a_gap_is_one_switch_at_its_return(void **state) {
    (void)state;
    const struct mot_box t[] = {at(1, 1, 0), at(2, 1, 0), at(3, 1, 0), at(4, 1, 0), at(5, 1, 0)};
    const struct mot_box a[] = {at(1, 1, 0), at(2, 1, 0), at(4, 2, 0), at(5, 2, 0)};
    struct mot_score s;
    assert_int_equal(mot_score(t, 5, a, 4, 0.5, &s), OK);
    assert_int_equal(s.n_missed, 1);
    assert_int_equal(s.n_switches, 1);
    assert_true(fabs(s.mota - (0.6)) < 1e-6);
    assert_true(fabs(s.idf1 - (2.0 * 2.0 / 9.0)) < 1e-6);
}

static void pair_of_the_frame_before_stays_while_it_is_right(void **state) {
    (void)state;
    /* In frame 2 answer 2 overlaps more, but answer 1 still overlaps enough. */
    const struct mot_box t[] = {at(1, 1, 0), at(2, 1, 0)};
    const struct mot_box a[] = {at(1, 1, 0), at(2, 1, 10), at(2, 2, 0)};
    struct mot_score s;
    assert_int_equal(mot_score(t, 2, a, 3, 0.5, &s), OK);
    assert_int_equal(s.n_switches, 0);
    assert_int_equal(s.n_false, 1);
}

static void box_off_by_more_than_half_is_missed_and_false(void **state) {
    (void)state;
    const struct mot_box t[] = {at(1, 1, 0)}, a[] = {at(1, 1, 20)}; /* IoU 1/3 */
    struct mot_score s;
    assert_int_equal(mot_score(t, 1, a, 1, 0.5, &s), OK);
    assert_int_equal(s.n_missed, 1);
    assert_int_equal(s.n_false, 1);
    assert_true(fabs(s.mota - (-1.0)) < 1e-6);
    assert_int_equal(mot_score(t, 1, a, 1, 0.3, &s), OK);
    assert_true(fabs(s.mota - (1.0)) < 1e-6);
}

static void false_boxes_in_frames_without_truth_count(void **state) {
    (void)state;
    const struct mot_box t[] = {at(5, 1, 0)}, a[] = {at(1, 3, 0), at(5, 1, 0), at(9, 3, 0)};
    struct mot_score s;
    assert_int_equal(mot_score(t, 1, a, 3, 0.5, &s), OK);
    assert_int_equal(s.n_false, 2);
    assert_true(fabs(s.mota - (-1.0)) < 1e-6);
}

static void crossing_is_paired_for_the_largest_total_overlap(void **state) {
    (void)state;
    /* Answer 1 fits truth 1 best, but only then truth 2 would stay alone. */
    const struct mot_box t[] = {at(1, 1, 0), at(1, 2, 12)}, a[] = {at(1, 1, 4), at(1, 2, -9)};
    struct mot_score s;
    assert_int_equal(mot_score(t, 2, a, 2, 0.5, &s), OK);
    assert_int_equal(s.n_matched, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perfect_answer_scores_one),
        cmocka_unit_test(empty_answer_misses_everything),
        cmocka_unit_test(identities_swapped_halfway_are_two_switches_and_half_the_idf1),
        cmocka_unit_test(track_broken_by_a_gap_is_one_switch_at_its_return),
        cmocka_unit_test(pair_of_the_frame_before_stays_while_it_is_right),
        cmocka_unit_test(box_off_by_more_than_half_is_missed_and_false),
        cmocka_unit_test(false_boxes_in_frames_without_truth_count),
        cmocka_unit_test(crossing_is_paired_for_the_largest_total_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
