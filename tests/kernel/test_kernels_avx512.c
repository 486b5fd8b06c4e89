/* SPDX-License-Identifier: Apache-2.0 */
/* The vector code of the simulated card's kernels gives the bytes and the status words of the HLS C, at every
 * geometry that it takes, and leaves alone what it does not take. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/card_abi.h"
#include "kernels/crop/crop.h"
#include "kernels/letterbox/letterbox.h"
#include "sim/kernels_avx512.h"
#include "tests/support/test.h"

static uint32_t seed = 11;
static uint32_t next_random(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* Noise, and everywhere extremes, whose sums are the largest. */
static uint8_t *picture(uint32_t n) {
    uint8_t *p = malloc(n);
    assert_non_null(p);
    for (uint32_t i = 0; i < n; i++)
        p[i] = (uint8_t)(next_random() & 1u ? next_random() : (next_random() & 1u) * 255u);
    return p;
}

static bool letterboxes(uint32_t w, uint32_t h, uint32_t stride, uint32_t colour, uint32_t dst_w,
                        uint32_t dst_h) {
    const uint32_t uv = stride * h + 32, n_out = dst_w * dst_h * 3;
    uint8_t *src = picture(uv + stride * (h / 2));
    int8_t *want = malloc(n_out + 64), *got = malloc(n_out + 64), lut[LETTERBOX_LUT_BYTES];
    uint32_t status[4] = {0}, status2[4] = {0};
    assert_non_null(want);
    assert_non_null(got);
    for (uint32_t i = 0; i < sizeof lut; i++) lut[i] = (int8_t)next_random();
    memset(want, 0x5a, n_out + 64);
    memset(got, 0x5a, n_out + 64);
    const bool taken = letterbox_avx512(src, lut, got, status2, w, h, stride, uv, colour, dst_w, dst_h);
    if (taken) {
        letterbox(src, lut, want, status, w, h, stride, uv, colour, dst_w, dst_h);
        if (memcmp(want, got, n_out + 64) != 0)
            fail_msg("%ux%u (%u) to %ux%u: other bytes", w, h, stride, dst_w, dst_h);
        assert_memory_equal(status, status2, sizeof status);
    }
    free(src);
    free(want);
    free(got);
    return taken;
}

static void letterbox_is_equal_to_the_bit(void **state) {
    (void)state;
    if (!kernels_avx512_can()) skip();
    static const uint32_t sizes[][4] = {
        {1920, 1080, 640, 384}, {1920, 1080, 416, 416}, {1280, 720, 640, 384},   {768, 576, 416, 416},
        {640, 360, 640, 384},   {320, 240, 416, 416},   {2560, 1440, 1024, 576}, {704, 576, 640, 384},
        {2, 2, 16, 16},         {34, 18, 33, 17},       {1000, 30, 300, 300},    {30, 1000, 300, 300}};
    unsigned n = 0;
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (uint32_t colour = 0; colour < 4; colour++)
            n += letterboxes(sizes[i][0], sizes[i][1], sizes[i][0] + 2 * (i % 3) * 16, colour, sizes[i][2],
                             sizes[i][3]);
    assert_true(n >= 32);                                    /* and not merely refused */
    assert_true(letterboxes(1920, 1080, 1920, 1, 640, 384)); /* what imports ask for */
    for (int i = 0; i < 60; i++)
        (void)letterboxes(2 + 2 * (next_random() % 400), 2 + 2 * (next_random() % 200), 1024,
                          next_random() % 4, 1 + next_random() % 300, 1 + next_random() % 200);
}

static bool crops(uint32_t w, uint32_t h, const struct card_roi *rois, uint32_t n, uint32_t dst_w,
                  uint32_t dst_h) {
    const uint32_t stride = w + 16, uv = stride * h, n_out = n * dst_w * dst_h * 3;
    uint8_t *src = picture(uv + stride * (h / 2));
    int8_t *want = calloc(n_out + 64, 1), *got = calloc(n_out + 64, 1);
    uint32_t words[4 * CROP_ROIS_MAX], status[4] = {0}, status2[4] = {0};
    memcpy(words, rois, n * sizeof *rois);
    const bool taken = crop_avx512(src, words, got, status2, w, h, stride, uv, 1, n, dst_w, dst_h, n_out);
    if (taken) {
        crop(src, words, want, status, w, h, stride, uv, 1, n, dst_w, dst_h, n_out);
        assert_memory_equal(want, got, n_out + 64);
        assert_memory_equal(status, status2, sizeof status);
    }
    free(src);
    free(want);
    free(got);
    return taken;
}

static void crops_are_equal_to_the_bit(void **state) {
    (void)state;
    if (!kernels_avx512_can()) skip();
    unsigned taken = 0;
    for (int i = 0; i < 80; i++) {
        struct card_roi rois[4];
        const uint32_t n = 1 + next_random() % 4, dst_w = 16 + next_random() % 150,
                       dst_h = 16 + next_random() % 260;
        memset(rois, 0, sizeof rois);
        for (uint32_t k = 0; k < n; k++) {
            rois[k].x_px = (uint16_t)(2 * (next_random() % 200));
            rois[k].y_px = (uint16_t)(2 * (next_random() % 100));
            rois[k].w_px = (uint16_t)(2 + next_random() % 200);
            rois[k].h_px = (uint16_t)(2 + next_random() % 200);
            rois[k].dst_offset_bytes = k * dst_w * dst_h * 3;
        }
        taken += crops(640, 480, rois, n, dst_w, dst_h);
    }
    assert_true(taken >= 40);
}

static void what_is_wrong_is_left_to_the_kernel(void **state) {
    (void)state;
    if (!kernels_avx512_can()) skip();
    uint8_t src[64] = {0};
    int8_t lut[LETTERBOX_LUT_BYTES] = {0}, out[64] = {7};
    uint32_t status[4] = {9, 9, 9, 9}, roi[4] = {1, 2u << 16 | 2u, 0, 0};
    assert_false(letterbox_avx512(src, lut, out, status, 3, 2, 4, 8, 0, 4, 4));
    assert_false(letterbox_avx512(src, lut, out, status, 4, 2, 4, 7, 0, 4, 4));
    assert_false(letterbox_avx512(src, lut, out, status, 4, 2, 4, 8, 0, 4, 2000));
    assert_false(crop_avx512(src, roi, out, status, 4, 4, 4, 16, 0, 1, 2, 2, 12));
    assert_false(crop_avx512(src, roi, out, status, 4, 4, 4, 16, 0, 0, 2, 2, 12));
    assert_int_equal(out[0], 7);
    assert_int_equal(status[0], 9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letterbox_is_equal_to_the_bit),
        cmocka_unit_test(crops_are_equal_to_the_bit),
        cmocka_unit_test(what_is_wrong_is_left_to_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
