/* SPDX-License-Identifier: Apache-2.0 */
/* hits() and hits_by_hour(): the scan as SQL, and that SQL cannot widen a perimeter; routes; the fast loops.
 */
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/index/bits.h"
#include "host/index/hits.h"
#include "host/index/plate_match.h"
#include "host/index/route.h"
#include "host/index/sketch.h"
#include "tests/support/index_fixture.h"
#include "tests/support/sightings_gen.h"
#include "tests/support/test.h"

#define HOUR_MS INT64_C(3600000)
static uint16_t cameras[64];
static struct perimeter p = {.from_ms = GEN_FIRST_HOUR * HOUR_MS,
                             .to_ms = (GEN_FIRST_HOUR + 720) * HOUR_MS,
                             .cameras = cameras,
                             .n_cameras = 64,
                             .plates_allowed = true,
                             .likeness_allowed = true};

static void fill(struct index_fixture *f) {
    struct sighting s;
    for (unsigned i = 0; i < 64; i++) cameras[i] = (uint16_t)i;
    struct gen *g =
        gen_new(&(struct gen_config){.shape = GEN_SPARSE, .rows = 5000, .seed = 3, .vectors = true});
    assert_non_null(g);
    while (gen_next(g, &s)) assert_int_equal(index_sighting_add(f->writer, &s), OK);
    assert_int_equal(index_commit(f->writer), OK);
    gen_free(&g);
}

static sqlite3_stmt *ask(struct index_fixture *f, const char *sql, const char *terms, int64_t from,
                         int64_t to) {
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(index_reader_sql(f->reader), sql, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(index_reader_sql(f->reader)));
    sqlite3_bind_text(st, 1, terms, -1, SQLITE_TRANSIENT);
    sqlite3_bind_pointer(st, 2, &p, HITS_PERIMETER, NULL);
    sqlite3_bind_int64(st, 3, from);
    sqlite3_bind_int64(st, 4, to);
    return st;
}

static void hits_equal_a_search(void **state) {
    struct index_fixture *f = *state;
    char terms[64];
    fill(f);
    struct query q = {.n_groups = 2, .limit = 200};
    q.group[0].n_terms = 1;
    q.group[0].term[0].field = FIELD_CLASS;
    q.group[0].term[0].id = GEN_CLASS_CAR;
    q.group[1].negated = true;
    q.group[1].n_terms = 2;
    for (unsigned k = 0; k < 2; k++) {
        q.group[1].term[k].field = FIELD_VEHICLE_COLOUR;
        q.group[1].term[k].id = (uint16_t)(GEN_FIRST + k);
    }
    struct index_result r;
    assert_int_equal(index_search(f->reader, &p, &q, 0, &r), OK);
    assert_true(r.total > 50);
    snprintf(terms, sizeof terms, "%u&!%u|%u", vocab_number(FIELD_CLASS, GEN_CLASS_CAR, false),
             vocab_number(FIELD_VEHICLE_COLOUR, GEN_FIRST, false),
             vocab_number(FIELD_VEHICLE_COLOUR, GEN_FIRST + 1, false));
    sqlite3_stmt *st =
        ask(f,
            "SELECT h.id, s.start_ms FROM hits(?1, ?2, ?3, ?4) h JOIN sighting s ON s.id = h.id "
            "ORDER BY h.start_ms DESC, h.id DESC LIMIT 50",
            terms, 0, INT64_MAX);
    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(sqlite3_step(st), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int64(st, 0), r.hits[i].s.id);
        assert_int_equal(sqlite3_column_int64(st, 1), r.hits[i].s.start_ms);
    }
    sqlite3_finalize(st);
    uint64_t sum = 0;
    st = ask(f, "SELECT hour, hit_count FROM hits_by_hour(?1, ?2, ?3, ?4)", terms, 0, INT64_MAX);
    while (sqlite3_step(st) == SQLITE_ROW) {
        assert_int_equal(sqlite3_column_int64(st, 1),
                         r.histogram[sqlite3_column_int64(st, 0) - r.histogram_from_ms / HOUR_MS]);
        sum += (uint64_t)sqlite3_column_int64(st, 1);
    }
    sqlite3_finalize(st);
    assert_int_equal(sum, r.total);
    index_result_fini(&r);
}

