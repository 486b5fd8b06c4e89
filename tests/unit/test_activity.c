/* SPDX-License-Identifier: Apache-2.0 */
/* What counts as activity, on pictures of a street made here: grey with texture, sensor noise, and things. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/media/activity.h"
#include "tests/support/test.h"

enum { W = 960, H = 540 };
static const struct activity_limits limits = {.least = 4, .wavers = 4};

struct street {
    struct activity *a;
    uint8_t *luma;
    uint32_t seed;
};

static int setup(void **state) {
    static struct street s;
    s.seed = 1;
    s.luma = malloc((size_t)W * H);
    *state = &s;
    return s.luma && activity_new(&s.a) == OK ? 0 : -1;
}

static int teardown(void **state) {
    struct street *s = *state;
    activity_free(&s->a);
    free(s->luma);
    return 0;
}

static int noise(struct street *s, int most) {
    s->seed = s->seed * 1664525u + 1013904223u;
    return most ? (int)(s->seed >> 8) % (2 * most + 1) - most : 0;
}

static void paint(struct street *s, int brighter, int most_noise) {
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            const int v = 90 + (x / 32 + y / 24) % 5 * 12 + brighter + noise(s, most_noise);
            s->luma[(size_t)y * W + x] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
}

static void box(struct street *s, int x0, int y0, int w, int h, int level) {
    for (int y = y0; y < y0 + h; y++) memset(s->luma + (size_t)y * W + x0, level, (size_t)w);
}

static unsigned look(struct street *s) {
    unsigned n;
    assert_int_equal(activity_look(s->a, s->luma, W, W, H, &limits, &n), OK);
    return n;
}

static void learn(struct street *s, int most_noise) {
    for (unsigned i = 0; i < 8; i++) {
        paint(s, 0, most_noise);
        look(s);
    }
    assert_in_range(activity_n_seen(s->a), ACTIVITY_LEARNED, 100);
}

static void an_empty_street_is_quiet_however_noisy_the_sensor(void **state) {
    struct street *s = *state;
    learn(s, 12);
    for (int i = 0; i < 20; i++) {
        paint(s, 0, 12);
        assert_int_equal(look(s), 0);
    }
}

static void a_far_walker_is_seen_through_the_noise(void **state) {
    struct street *s = *state;
    learn(s, 12);
    paint(s, 0, 12);
    box(s, 501, 253, 10, 25, 60); /* as small as the detector can see at all */
    assert_in_range(look(s), 2, 40);
}

static void exposure_and_clouds_are_no_activity(void **state) {
    struct street *s = *state;
    learn(s, 10);
    paint(s, 25, 10);
    assert_int_equal(look(s), 0);
    paint(s, -20, 10);
    assert_int_equal(look(s), 0);
}

static void what_stands_becomes_usual_but_not_soon(void **state) {
    struct street *s = *state;
    learn(s, 10);
    unsigned n = 0, until = 0;
    for (unsigned i = 0; i < 2000 && !until; i++) {
        paint(s, 0, 10);
        box(s, 300, 300, 100, 50, 200);
        n = look(s);
        if (n == 0) until = i;
    }
    assert_in_range(until, 60, 1200); /* pictures: two minutes at one every two seconds, at the least */
    paint(s, 0, 10);                  /* its going is as much a change as its coming */
    assert_in_range(look(s), 2, 400);
}

static void leaves_that_always_move_become_usual(void **state) {
    struct street *s = *state;
    unsigned n = 1;
    for (unsigned i = 0; i < 600; i++) {
        paint(s, 0, 10);
        box(s, 50, 50, 32, 32, i % 2 ? 60 : 140);
        n = look(s);
    }
    assert_int_equal(n, 0);
}

static void another_picture_size_begins_anew(void **state) {
    struct street *s = *state;
    unsigned n;
    learn(s, 10);
    assert_int_equal(activity_look(s->a, s->luma, W, 640, 360, &limits, &n), OK);
    assert_in_range(n, 1000, 100000);
    assert_int_equal(activity_n_seen(s->a), 1);
    assert_int_equal(activity_look(s->a, s->luma, W, 2, 2, &limits, &n), ERR_USAGE);
}

int main(void) {
#define FACT(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        FACT(an_empty_street_is_quiet_however_noisy_the_sensor),
        FACT(a_far_walker_is_seen_through_the_noise),
        FACT(exposure_and_clouds_are_no_activity),
        FACT(what_stands_becomes_usual_but_not_soon),
        FACT(leaves_that_always_move_become_usual),
        FACT(another_picture_size_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
