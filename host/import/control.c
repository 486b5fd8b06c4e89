/* SPDX-License-Identifier: Apache-2.0 */
#include "host/import/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/import/item.h"

struct client {
    struct client *next;
    struct control *control;
    struct bufferevent *bev;
    uint64_t *jobs; /* still going on; 0 = over */
    size_t n_jobs, n_open;
    size_t n_seen; /* bytes of the request without an end of line */
    bool closing;  /* once its output is flushed */
};

struct control {
    struct importer *im;
    struct evconnlistener *listener;
    struct client *clients;
    char path[FS_PATH_MAX];
};

static bool address_of(const char *dir, struct sockaddr_un *a) {
    memset(a, 0, sizeof *a);
    a->sun_family = AF_UNIX;
    const int n = snprintf(a->sun_path, sizeof a->sun_path, "%s/control.sock", dir);
    return n > 0 && (size_t)n < sizeof a->sun_path;
}

static void client_free(struct client *cl) {
    for (struct client **p = &cl->control->clients; *p; p = &(*p)->next) {
        if (*p != cl) continue;
        *p = cl->next;
        break;
    }
    bufferevent_free(cl->bev);
    free(cl->jobs);
    free(cl);
}

static void client_write(struct client *cl, json_t *taken) {
    char *text = json_dumps(taken, JSON_COMPACT);
    if (text) {
        evbuffer_add(bufferevent_get_output(cl->bev), text, strlen(text));
        evbuffer_add(bufferevent_get_output(cl->bev), "\n", 1);
    }
    free(text);
    json_decref(taken);
}

static void client_refuse(struct client *cl, const char *why) {
    client_write(cl, json_pack("{s:s}", "error", why));
    cl->closing = true;
}

static void client_import(struct client *cl, const json_t *rq) {
    const char *case_id = json_string_value(json_object_get(rq, "case"));
    const json_t *files = json_object_get(rq, "files");
    const json_int_t camera = json_integer_value(json_object_get(rq, "camera_number"));
    const json_int_t offset_ms = json_integer_value(json_object_get(rq, "clock_offset_ms"));
    const json_int_t priority = json_integer_value(json_object_get(rq, "priority"));
    if (!case_id || json_array_size(files) == 0 || priority < IMPORT_PRIORITY_MIN ||
        priority > IMPORT_PRIORITY_MAX) {
        client_refuse(cl, "import: case or files are missing, or the priority is out of range");
        return;
    }
    const uint64_t batch = importer_new_batch(cl->control->im);
    cl->jobs = calloc(json_array_size(files), sizeof *cl->jobs);
    if (!cl->jobs) {
        client_refuse(cl, "out of memory");
        return;
    }
    /* importer_add() tells of a waiting item before its number is known here; what it becomes comes later,
     * from the loop, and finds it. */
    size_t i;
    json_t *f;
    json_array_foreach(files, i, f) {
        const char *path = json_string_value(json_object_get(f, "path"));
        const json_t *own_camera = json_object_get(f, "camera_number");
        const json_t *own_offset = json_object_get(f, "clock_offset_ms");
        const json_int_t number = own_camera ? json_integer_value(own_camera) : camera;
        const struct import_request one = {.file = path,
                                           .case_id = case_id,
                                           .camera_number = (uint16_t)number,
                                           .start_ms = json_integer_value(json_object_get(f, "start_ms")),
                                           .clock_offset_ms =
                                               own_offset ? json_integer_value(own_offset) : offset_ms,
                                           .priority = (int)priority,
                                           .ungated = json_is_true(json_object_get(rq, "ungated")),
                                           .batch = batch};
        const bool fine = path && number >= 1 && number <= UINT16_MAX;
        const enum err e = fine ? importer_add(cl->control->im, &one, &cl->jobs[cl->n_jobs]) : ERR_USAGE;
        if (e) {
            client_refuse(cl, err_text(e));
            return;
        }
        cl->n_jobs++;
        cl->n_open++;
    }
}

static void client_order(struct client *cl, const json_t *rq) {
    const json_int_t job = json_integer_value(json_object_get(rq, "job"));
    const json_int_t priority = json_integer_value(json_object_get(rq, "priority"));
    struct import_order o = {.job = (uint64_t)job,
                             .case_id = json_string_value(json_object_get(rq, "case")),
                             .priority = (int)priority};
    if (!import_action_of(json_string_value(json_object_get(rq, "action")), &o.action) || job < 0 ||
        priority < IMPORT_PRIORITY_MIN || priority > IMPORT_PRIORITY_MAX) {
        client_refuse(cl, "order: no such action, job or priority");
        return;
    }
    client_write(cl, json_pack("{s:i}", "n", (int)importer_order(cl->control->im, &o)));
    cl->closing = true;
}

static void client_items(struct client *cl) {
    enum { ITEMS_MAX = 512 };
    struct import_item *items = calloc(ITEMS_MAX, sizeof *items);
    const unsigned n = items ? importer_items(cl->control->im, items, ITEMS_MAX) : 0;
    for (unsigned i = 0; i < n; i++) {
        json_t *line = import_item_json(&items[i]);
        if (line) client_write(cl, line);
    }
    client_write(cl, json_pack("{s:i}", "n", (int)n));
    free(items);
    cl->closing = true;
}

