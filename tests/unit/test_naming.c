/* SPDX-License-Identifier: Apache-2.0 */
/* Names as recorders and their exports give them, and names that only look so. */
#include <stdio.h>
#include <string.h>

#include "host/import/naming.h"
#include "tests/support/test.h"

/* "2026-11-20 14:00:00.000", with Z where it says so; "" = unknown. */
static const char *text_of(const struct naming_time *t, char out[static 40]) {
    if (!t->known) return "";
    snprintf(out, 40, "%04d-%02d-%02d %02d:%02d:%02d.%03d%s", t->year, t->month, t->day,
             (int)(t->ms / 3600000), (int)(t->ms / 60000 % 60), (int)(t->ms / 1000 % 60), (int)(t->ms % 1000),
             t->utc ? "Z" : "");
    return out;
}

static void names_of_recorders_say_begin_and_end(void **state) {
    (void)state;
    static const struct {
        const char *path, *start, *end;
    } vectors[] = {
        {"2026-11-20/001/dav/14/14.00.00-15.00.00[M][0@0][0].dav", "2026-11-20 14:00:00.000",
         "2026-11-20 15:00:00.000"},
        {"2026-11-20/001/dav/23/23.30.00-00.30.00[R][0@0][0].dav", "2026-11-20 23:30:00.000",
         "2026-11-21 00:30:00.000"},
        {"NVR_ch1_main_20261120140000_20261120150000.dav", "2026-11-20 14:00:00.000",
         "2026-11-20 15:00:00.000"},
        {"192.168.1.64_01_20261120140000123_20261120150000456.mp4", "2026-11-20 14:00:00.123",
         "2026-11-20 15:00:00.456"},
        {"D01_20261120140000.mp4", "2026-11-20 14:00:00.000", ""},
        {"20261120/14/20261120_140000_1A2B_ACCC8E.mkv", "2026-11-20 14:00:00.000", ""},
        {"Gare parvis (10.0.0.1) - 2026-11-20 14.00.00.avi", "2026-11-20 14:00:00.000", ""},
        {"Gare_2026-11-20_14h05min09s120ms.mp4", "2026-11-20 14:05:09.120", ""},
        {"cam-2026-11-20T14-00-00Z.ts", "2026-11-20 14:00:00.000Z", ""},
        {"cam-2026-11-20T14:00:00.250Z.ts", "2026-11-20 14:00:00.250Z", ""},
        {"gare-01_2026-11-20_14.mp4", "2026-11-20 14:00:00.000", ""},
        {"gare-01_20261120_1430.mp4", "2026-11-20 14:30:00.000", ""},
        {"gare-01/2026-11-20/14.mp4", "2026-11-20 14:00:00.000", ""},
        {"gare-01/2026/11/20/14-30-15.mp4", "2026-11-20 14:30:15.000", ""},
        {"20261120/143015.mp4", "2026-11-20 14:30:15.000", ""},
        {"rec_2024-02-29 00-00-00.mp4", "2024-02-29 00:00:00.000", ""},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct naming n;
        char a[40], b[40];
        naming_read(vectors[i].path, &n);
        if (strcmp(text_of(&n.start, a), vectors[i].start) != 0 ||
            strcmp(text_of(&n.end, b), vectors[i].end) != 0)
            fail_msg("%s: \"%s\" to \"%s\"", vectors[i].path, text_of(&n.start, a), text_of(&n.end, b));
        assert_string_not_equal(n.scheme, "");
    }
}

static void what_only_looks_like_a_moment_is_not_taken(void **state) {
    (void)state;
    static const char *const paths[] = {
        "video.mp4",
        "camera 12.avi",
        "part_000123.mp4",
        "2026.mp4",
        "IMG_20261332.mp4",
        "20261120.mp4",
        "2026-11-31_140000.mp4",
        "20261120_250000.mp4",
        "12345678901234.mp4",
        "2026-11-20/movie1.mp4",
        "2026-11-20/part_02.mp4",
        "",
        "/",
        "2026-11-20/",
        "9999999999999999999999999999999.mp4",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct naming n;
        naming_read(paths[i], &n);
        if (n.start.known) fail_msg("%s was taken for a moment", paths[i]);
        assert_string_equal(n.scheme, "");
    }
}

static void cameras_are_whole_words_and_the_longer_and_nearer_wins(void **state) {
    (void)state;
    assert_true(naming_match_camera("in/GARE_01_20261120140000.mp4", "gare-01") > 0);
    assert_true(naming_match_camera("in/Gare, parvis/14.mp4", "Gare, parvis") > 0);
    assert_int_equal(naming_match_camera("in/gare-012.mp4", "gare-01"), 0);
    assert_int_equal(naming_match_camera("in/legare-01.mp4", "gare-01"), 0);
    assert_int_equal(naming_match_camera("in/x.mp4", ""), 0);
    assert_true(naming_match_camera("quai-1/gare-01.mp4", "gare-01") >
                naming_match_camera("gare-01/quai.mp4", "gare-01"));
    assert_true(naming_match_camera("gare-01-nord.mp4", "gare-01-nord") >
                naming_match_camera("gare-01-nord.mp4", "gare-01"));
}

static void a_written_moment_is_read_whole_or_not_at_all(void **state) {
    (void)state;
    struct naming_time t;
    char a[40];
    assert_true(naming_time_parse("2026-11-20 14:00:05", &t));
    assert_string_equal(text_of(&t, a), "2026-11-20 14:00:05.000");
    assert_true(naming_time_parse("2026-11-20T14:00:05.250Z ", &t));
    assert_string_equal(text_of(&t, a), "2026-11-20 14:00:05.250Z");
    assert_true(naming_time_parse("20261120140005", &t));
    assert_false(naming_time_parse("2026-11-20", &t));
    assert_false(naming_time_parse("2026-11-20 14:00:05 yesterday", &t));
    assert_false(naming_time_parse("", &t));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_recorders_say_begin_and_end),
        cmocka_unit_test(what_only_looks_like_a_moment_is_not_taken),
        cmocka_unit_test(cameras_are_whole_words_and_the_longer_and_nearer_wins),
        cmocka_unit_test(a_written_moment_is_read_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
