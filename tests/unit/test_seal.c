/* SPDX-License-Identifier: Apache-2.0 */
/* The export guard and the second person. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/case/camera_area.h"
#include "host/case/decision.h"
#include "host/case/exhibit.h"
#include "host/case/seal.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define START_MS 1795000000000

struct ctx {
    char dir[64], id[40];
    uint64_t exhibit[3];
    struct register_db *r;
};

static void decide(struct ctx *c, uint64_t sighting, const char *state) {
    struct decision d;
    if (decision_get(c->r, c->id, sighting, &d) != OK) d = (struct decision){.sighting = sighting};
    snprintf(d.state, sizeof d.state, "%s", state);
    snprintf(d.reason, sizeof d.reason, "vu");
    snprintf(d.by, sizeof d.by, "op.1");
    assert_int_equal(decision_put(c->r, c->id, &d), OK);
}

static int setup(void **state) {
    struct ctx *c = calloc(1, sizeof *c);
    if (!c || !tmpdir_make(c->dir, sizeof c->dir)) return -1;
    clock_fake(START_MS);
    *state = c;
    if (register_open(c->dir, true, &c->r) != OK) return -1;
    struct camera k = {.id = "gare-01", .name = "Gare", .heading_deg = -1, .fov_deg = -1};
    uint16_t one[] = {1};
    struct case_file f = {.requisition = "PV",
                          .authority = "OPJ",
                          .basis = "CPP 60-1",
                          .criteria = "all",
                          .from_ms = START_MS - 1000,
                          .to_ms = START_MS,
                          .cameras = one,
                          .n_cameras = 1};
    if (camera_add(c->r, &k) != OK || case_open(c->r, &f) != OK) return -1;
    snprintf(c->id, sizeof c->id, "%s", f.id);
    for (unsigned i = 0; i < 3; i++) {
        struct exhibit x = {.sighting = 100 + i,
                            .recording = 1,
                            .camera = 1,
                            .from_ms = 1,
                            .to_ms = 2,
                            .best_ms = 1,
                            .by = "op.1"};
        snprintf(x.case_id, sizeof x.case_id, "%s", c->id);
        if (exhibit_add(c->r, &x) != OK) return -1;
        c->exhibit[i] = x.id;
    }
    decide(c, 100, "confirmed");
    decide(c, 101, "confirmed");
    return 0;
}

static int teardown(void **state) {
    struct ctx *c = *state;
    register_close(&c->r);
    clock_fake(0);
    tmpdir_remove(c->dir);
    free(c);
    return 0;
}

static struct seal wish(struct ctx *c, uint64_t *ids, unsigned n) {
    struct seal s = {.handed_to = "OPJ Martin",
                     .medium = "DVD",
                     .blur = true,
                     .by = "op.1",
                     .exhibits = ids,
                     .n_exhibits = n};
    snprintf(s.case_id, sizeof s.case_id, "%s", c->id);
    return s;
}

static uint64_t ask(struct ctx *c) {
    struct seal s = wish(c, c->exhibit, 2);
    assert_int_equal(seal_request(c->r, &s), OK);
    return s.id;
}

static void nothing_unconfirmed_can_be_asked_for(void **state) {
    struct ctx *c = *state;
    uint64_t *bad;
    unsigned n;
    struct seal s = wish(c, c->exhibit, 3);
    assert_int_equal(seal_request(c->r, &s), ERR_DENIED); /* nobody decided on the third */
    assert_int_equal(seal_unconfirmed(c->r, c->id, c->exhibit, 3, &bad, &n), OK);
    assert_int_equal(n, 1);
    assert_int_equal(bad[0], c->exhibit[2]);
    free(bad);
    static const char *const states[] = {"rejected", "undecided"};
    for (unsigned i = 0; i < 2; i++) {
        decide(c, 102, states[i]);
        assert_int_equal(seal_request(c->r, &s), ERR_DENIED);
    }
    decide(c, 102, "confirmed");
    assert_int_equal(seal_request(c->r, &s), OK);
    uint64_t foreign[] = {999};
    s = wish(c, foreign, 1);
    assert_int_equal(seal_request(c->r, &s), ERR_DENIED);
    assert_int_equal(exhibit_remove(c->r, c->id, c->exhibit[0], "op.1"), OK);
    s = wish(c, c->exhibit, 1);
    assert_int_equal(seal_request(c->r, &s), ERR_DENIED);
}

static void request_needs_a_recipient_exhibits_and_an_open_case(void **state) {
    struct ctx *c = *state;
    struct seal s = wish(c, c->exhibit, 0);
    assert_int_equal(seal_request(c->r, &s), ERR_USAGE);
    s = wish(c, c->exhibit, 1);
    s.handed_to[0] = 0;
    assert_int_equal(seal_request(c->r, &s), ERR_USAGE);
    uint64_t twice[] = {c->exhibit[0], c->exhibit[0]};
    s = wish(c, twice, 2);
    assert_int_equal(seal_request(c->r, &s), ERR_USAGE);
    assert_int_equal(case_close(c->r, c->id, "chef.1"), OK);
    s = wish(c, c->exhibit, 1);
    assert_int_equal(seal_request(c->r, &s), ERR_MISSING);
}

