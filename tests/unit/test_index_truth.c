/* SPDX-License-Identifier: Apache-2.0 */
/* What the bitmaps answer is what a plain SQL scan over the same sightings answers: 100 random instances of
 * every query on 100,000 rows. The reference table is filled from the generator, not from the index. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/index/index.h"
#include "host/index/record.h"
#include "host/index/route.h"
#include "host/index/vectors.h"
#include "tests/support/index_fixture.h"
#include "tests/support/index_queries.h"
#include "tests/support/test.h"

enum { ROWS = 100000, BATCH = 1000, INSTANCES = 100, SAMPLES = 4000 };
#define HOUR_MS INT64_C(3600000)

struct truth {
    char dir[256];
    struct index_reader *reader;
    sqlite3 *db;
    char plate[SAMPLES][17];
    uint64_t vehicle[SAMPLES], any[SAMPLES];
    struct asked_sample sample;
};

/* ---- the reference table
 * --------------------------------------------------------------------------------------- */

static const struct {
    enum field field;
    const char *name;
} wide[] = {{FIELD_VEHICLE_COLOUR, "vc"}, {FIELD_VEHICLE_TYPE, "vt"}, {FIELD_MAKE_MODEL, "mm"},
            {FIELD_UPPER_COLOUR, "uc"},   {FIELD_UPPER_KIND, "uk"},   {FIELD_LOWER_COLOUR, "lc"},
            {FIELD_LOWER_KIND, "lk"},     {FIELD_CLASS, "cl"}};
enum { WIDE = sizeof wide / sizeof *wide };

static const char *wide_name(unsigned field) {
    for (unsigned i = 0; i < WIDE; i++)
        if (wide[i].field == field) return wide[i].name;
    fail();
    return "";
}

/* Levenshtein with a whole matrix and classes spelt out: not the code under test. */
static unsigned class_of(char c) {
    static const char *const classes[] = {"0OQD", "1IL", "8B", "5S", "2Z", "6G", "4A", "7T"};
    for (unsigned i = 0; i < 8; i++)
        if (strchr(classes[i], c)) return 200 + i;
    return (unsigned char)c;
}
static void sql_slips(sqlite3_context *cx, int n_args, sqlite3_value **v) {
    (void)n_args;
    const char *a = (const char *)sqlite3_value_text(v[0]), *b = (const char *)sqlite3_value_text(v[1]);
    if (!a || !b) return;
    unsigned d[25][25], n = (unsigned)strlen(a), m = (unsigned)strlen(b);
    for (unsigned i = 0; i <= n; i++)
        for (unsigned j = 0; j <= m; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            unsigned x = d[i - 1][j - 1] + (class_of(a[i - 1]) != class_of(b[j - 1]));
            if (d[i - 1][j] + 1 < x) x = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < x) x = d[i][j - 1] + 1;
            d[i][j] = x;
        }
    sqlite3_result_int(cx, d[n][m] ? (int)(2 * d[n][m]) : strcmp(a, b) != 0);
}

/* Does the line from (0,1) to (2,3) touch the rectangle 4..7? Liang and Barsky. */
static void sql_touches(sqlite3_context *cx, int n_args, sqlite3_value **v) {
    double a[8], t0 = 0, t1 = 1;
    for (int i = 0; i < n_args; i++) a[i] = sqlite3_value_double(v[i]);
    double dx = a[2] - a[0], dy = a[3] - a[1];
    double p[4] = {-dx, dx, -dy, dy}, q[4] = {a[0] - a[4], a[6] - a[0], a[1] - a[5], a[7] - a[1]};
    for (int i = 0; i < 4; i++) {
        if (p[i] == 0) {
            if (q[i] < 0) t1 = -1;
        } else if (p[i] < 0) {
            if (q[i] / p[i] > t0) t0 = q[i] / p[i];
        } else if (q[i] / p[i] < t1) {
            t1 = q[i] / p[i];
        }
    }
    sqlite3_result_int(cx, t0 <= t1);
}

