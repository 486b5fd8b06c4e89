/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/exchange.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

#include <sodium.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/http/journaler.h"
#include "host/http/login.h"
#include "host/http/range.h"

int64_t http_now_ms(struct http_server *s) {
    const int64_t now_ms = clock_wall_ms();
    if (now_ms > s->latest_ms) s->latest_ms = now_ms;
    return s->latest_ms;
}

static struct http_change *find_change(struct http_server *s, const char *case_id) {
    for (unsigned i = 0; i < HTTP_CHANGES; i++)
        if (strcmp(s->changes[i].case_id, case_id) == 0) return &s->changes[i];
    return NULL;
}

void http_case_changed(struct http_server *s, const char *case_id) {
    struct http_change *c = find_change(s, case_id);
    if (!c) {
        /* Never a number that this case has had before: another one may have pushed it out of the ring. */
        c = &s->changes[s->next_change++ % HTTP_CHANGES];
        c->n = s->counters.n_requests;
        (void)snprintf(c->case_id, sizeof c->case_id, "%s", case_id);
    }
    c->n++;
}

uint64_t http_case_changes(const struct http_server *s, const char *case_id) {
    for (unsigned i = 0; i < HTTP_CHANGES; i++)
        if (strcmp(s->changes[i].case_id, case_id) == 0) return s->changes[i].n;
    return 0;
}

const char *exchange_header(const struct exchange *x, const char *name) {
    return evhttp_find_header(evhttp_request_get_input_headers(x->req), name);
}

void exchange_set_header(struct exchange *x, const char *name, const char *value) {
    struct evkeyvalq *h = evhttp_request_get_output_headers(x->req);
    evhttp_remove_header(h, name);
    evhttp_add_header(h, name, value);
}

bool exchange_query(const struct exchange *x, const char *name, char *out, size_t cap) {
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(x->req));
    struct evkeyvalq pairs;
    bool found = false;
    if (!query || evhttp_parse_query_str(query, &pairs) != 0) return false;
    const char *value = evhttp_find_header(&pairs, name);
    if (value && strlen(value) < cap) {
        memcpy(out, value, strlen(value) + 1);
        found = true;
    }
    evhttp_clear_headers(&pairs);
    return found;
}

#define ONE_RECORD_BYTES 12288u

static void free_line(struct exchange *x) {
    if (x->line) free(x->line->detail);
    free(x->line);
    x->line = NULL;
}

static void end(struct exchange *x) {
    TAILQ_REMOVE(&x->server->open, x, link);
    case_fini(&x->c);
    if (x->work_free)
        x->work_free(x->work);
    else
        free(x->work);
    free_line(x);
    json_decref(x->asked);
    json_decref(x->detail);
    json_decref(x->answer);
    json_decref(x->refusal.params);
    sodium_memzero(x->token, sizeof x->token);
    free(x);
}

struct evhttp_request *exchange_detach(struct exchange *x) {
    struct evhttp_request *req = x->req;
    end(x);
    return req;
}

/* Sends what lies in the output buffer of n_bytes; a HEAD gets the headers alone. */
static void send_reply(struct exchange *x, int status, size_t n_bytes) {
    struct evbuffer *out = evhttp_request_get_output_buffer(x->req);
    char length[24];
    (void)snprintf(length, sizeof length, "%zu", n_bytes);
    if (status != 304) exchange_set_header(x, "Content-Length", length);
    if (x->method == ROUTER_HEAD || status == 304) evbuffer_drain(out, evbuffer_get_length(out));
    if (status >= 500)
        x->server->counters.n_failed++;
    else if (status >= 400)
        x->server->counters.n_refused++;
    struct evhttp_connection *con = evhttp_request_get_connection(x->req);
    evhttp_send_reply(x->req, status, NULL, NULL);
    if (con && n_bytes <= ONE_RECORD_BYTES) {
        /* Headers and a small body as one TLS record and one packet. */
        struct evbuffer *all = bufferevent_get_output(evhttp_connection_get_bufferevent(con));
        (void)evbuffer_pullup(all, -1);
    }
    end(x);
}

static void free_text(const void *data, size_t n, void *arg) {
    (void)data;
    (void)n;
    free(arg);
}

/* The client gets a plain 500 when even the answer could not be built. */
static void send_without_body(struct exchange *x) {
    struct evbuffer *out = evhttp_request_get_output_buffer(x->req);
    evbuffer_drain(out, evbuffer_get_length(out));
    send_reply(x, 500, 0);
}

