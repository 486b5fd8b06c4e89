/* SPDX-License-Identifier: Apache-2.0 */
#include "host/backup/backup.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/backup/database.h"
#include "host/backup/manifest.h"
#include "host/backup/tree.h"
#include "host/base/clock.h"
#include "host/case/register.h"
#include "host/index/index.h"

#define TRIES  3 /* a purge may pass while files are copied */
#define DAY_MS (24LL * 3600 * 1000)

struct meter {
    uint64_t done, total;
    backup_progress *progress;
    void *arg;
};

static bool step(uint64_t n, void *arg) {
    struct meter *m = arg;
    m->done += n;
    return !m->progress || m->progress(m->done < m->total ? m->done : m->total, m->total, m->arg);
}

static void ignore_line(const char *line, void *arg) {
    (void)line;
    (void)arg;
}

/* Is it a whole data directory: every derived structure equal to its rows, every line of the journal linked?
 */
static enum err check(const char *dir, const struct vocab *vocab, struct backup_report *out) {
    struct register_db *r;
    uint64_t bad = 0;
    enum err e = index_check(dir, vocab, ignore_line, NULL, &out->n_passages);
    if (e) {
        snprintf(out->why, sizeof out->why, "the index fails its check; see relecture check-index");
        return e;
    }
    e = register_open(dir, false, &r);
    if (e) {
        snprintf(out->why, sizeof out->why, "register.db cannot be opened");
        return e;
    }
    e = journal_verify(r, &out->n_journal, &bad);
    register_close(&r);
    if (e == ERR_CORRUPT)
        snprintf(out->why, sizeof out->why, "line %llu of the journal was altered", (unsigned long long)bad);
    return e;
}

/* The moment at which the first of the recordings in `dir` must be gone. */
static enum err first_term(const char *dir, const struct vocab *vocab, int site_days, int64_t *out) {
    struct register_db *r = NULL;
    struct index_reader *x = NULL;
    struct recording *recordings = NULL;
    struct camera *cameras = NULL;
    size_t n = 0;
    unsigned n_cameras = 0;
    *out = INT64_MAX;
    enum err e = register_open(dir, false, &r);
    if (!e) e = camera_list(r, &cameras, &n_cameras);
    if (!e) e = index_reader_open(dir, vocab, &x);
    if (!e) e = index_recordings(x, NULL, &recordings, &n);
    for (size_t i = 0; i < n; i++) {
        int days = site_days;
        for (unsigned k = 0; k < n_cameras; k++)
            if (cameras[k].number == recordings[i].camera_number && cameras[k].retention_days > 0 &&
                cameras[k].retention_days < days)
                days = cameras[k].retention_days;
        const int64_t end = recordings[i].start_ms + days * DAY_MS;
        if (end < *out) *out = end;
    }
    free(recordings);
    free(cameras);
    index_reader_close(&x);
    register_close(&r);
    return e;
}

/* Databases first: what the files beside them hold more than the rows know does no harm, less would. */
static enum err copy_all(struct tree *t, const char *from, const char *to, bool whole_databases,
                         struct meter *m, struct backup_report *out) {
    enum err e = OK;
    for (int databases = 1; databases >= 0 && !e; databases--)
        for (size_t i = 0; i < t->n && !e; i++) {
            struct tree_file *f = &t->files[i];
            char source[FS_PATH_MAX], target[FS_PATH_MAX];
            if (tree_is_database(f->name) != (databases == 1)) continue;
            if (databases && !whole_databases) {
                e = fs_join(source, from, f->name);
                if (!e) e = fs_join(target, to, f->name);
                if (!e) e = database_copy(source, target);
                if (!e) e = step(f->n_bytes, m) ? OK : ERR_CANCELLED;
            } else {
                e = tree_copy_file(from, to, f, step, m);
            }
            if (e) snprintf(out->why, sizeof out->why, "%.200s: %s", f->name, err_text(e));
        }
    return e;
}

static enum err attempt(const char *dir, const struct vocab *vocab, const char *part, struct meter *m,
                        struct tree *t, struct backup_report *out) {
    *t = (struct tree){0};
    enum err e = tree_remove(part);
    if (!e) e = fs_mkdirs(part, 0700);
    if (!e) e = tree_list(t, dir, "");
    m->done = 0;
    m->total = t->n_bytes;
    if (!e) e = copy_all(t, dir, part, false, m, out);
    if (!e) e = check(part, vocab, out);
    return e;
}

