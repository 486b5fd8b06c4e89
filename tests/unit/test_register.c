/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>
#include <unistd.h>

#include "host/base/clock.h"
#include "host/case/case_plates.h"
#include "host/case/register.h"
#include "host/case/register_schema.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

struct ctx {
    char dir[64];
    struct register_db *r;
};

static int setup(void **state) {
    struct ctx *c = calloc(1, sizeof *c);
    if (!c || !tmpdir_make(c->dir, sizeof c->dir)) return -1;
    clock_fake(1795000000000);
    *state = c;
    return register_open(c->dir, true, &c->r) == OK ? 0 : -1;
}

static int teardown(void **state) {
    struct ctx *c = *state;
    register_close(&c->r);
    clock_fake(0);
    tmpdir_remove(c->dir);
    free(c);
    return 0;
}

static struct camera gare(void) {
    return (struct camera){.id = "gare-01",
                           .name = "Gare, parvis",
                           .lat = 43.5536,
                           .lon = 7.0174,
                           .heading_deg = -1,
                           .fov_deg = -1};
}

static void camera_added_is_found_again(void **state) {
    struct ctx *c = *state;
    struct camera k = gare(), found;
    assert_int_equal(camera_add(c->r, &k), OK);
    assert_int_equal(k.number, 1);
    assert_int_equal(camera_get(c->r, "gare-01", &found), OK);
    assert_string_equal(found.name, "Gare, parvis");
    assert_int_equal(found.number, 1);
}

static void texts_that_are_not_utf8_are_refused(void **state) {
    struct ctx *c = *state;
    struct camera k = gare();
    snprintf(k.name, sizeof k.name, "Gare \xff");
    assert_int_equal(camera_add(c->r, &k), ERR_USAGE);
    snprintf(k.name, sizeof k.name, "Gare \xc3"); /* cut short */
    assert_int_equal(camera_add(c->r, &k), ERR_USAGE);
    snprintf(k.name, sizeof k.name, "Gar\xc3\xa9 \"5\" \xe2\x82\xac");
    assert_int_equal(camera_add(c->r, &k), OK);
    uint16_t one[] = {1};
    struct case_file f = {.requisition = "PV \xff",
                          .authority = "OPJ",
                          .basis = "CPP 60-1",
                          .criteria = "all",
                          .from_ms = 1,
                          .to_ms = 2,
                          .cameras = one,
                          .n_cameras = 1};
    assert_int_equal(case_open(c->r, &f), ERR_USAGE);
    snprintf(f.requisition, sizeof f.requisition, "PV n\xc2\xb0 1");
    assert_int_equal(case_open(c->r, &f), OK);
}

static void criterion_that_does_not_exist_is_refused(void **state) {
    struct ctx *c = *state;
    struct camera k = gare();
    assert_int_equal(camera_add(c->r, &k), OK);
    static const struct {
        const char *text;
        enum err e;
    } lists[] = {{"al", ERR_USAGE},
                 {"", ERR_USAGE},
                 {" , ", ERR_USAGE},
                 {"person.tops,vehicle.colors", ERR_USAGE},
                 {"person.tops, vehicle.plate", OK},
                 {"all,person.face_cover", OK},
                 {"motion.area", OK}};
    uint16_t one[] = {1};
    for (unsigned i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct case_file f = {.requisition = "PV",
                              .authority = "OPJ",
                              .basis = "CPP 60-1",
                              .from_ms = 1,
                              .to_ms = 2,
                              .cameras = one,
                              .n_cameras = 1};
        snprintf(f.criteria, sizeof f.criteria, "%s", lists[i].text);
        assert_int_equal(case_open(c->r, &f), lists[i].e);
    }
}

static void camera_of_the_same_id_is_refused(void **state) {
    struct ctx *c = *state;
    struct camera k = gare();
    assert_int_equal(camera_add(c->r, &k), OK);
    assert_int_equal(camera_add(c->r, &k), ERR_EXISTS);
}

static void camera_off_the_globe_is_refused(void **state) {
    struct ctx *c = *state;
    struct camera k = gare();
    k.lat = 91;
    assert_int_equal(camera_add(c->r, &k), ERR_USAGE);
    k.lat = strtod("nan", NULL);
    assert_int_equal(camera_add(c->r, &k), ERR_USAGE);
}

