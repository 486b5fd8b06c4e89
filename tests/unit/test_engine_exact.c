/* SPDX-License-Identifier: Apache-2.0 */
/* Every fast path against the plain reference on seeded random graphs. `make exactness` does the same at
 * length. */
#include <string.h>

#include "tests/support/random_graph.h"
#include "tests/support/test.h"

#define SEEDS    60
#define MACS_MAX 300000

static void compare(enum engine_isa isa) {
    if (!engine_isa_available(isa)) skip(); /* this processor lacks it: there is nothing to run */
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random_graph g;
        struct random_tensors want, got;
        assert_true(random_graph_make(&g, seed, MACS_MAX));
        assert_true(random_tensors_make(&want, &g, seed));
        assert_true(random_tensors_make(&got, &g, seed));
        assert_true(random_graph_run(&g, &want, ENGINE_ISA_REFERENCE));
        assert_true(random_graph_run(&g, &got, isa));
        for (size_t i = 0; i < g.n_nodes; i++)
            if (g.nodes[i].output && memcmp(want.of[i], got.of[i], g.nodes[i].bytes * g.n_frames) != 0)
                fail_msg("seed %u, node %zu (operator %d) differs", (unsigned)seed, i,
                         (int)g.nodes[i].node.op);
        assert_true(random_tensors_guarded(&got, &g));
        random_tensors_fini(&want);
        random_tensors_fini(&got);
        random_graph_fini(&g);
    }
}

static void portable_path_equals_the_reference_on_random_graphs(void **state) {
    (void)state;
    compare(ENGINE_ISA_PORTABLE);
}

static void avx2_path_equals_the_reference_on_random_graphs(void **state) {
    (void)state;
    compare(ENGINE_ISA_AVX2);
}

static void avx512_path_equals_the_reference_on_random_graphs(void **state) {
    (void)state;
    compare(ENGINE_ISA_AVX512_VNNI);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(portable_path_equals_the_reference_on_random_graphs),
        cmocka_unit_test(avx2_path_equals_the_reference_on_random_graphs),
        cmocka_unit_test(avx512_path_equals_the_reference_on_random_graphs),
    };
    return cmocka_run_group_tests_name("engine_exact", tests, NULL, NULL);
}
