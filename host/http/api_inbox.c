/* SPDX-License-Identifier: Apache-2.0 */
/* GET /imports/inbox, POST /imports/plan, POST /imports, POST /imports/JOB|all: what lies in the inbox, what
 * it is, bringing it in, and steering what runs. Nothing outside the inbox is ever named, opened or shown:
 * paths are resolved first and must lie inside. */
#include "host/http/api.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/base/utf8.h"
#include "host/import/batch.h"

enum { FILES_MAX = 2000, PATHS_MAX = 256, PLANS_MAX = 2, ENTRIES_MAX = 5000 };
/* SQLite would fail in mid-transaction. */
#define FREE_BYTES_MIN (256ull << 20)

/* ---- the inbox --------------------------------------------------------------------------------------------
 */

/* The inbox itself, resolved. Ends the exchange with 403 when there is none. */
static bool inbox_of(struct exchange *x, char out[static PATH_MAX]) {
    if (x->ctx->inbox && strcmp(x->ctx->inbox, "none") != 0 && realpath(x->ctx->inbox, out)) return true;
    exchange_error(x, 403, "no_inbox", NULL,
                   "import.inbox of the configuration names no folder that is there");
    return false;
}

/* A path as it was asked for, resolved; false when it is not there or leads out of the inbox. */
static bool inside(const char *inbox, const char *path, char out[static PATH_MAX]) {
    char full[PATH_MAX];
    const size_t n = strlen(inbox);
    if (!utf8_is_valid(path) || path[0] == '/') return false;
    if (snprintf(full, sizeof full, "%s/%s", inbox, path) >= (int)sizeof full || !realpath(full, out))
        return false;
    return strncmp(out, inbox, n) == 0 && (out[n] == '/' || out[n] == 0);
}

static void not_there(struct exchange *x) {
    exchange_error(x, 404, "not_found", NULL, "there is no such file or folder in the inbox");
}

static int by_name(const void *a, const void *b) {
    return strcmp(json_string_value(json_object_get(*(json_t *const *)a, "name")),
                  json_string_value(json_object_get(*(json_t *const *)b, "name")));
}

void api_inbox_get(struct exchange *x) {
    char inbox[PATH_MAX], folder[PATH_MAX], asked[1024] = "";
    if (!exchange_case(x) || !inbox_of(x, inbox)) return;
    (void)exchange_query(x, "path", asked, sizeof asked);
    DIR *d = inside(inbox, asked, folder) ? opendir(folder) : NULL;
    if (!d) {
        not_there(x);
        return;
    }
    json_t *folders = json_array(), *files = json_array();
    json_t **list = calloc(ENTRIES_MAX, sizeof *list);
    unsigned n = 0;
    for (struct dirent *de; list && n < ENTRIES_MAX && (de = readdir(d)) != NULL;) {
        char full[PATH_MAX];
        struct stat st;
        if (de->d_name[0] == '.' || !utf8_is_valid(de->d_name) ||
            snprintf(full, sizeof full, "%s/%s", folder, de->d_name) >= (int)sizeof full ||
            lstat(full, &st) != 0 || (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)))
            continue;
        list[n] = json_pack("{s:s,s:I,s:I,s:b}", "name", de->d_name, "n_bytes", (json_int_t)st.st_size,
                            "modified_ms", (json_int_t)st.st_mtim.tv_sec * 1000, "folder",
                            S_ISDIR(st.st_mode) ? 1 : 0);
        if (list[n]) n++;
    }
    closedir(d);
    if (list) qsort(list, n, sizeof *list, by_name);
    for (unsigned i = 0; i < n; i++) {
        const bool is_folder = json_is_true(json_object_get(list[i], "folder"));
        (void)json_object_del(list[i], "folder");
        if (is_folder)
            json_array_append(folders, json_object_get(list[i], "name"));
        else
            json_array_append(files, list[i]);
        json_decref(list[i]);
    }
    free(list);
    const char *root = strrchr(inbox, '/');
    exchange_json(x, 200,
                  json_pack("{s:s,s:s,s:o,s:o}", "root", root ? root + 1 : inbox, "path",
                            folder[strlen(inbox)] ? folder + strlen(inbox) + 1 : "", "folders", folders,
                            "files", files));
}

