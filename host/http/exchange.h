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
#include "host/case/session.h"
#include "host/http/clerk.h"
#include "host/http/router.h"
#include "host/http/server.h"
#include "host/http/static.h"

struct evhttp_request;
struct events;
struct connections;
struct journal_line;
struct journaler;
struct logins;

#define HTTP_LATENCIES 256u
struct http_counters {
    uint64_t n_requests, n_refused, n_failed; /* all; 4xx; 5xx */
    uint64_t n_searches;
    uint32_t search_us[HTTP_LATENCIES]; /* the last ones, as a ring */
};

/* Views put into the journal lately, so that one player is one line. */
#define HTTP_VIEWS   256u
#define HTTP_VIEW_MS 60000
struct http_view {
    int64_t at_ms;
    char case_id[40], user[64], object[64];
};

/* How often a case was changed through this server; tells event streams to look again. */
#define HTTP_CHANGES 64u
struct http_change {
    char case_id[40];
    uint64_t n;
};

/* Why an act is not done; `code` is NULL when nothing was said. */
struct refusal {
    int status;
    const char *code, *message;
    json_t *params;  /* owned */
    bool journalled; /* the attempt is kept as action "refused" */
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
    struct session who;                 /* set by login_admit() for every route but ROUTE_ANYONE */
    uint8_t token[SESSION_TOKEN_BYTES]; /* the cookie's; wiped with the exchange */
    char station[64];                   /* the client's address */
    struct case_file c;                 /* set by exchange_case() */
    void *work; /* a handler's own, freed with the exchange by work_free, or free() */
    void (*work_free)(void *work);
    json_t *asked;                      /* the body, where an act needs it later */
    /* Kept while the journal is written. */
    struct journal_line *line;
    void (*next)(struct exchange *x);
    json_t *answer;
    int status;
    /* Kept while the clerk works. */
    struct clerk_job job;
    enum err (*act)(struct register_db *r, struct exchange *x);
    const char *action;
    char object[64];
    json_t *detail;
    struct refusal refusal;
    enum err result;
};
TAILQ_HEAD(exchange_list, exchange);

struct http_server {
    struct http_context ctx;
    struct evhttp *http;
    struct static_page *page;
    struct connections *connections;
    struct events *events;
    struct metrics *metrics; /* NULL = not asked for */
    struct journaler *journaler;
    struct clerk *clerk;   /* acts: what changes the register */
    struct sealer *sealer; /* NULL: this server builds no seals */
    struct clerk *gate;    /* passwords: a tenth of a second each */
    struct clerk *archive; /* long looks at the journal */
    struct logins *logins;
    struct plan *plans; /* of api_inbox.c */
    struct exchange_list open;
    struct http_counters counters;
    struct http_view views[HTTP_VIEWS]; /* a ring */
    unsigned next_view;
    struct http_change changes[HTTP_CHANGES]; /* a ring */
    unsigned next_change;
    int64_t latest_ms; /* the latest moment that was seen, also by earlier runs: see http_now_ms() */
    int64_t started_ms;
    unsigned port;
};

/* The clock, but never earlier than what it has shown before: setting it back revives no account and no case.
 */
int64_t http_now_ms(struct http_server *s);
/* Something of the case was changed; how often that was. */
void http_case_changed(struct http_server *s, const char *case_id);
uint64_t http_case_changes(const struct http_server *s, const char *case_id);

const char *exchange_header(const struct exchange *x, const char *name); /* NULL = absent */
void exchange_set_header(struct exchange *x, const char *name, const char *value);
/* The decoded value of a query parameter into out; false when absent or too long. */
bool exchange_query(const struct exchange *x, const char *name, char *out, size_t cap);

/* Reads the case named by X-Case or ?case= into x->c: it must exist, be open, not have expired, and be the
 * officer's own. Its criteria are cut to what site and user may. On false the exchange has ended (403). */
MUST_CHECK bool exchange_case(struct exchange *x);
/* The same for the case of the path's first parameter, also when it is closed or expired: 404 when there is
 * none. */
MUST_CHECK bool exchange_case_of_path(struct exchange *x);
/* The same for the case `id`, of a resource that names its case itself. */
MUST_CHECK bool exchange_case_named(struct exchange *x, const char *id);
/* Ends with 409 when x->c is closed. */
MUST_CHECK bool exchange_case_open(struct exchange *x);
/* The body as a JSON object (new reference); on NULL the exchange has ended (400, 415). */
json_t *exchange_body(struct exchange *x);
/* The body into x->asked; members beyond `known` (words, NULL at the end) are refused. False: ended. */
MUST_CHECK bool exchange_asked(struct exchange *x, const char *const known[]);
/* Writes one line of the journal, then calls next(x) on the loop; takes `detail` (may be NULL). When the line
 * cannot be written the exchange ends instead (500): what is not in the journal is not answered. */
void exchange_journal(struct exchange *x, const char *action, const char *object, json_t *detail,
                      void (*next)(struct exchange *x));

/* ends; the same, and then the answer; takes both. What `detail` lists as "ids" counts as shown to this user.
 */
void exchange_journal_json(struct exchange *x, const char *action, json_t *detail, int status,
                           json_t *answer);

/* ends. On the clerk's thread `act` changes the register, and one line of the journal (`action`, x->object,
 * x->detail) is written with it: both or neither. `act` may use of the exchange only who, station, c, asked,
 * match, work, object, detail, answer, status and refusal; it sets the answer (200 unless it says otherwise),
 * or returns an error, by preference after act_refuse(). Then `after` (may be NULL) is called on the loop. */
void exchange_act(struct exchange *x, const char *action,
                  enum err (*act)(struct register_db *r, struct exchange *x),
                  void (*after)(struct exchange *x));
/* ends. The same for a long look: on a thread of its own, without transaction or journal line. */
void exchange_look(struct exchange *x, enum err (*look)(struct register_db *r, struct exchange *x));
/* Inside an act: why not. Takes `params`. Returns ERR_DENIED. */
enum err act_refuse(struct exchange *x, int status, const char *code, json_t *params, const char *message);
/* The same, and the journal keeps the attempt. */
enum err act_refuse_journalled(struct exchange *x, int status, const char *code, json_t *params,
                               const char *message);
/* 422 bad_field. */
enum err act_bad_field(struct exchange *x, const char *field, const char *why);

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

/* Whether this user has a journal line of this view of the last minute. */
bool exchange_seen_lately(struct exchange *x, const char *object);
void exchange_remember_view(struct exchange *x, const char *object);

#endif
