/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "host/search/plate.h"
#include "tests/support/test.h"

static void assert_plate(const char *typed, enum query_plate mode, const char *expected) {
    struct query q = {0};
    assert_true(plate_parse(typed, strlen(typed), &q));
    assert_int_equal(q.plate_mode, mode);
    assert_string_equal(q.plate, expected);
    assert_int_equal(q.max_slips, 0);
}
static void a_whole_plate_is_searched_with_its_look_alikes(void **state) {
    (void)state;
    assert_plate("AB-123-CD", QUERY_PLATE_FUZZY, "AB123CD");
    assert_plate("ab 123 cd", QUERY_PLATE_FUZZY, "AB123CD");
    assert_plate("1234 AB 06", QUERY_PLATE_FUZZY, "1234AB06");
    assert_plate("B-MW 1234", QUERY_PLATE_FUZZY, "BMW1234");
}
static void a_piece_is_looked_for_anywhere(void **state) {
    (void)state;
    assert_plate("4?8", QUERY_PLATE_PATTERN, "*4?8*");
    assert_plate("123", QUERY_PLATE_PATTERN, "*123*");
    assert_plate("AB-1", QUERY_PLATE_PATTERN, "*AB1*");
}
static void a_star_is_taken_as_typed(void **state) {
    (void)state;
    assert_plate("AB-1?3-*", QUERY_PLATE_PATTERN, "AB1?3*");
    assert_plate("*2CD", QUERY_PLATE_PATTERN, "*2CD");
    assert_plate("A**B1", QUERY_PLATE_PATTERN, "A*B1");
}
static void what_is_no_plate_is_refused_and_changes_nothing(void **state) {
    (void)state;
    static const char *const odd[] = {"", "***", "??", "AB_12", "\xc3\x89T", "ABCDEFGHIJ1234567"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct query q = {0};
        assert_false(plate_parse(odd[i], strlen(odd[i]), &q));
        assert_int_equal(q.plate_mode, QUERY_PLATE_NONE);
        assert_string_equal(q.plate, "");
    }
}
static void the_longest_pattern_fits_the_query(void **state) {
    (void)state;
    struct query q = {0};
    assert_true(plate_parse("ABCDEFGHIJKLMNO1", PLATE_CHARS_MAX, &q));
    assert_int_equal(strlen(q.plate), PLATE_CHARS_MAX + 2);
    assert_true(strlen(q.plate) < sizeof q.plate);
}
static void whole_plates_are_told_from_pieces(void **state) {
    (void)state;
    assert_true(plate_is_whole("AB123CD"));
    assert_true(plate_is_whole("12AB06"));
    assert_true(plate_is_whole("1234ABC06"));
    assert_false(plate_is_whole("AB123"));
    assert_false(plate_is_whole("123456"));
    assert_false(plate_is_whole("ABCDEF"));
    assert_false(plate_is_whole("AB?23CD"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_plate_is_searched_with_its_look_alikes),
        cmocka_unit_test(a_piece_is_looked_for_anywhere),
        cmocka_unit_test(a_star_is_taken_as_typed),
        cmocka_unit_test(what_is_no_plate_is_refused_and_changes_nothing),
        cmocka_unit_test(the_longest_pattern_fits_the_query),
        cmocka_unit_test(whole_plates_are_told_from_pieces),
    };
    return cmocka_run_group_tests_name("plate", tests, NULL, NULL);
}
