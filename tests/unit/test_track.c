/* SPDX-License-Identifier: Apache-2.0 */
/* Walkers and vehicles are drawn from formulas, so each test knows who is who. */
#include "tests/support/test.h"

#include <math.h>
#include <string.h>

#include "host/pipe/track.h"

static const struct track_config usual = {.start = 0.45f, .keep = 0.30f};
enum { PERSON_KIND = 0, CAR_KIND = 3, TRUCK_KIND = 6, W = 1280, H = 720 };

static struct tracker *fresh(void) {
    struct tracker *t = NULL;
    assert_int_equal(tracker_new(&usual, &t), OK);
    return t;
}

static struct track_obs person(float cx, float cy, float score) {
    return (struct track_obs){{cx - 20.0f, cy - 50.0f, 40.0f, 100.0f}, score, TRACK_PERSON, PERSON_KIND};
}

/* Number of the track seen now nearest to x; 0 = none within 30 px. */
static uint32_t number_at(const struct tracker *t, float cx, float cy) {
    const struct track *k = tracker_slots(t);
    uint32_t number = 0;
    float least = 30.0f;
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        if (k[i].state != TRACK_ALIVE || !k[i].seen_now) continue;
        float d = hypotf(k[i].axis[0].x - cx, k[i].axis[1].x - cy);
        if (d >= least) continue;
        least = d;
        number = k[i].number;
    }
    return number;
}

static unsigned count(const struct tracker *t, uint8_t state) {
    unsigned n = 0;
    for (unsigned i = 0; i < TRACKS_MAX; i++) n += tracker_slots(t)[i].state == state;
    return n;
}

static void walk_at(unsigned fps) {
    struct tracker *t = fresh();
    uint32_t first = 0;
    for (unsigned f = 0; f < 10 * fps; f++) {
        float s = (float)f / (float)fps, x = 100.0f + 90.0f * s;
        struct track_obs o = person(x, 300.0f, 0.7f);
        tracker_step(t, (int64_t)f * 1000000 / fps, W, H, &o, 1);
        uint32_t n = number_at(t, x, 300.0f);
        if (f == 0) first = n;
        assert_int_equal(n, first);
    }
    assert_int_equal(count(t, TRACK_ALIVE), 1);
    tracker_free(&t);
}

static void walker_keeps_its_number_at_any_frame_rate(void **state) {
    (void)state;
    const unsigned rates[] = {3, 5, 10, 25, 50};
    for (unsigned i = 0; i < 5; i++) walk_at(rates[i]);
}

static void walkers_that_cross_keep_their_numbers(void **state) {
    (void)state;
    struct tracker *t = fresh();
    uint32_t a = 0, b = 0;
    for (unsigned f = 0; f < 40; f++) {
        float s = (float)f / 5.0f, xa = 200.0f + 80.0f * s, xb = 840.0f - 80.0f * s;
        struct track_obs o[2] = {person(xa, 300.0f, 0.7f), person(xb, 310.0f, 0.75f)};
        /* The farther one is hidden while they pass. */
        unsigned n = fabsf(xa - xb) < 40.0f ? 1 : 2;
        if (n == 1) o[0] = o[1];
        tracker_step(t, (int64_t)f * 200000, W, H, o, n);
        if (f == 3) {
            a = number_at(t, xa, 300.0f);
            b = number_at(t, xb, 310.0f);
        }
        if (f > 30) {
            assert_int_equal(number_at(t, xa, 300.0f), a);
            assert_int_equal(number_at(t, xb, 310.0f), b);
        }
    }
    assert_int_not_equal(a, b);
    tracker_free(&t);
}

static void short_occlusion_is_survived_and_a_long_one_ends_the_track(void **state) {
    (void)state;
    struct tracker *t = fresh();
    uint32_t first = 0;
    for (unsigned f = 0; f < 60; f++) {
        float x = 100.0f + 16.0f * (float)f;
        struct track_obs o = person(x, 300.0f, 0.7f);
        bool hidden = (f >= 10 && f < 17) || (f >= 30 && f < 50);
        tracker_step(t, (int64_t)f * 200000, W, H, &o, hidden ? 0 : 1);
        if (f == 5) first = number_at(t, x, 300.0f);
        if (f == 20) assert_int_equal(number_at(t, x, 300.0f), first);
        if (f == 49) assert_int_equal(count(t, TRACK_ENDED), 1);
        if (f == 55) assert_int_not_equal(number_at(t, x, 300.0f), first);
    }
    tracker_free(&t);
}

static void doubtful_detections_continue_a_track_but_begin_none(void **state) {
    (void)state;
    struct tracker *t = fresh();
    for (unsigned f = 0; f < 10; f++) {
        struct track_obs o[2] = {person(200.0f + 10.0f * (float)f, 300.0f, f == 0 ? 0.6f : 0.33f),
                                 person(600.0f + 10.0f * (float)f, 300.0f, 0.40f)};
        tracker_step(t, (int64_t)f * 200000, W, H, o, 2);
    }
    assert_int_equal(count(t, TRACK_ALIVE), 1);
    const struct track *k = tracker_slots(t);
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        if (k[i].state == TRACK_ALIVE) assert_int_equal(k[i].n_seen, 10);
    }
    tracker_free(&t);
}