void exchange_json(struct exchange *x, int status, json_t *body) {
    char *text = body ? json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(7)) : NULL;
    json_decref(body);
    if (!text) {
        send_without_body(x);
        return;
    }
    size_t n = strlen(text);
    if (evbuffer_add_reference(evhttp_request_get_output_buffer(x->req), text, n, free_text, text) != 0) {
        free(text);
        send_without_body(x);
        return;
    }
    exchange_set_header(x, "Content-Type", "application/json");
    exchange_set_header(x, "Cache-Control", "no-store");
    send_reply(x, status, n);
}

void exchange_error(struct exchange *x, int status, const char *code, json_t *params, const char *message) {
    char key[64];
    (void)snprintf(key, sizeof key, "error.%s", code);
    exchange_json(x, status,
                  json_pack("{s:s,s:s,s:o,s:s}", "code", code, "message_key", key, "params",
                            params ? params : json_object(), "message", message));
}

void exchange_err(struct exchange *x, enum err e) {
    if (e == ERR_MISSING)
        exchange_error(x, 404, "not_found", NULL, "No such thing in this case.");
    else if (e == ERR_DENIED)
        exchange_error(x, 403, "outside_case", NULL, "The case does not allow it.");
    else if (e == ERR_USAGE)
        exchange_error(x, 400, "bad_request", NULL, "The request is not understood.");
    else if (e == ERR_TIMEOUT || e == ERR_BUSY || e == ERR_AGAIN)
        exchange_error(x, 503, "busy", NULL, "The server is busy; ask again in a moment.");
    else {
        log_error("http", "err=%s answered=500", err_text(e));
        exchange_error(x, 500, "internal", json_pack("{s:s}", "err", err_text(e)),
                       "The server failed; its log says why.");
    }
}

/* The case into x->c, cut to what this user and this site may. ERR_MISSING also for an officer who is not
 * named in it: it does not exist for him. */
static enum err read_case(struct exchange *x, const char *id) {
    bool named = true;
    enum err e = case_get(x->ctx->reg, id, &x->c);
    if (e) return e == ERR_USAGE ? ERR_MISSING : e;
    case_restrict(&x->c, x->ctx->site_allowed ? x->ctx->site_allowed : "");
    case_restrict_user(&x->c, x->who.user.criteria);
    if (x->who.user.role == ROLE_OFFICER)
        e = case_has_officer(x->ctx->reg, x->c.id, x->who.user.login, &named);
    return e ? e : named ? OK : ERR_MISSING;
}

bool exchange_case(struct exchange *x) {
    char id[sizeof x->c.id];
    const char *named = exchange_header(x, "X-Case");
    if (!named && exchange_query(x, "case", id, sizeof id)) named = id;
    if (!named || !*named) {
        exchange_error(x, 403, "no_case", NULL,
                       "Name an open case: nothing is searched or shown outside one.");
        return false;
    }
    const enum err e = read_case(x, named);
    if (e == ERR_MISSING) {
        exchange_error(x, 403, "no_case", NULL, "There is no such case.");
        return false;
    }
    if (e != OK) {
        exchange_err(x, e);
        return false;
    }
    if (strcmp(x->c.state, "open") != 0) {
        exchange_error(x, 403, "case_closed", NULL, "The case is closed.");
        return false;
    }
    if (x->c.expires_ms > 0 && http_now_ms(x->server) >= x->c.expires_ms) {
        exchange_error(x, 403, "case_expired", json_pack("{s:I}", "expires_ms", (json_int_t)x->c.expires_ms),
                       "The authorisation of this case has expired.");
        return false;
    }
    return true;
}

bool exchange_case_of_path(struct exchange *x) {
    return exchange_case_named(x, x->match.parameter[0]);
}

bool exchange_case_named(struct exchange *x, const char *id) {
    const enum err e = read_case(x, id);
    if (e == OK) return true;
    if (e == ERR_MISSING)
        exchange_error(x, 404, "not_found", NULL, "There is no such case.");
    else
        exchange_err(x, e);
    return false;
}

bool exchange_case_open(struct exchange *x) {
    if (strcmp(x->c.state, "open") == 0) return true;
    exchange_error(x, 409, "case_closed", NULL, "The case is closed.");
    return false;
}

