/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/proc/slots.h"
#include "tests/support/test.h"

static void slots_run_out_and_come_back(void **state) {
    (void)state;
    struct slots *s;
    unsigned a, b, c;
    assert_int_equal(slots_new("t", 2, 100, &s), OK);
    assert_int_equal(slots_bytes(s), SLOTS_ALIGN_BYTES);
    assert_int_equal(slots_take(s, &a), OK);
    assert_int_equal(slots_take(s, &b), OK);
    assert_int_not_equal(a, b);
    assert_int_equal(slots_take(s, &c), ERR_AGAIN);
    slots_ref(s, a);
    slots_unref(s, a);
    assert_int_equal(slots_free_count(s), 0);
    slots_unref(s, a);
    assert_int_equal(slots_free_count(s), 1);
    assert_int_equal(slots_take(s, &c), OK);
    assert_int_equal(a, c);
    slots_free(&s);
    assert_null(s);
    slots_free(&s);
}

static void slots_of_impossible_sizes_are_refused(void **state) {
    (void)state;
    struct slots *s = (struct slots *)&s;
    assert_int_equal(slots_new("t", 0, 100, &s), ERR_USAGE);
    assert_null(s);
    assert_int_equal(slots_new("t", SLOTS_MAX + 1, 100, &s), ERR_USAGE);
    assert_int_equal(slots_new("t", 1, 0, &s), ERR_USAGE);
    assert_int_equal(slots_new("t", 1, SIZE_MAX, &s), ERR_USAGE);
    assert_int_equal(slots_new("t", 2, SIZE_MAX / 2, &s), ERR_USAGE);
    assert_int_equal(slots_new("t", 1, (size_t)1 << 60, &s), ERR_NOMEM);
}

static void slots_view_shows_what_the_owner_wrote(void **state) {
    (void)state;
    struct slots *s;
    struct slots_view v;
    assert_int_equal(slots_new("t", 3, 5000, &s), OK);
    memcpy(slots_at(s, 1), "seen", 5);
    assert_int_equal(slots_view_open(slots_fd(s), 3, slots_bytes(s), 0, &v), OK);
    assert_string_equal((char *)v.base + v.slot_bytes, "seen");
    slots_view_close(&v);
    assert_null(v.base);
    assert_int_equal(slots_view_open(slots_fd(s), 3, slots_bytes(s), 1, &v), OK);
    v.base[0] = 7;
    assert_int_equal(slots_at(s, 0)[0], 7);
    slots_view_close(&v);
    slots_free(&s);
}

static void slots_cannot_be_resized_by_who_holds_the_descriptor(void **state) {
    (void)state;
    struct slots *s;
    assert_int_equal(slots_new("t", 1, 4096, &s), OK);
    assert_int_not_equal(ftruncate(slots_fd(s), 0), 0);
    assert_int_not_equal(ftruncate(slots_fd(s), 8192), 0);
    assert_int_not_equal(fcntl(slots_fd(s), F_ADD_SEALS, F_SEAL_WRITE), 0);
    slots_free(&s);
}

static void slots_view_refuses_what_is_not_such_an_arena(void **state) {
    (void)state;
    struct slots *s;
    struct slots_view v;
    assert_int_equal(slots_new("t", 2, 4096, &s), OK);
    assert_int_equal(slots_view_open(slots_fd(s), 3, 4096, 0, &v), ERR_CORRUPT);
    assert_int_equal(slots_view_open(slots_fd(s), 1, 4096, 0, &v), ERR_CORRUPT);
    assert_int_equal(slots_view_open(slots_fd(s), 1, 100, 0, &v), ERR_USAGE);
    assert_int_equal(slots_view_open(slots_fd(s), SLOTS_MAX + 1, 4096, 0, &v), ERR_USAGE);
    assert_int_equal(slots_view_open(-1, 1, 4096, 0, &v), ERR_IO);
    const int unsealed = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(unsealed, 4096), 0);
    assert_int_equal(slots_view_open(unsealed, 1, 4096, 0, &v), ERR_CORRUPT);
    close(unsealed);
    const int file = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_int_equal(slots_view_open(file, 1, 4096, 0, &v), ERR_CORRUPT);
    close(file);
    slots_free(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_run_out_and_come_back),
        cmocka_unit_test(slots_of_impossible_sizes_are_refused),
        cmocka_unit_test(slots_view_shows_what_the_owner_wrote),
        cmocka_unit_test(slots_cannot_be_resized_by_who_holds_the_descriptor),
        cmocka_unit_test(slots_view_refuses_what_is_not_such_an_arena),
    };
    return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
