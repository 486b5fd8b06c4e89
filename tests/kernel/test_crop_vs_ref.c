/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "driver/card_abi.h"
#include "kernels/crop/crop.h"
#include "tests/kernel/nv12_ref.h"
#include "tests/support/test.h"

static uint32_t seed = 7;
static uint32_t next_random(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

struct picture {
    uint32_t w, h, stride, uv, n;
    uint8_t *mem;
};

static struct picture picture_new(uint32_t w, uint32_t h, uint32_t stride, uint32_t gap) {
    struct picture p = {w, h, stride, stride * h + gap, stride * h + gap + stride * (h / 2), NULL};
    p.mem = malloc(p.n);
    assert_non_null(p.mem);
    for (uint32_t i = 0; i < p.n; i++)
        p.mem[i] = (uint8_t)(next_random() & 1u ? next_random() : (next_random() & 1u) * 255u);
    return p;
}

static void compare(const struct picture *p, const struct card_roi *rois, uint32_t n, uint32_t colour,
                    uint32_t dst_w, uint32_t dst_h) {
    const uint32_t each = dst_w * dst_h * 3;
    int8_t *got = malloc((size_t)each * n);
    uint8_t *want = malloc(each);
    uint32_t *words = malloc(n * sizeof *rois), status[4] = {0};
    assert_non_null(got);
    assert_non_null(want);
    assert_non_null(words);
    memcpy(words, rois, n * sizeof *rois);
    crop(p->mem, words, got, status, p->w, p->h, p->stride, p->uv, colour, n, dst_w, dst_h, each * n);
    assert_int_equal(status[0], CARD_ABI_VERSION);
    assert_int_equal(status[2], 0);
    assert_int_equal(status[1], n);
    uint64_t all = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct card_roi *r = &rois[i];
        const struct ref_surface s = {p->mem + (size_t)r->y_px * p->stride + r->x_px,
                                      p->mem + p->uv + (size_t)(r->y_px / 2) * p->stride + r->x_px,
                                      p->stride,
                                      r->w_px,
                                      r->h_px,
                                      (int)(colour & 1u),
                                      (colour >> 1) != 0};
        ref_resize(&s, dst_w, dst_h, want);
        for (uint32_t y = 0; y < dst_h; y++) {
            uint64_t sum = 0;
            for (uint32_t k = 0; k < dst_w * 3; k++) sum += want[y * dst_w * 3 + k] ^ 0x80u;
            all = (all * 16777619u + sum) % 4294967296u;
        }
        for (uint32_t k = 0; k < each; k++)
            assert_int_equal(got[r->dst_offset_bytes + k], (int)want[k] - 128);
    }
    assert_int_equal(status[3], all);
    free(got);
    free(want);
    free(words);
}

static void regions_of_every_small_size_equal_the_reference(void **state) {
    (void)state;
    struct picture p = picture_new(40, 36, 48, 16);
    for (uint16_t w = 1; w <= 13; w++)
        for (uint16_t h = 1; h <= 13; h++) {
            const struct card_roi r = {.x_px = (uint16_t)(2 * (next_random() % 13)),
                                       .y_px = (uint16_t)(2 * (next_random() % 11)),
                                       .w_px = w,
                                       .h_px = h};
            compare(&p, &r, 1, (w + h) & 3u, 1 + next_random() % 16, 1 + next_random() % 16);
        }
    free(p.mem);
}

