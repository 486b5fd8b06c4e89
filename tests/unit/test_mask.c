/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "host/media/mask.h"
#include "tests/support/test.h"

enum { W = 640, H = 480 };
static const struct wire_surface surface = {
    .w_px = W, .h_px = H, .stride_bytes = W, .uv_offset_bytes = W * H};
static uint8_t picture[W * H * 3 / 2];

static void fresh(void) {
    for (size_t i = 0; i < sizeof picture; i++) picture[i] = (uint8_t)(200 + i % 17);
}

/* Whether the pixel at x, y (in per cent) is the constant of what is hidden, in luma and chroma. */
static bool hidden(int x_pct, int y_pct) {
    const int x = W * x_pct / 100, y = H * y_pct / 100;
    const uint8_t *uv = picture + W * H + y / 2 * W + x / 2 * 2;
    return picture[y * W + x] == MASK_GREY && uv[0] == 128 && uv[1] == 128;
}

static uint16_t pct(int p) {
    return (uint16_t)(65535 * p / 100);
}

static struct wire_mask one_piece(int64_t from_us, int64_t to_us, const int a[4], const int b[4], bool show) {
    struct wire_mask m = {.n = 1};
    m.pieces[0] = (struct wire_mask_piece){.from_us = from_us, .to_us = to_us, .show = show};
    for (int i = 0; i < 4; i++) {
        m.pieces[0].from[i] = pct(a[i]);
        m.pieces[0].to[i] = pct(b[i]);
    }
    return m;
}

static void bystander_is_hidden_where_he_is_and_only_then(void **state) {
    (void)state;
    struct mask m = {0};
    const struct wire_mask p =
        one_piece(1000000, 2000000, (const int[]){20, 30, 30, 60}, (const int[]){60, 30, 70, 60}, false);
    assert_int_equal(mask_add_pieces(&m, &p), OK);
    fresh();
    assert_int_equal(mask_paint(&m, picture, &surface, 999999), OK);
    assert_false(hidden(25, 45));
    fresh();
    assert_int_equal(mask_paint(&m, picture, &surface, 1000000), OK);
    assert_true(hidden(25, 45) && hidden(20, 58)); /* with a margin of a tenth */
    assert_false(hidden(45, 45));
    fresh();
    assert_int_equal(mask_paint(&m, picture, &surface, 1500000), OK);
    assert_true(hidden(45, 45)); /* half-way */
    assert_false(hidden(25, 45));
    fresh();
    assert_int_equal(mask_paint(&m, picture, &surface, 2000000), OK);
    assert_false(hidden(65, 45));
    mask_fini(&m);
}

static void the_object_is_shown_before_a_bystander_but_never_a_dwelling(void **state) {
    (void)state;
    struct mask m = {0};
    const int by[] = {20, 30, 60, 80}, object[] = {40, 40, 55, 70};
    const struct wire_mask hide = one_piece(0, 1000, by, by, false),
                           show = one_piece(0, 1000, object, object, true);
    struct wire_area dwelling = {
        .n = 4, .x = {pct(50), pct(90), pct(90), pct(50)}, .y = {pct(50), pct(50), pct(90), pct(90)}};
    assert_int_equal(mask_add_pieces(&m, &show), OK); /* whatever the order */
    assert_int_equal(mask_add_pieces(&m, &hide), OK);
    assert_int_equal(mask_add_area(&m, &dwelling), OK);
    fresh();
    assert_int_equal(mask_paint(&m, picture, &surface, 500), OK);
    assert_true(hidden(25, 45));
    assert_false(hidden(45, 45));
    assert_true(hidden(52, 60)); /* the object's, and the dwelling's */
    assert_true(hidden(85, 85));
    assert_false(hidden(95, 95));
    mask_fini(&m);
}

static void area_that_is_no_rectangle_hides_its_inside_alone(void **state) {
    (void)state;
    struct mask m = {0};
    const struct wire_area triangle = {
        .n = 3, .x = {pct(10), pct(90), pct(10)}, .y = {pct(30), pct(90), pct(90)}};
    assert_int_equal(mask_add_area(&m, &triangle), OK);
    fresh();
    assert_int_equal(mask_paint(&m, picture, &surface, 0), OK);
    assert_true(hidden(15, 80) && hidden(70, 85));
    assert_false(hidden(70, 45) || hidden(95, 95) || hidden(5, 60));
    mask_fini(&m);
}

static void every_picture_says_that_it_is_masked(void **state) {
    (void)state;
    struct mask m = {0};
    unsigned dark = 0, bright = 0;
    fresh();
    assert_int_equal(mask_paint(&m, picture, &surface, 0), OK);
    const uint32_t h = mask_banner_height(H);
    for (uint32_t i = 0; i < h * W; i++) {
        dark += picture[i] == 16;
        bright += picture[i] == 235;
    }
    assert_int_equal(dark + bright, h * W);
    assert_true(bright > 500);
    assert_int_not_equal(picture[h * W], 16);
    mask_fini(&m);
}

static void picture_of_another_size_gets_maps_of_its_own(void **state) {
    (void)state;
    struct mask m = {0};
    const struct wire_surface small = {
        .w_px = 64, .h_px = 48, .stride_bytes = 64, .uv_offset_bytes = 64 * 48};
    const struct wire_area all = {.n = 4, .x = {0, 65535, 65535, 0}, .y = {0, 0, 65535, 65535}};
    assert_int_equal(mask_add_area(&m, &all), OK);
    assert_int_equal(mask_paint(&m, picture, &small, 0), OK);
    fresh();
    assert_int_equal(mask_paint(&m, picture, &surface, 0), OK);
    assert_true(hidden(50, 50) && hidden(99, 99));
    mask_fini(&m);
}

static void too_much_is_refused(void **state) {
    (void)state;
    struct mask m = {0};
    const struct wire_area a = {.n = 3};
    struct wire_mask p = {.n = WIRE_MASKS_MAX};
    for (unsigned i = 0; i < MASK_AREAS_MAX; i++) assert_int_equal(mask_add_area(&m, &a), OK);
    assert_int_equal(mask_add_area(&m, &a), ERR_FULL);
    for (unsigned i = 0; i < MASK_PIECES_MAX; i += WIRE_MASKS_MAX)
        assert_int_equal(mask_add_pieces(&m, &p), OK);
    assert_int_equal(mask_add_pieces(&m, &p), ERR_FULL);
    mask_fini(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bystander_is_hidden_where_he_is_and_only_then),
        cmocka_unit_test(the_object_is_shown_before_a_bystander_but_never_a_dwelling),
        cmocka_unit_test(area_that_is_no_rectangle_hides_its_inside_alone),
        cmocka_unit_test(every_picture_says_that_it_is_masked),
        cmocka_unit_test(picture_of_another_size_gets_maps_of_its_own),
        cmocka_unit_test(too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