static void author_cannot_approve_and_a_second_person_can_once(void **state) {
    struct ctx *c = *state;
    struct seal s;
    const uint64_t id = ask(c);
    assert_int_equal(seal_decide(c->r, id, true, "op.1", "", &s), ERR_DENIED);
    seal_fini(&s);
    assert_int_equal(seal_decide(c->r, id, true, "chef.1", "conforme", &s), OK);
    assert_string_equal(s.state, "building");
    assert_string_equal(s.decided_by, "chef.1");
    assert_int_equal(s.n_exhibits, 2);
    seal_fini(&s);
    assert_int_equal(seal_decide(c->r, id, false, "chef.2", "", &s), ERR_BUSY);
    assert_string_equal(s.decided_by, "chef.1");
    seal_fini(&s);
    assert_int_equal(seal_decide(c->r, 99, true, "chef.2", "", &s), ERR_MISSING);
}

static void decision_withdrawn_meanwhile_stops_the_approval(void **state) {
    struct ctx *c = *state;
    struct seal s;
    const uint64_t id = ask(c);
    decide(c, 101, "rejected");
    assert_int_equal(seal_decide(c->r, id, true, "chef.1", "", &s), ERR_DENIED);
    seal_fini(&s);
    assert_int_equal(seal_get(c->r, id, &s), OK);
    assert_string_equal(s.state, "waiting");
    seal_fini(&s);
    assert_int_equal(seal_decide(c->r, id, false, "chef.1", "non conforme", &s),
                     OK); /* refusing is possible */
    assert_string_equal(s.state, "refused");
    seal_fini(&s);
}

struct chief {
    pthread_t thread;
    const char *dir, *name;
    uint64_t id;
    pthread_barrier_t *start;
    enum err e;
};

static void *approve(void *arg) {
    struct chief *k = arg;
    struct register_db *r;
    struct seal s = {0};
    k->e = register_open(k->dir, false, &r);
    pthread_barrier_wait(k->start);
    if (k->e) return NULL;
    k->e = seal_decide(r, k->id, true, k->name, "", &s);
    seal_fini(&s);
    register_close(&r);
    return NULL;
}

static void of_two_chiefs_at_once_exactly_one_approves(void **state) {
    struct ctx *c = *state;
    for (int round = 0; round < 10; round++) {
        pthread_barrier_t start;
        struct chief k[2];
        const uint64_t id = ask(c);
        pthread_barrier_init(&start, NULL, 2);
        for (int i = 0; i < 2; i++) {
            k[i] = (struct chief){.dir = c->dir, .name = i ? "chef.2" : "chef.1", .id = id, .start = &start};
            assert_int_equal(pthread_create(&k[i].thread, NULL, approve, &k[i]), 0);
        }
        for (int i = 0; i < 2; i++) pthread_join(k[i].thread, NULL);
        pthread_barrier_destroy(&start);
        assert_true((k[0].e == OK) != (k[1].e == OK));
        assert_true(k[0].e == ERR_BUSY || k[1].e == ERR_BUSY);
        struct seal s;
        assert_int_equal(seal_get(c->r, id, &s), OK);
        assert_string_equal(s.decided_by, k[k[0].e == OK ? 0 : 1].name);
        seal_fini(&s);
    }
}

static void seal_is_finished_once(void **state) {
    struct ctx *c = *state;
    struct seal s, *list;
    unsigned n;
    const uint64_t id = ask(c);
    assert_int_equal(seal_ready(c->r, id, 1, "aa", 2), ERR_BUSY); /* nobody approved it */
    assert_int_equal(seal_decide(c->r, id, true, "chef.1", "", &s), OK);
    seal_fini(&s);
    assert_int_equal(seal_ready(c->r, id, 1234, "ab", 7), OK);
    assert_int_equal(seal_failed(c->r, id, "x"), ERR_BUSY);
    assert_int_equal(seal_list(c->r, c->id, &list, &n), OK);
    assert_int_equal(n, 1);
    assert_string_equal(list[0].state, "ready");
    assert_int_equal(list[0].bytes, 1234);
    seals_free(list, n);
    assert_int_equal(seal_list(c->r, "2026-0099", &list, &n), OK);
    assert_int_equal(n, 0);
}

static void area_of_a_camera_is_kept_by_name(void **state) {
    struct ctx *c = *state;
    struct camera_area a = {.camera_number = 1,
                            .name = "Immeuble",
                            .n = 3,
                            .x = {0, 65535, 9},
                            .y = {1, 2, 65535}},
                       *list;
    unsigned n;
    assert_int_equal(camera_area_set(c->r, &a), OK);
    a.x[2] = 77;
    assert_int_equal(camera_area_set(c->r, &a), OK);
    assert_int_equal(camera_area_list(c->r, 1, &list, &n), OK);
    assert_int_equal(n, 1);
    assert_int_equal(list[0].n, 3);
    assert_int_equal(list[0].x[2], 77);
    assert_int_equal(list[0].y[2], 65535);
    free(list);
    a.n = 2;
    assert_int_equal(camera_area_set(c->r, &a), ERR_USAGE);
    assert_int_equal(camera_area_remove(c->r, 1, "Immeuble"), OK);
    assert_int_equal(camera_area_remove(c->r, 1, "Immeuble"), ERR_MISSING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_unconfirmed_can_be_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(request_needs_a_recipient_exhibits_and_an_open_case, setup, teardown),
        cmocka_unit_test_setup_teardown(author_cannot_approve_and_a_second_person_can_once, setup, teardown),
        cmocka_unit_test_setup_teardown(decision_withdrawn_meanwhile_stops_the_approval, setup, teardown),
        cmocka_unit_test_setup_teardown(of_two_chiefs_at_once_exactly_one_approves, setup, teardown),
        cmocka_unit_test_setup_teardown(seal_is_finished_once, setup, teardown),
        cmocka_unit_test_setup_teardown(area_of_a_camera_is_kept_by_name, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
