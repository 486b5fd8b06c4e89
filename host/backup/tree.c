/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "host/backup/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/base/log.h"

#define PIECE (1u << 20)

static enum err failed(const char *op, const char *path) {
    const int no = errno;
    log_error("backup", "op=%s path=%s errno=%d (%s)", op, path, no, strerror(no));
    return no == ENOSPC || no == EDQUOT ? ERR_FULL : no == ENOENT ? ERR_MISSING : ERR_IO;
}

static bool ends_with(const char *s, const char *tail) {
    const size_t n = strlen(s), m = strlen(tail);
    return n >= m && strcmp(s + n - m, tail) == 0;
}

bool tree_is_database(const char *name) {
    return ends_with(name, ".db");
}

/* What is made anew by itself, or belongs to a running process. */
static bool left_out(const char *name) {
    return strcmp(name, "cache") == 0 || ends_with(name, ".lock") || ends_with(name, ".db-wal") ||
           ends_with(name, ".db-shm") || ends_with(name, ".db-journal");
}

enum err tree_add(struct tree *t, const char *name, uint64_t n_bytes, const char *sha256) {
    if (t->n == t->cap) {
        const size_t cap = t->cap ? t->cap * 2 : 64;
        struct tree_file *files = realloc(t->files, cap * sizeof *files);
        if (!files) return ERR_NOMEM;
        t->files = files;
        t->cap = cap;
    }
    struct tree_file *f = &t->files[t->n];
    if (strlen(name) >= sizeof f->name || strlen(sha256) >= sizeof f->sha256) return ERR_USAGE;
    *f = (struct tree_file){.n_bytes = n_bytes};
    memcpy(f->name, name, strlen(name) + 1);
    memcpy(f->sha256, sha256, strlen(sha256) + 1);
    t->n++;
    t->n_bytes += n_bytes;
    return OK;
}

static enum err list_entry(struct tree *t, const char *dir, const char *sub, const char *name) {
    char relative[FS_PATH_MAX], path[FS_PATH_MAX];
    struct stat st;
    if (snprintf(relative, sizeof relative, "%s%s%s", sub, *sub ? "/" : "", name) >= (int)sizeof relative)
        return ERR_USAGE;
    enum err e = fs_join(path, dir, relative);
    if (e) return e;
    if (lstat(path, &st) != 0) return errno == ENOENT ? OK : failed("lstat", path); /* gone meanwhile */
    if (S_ISDIR(st.st_mode)) return tree_list(t, dir, relative);
    return S_ISREG(st.st_mode) ? tree_add(t, relative, (uint64_t)st.st_size, "") : OK;
}

enum err tree_list(struct tree *t, const char *dir, const char *sub) {
    char path[FS_PATH_MAX];
    enum err e = fs_join(path, dir, *sub ? sub : ".");
    if (e) return e;
    DIR *d = opendir(path);
    if (!d) return failed("opendir", path);
    for (struct dirent *entry; !e && (entry = readdir(d));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && !left_out(entry->d_name))
            e = list_entry(t, dir, sub, entry->d_name);
    closedir(d);
    return e;
}

void tree_fini(struct tree *t) {
    free(t->files);
    *t = (struct tree){0};
}

static enum err make_parents(const char *path) {
    char parent[FS_PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path) return OK;
    const size_t n = (size_t)(slash - path);
    memcpy(parent, path, n);
    parent[n] = 0;
    return fs_mkdirs(parent, 0700);
}

static enum err copy_bytes(int in, int out, const char *to, bool (*step)(uint64_t, void *), void *arg) {
    char *piece = malloc(PIECE);
    enum err e = piece ? OK : ERR_NOMEM;
    for (ssize_t n; !e && (n = read(in, piece, PIECE)) != 0;) {
        if (n < 0) {
            e = errno == EINTR ? OK : failed("read", to);
            continue;
        }
        for (ssize_t at = 0, w; !e && at < n; at += w) {
            w = write(out, piece + at, (size_t)(n - at));
            if (w < 0) e = failed("write", to);
        }
        if (!e && step && !step((uint64_t)n, arg)) e = ERR_CANCELLED;
    }
    free(piece);
    return e;
}

enum err tree_copy_file(const char *from, const char *to, struct tree_file *f, bool (*step)(uint64_t, void *),
                        void *arg) {
    char source[FS_PATH_MAX], target[FS_PATH_MAX];
    enum err e = fs_join(source, from, f->name);
    if (!e) e = fs_join(target, to, f->name);
    if (!e) e = make_parents(target);
    if (e) return e;
    const int in = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (in < 0) return failed("open", source);
    const int out = open(target, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (out < 0) e = failed("open", target);
    if (!e) e = copy_bytes(in, out, target, step, arg);
    if (!e && fsync(out) != 0) e = failed("fsync", target);
    if (!e) e = fs_sha256_fd(out, f->sha256, &f->n_bytes, NULL, NULL);
    if (out >= 0) close(out);
    close(in);
    return e;
}

enum err tree_hash(const char *dir, struct tree_file *f) {
    char path[FS_PATH_MAX];
    enum err e = fs_join(path, dir, f->name);
    if (e) return e;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return failed("open", path);
    e = fs_sha256_fd(fd, f->sha256, &f->n_bytes, NULL, NULL);
    close(fd);
    return e;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at) {
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

enum err tree_remove(const char *path) {
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT) return OK;
    return failed("remove", path);
}