static void sql_text_cannot_forge_or_widen_a_perimeter(void **state) {
    struct index_fixture *f = *state;
    fill(f);
    sqlite3 *db = index_reader_sql(f->reader);
    static const char *const forged[] = {
        "SELECT count(*) FROM hits('', NULL, 0, 9e18)",
        "SELECT count(*) FROM hits('', 'relecture-perimeter', 0, 9223372036854775807)",
        "SELECT count(*) FROM hits('', 140000000000000, 0, 9223372036854775807)",
        "SELECT count(*) FROM hits('')",
        "SELECT count(*) FROM hits_by_hour('', x'00', 0, 9223372036854775807)",
    };
    for (unsigned i = 0; i < sizeof forged / sizeof *forged; i++)
        assert_int_not_equal(sqlite3_exec(db, forged[i], NULL, NULL, NULL), SQLITE_OK);
    /* A pointer of another kind is no perimeter either. */
    sqlite3_stmt *st = NULL;
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT count(*) FROM hits('', ?1, 0, 9223372036854775807)", -1, &st, NULL),
        SQLITE_OK);
    sqlite3_bind_pointer(st, 1, &p, "something-else", NULL);
    assert_int_equal(sqlite3_step(st), SQLITE_ERROR);
    sqlite3_finalize(st);
    /* Asking for more time than the perimeter has gives what it has. */
    struct perimeter narrow = p;
    narrow.to_ms = narrow.from_ms + 48 * HOUR_MS;
    narrow.n_cameras = 5;
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT count(*), max(h.start_ms), max(s.camera_id) FROM hits('', ?1, 0, "
                           "9223372036854775807) h JOIN sighting s ON s.id = h.id",
                           -1, &st, NULL),
        SQLITE_OK);
    sqlite3_bind_pointer(st, 1, &narrow, HITS_PERIMETER, NULL);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_true(sqlite3_column_int64(st, 0) > 0);
    assert_true(sqlite3_column_int64(st, 1) < narrow.to_ms);
    assert_true(sqlite3_column_int64(st, 2) < 5);
    sqlite3_finalize(st);
    assert_int_not_equal(sqlite3_exec(db, "DELETE FROM sighting", NULL, NULL, NULL), SQLITE_OK);
}

static void impossible_terms_are_refused(void **state) {
    struct index_fixture *f = *state;
    static const char *const bad[] = {"x", "1&",       "&1",  "1||2", "|1",  "!",
                                      "0", "99999999", "1 2", "-1",   "1&&2"};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        sqlite3_stmt *st = ask(f, "SELECT * FROM hits(?1, ?2, ?3, ?4)", bad[i], 0, 1);
        if (sqlite3_step(st) != SQLITE_ERROR) fail_msg("%s was taken", bad[i]);
        sqlite3_finalize(st);
    }
    char *many = calloc(1, 20000);
    for (unsigned i = 0; i < 1000; i++) strcat(many, "1024&");
    strcat(many, "1024");
    sqlite3_stmt *st = ask(f, "SELECT * FROM hits(?1, ?2, ?3, ?4)", many, 0, 1);
    assert_int_equal(sqlite3_step(st), SQLITE_ERROR);
    sqlite3_finalize(st);
    free(many);
}

/* ---- routes
 * ------------------------------------------------------------------------------------------------------------
 */

static uint64_t see(struct index_fixture *f, uint16_t camera, int64_t minute, const char *plate, int look) {
    struct sighting s = {
        .recording_id = 1, .class_id = GEN_CLASS_CAR, .camera_number = camera, .confidence = 80};
    s.start_ms = p.from_ms + minute * 60000;
    s.end_ms = s.start_ms + 4000;
    s.n_attributes = 1;
    s.attributes[0] =
        (struct attribute){.field = FIELD_CLASS, .n_values = 1, .value = {{GEN_CLASS_CAR, 80, 1}}};
    s.plate.n_chars = (uint8_t)strlen(plate);
    memcpy(s.plate.text, plate, strlen(plate));
    s.has_likeness = 1;
    for (int i = 0; i < 128; i++)
        s.likeness[i] = (int8_t)((gen_mix((uint64_t)look * 1000 + (uint64_t)i) & 63) - 31);
    assert_int_equal(index_sighting_add(f->writer, &s), OK);
    return s.id;
}