/* ---- a plan -----------------------------------------------------------------------------------------------
 */

/* One that is being made; its exchange waits. */
struct plan {
    struct plan *next;
    struct exchange *x;
    struct batch *batch;
    struct camera *cameras; /* those of the case */
    struct camera camera;
    char inbox[PATH_MAX];
};

static void plan_free(struct plan *p) {
    for (struct plan **at = &p->x->server->plans; *at; at = &(*at)->next) {
        if (*at != p) continue;
        *at = p->next;
        break;
    }
    batch_free(&p->batch);
    free(p->cameras);
    free(p);
}

void api_plans_free(struct http_server *s) {
    while (s->plans) plan_free(s->plans);
}

static void on_looked(struct batch *b, void *arg) {
    struct plan *p = arg;
    struct exchange *x = p->x;
    json_t *answer = batch_json(b, p->inbox);
    plan_free(p);
    exchange_json(x, 200, answer);
}

static bool is_of_case(const struct case_file *c, uint16_t number) {
    for (unsigned i = 0; i < c->n_cameras; i++)
        if (c->cameras[i] == number) return true;
    return false;
}

/* The cameras of the case into p->cameras; *n of them. */
static enum err load_cameras(struct plan *p, unsigned *n) {
    unsigned n_all;
    const enum err e = camera_list(p->x->ctx->reg, &p->cameras, &n_all);
    *n = 0;
    for (unsigned i = 0; !e && i < n_all; i++)
        if (is_of_case(&p->x->c, p->cameras[i].number)) p->cameras[(*n)++] = p->cameras[i];
    return e;
}

static const struct camera *camera_of(const struct camera *cameras, unsigned n, const char *id) {
    for (unsigned i = 0; id && i < n; i++)
        if (strcmp(cameras[i].id, id) == 0) return &cameras[i];
    return NULL;
}

static void plan_begin(struct exchange *x, struct plan *p) {
    const json_t *paths = json_object_get(x->asked, "paths");
    const char *camera = json_string_value(json_object_get(x->asked, "camera_id"));
    const json_t *start = json_object_get(x->asked, "start_ms");
    unsigned n_cameras;
    enum err e = load_cameras(p, &n_cameras);
    const struct camera *one = camera_of(p->cameras, n_cameras, camera);
    if (!e && camera && !one) {
        plan_free(p);
        exchange_error(x, 403, "outside_case", NULL, "that camera is not one of the case");
        return;
    }
    if (one) p->camera = *one;
    const struct batch_config bc = {.decode_exe = x->ctx->decode_exe,
                                    .dir = x->ctx->data_dir,
                                    .zone = x->ctx->tz,
                                    .cameras = p->cameras,
                                    .n_cameras = n_cameras,
                                    .camera = one ? &p->camera : NULL,
                                    .start_ms = json_is_integer(start) ? json_integer_value(start) : -1};
    if (!e) e = batch_new(x->ctx->base, &bc, &p->batch);
    for (size_t i = 0; !e && i < json_array_size(paths); i++) {
        char full[PATH_MAX];
        const char *path = json_string_value(json_array_get(paths, i));
        e = path && inside(p->inbox, path, full) ? batch_add(p->batch, full) : ERR_MISSING;
    }
    unsigned n = 0;
    if (!e) (void)batch_files(p->batch, &n);
    if (!e && n > FILES_MAX) e = ERR_FULL;
    if (!e) e = batch_look(p->batch, on_looked, p);
    if (!e) return; /* on_looked() answers */
    plan_free(p);
    if (e == ERR_MISSING)
        not_there(x);
    else if (e == ERR_FULL)
        exchange_error(x, 422, "too_many", NULL, "more than 2,000 files at once; choose fewer");
    else
        exchange_err(x, e);
}

