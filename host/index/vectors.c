/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/vectors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/index/db.h"
#include "host/index/fileio.h"

enum { PATH_MAX_BYTES = 4200, OPEN_DAYS = 4, READ_DAYS = 40, HOURS = 24 };
#define HOUR_BYTES ((uint64_t)DB_ARRIVALS_MAX * VECTOR_BYTES)

/* Late arrivals alternate between two days around midnight: a few stay open. */
struct vectors {
    char dir[4096];
    struct {
        int fd;
        bool dirty;
        uint64_t day, used;
    } file[OPEN_DAYS];
    uint64_t clock;
};

static void vectors_path(const char *dir, uint64_t day, char out[static PATH_MAX_BYTES]) {
    (void)snprintf(out, PATH_MAX_BYTES, "%s/likeness/%06llu.vec", dir, (unsigned long long)day);
}
static uint64_t vector_day(uint64_t id) {
    return (id >> 24) / HOURS;
}
static uint64_t vector_offset(uint64_t id) {
    return (id >> 24) % HOURS * HOUR_BYTES + (id & (DB_ARRIVALS_MAX - 1)) * VECTOR_BYTES;
}

/* Zeroes what lies behind the last committed row of each hour of one day. */
static enum err vectors_trim_day(const char *path, uint64_t day, sqlite3_stmt *max_id) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return fileio_err("open", path);
    struct stat st;
    enum err e = fstat(fd, &st) == 0 ? OK : fileio_err("stat", path);
    for (uint64_t h = 0; !e && h < HOURS && h * HOUR_BYTES < (uint64_t)st.st_size; h++) {
        uint64_t first = (day * HOURS + h) << 24;
        int64_t last;
        (void)sqlite3_bind_int64(max_id, 1, (int64_t)first);
        (void)sqlite3_bind_int64(max_id, 2, (int64_t)(first + DB_ARRIVALS_MAX - 1));
        e = db_number(max_id, (int64_t)first - 1, &last);
        uint64_t from = h * HOUR_BYTES + ((uint64_t)last + 1 - first) * VECTOR_BYTES;
        if (!e && from < (h + 1) * HOUR_BYTES && from < (uint64_t)st.st_size)
            e = fileio_zero(fd, from, (h + 1) * HOUR_BYTES - from, path);
    }
    close(fd);
    return e;
}

static enum err vectors_trim(const char *dir, sqlite3 *db) {
    char path[PATH_MAX_BYTES];
    sqlite3_stmt *max_id = NULL;
    (void)snprintf(path, sizeof path, "%s/likeness", dir);
    enum err e = db_prepare(db, "SELECT max(id) FROM sighting WHERE id BETWEEN ?1 AND ?2", &max_id);
    if (e) return e;
    DIR *d = opendir(path);
    if (!d) e = fileio_err("open", path);
    struct dirent *ent;
    while (!e && (ent = readdir(d)) != NULL) {
        char *end;
        unsigned long long day = strtoull(ent->d_name, &end, 10);
        if (end == ent->d_name || strcmp(end, ".vec") != 0) continue;
        vectors_path(dir, day, path);
        e = vectors_trim_day(path, day, max_id);
    }
    if (d) closedir(d);
    (void)sqlite3_finalize(max_id);
    return e;
}

enum err vectors_open(const char *dir, sqlite3 *db, struct vectors **out) {
    *out = NULL;
    char path[PATH_MAX_BYTES];
    struct vectors *v = calloc(1, sizeof *v);
    if (!v) return ERR_NOMEM;
    for (unsigned i = 0; i < OPEN_DAYS; i++) v->file[i].fd = -1;
    enum err e = ERR_USAGE;
    if (strlen(dir) >= sizeof v->dir) goto fail;
    memcpy(v->dir, dir, strlen(dir) + 1);
    (void)snprintf(path, sizeof path, "%s/likeness", dir);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        e = fileio_err("mkdir", path);
        goto fail;
    }
    e = vectors_trim(dir, db);
    if (e) goto fail;
    *out = v;
    return OK;
fail:
    free(v);
    return e;
}

static enum err vectors_flush(struct vectors *v, unsigned i) {
    if (!v->file[i].dirty) return OK;
    char path[PATH_MAX_BYTES];
    vectors_path(v->dir, v->file[i].day, path);
    if (fdatasync(v->file[i].fd) != 0) return fileio_err("fdatasync", path);
    v->file[i].dirty = false;
    return OK;
}

void vectors_close(struct vectors **v) {
    if (!v || !*v) return;
    for (unsigned i = 0; i < OPEN_DAYS; i++)
        if ((*v)->file[i].fd >= 0) close((*v)->file[i].fd);
    free(*v);
    *v = NULL;
}

