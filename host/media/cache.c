/* SPDX-License-Identifier: Apache-2.0 */
#include "host/media/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/base/log.h"

#define START ".start"

struct entry {
    char name[NAME_MAX + 1];
    struct timespec asked;
    uint64_t n_bytes;
};
struct listing {
    struct entry *entries; /* owned */
    size_t n, cap;
    uint64_t n_bytes;
};

static bool is_start(const char *name) {
    const size_t n = strlen(name);
    return n > sizeof START - 1 && strcmp(name + n - (sizeof START - 1), START) == 0;
}

static enum err add(struct listing *l, const char *name, const struct stat *st) {
    if (l->n == l->cap) {
        const size_t cap = l->cap ? 2 * l->cap : 256;
        struct entry *more = realloc(l->entries, cap * sizeof *more);
        if (!more) return ERR_NOMEM;
        l->entries = more;
        l->cap = cap;
    }
    struct entry *e = &l->entries[l->n++];
    (void)snprintf(e->name, sizeof e->name, "%s", name);
    e->asked = st->st_atim;
    e->n_bytes = (uint64_t)st->st_size;
    return OK;
}

/* Regular files; names that begin with a dot are being made and are not listed. */
static enum err list(int dir_fd, struct listing *l) {
    enum err e = OK;
    const int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        log_error("cache", "the directory cannot be read errno=%d", errno);
        if (fd >= 0) close(fd);
        return ERR_IO;
    }
    for (const struct dirent *de; e == OK && (de = readdir(d)) != NULL;) {
        struct stat st;
        if (de->d_name[0] == '.' || fstatat(dir_fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(st.st_mode))
            continue;
        l->n_bytes += (uint64_t)st.st_size;
        if (!is_start(de->d_name)) e = add(l, de->d_name, &st);
    }
    closedir(d);
    return e;
}

enum err cache_bytes(int dir_fd, uint64_t *out) {
    struct listing l = {0};
    const enum err e = list(dir_fd, &l);
    *out = l.n_bytes;
    free(l.entries);
    return e;
}

void cache_touch(int dir_fd, const char *name) {
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
    if (utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT)
        log_warn("cache", "op=touch errno=%d", errno);
}

static int by_asked(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    if (x->asked.tv_sec != y->asked.tv_sec) return x->asked.tv_sec < y->asked.tv_sec ? -1 : 1;
    return x->asked.tv_nsec < y->asked.tv_nsec ? -1 : x->asked.tv_nsec > y->asked.tv_nsec;
}

static void remove_entry(int dir_fd, const struct entry *e) {
    char start[NAME_MAX + sizeof START];
    (void)snprintf(start, sizeof start, "%s" START, e->name);
    /* The file first: without it its start says nothing. */
    if (unlinkat(dir_fd, e->name, 0) != 0 || (unlinkat(dir_fd, start, 0) != 0 && errno != ENOENT))
        log_warn("cache", "op=remove errno=%d", errno);
}

enum err cache_trim(int dir_fd, uint64_t keep_bytes, const char *spare, uint64_t *left) {
    struct listing l = {0};
    const enum err e = list(dir_fd, &l);
    if (e == OK && l.n > 0) qsort(l.entries, l.n, sizeof *l.entries, by_asked);
    for (size_t i = 0; e == OK && i < l.n && l.n_bytes > keep_bytes; i++) {
        if (spare && strcmp(l.entries[i].name, spare) == 0) continue;
        remove_entry(dir_fd, &l.entries[i]);
        l.n_bytes -= l.entries[i].n_bytes < l.n_bytes ? l.entries[i].n_bytes : l.n_bytes;
    }
    *left = l.n_bytes;
    free(l.entries);
    return e;
}
