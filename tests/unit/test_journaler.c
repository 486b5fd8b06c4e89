/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/http/journaler.h"
#include "tests/support/test.h"

#define N_LINES 200u

static struct ctx {
    char dir[64];
    struct event_base *base;
    struct register_db *reg;
    struct journaler *journaler;
    struct journal_line lines[N_LINES];
    unsigned n_done, misordered;
} t;

static void silent(enum log_level level, const char *line, void *arg) {
    (void)level;
    (void)line;
    (void)arg;
}

static int start(void **state) {
    (void)state;
    log_sink(silent, NULL);
    memset(&t, 0, sizeof t);
    snprintf(t.dir, sizeof t.dir, "/tmp/relecture-journal-XXXXXX");
    if (!mkdtemp(t.dir)) return -1;
    t.base = event_base_new();
    if (register_open(t.dir, true, &t.reg) != OK) return -1;
    return journaler_new(t.base, t.dir, &t.journaler) == OK ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    static const char *const files[] = {"register.db", "register.db-wal", "register.db-shm"};
    journaler_free(&t.journaler);
    register_close(&t.reg);
    event_base_free(t.base);
    for (unsigned i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", t.dir, files[i]);
        unlink(path);
    }
    return rmdir(t.dir);
}

static void on_done(struct journal_line *line, void *arg) {
    (void)arg;
    if (line != &t.lines[t.n_done]) t.misordered++;
    t.n_done++;
}

static char plain[] = "{\"total\":1}", broken[] = "{\"a\":\"\x7f\"}";

static void add(unsigned i, char *detail) {
    struct journal_line *l = &t.lines[i];
    snprintf(l->action, sizeof l->action, "search");
    snprintf(l->case_id, sizeof l->case_id, "2026-0001");
    snprintf(l->object, sizeof l->object, "%u", i);
    l->detail = detail;
    l->done = on_done;
    journaler_add(t.journaler, l);
}

static void wait_for(unsigned n) {
    uint64_t deadline_ns = clock_mono_ns() + 10000000000u;
    while (t.n_done < n) {
        assert_true(clock_mono_ns() < deadline_ns);
        event_base_loop(t.base, EVLOOP_ONCE);
    }
}

static uint64_t lines_in_the_chain(void) {
    uint64_t n = 0, first_bad = 0;
    assert_int_equal(journal_verify(t.reg, &n, &first_bad), OK);
    return n;
}

static void journaler_writes_every_line_once_in_order(void **state) {
    (void)state;
    for (unsigned i = 0; i < N_LINES; i++) add(i, plain);
    wait_for(N_LINES);
    assert_int_equal(t.misordered, 0);
    for (unsigned i = 0; i < N_LINES; i++) assert_int_equal(t.lines[i].result, OK);
    assert_int_equal(lines_in_the_chain(), N_LINES);
}

static void journaler_refuses_one_bad_line_and_keeps_its_neighbours(void **state) {
    (void)state;
    for (unsigned i = 0; i < 20; i++) add(i, i == 7 ? broken : plain);
    wait_for(20);
    for (unsigned i = 0; i < 20; i++) assert_int_equal(t.lines[i].result, i == 7 ? ERR_USAGE : OK);
    assert_int_equal(lines_in_the_chain(), 19);
}

static void journaler_writes_what_is_queued_before_it_ends(void **state) {
    (void)state;
    for (unsigned i = 0; i < 50; i++) add(i, plain);
    journaler_free(&t.journaler);
    assert_int_equal(t.n_done, 0);
    assert_int_equal(lines_in_the_chain(), 50);
}

static void journaler_shares_the_chain_with_other_writers(void **state) {
    (void)state;
    const struct journal_entry other = {"local", "operator", "import", "2026-0001", "", "{}"};
    for (unsigned i = 0; i < 40; i++) {
        uint64_t seq;
        add(i, plain);
        assert_int_equal(journal_add(t.reg, &other, &seq), OK);
    }
    wait_for(40);
    assert_int_equal(lines_in_the_chain(), 80);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define JOURNALER_TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
        JOURNALER_TEST(journaler_writes_every_line_once_in_order),
        JOURNALER_TEST(journaler_refuses_one_bad_line_and_keeps_its_neighbours),
        JOURNALER_TEST(journaler_writes_what_is_queued_before_it_ends),
        JOURNALER_TEST(journaler_shares_the_chain_with_other_writers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
