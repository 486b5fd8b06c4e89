/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <time.h>

#include "host/base/clock.h"
#include "host/base/zone.h"
#include "tests/support/test.h"

#define HOUR_MS 3600000LL

static int64_t utc(const char *text) {
    int64_t ms = 0;
    assert_int_equal(clock_parse(text, &ms), OK);
    return ms;
}
static struct zone *paris(void) {
    struct zone *z;
    assert_int_equal(zone_open("Europe/Paris", &z), OK);
    return z;
}

static void days_and_dates_are_inverse(void **state) {
    (void)state;
    assert_int_equal(zone_day(1970, 1, 1), 0);
    assert_int_equal(zone_day(2026, 11, 24), utc("2026-11-24T00:00:00Z") / (24 * HOUR_MS));
    for (int64_t day = -800000; day < 800000; day += 37) {
        int y, m, d;
        zone_date(day, &y, &m, &d);
        assert_int_equal(zone_day(y, m, d), day);
    }
    assert_int_equal(zone_weekday(zone_day(2026, 11, 24)), 1); /* a Tuesday */
    assert_int_equal(zone_weekday(-1), 2);
    assert_true(zone_date_exists(2028, 2, 29));
    assert_false(zone_date_exists(2026, 2, 29));
    assert_false(zone_date_exists(2026, 13, 1));
}

static void offsets_follow_summer_time_also_past_the_listed_years(void **state) {
    (void)state;
    struct zone *z = paris();
    assert_int_equal(zone_offset_s(z, utc("2026-07-01T00:00:00Z")), 7200);
    assert_int_equal(zone_offset_s(z, utc("2026-12-01T00:00:00Z")), 3600);
    assert_int_equal(zone_offset_s(z, utc("2026-10-25T00:59:59Z")), 7200);
    assert_int_equal(zone_offset_s(z, utc("2026-10-25T01:00:00Z")), 3600);
    assert_int_equal(zone_offset_s(z, utc("2077-07-01T00:00:00Z")), 7200); /* by the rule */
    assert_int_equal(zone_offset_s(z, utc("2077-12-01T00:00:00Z")), 3600);
    zone_free(&z);
}

/* The C library, asked for the same zone, is the reference. */
static void offsets_equal_those_of_the_c_library(void **state) {
    (void)state;
    static const char *const names[] = {"Europe/Paris",
                                        "America/Cayenne",
                                        "Indian/Reunion",
                                        "Pacific/Noumea",
                                        "Australia/Lord_Howe",
                                        "America/New_York",
                                        "UTC"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        struct zone *z;
        assert_int_equal(zone_open(names[i], &z), OK);
        setenv("TZ", names[i], 1);
        tzset();
        for (time_t t = 0; t < 4000000000; t += 1234567) {
            struct tm tm;
            localtime_r(&t, &tm);
            assert_int_equal(zone_offset_s(z, (int64_t)t * 1000), tm.tm_gmtoff);
        }
        zone_free(&z);
    }
    unsetenv("TZ");
    tzset();
}

static void a_repeated_hour_has_two_moments_and_a_skipped_one_the_jump(void **state) {
    (void)state;
    struct zone *z = paris();
    int64_t autumn = zone_day(2026, 10, 25), spring = zone_day(2026, 3, 29);
    assert_int_equal(zone_utc_ms(z, autumn, 2 * HOUR_MS + HOUR_MS / 2, false), utc("2026-10-25T00:30:00Z"));
    assert_int_equal(zone_utc_ms(z, autumn, 2 * HOUR_MS + HOUR_MS / 2, true), utc("2026-10-25T01:30:00Z"));
    assert_int_equal(zone_utc_ms(z, spring, 2 * HOUR_MS + HOUR_MS / 2, false), utc("2026-03-29T01:00:00Z"));
    assert_int_equal(zone_utc_ms(z, spring, 3 * HOUR_MS, false), utc("2026-03-29T01:00:00Z"));
    assert_int_equal(zone_utc_ms(z, autumn + 1, 0, false) - zone_utc_ms(z, autumn, 0, false), 25 * HOUR_MS);
    assert_int_equal(zone_utc_ms(z, spring + 1, 0, false) - zone_utc_ms(z, spring, 0, false), 23 * HOUR_MS);
    assert_int_equal(zone_local_day(z, utc("2026-11-23T23:30:00Z")), zone_day(2026, 11, 24));
    zone_free(&z);
}

static void names_that_are_no_zones_are_refused(void **state) {
    (void)state;
    struct zone *z;
    assert_int_equal(zone_open("../../etc/passwd", &z), ERR_USAGE);
    assert_int_equal(zone_open("/etc/passwd", &z), ERR_USAGE);
    assert_int_equal(zone_open("", &z), ERR_USAGE);
    assert_int_equal(zone_open(NULL, &z), ERR_USAGE);
    assert_int_equal(zone_open("Europe/Atlantis", &z), ERR_MISSING);
    assert_int_equal(zone_open("zone.tab", &z), ERR_USAGE); /* a dot: not a zone */
    assert_int_equal(zone_open("tzdata", &z), ERR_MISSING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_and_dates_are_inverse),
        cmocka_unit_test(offsets_follow_summer_time_also_past_the_listed_years),
        cmocka_unit_test(offsets_equal_those_of_the_c_library),
        cmocka_unit_test(a_repeated_hour_has_two_moments_and_a_skipped_one_the_jump),
        cmocka_unit_test(names_that_are_no_zones_are_refused),
    };
    return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
