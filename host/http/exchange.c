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
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/http/journaler.h"
#include "host/http/range.h"

#define CSP                                                                                                  \
    "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "     \
    "frame-ancestors 'none'; require-trusted-types-for 'script'"

void exchange_security_headers(struct evhttp_request *req) {
    static const char *const fixed[][2] = {
        {"Content-Security-Policy", CSP},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy",
         "camera=(), microphone=(), geolocation=(), display-capture=(), usb=(), serial=(), "
         "hid=(), payment=(), midi=(), idle-detection=()"},
    };
    struct evkeyvalq *h = evhttp_request_get_output_headers(req);
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) evhttp_add_header(h, fixed[i][0], fixed[i][1]);
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

static void free_line(struct exchange *x) {
    if (x->line) free(x->line->detail);
    free(x->line);
    x->line = NULL;
}

static void end(struct exchange *x) {
    TAILQ_REMOVE(&x->server->open, x, link);
    case_fini(&x->c);
    free(x->work);
    free_line(x);
    json_decref(x->answer);
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
    evhttp_send_reply(x->req, status, NULL, NULL);
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

bool exchange_case(struct exchange *x) {
    char id[sizeof x->c.id];
    const char *named = exchange_header(x, "X-Case");
    if (!named && exchange_query(x, "case", id, sizeof id)) named = id;
    if (!named || !*named) {
        exchange_error(x, 403, "no_case", NULL,
                       "Name an open case: nothing is searched or shown outside one.");
        return false;
    }
    enum err e = case_get(x->ctx->reg, named, &x->c);
    if (e == OK) case_restrict(&x->c, x->ctx->site_allowed ? x->ctx->site_allowed : "");
    if (e == ERR_MISSING || e == ERR_USAGE) {
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
    if (x->c.expires_ms > 0 && clock_wall_ms() >= x->c.expires_ms) {
        exchange_error(x, 403, "case_expired", json_pack("{s:I}", "expires_ms", (json_int_t)x->c.expires_ms),
                       "The authorisation of this case has expired.");
        return false;
    }
    return true;
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
    char *text = detail ? json_dumps(detail, JSON_COMPACT) : strdup("{}");
    json_decref(detail);
    x->line = text ? calloc(1, sizeof *x->line) : NULL;
    if (x->line) x->line->detail = without_del(text);
    if (!x->line || !x->line->detail) {
        if (!x->line) free(text);
        exchange_err(x, ERR_NOMEM);
        return;
    }
    struct journal_line *line = x->line;
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

void exchange_journal_json(struct exchange *x, const char *action, json_t *detail, int status,
                           json_t *answer) {
    x->answer = answer;
    x->status = status;
    exchange_journal(x, action, "", detail, send_kept);
}

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
