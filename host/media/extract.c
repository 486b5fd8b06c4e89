/* SPDX-License-Identifier: Apache-2.0 */
/* On disk: KEY.mp4 or KEY.jpg, and KEY.mp4.start / KEY.jpg.start with the moment it begins, in microseconds.
 * Order: worker writes and fsyncs the temporary file; the .start file is written; the temporary file is
 * renamed. So a file under its final name is whole, and its .start is there. The directory itself is not
 * synced: a name lost in a power cut costs making the file again. */
#include "host/media/extract.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "host/base/log.h"
#include "host/media/cache.h"
#include "host/media/decoder.h"

#define TEMP_PREFIX    ".new-"
#define NAME_MAX_BYTES (EXTRACT_KEY_MAX + 24)

struct asker {
    struct asker *next;
    extract_fn *done; /* NULL = cancelled */
    void *arg;
};

struct request {
    struct request *next;
    bool is_clip;
    char *path;
    int64_t from_us, to_us;
    char name[NAME_MAX_BYTES]; /* KEY.mp4 or KEY.jpg */
    struct asker *askers;
};

struct extract {
    struct event_base *base;
    char *exe, *dir;
    int dir_fd;
    unsigned n_waiting_max, n_waiting, limit_s;
    uint64_t n_bytes, max_bytes; /* of the directory, about; its limit, 0 = none */
    int64_t clip_max_us;
    struct request *head, **tail; /* the first is in work when decoder != NULL */
    struct decoder *decoder;
    struct event *kick, *late;
    int out_fd;
    unsigned depth;
    bool doomed;
};

static void request_free(struct request *r) {
    if (!r) return;
    while (r->askers) {
        struct asker *a = r->askers;
        r->askers = a->next;
        free(a);
    }
    free(r->path);
    free(r);
}

static void temp_name(const struct request *r, char out[static NAME_MAX_BYTES + 8]) {
    snprintf(out, NAME_MAX_BYTES + 8, TEMP_PREFIX "%s", r->name);
}

static void start_name(const struct request *r, char out[static NAME_MAX_BYTES + 8]) {
    snprintf(out, NAME_MAX_BYTES + 8, "%s.start", r->name);
}

static void drop_output(struct extract *ex, const struct request *r) {
    char name[NAME_MAX_BYTES + 8];
    temp_name(r, name);
    if (ex->out_fd >= 0) close(ex->out_fd);
    ex->out_fd = -1;
    if (unlinkat(ex->dir_fd, name, 0) != 0 && errno != ENOENT)
        log_warn("extract", "cannot remove errno=%d", errno);
}

static void release(struct extract *ex) {
    decoder_free(&ex->decoder);
    if (ex->head && ex->out_fd >= 0) drop_output(ex, ex->head);
    while (ex->head) {
        struct request *r = ex->head;
        ex->head = r->next;
        request_free(r);
    }
    if (ex->kick) event_free(ex->kick);
    if (ex->late) event_free(ex->late);
    if (ex->dir_fd >= 0) close(ex->dir_fd);
    free(ex->exe);
    free(ex->dir);
    free(ex);
}

/* Answers the first request and goes on with the next. `text` may be NULL. */
static void finish(struct extract *ex, enum err e, int64_t first_us, const char *text) {
    struct request *r = ex->head;
    char path[4096];
    ex->head = r->next;
    if (!ex->head) ex->tail = &ex->head;
    ex->n_waiting--;
    snprintf(path, sizeof path, "%s/%s", ex->dir, r->name);
    const struct extract_result result = {.status = e,
                                          .path = e == OK ? path : NULL,
                                          .first_us = first_us,
                                          .text = e == OK ? NULL
                                                  : text  ? text
                                                          : err_text(e)};
    ex->depth++;
    for (struct asker *a = r->askers; a && !ex->doomed; a = a->next)
        if (a->done) a->done(&result, a->arg);
    request_free(r);
    ex->depth--;
    if (ex->doomed) {
        if (ex->depth == 0) release(ex);
        return;
    }
    if (ex->head) event_active(ex->kick, EV_TIMEOUT, 0);
}

