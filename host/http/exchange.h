/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.h - one request and its answer, inside host/http. A handler ends every exchange exactly once, now
 * or later, by one of the functions marked "ends"; after that the pointer is gone. A client that leaves early
 * is no special case: the answer is then dropped. Threads: the loop's. */
#ifndef HOST_HTTP_EXCHANGE_H
#define HOST_HTTP_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <jansson.h>

#include "host/case/register.h"
#include "host/http/router.h"
#include "host/http/server.h"
#include "host/http/static.h"

struct evhttp_request;
struct events;
struct journal_line;
struct journaler;

#define HTTP_LATENCIES 256u
struct http_counters {
    uint64_t n_requests, n_refused, n_failed; /* all; 4xx; 5xx */
    uint64_t n_searches;
    uint32_t search_us[HTTP_LATENCIES]; /* the last ones, as a ring */
};

/* Views put into the journal lately, so that one player is one line. */
#define HTTP_VIEWS 64u
struct http_view {
    int64_t at_ms;
    char case_id[40], object[64];
};

/* Median and 95th percentile of the last searches; 0 when there was none. */
void http_search_percentiles(const struct http_counters *c, double *p50_ms, double *p95_ms);

struct exchange {
    TAILQ_ENTRY(exchange) link; /* in http_server.open */
    struct http_server *server;
    const struct http_context *ctx;
    struct evhttp_request *req;
    enum router_method method;
    struct router_match match;
    struct case_file c; /* set by exchange_case() */
    void *work;         /* a handler's own, freed with the exchange */
    /* Kept while the journal is written. */
    struct journal_line *line;
    void (*next)(struct exchange *x);
    json_t *answer;
    int status;
};
TAILQ_HEAD(exchange_list, exchange);

struct http_server {
    struct http_context ctx;
    struct evhttp *http;
    struct static_page *page;
    struct events *events;
    struct metrics *metrics; /* NULL = not asked for */
    struct journaler *journaler;
    struct exchange_list open;
    struct http_counters counters;
    struct http_view views[HTTP_VIEWS]; /* a ring */
    unsigned next_view;
    int64_t started_ms;
    unsigned port;
};

const char *exchange_header(const struct exchange *x, const char *name); /* NULL = absent */
void exchange_set_header(struct exchange *x, const char *name, const char *value);
/* The decoded value of a query parameter into out; false when absent or too long. */
bool exchange_query(const struct exchange *x, const char *name, char *out, size_t cap);

/* Reads the case named by X-Case or ?case= into x->c: it must exist, be open and not have expired. On false
 * the exchange has ended with the reason (403). */
MUST_CHECK bool exchange_case(struct exchange *x);
/* The body as a JSON object (new reference); on NULL the exchange has ended (400, 415). */
json_t *exchange_body(struct exchange *x);
/* Writes one line of the journal, then calls next(x) on the loop; takes `detail` (may be NULL). When the line
 * cannot be written the exchange ends instead (500): what is not in the journal is not answered. */
void exchange_journal(struct exchange *x, const char *action, const char *object, json_t *detail,
                      void (*next)(struct exchange *x));

/* ends; the same, and then the answer; takes both. */
void exchange_journal_json(struct exchange *x, const char *action, json_t *detail, int status,
                           json_t *answer);

/* ends; takes `body`. NULL counts as no memory. */
void exchange_json(struct exchange *x, int status, json_t *body);
/* ends; `params` is taken, may be NULL; `message` is English and for a person. */
void exchange_error(struct exchange *x, int status, const char *code, json_t *params, const char *message);
/* ends; the usual answer for a failed call of ours. */
void exchange_err(struct exchange *x, enum err e);
/* ends; `data` is borrowed from a static table. */
void exchange_static(struct exchange *x, const struct static_file *f);
/* ends; takes `data` (malloc). */
void exchange_bytes(struct exchange *x, const char *mime, const char *cache_control, uint8_t *data, size_t n);
/* ends; with Range, If-Range, a strong ETag of the file's identity, and HEAD. The file must not change any
 * more. */
void exchange_file(struct exchange *x, const char *path, const char *mime, const char *cache_control);
/* ends the exchange but not the answer: the request now belongs to the caller (server-sent events). */
struct evhttp_request *exchange_detach(struct exchange *x);

/* Headers that every answer carries. */
void exchange_security_headers(struct evhttp_request *req);

#endif
