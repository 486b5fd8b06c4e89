/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "host/base/bytes.h"
#include "host/base/clock.h"
#include "host/base/config.h"
#include "host/base/fs.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static void clock_reads_utc_fraction_and_offset(void **state) {
    (void)state;
    int64_t ms;
    assert_int_equal(clock_parse("1970-01-01T00:00:01Z", &ms), OK);
    assert_int_equal(ms, 1000);
    assert_int_equal(clock_parse("2026-11-20T14:00:00.250Z", &ms), OK);
    assert_int_equal(ms % 1000, 250);
    int64_t paris;
    assert_int_equal(clock_parse("2026-11-20T15:00:00.250+01:00", &paris), OK);
    assert_int_equal(paris, ms);
}

static void clock_refuses_dates_that_do_not_exist(void **state) {
    (void)state;
    static const char *const bad[] = {
        "2026-02-29T00:00:00Z",  "2026-13-01T00:00:00Z", "2026-11-31T00:00:00Z",
        "2026-11-20T24:00:00Z",  "2026-11-20T14:60:00Z", "1969-12-31T23:59:59Z",
        "2026-11-20T14:00:00",   "2026-11-20",           "",
        "2026-11-20T14:00:00Zx", "26-11-20T14:00:00Z",   "2026-11-20T14:00:00+99:00"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ms = 7;
        assert_int_equal(clock_parse(bad[i], &ms), ERR_USAGE);
        assert_int_equal(ms, 7);
    }
    int64_t ms;
    assert_int_equal(clock_parse("2028-02-29T00:00:00Z", &ms), OK);
}

static void clock_text_read_back_is_the_same_moment(void **state) {
    (void)state;
    static const int64_t moments[] = {0, 1, 999, 1795000000123, 253402300799999};
    for (unsigned i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        char text[25];
        int64_t ms;
        clock_format(moments[i], text);
        assert_int_equal(clock_parse(text, &ms), OK);
        assert_int_equal(ms, moments[i]);
    }
}

static void bytes_written_are_read_back(void **state) {
    (void)state;
    struct bytes b = {0};
    bytes_put_u8(&b, 7);
    bytes_put_u16(&b, 0xfffe);
    bytes_put_u32(&b, 0x12345678);
    bytes_put_u64(&b, UINT64_MAX);
    bytes_put_f32(&b, -1.5f);
    bytes_put_block(&b, "abc", 3);
    assert_false(b.bad);
    struct bytes_reader r = bytes_reader_of(b.data, b.len);
    uint32_t n;
    assert_int_equal(bytes_get_u8(&r), 7);
    assert_int_equal(bytes_get_u16(&r), 0xfffe);
    assert_int_equal(bytes_get_u32(&r), 0x12345678);
    assert_true(bytes_get_u64(&r) == UINT64_MAX);
    assert_true(bytes_get_f32(&r) == -1.5f);
    assert_memory_equal(bytes_get_block(&r, &n), "abc", 3);
    assert_int_equal(n, 3);
    assert_false(r.bad);
    assert_true(r.p == r.end);
    bytes_fini(&b);
}

static void a_short_record_reads_as_zeros_and_stays_bad(void **state) {
    (void)state;
    static const uint8_t three[] = {0xff, 0xff, 0xff};
    struct bytes_reader r = bytes_reader_of(three, 3);
    assert_int_equal(bytes_get_u32(&r), 0);
    assert_true(r.bad);
    assert_int_equal(bytes_get_u8(&r), 0);
    static const uint8_t lying[] = {0xff, 0xff, 0xff, 0x7f, 1};
    uint32_t n;
    r = bytes_reader_of(lying, sizeof lying);
    assert_null(bytes_get_block(&r, &n));
    assert_int_equal(n, 0);
    assert_true(r.bad);
}

static enum err parse(struct config *c, const char *text) {
    char *copy = strdup(text);
    assert_non_null(copy);
    const enum err e = config_parse(c, copy, "test.conf");
    free(copy);
    return e;
}

static void config_takes_known_keys_and_comments(void **state) {
    (void)state;
    struct config c;
    config_defaults(&c, "/opt/relecture");
    assert_string_equal(c.backend, "simulator");
    assert_string_equal(c.decode_exe, "/opt/relecture/relecture-decode");
    assert_int_equal(parse(&c, "# a comment\n card.backend = card # here too\n\nimport.fps_milli=2500\n"),
                     OK);
    assert_string_equal(c.backend, "card");
    assert_int_equal(c.fps_milli, 2500);
}

static void config_refuses_unknown_keys_and_values_out_of_range(void **state) {
    (void)state;
    static const char *const bad[] = {"card.backedn = card",
                                      "card.backend = gpu",
                                      "import.fps_milli = 0",
                                      "import.fps_milli = fast",
                                      "import.slots = 99999",
                                      "no equals sign",
                                      "site.tz =",
                                      "card.backend = simulator|card"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct config c;
        config_defaults(&c, "/opt/relecture");
        assert_int_equal(parse(&c, bad[i]), ERR_USAGE);
    }
}

static void files_written_atomically_are_read_back_and_hashed(void **state) {
    (void)state;
    char dir[64], path[FS_PATH_MAX], hex[65], *text;
    size_t n;
    assert_true(tmpdir_make(dir, sizeof dir));
    assert_int_equal(fs_join(path, dir, "a/b"), OK);
    assert_int_equal(fs_mkdirs(path, 0700), OK);
    assert_int_equal(fs_join(path, dir, "a/b/f"), OK);
    assert_int_equal(fs_write_atomic(path, "abc", 3, 0600), OK);
    assert_int_equal(fs_read(path, 10, &text, &n), OK);
    assert_int_equal(n, 3);
    assert_string_equal(text, "abc");
    free(text);
    assert_int_equal(fs_read(path, 2, &text, &n), ERR_USAGE);
    assert_int_equal(fs_sha256("abc", 3, hex), OK);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    tmpdir_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_reads_utc_fraction_and_offset),
        cmocka_unit_test(clock_refuses_dates_that_do_not_exist),
        cmocka_unit_test(clock_text_read_back_is_the_same_moment),
        cmocka_unit_test(bytes_written_are_read_back),
        cmocka_unit_test(a_short_record_reads_as_zeros_and_stays_bad),
        cmocka_unit_test(config_takes_known_keys_and_comments),
        cmocka_unit_test(config_refuses_unknown_keys_and_values_out_of_range),
        cmocka_unit_test(files_written_atomically_are_read_back_and_hashed),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