/* The result of an earlier run. */
static bool find_made(struct extract *ex, const struct request *r, int64_t *first_us) {
    char name[NAME_MAX_BYTES + 8], text[32] = "";
    struct stat st;
    if (fstatat(ex->dir_fd, r->name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) return false;
    start_name(r, name);
    const int fd = openat(ex->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    const ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    char *end = text;
    errno = 0;
    const long long v = n > 0 ? strtoll(text, &end, 10) : -1;
    if (errno || end == text || *end != '\n' || v < 0) return false;
    *first_us = v;
    return true;
}

static enum err write_start(struct extract *ex, const struct request *r, int64_t first_us) {
    char name[NAME_MAX_BYTES + 8], text[32];
    start_name(r, name);
    const int n = snprintf(text, sizeof text, "%" PRId64 "\n", first_us);
    const int fd = openat(ex->dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return ERR_IO;
    const bool whole = write(fd, text, (size_t)n) == n;
    return close(fd) == 0 && whole ? OK : ERR_FULL;
}

/* A file more is there: others may have to go. Down to nine tenths, so that this is not done for every clip.
 */
static void make_room(struct extract *ex, const char *name) {
    struct stat st;
    if (fstatat(ex->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) ex->n_bytes += (uint64_t)st.st_size;
    if (ex->max_bytes == 0 || ex->n_bytes <= ex->max_bytes) return;
    const enum err e = cache_trim(ex->dir_fd, ex->max_bytes / 10 * 9, name, &ex->n_bytes);
    if (e != OK) log_error("extract", "the cache cannot be kept small err=%s", err_text(e));
}

static void on_end(struct decoder *d, const struct wire_decode_end *m, void *arg) {
    (void)d;
    struct extract *ex = arg;
    const struct request *r = ex->head;
    char name[NAME_MAX_BYTES + 8];
    event_del(ex->late);
    decoder_free(&ex->decoder);
    const int64_t first_us = m->first_pts_us;
    enum err e = first_us < 0 ? ERR_CORRUPT : write_start(ex, r, first_us);
    temp_name(r, name);
    if (e == OK && renameat(ex->dir_fd, name, ex->dir_fd, r->name) != 0) {
        log_error("extract", "rename failed errno=%d", errno);
        e = ERR_IO;
    }
    if (e == OK) {
        close(ex->out_fd);
        ex->out_fd = -1;
        make_room(ex, r->name);
    } else {
        drop_output(ex, r);
    }
    finish(ex, e, first_us, NULL);
}

static void on_failed(struct decoder *d, enum err e, const struct wire_failed *f, void *arg) {
    (void)d;
    struct extract *ex = arg;
    char text[WIRE_TEXT_MAX];
    snprintf(text, sizeof text, "%s", f->text);
    event_del(ex->late);
    decoder_free(&ex->decoder);
    drop_output(ex, ex->head);
    finish(ex, e, -1, text);
}

static void too_late(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    struct extract *ex = arg;
    if (!ex->decoder) return;
    log_warn("extract", "job past its limit, ended limit_s=%u", ex->limit_s);
    decoder_free(&ex->decoder);
    drop_output(ex, ex->head);
    finish(ex, ERR_TIMEOUT, -1, "it took too long and was ended");
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Begins the first request. */
static void kick(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    struct extract *ex = arg;
    struct request *r = ex->head;
    char name[NAME_MAX_BYTES + 8];
    int64_t first_us;
    if (!r || ex->decoder) return;
    if (find_made(ex, r, &first_us)) {
        cache_touch(ex->dir_fd, r->name);
        finish(ex, OK, first_us, NULL);
        return;
    }
    const int in = open(r->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (in < 0) {
        const bool missing = errno == ENOENT || errno == ENOTDIR;
        log_warn("extract", "recording cannot be opened errno=%d", errno);
        finish(ex, missing ? ERR_MISSING : ERR_IO, -1,
               missing ? "the recording is no longer where it was imported from"
                       : "the recording cannot be opened");
        return;
    }
    temp_name(r, name);
    ex->out_fd = openat(ex->dir_fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (ex->out_fd < 0) {
        log_error("extract", "cannot create a file errno=%d", errno);
        const enum err e = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
        close(in);
        finish(ex, e, -1, NULL);
        return;
    }
    const struct decoder_spec spec = {.exe = ex->exe,
                                      .label = base_name(r->path),
                                      .job = r->is_clip ? DECODER_CLIP : DECODER_STILL,
                                      .in_fd = in,
                                      .out_fd = ex->out_fd,
                                      .from_us = r->from_us,
                                      .to_us = r->to_us};
    const struct decoder_callbacks cb = {.on_end = on_end, .on_failed = on_failed, .arg = ex};
    const enum err e = decoder_start(ex->base, &spec, &cb, &ex->decoder);
    close(in);
    if (e != OK) {
        drop_output(ex, r);
        finish(ex, e, -1, "the decode worker cannot be started");
        return;
    }
    const struct timeval limit = {.tv_sec = ex->limit_s};
    event_add(ex->late, &limit);
}

/* Temporary files of a run that ended in the middle. */
static void remove_leftovers(struct extract *ex) {
    const int fd = fcntl(ex->dir_fd, F_DUPFD_CLOEXEC, 0);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0) close(fd);
        return;
    }
    const struct dirent *de;
    while ((de = readdir(dir)) != NULL)
        if (!strncmp(de->d_name, TEMP_PREFIX, sizeof TEMP_PREFIX - 1) &&
            unlinkat(ex->dir_fd, de->d_name, 0) != 0)
            log_warn("extract", "cannot remove a leftover errno=%d", errno);
    closedir(dir);
}

enum err extract_new(struct event_base *base, const struct extract_config *cfg, struct extract **out) {
    *out = NULL;
    enum err e = ERR_NOMEM;
    if (cfg->limit_s == 0 || cfg->clip_max_s == 0) return ERR_USAGE;
    struct extract *ex = calloc(1, sizeof *ex);
    if (!ex) return ERR_NOMEM;
    ex->base = base;
    ex->tail = &ex->head;
    ex->dir_fd = ex->out_fd = -1;
    ex->n_waiting_max = cfg->n_waiting;
    ex->limit_s = cfg->limit_s;
    ex->clip_max_us = (int64_t)cfg->clip_max_s * 1000000;
    ex->exe = strdup(cfg->exe);
    ex->dir = strdup(cfg->dir);
    ex->kick = event_new(base, -1, 0, kick, ex);
    ex->late = evtimer_new(base, too_late, ex);
    if (!ex->exe || !ex->dir || !ex->kick || !ex->late) goto fail;
    e = ERR_IO;
    if (mkdir(ex->dir, 0700) != 0 && errno != EEXIST) {
        log_error("extract", "cannot make the cache directory errno=%d", errno);
        goto fail;
    }
    ex->dir_fd = open(ex->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (ex->dir_fd < 0) {
        log_error("extract", "cannot open the cache directory errno=%d", errno);
        goto fail;
    }
    remove_leftovers(ex);
    ex->max_bytes = cfg->max_bytes;
    if ((e = cache_bytes(ex->dir_fd, &ex->n_bytes)) != OK) goto fail;
    *out = ex;
    return OK;
fail:
    release(ex);
    return e;
}

enum err extract_erase_all(const char *dir, uint64_t *n_files) {
    *n_files = 0;
    DIR *d = opendir(dir);
    if (!d) {
        if (errno == ENOENT) return OK;
        log_error("extract", "cannot open the cache directory errno=%d", errno);
        return ERR_IO;
    }
    enum err e = OK;
    const struct dirent *de;
    while ((de = readdir(d)) != NULL) {
        if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0) continue;
        if (unlinkat(dirfd(d), de->d_name, 0) == 0) {
            ++*n_files;
            continue;
        }
        log_error("extract", "cannot erase a file of the cache errno=%d", errno);
        e = ERR_IO;
    }
    closedir(d);
    return e;
}

static bool is_key(const char *key) {
    const size_t n = strlen(key);
    if (n == 0 || n > EXTRACT_KEY_MAX) return false;
    return strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static enum err ask(struct extract *ex, const char *path, bool is_clip, int64_t from_us, int64_t to_us,
                    const char *key, extract_fn *done, void *arg) {
    if (!is_key(key) || from_us < 0 || from_us > INT64_MAX / 4) return ERR_USAGE;
    if (is_clip && (to_us <= from_us || to_us - from_us > ex->clip_max_us)) return ERR_USAGE;
    struct asker *a = calloc(1, sizeof *a);
    if (!a) return ERR_NOMEM;
    a->done = done;
    a->arg = arg;
    char name[NAME_MAX_BYTES];
    snprintf(name, sizeof name, "%s.%s", key, is_clip ? "mp4" : "jpg");
    for (struct request *r = ex->head; r; r = r->next) {
        if (strcmp(r->name, name) != 0) continue;
        a->next = r->askers;
        r->askers = a;
        return OK;
    }
    /* The one in work does not wait. */
    if (ex->n_waiting >= ex->n_waiting_max + 1) {
        free(a);
        return ERR_BUSY;
    }
    struct request *r = calloc(1, sizeof *r);
    if (r) r->path = strdup(path);
    if (!r || !r->path) {
        request_free(r);
        free(a);
        return ERR_NOMEM;
    }
    r->is_clip = is_clip;
    r->from_us = from_us;
    r->to_us = to_us;
    memcpy(r->name, name, sizeof name);
    r->askers = a;
    *ex->tail = r;
    ex->tail = &r->next;
    ex->n_waiting++;
    if (ex->head == r) event_active(ex->kick, EV_TIMEOUT, 0);
    return OK;
}

enum err extract_clip(struct extract *ex, const char *path, int64_t from_us, int64_t to_us, const char *key,
                      extract_fn *done, void *arg) {
    return ask(ex, path, true, from_us, to_us, key, done, arg);
}

enum err extract_still(struct extract *ex, const char *path, int64_t at_us, const char *key, extract_fn *done,
                       void *arg) {
    return ask(ex, path, false, at_us, 0, key, done, arg);
}

void extract_cancel(struct extract *ex, void *arg) {
    for (struct request *r = ex->head; r; r = r->next)
        for (struct asker *a = r->askers; a; a = a->next)
            if (a->arg == arg) a->done = NULL;
}

void extract_free(struct extract **pex) {
    if (!pex || !*pex) return;
    struct extract *ex = *pex;
    *pex = NULL;
    if (ex->doomed) return;
    ex->doomed = true;
    if (ex->depth == 0) release(ex);
}