static void on_read(struct bufferevent *bev, void *arg) {
    struct client *cl = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    if (cl->jobs || cl->closing) { /* one request each */
        evbuffer_drain(in, evbuffer_get_length(in));
        return;
    }
    /* A long request comes in thousands of pieces: only the new one is looked through. */
    struct evbuffer_ptr from;
    const size_t n_bytes = evbuffer_get_length(in);
    if (evbuffer_ptr_set(in, &from, cl->n_seen, EVBUFFER_PTR_SET) != 0) return;
    if (evbuffer_search_eol(in, &from, NULL, EVBUFFER_EOL_LF).pos < 0) {
        cl->n_seen = n_bytes;
        if (n_bytes > CONTROL_LINE_MAX_BYTES) client_free(cl);
        return;
    }
    size_t n;
    char *line = evbuffer_readln(in, &n, EVBUFFER_EOL_LF);
    if (!line) {
        client_free(cl);
        return;
    }
    json_error_t why;
    json_t *rq = json_loadb(line, n, JSON_REJECT_DUPLICATES, &why);
    const char *op = json_string_value(json_object_get(rq, "op"));
    if (op && strcmp(op, "import") == 0)
        client_import(cl, rq);
    else if (op && strcmp(op, "order") == 0)
        client_order(cl, rq);
    else if (op && strcmp(op, "items") == 0)
        client_items(cl);
    else
        client_refuse(cl, rq ? "unknown op" : why.text);
    json_decref(rq);
    free(line);
}

static void on_written(struct bufferevent *bev, void *arg) {
    (void)bev;
    struct client *cl = arg;
    if (cl->closing) client_free(cl);
}

static void on_event(struct bufferevent *bev, short what, void *arg) {
    (void)bev, (void)what;
    client_free(arg); /* gone; its imports go on */
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *a, int n, void *arg) {
    (void)a, (void)n;
    struct control *c = arg;
    struct client *cl = calloc(1, sizeof *cl);
    struct bufferevent *bev =
        cl ? bufferevent_socket_new(evconnlistener_get_base(l), fd, BEV_OPT_CLOSE_ON_FREE) : NULL;
    if (!bev) {
        free(cl);
        close(fd);
        return;
    }
    cl->control = c;
    cl->bev = bev;
    cl->next = c->clients;
    c->clients = cl;
    bufferevent_setcb(bev, on_read, on_written, on_event, cl);
    bufferevent_setwatermark(bev, EV_READ, 0, CONTROL_LINE_MAX_BYTES + 1);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
}

void control_item(struct control *c, const struct import_item *i) {
    for (struct client *cl = c->clients; cl; cl = cl->next) {
        for (size_t k = 0; k < cl->n_jobs; k++) {
            if (cl->jobs[k] != i->job) continue;
            json_t *line = import_item_json(i);
            if (line) client_write(cl, line);
            if (!import_item_is_over(i)) continue;
            cl->jobs[k] = 0;
            if (--cl->n_open == 0) cl->closing = true;
        }
    }
}

enum err control_new(struct event_base *base, const char *dir, struct importer *im, struct control **out) {
    *out = NULL;
    struct sockaddr_un a;
    if (!address_of(dir, &a)) {
        log_error("control", "the data directory's name is too long for a socket (%zu characters at most)",
                  sizeof a.sun_path - sizeof "/control.sock");
        return ERR_USAGE;
    }
    struct control *c = calloc(1, sizeof *c);
    if (!c) return ERR_NOMEM;
    c->im = im;
    snprintf(c->path, sizeof c->path, "%s", a.sun_path);
    /* A socket left by a killed server; the index's lock says that no other one runs. */
    unlink(c->path);
    const mode_t old = umask(0077);
    c->listener = evconnlistener_new_bind(base, on_accept, c, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
                                          16, (struct sockaddr *)&a, (int)sizeof a);
    umask(old);
    if (!c->listener) {
        log_error("control", "op=bind path=%s errno=%d (%s)", c->path, errno, strerrordesc_np(errno));
        free(c);
        return ERR_IO;
    }
    *out = c;
    return OK;
}

void control_free(struct control **pc) {
    if (!pc || !*pc) return;
    struct control *c = *pc;
    *pc = NULL;
    while (c->clients) client_free(c->clients);
    evconnlistener_free(c->listener);
    unlink(c->path);
    free(c);
}

/* ---- client ----------------------------------------------------------------------------------------------
 */

enum err control_ask(const char *dir, const json_t *request, bool (*fn)(const json_t *line, void *arg),
                     void *arg) {
    struct sockaddr_un a;
    if (!address_of(dir, &a)) return ERR_USAGE;
    if (json_dumpb(request, NULL, 0, JSON_COMPACT) >= CONTROL_LINE_MAX_BYTES) return ERR_FULL;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return ERR_IO;
    if (connect(fd, (const struct sockaddr *)&a, sizeof a) != 0) {
        close(fd);
        return ERR_MISSING;
    }
    FILE *io = fdopen(fd, "r+");
    if (!io) {
        close(fd);
        return ERR_NOMEM;
    }
    enum err e = OK;
    if (json_dumpf(request, io, JSON_COMPACT) != 0 || fputc('\n', io) == EOF || fflush(io) != 0) e = ERR_IO;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    while (!e && (n = getline(&line, &cap, io)) > 0) {
        json_t *o = json_loadb(line, (size_t)n, 0, NULL);
        if (!o) e = ERR_CORRUPT;
        const bool more = o && fn(o, arg);
        json_decref(o);
        if (!more) break;
    }
    free(line);
    fclose(io);
    return e;
}