static void camera_id_with_a_slash_is_refused(void **state) {
    struct ctx *c = *state;
    struct camera k = gare();
    strcpy(k.id, "../x");
    assert_int_equal(camera_add(c->r, &k), ERR_USAGE);
}

static struct case_file requisition(uint16_t *camera) {
    uint16_t *cams = malloc(sizeof *cams);
    if (cams) *cams = *camera;
    return (struct case_file){.requisition = "PV 2026/00812",
                              .authority = "OPJ, commissariat",
                              .basis = "CPP 60-1",
                              .from_ms = 1000,
                              .to_ms = 2000,
                              .cameras = cams,
                              .n_cameras = 1,
                              .criteria = "all"};
}

static void case_gets_the_next_number_of_its_year(void **state) {
    struct ctx *c = *state;
    struct camera k = gare();
    assert_int_equal(camera_add(c->r, &k), OK);
    struct case_file a = requisition(&k.number), b = requisition(&k.number), found;
    assert_int_equal(case_open(c->r, &a), OK);
    assert_int_equal(case_open(c->r, &b), OK);
    assert_string_equal(a.id, "2026-0001");
    assert_string_equal(b.id, "2026-0002");
    assert_int_equal(case_get(c->r, "2026-0002", &found), OK);
    assert_int_equal(found.n_cameras, 1);
    assert_int_equal(found.cameras[0], k.number);
    case_fini(&a);
    case_fini(&b);
    case_fini(&found);
}

static void case_without_a_legal_basis_is_refused(void **state) {
    struct ctx *c = *state;
    uint16_t one = 1;
    struct case_file a = requisition(&one);
    a.basis[0] = 0;
    assert_int_equal(case_open(c->r, &a), ERR_USAGE);
    case_fini(&a);
}

static void case_whose_period_is_upside_down_is_refused(void **state) {
    struct ctx *c = *state;
    uint16_t one = 1;
    struct case_file a = requisition(&one);
    a.to_ms = a.from_ms;
    assert_int_equal(case_open(c->r, &a), ERR_USAGE);
    case_fini(&a);
}

static void case_with_an_unknown_camera_leaves_nothing_behind(void **state) {
    struct ctx *c = *state;
    uint16_t none = 77;
    struct case_file a = requisition(&none), *list;
    unsigned n;
    assert_int_not_equal(case_open(c->r, &a), OK);
    assert_int_equal(case_list(c->r, &list, &n), OK);
    assert_int_equal(n, 0);
    case_fini(&a);
}

static void all_criteria_never_include_plates_likeness_or_covered_faces(void **state) {
    (void)state;
    const struct case_file c = {.criteria = "all"};
    assert_true(case_allows(&c, "vehicle.color"));
    assert_true(case_allows(&c, ""));
    assert_false(case_allows(&c, "vehicle.plate"));
    assert_false(case_allows(&c, "vehicle.similar"));
    assert_false(case_allows(&c, "person.face_cover"));
}

static void a_criterion_is_matched_as_a_whole_word(void **state) {
    (void)state;
    const struct case_file c = {.criteria = "vehicle.colors, person.tops"};
    assert_false(case_allows(&c, "vehicle.color"));
    assert_true(case_allows(&c, "person.tops"));
    assert_false(case_allows(&c, "vehicle.plate"));
}

static void a_sensitive_criterion_needs_the_site_as_well_as_the_case(void **state) {
    (void)state;
    struct case_file c = {.criteria = "all,vehicle.plate,vehicle.similar"};
    case_restrict(&c, "vehicle.plate");
    assert_true(case_allows(&c, "vehicle.plate"));
    assert_false(case_allows(&c, "vehicle.similar"));
    assert_false(case_allows(&c, "person.face_cover"));
    assert_true(case_allows(&c, "vehicle.color"));
    case_restrict(&c, "none");
    assert_false(case_allows(&c, "vehicle.plate"));
    struct perimeter p;
    case_perimeter(&c, &p);
    assert_false(p.plates_allowed);
    assert_false(p.likeness_allowed);
}

