/* SPDX-License-Identifier: Apache-2.0 */
#include "host/import/batch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/base/utf8.h"
#include "host/import/naming.h"
#include "host/import/sidecar.h"
#include "host/media/decoder.h"

enum { DEPTH_MAX = 16, PROBES_AT_ONCE = 2, EDGE_BYTES = 65536 };
/* A recorder still writes what changed this lately. */
#define GROWING_MS 60000
/* Clocks and containers round; a pause this short between two files is none. */
#define PAUSE_MS 2000
/* 2,000 passages an hour at 30 kB with their thumbnails, and a margin; measured busy street: 800. */
#define INDEX_BYTES_PER_HOUR (64ull << 20)
#define INDEX_BYTES_LEAST    (256ull << 20)

struct probe {
    struct batch *b;
    struct batch_file *file;
    struct decoder *decoder;
    int fd;
    bool over;
};

struct batch {
    struct event_base *base;
    struct batch_config cfg;
    struct zone *zone;
    struct batch_file *files;
    unsigned n, cap, next; /* next: the first not probed */
    struct probe probes[PROBES_AT_ONCE];
    struct event *kick;
    batch_done_fn *done;
    void *arg;
    bool looking;
    uint64_t free_bytes;
};

const char *batch_from_name(enum batch_from f) {
    static const char *const names[] = {"", "asked", "sidecar", "name", "folder", "container", "previous"};
    return (unsigned)f < sizeof names / sizeof names[0] ? names[f] : "";
}

static const char *base_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- which files ------------------------------------------------------------------------------------------
 */

/* By its ending certainly no recording. Everything else is asked of a decode worker, whatever it is called.
 */
static bool is_beside(const char *name) {
    static const char *const endings[] = {".csv", ".json", ".txt",    ".xml", ".jpg", ".jpeg",
                                          ".png", ".pdf",  ".log",    ".idx", ".md",  ".db",
                                          ".ini", ".html", ".sha256", ".md5", ".srt", ".exe"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof endings[0]; i++)
        if (strcasecmp(dot, endings[i]) == 0) return true;
    return name[0] == '.';
}

static enum err add_file(struct batch *b, const char *path, const struct stat *st) {
    if (b->n == BATCH_FILES_MAX) return ERR_FULL;
    if (b->n == b->cap) {
        const unsigned cap = b->cap ? 2 * b->cap : 64;
        struct batch_file *grown = realloc(b->files, cap * sizeof *grown);
        if (!grown) return ERR_NOMEM;
        b->files = grown;
        b->cap = cap;
    }
    struct batch_file *f = &b->files[b->n++];
    *f = (struct batch_file){.n_bytes = (uint64_t)st->st_size,
                             .modified_ms = st->st_mtim.tv_sec * 1000ll + st->st_mtim.tv_nsec / 1000000,
                             .start_ms = -1,
                             .end_ms = -1,
                             .scheme = "",
                             .doubt = ""};
    snprintf(f->path, sizeof f->path, "%s", path);
    if (strlen(path) >= sizeof f->path)
        snprintf(f->problem, sizeof f->problem, "its name with all folders is longer than 1,023 bytes");
    else if (!utf8_is_valid(path))
        snprintf(f->problem, sizeof f->problem,
                 "its name is not UTF-8; rename it (each odd byte is shown as ?)");
    else if (st->st_size == 0)
        snprintf(f->problem, sizeof f->problem, "is empty (0 bytes); export it again from the recorder");
    utf8_mend(f->path);
    return OK;
}

static enum err add_folder(struct batch *b, const char *path, unsigned depth) {
    if (depth == DEPTH_MAX) return OK;
    DIR *d = opendir(path);
    if (!d) return errno == ENOENT ? ERR_MISSING : ERR_IO;
    enum err e = OK;
    for (struct dirent *de; !e && (de = readdir(d)) != NULL;) {
        char full[PATH_MAX];
        struct stat st;
        if (is_beside(de->d_name) ||
            snprintf(full, sizeof full, "%s/%s", path, de->d_name) >= (int)sizeof full)
            continue;
        /* Links are not followed: a folder of evidence is what lies in it. */
        if (lstat(full, &st) != 0) continue;
        if (S_ISDIR(st.st_mode))
            e = add_folder(b, full, depth + 1);
        else if (S_ISREG(st.st_mode))
            e = add_file(b, full, &st);
    }
    closedir(d);
    return e;
}