static void pairs_of_cameras_equal_a_plain_join(void **state) {
    struct index_fixture *f = *state;
    struct {
        uint16_t camera;
        int64_t minute;
        int plate;
    } seen[400];
    struct gen_random r = {99};
    for (unsigned i = 0; i < 64; i++) cameras[i] = (uint16_t)i;
    for (unsigned i = 0; i < 400; i++) {
        char text[17];
        seen[i].camera = (uint16_t)gen_below(&r, 6);
        seen[i].minute = gen_below(&r, 600);
        seen[i].plate = (int)gen_below(&r, 12);
        snprintf(text, sizeof text, "P%04u", seen[i].plate);
        see(f, seen[i].camera, seen[i].minute, text, 1);
    }
    assert_int_equal(index_commit(f->writer), OK);
    for (unsigned n = 0; n < 60; n++) {
        struct route_pair_query q = {.from_camera = (uint16_t)(n % 6),
                                     .to_camera = n % 3 ? (int)((n + 1 + n / 6) % 6) : -1,
                                     .within_ms = (5 + n % 20) * 60000,
                                     .limit = 1000};
        if (q.to_camera == q.from_camera) q.to_camera = -1;
        if (n % 2) snprintf(q.plate, sizeof q.plate, "P%04u", n % 12);
        unsigned expected = 0;
        for (unsigned i = 0; i < 400; i++)
            for (unsigned k = 0; k < 400; k++) {
                int64_t ms = (seen[k].minute - seen[i].minute) * 60000;
                bool there =
                    q.to_camera < 0 ? seen[k].camera != q.from_camera : seen[k].camera == q.to_camera;
                expected += seen[i].camera == q.from_camera && there && seen[i].plate == seen[k].plate &&
                            ms > 0 && ms <= q.within_ms && (n % 2 == 0 || seen[i].plate == (int)(n % 12));
            }
        struct route_pairs pairs;
        assert_int_equal(index_route_pairs(f->reader, &p, &q, 0, &pairs), OK);
        assert_int_equal(pairs.total, expected);
        route_pairs_fini(&pairs);
    }
}

/* ---- the fast loops against the plain ones
 * --------------------------------------------------------------------------------- */