/* Site AND case AND the case's state, camera and time: the only yes among these. */
static void plates_are_read_where_everything_allows_them(void **state) {
    struct ctx *c = *state;
    struct camera gare = {.id = "gare-01", .name = "Gare"}, port = {.id = "port-01", .name = "Port"};
    int64_t from_ms, to_ms;
    const int64_t now_ms = clock_wall_ms();
    assert_int_equal(camera_add(c->r, &gare), OK);
    assert_int_equal(camera_add(c->r, &port), OK);
    struct case_file with = requisition(&gare.number), without = requisition(&gare.number);
    snprintf(with.criteria, sizeof with.criteria, "all,vehicle.plate");
    assert_int_equal(case_open(c->r, &with), OK);
    assert_int_equal(case_open(c->r, &without), OK);
#define ASK(site, id, camera, at) case_plates_allowed(c->dir, site, id, camera, at, &from_ms, &to_ms)
    assert_true(ASK("vehicle.plate", with.id, gare.number, now_ms));
    assert_int_equal(from_ms, 1000);
    assert_int_equal(to_ms, 2000);
    assert_false(ASK("none", with.id, gare.number, now_ms));
    assert_int_equal(from_ms, to_ms);
    assert_false(ASK("vehicle.similar", with.id, gare.number, now_ms));
    assert_false(ASK("vehicle.plate", without.id, gare.number, now_ms));
    assert_false(ASK("vehicle.plate", with.id, port.number, now_ms));
    assert_false(ASK("vehicle.plate", with.id, gare.number, with.expires_ms));
    assert_false(ASK("vehicle.plate", "2026-9999", gare.number, now_ms));
    assert_false(ASK("vehicle.plate", "", gare.number, now_ms));
    assert_int_equal(case_close(c->r, with.id, "boss"), OK);
    assert_false(ASK("vehicle.plate", with.id, gare.number, now_ms));
    assert_false(case_plates_allowed("/nonexistent", "vehicle.plate", with.id, gare.number, now_ms, &from_ms, &to_ms));
#undef ASK
    case_fini(&with);
    case_fini(&without);
}

static void add_line(struct ctx *c, const char *action) {
    uint64_t seq;
    const struct journal_entry e = {"op.14", "operator", action, "2026-0001", "", "{}"};
    assert_int_equal(journal_add(c->r, &e, &seq), OK);
}

static void journal_of_untouched_lines_verifies(void **state) {
    struct ctx *c = *state;
    uint64_t n, bad;
    for (int i = 0; i < 5; i++) add_line(c, "search");
    assert_int_equal(journal_verify(c->r, &n, &bad), OK);
    assert_int_equal(n, 5);
}