static void fast_car_at_five_frames_per_second_is_one_track(void **state) {
    (void)state;
    struct tracker *t = fresh();
    for (unsigned f = 0; f < 8; f++) {
        /* 150 px per frame at a length of 120 px: boxes of following frames do not touch. */
        struct track_obs o = {
            {50.0f + 150.0f * (float)f, 300.0f, 120.0f, 60.0f}, 0.8f, TRACK_VEHICLE, CAR_KIND};
        tracker_step(t, (int64_t)f * 200000, W, H, &o, 1);
    }
    assert_int_equal(count(t, TRACK_ALIVE), 1);
    tracker_free(&t);
}

static void one_car_called_car_and_truck_is_one_track_with_both_votes(void **state) {
    (void)state;
    struct tracker *t = fresh();
    for (unsigned f = 0; f < 6; f++) {
        const struct track_box b = {300.0f + 10.0f * (float)f, 300.0f, 120.0f, 60.0f};
        struct track_obs o[2] = {{b, 0.8f, TRACK_VEHICLE, CAR_KIND}, {b, 0.5f, TRACK_VEHICLE, TRUCK_KIND}};
        if (f >= 4) o[0].kind = TRUCK_KIND;
        tracker_step(t, (int64_t)f * 200000, W, H, o, 2);
    }
    assert_int_equal(count(t, TRACK_ALIVE), 1);
    const struct track *k = tracker_slots(t);
    assert_float_equal(k[0].kind_votes[CAR_KIND], 3.2, 1e-3);
    assert_float_equal(k[0].kind_votes[TRUCK_KIND], 1.6, 1e-3);
    tracker_free(&t);
}

static void parked_car_hidden_by_a_passing_bus_stays_one_track(void **state) {
    (void)state;
    struct tracker *t = fresh();
    for (unsigned f = 0; f < 200; f++) {
        struct track_obs o = {{300.0f, 300.0f, 120.0f, 60.0f}, 0.7f, TRACK_VEHICLE, CAR_KIND};
        tracker_step(t, (int64_t)f * 200000, W, H, &o, f >= 60 && f < 120 ? 0 : 1);
    }
    assert_int_equal(count(t, TRACK_ALIVE) + count(t, TRACK_ENDED), 1);
    assert_true(track_is_still(&tracker_slots(t)[0]));
    assert_true(track_is_real(&tracker_slots(t)[0]));
    tracker_free(&t);
}

static void doubtful_thing_that_never_moves_is_no_sighting(void **state) {
    (void)state;
    struct tracker *t = fresh();
    for (unsigned f = 0; f < 100; f++) {
        struct track_obs o[2] = {person(300.0f, 300.0f, 0.40f + 0.04f * (float)(f % 3)),
                                 person(600.0f + 4.0f * (float)f, 300.0f, 0.47f)};
        tracker_step(t, (int64_t)f * 200000, W, H, o, 2);
    }
    tracker_end(t);
    unsigned n_real = 0;
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        const struct track *k = &tracker_slots(t)[i];
        if (k->state != TRACK_ENDED || !track_is_real(k)) continue;
        n_real++;
        assert_true(k->axis[0].x > 900.0f);
    }
    assert_int_equal(n_real, 1);
    tracker_free(&t);
}

static void impossible_observations_are_passed_over(void **state) {
    (void)state;
    struct tracker *t = fresh();
    struct track_obs o[] = {
        {{NAN, 0, 40, 100}, 0.9f, TRACK_PERSON, 0},   {{0, 0, 0, 100}, 0.9f, TRACK_PERSON, 0},
        {{0, 0, INFINITY, 9}, 0.9f, TRACK_PERSON, 0}, {{0, 0, 40, 100}, NAN, TRACK_PERSON, 0},
        {{0, 0, 40, 100}, 7.0f, TRACK_PERSON, 0},     {{0, 0, 40, 100}, 0.9f, 200, 0},
        {{0, 0, 40, 100}, 0.9f, TRACK_PERSON, 200},
    };
    tracker_step(t, 0, W, H, o, sizeof o / sizeof o[0]);
    assert_int_equal(count(t, TRACK_ALIVE), 0);
    tracker_free(&t);
}

static void thresholds_that_contradict_each_other_are_refused(void **state) {
    (void)state;
    struct tracker *t = NULL;
    const struct track_config bad[] = {{0.3f, 0.5f}, {0.5f, 0.0f}, {NAN, 0.3f}, {1.5f, 0.3f}};
    for (unsigned i = 0; i < 4; i++) assert_int_equal(tracker_new(&bad[i], &t), ERR_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walker_keeps_its_number_at_any_frame_rate),
        cmocka_unit_test(walkers_that_cross_keep_their_numbers),
        cmocka_unit_test(short_occlusion_is_survived_and_a_long_one_ends_the_track),
        cmocka_unit_test(doubtful_detections_continue_a_track_but_begin_none),
        cmocka_unit_test(fast_car_at_five_frames_per_second_is_one_track),
        cmocka_unit_test(one_car_called_car_and_truck_is_one_track_with_both_votes),
        cmocka_unit_test(parked_car_hidden_by_a_passing_bus_stays_one_track),
        cmocka_unit_test(doubtful_thing_that_never_moves_is_no_sighting),
        cmocka_unit_test(impossible_observations_are_passed_over),
        cmocka_unit_test(thresholds_that_contradict_each_other_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
