/* SPDX-License-Identifier: Apache-2.0 */
/* bench_index.h - what the parts of bench-index share: the table of goals, times, samples; and the peers. */
#ifndef TESTS_BENCH_BENCH_INDEX_H
#define TESTS_BENCH_BENCH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/index_queries.h"

enum { BENCH_PLATES = 4000, BENCH_CLIENTS = 22 };

struct bench {
    enum gen_shape shape;
    uint64_t rows, peer_rows, seed;
    unsigned instances;
    const char *dir;      /* of the index and of the peers' files; made by the caller */
    const char *postgres; /* connection string, NULL = leave it out */
    struct asked_sample sample;
    char plate[BENCH_PLATES][17];
    uint64_t vehicle[BENCH_PLATES];
    bool failed;
};

struct times {
    double *ms;
    size_t n, cap;
};
void times_add(struct times *t, double ms);
double times_at(struct times *t, double share); /* sorts; 0.5 = median */
void times_fini(struct times *t);

/* One line of the table. limit < 0: no goal, only reported. `most`: measured must not be above, else not
 * below. */
void bench_row(struct bench *b, const char *what, double measured, const char *unit, double limit, bool most,
               const char *note);

/* A peer answers one query: exact count, hours, newest 50; CPU of whatever answers it. NaN = not measured. */
struct peer {
    const char *name;
    double cpu_p50_ms[ASKED_KINDS], cpu_p99_ms[ASKED_KINDS], wall_p50_ms[ASKED_KINDS],
        wall_p99_ms[ASKED_KINDS];
    double bytes_per_row, rows_per_cpu_s;
    bool ran;
};
void peer_sqlite(struct bench *b, struct peer *out);
void peer_postgres(struct bench *b, struct peer *out);

/* The flat row that both peers hold: best values only, which is an easier task than ours. */
#define PEER_COLUMNS                                                                                         \
    "id, start_ms, duration_ms, camera_id, class, confidence, vehicle_colour, vehicle_type, make_model, "    \
    "upper_colour, upper_type, lower_colour, lower_type, accessories, plate"
enum { PEER_N_COLUMNS = 15 };
struct peer_row {
    int64_t v[PEER_N_COLUMNS - 1];
    char plate[17]; /* "" = NULL */
};
void peer_row_of(const struct sighting *s, uint64_t id, struct peer_row *out);
/* WHERE clause of a query for both peers; false when the peer cannot answer it (fuzzy plates). */
bool peer_where(const struct asked *a, char *out, size_t size);
extern const char *const peer_indexes[]; /* NULL-terminated CREATE INDEX statements, without plate patterns */

#endif