void api_import_plan_post(struct exchange *x) {
    static const char *const known[] = {"paths", "camera_id", "start_ms", NULL};
    if (!exchange_case(x) || !exchange_asked(x, known)) return;
    const size_t n = json_array_size(json_object_get(x->asked, "paths"));
    unsigned n_plans = 0;
    for (const struct plan *p = x->server->plans; p; p = p->next) n_plans++;
    if (n == 0 || n > PATHS_MAX) {
        exchange_error(x, 422, "bad_field", json_pack("{s:s}", "field", "paths"), "1 to 256 paths");
        return;
    }
    if (n_plans >= PLANS_MAX) {
        exchange_error(x, 503, "busy", NULL, "other folders are being looked at; try again in a moment");
        return;
    }
    struct plan *p = calloc(1, sizeof *p);
    if (!p) {
        exchange_err(x, ERR_NOMEM);
        return;
    }
    if (!inbox_of(x, p->inbox)) {
        free(p);
        return;
    }
    p->x = x;
    p->next = x->server->plans;
    x->server->plans = p;
    plan_begin(x, p);
}

/* ---- bringing in
 * ------------------------------------------------------------------------------------------- */

static void add_now(struct exchange *x) {
    const json_t *files = json_object_get(x->asked, "ready");
    const size_t n = json_array_size(files);
    struct import_request *rq = calloc(n, sizeof *rq);
    uint64_t *jobs = calloc(n, sizeof *jobs), batch = 0;
    enum err e = rq && jobs ? OK : ERR_NOMEM;
    for (size_t i = 0; !e && i < n; i++) {
        const json_t *f = json_array_get(files, i);
        rq[i] = (struct import_request){
            .file = json_string_value(json_object_get(f, "path")),
            .case_id = x->c.id,
            .camera_number = (uint16_t)json_integer_value(json_object_get(f, "camera_number")),
            .start_ms = json_integer_value(json_object_get(f, "start_ms")), /* the plan's: offset applied */
            .priority = (int)json_integer_value(json_object_get(x->asked, "priority"))};
    }
    if (!e) e = x->ctx->imports_add(rq, (unsigned)n, &batch, jobs, x->ctx->arg);
    json_t *numbers = json_array();
    for (size_t i = 0; !e && i < n; i++) json_array_append_new(numbers, json_integer((json_int_t)jobs[i]));
    free(rq);
    free(jobs);
    if (!e) {
        exchange_json(x, 202, json_pack("{s:I,s:o}", "batch_id", (json_int_t)batch, "jobs", numbers));
        return;
    }
    json_decref(numbers);
    exchange_err(x, e);
}

/* x->asked "ready": the files with full path and camera number. False: the exchange has ended. */
static bool check_files(struct exchange *x, const char *inbox) {
    const json_t *files = json_object_get(x->asked, "files");
    struct camera *cameras = NULL;
    unsigned n = 0;
    json_t *ready = json_array();
    size_t i;
    json_t *f;
    const enum err e = camera_list(x->ctx->reg, &cameras, &n);
    if (e) {
        json_decref(ready);
        exchange_err(x, e);
        return false;
    }
    const char *code = NULL, *message = NULL;
    int status = 404;
    json_array_foreach(files, i, f) {
        char full[PATH_MAX];
        const char *path = json_string_value(json_object_get(f, "path"));
        const json_t *start = json_object_get(f, "start_ms");
        const struct camera *c = camera_of(cameras, n, json_string_value(json_object_get(f, "camera_id")));
        if (!path || !json_is_integer(start) || json_integer_value(start) < 0) {
            status = 422, code = "bad_field", message = "each file needs path, camera_id and start_ms";
        } else if (!c || !is_of_case(&x->c, c->number)) {
            status = 403, code = "outside_case", message = "a camera is not one of the case";
        } else if (!inside(inbox, path, full)) {
            code = "not_found", message = "there is no such file in the inbox";
        } else {
            json_array_append_new(ready, json_pack("{s:s,s:i,s:I}", "path", full, "camera_number",
                                                   (int)c->number, "start_ms", json_integer_value(start)));
            continue;
        }
        break;
    }
    free(cameras);
    json_object_set_new(x->asked, "ready", ready);
    if (!code) return true;
    exchange_error(x, status, code, json_pack("{s:i}", "file", (int)i), message);
    return false;
}

