/* SPDX-License-Identifier: Apache-2.0 */
/* The closing record of a case: written when asked for, then read file by file. */
#include "host/http/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "host/evidence/folder.h"

static const struct {
    const char *name, *mime;
} files[] = {{"proces-verbal.html", "text/html; charset=utf-8"},
             {"proces-verbal.pdf", "application/pdf"},
             {"certificat-de-couverture.html", "text/html; charset=utf-8"},
             {"certificat-de-couverture.pdf", "application/pdf"},
             {"SHA256SUMS", "text/plain; charset=utf-8"},
             {"SHA256SUMS.sig", "application/octet-stream"},
             {"signer.pem", "application/x-pem-file"}};
enum { N_FILES = sizeof files / sizeof files[0] };

static enum err write_it(struct register_db *r, struct exchange *x) {
    (void)r; /* it opens its own */
    const enum err e = x->ctx->write_record(x->c.id, x->ctx->arg);
    if (e) return e;
    json_t *names = json_array();
    for (int i = 0; i < N_FILES; i++) json_array_append_new(names, json_string(files[i].name));
    x->status = 201;
    x->answer = json_pack("{s:o}", "files", names);
    return OK;
}

void api_closing_post(struct exchange *x) {
    static const char *const known[] = {NULL};
    if (!exchange_case_of_path(x) || !exchange_asked(x, known)) return;
    if (!x->ctx->write_record) {
        exchange_error(x, 503, "busy", NULL, "This server writes no closing records.");
        return;
    }
    exchange_act(x, "closing", write_it, NULL);
}

struct wish {
    char path[FOLDER_PATH_MAX];
    const char *mime;
};

static void send_file(struct exchange *x) {
    const struct wish *w = x->work;
    exchange_file(x, w->path, w->mime, "private, no-store");
}

void api_closing_get(struct exchange *x) {
    int i = 0;
    if (!exchange_case_of_path(x)) return;
    /* Only these names: nothing of the path reaches the file system. */
    while (i < N_FILES && strcmp(files[i].name, x->match.parameter[1]) != 0) i++;
    struct wish *w = x->work = calloc(1, sizeof *w);
    if (!w) {
        exchange_err(x, ERR_NOMEM);
        return;
    }
    enum err e = i < N_FILES ? folder_record_path(x->ctx->data_dir, x->c.id, w->path) : ERR_MISSING;
    if (!e && strlen(w->path) + strlen(files[i].name) + 2 > sizeof w->path) e = ERR_USAGE;
    if (!e) {
        strcat(w->path, "/");
        strcat(w->path, files[i].name);
        w->mime = files[i].mime;
        if (access(w->path, R_OK) != 0) e = ERR_MISSING;
    }
    if (e) {
        exchange_err(x, e);
        return;
    }
    char view[64];
    snprintf(view, sizeof view, "closing %s", files[i].name);
    if (exchange_seen_lately(x, view)) {
        send_file(x);
        return;
    }
    exchange_remember_view(x, view);
    exchange_journal(x, "closing.read", files[i].name, NULL, send_file);
}
