/* SPDX-License-Identifier: Apache-2.0 */
/* bench_index.c - make bench-index: fills an index with seeded sightings and measures every goal of the index
 * on it, the peers beside it. One table; exit status 1 when a goal is missed. CPU = clock of the thread that
 * answers. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/base/clock.h"
#include "host/index/bits.h"
#include "host/index/index.h"
#include "host/index/route.h"
#include "tests/bench/bench_index.h"

#define HOUR_MS INT64_C(3600000)
enum { FILL_BATCH = 10000, APPEND_BATCH = 1000, APPEND_ROWS = 100000 };

static void must(enum err e, const char *what) {
    if (!e) return;
    fprintf(stderr, "bench-index: %s: %s\n", what, err_text(e));
    exit(2);
}

/* ---- numbers
 * --------------------------------------------------------------------------------------------------------------
 */

void times_add(struct times *t, double ms) {
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 256;
        t->ms = realloc(t->ms, t->cap * sizeof *t->ms);
        if (!t->ms) must(ERR_NOMEM, "times");
    }
    t->ms[t->n++] = ms;
}
static int double_order(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}
double times_at(struct times *t, double share) {
    if (t->n == 0) return NAN;
    qsort(t->ms, t->n, sizeof *t->ms, double_order);
    size_t i = (size_t)(share * (double)t->n);
    return t->ms[i < t->n ? i : t->n - 1];
}
void times_fini(struct times *t) {
    free(t->ms);
    memset(t, 0, sizeof *t);
}

void bench_row(struct bench *b, const char *what, double measured, const char *unit, double limit, bool most,
               const char *note) {
    const char *verdict = "";
    char goal[32] = "-";
    if (limit >= 0) {
        bool ok = most ? measured <= limit : measured >= limit;
        verdict = ok ? "ok" : "MISSED";
        if (!ok) b->failed = true;
        snprintf(goal, sizeof goal, "%s %.6g", most ? "<=" : ">=", limit);
    }
    printf("| %-44s | %11.6g | %-10s | %-11s | %-6s | %s\n", what, measured, unit, goal, verdict, note);
    fflush(stdout);
}

/* ---- filling
 * -----------------------------------------------------------------------------------------------------------------
 */

struct fill {
    struct index_writer *w;
    uint64_t cpu_ns, rows;
    unsigned batch;
};

static void fill_add(struct fill *f, struct sighting *s) {
    uint64_t t0 = clock_thread_cpu_ns();
    must(index_sighting_add(f->w, s), "add");
    if (++f->rows % f->batch == 0) must(index_commit(f->w), "commit");
    f->cpu_ns += clock_thread_cpu_ns() - t0;
}
static double fill_rate(struct fill *f) {
    uint64_t t0 = clock_thread_cpu_ns();
    must(index_commit(f->w), "commit");
    f->cpu_ns += clock_thread_cpu_ns() - t0;
    return (double)f->rows * 1e9 / (double)f->cpu_ns;
}

static double fill_all(struct bench *b, struct index_writer *w) {
    struct sighting s;
    struct fill f = {.w = w, .batch = FILL_BATCH};
    struct gen *g =
        gen_new(&(struct gen_config){.shape = b->shape, .rows = b->rows, .seed = b->seed, .vectors = true});
    uint64_t every = b->rows / BENCH_PLATES + 1;
    if (!g) must(ERR_NOMEM, "generator");
    while (gen_next(g, &s)) {
        fill_add(&f, &s);
        if (f.rows % every == 0 && s.plate.n_chars && b->sample.n_plates < BENCH_PLATES)
            memcpy(b->plate[b->sample.n_plates++], s.plate.text, sizeof b->plate[0]);
        if (f.rows % every == 0 && s.has_likeness && b->sample.n_vehicles < BENCH_PLATES)
            b->vehicle[b->sample.n_vehicles++] = s.id;
    }
    gen_free(&g);
    b->sample.plate = (const char(*)[17])b->plate;
    b->sample.vehicle = b->vehicle;
    return fill_rate(&f);
}

