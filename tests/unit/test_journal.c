/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/base/zone.h"
#include "host/case/hold.h"
#include "host/case/journal.h"
#include "host/evidence/journal_export.h"
#include "host/evidence/signer.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define START_MS 1795000000000 /* 2026-11-18 */
#define DAY_MS   86400000LL

static char keys[64]; /* one pair for all: it takes a second to make */

struct ctx {
    char dir[64];
    struct register_db *r;
    struct signer *s;
    struct journal_signer js;
};

static int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *fmt, ...) {
    char cmd[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(cmd, sizeof cmd, fmt, ap);
    va_end(ap);
    return system(cmd);
}

static int setup(void **state) {
    struct ctx *c = calloc(1, sizeof *c);
    if (!c || !tmpdir_make(c->dir, sizeof c->dir)) return -1;
    clock_fake(START_MS);
    *state = c;
    if (run("cp -r %s/keys %s/", keys, c->dir) != 0) return -1;
    if (register_open(c->dir, true, &c->r) != OK || signer_open(c->dir, &c->s) != OK) return -1;
    c->js = signer_for_journal(c->s);
    return 0;
}

static int teardown(void **state) {
    struct ctx *c = *state;
    signer_close(&c->s);
    register_close(&c->r);
    clock_fake(0);
    (void)!journal_identity(NULL, "", "");
    tmpdir_remove(c->dir);
    free(c);
    return 0;
}

static void add_lines(struct ctx *c, unsigned n) {
    uint64_t seq;
    const struct journal_entry e = {"op.14", "operator", "search", "2026-0001", "", "{\"total\":1}"};
    for (unsigned i = 0; i < n; i++) assert_int_equal(journal_add(c->r, &e, &seq), OK);
}

static void sql(struct ctx *c, const char *text) {
    char path[128];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/register.db", c->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static enum err last_detail(const struct journal_row *row, void *arg) {
    snprintf(arg, 1024, "%s", row->text[5]);
    return OK;
}

static void a_line_says_local_time_program_and_models(void **state) {
    struct ctx *c = *state;
    char detail[1024] = "";
    uint64_t n, bad;
    assert_int_equal(journal_identity("Europe/Paris", "0.1.0 sha256:ab", "cd"), OK);
    add_lines(c, 1);
    assert_int_equal(journal_each(c->r, 1, last_detail, detail), OK);
    assert_string_equal(detail,
                        "{\"total\":1,\"local\":\"2026-11-18T12:06:40.000+01:00\",\"software\":\"0.1.0 "
                        "sha256:ab\",\"models\":\"cd\"}");
    assert_int_equal(journal_verify(c->r, &n, &bad), OK);
    assert_int_equal(journal_identity("Europe/Paris", "a\"b", ""), ERR_USAGE);
    assert_int_equal(journal_identity("Europe/Nowhere", "a", "b"), ERR_MISSING);
}

static void local_time_follows_summer_and_winter(void **state) {
    (void)state;
    struct zone *z;
    char text[32];
    int64_t ms;
    assert_int_equal(zone_open("Europe/Paris", &z), OK);
    assert_int_equal(clock_parse("2026-07-01T12:00:00Z", &ms), OK);
    journal_local_time(z, ms, text);
    assert_string_equal(text, "2026-07-01T14:00:00.000+02:00");
    journal_local_time(NULL, ms, text);
    assert_string_equal(text, "2026-07-01T12:00:00.000+00:00");
    zone_free(&z);
}

static void key_made_at_first_use_is_kept_private_and_checked(void **state) {
    struct ctx *c = *state;
    char key[128], pem[128];
    struct stat st;
    struct signer *again;
    snprintf(key, sizeof key, "%s/keys/signer.key", c->dir);
    snprintf(pem, sizeof pem, "%s/keys/signer.pem", c->dir);
    assert_int_equal(run("rm -r %s/keys", c->dir), 0);
    signer_close(&c->s);
    assert_int_equal(signer_open(c->dir, &c->s), OK);
    assert_int_equal(stat(key, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(signer_open(c->dir, &again), OK);
    assert_string_equal(signer_key_id(again), signer_key_id(c->s)); /* not made anew */
    signer_close(&again);
    assert_int_equal(run("openssl verify -CAfile %s %s >/dev/null 2>&1", pem, pem), 0);
    assert_int_equal(chmod(key, 0640), 0);
    assert_int_equal(signer_open(c->dir, &again), ERR_DENIED);
    assert_int_equal(chmod(key, 0600), 0);
    assert_int_equal(run("openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=x -out %s "
                         ">/dev/null 2>&1",
                         pem),
                     0);
    assert_int_equal(signer_open(c->dir, &again), ERR_CORRUPT); /* of another key */
    assert_int_equal(unlink(pem), 0);
    assert_int_equal(signer_open(c->dir, &again), ERR_MISSING); /* never a new pair over an old key */
}

static void head_is_signed_once_a_day_by_local_time(void **state) {
    struct ctx *c = *state;
    struct zone *z;
    bool made;
    struct journal_anchor *a;
    size_t n;
    int64_t at;
    assert_int_equal(zone_open("Europe/Paris", &z), OK);
    assert_int_equal(clock_parse("2026-11-18T22:30:00Z", &at), OK); /* 23:30 there */
    clock_fake(at);
    add_lines(c, 2);
    assert_int_equal(journal_anchor_make(c->r, &c->js, z, true, &made), OK);
    assert_true(made);
    add_lines(c, 1);
    assert_int_equal(journal_anchor_make(c->r, &c->js, z, true, &made), OK);
    assert_false(made);
    clock_fake(at + 3600 * 1000); /* 00:30 there, the same day in UTC */
    assert_int_equal(journal_anchor_make(c->r, &c->js, z, true, &made), OK);
    assert_true(made);
    assert_int_equal(journal_anchors(c->r, &a, &n), OK);
    assert_int_equal(n, 2);
    assert_int_equal(a[0].seq, 2);
    assert_int_equal(a[1].seq, 3);
    journal_anchors_free(a, n);
    zone_free(&z);
}

/* Everything rewritten so that the chain holds again: only the signed head can tell. */
static void journal_forged_as_a_whole_does_not_fit_its_signed_head(void **state) {
    struct ctx *c = *state;
    bool made;
    uint64_t n, bad;
    int64_t bad_seq;
    add_lines(c, 3);
    assert_int_equal(journal_anchor_make(c->r, &c->js, NULL, false, &made), OK);
    sql(c, "DROP TRIGGER journal_keeps; DROP TRIGGER journal_no_update; DELETE FROM journal;");
    struct register_db *again;
    assert_int_equal(register_open(c->dir, false, &again), OK);
    const struct journal_entry e = {"op.99", "operator", "search", "2026-0001", "", "{}"};
    for (int i = 0; i < 3; i++) assert_int_equal(journal_add(again, &e, &n), OK);
    assert_int_equal(journal_verify(again, &n, &bad), OK);
    assert_int_equal(journal_anchors_fit(again, &bad_seq), ERR_CORRUPT);
    assert_int_equal(bad_seq, 3);
    register_close(&again);
}

static void exported_journal_is_checked_without_us_and_a_flipped_byte_names_its_line(void **state) {
    struct ctx *c = *state;
    char out[128], line[256] = "";
    uint64_t n_lines, n_heads;
    bool made;
    add_lines(c, 5);
    assert_int_equal(journal_anchor_make(c->r, &c->js, NULL, false, &made), OK);
    snprintf(out, sizeof out, "%s/export", c->dir);
    assert_int_equal(journal_export(c->r, out, &n_lines, &n_heads), OK);
    assert_int_equal(n_lines, 5);
    assert_int_equal(n_heads, 1);
    assert_int_equal(journal_export(c->r, out, &n_lines, &n_heads), ERR_EXISTS);
    assert_int_equal(run("cd %s && sh verify.sh ../keys/signer.pem >told 2>&1", out), 0);
    /* Every byte of line 3, one after the other, would take minutes; one in each field does. */
    static const char *const edits[] = {"s/^3/8/",
                                        "s/1795000000000/1795000000001/",
                                        "s/op.14/op.15/",
                                        "s/operator/operatos/",
                                        "s/2026-0001/2026-0002/",
                                        "s/total/totam/",
                                        "s/.$/x/"};
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        char cmd[512];
        snprintf(cmd, sizeof cmd,
                 "cd %s && cp journal.tsv kept && sed -i '4%s' journal.tsv; sh verify.sh >told 2>&1; rc=$?; "
                 "mv kept "
                 "journal.tsv; grep -q 'line 3 ' told && exit $rc",
                 out, edits[i]);
        const int rc = system(cmd);
        assert_int_equal(rc == 0, 0);
        snprintf(cmd, sizeof cmd, "cd %s && cat told", out);
        FILE *f = popen(cmd, "r");
        assert_non_null(fgets(line, sizeof line, f));
        pclose(f);
        if (!strstr(line, "line 3 ")) fail_msg("edit %s: %s", edits[i], line);
    }
    assert_int_not_equal(run("cd %s && sed -i '$d' journal.tsv && sh verify.sh >/dev/null 2>&1", out), 0);
    assert_int_not_equal(run("cd %s && sed -i s/hash/hasg/ heads/5.txt && sh verify.sh >/dev/null 2>&1", out),
                         0);
}

static void purged_journal_begins_at_a_signed_hash_and_still_verifies(void **state) {
    struct ctx *c = *state;
    char out[128];
    bool made;
    uint64_t n, bad, erased;
    int64_t base;
    add_lines(c, 4);
    assert_int_equal(journal_anchor_make(c->r, &c->js, NULL, false, &made), OK);
    add_lines(c, 2); /* old too, but behind no head */
    const int64_t later = START_MS + 4 * 366 * DAY_MS;
    clock_fake(later);
    add_lines(c, 3);
    assert_int_equal(journal_purge(c->r, START_MS, later, &erased, &base), OK);
    assert_int_equal(erased, 0); /* not old enough */
    assert_int_equal(journal_purge(c->r, later - 3 * 366 * DAY_MS, later, &erased, &base), OK);
    assert_int_equal(erased, 4);
    assert_int_equal(base, 4);
    assert_int_equal(journal_verify(c->r, &n, &bad), OK);
    assert_int_equal(n, 5);
    assert_int_equal(journal_anchor_make(c->r, &c->js, NULL, false, &made), OK);
    snprintf(out, sizeof out, "%s/export", c->dir);
    assert_int_equal(journal_export(c->r, out, &n, &erased), OK);
    assert_int_equal(run("sh %s/verify.sh >/dev/null 2>&1", out), 0);
    /* Its other lines still only grow. */
    char path[128];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/register.db", c->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(db, "DELETE FROM journal", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void journal_that_was_altered_is_not_purged(void **state) {
    struct ctx *c = *state;
    bool made;
    uint64_t erased;
    int64_t base;
    add_lines(c, 4);
    assert_int_equal(journal_anchor_make(c->r, &c->js, NULL, false, &made), OK);
    sql(c, "DROP TRIGGER journal_no_update; UPDATE journal SET user='x' WHERE seq=2;");
    assert_int_equal(journal_purge(c->r, INT64_MAX / 2, INT64_MAX / 2, &erased, &base), ERR_CORRUPT);
    assert_int_equal(erased, 0);
}

static void register_of_an_earlier_day_gets_what_it_lacks(void **state) {
    struct ctx *c = *state;
    uint64_t n, bad, erased;
    int64_t base;
    bool made;
    add_lines(c, 2);
    register_close(&c->r);
    sql(c, "DROP TABLE journal_base; DROP TABLE anchor; DROP TABLE hold; DROP TABLE receipt;"
           "DROP TABLE retention_clock; DROP TRIGGER journal_keeps; DROP TABLE seal_exhibit; DROP TABLE seal;"
           "DROP TABLE camera_area; PRAGMA user_version=2;"
           "CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT,'x'); END;");
    assert_int_equal(register_open(c->dir, false, &c->r), OK);
    assert_int_equal(journal_verify(c->r, &n, &bad), OK);
    assert_int_equal(n, 2);
    assert_int_equal(journal_anchor_make(c->r, &c->js, NULL, false, &made), OK);
    assert_int_equal(journal_purge(c->r, START_MS + DAY_MS, START_MS + DAY_MS, &erased, &base), OK);
    assert_int_equal(erased, 2);
}

static void line_stamped_in_the_future_keeps_those_behind_it(void **state) {
    struct ctx *c = *state;
    bool made;
    uint64_t erased;
    int64_t base;
    clock_fake(START_MS + 100 * 366 * DAY_MS); /* a clock that was wrong for a line */
    add_lines(c, 1);
    clock_fake(START_MS);
    add_lines(c, 2);
    assert_int_equal(journal_anchor_make(c->r, &c->js, NULL, false, &made), OK);
    assert_int_equal(journal_purge(c->r, START_MS + DAY_MS, START_MS + DAY_MS, &erased, &base), OK);
    assert_int_equal(erased, 0); /* a doubt keeps */
}

static int make_keys(void **state) {
    (void)state;
    struct signer *s;
    if (!tmpdir_make(keys, sizeof keys) || signer_open(keys, &s) != OK) return -1;
    signer_close(&s);
    return 0;
}

static int remove_keys(void **state) {
    (void)state;
    tmpdir_remove(keys);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_says_local_time_program_and_models, setup, teardown),
        cmocka_unit_test_setup_teardown(local_time_follows_summer_and_winter, setup, teardown),
        cmocka_unit_test_setup_teardown(key_made_at_first_use_is_kept_private_and_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(head_is_signed_once_a_day_by_local_time, setup, teardown),
        cmocka_unit_test_setup_teardown(journal_forged_as_a_whole_does_not_fit_its_signed_head, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            exported_journal_is_checked_without_us_and_a_flipped_byte_names_its_line, setup, teardown),
        cmocka_unit_test_setup_teardown(purged_journal_begins_at_a_signed_hash_and_still_verifies, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(journal_that_was_altered_is_not_purged, setup, teardown),
        cmocka_unit_test_setup_teardown(register_of_an_earlier_day_gets_what_it_lacks, setup, teardown),
        cmocka_unit_test_setup_teardown(line_stamped_in_the_future_keeps_those_behind_it, setup, teardown),
    };
    return cmocka_run_group_tests(tests, make_keys, remove_keys);
}