void api_imports_post(struct exchange *x) {
    static const char *const known[] = {"files", "priority", NULL};
    char inbox[PATH_MAX];
    uint64_t room;
    if (!exchange_case(x) || !exchange_asked(x, known) || !inbox_of(x, inbox)) return;
    const size_t n = json_array_size(json_object_get(x->asked, "files"));
    const json_int_t priority = json_integer_value(json_object_get(x->asked, "priority"));
    if (n == 0 || n > FILES_MAX || priority < IMPORT_PRIORITY_MIN || priority > IMPORT_PRIORITY_MAX) {
        exchange_error(x, 422, "bad_field",
                       json_pack("{s:s}", "field", n == 0 || n > FILES_MAX ? "files" : "priority"),
                       "1 to 2,000 files, a priority from -9 to 9");
        return;
    }
    if (!x->ctx->imports_add) {
        exchange_error(x, 503, "busy", NULL, "this server imports nothing");
        return;
    }
    if (!check_files(x, inbox)) return;
    if (fs_free_bytes(x->ctx->data_dir, &room) || room < FREE_BYTES_MIN) {
        exchange_error(x, 507, "disk_full", NULL,
                       "the disk of the data directory is nearly full; free some space first");
        return;
    }
    exchange_journal(x, "import", "", json_pack("{s:i,s:i}", "n_files", (int)n, "priority", (int)priority),
                     add_now);
}

/* ---- steering
 * ------------------------------------------------------------------------------------------------ */

static void order_now(struct exchange *x) {
    struct import_order o = {.case_id = x->c.id,
                             .priority = (int)json_integer_value(json_object_get(x->asked, "priority"))};
    (void)router_u64(x->match.parameter[0], &o.job); /* 0 = all */
    (void)import_action_of(json_string_value(json_object_get(x->asked, "action")), &o.action);
    unsigned n = 0;
    const enum err e = x->ctx->imports_order(&o, &n, x->ctx->arg);
    if (e)
        exchange_err(x, e);
    else if (n == 0 && o.job)
        exchange_error(x, 404, "not_found", NULL, "no such import of this case is still going on");
    else
        exchange_json(x, 200, json_pack("{s:i}", "n", (int)n));
}

void api_import_post(struct exchange *x) {
    static const char *const known[] = {"action", "priority", NULL};
    uint64_t job;
    enum import_action action;
    if (!exchange_case(x) || !exchange_asked(x, known)) return;
    const char *word = json_string_value(json_object_get(x->asked, "action"));
    const json_t *p = json_object_get(x->asked, "priority");
    const json_int_t priority = json_integer_value(p);
    if (strcmp(x->match.parameter[0], "all") != 0 && (!router_u64(x->match.parameter[0], &job) || job == 0)) {
        exchange_error(x, 404, "not_found", NULL, "an import is a number, or all");
        return;
    }
    if (!import_action_of(word, &action) || (action == IMPORT_PRIORITY && !json_is_integer(p)) ||
        priority < IMPORT_PRIORITY_MIN || priority > IMPORT_PRIORITY_MAX) {
        exchange_error(x, 422, "bad_field", json_pack("{s:s}", "field", "action"),
                       "pause, resume, cancel, or priority with a priority from -9 to 9");
        return;
    }
    if (!x->ctx->imports_order) {
        exchange_error(x, 503, "busy", NULL, "this server imports nothing");
        return;
    }
    exchange_journal(x, "import.order", word,
                     json_pack("{s:s,s:i}", "job", x->match.parameter[0], "to", (int)priority), order_now);
}