static void thirty_two_regions_at_corners_and_borders_equal_the_reference(void **state) {
    (void)state;
    struct picture p = picture_new(130, 98, 130, 0);
    struct card_roi r[CROP_ROIS_MAX];
    for (uint32_t i = 0; i < CROP_ROIS_MAX; i++) {
        const uint16_t w = (uint16_t)(1 + next_random() % 64), h = (uint16_t)(1 + next_random() % 48);
        /* touching the right or lower border where it can: x and y are even */
        r[i] = (struct card_roi){.x_px = (uint16_t)(i & 1u ? (p.w - w) & ~1u : 0),
                                 .y_px = (uint16_t)(i & 2u ? (p.h - h) & ~1u : 0),
                                 .w_px = w,
                                 .h_px = h,
                                 .dst_offset_bytes = (CROP_ROIS_MAX - 1 - i) * 24 * 40 * 3};
    }
    compare(&p, r, CROP_ROIS_MAX, 1, 24, 40);
    free(p.mem);
}

static void one_pixel_becomes_a_plain_tensor(void **state) {
    (void)state;
    struct picture p = picture_new(8, 8, 8, 0);
    const struct card_roi r = {.x_px = 6, .y_px = 6, .w_px = 1, .h_px = 1};
    compare(&p, &r, 1, 0, 17, 9);
    free(p.mem);
}

static void the_whole_picture_is_a_region_too(void **state) {
    (void)state;
    struct picture p = picture_new(320, 240, 320, 0);
    const struct card_roi r = {.w_px = 320, .h_px = 240};
    compare(&p, &r, 1, 2, 64, 128);
    free(p.mem);
}

static void an_impossible_region_ends_the_run_with_its_number(void **state) {
    (void)state;
    struct picture p = picture_new(16, 16, 16, 0);
    static const uint16_t bad[][4] = {{1, 0, 2, 2},  {0, 1, 2, 2},  {0, 0, 0, 2}, {0, 0, 2, 0},
                                      {14, 0, 3, 2}, {0, 14, 2, 3}, {16, 0, 1, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct card_roi r[2] = {{.w_px = 4, .h_px = 4},
                                      {.x_px = bad[i][0],
                                       .y_px = bad[i][1],
                                       .w_px = bad[i][2],
                                       .h_px = bad[i][3],
                                       .dst_offset_bytes = 12}};
        uint32_t words[8], status[4] = {0};
        int8_t out[24];
        memset(out, 77, sizeof out);
        memcpy(words, r, sizeof words);
        crop(p.mem, words, out, status, 16, 16, 16, 256, 0, 2, 2, 2, sizeof out);
        assert_int_equal(status[1], 1);
        assert_int_equal(status[2], CROP_BAD_ROI | 1 << 8);
        for (int k = 12; k < 24; k++) assert_int_equal(out[k], 77);
    }
    free(p.mem);
}

static void a_region_that_would_write_behind_the_output_is_refused(void **state) {
    (void)state;
    struct picture p = picture_new(16, 16, 16, 0);
    const struct card_roi r = {.w_px = 4, .h_px = 4, .dst_offset_bytes = 1};
    uint32_t words[4], status[4] = {0};
    int8_t out[12];
    memcpy(words, &r, sizeof words);
    crop(p.mem, words, out, status, 16, 16, 16, 256, 0, 1, 2, 2, sizeof out);
    assert_int_equal(status[2], CROP_BAD_ROI);
    crop(p.mem, words, out, status, 16, 16, 16, 256, 0, 0, 2, 2, sizeof out);
    assert_int_equal(status[2], CROP_BAD_COUNT);
    crop(p.mem, words, out, status, 16, 16, 16, 256, 0, 33, 2, 2, sizeof out);
    assert_int_equal(status[2], CROP_BAD_COUNT);
    free(p.mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_of_every_small_size_equal_the_reference),
        cmocka_unit_test(thirty_two_regions_at_corners_and_borders_equal_the_reference),
        cmocka_unit_test(one_pixel_becomes_a_plain_tensor),
        cmocka_unit_test(the_whole_picture_is_a_region_too),
        cmocka_unit_test(an_impossible_region_ends_the_run_with_its_number),
        cmocka_unit_test(a_region_that_would_write_behind_the_output_is_refused),
    };
    return cmocka_run_group_tests_name("crop", tests, NULL, NULL);
}