static void run_sql(sqlite3 *db, const char *sql) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static void reference_create(struct truth *t) {
    char sql[2048] =
        "CREATE TABLE ref(id INTEGER PRIMARY KEY, start_ms, dur, cam, conf, plate, ways, fx0, fy0, fx1, fy1, "
        "acc, accs, likeness";
    assert_int_equal(sqlite3_open(":memory:", &t->db), SQLITE_OK);
    for (unsigned i = 0; i < WIDE; i++)
        for (unsigned k = 0; k < 4; k++)
            snprintf(sql + strlen(sql), sizeof sql - strlen(sql), ", %s%c", wide[i].name, "123s"[k]);
    strcat(sql, ")");
    run_sql(t->db, sql);
    sqlite3_create_function(t->db, "slips", 2, SQLITE_UTF8, NULL, sql_slips, NULL, NULL);
    sqlite3_create_function(t->db, "touches", 8, SQLITE_UTF8, NULL, sql_touches, NULL, NULL);
}

static unsigned ways_of(const struct sighting *s) {
    const struct box_norm *from = &s->path[0].box, *to = &s->path[1].box;
    int dx = (to->x0 + to->x1 - from->x0 - from->x1) / 2, dy = s->path[1].box.y1 - s->path[0].box.y1,
        ax = abs(dx), ay = abs(dy);
    unsigned ways = 0;
    if (ax >= 4096 && ay <= 2 * ax) ways |= dx < 0 ? 2u : 4u;
    if (ay >= 4096 && ax <= 2 * ay) ways |= dy < 0 ? 8u : 16u;
    return ways;
}

