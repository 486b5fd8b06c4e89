/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - the HTTP server: the bundled page, the API of API.md and media, over libevent's evhttp and TLS.
 * Threads: that of the event_base, for every call. Ownership: the context's pointers are borrowed
 * for the server's life. */
#ifndef HOST_HTTP_SERVER_H
#define HOST_HTTP_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/base/vocab.h"
#include "host/case/register.h"
#include "host/import/import.h"
#include "host/index/index.h"

struct accuracy;
struct event_base;
struct extract;
struct http_server;

#define HTTP_WORKERS_MAX 32u
/* What the page "Système" shows of the processes; filled by the owner of the importer. */
struct http_status {
    bool card_ready; /* a card worker is up: the five texts below are true */
    bool simulated;  /* that card is the simulator */
    char device[64], core_library[256], runner_library[256]; /* what was really loaded */
    char model[64], model_sha256[65];
    char card_error[256]; /* why no card works, for a person; "" = none failed */
    struct cards_stats cards;
    unsigned n_workers;
    struct http_worker {
        char kind[16]; /* "card", "decode" */
        int pid;       /* -1 = not running */
        char state[16];
        uint64_t n_restarts;
    } workers[HTTP_WORKERS_MAX];
};

struct http_context {
    struct event_base *base;
    const char *listen;    /* "127.0.0.1:8443": numeric; port 0 = any free one */
    unsigned metrics_port; /* of 127.0.0.1, see metrics.h; 0 = none */
    const char *names;     /* of this server, beside its addresses; comma-separated, NULL = none */
    unsigned idle_s;       /* a session ends after so long without a request */
    int retention_days;
    int journal_years; /* 0 = not told */
    const char *page_dir; /* the built page (build/web); NULL = API only */
    const char *data_dir;
    const char *tz;           /* IANA name */
    const char *site_allowed; /* config site.allowed; NULL = nothing */
    const char *version;      /* of this program */
    const struct vocab *vocab;
    const struct accuracy *accuracy; /* NULL: /accuracy is answered 404 */
    struct register_db *reg;
    struct index_reader *reader; /* used on the loop thread only */
    struct extract *extract;     /* NULL: clips and stills are answered 503 */
    /* Items of the running importer; returns how many were written. NULL = no importer in this process. */
    unsigned (*imports)(struct import_item *out, unsigned max, void *arg);
    /* Builds the folder of an approved seal, on a thread of the server's; *stop set = break off. NULL: none is
     * built here. */
    void (*build_seal)(uint64_t seal_id, const atomic_bool *stop, void *arg);
    /* Bring in and steer; each waits for the import thread (milliseconds). NULL = no importer in this
     * process. */
    enum err (*imports_add)(const struct import_request *rq, unsigned n, uint64_t *batch, uint64_t *jobs,
                            void *arg);
    enum err (*imports_order)(const struct import_order *o, unsigned *n, void *arg);
    const char *inbox;      /* config import.inbox */
    const char *decode_exe; /* the decode worker, for plans */
    /* Writes the closing record of a case (host/evidence/folder.h says where), on the clerk's thread. NULL: none is
     * written here. */
    enum err (*write_record)(const char *case_id, void *arg);
    /* NULL = nothing is known: backend "none". */
    void (*status)(struct http_status *out, void *arg);
    void *arg;
};

/* Binds and serves. ERR_USAGE: not an address and port; ERR_BUSY: the port is taken; ERR_MISSING: no built
 * page in page_dir; ERR_UNSUPPORTED: a libevent older than 2.1.12; the errors of certificate_load(). Each is
 * logged with what to do. */
MUST_CHECK enum err http_server_new(const struct http_context *ctx, struct http_server **out);
unsigned http_server_port(const struct http_server *s);
/* Closes every connection. The extract of the context must be freed before: its answers go to these. */
void http_server_free(struct http_server **s);

#endif
