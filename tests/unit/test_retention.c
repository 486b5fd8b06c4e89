/* SPDX-License-Identifier: Apache-2.0 */
/* What has reached its term goes on its own, what a hold keeps stays, and each purge leaves a receipt. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/base/clock.h"
#include "host/case/hold.h"
#include "host/import/retention.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define NOW_MS 1795000000000
#define DAY_MS HOLD_DAY_MS
enum { CAMERAS = 3, CASES = 2 };

struct ctx {
    char dir[64], case_id[CASES][40];
    struct register_db *r;
    struct signer *s;
    struct index_writer *w;
};

/* Camera 2 has a term of its own, 5 days. Case 0 has cameras 0 and 2, case 1 has camera 1; both the last 100
 * days. */
static int setup(void **state) {
    struct ctx *c = calloc(1, sizeof *c);
    uint16_t number[CAMERAS];
    char path[128];
    if (!c || !tmpdir_make(c->dir, sizeof c->dir)) return -1;
    clock_fake(NOW_MS);
    *state = c;
    if (register_open(c->dir, true, &c->r) != OK || signer_open(c->dir, &c->s) != OK) return -1;
    if (index_writer_open(c->dir, NULL, &c->w) != OK) return -1;
    for (unsigned i = 0; i < CAMERAS; i++) {
        struct camera k = {.name = "x", .heading_deg = -1, .fov_deg = -1, .retention_days = i == 2 ? 5 : 0};
        snprintf(k.id, sizeof k.id, "cam-%u", i);
        if (camera_add(c->r, &k) != OK) return -1;
        number[i] = k.number;
    }
    for (unsigned i = 0; i < CASES; i++) {
        uint16_t cameras[2] = {number[i], number[2]};
        struct case_file f = {.requisition = "PV",
                              .authority = "OPJ",
                              .basis = "CPP 60-1",
                              .criteria = "all",
                              .from_ms = NOW_MS - 100 * DAY_MS,
                              .to_ms = NOW_MS,
                              .cameras = cameras,
                              .n_cameras = i ? 1 : 2};
        if (case_open(c->r, &f) != OK) return -1;
        snprintf(c->case_id[i], sizeof c->case_id[i], "%s", f.id);
    }
    snprintf(path, sizeof path, "%s/cache", c->dir);
    return mkdir(path, 0700);
}

static int teardown(void **state) {
    struct ctx *c = *state;
    index_writer_close(&c->w);
    signer_close(&c->s);
    register_close(&c->r);
    clock_fake(0);
    tmpdir_remove(c->dir);
    free(c);
    return 0;
}

/* An hour of recording with ten passages, so many days ago. */
static void film(struct ctx *c, unsigned camera, unsigned case_at, int days_ago, enum recording_state at) {
    struct recording rec = {.camera_number = (uint16_t)(camera + 1),
                            .start_ms = NOW_MS - days_ago * DAY_MS - 7200000,
                            .duration_us = 3600000000,
                            .state = at};
    static unsigned n;
    snprintf(rec.case_id, sizeof rec.case_id, "%s", c->case_id[case_at]);
    snprintf(rec.sha256, sizeof rec.sha256, "%064u", ++n);
    assert_int_equal(index_recording_add(c->w, &rec), OK);
    assert_int_equal(index_coverage_add(c->w, rec.id, rec.camera_number, rec.start_ms, rec.start_ms + 3600000,
                                        COVERAGE_INDEXED, ""),
                     OK);
    for (unsigned i = 0; i < 10; i++) {
        struct sighting s = {.recording_id = rec.id,
                             .camera_number = rec.camera_number,
                             .class_id = 4,
                             .start_ms = rec.start_ms + i * 60000,
                             .end_ms = rec.start_ms + i * 60000 + 5000,
                             .best_ms = rec.start_ms + i * 60000};
        assert_int_equal(index_sighting_add(c->w, &s), OK);
    }
    assert_int_equal(index_commit(c->w), OK);
}

static unsigned passages(struct ctx *c, unsigned camera) {
    struct index_reader *r;
    uint16_t number = (uint16_t)(camera + 1);
    struct perimeter p = {.from_ms = 0, .to_ms = NOW_MS, .cameras = &number, .n_cameras = 1};
    struct query q = {.limit = 1};
    static struct index_result found;
    assert_int_equal(index_reader_open(c->dir, NULL, &r), OK);
    assert_int_equal(index_search(r, &p, &q, 0, &found), OK);
    unsigned n = (unsigned)found.total;
    index_result_fini(&found);
    index_reader_close(&r);
    uint64_t rows;
    assert_int_equal(index_check(c->dir, NULL, NULL, NULL, &rows), OK);
    return n;
}

static enum err run(struct ctx *c, bool clock_confirmed, struct purge_receipt *out) {
    const struct retention t = {
        .dir = c->dir, .site_days = 30, .clock_confirmed = clock_confirmed, .user = "test"};
    return retention_run(c->w, c->r, c->s, &t, out);
}

