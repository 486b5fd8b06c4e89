/* SPDX-License-Identifier: Apache-2.0 */
/* exactness - every path of the engine against two witnesses, on seeded random graphs, until enough outputs
 * were compared. Ends with a table of goal and measured; exit status 1 when a goal was missed or an output
 * differed. exactness [--outputs N] [--seed FIRST] [--limit-s SECONDS] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/exactness/witness.h"
#include "tests/support/random_graph.h"

#define MACS_MAX 2000000 /* of one node: what the reference can do often */

enum path { PATH_PORTABLE, PATH_AVX2, PATH_AVX512, PATH_ONEDNN, PATH_N };
static const char *const PATH_NAMES[PATH_N] = {"portable", "avx2", "avx512-vnni", "oneDNN"};
static const enum engine_isa PATH_ISAS[PATH_ONEDNN] = {ENGINE_ISA_PORTABLE, ENGINE_ISA_AVX2,
                                                       ENGINE_ISA_AVX512_VNNI};
static const char *const OP_NAMES[ENGINE_OP_N] = {
    [ENGINE_OP_INPUT] = "input",
    [ENGINE_OP_CONST] = "const",
    [ENGINE_OP_CONV] = "conv",
    [ENGINE_OP_DEPTHWISE] = "depthwise",
    [ENGINE_OP_TRANSPOSED_CONV] = "transposed conv",
    [ENGINE_OP_TRANSPOSED_DEPTHWISE] = "transposed dw",
    [ENGINE_OP_POOL_MAX] = "max pool",
    [ENGINE_OP_POOL_AVG] = "avg pool",
    [ENGINE_OP_ADD] = "add",
    [ENGINE_OP_MUL] = "mul",
    [ENGINE_OP_CONCAT] = "concat",
    [ENGINE_OP_NEAREST] = "nearest",
    [ENGINE_OP_BILINEAR] = "bilinear",
    [ENGINE_OP_COPY] = "copy",
    [ENGINE_OP_PAD] = "pad",
    [ENGINE_OP_TILE] = "tile",
    [ENGINE_OP_REORG] = "reorg",
    [ENGINE_OP_PIXEL_SHUFFLE] = "pixel shuffle",
    [ENGINE_OP_HARD_SIGMOID] = "hard sigmoid",
};

struct tally {
    uint64_t compared[ENGINE_OP_N][PATH_N], differ[PATH_N], saturated, outputs, graphs, unguarded, failed;
};

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void compare(struct tally *t, const struct random_node *n, enum path path, const int8_t *want,
                    const int8_t *got, size_t bytes, uint64_t seed) {
    t->compared[n->node.op][path] += bytes;
    if (memcmp(want, got, bytes) == 0) return;
    uint64_t before = t->differ[path];
    size_t first = bytes;
    for (size_t i = 0; i < bytes; i++)
        if (want[i] != got[i]) {
            t->differ[path]++;
            if (first == bytes) first = i;
        }
    if (before < 1000)
        printf("# seed %" PRIu64 " %s (%s, activation %d) on %s: %" PRIu64
               " of %zu differ, first %zu: %d, reference %d\n",
               seed, n->name, OP_NAMES[n->node.op], (int)n->node.act, PATH_NAMES[path],
               t->differ[path] - before, bytes, first, got[first], want[first]);
}

static void ask_witness(struct tally *t, const struct random_graph *g, const struct random_tensors *want,
                        struct random_tensors *got, uint64_t seed) {
    for (size_t i = 0; i < g->n_nodes; i++) {
        const struct random_node *n = &g->nodes[i];
        const struct engine_node *from[4];
        for (size_t f = 0; f < g->n_frames && n->node.op != ENGINE_OP_INPUT; f++) {
            const int8_t *in[4];
            for (size_t k = 0; k < n->node.n_inputs; k++) {
                const struct random_node *source = &g->nodes[n->inputs[k]];
                from[k] = &source->node;
                in[k] = want->of[n->inputs[k]] + f * source->bytes;
            }
            int8_t *out = got->of[i] + f * n->bytes;
            if (witness_run(&n->node, from, in, out))
                compare(t, n, PATH_ONEDNN, want->of[i] + f * n->bytes, out, n->bytes, seed);
        }
    }
}