static void journal_refuses_update_and_delete(void **state) {
    struct ctx *c = *state;
    char path[128];
    add_line(c, "search");
    snprintf(path, sizeof path, "%s/register.db", c->dir);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(db, "UPDATE journal SET user='x'", NULL, NULL, NULL), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(db, "DELETE FROM journal", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void journal_verifier_names_the_line_that_was_changed(void **state) {
    struct ctx *c = *state;
    char path[128];
    uint64_t n, bad;
    for (int i = 0; i < 5; i++) add_line(c, "search");
    snprintf(path, sizeof path, "%s/register.db", c->dir);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "DROP TRIGGER journal_no_update; UPDATE journal SET user='op.15' WHERE seq=3", NULL,
                     NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(journal_verify(c->r, &n, &bad), ERR_CORRUPT);
    assert_int_equal(bad, 3);
}

static void journal_line_with_a_line_break_is_refused(void **state) {
    struct ctx *c = *state;
    uint64_t seq;
    const struct journal_entry e = {"op.14\n2", "operator", "search", "", "", "{}"};
    assert_int_equal(journal_add(c->r, &e, &seq), ERR_USAGE);
}

static void register_of_another_application_is_refused(void **state) {
    struct ctx *c = *state;
    char dir[64], path[128];
    (void)c;
    assert_true(tmpdir_make(dir, sizeof dir));
    snprintf(path, sizeof path, "%s/register.db", dir);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    struct register_db *r;
    assert_int_equal(register_open(dir, false, &r), ERR_CORRUPT);
    assert_null(r);
    tmpdir_remove(dir);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static void register_of_the_first_version_is_brought_up_with_what_it_holds(void **state) {
    struct ctx *c = *state;
    char path[96], sql[128];
    register_close(&c->r);
    snprintf(path, sizeof path, "%s/register.db", c->dir);
    assert_int_equal(unlink(path), 0);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, register_schema, NULL, NULL, NULL), SQLITE_OK);
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=1", REGISTER_APPLICATION_ID);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "INSERT INTO camera VALUES(1,'gare-01','Gare',0,0,-1,-1,0,0);"
                     "INSERT INTO case_file VALUES('2026-0001','PV 1','OPJ','CPP 60-1','',1,2,'all',"
                     "'open',1,2);"
                     "INSERT INTO case_camera VALUES('2026-0001',1)",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    struct case_file k;
    assert_int_equal(register_open(c->dir, false, &c->r), OK);
    assert_int_equal(case_get(c->r, "2026-0001", &k), OK);
    assert_string_equal(k.requisition, "PV 1");
    assert_int_equal(k.n_cameras, 1);
    case_fini(&k);
    /* And once only. */
    register_close(&c->r);
    assert_int_equal(register_open(c->dir, false, &c->r), OK);
}

static void register_of_a_later_version_is_left_alone(void **state) {
    struct ctx *c = *state;
    char path[96], sql[64];
    register_close(&c->r);
    snprintf(path, sizeof path, "%s/register.db", c->dir);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    snprintf(sql, sizeof sql, "PRAGMA user_version=%d", REGISTER_VERSION + 1);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(register_open(c->dir, false, &c->r), ERR_CORRUPT);
}

static void acts_inside_one_another_are_written_whole_or_not_at_all(void **state) {
    struct ctx *c = *state;
    struct camera k = gare(), found;
    uint64_t seq = 0, n = 0, bad = 0;
    const struct journal_entry line = {"local", "operator", "camera.add", "", "gare-01", "{}"};
    assert_int_equal(register_begin(c->r), OK);
    assert_int_equal(camera_add(c->r, &k), OK);
    assert_int_equal(journal_add(c->r, &line, &seq), OK);
    assert_int_equal(register_end(c->r, ERR_DENIED), ERR_DENIED);
    assert_int_equal(camera_get(c->r, "gare-01", &found), ERR_MISSING);
    assert_int_equal(journal_verify(c->r, &n, &bad), OK);
    assert_int_equal(n, 0);
    assert_int_equal(register_begin(c->r), OK);
    assert_int_equal(camera_add(c->r, &k), OK);
    assert_int_equal(journal_add(c->r, &line, &seq), OK);
    assert_int_equal(register_end(c->r, OK), OK);
    assert_int_equal(camera_get(c->r, "gare-01", &found), OK);
    assert_int_equal(journal_verify(c->r, &n, &bad), OK);
    assert_int_equal(n, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(camera_added_is_found_again),
        T(camera_of_the_same_id_is_refused),
        T(texts_that_are_not_utf8_are_refused),
        T(criterion_that_does_not_exist_is_refused),
        T(camera_off_the_globe_is_refused),
        T(camera_id_with_a_slash_is_refused),
        T(case_gets_the_next_number_of_its_year),
        T(case_without_a_legal_basis_is_refused),
        T(case_whose_period_is_upside_down_is_refused),
        T(case_with_an_unknown_camera_leaves_nothing_behind),
        T(all_criteria_never_include_plates_likeness_or_covered_faces),
        T(a_criterion_is_matched_as_a_whole_word),
        T(a_sensitive_criterion_needs_the_site_as_well_as_the_case),
        T(plates_are_read_where_everything_allows_them),
        T(journal_of_untouched_lines_verifies),
        T(journal_refuses_update_and_delete),
        T(journal_verifier_names_the_line_that_was_changed),
        T(journal_line_with_a_line_break_is_refused),
        T(register_of_another_application_is_refused),
        T(register_of_the_first_version_is_brought_up_with_what_it_holds),
        T(register_of_a_later_version_is_left_alone),
        T(acts_inside_one_another_are_written_whole_or_not_at_all),
    };
    return cmocka_run_group_tests_name("register", tests, NULL, NULL);
}