enum err batch_add(struct batch *b, const char *path) {
    char full[PATH_MAX];
    struct stat st;
    if (!realpath(path, full) || stat(full, &st) != 0) return ERR_MISSING;
    return S_ISDIR(st.st_mode) ? add_folder(b, full, 0) : add_file(b, full, &st);
}

/* ---- what each one says
 * ------------------------------------------------------------------------------------ */

static int64_t utc_of(const struct batch *b, const struct naming_time *t, const char **doubt) {
    const int64_t day = zone_day(t->year, t->month, t->day);
    if (t->utc) return day * 86400000 + t->ms;
    const int64_t first = zone_utc_ms(b->zone, day, t->ms, false),
                  later = zone_utc_ms(b->zone, day, t->ms, true);
    if (first != later && doubt) *doubt = "dst";
    return first;
}

static const struct camera *camera_named(const struct batch *b, const char *text) {
    for (unsigned i = 0; i < b->cfg.n_cameras; i++)
        if (strcasecmp(b->cfg.cameras[i].id, text) == 0 || strcasecmp(b->cfg.cameras[i].name, text) == 0)
            return &b->cfg.cameras[i];
    return NULL;
}

static void camera_of_path(const struct batch *b, struct batch_file *f) {
    unsigned best = 0;
    for (unsigned i = 0; i < b->cfg.n_cameras; i++) {
        const struct camera *c = &b->cfg.cameras[i];
        const unsigned by_id = naming_match_camera(f->path, c->id),
                       by_name = naming_match_camera(f->path, c->name);
        const unsigned m = by_id > by_name ? by_id : by_name;
        if (m <= best) continue;
        best = m;
        f->camera = c;
        const char *base = base_of(f->path);
        f->camera_from = naming_match_camera(base, c->id) || naming_match_camera(base, c->name)
                             ? BATCH_NAME
                             : BATCH_FOLDER;
    }
}

/* FILE.json, FILE without its ending .json, then what speaks for the folder. */
static bool sidecar_of(const struct batch_file *f, struct sidecar *out) {
    static const char *const of_folder[] = {"index", "metadata"}, *const endings[] = {".json", ".csv"};
    const char *base = base_of(f->path);
    const int folder = (int)(base - f->path);
    const char *dot = strrchr(base, '.');
    const int stem = dot ? (int)(dot - f->path) : (int)strlen(f->path);
    for (unsigned i = 0; i < 8; i++) {
        char path[FS_PATH_MAX], *text;
        size_t n;
        const char *ending = endings[i % 2];
        const int k =
            i < 2   ? snprintf(path, sizeof path, "%s%s", f->path, ending)
            : i < 4 ? snprintf(path, sizeof path, "%.*s%s", stem, f->path, ending)
                    : snprintf(path, sizeof path, "%.*s%s%s", folder, f->path, of_folder[i / 2 - 2], ending);
        if (k >= (int)sizeof path || !fs_exists(path) ||
            fs_read(path, BATCH_SIDECAR_MAX_BYTES, &text, &n) != OK)
            continue;
        const bool found = sidecar_read(text, n, i % 2 == 0, base, out);
        free(text);
        if (found) return true;
    }
    return false;
}

static void read_signs(struct batch *b, struct batch_file *f, int64_t creation_ms) {
    struct naming n;
    struct sidecar s;
    struct naming_time t = {.known = false};
    const char *doubt = "";
    naming_read(f->path, &n);
    f->scheme = n.scheme;
    if (b->cfg.camera) {
        f->camera = b->cfg.camera;
        f->camera_from = BATCH_ASKED;
    }
    const bool beside = sidecar_of(f, &s);
    if (beside && !f->camera && *s.camera) {
        f->camera = camera_named(b, s.camera);
        if (f->camera) f->camera_from = BATCH_SIDECAR;
    }
    if (!f->camera) camera_of_path(b, f);
    int64_t ms = -1;
    if (beside && *s.start && (clock_parse(s.start, &ms) == OK || naming_time_parse(s.start, &t))) {
        if (ms < 0) ms = utc_of(b, &t, &doubt);
        f->start_from = BATCH_SIDECAR;
    } else if (n.start.known) {
        ms = utc_of(b, &n.start, &doubt);
        f->start_from = n.date_from_folder ? BATCH_FOLDER : BATCH_NAME;
    } else if (creation_ms > 0) {
        ms = creation_ms;
        f->start_from = BATCH_CONTAINER;
    }
    if (ms < 0) return;
    const int64_t offset_ms = f->camera ? f->camera->clock_offset_ms : 0;
    f->start_ms = ms + offset_ms;
    if (*doubt) f->doubt = doubt;
    if (n.end.known && f->duration_us == 0) f->end_ms = utc_of(b, &n.end, NULL) + offset_ms;
}

