/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include <turbojpeg.h>

#include "host/pipe/thumbnail.h"

enum { W = 640, H = 480 };

/* Full range BT.601 picture of one colour with a red box at 200..300 x 100..220. */
static uint8_t *picture(struct wire_surface *s) {
    uint8_t *px = malloc(W * H * 3 / 2);
    assert_non_null(px);
    *s = (struct wire_surface){
        .w_px = W, .h_px = H, .stride_bytes = W, .uv_offset_bytes = W * H, .full_range = 1};
    memset(px, 200, W * H);
    memset(px + W * H, 128, W * H / 2);
    for (unsigned y = 100; y < 220; y++) memset(px + y * W + 200, 76, 100);
    for (unsigned y = 50; y < 110; y++) {
        for (unsigned x = 100; x < 150; x++) {
            px[W * H + y * W + 2 * x] = 85;
            px[W * H + y * W + 2 * x + 1] = 255;
        }
    }
    return px;
}

static void decode(const uint8_t *jpeg, size_t n, int *w, int *h, uint8_t **rgb) {
    int sub, space;
    tjhandle d = tjInitDecompress();
    assert_int_equal(tjDecompressHeader3(d, jpeg, n, w, h, &sub, &space), 0);
    *rgb = malloc((size_t)*w * (size_t)*h * 3);
    assert_non_null(*rgb);
    assert_int_equal(tjDecompress2(d, jpeg, n, *rgb, *w, 0, *h, TJPF_RGB, 0), 0);
    tjDestroy(d);
}

static void box_is_cut_with_margin_in_true_colours(void **state) {
    (void)state;
    struct wire_surface s;
    uint8_t *px = picture(&s), *jpeg = NULL, *rgb = NULL;
    struct thumbnailer *t = NULL;
    size_t n = 0;
    int w, h;
    const struct track_box box = {200, 100, 100, 120};
    assert_int_equal(thumbnailer_new(&t), OK);
    assert_int_equal(thumbnailer_make(t, &s, px, &box, &jpeg, &n), OK);
    decode(jpeg, n, &w, &h, &rgb);
    assert_int_equal(w, 124);
    assert_int_equal(h, 144);
    const uint8_t *mid = rgb + 3 * (72 * w + 62), *edge = rgb + 3 * (2 * w + 2);
    assert_true(mid[0] > 240 && mid[1] < 15 && mid[2] < 15);
    /* The red of the box rings a little into the coder's 16 px block. */
    assert_true(edge[0] > 180 && edge[1] > 170 && edge[2] > 170);
    free(rgb);
    free(jpeg);
    thumbnailer_free(&t);
    free(px);
}

static void large_box_is_made_smaller_and_clipped_to_the_picture(void **state) {
    (void)state;
    struct wire_surface s;
    uint8_t *px = picture(&s), *jpeg = NULL, *rgb = NULL;
    struct thumbnailer *t = NULL;
    size_t n = 0;
    int w, h;
    const struct track_box box = {-50, -50, 5000, 5000};
    assert_int_equal(thumbnailer_new(&t), OK);
    assert_int_equal(thumbnailer_make(t, &s, px, &box, &jpeg, &n), OK);
    decode(jpeg, n, &w, &h, &rgb);
    assert_int_equal(w, 320);
    assert_int_equal(h, 240);
    free(rgb);
    free(jpeg);
    thumbnailer_free(&t);
    free(px);
}

static void box_outside_the_picture_is_refused(void **state) {
    (void)state;
    struct wire_surface s;
    uint8_t *px = picture(&s), *jpeg = NULL;
    struct thumbnailer *t = NULL;
    size_t n = 0;
    const struct track_box box = {900, 100, 50, 50};
    assert_int_equal(thumbnailer_new(&t), OK);
    assert_int_equal(thumbnailer_make(t, &s, px, &box, &jpeg, &n), ERR_USAGE);
    assert_null(jpeg);
    thumbnailer_free(&t);
    free(px);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(box_is_cut_with_margin_in_true_colours),
        cmocka_unit_test(large_box_is_made_smaller_and_clipped_to_the_picture),
        cmocka_unit_test(box_outside_the_picture_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
