/* SPDX-License-Identifier: Apache-2.0 */
/* bench_index_peers.c - the same sightings in plain B-tree SQLite and in PostgreSQL 15. Both hold the best
 * value of each field only, with the composite indexes one would make for these queries. Each answer = exact
 * count per hour (whose sum is the total) and the newest 50 rows. */
#include <libpq-fe.h>
#include <math.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/base/clock.h"
#include "tests/bench/bench_index.h"

#define HOUR_MS INT64_C(3600000)

const char *const peer_indexes[] = {
    "CREATE INDEX s_start ON s(start_ms)",
    "CREATE INDEX s_vehicle ON s(class, vehicle_colour, start_ms, camera_id)",
    "CREATE INDEX s_person ON s(class, upper_colour, start_ms, camera_id, accessories)",
    "CREATE INDEX s_camera ON s(camera_id, start_ms)",
    NULL,
};

static int64_t best(const struct sighting *s, enum field f) {
    for (unsigned i = 0; i < s->n_attributes; i++)
        if (s->attributes[i].field == f) return s->attributes[i].value[0].id;
    return 0;
}

void peer_row_of(const struct sighting *s, uint64_t id, struct peer_row *out) {
    int64_t accessories = 0;
    for (unsigned i = 0; i < s->n_attributes; i++)
        if (s->attributes[i].field == FIELD_ACCESSORY)
            accessories |= INT64_C(1) << s->attributes[i].value[0].id;
    const int64_t v[] = {(int64_t)id,
                         s->start_ms,
                         s->end_ms - s->start_ms,
                         s->camera_number,
                         s->class_id,
                         s->confidence,
                         best(s, FIELD_VEHICLE_COLOUR),
                         best(s, FIELD_VEHICLE_TYPE),
                         best(s, FIELD_MAKE_MODEL),
                         best(s, FIELD_UPPER_COLOUR),
                         best(s, FIELD_UPPER_KIND),
                         best(s, FIELD_LOWER_COLOUR),
                         best(s, FIELD_LOWER_KIND),
                         accessories};
    memcpy(out->v, v, sizeof v);
    memcpy(out->plate, s->plate.text, sizeof out->plate);
}