json_t *exchange_body(struct exchange *x) {
    const char *type = exchange_header(x, "Content-Type");
    if (!type || strncasecmp(type, "application/json", 16) != 0) {
        exchange_error(x, 415, "bad_type", NULL, "The body must be application/json.");
        return NULL;
    }
    struct evbuffer *in = evhttp_request_get_input_buffer(x->req);
    size_t n = evbuffer_get_length(in);
    const char *text = n ? (const char *)evbuffer_pullup(in, -1) : "";
    json_error_t why;
    json_t *body = text ? json_loadb(text, n, JSON_REJECT_DUPLICATES, &why) : NULL;
    if (!json_is_object(body)) {
        json_decref(body);
        exchange_error(x, 400, "bad_json", NULL, "The body is not a JSON object.");
        return NULL;
    }
    return body;
}

bool exchange_asked(struct exchange *x, const char *const known[]) {
    const char *name;
    json_t *value;
    x->asked = exchange_body(x);
    if (!x->asked) return false;
    json_object_foreach(x->asked, name, value) {
        bool is_known = false;
        for (unsigned i = 0; known[i] && !is_known; i++) is_known = strcmp(known[i], name) == 0;
        if (is_known) continue;
        exchange_error(x, 400, "bad_request", json_pack("{s:s}", "member", name),
                       "The request holds a member that nobody knows.");
        return false;
    }
    return true;
}

/* One character of JSON is a control character for the journal and not for JSON: DEL. Takes `text`. */
static char *without_del(char *text) {
    size_t n_del = 0;
    for (const char *p = text; *p; p++) n_del += *p == 0x7f;
    if (n_del == 0) return text;
    char *out = malloc(strlen(text) + 5 * n_del + 1), *to = out;
    for (const char *p = text; out && *p; p++) {
        if (*p == 0x7f)
            to = stpcpy(to, "\\u007f");
        else
            *to++ = *p;
    }
    if (out) *to = '\0';
    free(text);
    return out;
}

/* The detail as the journal takes it, with the station; takes `detail`. NULL = no memory. */
static char *detail_text(const struct exchange *x, json_t *detail) {
    if (!detail) detail = json_object();
    if (*x->station && json_object_set_new(detail, "station", json_string(x->station)) != 0) {
        json_decref(detail);
        return NULL;
    }
    char *text = json_dumps(detail, JSON_COMPACT);
    json_decref(detail);
    return text ? without_del(text) : NULL;
}

static void on_journalled(struct journal_line *line, void *arg) {
    struct exchange *x = arg;
    enum err e = line->result;
    free_line(x);
    if (e == OK)
        x->next(x);
    else
        exchange_error(x, 500, "journal", NULL, "The journal could not be written, so nothing is answered.");
}

void exchange_journal(struct exchange *x, const char *action, const char *object, json_t *detail,
                      void (*next)(struct exchange *x)) {
    char *text = detail_text(x, detail);
    struct journal_line *line = text ? calloc(1, sizeof *line) : NULL;
    if (!line) {
        free(text);
        exchange_err(x, ERR_NOMEM);
        return;
    }
    x->line = line;
    line->detail = text;
    (void)snprintf(line->user, sizeof line->user, "%s", x->who.user.login);
    (void)snprintf(line->role, sizeof line->role, "%s", role_name(x->who.user.role));
    (void)snprintf(line->action, sizeof line->action, "%s", action);
    (void)snprintf(line->case_id, sizeof line->case_id, "%s", x->c.id);
    (void)snprintf(line->object, sizeof line->object, "%s", object);
    line->done = on_journalled;
    line->arg = x;
    x->next = next;
    journaler_add(x->server->journaler, line);
}

static void send_kept(struct exchange *x) {
    json_t *answer = x->answer;
    x->answer = NULL;
    exchange_json(x, x->status, answer);
}

/* What the journal now says was shown needs no line of its own when its picture is asked for. */
static void note_shown_and_send(struct exchange *x) {
    size_t i;
    const json_t *id;
    json_array_foreach(x->detail, i, id) {
        uint64_t number;
        if (router_u64(json_string_value(id) ? json_string_value(id) : "", &number))
            login_note_shown(x, number);
    }
    send_kept(x);
}

void exchange_journal_json(struct exchange *x, const char *action, json_t *detail, int status,
                           json_t *answer) {
    x->answer = answer;
    x->status = status;
    x->detail = json_incref(json_object_get(detail, "ids"));
    exchange_journal(x, action, "", detail, note_shown_and_send);
}

