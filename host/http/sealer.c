/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/sealer.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/case/seal.h"
#include "host/http/clerk.h"
#include "host/http/exchange.h"

#define SEALS_WAITING 256u

struct build {
    struct clerk_job job;
    TAILQ_ENTRY(build) link;
    struct sealer *sealer;
    uint64_t seal_id;
    char case_id[40];
};

struct sealer {
    struct http_server *server;
    struct clerk *clerk;
    TAILQ_HEAD(, build) open;
    atomic_bool stop;
};

static struct build *build_of(struct clerk_job *job) {
    return (struct build *)(void *)((char *)job - offsetof(struct build, job));
}

static void work(struct register_db *r, struct clerk_job *job) {
    (void)r; /* it opens its own, and an index */
    const struct build *b = build_of(job);
    const struct http_context *ctx = &b->sealer->server->ctx;
    ctx->build_seal(b->seal_id, &b->sealer->stop, ctx->arg);
}

static void done(struct clerk_job *job) {
    struct build *b = build_of(job);
    http_case_changed(b->sealer->server, b->case_id);
    TAILQ_REMOVE(&b->sealer->open, b, link);
    free(b);
}

enum err sealer_add(struct sealer *k, uint64_t seal_id, const char *case_id) {
    struct build *b = calloc(1, sizeof *b);
    if (!b) return ERR_NOMEM;
    b->sealer = k;
    b->seal_id = seal_id;
    b->job.work = work;
    b->job.done = done;
    snprintf(b->case_id, sizeof b->case_id, "%s", case_id);
    const enum err e = clerk_add(k->clerk, &b->job);
    if (e)
        free(b);
    else
        TAILQ_INSERT_TAIL(&k->open, b, link);
    return e;
}

static enum err take_up(struct sealer *k) {
    struct seal *list;
    unsigned n;
    enum err e = seal_list(k->server->ctx.reg, NULL, &list, &n);
    if (e) return e;
    for (unsigned i = n; i-- > 0 && !e;)
        if (strcmp(list[i].state, "building") == 0) e = sealer_add(k, list[i].id, list[i].case_id);
    seals_free(list, n);
    return e == ERR_BUSY ? OK : e;
}

enum err sealer_new(struct http_server *s, struct sealer **out) {
    *out = NULL;
    struct sealer *k = calloc(1, sizeof *k);
    if (!k) return ERR_NOMEM;
    k->server = s;
    TAILQ_INIT(&k->open);
    enum err e = clerk_new(s->ctx.base, s->ctx.data_dir, SEALS_WAITING, &k->clerk);
    if (!e) e = take_up(k);
    if (e) {
        sealer_free(&k);
        return e;
    }
    *out = k;
    return OK;
}

void sealer_free(struct sealer **pk) {
    struct sealer *k = *pk;
    *pk = NULL;
    if (!k) return;
    atomic_store(&k->stop, true);
    clerk_free(&k->clerk);
    for (struct build *b; (b = TAILQ_FIRST(&k->open));) {
        TAILQ_REMOVE(&k->open, b, link);
        free(b);
    }
    free(k);
}