/* Size, and the bytes at both ends: enough to show twins without reading terabytes; at import the whole is
 * hashed. */
static void read_edges(struct batch_file *f, int fd) {
    uint8_t edges[2 * EDGE_BYTES + sizeof f->n_bytes];
    memcpy(edges, &f->n_bytes, sizeof f->n_bytes);
    size_t n = sizeof f->n_bytes;
    const off_t at[] = {0, f->n_bytes > EDGE_BYTES ? (off_t)(f->n_bytes - EDGE_BYTES) : 0};
    for (unsigned i = 0; i < 2; i++) {
        const ssize_t got = pread(fd, edges + n, EDGE_BYTES, at[i]);
        if (got > 0) n += (size_t)got;
    }
    if (fs_sha256(edges, n, f->edges_sha256)) f->edges_sha256[0] = 0;
}

/* ---- probing
 * ------------------------------------------------------------------------------------------------ */

static void on_probed(struct decoder *d, const struct wire_probed *p, void *arg) {
    (void)d;
    struct probe *pr = arg;
    struct batch_file *f = pr->file;
    f->duration_us = p->duration_us;
    snprintf(f->container, sizeof f->container, "%s", p->container);
    read_signs(pr->b, f, p->creation_ms);
}

static void finish(struct probe *pr) {
    pr->over = true;
    event_active(pr->b->kick, EV_TIMEOUT, 0);
}

static void on_end(struct decoder *d, const struct wire_decode_end *e, void *arg) {
    (void)d, (void)e;
    finish(arg);
}

static void on_failed(struct decoder *d, enum err e, const struct wire_failed *w, void *arg) {
    (void)d, (void)e;
    struct probe *pr = arg;
    snprintf(pr->file->problem, sizeof pr->file->problem, "%s", w->text);
    finish(pr);
}

