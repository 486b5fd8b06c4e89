/* SPDX-License-Identifier: Apache-2.0 */
/* Frames are painted: a street with texture, a strip of sky, a figure. */
#include "tests/support/test.h"

#include <math.h>
#include <string.h>

#include "host/pipe/light.h"

enum { W = 320, H = 240 };
static uint8_t px[W * H * 3 / 2];
static const struct wire_surface surface = {
    .w_px = W, .h_px = H, .stride_bytes = W, .uv_offset_bytes = W * H, .full_range = 1};

struct paint {
    float r, g, b; /* of a white thing under this light */
};

/* One pixel of grey `value` under the light. */
static void put(unsigned x, unsigned y, float value, struct paint light) {
    float r = value * light.r, g = value * light.g, b = value * light.b;
    float l = 0.299f * r + 0.587f * g + 0.114f * b;
    px[y * W + x] = (uint8_t)lroundf(fminf(l, 255.0f));
    px[W * H + y / 2 * W + (x & ~1u)] = (uint8_t)lroundf(128.0f + (b - l) / 1.772f);
    px[W * H + y / 2 * W + (x | 1u)] = (uint8_t)lroundf(128.0f + (r - l) / 1.402f);
}

static void street(struct paint light, float brightness) {
    for (unsigned y = 0; y < H; y++) {
        for (unsigned x = 0; x < W; x++) {
            uint32_t seed = (y / 2 * W + x / 2) * 2654435761u; /* blocks of one chroma sample */
            float value = y < 40 ? 215.0f : 90.0f + (float)(seed >> 27) + 40.0f * (float)(x / 64 % 2);
            put(x, y, value * brightness, light);
        }
    }
}

static void coat(struct paint colour) {
    for (unsigned y = 120; y < 200; y++) {
        for (unsigned x = 100; x < 140; x++) put(x, y, 120.0f, colour);
    }
}

static const struct paint DAY = {1.0f, 1.0f, 1.0f}, PINK = {1.25f, 0.80f, 1.05f}, RED = {1.5f, 0.4f, 0.4f};

static void picture_without_chroma_is_grey(void **state) {
    (void)state;
    struct light l;
    street(DAY, 1.0f);
    memset(px + W * H, 128, W * H / 2);
    light_of_frame(&surface, px, &l);
    assert_true(l.is_grey);
    memset(px + W * H, 120, W * H / 2); /* the same tint everywhere is no colour either */
    light_of_frame(&surface, px, &l);
    assert_true(l.is_grey);
}

static void tint_that_follows_the_light_is_grey_too(void **state) {
    (void)state;
    struct light l;
    street((struct paint){1.1f, 0.97f, 0.9f}, 1.0f);
    light_of_frame(&surface, px, &l);
    assert_true(l.is_grey);
}

static void clock_in_colour_does_not_make_a_grey_picture_coloured(void **state) {
    (void)state;
    struct light l;
    street(DAY, 1.0f);
    memset(px + W * H, 128, W * H / 2);
    for (unsigned y = 4; y < 6; y++) memset(px + W * H + y * W + 10, 60, 60);
    light_of_frame(&surface, px, &l);
    assert_true(l.is_grey);
}

static void one_coat_makes_a_picture_coloured(void **state) {
    (void)state;
    struct light l;
    street(DAY, 1.0f);
    coat(RED);
    light_of_frame(&surface, px, &l);
    assert_false(l.is_grey);
    assert_false(l.is_dim);
    for (unsigned i = 0; i < 3; i++) assert_true(l.gain[i] == 1.0f);
}

static void dark_picture_is_dim(void **state) {
    (void)state;
    struct light l;
    street(DAY, 0.3f);
    coat((struct paint){0.5f, 0.1f, 0.1f});
    light_of_frame(&surface, px, &l);
    assert_true(l.is_dim);
}

static void washed_out_picture_is_blown_and_a_day_is_not(void **state) {
    (void)state;
    struct light l;
    street(DAY, 4.0f);
    coat((struct paint){0.5f, 0.1f, 0.1f});
    light_of_frame(&surface, px, &l);
    assert_true(l.is_blown);
    street(DAY, 1.0f);
    coat(RED);
    light_of_frame(&surface, px, &l);
    assert_false(l.is_blown);
}

static void strong_cast_is_taken_away_and_a_lawn_is_not(void **state) {
    (void)state;
    struct light l;
    street(PINK, 1.0f);
    coat((struct paint){0.3f, 0.6f, 1.2f});
    light_of_frame(&surface, px, &l);
    assert_true(l.gain[1] > 1.15f && l.gain[2] < 0.9f);
    int8_t white[3] = {(int8_t)(200 * 1.05 - 128), (int8_t)(200 * 0.80 - 128), (int8_t)(200 * 1.25 - 128)},
           out[3];
    light_balance(l.gain, white, 1, out);
    assert_true(out[0] - out[1] < 12 && out[1] - out[0] < 12 && out[2] - out[1] < 12 && out[1] - out[2] < 12);
    for (unsigned y = 40; y < H; y++) {
        for (unsigned x = 0; x < W; x++) put(x, y, 100.0f + (float)(x % 7), (struct paint){0.7f, 1.2f, 0.4f});
    }
    for (unsigned y = 0; y < 40; y++) {
        for (unsigned x = 0; x < W; x++) put(x, y, 215.0f, DAY);
    }
    light_of_frame(&surface, px, &l);
    for (unsigned i = 0; i < 3; i++) assert_true(l.gain[i] == 1.0f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picture_without_chroma_is_grey),
        cmocka_unit_test(tint_that_follows_the_light_is_grey_too),
        cmocka_unit_test(clock_in_colour_does_not_make_a_grey_picture_coloured),
        cmocka_unit_test(one_coat_makes_a_picture_coloured),
        cmocka_unit_test(dark_picture_is_dim),
        cmocka_unit_test(washed_out_picture_is_blown_and_a_day_is_not),
        cmocka_unit_test(strong_cast_is_taken_away_and_a_lawn_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