/* ---- acts ------------------------------------------------------------------------------------------------
 */

static enum err journal_act(struct register_db *r, struct exchange *x, const char *action, json_t *detail) {
    uint64_t seq;
    char *text = detail_text(x, detail);
    if (!text) return ERR_NOMEM;
    const struct journal_entry line = {.user = x->who.user.login,
                                       .role = role_name(x->who.user.role),
                                       .action = action,
                                       .case_id = x->c.id,
                                       .object = x->object,
                                       .detail = text};
    const enum err e = journal_add(r, &line, &seq);
    free(text);
    return e;
}

static void work_act(struct register_db *r, struct clerk_job *job) {
    struct exchange *x = (struct exchange *)(void *)((char *)job - offsetof(struct exchange, job));
    enum err e = register_begin(r);
    if (e == OK) {
        e = x->act(r, x);
        if (e == OK) {
            e = journal_act(r, x, x->action, x->detail);
            x->detail = NULL;
            if (e != OK && e != ERR_NOMEM)
                (void)act_refuse(x, 500, "journal", NULL,
                                 "The journal could not be written, so nothing was done.");
        }
        e = register_end(r, e);
    }
    if (e != OK && x->refusal.journalled) {
        const enum err kept = journal_act(
            r, x, "refused", json_pack("{s:s,s:s}", "action", x->action, "code", x->refusal.code));
        if (kept != OK) log_error("http", "journal of a refusal failed err=%s", err_text(kept));
    }
    x->result = e;
}

static void done_act(struct clerk_job *job) {
    struct exchange *x = (struct exchange *)(void *)((char *)job - offsetof(struct exchange, job));
    if (x->result == OK) {
        if (*x->c.id) http_case_changed(x->server, x->c.id);
        if (x->next) x->next(x);
        send_kept(x);
    } else if (x->refusal.code) {
        json_t *params = x->refusal.params;
        x->refusal.params = NULL;
        exchange_error(x, x->refusal.status, x->refusal.code, params, x->refusal.message);
    } else {
        exchange_err(x, x->result);
    }
}

void exchange_act(struct exchange *x, const char *action,
                  enum err (*act)(struct register_db *r, struct exchange *x),
                  void (*after)(struct exchange *x)) {
    x->action = action;
    x->act = act;
    x->next = after;
    x->status = 200;
    x->job.work = work_act;
    x->job.done = done_act;
    const enum err e = clerk_add(x->server->clerk, &x->job);
    if (e != OK) exchange_err(x, e);
}

static void work_look(struct register_db *r, struct clerk_job *job) {
    struct exchange *x = (struct exchange *)(void *)((char *)job - offsetof(struct exchange, job));
    x->result = x->act(r, x);
}

static void done_look(struct clerk_job *job) {
    struct exchange *x = (struct exchange *)(void *)((char *)job - offsetof(struct exchange, job));
    if (x->result == OK)
        send_kept(x);
    else
        exchange_err(x, x->result);
}

void exchange_look(struct exchange *x, enum err (*look)(struct register_db *r, struct exchange *x)) {
    x->act = look;
    x->status = 200;
    x->job.work = work_look;
    x->job.done = done_look;
    const enum err e = clerk_add(x->server->archive, &x->job);
    if (e != OK) exchange_err(x, e);
}

enum err act_refuse(struct exchange *x, int status, const char *code, json_t *params, const char *message) {
    json_decref(x->refusal.params);
    x->refusal = (struct refusal){.status = status, .code = code, .message = message, .params = params};
    return ERR_DENIED;
}

enum err act_refuse_journalled(struct exchange *x, int status, const char *code, json_t *params,
                               const char *message) {
    const enum err e = act_refuse(x, status, code, params, message);
    x->refusal.journalled = true;
    return e;
}

enum err act_bad_field(struct exchange *x, const char *field, const char *why) {
    return act_refuse(x, 422, "bad_field", json_pack("{s:s,s:s}", "field", field, "why", why),
                      "A field of the request cannot be taken.");
}

/* ---- views -----------------------------------------------------------------------------------------------
 */

