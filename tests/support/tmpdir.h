/* SPDX-License-Identifier: Apache-2.0 */
/* tmpdir.h - a fresh folder for one test, and its removal with all that it holds. */
#ifndef TESTS_SUPPORT_TMPDIR_H
#define TESTS_SUPPORT_TMPDIR_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline bool tmpdir_make(char *out, size_t cap) {
    const int n = snprintf(out, cap, "/tmp/relecture-test-XXXXXX");
    return n > 0 && (size_t)n < cap && mkdtemp(out);
}

static inline int tmpdir_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline void tmpdir_remove(const char *dir) {
    nftw(dir, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
