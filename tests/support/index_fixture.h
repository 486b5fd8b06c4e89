/* SPDX-License-Identifier: Apache-2.0 */
/* index_fixture.h - a data directory of its own with an index writer and a reader, gone after the test. */
#ifndef TESTS_SUPPORT_INDEX_FIXTURE_H
#define TESTS_SUPPORT_INDEX_FIXTURE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/index/index.h"

struct index_fixture {
    char dir[256];
    struct index_writer *writer;
    struct index_reader *reader;
};

static int index_fixture_remove(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st, (void)type, (void)at;
    return remove(path);
}
static inline void index_fixture_remove_tree(const char *dir) {
    if (!strstr(dir, "/relecture-index-")) return; /* only what index_fixture_dir() made */
    (void)nftw(dir, index_fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}
static inline int index_fixture_dir(char *out, size_t size) {
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(out, size, "%s/relecture-index-XXXXXX", tmp ? tmp : "/tmp");
    return n < 0 || (size_t)n >= size || !mkdtemp(out) ? -1 : 0;
}
static inline int index_fixture_setup(void **state) {
    struct index_fixture *f = calloc(1, sizeof *f);
    if (!f || index_fixture_dir(f->dir, sizeof f->dir) != 0) return -1;
    if (index_writer_open(f->dir, NULL, &f->writer) != OK) return -1;
    if (index_reader_open(f->dir, NULL, &f->reader) != OK) return -1;
    *state = f;
    return 0;
}
static inline int index_fixture_teardown(void **state) {
    struct index_fixture *f = *state;
    index_reader_close(&f->reader);
    index_writer_close(&f->writer);
    index_fixture_remove_tree(f->dir);
    free(f);
    return 0;
}

#endif