bool exchange_seen_lately(struct exchange *x, const char *object) {
    const struct http_server *s = x->server;
    const int64_t now_ms = clock_wall_ms();
    for (unsigned i = 0; i < HTTP_VIEWS; i++)
        if (now_ms - s->views[i].at_ms < HTTP_VIEW_MS && strcmp(s->views[i].case_id, x->c.id) == 0 &&
            strcmp(s->views[i].user, x->who.user.login) == 0 && strcmp(s->views[i].object, object) == 0)
            return true;
    return false;
}

void exchange_remember_view(struct exchange *x, const char *object) {
    struct http_server *s = x->server;
    struct http_view *v = &s->views[s->next_view++ % HTTP_VIEWS];
    v->at_ms = clock_wall_ms();
    (void)snprintf(v->case_id, sizeof v->case_id, "%s", x->c.id);
    (void)snprintf(v->user, sizeof v->user, "%s", x->who.user.login);
    (void)snprintf(v->object, sizeof v->object, "%s", object);
}

/* ---- bodies ----------------------------------------------------------------------------------------------
 */

static bool accepts_gzip(const struct exchange *x) {
    const char *accept = exchange_header(x, "Accept-Encoding");
    return accept && strstr(accept, "gzip") != NULL && strstr(accept, "gzip;q=0") == NULL;
}

void exchange_static(struct exchange *x, const struct static_file *f) {
    bool gz = f->gz.data && accepts_gzip(x);
    const struct static_body *b = gz ? &f->gz : &f->plain;
    exchange_set_header(x, "ETag", b->etag);
    exchange_set_header(x, "Cache-Control",
                        f->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (f->gz.data) exchange_set_header(x, "Vary", "Accept-Encoding");
    const char *known = exchange_header(x, "If-None-Match");
    if (known && strcmp(known, b->etag) == 0) {
        send_reply(x, 304, 0);
        return;
    }
    exchange_set_header(x, "Content-Type", f->mime);
    if (gz) exchange_set_header(x, "Content-Encoding", "gzip");
    if (evbuffer_add_reference(evhttp_request_get_output_buffer(x->req), b->data, b->n_bytes, NULL, NULL) !=
        0)
        send_without_body(x);
    else
        send_reply(x, 200, b->n_bytes);
}

void exchange_bytes(struct exchange *x, const char *mime, const char *cache_control, uint8_t *data,
                    size_t n) {
    exchange_set_header(x, "Content-Type", mime);
    exchange_set_header(x, "Cache-Control", cache_control);
    if (evbuffer_add_reference(evhttp_request_get_output_buffer(x->req), data, n, free_text, data) != 0) {
        free(data);
        send_without_body(x);
        return;
    }
    send_reply(x, 200, n);
}

void exchange_file(struct exchange *x, const char *path, const char *mime, const char *cache_control) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0) {
        if (fd >= 0) close(fd);
        exchange_err(x, ERR_MISSING);
        return;
    }
    uint64_t size = (uint64_t)st.st_size;
    char etag[64];
    (void)snprintf(etag, sizeof etag, "\"%llx-%llx-%llx%08lx\"", (unsigned long long)st.st_ino,
                   (unsigned long long)size, (unsigned long long)st.st_mtim.tv_sec,
                   (unsigned long)st.st_mtim.tv_nsec);
    const char *header = exchange_header(x, "Range");
    if (header && !range_if_matches(exchange_header(x, "If-Range"), etag)) header = NULL;
    struct range part;
    enum range_result asked = range_parse(header, header ? strlen(header) : 0, size, &part);
    char content[RANGE_TEXT_MAX];
    exchange_set_header(x, "Accept-Ranges", "bytes");
    if (asked == RANGE_UNSATISFIABLE) {
        close(fd);
        range_content(NULL, size, content);
        exchange_set_header(x, "Content-Range", content);
        exchange_error(x, 416, "bad_range", NULL, "The range lies outside the file.");
        return;
    }
    exchange_set_header(x, "ETag", etag);
    exchange_set_header(x, "Content-Type", mime);
    exchange_set_header(x, "Cache-Control", cache_control);
    if (asked == RANGE_PART) {
        range_content(&part, size, content);
        exchange_set_header(x, "Content-Range", content);
    }
    /* The descriptor belongs to the buffer from here on. */
    if (evbuffer_add_file(evhttp_request_get_output_buffer(x->req), fd, (ev_off_t)part.first_bytes,
                          (ev_off_t)part.n_bytes) != 0) {
        close(fd);
        send_without_body(x);
        return;
    }
    send_reply(x, asked == RANGE_PART ? 206 : 200, part.n_bytes);
}
