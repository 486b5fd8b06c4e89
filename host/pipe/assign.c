/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/assign.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SIDE ASSIGN_SIDE_MAX

struct assigner {
    uint16_t root[2 * SIDE];         /* union-find over rows, then columns */
    uint16_t rows[SIDE], cols[SIDE]; /* members of the group being solved */
    uint16_t place[2 * SIDE];        /* place of a member in its list */
    float cost[SIDE * SIDE];         /* of the group, -gain; 0 = not allowed, which equals "left alone" */
    float u[SIDE + 1], v[SIDE + 1], least[SIDE + 1];
    uint16_t taken[SIDE + 1], way[SIDE + 1];
    uint8_t used[SIDE + 1];
    bool paired[SIDE]; /* rows with any pair: most slots of a tracker are empty */
};

enum err assigner_new(struct assigner **out) {
    *out = calloc(1, sizeof **out);
    return *out ? OK : ERR_NOMEM;
}

void assigner_free(struct assigner **a) {
    if (!a || !*a) return;
    free(*a);
    *a = NULL;
}

static unsigned find_root(struct assigner *a, unsigned i) {
    while (a->root[i] != i) {
        a->root[i] = a->root[a->root[i]];
        i = a->root[i];
    }
    return i;
}

static bool pair_counts(const struct assign_pair *p, unsigned n_rows, unsigned n_cols) {
    return p->row < n_rows && p->col < n_cols && p->gain > 0.0f;
}

/* Shortest augmenting paths with potentials over a[n][m], n <= m; afterwards taken[col + 1] - 1 is col's row.
 */
static void solve(struct assigner *a, unsigned n, unsigned m) {
    memset(a->u, 0, sizeof a->u);
    memset(a->v, 0, sizeof a->v);
    memset(a->taken, 0, sizeof a->taken);
    for (unsigned i = 1; i <= n; i++) {
        unsigned j0 = 0;
        a->taken[0] = (uint16_t)i;
        for (unsigned j = 0; j <= m; j++) {
            a->least[j] = 1e30f;
            a->used[j] = 0;
            a->way[j] = 0;
        }
        do {
            unsigned i0 = a->taken[j0], j1 = 0;
            float delta = 1e30f;
            a->used[j0] = 1;
            for (unsigned j = 1; j <= m; j++) {
                if (a->used[j]) continue;
                float c = a->cost[(i0 - 1) * m + (j - 1)] - a->u[i0] - a->v[j];
                if (c < a->least[j]) {
                    a->least[j] = c;
                    a->way[j] = (uint16_t)j0;
                }
                if (a->least[j] < delta) {
                    delta = a->least[j];
                    j1 = j;
                }
            }
            for (unsigned j = 0; j <= m; j++) {
                if (a->used[j]) {
                    a->u[a->taken[j]] += delta;
                    a->v[j] -= delta;
                } else {
                    a->least[j] -= delta;
                }
            }
            j0 = j1;
        } while (a->taken[j0] != 0);
        do {
            unsigned j1 = a->way[j0];
            a->taken[j0] = a->taken[j1];
            j0 = j1;
        } while (j0 != 0);
    }
}

static void solve_group(struct assigner *a, const struct assign_pair *pairs, unsigned n_pairs, unsigned group,
                        unsigned n_rows, unsigned n_cols, int16_t *match) {
    unsigned n = 0, m = 0;
    for (unsigned i = 0; i < n_rows; i++) {
        if (find_root(a, i) != group) continue;
        a->place[i] = (uint16_t)n;
        a->rows[n++] = (uint16_t)i;
    }
    for (unsigned j = 0; j < n_cols; j++) {
        if (find_root(a, SIDE + j) != group) continue;
        a->place[SIDE + j] = (uint16_t)m;
        a->cols[m++] = (uint16_t)j;
    }
    if (n == 0 || m == 0) return;
    bool turned = n > m; /* the solver wants its first side to be the smaller one */
    unsigned wide = turned ? n : m;
    memset(a->cost, 0, (size_t)n * m * sizeof a->cost[0]);
    for (unsigned k = 0; k < n_pairs; k++) {
        if (!pair_counts(&pairs[k], n_rows, n_cols) || find_root(a, pairs[k].row) != group) continue;
        unsigned i = a->place[pairs[k].row], j = a->place[SIDE + pairs[k].col];
        a->cost[turned ? j * wide + i : i * wide + j] = -pairs[k].gain;
    }
    solve(a, turned ? m : n, wide);
    for (unsigned w = 0; w < wide; w++) {
        if (a->taken[w + 1] == 0) continue;
        unsigned s = a->taken[w + 1] - 1u;
        if (!(a->cost[s * wide + w] < 0.0f)) continue; /* paired only because every row must have something */
        unsigned i = turned ? w : s, j = turned ? s : w;
        match[a->rows[i]] = (int16_t)a->cols[j];
    }
}

void assign_best(struct assigner *a, const struct assign_pair *pairs, unsigned n_pairs, unsigned n_rows,
                 unsigned n_cols, int16_t *match) {
    if (n_rows > SIDE) n_rows = SIDE;
    if (n_cols > SIDE) n_cols = SIDE;
    for (unsigned i = 0; i < n_rows; i++) match[i] = -1;
    for (unsigned i = 0; i < 2 * SIDE; i++) a->root[i] = (uint16_t)i;
    memset(a->paired, 0, sizeof a->paired);
    for (unsigned k = 0; k < n_pairs; k++) {
        if (!pair_counts(&pairs[k], n_rows, n_cols)) continue;
        a->paired[pairs[k].row] = true;
        unsigned r = find_root(a, pairs[k].row), c = find_root(a, SIDE + pairs[k].col);
        if (r < c)
            a->root[c] = (uint16_t)r;
        else
            a->root[r] = (uint16_t)c;
    }
    /* The smaller number became the root, so a group that holds a row has a row as its root. */
    for (unsigned g = 0; g < n_rows; g++) {
        if (a->paired[g] && a->root[g] == g) solve_group(a, pairs, n_pairs, g, n_rows, n_cols, match);
    }
}
