/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <math.h>
#include <string.h>

#include "host/pipe/colour.h"
#include "host/pipe/likeness.h"
#include "host/pipe/scene.h"

struct rgb {
    uint8_t r, g, b;
};

static void fill(int8_t *bgr, unsigned w, unsigned row, unsigned row_end, struct rgb c) {
    for (unsigned i = row * w; i < row_end * w; i++) {
        bgr[3 * i] = (int8_t)(c.b - 128);
        bgr[3 * i + 1] = (int8_t)(c.g - 128);
        bgr[3 * i + 2] = (int8_t)(c.r - 128);
    }
}

static int8_t person_crop[CROP_PERSON_W_PX * CROP_PERSON_H_PX * 3];
static int8_t vehicle_crop[CROP_VEHICLE_W_PX * CROP_VEHICLE_H_PX * 3];

static void dress(struct rgb upper, struct rgb lower) {
    fill(person_crop, CROP_PERSON_W_PX, 0, CROP_PERSON_H_PX, (struct rgb){120, 118, 115});
    fill(person_crop, CROP_PERSON_W_PX, 20, 66, upper);
    fill(person_crop, CROP_PERSON_W_PX, 66, 112, lower);
}

static unsigned top_of(const struct colour_shares *s, enum colour_use use) {
    struct colour_verdict v;
    colour_decide(s, use, &v);
    return v.n ? v.value[0].colour : COLOUR_COUNT;
}

static void lab_of_known_colours_is_right(void **state) {
    (void)state;
    struct colour_lab w = colour_lab_of(255, 255, 255), r = colour_lab_of(255, 0, 0),
                      k = colour_lab_of(0, 0, 0);
    assert_float_equal(w.l, 100.0, 0.1);
    assert_float_equal(w.a, 0.0, 0.1);
    assert_float_equal(w.b, 0.0, 0.1);
    assert_float_equal(r.l, 53.2, 0.2);
    assert_float_equal(r.a, 80.1, 0.3);
    assert_float_equal(r.b, 67.2, 0.3);
    assert_float_equal(k.l, 0.0, 0.1);
}

static void garments_of_plain_colour_get_their_name(void **state) {
    (void)state;
    const struct {
        struct rgb c;
        enum colour name;
    } cases[] = {
        {{15, 15, 16}, COLOUR_BLACK},    {{240, 240, 238}, COLOUR_WHITE}, {{125, 126, 128}, COLOUR_GREY},
        {{180, 25, 30}, COLOUR_RED},     {{35, 60, 150}, COLOUR_BLUE},    {{40, 120, 60}, COLOUR_GREEN},
        {{225, 200, 50}, COLOUR_YELLOW}, {{230, 120, 30}, COLOUR_ORANGE}, {{235, 150, 180}, COLOUR_PINK},
        {{110, 55, 135}, COLOUR_PURPLE}, {{100, 70, 45}, COLOUR_BROWN},   {{205, 185, 150}, COLOUR_BEIGE},
        {{25, 30, 70}, COLOUR_BLUE},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct colour_shares upper, lower;
        unsigned other = (i + 5) % (sizeof cases / sizeof cases[0]);
        dress(cases[i].c, cases[other].c);
        assert_true(colour_of_clothes(person_crop, &upper, &lower));
        assert_int_equal(top_of(&upper, COLOUR_CLOTHES), cases[i].name);
        assert_int_equal(top_of(&lower, COLOUR_CLOTHES), cases[other].name);
    }
}

static void shares_sum_to_one(void **state) {
    (void)state;
    struct colour_shares upper, lower, vehicle;
    uint32_t seed = 7;
    for (unsigned i = 0; i < sizeof person_crop; i++) {
        seed = seed * 1664525u + 1013904223u;
        person_crop[i] = (int8_t)(seed >> 24);
    }
    for (unsigned i = 0; i < sizeof vehicle_crop; i++) {
        seed = seed * 1664525u + 1013904223u;
        vehicle_crop[i] = (int8_t)(seed >> 24);
    }
    assert_true(colour_of_clothes(person_crop, &upper, &lower));
    assert_true(colour_of_vehicle(vehicle_crop, &vehicle));
    float u = 0, l = 0, v = 0;
    for (unsigned i = 0; i < COLOUR_NAMES; i++) {
        u += upper.of[i];
        l += lower.of[i];
        if (i != COLOUR_SILVER) v += vehicle.of[i];
    }
    assert_float_equal(u, 1.0, 1e-3);
    assert_float_equal(l, 1.0, 1e-3);
    assert_float_equal(v, 1.0, 1e-3);
}

static void vehicles_of_plain_paint_get_their_name(void **state) {
    (void)state;
    const struct {
        struct rgb c;
        enum colour name;
    } cases[] = {
        {{18, 18, 19}, COLOUR_BLACK},    {{235, 236, 238}, COLOUR_WHITE}, {{95, 96, 98}, COLOUR_GREY},
        {{170, 20, 25}, COLOUR_RED},     {{30, 60, 140}, COLOUR_BLUE},    {{30, 100, 50}, COLOUR_GREEN},
        {{230, 190, 20}, COLOUR_YELLOW},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct colour_shares s;
        fill(vehicle_crop, CROP_VEHICLE_W_PX, 0, CROP_VEHICLE_H_PX, (struct rgb){110, 110, 110});
        fill(vehicle_crop, CROP_VEHICLE_W_PX, 30, 100, cases[i].c);
        assert_true(colour_of_vehicle(vehicle_crop, &s));
        assert_int_equal(top_of(&s, COLOUR_VEHICLE), cases[i].name);
    }
}