static void run_seed(struct tally *t, uint64_t seed) {
    struct random_graph g;
    struct random_tensors want, got;
    if (!random_graph_make(&g, seed, MACS_MAX)) abort();
    if (!random_tensors_make(&want, &g, seed) || !random_tensors_make(&got, &g, seed)) abort();
    if (!random_graph_run(&g, &want, ENGINE_ISA_REFERENCE)) t->failed++;
    for (int path = 0; path < PATH_ONEDNN; path++) {
        if (!engine_isa_available(PATH_ISAS[path])) continue;
        if (!random_graph_run(&g, &got, PATH_ISAS[path])) t->failed++;
        for (size_t i = 0; i < g.n_nodes; i++)
            if (g.nodes[i].node.op != ENGINE_OP_INPUT && g.nodes[i].output)
                compare(t, &g.nodes[i], (enum path)path, want.of[i], got.of[i], g.nodes[i].bytes * g.n_frames,
                        seed);
        if (!random_tensors_guarded(&got, &g)) t->unguarded++;
    }
    if (g.all_outputs) ask_witness(t, &g, &want, &got, seed); /* it starts from each node's own inputs */
    for (size_t i = 0; i < g.n_nodes; i++) {
        size_t bytes =
            g.nodes[i].node.op == ENGINE_OP_INPUT || !g.nodes[i].output ? 0 : g.nodes[i].bytes * g.n_frames;
        for (size_t k = 0; k < bytes; k++) t->saturated += want.of[i][k] == 127 || want.of[i][k] == -128;
        t->outputs += bytes;
    }
    t->graphs++;
    random_tensors_fini(&want);
    random_tensors_fini(&got);
    random_graph_fini(&g);
}

static uint64_t total(const struct tally *t, enum path path) {
    uint64_t sum = 0;
    for (int op = 0; op < ENGINE_OP_N; op++) sum += t->compared[op][path];
    return sum;
}

static bool report(const struct tally *t, uint64_t goal, double took) {
    printf("\noutputs compared with the reference, by operator and path\n%-16s", "");
    for (int p = 0; p < PATH_N; p++) printf("%14s", PATH_NAMES[p]);
    printf("\n");
    for (int op = ENGINE_OP_CONV; op < ENGINE_OP_N; op++) {
        if (!t->compared[op][PATH_PORTABLE]) continue;
        printf("%-16s", OP_NAMES[op]);
        for (int p = 0; p < PATH_N; p++) printf("%14" PRIu64, t->compared[op][p]);
        printf("\n");
    }
    uint64_t compared = 0, differ = 0;
    for (int p = 0; p < PATH_N; p++) {
        compared += total(t, (enum path)p);
        differ += t->differ[p];
    }
    bool enough = compared >= goal, equal = differ == 0 && t->failed == 0, inside = t->unguarded == 0;
    bool second = total(t, PATH_ONEDNN) > 0;
    printf("\n%" PRIu64 " graphs, %" PRIu64 " outputs of the reference, %.1f %% of them saturated, %.0f s\n",
           t->graphs, t->outputs, t->outputs ? 100.0 * (double)t->saturated / (double)t->outputs : 0, took);
    printf("%-44s %16s %16s\n", "", "goal", "measured");
    printf("%-44s %16" PRIu64 " %16" PRIu64 "  %s\n", "outputs compared", goal, compared,
           enough ? "met" : "MISSED");
    printf("%-44s %16d %16" PRIu64 "  %s\n", "outputs that differ", 0, differ + t->failed,
           equal ? "met" : "MISSED");
    printf("%-44s %16d %16" PRIu64 "  %s\n", "graphs with writes outside their tensors", 0, t->unguarded,
           inside ? "met" : "MISSED");
    printf("%-44s %16s %16" PRIu64 "  %s\n", "outputs seen by the second witness", "> 0",
           total(t, PATH_ONEDNN), second ? "met" : "MISSED");
    return enough && equal && inside && second;
}

int main(int argc, char **argv) {
    uint64_t goal = 1000000000, seed = 1;
    double limit_s = 3600;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--outputs")) goal = strtoull(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--seed")) seed = strtoull(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--limit-s")) limit_s = strtod(argv[i + 1], NULL);
    }
    /* the thread pool of oneDNN reads this before main: begin again with it */
    if (!getenv("OMP_NUM_THREADS") && setenv("OMP_NUM_THREADS", "1", 1) == 0) execv("/proc/self/exe", argv);
    for (int p = 0; p < PATH_ONEDNN; p++)
        if (!engine_isa_available(PATH_ISAS[p])) printf("# this processor has no %s\n", PATH_NAMES[p]);
    struct tally t = {0};
    double begun = seconds(), told = begun;
    for (uint64_t done = 0; done < goal && seconds() - begun < limit_s; seed++) {
        run_seed(&t, seed);
        done = 0;
        for (int p = 0; p < PATH_N; p++) done += total(&t, (enum path)p);
        if (seconds() - told < 30) continue;
        told = seconds();
        printf("# %" PRIu64 " outputs after %.0f s\n", done, told - begun);
        fflush(stdout);
    }
    return report(&t, goal, seconds() - begun) ? 0 : 1;
}