static bool begin(struct batch *b, struct probe *pr, struct batch_file *f) {
    struct stat st;
    if (*f->problem) return false;
    *pr =
        (struct probe){.b = b, .file = f, .fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (pr->fd < 0 || fstat(pr->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        snprintf(f->problem, sizeof f->problem, "cannot be opened: %s", strerrordesc_np(errno));
        if (pr->fd >= 0) close(pr->fd);
        return false;
    }
    if (clock_wall_ms() - f->modified_ms < GROWING_MS) f->doubt = "growing";
    read_edges(f, pr->fd);
    const struct decoder_spec spec = {.exe = b->cfg.decode_exe,
                                      .label = base_of(f->path),
                                      .job = DECODER_PROBE,
                                      .in_fd = pr->fd,
                                      .out_fd = -1,
                                      .after_us = -1};
    const struct decoder_callbacks cb = {
        .on_probed = on_probed, .on_end = on_end, .on_failed = on_failed, .arg = pr};
    if (decoder_start(b->base, &spec, &cb, &pr->decoder) == OK) return true;
    snprintf(f->problem, sizeof f->problem, "the decode worker cannot be started; see the log");
    close(pr->fd);
    return false;
}

/* ---- all of them together
 * ------------------------------------------------------------------------------------ */

static int by_camera_and_start(const void *pa, const void *pb) {
    const struct batch_file *a = pa, *b = pb;
    const unsigned ca = a->camera ? a->camera->number : UINT_MAX,
                   cb = b->camera ? b->camera->number : UINT_MAX;
    const int64_t sa = a->start_ms < 0 ? INT64_MAX : a->start_ms,
                  sb = b->start_ms < 0 ? INT64_MAX : b->start_ms;
    if (ca != cb) return ca < cb ? -1 : 1;
    if (sa != sb) return sa < sb ? -1 : 1;
    return strcmp(a->path, b->path);
}

static int by_path(const void *pa, const void *pb) {
    return strcmp(((const struct batch_file *)pa)->path, ((const struct batch_file *)pb)->path);
}

static int64_t end_of(const struct batch_file *f) {
    if (f->start_ms < 0) return -1;
    if (f->duration_us > 0) return f->start_ms + f->duration_us / 1000;
    return f->end_ms;
}

/* Split files ("clip_000.mp4", "clip_001.mp4"): one without a time begins where the one before it, by name,
 * in the same folder and of the same camera, ended. A start that was asked for is the first one's. */
static void chain(struct batch *b) {
    const struct batch_file *before = NULL;
    qsort(b->files, b->n, sizeof *b->files, by_path);
    for (unsigned i = 0; i < b->n; i++) {
        struct batch_file *f = &b->files[i];
        if (*f->problem) continue;
        const size_t folder = (size_t)(base_of(f->path) - f->path);
        const bool follows = before && before->camera == f->camera && end_of(before) >= 0 &&
                             (size_t)(base_of(before->path) - before->path) == folder &&
                             strncmp(before->path, f->path, folder) == 0;
        if (!before && b->cfg.start_ms >= 0) {
            f->start_ms = b->cfg.start_ms + (f->camera ? f->camera->clock_offset_ms : 0);
            f->start_from = BATCH_ASKED;
            f->doubt = strcmp(f->doubt, "dst") == 0 ? "" : f->doubt;
        } else if (follows && (f->start_ms < 0 || f->start_from == BATCH_CONTAINER || b->cfg.start_ms >= 0)) {
            f->start_ms = end_of(before);
            f->start_from = BATCH_PREVIOUS;
        }
        f->end_ms = end_of(f);
        before = f;
    }
}

static void find_twins(struct batch *b) {
    for (unsigned i = 0; i < b->n; i++) b->files[i].twin = 0;
    for (unsigned i = 1; i < b->n; i++)
        for (unsigned k = 0; k < i && *b->files[i].edges_sha256; k++)
            if (b->files[k].n_bytes == b->files[i].n_bytes &&
                memcmp(b->files[k].edges_sha256, b->files[i].edges_sha256, 65) == 0) {
                b->files[i].twin = k + 1;
                break;
            }
}

static void on_kick(evutil_socket_t fd, short what, void *arg) {
    (void)fd, (void)what;
    struct batch *b = arg;
    bool busy = false;
    for (unsigned i = 0; i < PROBES_AT_ONCE; i++) {
        struct probe *pr = &b->probes[i];
        if (pr->decoder && pr->over) {
            decoder_free(&pr->decoder);
            close(pr->fd);
        }
        while (!pr->decoder && b->next < b->n)
            if (begin(b, pr, &b->files[b->next++])) break;
        busy |= pr->decoder != NULL;
    }
    if (busy || !b->looking) return;
    b->looking = false;
    chain(b);
    qsort(b->files, b->n, sizeof *b->files, by_camera_and_start);
    find_twins(b);
    if (fs_free_bytes(b->cfg.dir, &b->free_bytes)) b->free_bytes = 0;
    b->done(b, b->arg);
}

enum err batch_new(struct event_base *base, const struct batch_config *cfg, struct batch **out) {
    *out = NULL;
    struct batch *b = calloc(1, sizeof *b);
    if (!b) return ERR_NOMEM;
    b->base = base;
    b->cfg = *cfg;
    enum err e = zone_open(cfg->zone, &b->zone);
    b->kick = event_new(base, -1, 0, on_kick, b);
    if (!e && !b->kick) e = ERR_NOMEM;
    if (e) {
        batch_free(&b);
        return e;
    }
    *out = b;
    return OK;
}

enum err batch_look(struct batch *b, batch_done_fn *done, void *arg) {
    b->done = done;
    b->arg = arg;
    b->looking = true;
    event_active(b->kick, EV_TIMEOUT, 0);
    return OK;
}

const struct batch_file *batch_files(const struct batch *b, unsigned *n) {
    *n = b->n;
    return b->files;
}

void batch_free(struct batch **pb) {
    if (!pb || !*pb) return;
    struct batch *b = *pb;
    *pb = NULL;
    for (unsigned i = 0; i < PROBES_AT_ONCE; i++) {
        if (!b->probes[i].decoder) continue;
        decoder_free(&b->probes[i].decoder);
        close(b->probes[i].fd);
    }
    if (b->kick) event_free(b->kick);
    zone_free(&b->zone);
    free(b->files);
    free(b);
}

/* ---- the plan
 * ------------------------------------------------------------------------------------------------ */

static int64_t total_us(const struct batch *b) {
    int64_t us = 0;
    for (unsigned i = 0; i < b->n; i++) us += *b->files[i].problem ? 0 : b->files[i].duration_us;
    return us;
}

uint64_t batch_need_bytes(const struct batch *b) {
    return INDEX_BYTES_LEAST + (uint64_t)(total_us(b) / 1000000) * INDEX_BYTES_PER_HOUR / 3600;
}

uint64_t batch_free_bytes(const struct batch *b) {
    return b->free_bytes;
}

static const char *shown(const char *path, const char *root) {
    const size_t n = strlen(root);
    if (n == 0 || strncmp(path, root, n) != 0 || path[n] != '/') return path;
    return path + n + 1;
}

static json_t *file_json(const struct batch_file *f, const char *root) {
    return json_pack(
        "{s:s,s:I,s:s,s:I,s:s,s:s,s:s,s:I,s:s,s:I,s:I,s:s,s:s}", "path", shown(f->path, root), "n_bytes",
        (json_int_t)f->n_bytes, "container", f->container, "duration_ms", (json_int_t)(f->duration_us / 1000),
        "scheme", f->scheme, "camera_id", f->camera ? f->camera->id : "", "camera_from",
        batch_from_name(f->camera_from), "start_ms", (json_int_t)f->start_ms, "start_from",
        batch_from_name(f->start_from), "end_ms", (json_int_t)f->end_ms, "clock_offset_ms",
        (json_int_t)(f->camera ? f->camera->clock_offset_ms : 0), "doubt", f->doubt, "problem", f->problem);
}

json_t *batch_json(const struct batch *b, const char *root) {
    json_t *files = json_array(), *gaps = json_array(), *overlaps = json_array(), *twins = json_array();
    const struct batch_file *last = NULL; /* of this camera, the one that reaches furthest */
    uint64_t n_bytes = 0;
    for (unsigned i = 0; i < b->n; i++) {
        const struct batch_file *f = &b->files[i];
        n_bytes += f->n_bytes;
        json_array_append_new(files, file_json(f, root));
        if (f->twin)
            json_array_append_new(twins,
                                  json_pack("{s:[s,s]}", "files", shown(b->files[f->twin - 1].path, root),
                                            shown(f->path, root)));
        if (*f->problem || !f->camera || f->start_ms < 0) continue;
        if (last && last->camera == f->camera && end_of(last) >= 0) {
            const int64_t end = end_of(last);
            if (f->start_ms > end + PAUSE_MS)
                json_array_append_new(gaps, json_pack("{s:s,s:I,s:I}", "camera_id", f->camera->id, "from_ms",
                                                      (json_int_t)end, "to_ms", (json_int_t)f->start_ms));
            if (f->start_ms < end - PAUSE_MS)
                json_array_append_new(
                    overlaps, json_pack("{s:s,s:I,s:I,s:[s,s]}", "camera_id", f->camera->id, "from_ms",
                                        (json_int_t)f->start_ms, "to_ms",
                                        (json_int_t)(end_of(f) >= 0 && end_of(f) < end ? end_of(f) : end),
                                        "files", shown(last->path, root), shown(f->path, root)));
        }
        if (!last || last->camera != f->camera || end_of(f) > end_of(last)) last = f;
    }
    const int64_t us = total_us(b);
    const double eta_ms = b->cfg.x_realtime > 0 ? (double)us / 1e3 / b->cfg.x_realtime : -1;
    return json_pack("{s:o,s:i,s:I,s:I,s:I,s:I,s:I,s:o,s:o,s:o}", "files", files, "n_files", (int)b->n,
                     "duration_ms", (json_int_t)(us / 1000), "n_bytes", (json_int_t)n_bytes, "need_bytes",
                     (json_int_t)batch_need_bytes(b), "free_bytes", (json_int_t)b->free_bytes, "eta_ms",
                     (json_int_t)eta_ms, "gaps", gaps, "overlaps", overlaps, "twins", twins);
}