static void crop_that_is_all_dark_is_not_estimated(void **state) {
    (void)state;
    struct colour_shares upper, lower;
    fill(person_crop, CROP_PERSON_W_PX, 0, CROP_PERSON_H_PX, (struct rgb){14, 12, 18});
    fill(vehicle_crop, CROP_VEHICLE_W_PX, 0, CROP_VEHICLE_H_PX, (struct rgb){14, 12, 18});
    assert_false(colour_of_clothes(person_crop, &upper, &lower));
    assert_false(colour_of_vehicle(vehicle_crop, &upper));
}

static void crop_blown_out_by_light_is_not_estimated(void **state) {
    (void)state;
    struct colour_shares upper, lower;
    fill(person_crop, CROP_PERSON_W_PX, 0, CROP_PERSON_H_PX, (struct rgb){255, 255, 255});
    fill(vehicle_crop, CROP_VEHICLE_W_PX, 0, CROP_VEHICLE_H_PX, (struct rgb){255, 255, 255});
    assert_false(colour_of_clothes(person_crop, &upper, &lower));
    assert_false(colour_of_vehicle(vehicle_crop, &upper));
    /* A white coat on a street is no such thing. */
    dress((struct rgb){255, 255, 255}, (struct rgb){40, 45, 90});
    assert_true(colour_of_clothes(person_crop, &upper, &lower));
    assert_int_equal(top_of(&upper, COLOUR_CLOTHES), COLOUR_WHITE);
}

static void second_colour_is_kept_as_alternative(void **state) {
    (void)state;
    struct colour_shares s = {0};
    struct colour_verdict v;
    s.of[COLOUR_GREY] = 0.5f;
    s.of[COLOUR_BLACK] = 0.4f;
    s.of[COLOUR_BLUE] = 0.05f;
    s.of[COLOUR_GREEN] = 0.05f;
    colour_decide(&s, COLOUR_CLOTHES, &v);
    assert_int_equal(v.n, 2);
    assert_int_equal(v.value[0].colour, COLOUR_GREY);
    assert_int_equal(v.value[0].score, 50);
    assert_false(v.value[0].sure);
    assert_int_equal(v.value[1].colour, COLOUR_BLACK);
}

static void silver_is_offered_beside_light_grey_and_never_before_it(void **state) {
    (void)state;
    struct colour_shares s = {0};
    struct colour_verdict v;
    s.of[COLOUR_GREY] = 0.52f;
    s.of[COLOUR_SILVER] = 0.22f;
    s.of[COLOUR_WHITE] = 0.28f;
    s.of[COLOUR_BLUE] = 0.20f;
    colour_decide(&s, COLOUR_VEHICLE, &v);
    assert_int_equal(v.n, 3);
    assert_int_equal(v.value[0].colour, COLOUR_GREY);
    assert_int_equal(v.value[0].score, 52);
    assert_int_equal(v.value[1].colour, COLOUR_WHITE);
    assert_int_equal(v.value[2].colour, COLOUR_SILVER);
    for (unsigned light = 90; light <= 150; light += 60) {
        fill(vehicle_crop, CROP_VEHICLE_W_PX, 0, CROP_VEHICLE_H_PX, (struct rgb){70, 71, 72});
        uint8_t l = (uint8_t)light;
        fill(vehicle_crop, CROP_VEHICLE_W_PX, 10, 110, (struct rgb){l, l, l});
        assert_true(colour_of_vehicle(vehicle_crop, &s));
        assert_int_equal(s.of[COLOUR_SILVER] > 0.1f, light == 150);
    }
}

static void several_hues_without_a_chief_one_are_multicolour(void **state) {
    (void)state;
    struct colour_shares s = {0};
    struct colour_verdict v;
    s.of[COLOUR_RED] = 0.45f;
    s.of[COLOUR_BLUE] = 0.40f;
    s.of[COLOUR_GREY] = 0.15f;
    colour_decide(&s, COLOUR_CLOTHES, &v);
    assert_int_equal(v.value[0].colour, COLOUR_MULTI);
    assert_int_equal(v.n, 3);
}

static void likeness_prefers_the_same_paint(void **state) {
    (void)state;
    int8_t a[128], b[128], c[128];
    int same = 0, other = 0;
    fill(vehicle_crop, CROP_VEHICLE_W_PX, 0, CROP_VEHICLE_H_PX, (struct rgb){170, 20, 25});
    likeness_of_vehicle(vehicle_crop, a);
    fill(vehicle_crop, CROP_VEHICLE_W_PX, 0, CROP_VEHICLE_H_PX, (struct rgb){160, 25, 25});
    likeness_of_vehicle(vehicle_crop, b);
    fill(vehicle_crop, CROP_VEHICLE_W_PX, 0, CROP_VEHICLE_H_PX, (struct rgb){30, 60, 140});
    likeness_of_vehicle(vehicle_crop, c);
    for (unsigned i = 0; i < 128; i++) {
        same += a[i] * b[i];
        other += a[i] * c[i];
    }
    assert_int_equal(same, 8 * 127 * 127);
    assert_int_equal(other, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lab_of_known_colours_is_right),
        cmocka_unit_test(garments_of_plain_colour_get_their_name),
        cmocka_unit_test(shares_sum_to_one),
        cmocka_unit_test(vehicles_of_plain_paint_get_their_name),
        cmocka_unit_test(crop_that_is_all_dark_is_not_estimated),
        cmocka_unit_test(crop_blown_out_by_light_is_not_estimated),
        cmocka_unit_test(second_colour_is_kept_as_alternative),
        cmocka_unit_test(silver_is_offered_beside_light_grey_and_never_before_it),
        cmocka_unit_test(several_hues_without_a_chief_one_are_multicolour),
        cmocka_unit_test(likeness_prefers_the_same_paint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