/* What was checked is what is written down: SQLite may have touched its files since they were copied. */
static enum err seal(const char *part, struct tree *t, struct backup_report *out) {
    enum err e = OK;
    tree_fini(t);
    e = tree_list(t, part, "");
    t->n_bytes = 0;
    for (size_t i = 0; i < t->n && !e; i++) {
        e = tree_hash(part, &t->files[i]);
        t->n_bytes += t->files[i].n_bytes;
    }
    out->n_files = t->n;
    out->n_bytes = t->n_bytes;
    return e ? e : manifest_write(part, t, out);
}

enum err backup_make(const char *dir, const struct vocab *vocab, int retention_days, const char *to,
                     backup_progress *progress, void *arg, struct backup_report *out) {
    char part[FS_PATH_MAX];
    struct tree t = {0};
    struct meter m = {.progress = progress, .arg = arg};
    *out = (struct backup_report){.made_ms = clock_wall_ms()};
    if (snprintf(part, sizeof part, "%s.part", to) >= (int)sizeof part) return ERR_USAGE;
    if (fs_exists(to)) return ERR_EXISTS;
    enum err e = ERR_CORRUPT;
    for (int i = 0; i < TRIES && (e == ERR_CORRUPT || e == ERR_MISSING); i++) {
        tree_fini(&t);
        e = attempt(dir, vocab, part, &m, &t, out);
    }
    if (!e) e = first_term(part, vocab, retention_days, &out->delete_by_ms);
    if (!e) e = seal(part, &t, out);
    if (!e && rename(part, to) != 0) e = ERR_IO;
    tree_fini(&t);
    return e;
}

static enum err verify_files(const char *from, const struct tree *t, struct backup_report *out) {
    enum err e = OK;
    for (size_t i = 0; i < t->n && !e; i++) {
        struct tree_file now = t->files[i];
        e = tree_hash(from, &now);
        if (!e && (now.n_bytes != t->files[i].n_bytes || strcmp(now.sha256, t->files[i].sha256) != 0))
            e = ERR_CORRUPT;
        if (e) snprintf(out->why, sizeof out->why, "%.200s is not what was backed up", now.name);
    }
    return e;
}

enum err backup_restore(const char *from, const struct vocab *vocab, const char *dir,
                        backup_progress *progress, void *arg, struct backup_report *out) {
    char part[FS_PATH_MAX];
    struct tree t = {0};
    struct meter m = {.progress = progress, .arg = arg};
    *out = (struct backup_report){0};
    if (snprintf(part, sizeof part, "%s.part", dir) >= (int)sizeof part) return ERR_USAGE;
    if (fs_exists(dir)) return ERR_EXISTS;
    enum err e = manifest_read(from, &t, out);
    const struct backup_report promised = *out;
    if (!e) e = verify_files(from, &t, out);
    if (!e) e = tree_remove(part);
    if (!e) e = fs_mkdirs(part, 0700);
    m.total = t.n_bytes;
    if (!e) e = copy_all(&t, from, part, true, &m, out);
    if (!e) e = check(part, vocab, out);
    if (!e && (out->n_passages != promised.n_passages || out->n_journal < promised.n_journal)) {
        snprintf(out->why, sizeof out->why, "it does not hold as many passages as its %s says",
                 BACKUP_MANIFEST);
        e = ERR_CORRUPT;
    }
    out->n_files = t.n;
    out->n_bytes = t.n_bytes;
    if (!e && rename(part, dir) != 0) e = ERR_IO;
    tree_fini(&t);
    return e;
}

static enum err erase_if_expired(const char *path, int64_t now_ms, unsigned *n_erased) {
    struct tree t = {0};
    struct backup_report r;
    const enum err e = manifest_read(path, &t, &r);
    tree_fini(&t);
    if (e || r.delete_by_ms > now_ms) return OK; /* no backup of ours, or in its time */
    (*n_erased)++;
    return tree_remove(path);
}

enum err backup_erase_expired(const char *parent, int64_t now_ms, unsigned *n_erased) {
    DIR *d = opendir(parent);
    enum err e = OK;
    *n_erased = 0;
    if (!d) return errno == ENOENT ? OK : ERR_IO;
    for (struct dirent *entry; !e && (entry = readdir(d));) {
        char path[FS_PATH_MAX];
        if (entry->d_name[0] == '.' || fs_join(path, parent, entry->d_name)) continue;
        e = erase_if_expired(path, now_ms, n_erased);
    }
    closedir(d);
    return e;
}
