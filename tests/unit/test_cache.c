/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/media/cache.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

static char dir[64];
static int dir_fd;

static int setup(void **state) {
    (void)state;
    if (!tmpdir_make(dir, sizeof dir)) return -1;
    dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir_fd >= 0 ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    close(dir_fd);
    tmpdir_remove(dir);
    return 0;
}

/* A file of n_bytes, made and asked for at that second. */
static void make(const char *name, size_t n_bytes, time_t asked_s) {
    static char zeros[4096];
    char start[64];
    const struct timespec times[2] = {{.tv_sec = asked_s}, {.tv_sec = asked_s}};
    int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, zeros, n_bytes), (ssize_t)n_bytes);
    close(fd);
    assert_int_equal(utimensat(dir_fd, name, times, 0), 0);
    snprintf(start, sizeof start, "%s.start", name);
    fd = openat(dir_fd, start, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static bool is_there(const char *name) {
    return faccessat(dir_fd, name, F_OK, 0) == 0;
}

static void cache_loses_what_was_not_asked_for_longest(void **state) {
    (void)state;
    uint64_t n;
    make("old.mp4", 1000, 100);
    make("older.mp4", 1000, 50);
    make("new.mp4", 1000, 200);
    make(".new-working.mp4", 4000, 1);
    assert_int_equal(cache_bytes(dir_fd, &n), OK);
    assert_int_equal(n, 3000);
    assert_int_equal(cache_trim(dir_fd, 2000, NULL, &n), OK);
    assert_int_equal(n, 2000);
    assert_false(is_there("older.mp4"));
    assert_false(is_there("older.mp4.start"));
    assert_true(is_there("old.mp4") && is_there("new.mp4") && is_there("new.mp4.start"));
    assert_true(is_there(".new-working.mp4"));
}

static void cache_asked_for_again_is_young_and_its_etag_stays(void **state) {
    (void)state;
    uint64_t n;
    struct stat before, after;
    make("a.jpg", 1000, 100);
    make("b.jpg", 1000, 200);
    assert_int_equal(fstatat(dir_fd, "a.jpg", &before, 0), 0);
    cache_touch(dir_fd, "a.jpg");
    assert_int_equal(fstatat(dir_fd, "a.jpg", &after, 0), 0);
    assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    assert_int_equal(cache_trim(dir_fd, 1000, NULL, &n), OK);
    assert_true(is_there("a.jpg"));
    assert_false(is_there("b.jpg"));
}

static void cache_never_loses_the_file_just_made(void **state) {
    (void)state;
    uint64_t n;
    make("one.mp4", 1000, 300);
    make("now.mp4", 3000, 10);
    assert_int_equal(cache_trim(dir_fd, 500, "now.mp4", &n), OK);
    assert_true(is_there("now.mp4"));
    assert_false(is_there("one.mp4"));
    assert_int_equal(n, 3000);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(cache_loses_what_was_not_asked_for_longest),
        T(cache_asked_for_again_is_young_and_its_etag_stays),
        T(cache_never_loses_the_file_just_made),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
