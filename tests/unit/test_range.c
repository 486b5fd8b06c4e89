/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "host/http/range.h"
#include "tests/support/test.h"

#define SIZE 1000u

static enum range_result parse(const char *header, struct range *r) {
    return range_parse(header, strlen(header), SIZE, r);
}

static void range_with_first_and_last_is_that_part(void **state) {
    (void)state;
    struct range r;
    assert_int_equal(parse("bytes=0-499", &r), RANGE_PART);
    assert_int_equal(r.first_bytes, 0);
    assert_int_equal(r.n_bytes, 500);
    assert_int_equal(parse("bytes=999-999", &r), RANGE_PART);
    assert_int_equal(r.first_bytes, 999);
    assert_int_equal(r.n_bytes, 1);
}

static void range_without_last_goes_to_the_end(void **state) {
    (void)state;
    struct range r;
    assert_int_equal(parse("bytes=0-", &r), RANGE_PART);
    assert_int_equal(r.n_bytes, SIZE);
    assert_int_equal(parse("Bytes=900-", &r), RANGE_PART);
    assert_int_equal(r.first_bytes, 900);
    assert_int_equal(r.n_bytes, 100);
}

static void range_with_suffix_is_the_tail(void **state) {
    (void)state;
    struct range r;
    assert_int_equal(parse("bytes=-1", &r), RANGE_PART);
    assert_int_equal(r.first_bytes, 999);
    assert_int_equal(parse("bytes=-5000", &r), RANGE_PART);
    assert_int_equal(r.first_bytes, 0);
    assert_int_equal(r.n_bytes, SIZE);
    assert_int_equal(parse("bytes=-0", &r), RANGE_UNSATISFIABLE);
}

static void range_past_the_end_is_cut_and_outside_is_refused(void **state) {
    (void)state;
    struct range r;
    assert_int_equal(parse("bytes=990-2000", &r), RANGE_PART);
    assert_int_equal(r.n_bytes, 10);
    assert_int_equal(parse("bytes=1000-", &r), RANGE_UNSATISFIABLE);
    assert_int_equal(parse("bytes=1000-1001", &r), RANGE_UNSATISFIABLE);
    assert_int_equal(parse("bytes=99999999999999999999999999-", &r), RANGE_UNSATISFIABLE);
    assert_int_equal(parse("bytes=5-99999999999999999999999999", &r), RANGE_PART);
    assert_int_equal(r.n_bytes, 995);
}

static void range_malformed_or_several_is_answered_whole(void **state) {
    (void)state;
    static const char *const headers[] = {
        "",           "bytes",     "bytes=",        "bytes=-",     "bytes=5-4",
        "bytes=a-b",  "items=0-1", "bytes=0-1,5-9", "bytes=0-1 x", "bytes=--1",
        "bytes=+1-2", "bytes=1",   "bytes = 0-1",   "bytes=0x1-2"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct range r;
        assert_int_equal(parse(headers[i], &r), RANGE_WHOLE);
        assert_int_equal(r.first_bytes, 0);
        assert_int_equal(r.n_bytes, SIZE);
    }
    struct range r;
    assert_int_equal(range_parse(NULL, 0, SIZE, &r), RANGE_WHOLE);
}

static void range_of_an_empty_body_is_never_a_part(void **state) {
    (void)state;
    struct range r;
    assert_int_equal(range_parse("bytes=0-", 8, 0, &r), RANGE_UNSATISFIABLE);
    assert_int_equal(range_parse("bytes=-5", 8, 0, &r), RANGE_UNSATISFIABLE);
}

/* Every part lies in the body, whatever the header holds; the header need not be terminated. */
static void range_of_any_bytes_stays_inside_the_body(void **state) {
    (void)state;
    static const char alphabet[] = "bytes=0123456789--,  9\xff";
    srand(7);
    for (int round = 0; round < 200000; round++) {
        char text[24];
        size_t n = (size_t)rand() % sizeof text;
        size_t kept = round % 2 && n >= 6 ? 6 : 0;
        memcpy(text, "bytes=", kept);
        for (size_t i = kept; i < n; i++) text[i] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
        uint64_t size = (uint64_t)rand() % 50;
        struct range r;
        if (range_parse(text, n, size, &r) == RANGE_PART) {
            assert_true(r.n_bytes >= 1 && r.first_bytes < size && r.n_bytes <= size - r.first_bytes);
        }
    }
}

static void range_is_honoured_only_for_the_same_strong_tag(void **state) {
    (void)state;
    assert_true(range_if_matches(NULL, "\"a\""));
    assert_true(range_if_matches("\"a\"", "\"a\""));
    assert_false(range_if_matches("\"b\"", "\"a\""));
    assert_false(range_if_matches("W/\"a\"", "W/\"a\""));
    assert_false(range_if_matches("Tue, 24 Nov 2026 10:00:00 GMT", "\"a\""));
}

static void range_content_names_part_and_size(void **state) {
    (void)state;
    char text[RANGE_TEXT_MAX];
    range_content(&(struct range){10, 5}, 100, text);
    assert_string_equal(text, "bytes 10-14/100");
    range_content(NULL, UINT64_MAX, text);
    assert_string_equal(text, "bytes */18446744073709551615");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_with_first_and_last_is_that_part),
        cmocka_unit_test(range_without_last_goes_to_the_end),
        cmocka_unit_test(range_with_suffix_is_the_tail),
        cmocka_unit_test(range_past_the_end_is_cut_and_outside_is_refused),
        cmocka_unit_test(range_malformed_or_several_is_answered_whole),
        cmocka_unit_test(range_of_an_empty_body_is_never_a_part),
        cmocka_unit_test(range_of_any_bytes_stays_inside_the_body),
        cmocka_unit_test(range_is_honoured_only_for_the_same_strong_tag),
        cmocka_unit_test(range_content_names_part_and_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