static void add(char *sql, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void add(char *sql, size_t size, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    size_t at = strlen(sql);
    vsnprintf(sql + at, size - at, fmt, args);
    va_end(args);
}

static const char *column(unsigned field) {
    switch (field) {
    case FIELD_CLASS:
        return "class";
    case FIELD_VEHICLE_COLOUR:
        return "vehicle_colour";
    case FIELD_UPPER_COLOUR:
        return "upper_colour";
    case FIELD_LOWER_COLOUR:
        return "lower_colour";
    default:
        return NULL;
    }
}

bool peer_where(const struct asked *a, char *out, size_t size) {
    const struct query *q = &a->q;
    int64_t from = q->n_periods ? q->period[0].from_ms : a->p.from_ms,
            to = q->n_periods ? q->period[0].to_ms : a->p.to_ms;
    out[0] = '\0';
    if (q->plate_mode == QUERY_PLATE_FUZZY || q->like_id) return false;
    add(out, size, "start_ms >= %lld AND start_ms < %lld", (long long)from, (long long)to);
    for (unsigned i = 0; i < q->n_cameras; i++)
        add(out, size, "%s%u%s", i ? "," : " AND camera_id IN (", q->cameras[i],
            i + 1 == q->n_cameras ? ")" : "");
    for (unsigned i = 0; i < q->n_groups; i++) {
        const struct query_group *g = &q->group[i];
        if (g->term[0].field == FIELD_ACCESSORY) {
            add(out, size, " AND accessories & %llu <> 0", 1ULL << g->term[0].id);
            continue;
        }
        const char *name = column(g->term[0].field);
        if (!name) return false;
        for (unsigned k = 0; k < g->n_terms; k++)
            add(out, size, "%s%s%s%u%s", k ? "," : " AND ", k ? "" : name, k ? "" : " IN (", g->term[k].id,
                k + 1 == g->n_terms ? ")" : "");
    }
    if (q->plate_mode == QUERY_PLATE_EXACT) add(out, size, " AND plate = '%s'", q->plate);
    return true;
}

static bool measured(enum asked_kind k) {
    return k == ASKED_Q1 || k == ASKED_Q2 || k == ASKED_Q3 || k == ASKED_Q4 || k == ASKED_Q5 ||
           k == ASKED_Q8 || k == ASKED_Q9;
}

/* Slow ones get fewer instances: a peer needs minutes for what the goals ask 200 of. */
static unsigned peer_instances(const struct bench *b, enum asked_kind k) {
    unsigned n = k == ASKED_Q9 || k == ASKED_Q5 || k == ASKED_Q8 ? 10 : 60;
    return n < b->instances ? n : b->instances;
}

typedef void peer_query(void *arg, const char *count_sql, const char *page_sql, double *cpu_ms);

static void run_queries(struct bench *b, struct peer *out, bool glob, peer_query *fn, void *arg) {
    static char where[8192], count_sql[9000], page_sql[9000];
    for (unsigned k = 0; k < ASKED_KINDS; k++) {
        struct times cpu = {0}, wall = {0};
        out->cpu_p50_ms[k] = out->cpu_p99_ms[k] = out->wall_p50_ms[k] = out->wall_p99_ms[k] = NAN;
        if (!measured((enum asked_kind)k)) continue;
        for (unsigned i = 0; i < peer_instances(b, (enum asked_kind)k); i++) {
            struct asked a;
            double cpu_ms;
            asked_make((enum asked_kind)k, i, &b->sample, &a);
            a.q.offset = (unsigned)((uint64_t)a.q.offset * b->peer_rows / 10000000);
            if (!peer_where(&a, where, sizeof where)) continue;
            if (a.q.plate_mode == QUERY_PLATE_PATTERN) {
                if (!glob)
                    for (char *c = a.q.plate; *c; c++) *c = *c == '?' ? '_' : *c == '*' ? '%' : *c;
                add(where, sizeof where, " AND plate %s '%s'", glob ? "GLOB" : "LIKE", a.q.plate);
            }
            snprintf(count_sql, sizeof count_sql,
                     "SELECT start_ms / 3600000, count(*) FROM s WHERE %s GROUP BY 1", where);
            snprintf(page_sql, sizeof page_sql,
                     "SELECT * FROM s WHERE %s ORDER BY start_ms DESC, id DESC LIMIT 50 OFFSET %u", where,
                     a.q.offset);
            uint64_t t0 = clock_mono_ns();
            fn(arg, count_sql, page_sql, &cpu_ms);
            times_add(&wall, (double)(clock_mono_ns() - t0) / 1e6);
            times_add(&cpu, cpu_ms);
        }
        if (cpu.n) {
            out->cpu_p50_ms[k] = times_at(&cpu, 0.5);
            out->cpu_p99_ms[k] = times_at(&cpu, 0.99);
            out->wall_p50_ms[k] = times_at(&wall, 0.5);
            out->wall_p99_ms[k] = times_at(&wall, 0.99);
        }
        times_fini(&cpu);
        times_fini(&wall);
    }
}

/* ---- SQLite
 * --------------------------------------------------------------------------------------------------------------
 */

static void must(int ok, const char *what) {
    if (ok) return;
    fprintf(stderr, "bench-index: %s failed\n", what);
    exit(2);
}

static void drain(sqlite3 *db, const char *sql) {
    sqlite3_stmt *st = NULL;
    must(sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK, sql);
    while (sqlite3_step(st) == SQLITE_ROW) (void)sqlite3_column_bytes(st, 0);
    sqlite3_finalize(st);
}

static void sqlite_query(void *arg, const char *count_sql, const char *page_sql, double *cpu_ms) {
    uint64_t t0 = clock_thread_cpu_ns();
    drain(arg, count_sql);
    drain(arg, page_sql);
    *cpu_ms = (double)(clock_thread_cpu_ns() - t0) / 1e6;
}

static uint64_t sqlite_fill(struct bench *b, sqlite3 *db) {
    sqlite3_stmt *st = NULL;
    struct sighting s;
    struct peer_row row;
    uint64_t spent = 0, n = 0;
    struct gen *g = gen_new(&(struct gen_config){.shape = b->shape, .rows = b->peer_rows, .seed = b->seed});
    must(g != NULL, "generator");
    must(sqlite3_prepare_v2(db, "INSERT INTO s VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", -1, &st, NULL) ==
             SQLITE_OK,
         "insert");
    for (; gen_next(g, &s); n++) {
        peer_row_of(&s, n, &row);
        uint64_t t0 = clock_thread_cpu_ns();
        if (n % 1000 == 0)
            must(sqlite3_exec(db, n ? "COMMIT; BEGIN" : "BEGIN", NULL, NULL, NULL) == SQLITE_OK, "commit");
        for (int i = 0; i < PEER_N_COLUMNS - 1; i++) sqlite3_bind_int64(st, i + 1, row.v[i]);
        if (row.plate[0])
            sqlite3_bind_text(st, PEER_N_COLUMNS, row.plate, -1, SQLITE_STATIC);
        else
            sqlite3_bind_null(st, PEER_N_COLUMNS);
        must(sqlite3_step(st) == SQLITE_DONE, "insert");
        sqlite3_reset(st);
        spent += clock_thread_cpu_ns() - t0;
    }
    must(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK, "commit");
    sqlite3_finalize(st);
    gen_free(&g);
    return spent;
}

void peer_sqlite(struct bench *b, struct peer *out) {
    char path[4200];
    sqlite3 *db;
    *out = (struct peer){.name = "B-tree SQLite", .ran = true};
    snprintf(path, sizeof path, "%s/peer.db", b->dir);
    must(sqlite3_open(path, &db) == SQLITE_OK, "open");
    must(
        sqlite3_exec(
            db,
            "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA "
            "mmap_size=2147418112; PRAGMA cache_size=-65536; CREATE TABLE s(id INTEGER PRIMARY KEY, start_ms "
            "INTEGER, duration_ms INTEGER, camera_id INTEGER, class INTEGER, confidence INTEGER, "
            "vehicle_colour "
            "INTEGER, vehicle_type INTEGER, make_model INTEGER, upper_colour INTEGER, upper_type INTEGER, "
            "lower_colour INTEGER, lower_type INTEGER, accessories INTEGER, plate TEXT) STRICT",
            NULL, NULL, NULL) == SQLITE_OK,
        "schema");
    for (unsigned i = 0; peer_indexes[i]; i++)
        must(sqlite3_exec(db, peer_indexes[i], NULL, NULL, NULL) == SQLITE_OK, "index");
    must(sqlite3_exec(db, "CREATE INDEX s_plate ON s(plate) WHERE plate IS NOT NULL", NULL, NULL, NULL) ==
             SQLITE_OK,
         "index");
    uint64_t spent = sqlite_fill(b, db);
    out->rows_per_cpu_s = (double)b->peer_rows * 1e9 / (double)spent;
    must(sqlite3_exec(db, "ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) == SQLITE_OK,
         "analyze");
    sqlite3_stmt *st = NULL;
    must(sqlite3_prepare_v2(db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", -1,
                            &st, NULL) == SQLITE_OK &&
             sqlite3_step(st) == SQLITE_ROW,
         "size");
    out->bytes_per_row = (double)sqlite3_column_int64(st, 0) / (double)b->peer_rows;
    sqlite3_finalize(st);
    run_queries(b, out, true, sqlite_query, db);
    sqlite3_close(db);
    unlink(path);
}

/* ---- PostgreSQL
 * ------------------------------------------------------------------------------------------------------- */

struct pg {
    PGconn *c;
    int pid;
};

static void pg_run(struct pg *p, const char *sql) {
    PGresult *r = PQexec(p->c, sql);
    ExecStatusType s = PQresultStatus(r);
    if (s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK) {
        fprintf(stderr, "bench-index: PostgreSQL: %s: %s\n", sql, PQerrorMessage(p->c));
        exit(2);
    }
    PQclear(r);
}

/* CPU time of the backend that answers us, from the scheduler's own count. */
static double pg_cpu_ms(const struct pg *p) {
    char path[64];
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/%d/schedstat", p->pid);
    FILE *f = fopen(path, "r");
    if (f) {
        if (fscanf(f, "%llu", &ns) != 1) ns = 0;
        fclose(f);
    }
    return (double)ns / 1e6;
}

static void pg_query(void *arg, const char *count_sql, const char *page_sql, double *cpu_ms) {
    struct pg *p = arg;
    double before = pg_cpu_ms(p);
    pg_run(p, count_sql);
    pg_run(p, page_sql);
    *cpu_ms = pg_cpu_ms(p) - before;
}

static void pg_fill(struct bench *b, struct pg *p) {
    struct sighting s;
    struct peer_row row;
    char line[512];
    uint64_t n = 0;
    struct gen *g = gen_new(&(struct gen_config){.shape = b->shape, .rows = b->peer_rows, .seed = b->seed});
    must(g != NULL, "generator");
    PGresult *r = PQexec(p->c, "COPY s FROM STDIN");
    must(PQresultStatus(r) == PGRES_COPY_IN, "COPY");
    PQclear(r);
    for (; gen_next(g, &s); n++) {
        peer_row_of(&s, n, &row);
        line[0] = '\0';
        for (unsigned i = 0; i < PEER_N_COLUMNS - 1; i++)
            add(line, sizeof line, "%lld\t", (long long)row.v[i]);
        add(line, sizeof line, "%s\n", row.plate[0] ? row.plate : "\\N");
        must(PQputCopyData(p->c, line, (int)strlen(line)) == 1, "COPY");
    }
    must(PQputCopyEnd(p->c, NULL) == 1, "COPY");
    while ((r = PQgetResult(p->c)) != NULL) {
        must(PQresultStatus(r) == PGRES_COMMAND_OK, "COPY");
        PQclear(r);
    }
    gen_free(&g);
}

void peer_postgres(struct bench *b, struct peer *out) {
    *out = (struct peer){.name = "PostgreSQL 15"};
    if (!b->postgres) return;
    struct pg p = {.c = PQconnectdb(b->postgres)};
    if (PQstatus(p.c) != CONNECTION_OK) {
        fprintf(stderr, "bench-index: PostgreSQL: %s\n", PQerrorMessage(p.c));
        exit(2);
    }
    p.pid = PQbackendPID(p.c);
    out->ran = true;
    pg_run(&p, "CREATE EXTENSION IF NOT EXISTS pg_trgm");
    pg_run(&p, "SET client_min_messages = error");
    pg_run(&p, "DROP TABLE IF EXISTS s");
    pg_run(&p, "CREATE TABLE s(id bigint, start_ms bigint, duration_ms int, camera_id int, class int, "
               "confidence int, "
               "vehicle_colour int, vehicle_type int, make_model int, upper_colour int, upper_type int, "
               "lower_colour int, "
               "lower_type int, accessories bigint, plate text)");
    double before = pg_cpu_ms(&p);
    pg_fill(b, &p);
    pg_run(&p, "SET maintenance_work_mem = '256MB'");
    for (unsigned i = 0; peer_indexes[i]; i++) pg_run(&p, peer_indexes[i]);
    pg_run(&p, "CREATE INDEX s_plate ON s(plate) WHERE plate IS NOT NULL");
    pg_run(&p, "CREATE INDEX s_trigram ON s USING gin(plate gin_trgm_ops) WHERE plate IS NOT NULL");
    out->rows_per_cpu_s = (double)b->peer_rows * 1e3 / (pg_cpu_ms(&p) - before);
    pg_run(&p, "VACUUM ANALYZE s");
    pg_run(&p, "SET work_mem = '64MB'");
    pg_run(&p, "SET max_parallel_workers_per_gather = 0");
    PGresult *r = PQexec(p.c, "SELECT pg_total_relation_size('s')");
    must(PQntuples(r) == 1, "size");
    out->bytes_per_row = strtod(PQgetvalue(r, 0, 0), NULL) / (double)b->peer_rows;
    PQclear(r);
    run_queries(b, out, false, pg_query, &p);
    pg_run(&p, "DROP TABLE s");
    PQfinish(p.c);
}