static void fast_loops_equal_the_plain_ones(void **state) {
    (void)state;
    const struct bits_ops *plain = bits_plain(), *fast = bits_best();
    if (plain == fast) {
        print_message("this processor has no faster form: nothing to compare\n");
        return;
    }
    enum { N = 5000, W = BITS_WORDS(N) };
    static uint8_t bytes[16 * N + 1];
    static uint64_t a[W], b[W], c[W];
    struct gen_random r = {5};
    for (unsigned round = 0; round < 60; round++) {
        size_t n = 1 + gen_below(&r, N), w = BITS_WORDS(n);
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)gen_u64(&r);
        const uint8_t *odd = bytes + 1; /* stored bytes are not aligned */
        for (size_t i = 0; i < W; i++) a[i] = gen_u64(&r);
        void (*const plain_op[])(uint64_t *, const uint8_t *, size_t) = {plain->and_with, plain->or_with,
                                                                         plain->and_not};
        void (*const fast_op[])(uint64_t *, const uint8_t *, size_t) = {fast->and_with, fast->or_with,
                                                                        fast->and_not};
        for (unsigned k = 0; k < 3; k++) {
            memcpy(b, a, sizeof a);
            memcpy(c, a, sizeof a);
            plain_op[k](b, odd, w);
            fast_op[k](c, odd, w);
            assert_memory_equal(b, c, sizeof b);
        }
        assert_int_equal(plain->count(a, w), fast->count(a, w));
        assert_int_equal(plain->count_and(a, odd, w), fast->count_and(a, odd, w));
        struct camera_set set;
        camera_set_clear(&set);
        for (unsigned i = 0; i < 500; i++)
            camera_set_add(&set, (uint16_t)gen_below(&r, round % 3 ? 1024 : 65536));
        for (size_t i = 0; i < n; i++)
            if (gen_below(&r, 4)) bytes[1 + 2 * i + 1] &= 3; /* most below 1024 */
        memcpy(b, a, sizeof a);
        memcpy(c, a, sizeof a);
        plain->keep_cameras(b, odd, n, &set);
        fast->keep_cameras(c, odd, n, &set);
        assert_memory_equal(b, c, sizeof b);
        uint32_t v;
        memcpy(&v, odd + 4 * (n / 2), 4);
        plain->equal_u32(b, odd, n, v);
        fast->equal_u32(c, odd, n, v);
        assert_memory_equal(b, c, w * 8);
        assert_true(b[n / 2 / 64] >> (n / 2) % 64 & 1);
        static uint32_t members[512];
        for (unsigned i = 0; i < 512; i++) members[i] = (uint32_t)gen_u64(&r);
        for (size_t i = 0; i < n; i++)
            if (gen_below(&r, 8))
                bytes[1 + 4 * i + 2] = bytes[1 + 4 * i + 3] = 0; /* most inside the set's range */
        plain->in_set(b, odd, n, members, 512 * 32);
        fast->in_set(c, odd, n, members, 512 * 32);
        assert_memory_equal(b, c, w * 8);
        assert_true(n < 100 || plain->count(b, w) > n / 16);
        uint16_t place[100];
        int32_t plain_dot[100], fast_dot[100];
        for (unsigned i = 0; i < 100; i++) place[i] = (uint16_t)gen_below(&r, 600);
        plain->dots128(plain_dot, (const int8_t *)odd + 77, (const int8_t *)odd, place, 100);
        fast->dots128(fast_dot, (const int8_t *)odd + 77, (const int8_t *)odd, place, 100);
        assert_memory_equal(plain_dot, fast_dot, sizeof plain_dot);
        uint32_t ranks[100];
        for (unsigned i = 0; i < 100; i++) ranks[i] = gen_below(&r, 600);
        plain->code_dots(plain_dot, (const int8_t *)odd + 77, odd, ranks, 100);
        fast->code_dots(fast_dot, (const int8_t *)odd + 77, odd, ranks, 100);
        assert_memory_equal(plain_dot, fast_dot, sizeof plain_dot);
        for (unsigned i = 0; i < 100; i++) {
            const int8_t *vector = (const int8_t *)odd + 128 * i;
            assert_int_equal(plain->bit_dot(vector, odd + 5 * i), fast->bit_dot(vector, odd + 5 * i));
        }
    }
}

static int8_t any_number(struct gen_random *r, unsigned round) {
    int most = round % 3 == 0 ? 127 : round % 3 == 1 ? 1 + (int)gen_below(r, 127) : 20;
    int v = (int)gen_below(r, 2 * (uint32_t)most + 1) - most;
    if (round % 7 == 0 && gen_below(r, 128) == 0) v = -128;
    return (int8_t)(round % 11 == 0 ? 0 : v);
}

static void a_sketch_never_lies_about_its_bounds(void **state) {
    (void)state;
    struct gen_random r = {9};
    float widest = 0;
    unsigned loose = 0;
    for (unsigned round = 0; round < 20000; round++) {
        int8_t a[128], v[128];
        uint8_t upper[64], lower[16], off;
        static const uint32_t first = 0;
        int32_t sum = 0, squares = 0, exact = 0, dot;
        for (unsigned i = 0; i < 128; i++) {
            a[i] = any_number(&r, round + 1);
            v[i] = any_number(&r, round);
            sum += a[i];
            squares += a[i] * a[i];
            exact += a[i] * v[i];
        }
        struct sketch_scale scale = {.most = sketch_most(v, 1)};
        if (round % 5 == 0) scale.most = 128; /* a neighbour's */
        sketch_cut(v, &scale, upper, lower, &off);
        bits_plain()->code_dots(&dot, a, upper, &first, 1);
        float length = sqrtf((float)squares);
        int32_t codes = 2 * dot + bits_plain()->bit_dot(a, lower);
        float apart = fabsf((float)exact - sketch_middle(codes, &scale, (float)sum));
        float allowed = (float)off * SKETCH_QUARTER * length + SKETCH_SLACK;
        if (apart > allowed)
            fail_msg("round %u: %d lies %f from the middle, not %f", round, exact, apart, allowed);
        if (sketch_upper_for((float)exact, &scale, (float)sum, length) > dot)
            fail_msg("round %u: the threshold leaves out what it must keep", round);
        if (allowed > widest) widest = allowed;
        loose += sketch_upper_for((float)exact + 200000, &scale, (float)sum, length) <= dot;
    }
    /* Of products that may differ by two millions. */
    assert_true(widest < 60000 && loose == 0);
}