static enum err vectors_select(struct vectors *v, uint64_t day, unsigned *out) {
    unsigned oldest = 0;
    for (unsigned i = 0; i < OPEN_DAYS; i++) {
        if (v->file[i].fd >= 0 && v->file[i].day == day) {
            v->file[i].used = ++v->clock;
            *out = i;
            return OK;
        }
        if (v->file[i].used < v->file[oldest].used) oldest = i;
    }
    char path[PATH_MAX_BYTES], folder[PATH_MAX_BYTES];
    enum err e = vectors_flush(v, oldest);
    if (e) return e;
    if (v->file[oldest].fd >= 0) close(v->file[oldest].fd);
    vectors_path(v->dir, day, path);
    bool fresh = access(path, F_OK) != 0;
    v->file[oldest].fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (v->file[oldest].fd < 0) return fileio_err("open", path);
    v->file[oldest].day = day;
    v->file[oldest].used = ++v->clock;
    *out = oldest;
    if (!fresh) return OK;
    (void)snprintf(folder, sizeof folder, "%s/likeness", v->dir);
    return fileio_sync_folder(folder);
}

enum err vectors_put(struct vectors *v, uint64_t id, const int8_t vector[VECTOR_BYTES]) {
    char path[PATH_MAX_BYTES];
    unsigned i = 0;
    enum err e = vectors_select(v, vector_day(id), &i);
    if (e) return e;
    vectors_path(v->dir, v->file[i].day, path);
    v->file[i].dirty = true;
    return fileio_write(v->file[i].fd, vector, VECTOR_BYTES, vector_offset(id), path);
}

enum err vectors_sync(struct vectors *v) {
    enum err e = OK;
    for (unsigned i = 0; !e && i < OPEN_DAYS; i++) e = vectors_flush(v, i);
    return e;
}

static void vectors_forget(struct vectors *v, uint64_t day) {
    for (unsigned i = 0; i < OPEN_DAYS; i++) {
        if (v->file[i].fd < 0 || v->file[i].day != day) continue;
        close(v->file[i].fd);
        v->file[i].fd = -1;
        v->file[i].dirty = false;
        v->file[i].used = 0;
    }
}

enum err vectors_erase(struct vectors *v, uint64_t from_id, uint64_t to_id) {
    char path[PATH_MAX_BYTES];
    enum err e = OK;
    if (from_id >= to_id) return OK;
    for (uint64_t day = vector_day(from_id); !e && day <= vector_day(to_id - 1); day++) {
        uint64_t first = day * HOURS << 24, end = (day + 1) * HOURS << 24;
        vectors_path(v->dir, day, path);
        if (from_id <= first && to_id >= end) {
            vectors_forget(v, day);
            e = fileio_erase(path);
            continue;
        }
        if (access(path, F_OK) != 0) continue; /* no vehicle was seen that day */
        unsigned i = 0;
        uint64_t from = vector_offset(from_id > first ? from_id : first);
        uint64_t to = to_id < end ? vector_offset(to_id) : HOURS * HOUR_BYTES;
        e = vectors_select(v, day, &i);
        if (!e) e = fileio_zero(v->file[i].fd, from, to - from, path);
        v->file[i].dirty = true;
    }
    return e;
}

/* ---- reading ----------------------------------------------------------------------------------------- */

struct vector_files {
    char *dir;
    struct {
        int fd; /* -1 = none */
        uint64_t day, used;
    } file[READ_DAYS];
    uint64_t clock;
};

enum err vector_files_open(const char *dir, struct vector_files **out) {
    struct vector_files *f = *out = calloc(1, sizeof *f);
    if (!f) return ERR_NOMEM;
    for (unsigned i = 0; i < READ_DAYS; i++) f->file[i].fd = -1;
    f->dir = strdup(dir);
    if (f->dir) return OK;
    vector_files_close(out);
    return ERR_NOMEM;
}

void vector_files_forget(struct vector_files *f) {
    for (unsigned i = 0; i < READ_DAYS; i++) {
        if (f->file[i].fd >= 0) close(f->file[i].fd);
        f->file[i].fd = -1;
        f->file[i].used = 0;
    }
}

void vector_files_close(struct vector_files **f) {
    if (!f || !*f) return;
    vector_files_forget(*f);
    free((*f)->dir);
    free(*f);
    *f = NULL;
}

enum err vector_files_read(struct vector_files *f, uint64_t id, int8_t *out, unsigned n) {
    uint64_t day = vector_day(id);
    char path[PATH_MAX_BYTES];
    unsigned at = 0;
    for (unsigned i = 0; i < READ_DAYS; i++) {
        if (f->file[i].fd >= 0 && f->file[i].day == day) {
            at = i;
            break;
        }
        if (f->file[i].used < f->file[at].used) at = i;
    }
    vectors_path(f->dir, day, path);
    if (f->file[at].fd < 0 || f->file[at].day != day) {
        if (f->file[at].fd >= 0) close(f->file[at].fd);
        f->file[at].fd = open(path, O_RDONLY | O_CLOEXEC);
        if (f->file[at].fd < 0) return errno == ENOENT ? ERR_MISSING : fileio_err("open", path);
        f->file[at].day = day;
    }
    f->file[at].used = ++f->clock;
    return fileio_read(f->file[at].fd, out, (size_t)n * VECTOR_BYTES, vector_offset(id), path);
}