static void reference_add(sqlite3_stmt *st, const struct sighting *s) {
    int at = 1;
    sqlite3_int64 acc = 0, accs = 0;
    for (unsigned i = 0; i < s->n_attributes; i++) {
        if (s->attributes[i].field != FIELD_ACCESSORY) continue;
        acc |= INT64_C(1) << s->attributes[i].value[0].id;
        if (s->attributes[i].value[0].sure) accs |= INT64_C(1) << s->attributes[i].value[0].id;
    }
    sqlite3_bind_int64(st, at++, (sqlite3_int64)s->id);
    sqlite3_bind_int64(st, at++, s->start_ms);
    sqlite3_bind_int64(st, at++, s->end_ms - s->start_ms);
    sqlite3_bind_int(st, at++, s->camera_number);
    sqlite3_bind_int(st, at++, s->confidence);
    if (s->plate.n_chars)
        sqlite3_bind_text(st, at++, s->plate.text, -1, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(st, at++);
    sqlite3_bind_int64(st, at++, ways_of(s));
    for (unsigned i = 0; i < 2; i++) {
        sqlite3_bind_int(st, at++, (s->path[i].box.x0 + s->path[i].box.x1) / 2);
        sqlite3_bind_int(st, at++, s->path[i].box.y1);
    }
    sqlite3_bind_int64(st, at++, acc);
    sqlite3_bind_int64(st, at++, accs);
    if (s->has_likeness)
        sqlite3_bind_blob(st, at++, s->likeness, 128, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(st, at++);
    for (unsigned f = 0; f < WIDE; f++) {
        const struct attribute *a = NULL;
        int sure = 0;
        for (unsigned i = 0; i < s->n_attributes; i++)
            if (s->attributes[i].field == wide[f].field) a = &s->attributes[i];
        for (unsigned k = 0; k < 3; k++) {
            bool there = a && k < a->n_values;
            sqlite3_bind_int(st, at++, there ? a->value[k].id : 0);
            if (there && a->value[k].sure) sure |= 1 << k;
        }
        sqlite3_bind_int(st, at++, sure);
    }
    assert_int_equal(sqlite3_step(st), SQLITE_DONE);
    sqlite3_reset(st);
}

static void fill_both(struct truth *t, enum gen_shape shape, uint64_t rows) {
    struct index_writer *w = NULL;
    struct sighting s;
    sqlite3_stmt *st = NULL;
    char sql[256] = "INSERT INTO ref VALUES(?";
    for (unsigned i = 1; i < 14 + 4 * WIDE; i++) strcat(sql, ",?");
    strcat(sql, ")");
    struct gen *g = gen_new(&(struct gen_config){.shape = shape, .rows = rows, .seed = 42, .vectors = true});
    assert_non_null(g);
    assert_int_equal(index_writer_open(t->dir, NULL, &w), OK);
    reference_create(t);
    assert_int_equal(sqlite3_prepare_v2(t->db, sql, -1, &st, NULL), SQLITE_OK);
    run_sql(t->db, "BEGIN");
    unsigned n_plates = 0, n_vehicles = 0, n_any = 0;
    uint64_t n = 0;
    for (; gen_next(g, &s); n++) {
        assert_int_equal(index_sighting_add(w, &s), OK);
        reference_add(st, &s);
        if (n % 7 == 0 && s.plate.n_chars && n_plates < SAMPLES)
            memcpy(t->plate[n_plates++], s.plate.text, 17);
        if (n % 5 == 0 && s.has_likeness && n_vehicles < SAMPLES) t->vehicle[n_vehicles++] = s.id;
        if (n % 23 == 0 && n_any < SAMPLES) t->any[n_any++] = s.id;
        if (n % BATCH == BATCH - 1) assert_int_equal(index_commit(w), OK);
    }
    assert_int_equal(n, rows);
    assert_int_equal(index_commit(w), OK);
    run_sql(t->db, "COMMIT; CREATE INDEX ref_cam ON ref(cam)");
    sqlite3_finalize(st);
    gen_free(&g);
    index_writer_close(&w);
    t->sample =
        (struct asked_sample){(const char(*)[17])t->plate, n_plates, t->vehicle, n_vehicles, t->any, n_any};
}

static int truth_open(void **state, enum gen_shape shape, uint64_t rows) {
    struct truth *t = calloc(1, sizeof *t);
    if (!t || index_fixture_dir(t->dir, sizeof t->dir) != 0) return -1;
    fill_both(t, shape, rows);
    if (index_reader_open(t->dir, NULL, &t->reader) != OK) return -1;
    *state = t;
    return 0;
}
static int open_dense(void **state) {
    return truth_open(state, GEN_DENSE, ROWS);
}
static int truth_close(void **state) {
    struct truth *t = *state;
    index_reader_close(&t->reader);
    sqlite3_close(t->db);
    index_fixture_remove_tree(t->dir);
    free(t);
    return 0;
}

/* ---- a query as SQL
 * ------------------------------------------------------------------------------------------------ */

static void add(char *sql, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void add(char *sql, size_t size, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    size_t at = strlen(sql);
    vsnprintf(sql + at, size - at, fmt, args);
    va_end(args);
}

static void sql_terms(char *sql, size_t size, const struct query_group *g, bool sure) {
    add(sql, size, "(0");
    for (unsigned k = 0; k < g->n_terms; k++) {
        unsigned id = g->term[k].id;
        if (g->term[k].field == FIELD_ACCESSORY) {
            add(sql, size, " OR %s & %llu", sure ? "accs" : "acc", 1ULL << id);
            continue;
        }
        const char *f = wide_name(g->term[k].field);
        if (sure)
            add(sql, size, " OR (%ss & 1 AND %s1 = %u) OR (%ss & 2 AND %s2 = %u) OR (%ss & 4 AND %s3 = %u)",
                f, f, id, f, f, id, f, f, id);
        else
            add(sql, size, " OR %u IN (%s1, %s2, %s3)", id, f, f, f);
    }
    add(sql, size, ")");
}

/* Every value of the group's fields is one of the group's. */
static void sql_only(char *sql, size_t size, const struct query_group *g) {
    for (unsigned k = 0; k < g->n_terms; k++) {
        if (g->term[k].field == FIELD_ACCESSORY) {
            unsigned long long mask = 0;
            for (unsigned i = 0; i < g->n_terms; i++)
                if (g->term[i].field == FIELD_ACCESSORY) mask |= 1ULL << g->term[i].id;
            add(sql, size, " AND acc & ~%llu = 0", mask);
            continue;
        }
        for (unsigned place = 1; place <= 3; place++) {
            add(sql, size, " AND %s%u IN (0", wide_name(g->term[k].field), place);
            for (unsigned i = 0; i < g->n_terms; i++)
                if (g->term[i].field == g->term[k].field) add(sql, size, ",%u", g->term[i].id);
            add(sql, size, ")");
        }
    }
}

static void sql_where(const struct truth *t, const struct asked *a, char *sql, size_t size) {
    const struct query *q = &a->q;
    add(sql, size, " WHERE start_ms >= %lld AND start_ms < %lld", (long long)a->p.from_ms,
        (long long)a->p.to_ms);
    for (unsigned i = 0; i < q->n_periods; i++)
        add(sql, size, "%s(start_ms >= %lld AND start_ms < %lld)%s", i ? " OR " : " AND (",
            (long long)q->period[i].from_ms, (long long)q->period[i].to_ms, i + 1 == q->n_periods ? ")" : "");
    if (q->n_periods) /* ids begin with the hour: keeps the scan short */
        add(sql, size, " AND id BETWEEN %lld AND %lld", (long long)(q->period[0].from_ms / HOUR_MS << 24),
            (long long)((q->period[q->n_periods - 1].to_ms / HOUR_MS + 1) << 24));
    for (unsigned i = 0; i < q->n_cameras; i++)
        add(sql, size, "%s%u%s", i ? "," : " AND cam IN (", q->cameras[i], i + 1 == q->n_cameras ? ")" : "");
    for (unsigned i = 0; i < q->n_groups; i++) {
        const struct query_group *g = &q->group[i];
        if (g->optional) continue;
        add(sql, size, " AND %s(", g->negated ? "NOT " : "");
        sql_terms(sql, size, g, g->sure);
        if (g->only) sql_only(sql, size, g);
        add(sql, size, ")");
    }
    if (q->min_duration_ms) add(sql, size, " AND dur >= %lld", (long long)q->min_duration_ms);
    if (q->max_duration_ms) add(sql, size, " AND dur <= %lld", (long long)q->max_duration_ms);
    if (q->direction) add(sql, size, " AND ways & %u", 1u << q->direction);
    if (q->n_area)
        add(sql, size, " AND touches(fx0, fy0, fx1, fy1, %u, %u, %u, %u)", q->area[0].x, q->area[0].y,
            q->area[2].x, q->area[2].y);
    if (q->plate_mode == QUERY_PLATE_EXACT) add(sql, size, " AND plate = '%s'", q->plate);
    if (q->plate_mode == QUERY_PLATE_PATTERN) add(sql, size, " AND plate GLOB '%s'", q->plate);
    if (q->plate_mode == QUERY_PLATE_FUZZY)
        add(sql, size, " AND plate IS NOT NULL AND slips('%s', plate) <= %u", q->plate, 2 * q->max_slips);
    if (q->together_id)
        add(sql, size,
            " AND id <> %llu AND cam = (SELECT cam FROM ref WHERE id = %llu) AND start_ms BETWEEN (SELECT "
            "start_ms - "
            "%lld FROM ref WHERE id = %llu) AND (SELECT start_ms + dur + %lld FROM ref WHERE id = %llu)",
            (unsigned long long)q->together_id, (unsigned long long)q->together_id, (long long)q->together_ms,
            (unsigned long long)q->together_id, (long long)q->together_ms,
            (unsigned long long)q->together_id);
    (void)t;
}

static void sql_order(const struct asked *a, char *sql, size_t size) {
    const struct query *q = &a->q;
    add(sql, size, " ORDER BY ");
    if (q->order == QUERY_OLDEST) {
        add(sql, size, "start_ms, id");
        return;
    }
    if (q->order == QUERY_SCORE) {
        if (q->plate_mode == QUERY_PLATE_FUZZY) add(sql, size, "slips('%s', plate), ", q->plate);
        add(sql, size, "(0");
        for (unsigned i = 0; i < q->n_groups; i++) {
            if (q->group[i].negated) continue;
            for (unsigned sure = 0; sure < 2; sure++) {
                add(sql, size, " + CASE WHEN ");
                sql_terms(sql, size, &q->group[i], sure);
                add(sql, size, " THEN 1 ELSE 0 END");
            }
        }
        add(sql, size, ") DESC, conf DESC, ");
    }
    add(sql, size, "start_ms DESC, id DESC");
}

/* ---- comparing
 * ------------------------------------------------------------------------------------------------------- */

static void check_answer(struct truth *t, const struct asked *a, enum asked_kind kind, unsigned instance) {
    static char sql[16384];
    static uint32_t hours[INDEX_HISTOGRAM_MAX];
    struct index_result r;
    sqlite3_stmt *st = NULL;
    assert_int_equal(index_search(t->reader, &a->p, &a->q, 0, &r), OK);
    snprintf(sql, sizeof sql, "SELECT id, start_ms FROM ref");
    sql_where(t, a, sql, sizeof sql);
    sql_order(a, sql, sizeof sql);
    if (sqlite3_prepare_v2(t->db, sql, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(t->db));
    memset(hours, 0, sizeof hours);
    uint64_t n = 0;
    for (; sqlite3_step(st) == SQLITE_ROW; n++) {
        uint64_t id = (uint64_t)sqlite3_column_int64(st, 0);
        int64_t hour = (sqlite3_column_int64(st, 1) - r.histogram_from_ms) / HOUR_MS;
        if (hour < 0 || hour >= r.n_histogram)
            fail_msg("%s %u: hit outside the histogram", asked_name[kind], instance);
        hours[hour]++;
        if (n < a->q.offset || n >= a->q.offset + (uint64_t)r.n_hits) continue;
        if (r.hits[n - a->q.offset].s.id != id)
            fail_msg("%s %u: hit %u is %llx, not %llx", asked_name[kind], instance, (unsigned)n,
                     (unsigned long long)r.hits[n - a->q.offset].s.id, (unsigned long long)id);
    }
    sqlite3_finalize(st);
    if (r.total != n)
        fail_msg("%s %u: total %u, not %u: %s", asked_name[kind], instance, (unsigned)r.total, (unsigned)n,
                 sql);
    uint64_t shown = n > a->q.offset ? n - a->q.offset : 0;
    assert_int_equal(r.n_hits, shown < a->q.limit ? shown : a->q.limit);
    assert_memory_equal(hours, r.histogram, r.n_histogram * sizeof hours[0]);
    index_result_fini(&r);
}

static void check_kind(struct truth *t, enum asked_kind kind, unsigned instances) {
    struct asked a;
    for (unsigned i = 0; i < instances; i++) {
        asked_make(kind, i, &t->sample, &a);
        a.q.offset %= 6000; /* of 100,000 rows */
        check_answer(t, &a, kind, i);
    }
}

#define TRUTH(kind, name)                                                                                    \
    static void name(void **state) {                                                                         \
        check_kind(*state, kind, INSTANCES);                                                                 \
    }
TRUTH(ASKED_Q1, class_and_colour_equal_a_plain_scan)
TRUTH(ASKED_Q2, forty_cameras_equal_a_plain_scan)
TRUTH(ASKED_Q3, person_with_backpack_equals_a_plain_scan)
TRUTH(ASKED_Q4, exact_plate_equals_a_plain_scan)
TRUTH(ASKED_Q5, plate_pattern_equals_a_plain_scan)
TRUTH(ASKED_Q6, fuzzy_plate_equals_a_plain_scan)
TRUTH(ASKED_Q8, rare_things_equal_a_plain_scan)
TRUTH(ASKED_Q9, common_things_on_deep_pages_equal_a_plain_scan)
TRUTH(ASKED_SURE, sure_values_equal_a_plain_scan)
TRUTH(ASKED_NOT, negation_equals_a_plain_scan)
TRUTH(ASKED_ONLY, only_equals_a_plain_scan)
TRUTH(ASKED_SCORE, score_order_equals_a_plain_scan)
TRUTH(ASKED_DURATION, durations_equal_a_plain_scan)
TRUTH(ASKED_DIRECTION, directions_equal_a_plain_scan)
TRUTH(ASKED_AREA, drawn_area_equals_a_plain_scan)
TRUTH(ASKED_BANDS, daily_bands_oldest_first_equal_a_plain_scan)
TRUTH(ASKED_TOGETHER, together_with_equals_a_plain_scan)
TRUTH(ASKED_PLATE_SCORE, ranked_plates_equal_a_plain_scan)

/* Nearest: every candidate's dot product by a plain loop over the reference's vectors. */
struct near {
    uint64_t id;
    int dot;
};
static int near_order(const void *a, const void *b) {
    const struct near *x = a, *y = b;
    return x->dot != y->dot ? (x->dot > y->dot ? -1 : 1) : x->id > y->id ? -1 : x->id < y->id;
}

static void check_near(struct truth *t, enum asked_kind kind, unsigned instances) {
    static char sql[16384];
    struct asked a;
    struct near *all = calloc(ROWS, sizeof *all);
    for (unsigned i = 0; i < instances; i++) {
        struct index_result r;
        struct sighting seed;
        sqlite3_stmt *st = NULL;
        size_t n = 0;
        asked_make(kind, i, &t->sample, &a);
        assert_int_equal(index_sighting_get(t->reader, &a.p, a.q.like_id, &seed), OK);
        assert_int_equal(index_search(t->reader, &a.p, &a.q, 0, &r), OK);
        snprintf(sql, sizeof sql, "SELECT id, likeness FROM ref");
        sql_where(t, &a, sql, sizeof sql);
        add(sql, sizeof sql, " AND likeness IS NOT NULL AND id <> %llu", (unsigned long long)a.q.like_id);
        assert_int_equal(sqlite3_prepare_v2(t->db, sql, -1, &st, NULL), SQLITE_OK);
        while (sqlite3_step(st) == SQLITE_ROW) {
            const int8_t *v = sqlite3_column_blob(st, 1);
            all[n].id = (uint64_t)sqlite3_column_int64(st, 0);
            all[n].dot = 0;
            for (unsigned k = 0; k < 128; k++) all[n].dot += v[k] * seed.likeness[k];
            n++;
        }
        sqlite3_finalize(st);
        qsort(all, n, sizeof *all, near_order);
        assert_int_equal(r.total, n);
        assert_int_equal(r.n_hits, n < 100 ? n : 100);
        for (unsigned k = 0; k < r.n_hits; k++) assert_int_equal(r.hits[k].s.id, all[k].id);
        index_result_fini(&r);
    }
    free(all);
}
static void nearest_vectors_equal_a_plain_scan(void **state) {
    check_near(*state, ASKED_Q7A, 25);
    check_near(*state, ASKED_Q7B, 25);
    check_near(*state, ASKED_Q7C, 25);
    check_near(*state, ASKED_Q7D, 15);
    check_near(*state, ASKED_Q7E, 10);
}

/* "Plate X at A, then elsewhere", "any plate at A, then at B": the join by SQL. */
static void check_pairs(struct truth *t, bool any_plate) {
    static uint16_t seen[GEN_CAMERAS];
    unsigned n_seen = 0;
    uint64_t found = 0;
    sqlite3_stmt *st = NULL, *reads = NULL, *often = NULL;
    run_sql(t->db, "CREATE INDEX IF NOT EXISTS ref_plate ON ref(plate)");
    assert_int_equal(
        sqlite3_prepare_v2(
            t->db,
            "SELECT a.plate, a.cam FROM ref a JOIN ref b ON b.plate = a.plate AND b.cam <> a.cam "
            "AND b.start_ms > a.start_ms AND b.start_ms <= a.start_ms + 600000 ORDER BY a.id",
            -1, &often, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(t->db, "SELECT DISTINCT cam FROM ref ORDER BY cam", -1, &st, NULL),
                     SQLITE_OK);
    while (sqlite3_step(st) == SQLITE_ROW) seen[n_seen++] = (uint16_t)sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    assert_int_equal(
        sqlite3_prepare_v2(t->db,
                           "SELECT a.id, b.id, a.start_ms, b.start_ms, b.cam FROM ref a JOIN ref b ON "
                           "b.plate = a.plate WHERE a.cam = ?1 AND (?2 = '' OR a.plate = ?2) AND "
                           "b.start_ms > a.start_ms AND b.start_ms <= a.start_ms + ?3 AND b.cam <> ?1 AND "
                           "(?4 < 0 OR b.cam = ?4) AND a.start_ms >= ?5 AND b.start_ms < ?6 "
                           "ORDER BY b.start_ms DESC, b.id DESC, a.id DESC",
                           -1, &reads, NULL),
        SQLITE_OK);
    for (unsigned i = 0; i < INSTANCES; i++) {
        struct gen_random r = {gen_mix(i + (any_plate ? 7000u : 0u))};
        struct asked a;
        struct route_pairs pairs;
        asked_make(any_plate ? ASKED_Q1 : ASKED_Q4, i, &t->sample, &a); /* its perimeter, and a plate */
        struct route_pair_query q = {.from_camera = seen[gen_below(&r, n_seen)],
                                     .to_camera = any_plate && i % 4 ? seen[gen_below(&r, n_seen)] : -1,
                                     .within_ms =
                                         1000 * (1 + (int64_t)gen_below(&r, any_plate && i % 2 ? 600 : 7200)),
                                     .limit = 1 + gen_below(&r, 60)};
        if (q.to_camera == q.from_camera) q.to_camera = -1;
        if (!any_plate) snprintf(q.plate, sizeof q.plate, "%s", a.q.plate);
        if (!any_plate && i % 4) { /* a plate that did so, from where it did */
            assert_int_equal(sqlite3_step(often), SQLITE_ROW);
            snprintf(q.plate, sizeof q.plate, "%s", (const char *)sqlite3_column_text(often, 0));
            q.from_camera = (uint16_t)sqlite3_column_int(often, 1);
        }
        if (i % 3 == 0) { /* a part of the period, cut anywhere */
            a.p.from_ms += (int64_t)gen_below(&r, 300) * HOUR_MS + gen_below(&r, 3600000);
            a.p.to_ms -= (int64_t)gen_below(&r, 300) * HOUR_MS + gen_below(&r, 3600000);
        }
        assert_int_equal(index_route_pairs(t->reader, &a.p, &q, 0, &pairs), OK);
        sqlite3_bind_int(reads, 1, q.from_camera);
        sqlite3_bind_text(reads, 2, q.plate, -1, SQLITE_STATIC);
        sqlite3_bind_int64(reads, 3, q.within_ms);
        sqlite3_bind_int(reads, 4, q.to_camera);
        sqlite3_bind_int64(reads, 5, a.p.from_ms);
        sqlite3_bind_int64(reads, 6, a.p.to_ms);
        uint64_t n = 0;
        for (; sqlite3_step(reads) == SQLITE_ROW; n++) {
            if (n >= pairs.n) continue;
            const struct route_pair *p = &pairs.pair[n];
            assert_int_equal(p->from_id, sqlite3_column_int64(reads, 0));
            assert_int_equal(p->to_id, sqlite3_column_int64(reads, 1));
            assert_int_equal(p->from_ms, sqlite3_column_int64(reads, 2));
            assert_int_equal(p->to_ms, sqlite3_column_int64(reads, 3));
            assert_int_equal(p->to_camera, sqlite3_column_int(reads, 4));
        }
        sqlite3_reset(reads);
        assert_int_equal(pairs.total, n);
        assert_int_equal(pairs.n, n < q.limit ? n : q.limit);
        found += n;
        route_pairs_fini(&pairs);
    }
    sqlite3_finalize(reads);
    sqlite3_finalize(often);
    if (found < 20) fail_msg("only %u pairs: nothing was compared", (unsigned)found);
}
static void a_plate_here_then_elsewhere_equals_a_plain_join(void **state) {
    check_pairs(*state, false);
}
static void any_plate_here_then_there_equals_a_plain_join(void **state) {
    check_pairs(*state, true);
}

static void facets_equal_a_plain_scan(void **state) {
    struct truth *t = *state;
    static char sql[16384];
    struct asked a;
    for (unsigned i = 0; i < 15; i++) {
        uint32_t numbers[24];
        uint64_t counts[24];
        asked_make(i % 2 ? ASKED_Q1 : ASKED_NOT, i, &t->sample, &a);
        for (unsigned k = 0; k < 24; k++)
            numbers[k] =
                vocab_number(k < 12 ? FIELD_VEHICLE_COLOUR : FIELD_ACCESSORY, GEN_FIRST + k % 12, i % 3 == 0);
        assert_int_equal(index_facets(t->reader, &a.p, &a.q, numbers, 24, counts), OK);
        for (unsigned k = 0; k < 20; k += 3) {
            sqlite3_stmt *st = NULL;
            struct query_group g = {.n_terms = 1};
            g.term[0].field = k < 12 ? FIELD_VEHICLE_COLOUR : FIELD_ACCESSORY;
            g.term[0].id = (uint16_t)(GEN_FIRST + k % 12);
            snprintf(sql, sizeof sql, "SELECT count(*) FROM ref");
            sql_where(t, &a, sql, sizeof sql);
            add(sql, sizeof sql, " AND ");
            sql_terms(sql, sizeof sql, &g, i % 3 == 0);
            assert_int_equal(sqlite3_prepare_v2(t->db, sql, -1, &st, NULL), SQLITE_OK);
            assert_int_equal(sqlite3_step(st), SQLITE_ROW);
            assert_int_equal(counts[k], sqlite3_column_int64(st, 0));
            sqlite3_finalize(st);
        }
    }
}

static void several_segments_in_one_hour_equal_a_plain_scan(void **state) {
    (void)state;
    void *inner = NULL;
    assert_int_equal(truth_open(&inner, GEN_ONE_HOUR, 90000), 0);
    check_kind(inner, ASKED_Q9, 10);
    check_kind(inner, ASKED_SCORE, 10);
    check_kind(inner, ASKED_Q2, 10);
    truth_close(&inner);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class_and_colour_equal_a_plain_scan),
        cmocka_unit_test(forty_cameras_equal_a_plain_scan),
        cmocka_unit_test(person_with_backpack_equals_a_plain_scan),
        cmocka_unit_test(exact_plate_equals_a_plain_scan),
        cmocka_unit_test(plate_pattern_equals_a_plain_scan),
        cmocka_unit_test(fuzzy_plate_equals_a_plain_scan),
        cmocka_unit_test(rare_things_equal_a_plain_scan),
        cmocka_unit_test(common_things_on_deep_pages_equal_a_plain_scan),
        cmocka_unit_test(sure_values_equal_a_plain_scan),
        cmocka_unit_test(negation_equals_a_plain_scan),
        cmocka_unit_test(only_equals_a_plain_scan),
        cmocka_unit_test(score_order_equals_a_plain_scan),
        cmocka_unit_test(durations_equal_a_plain_scan),
        cmocka_unit_test(directions_equal_a_plain_scan),
        cmocka_unit_test(drawn_area_equals_a_plain_scan),
        cmocka_unit_test(daily_bands_oldest_first_equal_a_plain_scan),
        cmocka_unit_test(together_with_equals_a_plain_scan),
        cmocka_unit_test(ranked_plates_equal_a_plain_scan),
        cmocka_unit_test(nearest_vectors_equal_a_plain_scan),
        cmocka_unit_test(a_plate_here_then_elsewhere_equals_a_plain_join),
        cmocka_unit_test(any_plate_here_then_there_equals_a_plain_join),
        cmocka_unit_test(facets_equal_a_plain_scan),
        cmocka_unit_test(several_segments_in_one_hour_equal_a_plain_scan),
    };
    return cmocka_run_group_tests(tests, open_dense, truth_close);
}
