/* SPDX-License-Identifier: Apache-2.0 */
/* replay CORPUS-DIR [SEEDS] - runs one fuzz target on its committed corpus and on made inputs; speaks TAP. A
 * crash names its input: the last line before it says which. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MAX     (1u << 20)
#define MADE_MAX      2048u
#define SEEDS_DEFAULT 10000ul

static int run_file(const char *dir, const char *name, uint8_t *buffer) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rbe");
    if (!f) return -1;
    size_t n = fread(buffer, 1, INPUT_MAX, f);
    fclose(f);
    /* An exact copy, so that a read past the end is seen. */
    uint8_t *exact = malloc(n ? n : 1);
    if (!exact) return -1;
    memcpy(exact, buffer, n);
    printf("# %s\n", path);
    fflush(stdout);
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 0;
}

static unsigned run_corpus(const char *dir, uint8_t *buffer) {
    unsigned n = 0;
    struct dirent *e;
    DIR *d = opendir(dir);
    if (!d) return 0;
    while ((e = readdir(d)) != NULL)
        if (e->d_name[0] != '.' && run_file(dir, e->d_name, buffer) == 0) n++;
    closedir(d);
    return n;
}

int main(int argc, char **argv) {
    if (argc < 2 && !REPLAY_CORPUS[0]) return 2;
    const char *dir = argc > 1 ? argv[1] : REPLAY_CORPUS;
    unsigned long n_seeds = argc > 2 ? strtoul(argv[2], NULL, 10) : SEEDS_DEFAULT;
    uint8_t *buffer = malloc(INPUT_MAX);
    if (!buffer) return 2;
    unsigned n = run_corpus(dir, buffer);
    printf("%s 1 - %u inputs of %s keep the promises\n", n ? "ok" : "not ok", n, dir);
    if (fuzz_make_input) {
        for (unsigned long seed = 0; seed < n_seeds; seed++) {
            size_t made = fuzz_make_input(seed, buffer, MADE_MAX);
            uint8_t *exact = malloc(made ? made : 1);
            if (!exact) return 2;
            memcpy(exact, buffer, made);
            (void)LLVMFuzzerTestOneInput(exact, made);
            free(exact);
        }
        printf("ok 2 - %lu made inputs keep the promises\n", n_seeds);
    }
    printf("1..%d\n", fuzz_make_input ? 2 : 1);
    free(buffer);
    return n ? 0 : 1;
}
