/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test.h"

#include <string.h>

#include "host/pipe/assign.h"

static struct assigner *fresh(void) {
    struct assigner *a = NULL;
    assert_int_equal(assigner_new(&a), OK);
    return a;
}

static void best_total_wins_over_best_single_pair(void **state) {
    (void)state;
    struct assigner *a = fresh();
    /* 0-0 is the best pair, but taking it costs row 1 everything. */
    const struct assign_pair p[] = {{0, 0, 0.9f}, {0, 1, 0.8f}, {1, 0, 0.7f}};
    int16_t m[2];
    assign_best(a, p, 3, 2, 2, m);
    assert_int_equal(m[0], 1);
    assert_int_equal(m[1], 0);
    assigner_free(&a);
    assert_null(a);
}

static void rows_without_an_allowed_pair_stay_alone(void **state) {
    (void)state;
    struct assigner *a = fresh();
    const struct assign_pair p[] = {{1, 0, 0.5f}, {2, 0, 0.6f}, {0, 1, 0.0f}, {0, 9, 1.0f}};
    int16_t m[4];
    assign_best(a, p, 4, 4, 2, m);
    assert_int_equal(m[0], -1);
    assert_int_equal(m[1], -1);
    assert_int_equal(m[2], 0);
    assert_int_equal(m[3], -1);
    assigner_free(&a);
}

static double best_by_trying(float g[5][5], unsigned n, unsigned m, unsigned row, unsigned used) {
    if (row == n) return 0.0;
    double best = best_by_trying(g, n, m, row + 1, used);
    for (unsigned c = 0; c < m; c++) {
        if (used & 1u << c || !(g[row][c] > 0.0f)) continue;
        double v = (double)g[row][c] + best_by_trying(g, n, m, row + 1, used | 1u << c);
        if (v > best) best = v;
    }
    return best;
}

static void total_equals_that_of_exhaustive_search(void **state) {
    (void)state;
    struct assigner *a = fresh();
    uint32_t seed = 1;
    for (unsigned round = 0; round < 500; round++) {
        float g[5][5];
        struct assign_pair p[25];
        int16_t match[5];
        unsigned n = 1 + round % 5, m = 1 + round / 5 % 5, n_pairs = 0;
        for (unsigned i = 0; i < n; i++) {
            for (unsigned j = 0; j < m; j++) {
                seed = seed * 1664525u + 1013904223u;
                g[i][j] = seed >> 30 == 0 ? (float)(seed >> 8 & 0xffff) / 65536.0f : 0.0f;
                if (round & 1) g[i][j] = (float)(seed >> 8 & 0xffff) / 65536.0f;
                if (g[i][j] > 0.0f) p[n_pairs++] = (struct assign_pair){(uint16_t)i, (uint16_t)j, g[i][j]};
            }
        }
        assign_best(a, p, n_pairs, n, m, match);
        double sum = 0.0;
        unsigned used = 0;
        for (unsigned i = 0; i < n; i++) {
            if (match[i] < 0) continue;
            assert_false(used & 1u << match[i]);
            used |= 1u << match[i];
            assert_true(g[i][match[i]] > 0.0f);
            sum += (double)g[i][match[i]];
        }
        assert_float_equal(sum, best_by_trying(g, n, m, 0, 0), 1e-5);
    }
    assigner_free(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_total_wins_over_best_single_pair),
        cmocka_unit_test(rows_without_an_allowed_pair_stay_alone),
        cmocka_unit_test(total_equals_that_of_exhaustive_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