static void fast_plate_loops_equal_the_plain_ones(void **state) {
    (void)state;
    const struct bits_ops *plain = bits_plain(), *fast = bits_best();
    enum { N = 3000 };
    static char texts[N * 16];
    static uint64_t b[BITS_WORDS(N)], c[BITS_WORDS(N)];
    static const char letters[] = "AB01OQ8";
    struct gen_random r = {6};
    for (unsigned round = 0; round < 40; round++) {
        unsigned width = round % 4 ? 8 : 16, found = 0;
        memset(texts, 0, sizeof texts);
        for (unsigned i = 0; i < N; i++)
            for (unsigned k = 0, n = gen_below(&r, width + 1); k < n; k++)
                texts[i * width + k] = letters[gen_below(&r, 7)];
        char asked[25] = {0};
        for (unsigned k = 0, n = 1 + gen_below(&r, round % 3 ? 8 : 12); k < n; k++)
            asked[k] = gen_below(&r, 9) ? letters[gen_below(&r, 7)] : '?';
        struct plate_edit e = {.n_chars = (unsigned)strlen(asked), .max_distance = gen_below(&r, 3)};
        for (unsigned k = 0; k < e.n_chars; k++)
            for (unsigned ch = 1; ch < 256; ch++)
                if (asked[k] == '?' || plate_class(asked[k]) == plate_class((char)ch)) e.equal[ch] |= 1u << k;
        for (unsigned ch = 0; ch < 256; ch++)
            e.equal8[ch / 128][ch % 128] = (uint8_t)(e.equal[ch % 128] >> ch / 128 * 8);
        plain->within(b, (uint8_t *)texts, N, width, &e);
        fast->within(c, (uint8_t *)texts, N, width, &e);
        assert_memory_equal(b, c, sizeof b);
        for (unsigned i = 0; i < N; i++) {
            char text[17] = {0};
            memcpy(text, texts + i * width, width);
            bool fits =
                text[0] && plate_match(QUERY_PLATE_FUZZY, asked, e.max_distance, text) != PLATE_SLIPS_NONE;
            assert_int_equal(fits, b[i / 64] >> i % 64 & 1);
            found += fits;
        }
        if (round < 3) assert_true(found < N);
    }
}

static void plate_slips_are_ranked(void **state) {
    (void)state;
    assert_int_equal(plate_match(QUERY_PLATE_FUZZY, "AB123CD", 2, "AB123CD"), 0);
    assert_int_equal(plate_match(QUERY_PLATE_FUZZY, "AB123CD", 2, "A8I23C0"), 1);
    assert_int_equal(plate_match(QUERY_PLATE_FUZZY, "AB123CD", 2, "AB12CD"), 2);
    assert_int_equal(plate_match(QUERY_PLATE_FUZZY, "AB123CD", 2, "AB12XCX"), 4);
    assert_int_equal(plate_match(QUERY_PLATE_FUZZY, "AB123CD", 1, "AB12XCX"), PLATE_SLIPS_NONE);
    assert_int_equal(plate_match(QUERY_PLATE_PATTERN, "AB1?3*", 0, "AB1X3"), 0);
    assert_int_equal(plate_match(QUERY_PLATE_PATTERN, "AB1?3*", 0, "AB13"), PLATE_SLIPS_NONE);
    assert_int_equal(plate_match(QUERY_PLATE_PATTERN, "*2*D", 0, "AB123CD"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define WITH_INDEX(test) cmocka_unit_test_setup_teardown(test, index_fixture_setup, index_fixture_teardown)
        WITH_INDEX(hits_equal_a_search),
        WITH_INDEX(sql_text_cannot_forge_or_widen_a_perimeter),
        WITH_INDEX(impossible_terms_are_refused),
        WITH_INDEX(pairs_of_cameras_equal_a_plain_join),
        cmocka_unit_test(fast_loops_equal_the_plain_ones),
        cmocka_unit_test(fast_plate_loops_equal_the_plain_ones),
        cmocka_unit_test(a_sketch_never_lies_about_its_bounds),
        cmocka_unit_test(plate_slips_are_ranked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