/* More of the same at the end of the file: what an import does to a full one. */
static double append(struct bench *b, struct index_writer *w, unsigned days_on, bool vectors) {
    struct sighting s;
    struct fill f = {.w = w, .batch = APPEND_BATCH};
    struct gen *g = gen_new(
        &(struct gen_config){.shape = b->shape, .rows = b->rows, .seed = b->seed + 1, .vectors = vectors});
    int64_t moved = (int64_t)days_on * 24 * HOUR_MS;
    if (!g) must(ERR_NOMEM, "generator");
    while (f.rows < APPEND_ROWS && gen_next(g, &s)) {
        s.start_ms += moved;
        s.end_ms += moved;
        s.best_ms += moved;
        for (unsigned i = 0; i < s.n_path; i++) s.path[i].at_ms += moved;
        fill_add(&f, &s);
    }
    gen_free(&g);
    return fill_rate(&f);
}

/* Sizes and rates per sighting mean something only at the density of a full index: below it, hours are nearly
 * empty and each costs a blob per value. */
static bool full(const struct bench *b) {
    return b->rows >= 10000000 || b->shape != GEN_SPARSE;
}

static double path_bytes(const struct bench *b) {
    char path[4200];
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    double n = NAN;
    snprintf(path, sizeof path, "%s/index.db", b->dir);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT sum(length(path)) FROM sighting", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_double(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

static uint64_t file_bytes(const struct bench *b, const char *name) {
    char path[4200];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", b->dir, name);
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* ---- queries
 * ----------------------------------------------------------------------------------------------------------------
 */

static void scale_offset(const struct bench *b, struct asked *a) {
    a->q.offset = (unsigned)((uint64_t)a->q.offset * b->rows / 10000000);
}

static double limit_of(enum asked_kind k, double candidates) {
    if (k == ASKED_Q7E) return 90;
    if (k >= ASKED_Q7A && candidates > 500000) return 25;
    return 10;
}

static void one_query(struct bench *b, struct index_reader *r, enum asked_kind k, const struct peer *peers) {
    struct times cpu = {0}, wall = {0};
    double most = 0;
    char what[64], note[256] = "";
    unsigned n = k == ASKED_Q7E ? 10 : b->instances;
    for (unsigned i = 0; i < n + 5; i++) {
        struct asked a;
        struct index_result out;
        asked_make(k, i, &b->sample, &a);
        scale_offset(b, &a);
        if (k >= ASKED_Q7A && !a.q.like_id) continue;
        uint64_t w0 = clock_mono_ns(), c0 = clock_thread_cpu_ns();
        must(index_search(r, &a.p, &a.q, 0, &out), asked_name[k]);
        double c = (double)(clock_thread_cpu_ns() - c0) / 1e6, w = (double)(clock_mono_ns() - w0) / 1e6;
        if ((double)out.total > most) most = (double)out.total;
        index_result_fini(&out);
        if (i < 5) continue; /* warm */
        times_add(&cpu, c);
        times_add(&wall, w);
    }
    snprintf(what, sizeof what, "%s, p99", asked_name[k]);
    snprintf(note, sizeof note, "p50 %.2f, most hits %.0f, wall p50 %.2f p99 %.2f", times_at(&cpu, 0.5), most,
             times_at(&wall, 0.5), times_at(&wall, 0.99));
    for (unsigned i = 0; i < 2; i++)
        if (peers[i].ran && !isnan(peers[i].cpu_p50_ms[k]))
            snprintf(note + strlen(note), sizeof note - strlen(note), "; %s CPU %.1f / %.1f", peers[i].name,
                     peers[i].cpu_p50_ms[k], peers[i].cpu_p99_ms[k]);
    bench_row(b, what, times_at(&cpu, 0.99), "CPU-ms", limit_of(k, most), true, note);
    times_fini(&cpu);
    times_fini(&wall);
}

static void facets(struct bench *b, struct index_reader *r) {
    struct times cpu = {0};
    for (unsigned i = 0; i < b->instances; i++) {
        struct asked a;
        uint32_t numbers[40];
        uint64_t counts[40];
        asked_make(ASKED_Q1, i, &b->sample, &a);
        for (unsigned k = 0; k < 40; k++)
            numbers[k] =
                vocab_number(k < 20 ? FIELD_VEHICLE_COLOUR : FIELD_VEHICLE_TYPE, GEN_FIRST + k % 20, false);
        uint64_t t0 = clock_thread_cpu_ns();
        must(index_facets(r, &a.p, &a.q, numbers, 40, counts), "facets");
        times_add(&cpu, (double)(clock_thread_cpu_ns() - t0) / 1e6);
    }
    char note[64];
    snprintf(note, sizeof note, "p50 %.2f", times_at(&cpu, 0.5));
    bench_row(b, "facets of Q1, 40 values, p99", times_at(&cpu, 0.99), "CPU-ms", -1, true, note);
    times_fini(&cpu);
}

/* Q10: a plate at A, then elsewhere within ten minutes. Q10b: any plate at A, then at B. */
static void routes(struct bench *b, struct index_reader *r, bool any_plate) {
    struct times cpu = {0}, wall = {0};
    uint64_t most = 0;
    for (unsigned i = 0; i < b->instances; i++) {
        struct asked a;
        struct gen_random rnd = {gen_mix(i + (any_plate ? 500000u : 0u))};
        struct route_pairs pairs = {0};
        asked_make(any_plate ? ASKED_Q1 : ASKED_Q4, i, &b->sample, &a);
        struct route_pair_query q = {
            .from_camera = (uint16_t)gen_below(&rnd, 60), .within_ms = 600000, .limit = 50};
        q.to_camera = any_plate ? (int)gen_below(&rnd, 60) : -1;
        if (q.to_camera == q.from_camera) q.to_camera++;
        if (!any_plate) snprintf(q.plate, sizeof q.plate, "%s", a.q.plate);
        if (any_plate) { /* mixed range, at most 24 h */
            a.p.from_ms = (GEN_FIRST_HOUR + gen_below(&rnd, 29 * 24)) * HOUR_MS;
            a.p.to_ms = a.p.from_ms + (gen_below(&rnd, 3) ? 24 : 1) * HOUR_MS;
        }
        uint64_t w0 = clock_mono_ns(), t0 = clock_thread_cpu_ns();
        must(index_route_pairs(r, &a.p, &q, 0, &pairs), "route");
        times_add(&cpu, (double)(clock_thread_cpu_ns() - t0) / 1e6);
        times_add(&wall, (double)(clock_mono_ns() - w0) / 1e6);
        if (pairs.total > most) most = pairs.total;
        route_pairs_fini(&pairs);
    }
    char note[128];
    snprintf(note, sizeof note, "p50 %.2f, most pairs %llu, wall p99 %.2f", times_at(&cpu, 0.5),
             (unsigned long long)most, times_at(&wall, 0.99));
    bench_row(b, any_plate ? "Q10b any plate at A, then B, p99" : "Q10 plate at A, then elsewhere, p99",
              times_at(&cpu, 0.99), "CPU-ms", 10, true, note);
    times_fini(&cpu);
    times_fini(&wall);
}

/* ---- 22 at once
 * -------------------------------------------------------------------------------------------------------------
 */

struct client {
    pthread_t thread;
    struct bench *b;
    unsigned number, queries;
    struct times wall;
};

static void *client_run(void *arg) {
    static const enum asked_kind mix[] = {ASKED_Q1, ASKED_Q2, ASKED_Q3, ASKED_Q1, ASKED_Q2, ASKED_Q4,
                                          ASKED_Q5, ASKED_Q6, ASKED_Q8, ASKED_Q9, ASKED_Q2, ASKED_Q3};
    struct client *c = arg;
    struct index_reader *r;
    must(index_reader_open(c->b->dir, NULL, &r), "reader");
    struct timespec pause = {0, 200000000};
    for (unsigned i = 0; i < c->queries + 3; i++) {
        struct asked a;
        struct index_result out;
        asked_make(mix[(i + c->number) % (sizeof mix / sizeof *mix)], i * 31 + c->number * 1000,
                   &c->b->sample, &a);
        scale_offset(c->b, &a);
        nanosleep(&pause, NULL);
        uint64_t t0 = clock_mono_ns();
        must(index_search(r, &a.p, &a.q, 0, &out), "search");
        if (i >= 3) times_add(&c->wall, (double)(clock_mono_ns() - t0) / 1e6);
        index_result_fini(&out);
    }
    index_reader_close(&r);
    return NULL;
}

static void clients(struct bench *b) {
    struct client c[BENCH_CLIENTS];
    struct times all = {0};
    for (unsigned i = 0; i < BENCH_CLIENTS; i++) {
        c[i] = (struct client){.b = b, .number = i, .queries = 60};
        if (pthread_create(&c[i].thread, NULL, client_run, &c[i]) != 0) must(ERR_NOMEM, "thread");
    }
    for (unsigned i = 0; i < BENCH_CLIENTS; i++) {
        (void)pthread_join(c[i].thread, NULL);
        for (size_t k = 0; k < c[i].wall.n; k++) times_add(&all, c[i].wall.ms[k]);
        times_fini(&c[i].wall);
    }
    char note[64];
    snprintf(note, sizeof note, "p50 %.2f, %zu queries", times_at(&all, 0.5), all.n);
    bench_row(b, "22 clients, 200 ms think time, p99", times_at(&all, 0.99), "wall-ms", 50, true, note);
    times_fini(&all);
}

/* ---- start and memory
 * ----------------------------------------------------------------------------------------------------------
 */

static double status_mb(const char *file, const char *key) {
    char line[256];
    double kb = NAN;
    FILE *f = fopen(file, "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, key, strlen(key)) == 0) kb = strtod(line + strlen(key), NULL);
    if (f) fclose(f);
    return kb / 1024;
}

/* The most that the process held after any of these queries, twenty of each kind. */
static double most_memory(struct bench *b, struct index_reader *r, enum asked_kind last) {
    double most = 0;
    for (unsigned k = 0; k <= last; k++)
        for (unsigned i = 0; i < 20 && (k < ASKED_Q7E || i < 3); i++) {
            struct asked a;
            struct index_result out;
            asked_make((enum asked_kind)k, i, &b->sample, &a);
            if (k >= ASKED_Q7A && !a.q.like_id) continue;
            if (k == ASKED_TOGETHER && !a.q.together_id) continue;
            scale_offset(b, &a);
            must(index_search(r, &a.p, &a.q, 0, &out), "search");
            index_result_fini(&out);
            double now = status_mb("/proc/self/status", "VmRSS:");
            if (now > most) most = now;
        }
    return most;
}

/* In a process of its own, the file not in memory: what a server meets after a start. */
static void first_query(struct bench *b) {
    int pipe_fd[2];
    double got[6] = {0};
    char path[4200];
    if (pipe(pipe_fd) != 0) must(ERR_IO, "pipe");
    snprintf(path, sizeof path, "%s/index.db", b->dir);
    int fd = open(path, O_RDONLY);
    if (fd >= 0) {
        (void)fdatasync(fd);
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        close(fd);
    }
    pid_t pid = fork();
    if (pid == 0) {
        struct index_reader *r;
        struct asked a;
        struct index_result out;
        (void)malloc_trim(0); /* what the parent no longer needs is not the reader's */
        uint64_t t0 = clock_mono_ns();
        must(index_reader_open(b->dir, NULL, &r), "reader");
        got[0] = (double)(clock_mono_ns() - t0) / 1e6;
        asked_make(ASKED_Q2, 7, &b->sample, &a);
        t0 = clock_mono_ns();
        must(index_search(r, &a.p, &a.q, 0, &out), "search");
        got[1] = (double)(clock_mono_ns() - t0) / 1e6;
        index_result_fini(&out);
        got[2] = most_memory(b, r, ASKED_Q9);
        t0 = clock_mono_ns();
        must(index_reader_ready_likeness(r), "likeness");
        got[4] = (double)(clock_mono_ns() - t0) / 1e6;
        got[5] = most_memory(b, r, ASKED_Q7E);
        got[3] = status_mb("/proc/self/status", "RssAnon:");
        if (write(pipe_fd[1], got, sizeof got) != sizeof got) _exit(1);
        _exit(0);
    }
    close(pipe_fd[1]);
    if (read(pipe_fd[0], got, sizeof got) != sizeof got) must(ERR_IO, "child");
    close(pipe_fd[0]);
    (void)waitpid(pid, NULL, 0);
    char note[128];
    snprintf(note, sizeof note, "reading ahead took %.0f ms", got[0]);
    bench_row(b, "first query after start", got[1], "wall-ms", 50, true, note);
    bench_row(b, "memory of a process with one reader", got[2], "MB", 600, true, "the most after any query");
    snprintf(note, sizeof note, "of it %.0f MB heap; made ready in %.0f ms", got[3], got[4]);
    bench_row(b, "the same with likeness in memory", got[5], "MB", 600, true, note);
}

/* ---- purge
 * ---------------------------------------------------------------------------------------------------------------------
 */

/* Days that get pictures too, so that all of the derived data is there to be erased. */
static void purge(struct bench *b) {
    enum { DAY_ROWS = 333000 };
    struct index_writer *w;
    struct purge_receipt receipt;
    struct sighting s;
    static uint8_t jpeg[1000];
    memset(jpeg, 0xA5, sizeof jpeg);
    must(index_writer_open(b->dir, NULL, &w), "writer");
    struct gen *g = gen_new(&(struct gen_config){
        .shape = b->shape, .rows = (uint64_t)DAY_ROWS * 30, .seed = b->seed + 9, .vectors = true});
    uint64_t n = 0;
    int64_t moved = 0;
    if (!g) must(ERR_NOMEM, "generator");
    while (n < DAY_ROWS && gen_next(g, &s)) {
        if (n == 0) moved = (GEN_FIRST_HOUR - 24 * 40) * HOUR_MS - s.start_ms / HOUR_MS * HOUR_MS;
        s.start_ms += moved;
        s.end_ms += moved;
        s.best_ms += moved;
        for (unsigned i = 0; i < s.n_path; i++) s.path[i].at_ms += moved;
        s.thumbnail_jpeg = jpeg;
        s.thumbnail_bytes = sizeof jpeg;
        must(index_sighting_add(w, &s), "add");
        if (++n % FILL_BATCH == 0) must(index_commit(w), "commit");
    }
    must(index_commit(w), "commit");
    gen_free(&g);
    uint64_t t0 = clock_thread_cpu_ns(), w0 = clock_mono_ns();
    must(index_purge_before(w, -1, (GEN_FIRST_HOUR - 24) * HOUR_MS, NULL, &receipt), "purge");
    double cpu = (double)(clock_thread_cpu_ns() - t0) / 1e9, wall = (double)(clock_mono_ns() - w0) / 1e9;
    index_writer_close(&w);
    char note[200];
    snprintf(note, sizeof note, "wall %.2f s; %llu sightings, %llu thumbnails, %llu plates, %.0f MB", wall,
             (unsigned long long)receipt.n_sightings, (unsigned long long)receipt.n_thumbnails,
             (unsigned long long)receipt.n_plates, (double)receipt.n_bytes / 1e6);
    if (receipt.n_sightings != n) must(ERR_CORRUPT, "purge");
    bench_row(b, "purge of a day, 333,000 rows, derived data too", cpu * 333000 / (double)n, "CPU-s", 0.3,
              true, note);
}

/* ---- main
 * --------------------------------------------------------------------------------------------------------------------------
 */

static void head(const struct bench *b) {
    char cpu[128] = "?", load[64] = "?", line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "model name", 10) == 0) snprintf(cpu, sizeof cpu, "%.100s", strchr(line, ':') + 2);
    if (f) fclose(f);
    cpu[strcspn(cpu, "\n")] = '\0';
    f = fopen("/proc/loadavg", "r");
    if (f && fgets(load, sizeof load, f)) load[strcspn(load, "\n")] = '\0';
    if (f) fclose(f);
    printf("bench-index: %llu sightings, shape %s, seed %llu, %u instances; peers on %llu\n",
           (unsigned long long)b->rows,
           b->shape == GEN_DENSE    ? "dense"
           : b->shape == GEN_SPARSE ? "sparse"
                                    : "one hour",
           (unsigned long long)b->seed, b->instances, (unsigned long long)b->peer_rows);
    printf("CPU %s, %ld processors, load %s, kernels %s, pages 8192 bytes, commit %s\n\n", cpu,
           sysconf(_SC_NPROCESSORS_ONLN), load, bits_best()->name,
           getenv("BENCH_COMMIT") ? getenv("BENCH_COMMIT") : "?");
    printf("| %-44s | %11s | %-10s | %-11s | %-6s | %s\n", "what", "measured", "unit", "goal", "",
           "beside it");
    printf("|---|---|---|---|---|---\n");
}

static void measure(struct bench *b) {
    struct index_writer *w;
    struct index_reader *r;
    struct peer peers[2];
    uint64_t n;
    char note[160];
    must(index_writer_open(b->dir, NULL, &w), "writer");
    double rate = fill_all(b, w);
    index_writer_close(&w);
    uint64_t bytes = file_bytes(b, "index.db");
    peer_sqlite(b, &peers[0]);
    peer_postgres(b, &peers[1]);

    bench_row(b, "ingest, batch 10,000, with vectors", rate, "rows/CPU-s", -1, false, "the whole file");
    snprintf(note, sizeof note, "%s %.0f, %s %.0f", peers[0].name, peers[0].bytes_per_row, peers[1].name,
             peers[1].ran ? peers[1].bytes_per_row : NAN);
    double paths = path_bytes(b);
    bench_row(b, "size without vectors", (double)bytes / (double)b->rows, "B/sighting", full(b) ? 90 : -1,
              true, note);
    bench_row(b, "of it best moment and path of 2 points", paths / (double)b->rows, "B/sighting", -1, true,
              "each further point about 5 bytes");
    first_query(b);
    must(index_reader_open(b->dir, NULL, &r), "reader");
    for (unsigned k = 0; k < ASKED_SURE; k++) one_query(b, r, (enum asked_kind)k, peers);
    routes(b, r, false);
    routes(b, r, true);
    facets(b, r);
    must(index_reader_ready_likeness(r), "likeness"); /* as a server does at its start */
    for (unsigned k = ASKED_Q7A; k < ASKED_KINDS; k++) one_query(b, r, (enum asked_kind)k, peers);
    index_reader_close(&r);
    clients(b);
    must(index_writer_open(b->dir, NULL, &w), "writer");
    snprintf(note, sizeof note, "%s %.0f, %s %.0f (COPY, then indexes)", peers[0].name,
             peers[0].rows_per_cpu_s, peers[1].name, peers[1].ran ? peers[1].rows_per_cpu_s : NAN);
    bench_row(b, "ingest, batch 1,000, into the full file", append(b, w, 40, false), "rows/CPU-s", 100000,
              false, note);
    bench_row(b, "the same with vectors", append(b, w, 80, true), "rows/CPU-s", -1, false, "");
    index_writer_close(&w);
    purge(b);
    uint64_t t0 = clock_thread_cpu_ns();
    enum err e = index_check(b->dir, NULL, NULL, NULL, &n);
    must(e, "check-index");
    bench_row(b, "check-index finds no difference", (double)n, "rows", (double)b->rows, false, "");
    printf("check-index took %.1f CPU-s\n", (double)(clock_thread_cpu_ns() - t0) / 1e9);
}

int main(int argc, char **argv) {
    struct bench b = {.shape = GEN_SPARSE, .rows = 1000000, .peer_rows = 0, .seed = 1, .instances = 200};
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *k = argv[i], *v = argv[i + 1];
        if (!strcmp(k, "--rows"))
            b.rows = strtoull(v, NULL, 10);
        else if (!strcmp(k, "--peer-rows"))
            b.peer_rows = strtoull(v, NULL, 10);
        else if (!strcmp(k, "--seed"))
            b.seed = strtoull(v, NULL, 10);
        else if (!strcmp(k, "--instances"))
            b.instances = (unsigned)strtoul(v, NULL, 10);
        else if (!strcmp(k, "--dir"))
            b.dir = v;
        else if (!strcmp(k, "--postgres"))
            b.postgres = v;
        else if (!strcmp(k, "--shape"))
            b.shape = !strcmp(v, "dense") ? GEN_DENSE : !strcmp(v, "one-hour") ? GEN_ONE_HOUR : GEN_SPARSE;
        else
            return 2;
    }
    if (!b.dir || b.instances == 0) {
        fprintf(stderr,
                "usage: bench_index --dir DIR [--rows N] [--shape sparse|dense|one-hour] [--peer-rows N] "
                "[--postgres CONNINFO] [--instances N] [--seed N]\n");
        return 2;
    }
    if (!b.peer_rows) b.peer_rows = b.rows;
    head(&b);
    measure(&b);
    printf("\n%s\n", b.failed ? "A goal was missed." : "Every goal is met.");
    return b.failed ? 1 : 0;
}