static unsigned receipts(struct ctx *c, const char *kind) {
    struct receipt *list;
    unsigned n, found = 0;
    assert_int_equal(receipt_list(c->r, &list, &n), OK);
    for (unsigned i = 0; i < n; i++) found += strcmp(list[i].kind, kind) == 0;
    receipts_free(list, n);
    return found;
}

static void what_is_older_than_its_term_goes_with_a_receipt(void **state) {
    struct ctx *c = *state;
    struct purge_receipt p;
    char path[128];
    film(c, 0, 0, 31, RECORDING_DONE);
    film(c, 0, 0, 29, RECORDING_DONE);
    film(c, 2, 0, 29, RECORDING_DONE); /* its own term is shorter */
    film(c, 2, 0, 4, RECORDING_DONE);
    snprintf(path, sizeof path, "%s/cache/clip.mp4", c->dir);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(run(c, false, &p), OK);
    assert_int_equal(p.n_sightings, 20);
    assert_int_equal(p.n_recordings, 2);
    assert_int_equal(passages(c, 0), 10);
    assert_int_equal(passages(c, 2), 10);
    assert_int_equal(receipts(c, "age"), 1);
    assert_int_not_equal(access(path, F_OK), 0); /* derived pictures too */
    /* Nothing is left to erase: nothing is told. */
    assert_int_equal(run(c, false, &p), OK);
    assert_int_equal(p.n_sightings, 0);
    assert_int_equal(receipts(c, "age"), 1);
    uint64_t n, bad;
    assert_int_equal(journal_verify(c->r, &n, &bad), OK);
    assert_true(n >= 1);
}

static void a_hold_keeps_what_lies_in_its_case_until_it_ends(void **state) {
    struct ctx *c = *state;
    struct purge_receipt p;
    film(c, 0, 0, 40, RECORDING_DONE);
    film(c, 1, 1, 40, RECORDING_DONE);
    film(c, 2, 1, 40, RECORDING_DONE); /* brought in by the other case, yet within the held one's perimeter */
    assert_int_equal(hold_set(c->r, c->case_id[0], NOW_MS + 10 * DAY_MS, "appel", "test"), OK);
    assert_int_equal(run(c, false, &p), OK);
    assert_int_equal(p.n_sightings, 10);
    assert_int_equal(passages(c, 0), 10);
    assert_int_equal(passages(c, 1), 0);
    assert_int_equal(passages(c, 2), 10);
    assert_int_equal(hold_release(c->r, c->case_id[0], "test"), OK);
    assert_int_equal(run(c, false, &p), OK);
    assert_int_equal(p.n_sightings, 20);
    assert_int_equal(passages(c, 0) + passages(c, 2), 0);
}

static void the_end_of_a_case_takes_its_footage_but_not_what_another_needs(void **state) {
    struct ctx *c = *state;
    struct purge_receipt p;
    film(c, 1, 1, 3, RECORDING_DONE);
    film(c, 0, 1, 3, RECORDING_DONE); /* in the open case's perimeter */
    film(c, 1, 1, 2, RECORDING_RUNNING);
    assert_int_equal(case_close(c->r, c->case_id[1], "boss"), OK);
    assert_int_equal(run(c, false, &p), OK);
    assert_int_equal(passages(c, 1), 10); /* the one that is still being analysed */
    assert_int_equal(passages(c, 0), 10);
    assert_int_equal(receipts(c, "case_end"), 0);
    struct recording rec;
    char sha[65];
    unsigned done = 0;
    for (unsigned i = 1; i < 100; i++) { /* its import ends */
        snprintf(sha, sizeof sha, "%064u", i);
        if (index_recording_by_sha256(c->w, sha, 2, &rec) != OK) continue;
        rec.state = RECORDING_DONE;
        assert_int_equal(index_recording_set(c->w, &rec), OK);
        assert_int_equal(index_commit(c->w), OK);
        done++;
    }
    assert_int_equal(done, 1);
    assert_int_equal(run(c, false, &p), OK);
    assert_int_equal(passages(c, 1), 0);
    assert_int_equal(passages(c, 0), 10);
    assert_int_equal(receipts(c, "case_end"), 1);
    assert_int_equal(run(c, false, &p), OK);
    assert_int_equal(receipts(c, "case_end"), 1);
}

static void a_clock_that_leapt_erases_nothing_until_confirmed(void **state) {
    struct ctx *c = *state;
    struct purge_receipt p;
    film(c, 0, 0, 25, RECORDING_DONE);
    assert_int_equal(run(c, false, &p), OK);
    assert_int_equal(passages(c, 0), 10);
    clock_fake(NOW_MS + 8 * DAY_MS);
    assert_int_equal(run(c, false, &p), ERR_DENIED);
    assert_int_equal(passages(c, 0), 10);
    assert_int_equal(run(c, true, &p), OK);
    assert_int_equal(passages(c, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_older_than_its_term_goes_with_a_receipt, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hold_keeps_what_lies_in_its_case_until_it_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_a_case_takes_its_footage_but_not_what_another_needs, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_clock_that_leapt_erases_nothing_until_confirmed, setup, teardown),
    };
    return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
