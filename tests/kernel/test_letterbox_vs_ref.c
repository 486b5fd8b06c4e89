/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "driver/card_abi.h"
#include "kernels/letterbox/letterbox.h"
#include "tests/kernel/nv12_ref.h"
#include "tests/support/test.h"

static uint32_t seed = 1;
static uint32_t next_random(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* The checksum as it is defined, over the reference's bytes. */
static uint32_t checksum(const int8_t *p, uint32_t n_rows, uint32_t row_bytes) {
    uint64_t all = 0;
    for (uint32_t r = 0; r < n_rows; r++) {
        uint64_t sum = 0;
        for (uint32_t i = 0; i < row_bytes; i++) sum += (uint64_t)(p[(size_t)r * row_bytes + i] & 0xff);
        all = (all * 16777619u + sum) % 4294967296u;
    }
    return (uint32_t)all;
}

/* Runs kernel and reference on the same random surface; memory is exactly as large as promised, so that the
 * address sanitizer sees a byte too far. */
static void compare(uint32_t w, uint32_t h, uint32_t stride, uint32_t gap, uint32_t colour, uint32_t dst_w,
                    uint32_t dst_h) {
    const uint32_t uv = stride * h + gap, n = uv + stride * (h / 2), n_out = dst_w * dst_h * 3;
    uint8_t *src = malloc(n);
    int8_t *lut = malloc(768), *got = malloc(n_out), *want = malloc(n_out);
    uint32_t status[4] = {9, 9, 9, 9};
    assert_non_null(src);
    assert_non_null(lut);
    assert_non_null(got);
    assert_non_null(want);
    /* Half noise, half extremes: both saturate and round. */
    for (uint32_t i = 0; i < n; i++)
        src[i] = (uint8_t)(next_random() & 1u ? next_random() : (next_random() & 1u) * 255u);
    for (uint32_t i = 0; i < 768; i++) lut[i] = (int8_t)(next_random() & 0xff);
    letterbox(src, lut, got, status, w, h, stride, uv, colour, dst_w, dst_h);
    const struct ref_surface s = {src, src + uv, stride, w, h, (int)(colour & 1u), (colour >> 1) != 0};
    ref_letterbox(&s, lut, dst_w, dst_h, want);
    assert_int_equal(status[0], CARD_ABI_VERSION);
    assert_int_equal(status[1], 1);
    assert_int_equal(status[2], 0);
    assert_int_equal(status[3], checksum(want, dst_h, dst_w * 3));
    assert_memory_equal(got, want, n_out);
    free(src);
    free(lut);
    free(got);
    free(want);
}

static void every_small_size_equals_the_reference(void **state) {
    (void)state;
    for (uint32_t w = 2; w <= 20; w += 2)
        for (uint32_t h = 2; h <= 20; h += 2)
            compare(w, h, w, 0, (w / 2 + h) & 3u, 1 + (w * 7 + h) % 24, 1 + (w + h * 5) % 24);
}

static void usual_video_sizes_equal_the_reference(void **state) {
    (void)state;
    compare(768, 576, 768, 0, 0, 416, 416);
    compare(640, 360, 704, 128, 1, 128, 96);
    compare(352, 288, 384, 0, 2, 416, 416);
    compare(320, 568, 320, 64, 3, 160, 160);
}

static void full_hd_equals_the_reference(void **state) {
    (void)state;
    compare(1920, 1080, 1920, 1920 * 8, 1, 208, 208);
}

static void extreme_shapes_equal_the_reference(void **state) {
    (void)state;
    compare(4096, 2, 4096, 0, 0, 33, 31);
    compare(2, 2048, 2, 0, 1, 31, 33);
    compare(2, 2, 2, 0, 2, 1, 1);
    compare(2, 2, 64, 0, 3, 1024, 7);
    compare(256, 256, 256, 0, 0, 255, 257);
}

static void the_table_of_nanodet_gives_its_black(void **state) {
    (void)state;
    const double mean[3] = {103.53, 116.28, 123.675}, scale[3] = {0.0174291939, 0.0175070028, 0.0171247538};
    int8_t lut[768], out[4 * 4 * 3];
    uint8_t src[8 * 2 * 3 / 2];
    uint32_t status[4];
    for (int i = 0; i < 768; i++) {
        double v = (i % 256 - mean[i / 256]) * scale[i / 256] * 32 + 0.5 +
                   1024; /* positive, so the cast is a floor */
        v = (double)(int)v - 1024;
        lut[i] = (int8_t)(v < -128 ? -128 : v > 127 ? 127 : v);
    }
    memset(src, 16, sizeof src);
    memset(src + 16, 128, 8);
    letterbox(src, lut, out, status, 8, 2, 8, 16, 0, 4, 4);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(out[3 * i], -58);
        assert_int_equal(out[3 * i + 1], -65);
        assert_int_equal(out[3 * i + 2], -68);
    }
}

static void impossible_surfaces_are_refused_and_nothing_is_written(void **state) {
    (void)state;
    uint8_t src[64] = {0};
    int8_t lut[768] = {0}, out[12];
    static const uint32_t bad[][7] = {
        /* w, h, stride, uv, dst_w, dst_h, code */
        {0, 4, 4, 16, 2, 2, LETTERBOX_BAD_SURFACE},
        {4, 0, 4, 16, 2, 2, LETTERBOX_BAD_SURFACE},
        {3, 4, 4, 16, 2, 2, LETTERBOX_BAD_SURFACE},
        {4, 3, 4, 16, 2, 2, LETTERBOX_BAD_SURFACE},
        {4, 4, 2, 16, 2, 2, LETTERBOX_BAD_SURFACE},
        {4, 4, 4, 15, 2, 2, LETTERBOX_BAD_SURFACE},
        {8194, 2, 8194, 16388, 2, 2, LETTERBOX_BAD_SURFACE},
        {2, 8194, 2, 16388, 2, 2, LETTERBOX_BAD_SURFACE},
        {4, 4, 0x80000000u, 16, 2, 2, LETTERBOX_BAD_SURFACE},
        {4, 4, 4, 16, 0, 2, LETTERBOX_BAD_TENSOR},
        {4, 4, 4, 16, 2, 0, LETTERBOX_BAD_TENSOR},
        {4, 4, 4, 16, 1025, 2, LETTERBOX_BAD_TENSOR},
        {4, 4, 4, 16, 2, 1025, LETTERBOX_BAD_TENSOR},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint32_t status[4] = {0};
        memset(out, 77, sizeof out);
        letterbox(src, lut, out, status, bad[i][0], bad[i][1], bad[i][2], bad[i][3], 0, bad[i][4], bad[i][5]);
        assert_int_equal(status[0], CARD_ABI_VERSION);
        assert_int_equal(status[1], 0);
        assert_int_equal(status[2], bad[i][6]);
        for (size_t k = 0; k < sizeof out; k++) assert_int_equal(out[k], 77);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_small_size_equals_the_reference),
        cmocka_unit_test(usual_video_sizes_equal_the_reference),
        cmocka_unit_test(full_hd_equals_the_reference),
        cmocka_unit_test(extreme_shapes_equal_the_reference),
        cmocka_unit_test(the_table_of_nanodet_gives_its_black),
        cmocka_unit_test(impossible_surfaces_are_refused_and_nothing_is_written),
    };
    return cmocka_run_group_tests_name("letterbox", tests, NULL, NULL);
}
