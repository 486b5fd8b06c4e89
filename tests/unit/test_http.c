/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server over TLS on 127.0.0.1, with a register of its own; index, search and extract behind it are
 * replaced by the functions below: what is allowed to reach them is the point here. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/ssl.h>
#include <sodium.h>
#include <sqlite3.h>

#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/case/session.h"
#include "host/case/user.h"
#include "host/evidence/facts.h"
#include "host/http/certificate.h"
#include "host/http/connection.h"
#include "host/http/login.h"
#include "host/http/server.h"
#include "host/media/extract.h"
#include "host/pipe/accuracy.h"
#include "host/search/search.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

#define NOW_MS   1795000000000
#define FROM_MS  (NOW_MS - 7200000)
#define CASE     "2026-0001"
#define CLOSED   "2026-0002"
#define EXPIRED  "2026-0003"
#define SIGHTING "77"

/* ---- what stands behind the server ----------------------------------------------------------------------
 */
static struct {
    unsigned n_searches, n_clips;
    enum err search_result;
    const char *code;
    char sentence[64];
    bool extract_waits; /* the answer comes when the test says so */
    extract_fn *waiting;
    void *waiting_arg;
    int64_t from_us, to_us;
    char file[128];
} fake;

enum err search_json(const struct search_context *ctx, const json_t *body, json_t **answer) {
    (void)ctx;
    const char *sentence = json_string_value(json_object_get(body, "sentence"));
    fake.n_searches++;
    snprintf(fake.sentence, sizeof fake.sentence, "%s", sentence ? sentence : "");
    *answer = fake.search_result == OK ? json_pack("{s:i,s:[]}", "total", 0, "items")
                                       : json_pack("{s:s}", "code", fake.code);
    return fake.search_result;
}
enum err search_route(const struct search_context *ctx, const json_t *body, json_t **answer) {
    return search_json(ctx, body, answer);
}
enum err search_pairs(const struct search_context *ctx, const json_t *body, json_t **answer) {
    enum err e = search_json(ctx, body, answer);
    if (!e) json_object_set_new(*answer, "pairs", json_array());
    return e;
}
json_t *search_sighting_json(const struct search_context *ctx, const struct sighting *s) {
    (void)ctx;
    return json_pack("{s:I}", "id", (json_int_t)s->id);
}
enum err index_sighting_get(struct index_reader *r, const struct perimeter *p, uint64_t id,
                            struct sighting *out) {
    (void)r;
    (void)p;
    if (id < 77 || id > 79) return ERR_MISSING;
    *out = (struct sighting){.id = id,
                             .recording_id = 5,
                             .start_ms = FROM_MS + 2000,
                             .end_ms = FROM_MS + 4000,
                             .best_ms = FROM_MS + 3000,
                             .best_pts_us = 63000000};
    /* With lead and tail: 78 lasts 108 s, 79 lasts 92 s. */
    if (id > 77) out->start_ms = FROM_MS + 10000;
    if (id == 78) out->end_ms = FROM_MS + 110000;
    if (id == 79) out->end_ms = FROM_MS + 94000;
    return OK;
}
enum err index_recording_get(struct index_reader *r, uint64_t id, struct recording *out) {
    (void)r;
    *out = (struct recording){.id = id, .start_ms = FROM_MS - 60000, .duration_us = 600000000};
    return OK;
}
enum err index_recording_at(struct index_reader *r, const struct perimeter *p, uint16_t camera_number,
                            int64_t at_ms, struct recording *out) {
    assert_int_equal(camera_number, 1);
    if (at_ms < p->from_ms || at_ms >= FROM_MS + 540000) return ERR_MISSING;
    return index_recording_get(r, 5, out);
}
enum err index_recordings(struct index_reader *r, const char *case_id, struct recording **out, size_t *n) {
    (void)r;
    (void)case_id;
    *out = NULL;
    *n = 0;
    return OK;
}
enum err index_coverage(struct index_reader *r, const struct perimeter *p, struct coverage_span **out,
                        size_t *n) {
    (void)r;
    (void)p;
    *out = NULL;
    *n = 0;
    return OK;
}
enum err index_thumbnail_get(struct index_reader *r, const struct perimeter *p, uint64_t id, uint8_t **jpeg,
                             size_t *n) {
    (void)r;
    (void)p;
    if (id != 77) return ERR_MISSING;
    *jpeg = malloc(4);
    if (!*jpeg) return ERR_NOMEM;
    memcpy(*jpeg, "JPEG", 4);
    *n = 4;
    return OK;
}
enum err index_fingerprint(struct index_reader *r, char hex[65]) {
    (void)r;
    memset(hex, 'f', 64);
    hex[64] = 0;
    return OK;
}
json_t *facts_json(const struct facts_context *ctx) {
    return json_pack("{s:s,s:i}", "version", ctx->version, "retention_days", ctx->retention_days);
}
json_t *facts_year_json(struct register_db *r, const char *tz, int year) {
    (void)r;
    return json_pack("{s:i,s:s}", "year", year, "tz", tz);
}
const struct vocab_value *vocab_all(const struct vocab *v, size_t *n) {
    (void)v;
    *n = 0;
    return NULL;
}
const char *field_name(enum field f) {
    (void)f;
    return "class";
}
const char *import_state_name(enum import_state s) {
    (void)s;
    return "running";
}

static void deliver(extract_fn *done, void *arg) {
    struct extract_result r = {.status = OK, .path = fake.file, .first_us = fake.from_us};
    done(&r, arg);
}
static struct event *soon;
static void on_soon(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    (void)arg;
    deliver(fake.waiting, fake.waiting_arg);
}
enum err extract_clip(struct extract *ex, const char *path, int64_t from_us, int64_t to_us, const char *key,
                      extract_fn *done, void *arg) {
    (void)ex;
    (void)path;
    fake.n_clips++;
    fake.from_us = from_us;
    fake.to_us = to_us;
    fake.waiting = done;
    fake.waiting_arg = arg;
    if (strlen(key) > EXTRACT_KEY_MAX) return ERR_USAGE;
    if (!fake.extract_waits) event_active(soon, EV_TIMEOUT, 1);
    return OK;
}
enum err extract_still(struct extract *ex, const char *path, int64_t at_us, const char *key, extract_fn *done,
                       void *arg) {
    return extract_clip(ex, path, at_us, at_us, key, done, arg);
}

#define HOST    "Host: 127.0.0.1\r\n"
#define IN_CASE "X-Case: " CASE "\r\n"
#define JSON    "Content-Type: application/json\r\n"

/* ---- a client -------------------------------------------------------------------------------------------
 */
static struct event_base *base;
static struct http_server *server;
static char page_dir[] = "/tmp/relecture-http-XXXXXX";
static char reply[1 << 16];

static int64_t mono_ms(void) {
    return (int64_t)(clock_mono_ns() / 1000000);
}

static char data_dir[64];
static struct register_db *reg;
static SSL_CTX *tls;
static char auth[256]; /* cookie and CSRF token of the operator; "" = nobody is signed in */

/* One connection of a browser. */
struct browser {
    int fd;
    SSL *ssl;
};

static void hang_up(struct browser *b) {
    SSL_free(b->ssl);
    close(b->fd);
}

static struct browser client(void) {
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)http_server_port(server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct browser b = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .ssl = SSL_new(tls)};
    assert_true(b.fd >= 0);
    assert_non_null(b.ssl);
    assert_int_equal(connect(b.fd, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(fcntl(b.fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(SSL_set_fd(b.ssl, b.fd), 1);
    for (int64_t deadline_ms = mono_ms() + 5000; SSL_connect(b.ssl) != 1;) {
        assert_true(mono_ms() < deadline_ms);
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    return b;
}

/* `text`, with what a signed-in browser adds behind its Host. */
static void send_request(struct browser *b, const char *text) {
    static char whole[48000];
    const char *host = strstr(text, HOST);
    const size_t n = host ? (size_t)(host - text) + strlen(HOST) : strlen(text);
    snprintf(whole, sizeof whole, "%.*s%s%s", (int)n, text, host ? auth : "", text + n);
    assert_int_equal(SSL_write(b->ssl, whole, (int)strlen(whole)), (int)strlen(whole));
}

/* True when the reply holds its headers and as many bytes of body as they announce. */
static bool complete(size_t n, bool head) {
    const char *end = strstr(reply, "\r\n\r\n");
    const char *length = strstr(reply, "Content-Length: ");
    if (!end) return false;
    if (head || !length || length > end) return true;
    return n >= (size_t)(end + 4 - reply) + strtoul(length + 16, NULL, 10);
}

/* Sends `text` on fd and runs the loop until `reply` holds the answer; its status, or 0 when the server
 * closed the connection without one. */
static int talk(struct browser *b, const char *text) {
    size_t n = 0;
    int64_t deadline_ms = mono_ms() + 10000;
    send_request(b, text);
    memset(reply, 0, sizeof reply);
    for (;;) {
        assert_true(mono_ms() < deadline_ms);
        event_base_loop(base, EVLOOP_NONBLOCK);
        int got = SSL_read(b->ssl, reply + n, (int)(sizeof reply - 1 - n));
        if (got <= 0 && SSL_get_error(b->ssl, got) == SSL_ERROR_WANT_READ) {
            struct pollfd p = {.fd = b->fd, .events = POLLIN};
            (void)poll(&p, 1, 1);
            continue;
        }
        if (got <= 0) break;
        n += (size_t)got;
        if (complete(n, strncmp(text, "HEAD", 4) == 0)) break;
    }
    return n > 12 ? atoi(reply + 9) : 0;
}

static int ask(const char *text) {
    struct browser b = client();
    int status = talk(&b, text);
    hang_up(&b);
    return status;
}

static int get(const char *path, const char *headers) {
    char text[1024];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" HOST "%s\r\n", path, headers);
    return ask(text);
}

static int post(const char *path, const char *headers, const char *body) {
    char text[1024];
    snprintf(text, sizeof text, "POST %s HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n%s", path, headers,
             strlen(body), body);
    return ask(text);
}

static const char *body_of(void) {
    const char *end = strstr(reply, "\r\n\r\n");
    return end ? end + 4 : "";
}

#define assert_reply_holds(text) assert_non_null(strstr(reply, text))
#define assert_reply_lacks(text) assert_null(strstr(reply, text))

static void write_file(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", page_dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static const struct accuracy *ctx_accuracy; /* of the next server */
/* ---- the register behind it -----------------------------------------------------------------------------
 */
#define PASSWORD "Correct-Horse-7"

static void sql(const char *text) {
    char path[96], *why = NULL;
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/register.db", data_dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK) fail_msg("%s: %s", text, why);
    sqlite3_close(db);
}

/* One value of the register, as text. */
static const char *value(const char *query) {
    static char text[256];
    char path[96];
    sqlite3 *db;
    sqlite3_stmt *st;
    snprintf(path, sizeof path, "%s/register.db", data_dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &st, NULL), SQLITE_OK);
    const bool row = sqlite3_step(st) == SQLITE_ROW && sqlite3_column_text(st, 0);
    snprintf(text, sizeof text, "%s", row ? (const char *)sqlite3_column_text(st, 0) : "");
    sqlite3_finalize(st);
    sqlite3_close(db);
    return text;
}

static uint64_t lines_before;
static unsigned n_journal(void) {
    return (unsigned)(strtoull(value("SELECT coalesce(max(seq),0) FROM journal"), NULL, 10) - lines_before);
}
#define assert_last_line(column, text)                                                                       \
    assert_string_equal(value("SELECT " column " FROM journal ORDER BY seq DESC LIMIT 1"), text)

static void add_user(const char *login, enum role role) {
    struct user u = {.role = role, .valid_from_ms = NOW_MS - 1000, .valid_to_ms = NOW_MS + 86400000};
    snprintf(u.login, sizeof u.login, "%s", login);
    snprintf(u.name, sizeof u.name, "Personne %s", login);
    assert_int_equal(user_add(reg, &u, PASSWORD), OK);
}

static void add_case(const char *id, int64_t expires_ms) {
    uint16_t one = 1;
    struct case_file c = {.requisition = "PV 1",
                          .authority = "OPJ",
                          .basis = "CPP 60-1",
                          .from_ms = FROM_MS,
                          .to_ms = NOW_MS,
                          .cameras = &one,
                          .n_cameras = 1,
                          .criteria = "all",
                          .expires_ms = expires_ms};
    assert_int_equal(case_open(reg, &c), OK);
    assert_string_equal(c.id, id);
}

/* Once for all tests: hashing a password takes a tenth of a second. */
static int make_register(void **state) {
    (void)state;
    struct camera camera = {.id = "gare-01", .name = "Gare", .heading_deg = -1, .fov_deg = -1};
    clock_fake(NOW_MS);
    if (!tmpdir_make(data_dir, sizeof data_dir)) return -1;
    if (register_open(data_dir, true, &reg) != OK || certificate_make(data_dir, "") != OK) return -1;
    assert_int_equal(camera_add(reg, &camera), OK);
    add_user("op", ROLE_OPERATOR);
    add_user("boss", ROLE_CHIEF);
    add_user("eye", ROLE_AUDITOR);
    add_case(CASE, 0);
    add_case(CLOSED, 0);
    add_case(EXPIRED, NOW_MS - 1);
    assert_int_equal(case_close(reg, CLOSED, "boss"), OK);
    tls = SSL_CTX_new(TLS_client_method());
    return tls ? 0 : -1;
}

static int remove_register(void **state) {
    (void)state;
    SSL_CTX_free(tls);
    register_close(&reg);
    tmpdir_remove(data_dir);
    return 0;
}

/* From now on every request comes from this user's browser; NULL = from nobody's. */
static void sign_in(const char *login) {
    uint8_t token[SESSION_TOKEN_BYTES];
    char text[64], csrf[LOGIN_CSRF_BYTES];
    auth[0] = '\0';
    if (!login) return;
    assert_int_equal(session_open(reg, login, "test", token), OK);
    sodium_bin2base64(text, sizeof text, token, sizeof token, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    login_csrf(token, csrf);
    snprintf(auth, sizeof auth, "Cookie: a=b; __Host-s=%s\r\nX-CSRF: %s\r\n", text, csrf);
}

static int start(void **state) {
    (void)state;
    memset(&fake, 0, sizeof fake);
    snprintf(fake.file, sizeof fake.file, "%s/clip.bin", page_dir);
    clock_fake(NOW_MS);
    base = event_base_new();
    soon = event_new(base, -1, 0, on_soon, NULL);
    const struct http_context ctx = {.base = base,
                                     .listen = "127.0.0.1:0",
                                     .page_dir = page_dir,
                                     .data_dir = data_dir,
                                     .tz = "Europe/Paris",
                                     .names = "centre.example",
                                     .idle_s = 900,
                                     .version = "test",
                                     .accuracy = ctx_accuracy,
                                     .reg = reg,
                                     .extract = (struct extract *)&fake};
    sign_in("op");
    lines_before = 0;
    lines_before = n_journal();
    return http_server_new(&ctx, &server) == OK ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    http_server_free(&server);
    event_free(soon);
    event_base_free(base);
    return 0;
}

/* ---- facts ----------------------------------------------------------------------------------------------
 */
static void http_page_comes_with_strict_headers(void **state) {
    (void)state;
    assert_int_equal(get("/", ""), 200);
    assert_string_equal(body_of(), "<p>page</p>");
    assert_reply_holds("Content-Security-Policy: default-src 'self';");
    assert_reply_holds("require-trusted-types-for 'script'");
    assert_reply_holds("X-Content-Type-Options: nosniff");
    assert_reply_holds("Referrer-Policy: no-referrer");
    assert_reply_holds("Cross-Origin-Opener-Policy: same-origin");
    assert_reply_lacks("unsafe-inline");
}

static void http_page_is_sent_packed_to_those_who_read_it_and_once(void **state) {
    (void)state;
    assert_int_equal(get("/", "Accept-Encoding: gzip, br\r\n"), 200);
    assert_string_equal(body_of(), "packed");
    assert_reply_holds("Content-Encoding: gzip");
    char tag[64], header[160];
    const char *etag = strstr(reply, "ETag: ");
    assert_non_null(etag);
    assert_int_equal(sscanf(etag, "ETag: %63[^\r]", tag), 1);
    snprintf(header, sizeof header, "Accept-Encoding: gzip\r\nIf-None-Match: %s\r\n", tag);
    assert_int_equal(get("/", header), 304);
    assert_string_equal(body_of(), "");
}

static void http_path_never_leaves_the_page(void **state) {
    (void)state;
    static const char *const paths[] = {
        "/../etc/passwd",    "/%2e%2e/etc/passwd", "/..%2fetc/passwd", "//etc/passwd",
        "/index.html%00.js", "/.hidden",           "/index.html.gz",   "/nothing"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        int status = get(paths[i], "");
        assert_true(status == 404 || status == 400 || status == 421);
        assert_reply_lacks("root:");
    }
}

static void http_request_for_another_host_is_refused(void **state) {
    (void)state;
    assert_int_equal(ask("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 421);
    assert_int_equal(ask("GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), 421);
    assert_int_equal(ask("GET / HTTP/1.1\r\n\r\n"), 421);
    assert_int_equal(ask("GET / HTTP/1.1\r\nHost: localhost:9999\r\n\r\n"), 200);
    assert_int_equal(ask("GET / HTTP/1.1\r\nHost: centre.example\r\n\r\n"), 200);
}

static void http_request_from_another_sites_page_is_refused(void **state) {
    (void)state;
    assert_int_equal(post("/api/v1/search", IN_CASE JSON "Origin: http://evil.example\r\n", "{}"), 403);
    assert_int_equal(get("/api/v1/boot", "Sec-Fetch-Site: cross-site\r\n"), 403);
    assert_int_equal(fake.n_searches, 0);
}

static void http_search_without_an_open_case_is_refused(void **state) {
    (void)state;
    assert_int_equal(post("/api/v1/search", JSON, "{\"sentence\":\"x\"}"), 403);
    assert_reply_holds("\"code\":\"no_case\"");
    assert_int_equal(post("/api/v1/search", JSON "X-Case: other\r\n", "{}"), 403);
    assert_int_equal(post("/api/v1/search", JSON "X-Case: " CLOSED "\r\n", "{}"), 403);
    assert_reply_holds("\"code\":\"case_closed\"");
    assert_int_equal(post("/api/v1/search", JSON "X-Case: " EXPIRED "\r\n", "{}"), 403);
    assert_reply_holds("\"code\":\"case_expired\"");
    assert_int_equal(get("/api/v1/media/t/77.jpg", ""), 403);
    assert_int_equal(get("/api/v1/media/clip/77.mp4", ""), 403);
    assert_int_equal(get("/api/v1/imports", ""), 403);
    assert_int_equal(fake.n_searches + fake.n_clips, 0);
}

static void http_search_is_journalled_before_it_is_answered(void **state) {
    (void)state;
    assert_int_equal(post("/api/v1/search", IN_CASE JSON, "{\"sentence\":\"personne haut rouge\"}"), 200);
    assert_string_equal(fake.sentence, "personne haut rouge");
    assert_last_line("action", "search");
    assert_last_line("case_id", CASE);
    assert_last_line("user", "op");
    assert_last_line("role", "operator");
    assert_reply_holds("Cache-Control: no-store");
    assert_int_equal(post("/api/v1/search", IN_CASE JSON, "{\"sentence\":\"a\x7f\"}"), 200);
    sql("ALTER TABLE journal RENAME TO away");
    assert_int_equal(post("/api/v1/search", IN_CASE JSON, "{\"sentence\":\"personne\"}"), 500);
    assert_reply_holds("\"code\":\"journal\"");
    assert_reply_lacks("items");
    sql("ALTER TABLE away RENAME TO journal");
}

static void http_search_refused_by_the_case_keeps_its_reason(void **state) {
    (void)state;
    fake.search_result = ERR_USAGE;
    fake.code = "bad_request";
    assert_int_equal(post("/api/v1/search", IN_CASE JSON, "{\"odd\":1}"), 400);
    fake.code = "outside_period";
    assert_int_equal(post("/api/v1/search", IN_CASE JSON, "{\"sentence\":\"vendredi\"}"), 422);
    assert_reply_holds("outside_period");
    fake.search_result = ERR_DENIED;
    assert_int_equal(post("/api/v1/search", IN_CASE JSON, "{\"sentence\":\"x\"}"), 403);
    assert_int_equal(n_journal(), 3);
}

static void http_sentence_in_an_address_is_refused(void **state) {
    (void)state;
    assert_int_equal(get("/api/v1/search?sentence=rouge", IN_CASE), 400);
    assert_int_equal(get("/api/v1/search?plate=AB", IN_CASE), 400);
    assert_int_equal(fake.n_searches, 0);
    assert_int_equal(get("/api/v1/search?limit=10", IN_CASE), 200);
    assert_int_equal(fake.n_searches, 1);
}

static void http_bodies_that_are_no_json_object_are_refused(void **state) {
    (void)state;
    static const char *const bodies[] = {"", "[]", "{", "{\"a\":1,\"a\":2}", "{} x", "null", "\"x\"", "7"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        assert_int_equal(post("/api/v1/search", IN_CASE JSON, bodies[i]), 400);
    assert_int_equal(post("/api/v1/search", IN_CASE "Content-Type: text/plain\r\n", "{}"), 415);
    assert_int_equal(fake.n_searches, 0);
}

static void http_methods_are_told(void **state) {
    (void)state;
    assert_int_equal(ask("DELETE /api/v1/search HTTP/1.1\r\n" HOST "\r\n"), 405);
    assert_reply_holds("Allow: GET, HEAD, POST\r");
    assert_int_equal(ask("PUT / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), 405);
    assert_int_equal(ask("HEAD / HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_reply_holds("Content-Length: 11");
    assert_string_equal(body_of(), "");
}

static void http_oversized_requests_are_refused(void **state) {
    (void)state;
    static char text[40000];
    int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HOST "X-Long: ");
    memset(text + n, 'a', 20000);
    strcpy(text + n + 20000, "\r\n\r\n");
    int status = ask(text);
    assert_true(status == 400 || status == 413 || status == 0);
    assert_int_equal(
        ask("POST /api/v1/search HTTP/1.1\r\n" HOST IN_CASE JSON "Content-Length: 10000000\r\n\r\n"), 413);
    assert_int_equal(fake.n_searches, 0);
}

static void http_thumbnail_belongs_to_its_case(void **state) {
    (void)state;
    assert_int_equal(get("/api/v1/media/t/77.jpg?case=" CASE, ""), 200);
    assert_string_equal(body_of(), "JPEG");
    assert_reply_holds("Cache-Control: private");
    assert_int_equal(get("/api/v1/media/t/78.jpg?case=" CASE, ""), 404);
    assert_int_equal(get("/api/v1/media/t/x.jpg?case=" CASE, ""), 404);
}

static void http_clip_starts_five_seconds_before_but_not_before_the_case(void **state) {
    (void)state;
    assert_int_equal(get("/api/v1/sightings/77/clip", IN_CASE), 200);
    /* The passage begins 2 s into the period: only those 2 s may be shown of the 5. */
    assert_int_equal(fake.from_us, 60000000);
    assert_int_equal(fake.to_us, 60000000 + 4000000 + 3000000);
    char from[40];
    snprintf(from, sizeof from, "\"from_ms\":%lld", (long long)FROM_MS);
    assert_reply_holds(from);
    assert_reply_holds("/api/v1/media/clip/77.mp4?case=" CASE);
    assert_last_line("action", "play");
}

static void part_is(const char *query, int64_t from_s, int64_t to_s) {
    char path[96];
    snprintf(path, sizeof path, "/api/v1/sightings/%s", query);
    assert_int_equal(get(path, IN_CASE), 200);
    /* The recording began 60 s before the period; times are told from there. */
    assert_int_equal(fake.from_us / 1000000 - 60, from_s);
    assert_int_equal(fake.to_us / 1000000 - 60, to_s);
}

static void http_long_passage_is_cut_into_parts_of_thirty_seconds(void **state) {
    (void)state;
    char query[64];
    part_is("78/clip", 5, 35);
    assert_reply_holds("\"part\":0,\"parts\":4");
    assert_reply_holds("&part=0");
    part_is("78/clip?part=3", 95, 113);
    snprintf(query, sizeof query, "78/clip?at_ms=%lld", (long long)FROM_MS + 64999);
    part_is(query, 35, 65);
    snprintf(query, sizeof query, "78/clip?at_ms=%lld", (long long)FROM_MS + 113000);
    part_is(query, 95, 113);
    /* A rest of 2 s is no part of its own. */
    part_is("79/clip?part=2", 65, 97);
    assert_reply_holds("\"parts\":3");
    assert_int_equal(get("/api/v1/sightings/79/clip?part=3", IN_CASE), 404);
    assert_int_equal(get("/api/v1/sightings/79/clip?part=x", IN_CASE), 404);
    snprintf(query, sizeof query, "/api/v1/sightings/78/clip?at_ms=%lld", (long long)FROM_MS + 4999);
    assert_int_equal(get(query, IN_CASE), 404);
}

static void http_clip_is_served_in_ranges_and_journalled_once(void **state) {
    (void)state;
    assert_int_equal(get("/api/v1/media/clip/77.mp4?case=" CASE, ""), 200);
    assert_string_equal(body_of(), "0123456789");
    assert_reply_holds("Accept-Ranges: bytes");
    char tag[80], headers[200];
    assert_int_equal(sscanf(strstr(reply, "ETag: "), "ETag: %79[^\r]", tag), 1);
    assert_int_equal(get("/api/v1/media/clip/77.mp4?case=" CASE, "Range: bytes=2-4\r\n"), 206);
    assert_string_equal(body_of(), "234");
    assert_reply_holds("Content-Range: bytes 2-4/10");
    assert_int_equal(get("/api/v1/media/clip/77.mp4?case=" CASE, "Range: bytes=10-\r\n"), 416);
    assert_reply_holds("Content-Range: bytes */10");
    assert_int_equal(get("/api/v1/media/clip/77.mp4?case=" CASE, "Range: bytes=0-1,3-4\r\n"), 200);
    snprintf(headers, sizeof headers, "Range: bytes=8-\r\nIf-Range: %s\r\n", tag);
    assert_int_equal(get("/api/v1/media/clip/77.mp4?case=" CASE, headers), 206);
    assert_string_equal(body_of(), "89");
    assert_int_equal(
        get("/api/v1/media/clip/77.mp4?case=" CASE, "Range: bytes=8-\r\nIf-Range: \"other\"\r\n"), 200);
    assert_int_equal(n_journal(), 1);
}

static void http_still_outside_the_period_is_refused(void **state) {
    (void)state;
    char path[96];
    assert_int_equal(get("/api/v1/media/frame/77.jpg?case=" CASE, ""), 200);
    snprintf(path, sizeof path, "/api/v1/media/frame/77.jpg?case=" CASE "&t_ms=%lld", (long long)FROM_MS - 1);
    assert_int_equal(get(path, ""), 403);
    snprintf(path, sizeof path, "/api/v1/media/frame/77.jpg?case=" CASE "&t_ms=%lld", (long long)NOW_MS);
    assert_int_equal(get(path, ""), 403);
    assert_int_equal(get("/api/v1/media/frame/77.jpg?case=" CASE "&t_ms=x", ""), 400);
    assert_int_equal(fake.n_clips, 1);
}

/* Neighbouring cameras are shown at a moment, in pieces of 30 s of the clock, cut to the case. */
static void http_view_of_a_camera_is_cut_to_the_case_and_journalled(void **state) {
    (void)state;
    char path[128], part[80];
    int64_t at_ms = FROM_MS + 61234, piece_ms = at_ms - at_ms % 30000;
    snprintf(path, sizeof path, "/api/v1/cameras/gare-01/clip?at_ms=%lld", (long long)at_ms);
    assert_int_equal(get(path, IN_CASE), 200);
    assert_int_equal(fake.from_us, (piece_ms - (FROM_MS - 60000)) * 1000);
    assert_int_equal(fake.to_us - fake.from_us, 30000000);
    snprintf(part, sizeof part, "/api/v1/media/camera/gare-01.mp4?case=" CASE "&from_ms=%lld",
             (long long)piece_ms);
    assert_reply_holds(part);
    assert_last_line("action", "view");
    assert_int_equal(get(part, ""), 200);
    assert_string_equal(body_of(), "0123456789");
    assert_int_equal(n_journal(), 1);
    snprintf(path, sizeof path, "/api/v1/cameras/gare-01/clip?at_ms=%lld", (long long)FROM_MS);
    assert_int_equal(get(path, IN_CASE), 200);
    assert_int_equal(fake.from_us, 60000000);
    snprintf(path, sizeof path, "/api/v1/cameras/gare-01/clip?at_ms=%lld", (long long)FROM_MS - 1);
    assert_int_equal(get(path, IN_CASE), 404);
    snprintf(path, sizeof path, "/api/v1/cameras/nowhere/clip?at_ms=%lld", (long long)at_ms);
    assert_int_equal(get(path, IN_CASE), 404);
    assert_int_equal(get("/api/v1/cameras/gare-01/clip", IN_CASE), 400);
    assert_int_equal(get("/api/v1/cameras/gare-01/clip?at_ms=soon", IN_CASE), 400);
    snprintf(path, sizeof path, "/api/v1/media/camera/gare-01.jpg?case=" CASE "&t_ms=%lld", (long long)at_ms);
    assert_int_equal(get(path, ""), 200);
    assert_int_equal(fake.from_us, 121234000);
    assert_last_line("action", "still");
}

/* A clip takes seconds to make; the client may be gone by then. */
static void http_client_that_leaves_while_its_clip_is_made_is_no_harm(void **state) {
    (void)state;
    fake.extract_waits = true;
    struct browser b = client();
    const char *text = "GET /api/v1/media/clip/77.mp4?case=" CASE " HTTP/1.1\r\n" HOST "\r\n";
    send_request(&b, text);
    for (int64_t deadline_ms = mono_ms() + 5000; fake.n_clips == 0;) {
        assert_true(mono_ms() < deadline_ms);
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    hang_up(&b);
    event_base_loop(base, EVLOOP_NONBLOCK);
    deliver(fake.waiting, fake.waiting_arg);
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(get("/", ""), 200);
}

static void http_server_ends_while_a_clip_is_made(void **state) {
    (void)state;
    fake.extract_waits = true;
    struct browser b = client();
    const char *text = "GET /api/v1/sightings/77/clip?case=" CASE " HTTP/1.1\r\n" HOST "\r\n";
    send_request(&b, text);
    for (int64_t deadline_ms = mono_ms() + 5000; fake.n_clips == 0;) {
        assert_true(mono_ms() < deadline_ms);
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    http_server_free(&server);
    hang_up(&b);
}

static void http_events_stream_tells_the_state_of_imports_and_survives_the_client(void **state) {
    (void)state;
    struct browser b = client();
    assert_int_equal(talk(&b, "GET /api/v1/events?case=" CASE " HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_reply_holds("text/event-stream");
    for (int64_t deadline_ms = mono_ms() + 5000; !strstr(reply, "event: import");) {
        assert_true(mono_ms() < deadline_ms);
        event_base_loop(base, EVLOOP_NONBLOCK);
        size_t n = strlen(reply);
        int got = SSL_read(b.ssl, reply + n, (int)(sizeof reply - 1 - n));
        if (got > 0) reply[n + (size_t)got] = '\0';
    }
    hang_up(&b);
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(get("/", ""), 200);
    /* A second stream is still open when the server ends. */
    b = client();
    assert_int_equal(talk(&b, "GET /api/v1/events?case=" CASE " HTTP/1.1\r\n" HOST "\r\n"), 200);
    http_server_free(&server);
    hang_up(&b);
}

static void http_keeps_a_connection_for_the_next_request(void **state) {
    (void)state;
    struct browser b = client();
    assert_int_equal(talk(&b, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_int_equal(talk(&b, "GET /nothing HTTP/1.1\r\n" HOST "\r\n"), 404);
    assert_int_equal(talk(&b, "GET /api/v1/boot HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_reply_holds("\"backend\":\"none\"");
    hang_up(&b);
}

static void accuracy_tells_figures_confusions_and_why_not(void **state) {
    (void)state;
    const struct vocab_value grey = {.name = "grey"}, white = {.name = "white"}, boots = {.name = "boots"};
    struct accuracy_filter filters[2] = {
        {.field = FIELD_CLASS,
         .value = &grey,
         .enabled = true,
         .n_measures = 1,
         .measures = {{.metric = "top1", .set = "cars", .measured = 0.75, .low = 0.5, .high = 0.9, .n = 12}},
         .n_see_also = 1,
         .see_also = {{&white, 0.25, 12}}},
        {.field = FIELD_CLASS, .value = &boots, .why = "no_data"}};
    const struct accuracy figures = {.date = "2026-11-24", .n_filters = 2, .filters = filters};
    struct browser b = client();
    assert_int_equal(talk(&b, "GET /api/v1/accuracy HTTP/1.1\r\n" HOST "\r\n"), 404);
    ctx_accuracy = &figures;
    assert_int_equal(stop(NULL), 0);
    assert_int_equal(start(NULL), 0);
    ctx_accuracy = NULL;
    hang_up(&b);
    b = client();
    assert_int_equal(talk(&b, "GET /api/v1/accuracy HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_reply_holds("\"field\":\"class\",\"value\":\"grey\",\"enabled\":true,\"why\":\"\"");
    assert_reply_holds("\"see_also\":[{\"value\":\"white\",\"share\":0.25,\"n\":12}]");
    assert_reply_holds("\"metric\":\"top1\",\"set\":\"cars\",\"n\":12,\"measured\":0.75,\"ci95\":[0.5,0.9]");
    assert_reply_holds("\"value\":\"boots\",\"enabled\":false,\"why\":\"no_data\"");
    hang_up(&b);
}

static void http_server_refuses_a_taken_port_and_a_missing_page(void **state) {
    (void)state;
    char listen_on[32];
    struct http_server *second = NULL;
    snprintf(listen_on, sizeof listen_on, "127.0.0.1:%u", http_server_port(server));
    struct http_context ctx = {
        .base = base, .listen = listen_on, .page_dir = page_dir, .data_dir = data_dir, .reg = reg};
    assert_int_equal(http_server_new(&ctx, &second), ERR_BUSY);
    assert_null(second);
    ctx.listen = "centre.example:0";
    assert_int_equal(http_server_new(&ctx, &second), ERR_USAGE);
    ctx.listen = "127.0.0.1:0";
    ctx.page_dir = "/tmp/relecture-no-such-page";
    assert_true(http_server_new(&ctx, &second) != OK);
    assert_null(second);
}

/* ---- who is answered ------------------------------------------------------------------------------------
 */
static void http_nobody_is_answered_without_a_session(void **state) {
    (void)state;
    sign_in(NULL);
    static const char *const paths[] = {"/api/v1/boot",   "/api/v1/session",           "/api/v1/cases",
                                        "/api/v1/system", "/api/v1/media/t/77.jpg",    "/api/v1/events",
                                        "/api/v1/roles",  "/api/v1/sightings/77/clip", "/api/v1/cameras"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_int_equal(get(paths[i], IN_CASE), 401);
        assert_reply_holds("\"reason\":\"none\"");
    }
    assert_int_equal(post("/api/v1/search", IN_CASE JSON, "{}"), 401);
    assert_int_equal(get("/", ""), 200);
    assert_int_equal(fake.n_searches + fake.n_clips, 0);
}

static void http_cookies_that_are_not_ours_open_nothing(void **state) {
    (void)state;
    static const char *const cookies[] = {
        "__Host-s=",
        "__Host-s=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "__Host-s=../../etc/passwd",
        "__Host-s=' OR 1=1 --",
        "__Host-s=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "x__Host-s=a; =; ;;; __Host-s",
    };
    sign_in(NULL);
    for (size_t i = 0; i < sizeof cookies / sizeof *cookies; i++) {
        char header[256];
        snprintf(header, sizeof header, "Cookie: %s\r\n", cookies[i]);
        assert_int_equal(get("/api/v1/boot", header), 401);
    }
}

static void http_changes_need_the_token_of_the_session(void **state) {
    (void)state;
    char saved[sizeof auth], other[LOGIN_CSRF_BYTES];
    memcpy(saved, auth, sizeof saved);
    sign_in("boss");
    snprintf(other, sizeof other, "%s", strstr(auth, "X-CSRF: ") + 8);
    memcpy(auth, saved, sizeof auth);
    char *csrf = strstr(auth, "X-CSRF");
    memcpy(csrf + 8, other, 32); /* of another session */
    assert_int_equal(post("/api/v1/search", IN_CASE JSON, "{}"), 403);
    assert_reply_holds("bad_csrf");
    *csrf = '\0';
    assert_int_equal(post("/api/v1/search", IN_CASE JSON, "{}"), 403);
    assert_int_equal(get("/api/v1/boot", ""), 200);
    assert_int_equal(fake.n_searches, 0);
}

static void http_roles_get_what_the_matrix_gives_and_refusals_are_journalled(void **state) {
    (void)state;
    sign_in("eye");
    assert_int_equal(post("/api/v1/search", IN_CASE JSON, "{}"), 403);
    assert_reply_holds("not_allowed");
    assert_last_line("action", "refused");
    assert_last_line("user", "eye");
    assert_int_equal(get("/api/v1/media/t/77.jpg", IN_CASE), 403);
    assert_int_equal(get("/api/v1/boot", ""), 200);
    assert_reply_holds("\"cases\":[]");
    assert_int_equal(n_journal(), 2);
    assert_int_equal(get("/api/v1/media/t/78.jpg", IN_CASE), 403);
    assert_int_equal(n_journal(), 2); /* the same act within a minute */
    assert_int_equal(fake.n_searches, 0);
}

static void http_user_who_is_disabled_is_out_at_once(void **state) {
    (void)state;
    struct browser b = client();
    assert_int_equal(talk(&b, "GET /api/v1/boot HTTP/1.1\r\n" HOST "\r\n"), 200);
    assert_int_equal(user_disable(reg, "op", true), OK);
    assert_int_equal(talk(&b, "GET /api/v1/boot HTTP/1.1\r\n" HOST "\r\n"), 401);
    assert_reply_holds("\"reason\":\"disabled\"");
    assert_int_equal(user_disable(reg, "op", false), OK);
    assert_int_equal(talk(&b, "GET /api/v1/boot HTTP/1.1\r\n" HOST "\r\n"), 401); /* and stays out */
    hang_up(&b);
}

static void http_session_ends_with_the_habilitation_and_with_age(void **state) {
    (void)state;
    clock_fake(NOW_MS + LOGIN_AGE_MAX_MS);
    assert_int_equal(get("/api/v1/boot", ""), 401);
    assert_reply_holds("too_old");
    clock_fake(NOW_MS);
    sign_in("boss");
    clock_fake(NOW_MS + 86400000);
    assert_int_equal(get("/api/v1/boot", ""), 401);
    assert_reply_holds("habilitation");
}

/* After a restart only the wall clock knows how long the browser was quiet. */
static void http_session_idle_over_a_restart_has_ended(void **state) {
    (void)state;
    clock_fake(NOW_MS + 899000);
    assert_int_equal(get("/api/v1/system", ""), 200); /* asked by the page, not by a person */
    clock_fake(NOW_MS + 901000);
    assert_int_equal(get("/api/v1/boot", ""), 401);
    assert_reply_holds("\"reason\":\"idle\"");
}

static void http_clock_set_back_revives_nothing(void **state) {
    (void)state;
    clock_fake(NOW_MS + 86400000);
    sign_in("op");
    assert_int_equal(get("/api/v1/boot", ""), 401); /* the habilitation is over */
    clock_fake(NOW_MS);
    sign_in("op");
    assert_int_equal(get("/api/v1/boot", ""), 401);
    assert_reply_holds("habilitation");
}

static void http_session_from_the_future_is_refused(void **state) {
    (void)state;
    clock_fake(NOW_MS - 3600000);
    assert_int_equal(get("/api/v1/boot", ""), 401);
    assert_reply_holds("\"reason\":\"clock\"");
}

static void http_one_time_password_opens_only_its_own_change(void **state) {
    (void)state;
    sql("UPDATE user SET must_change=1 WHERE login='op'");
    assert_int_equal(get("/api/v1/boot", ""), 403);
    assert_reply_holds("password_must_change");
    assert_int_equal(get("/api/v1/session", ""), 200);
    assert_reply_holds("\"must_change\":true");
    assert_int_equal(post("/api/v1/password", JSON, "{\"secret\":\"" PASSWORD "\",\"new_secret\":\"short\"}"),
                     422);
    assert_reply_holds("weak_password");
    assert_int_equal(
        post("/api/v1/password", JSON, "{\"secret\":\"wrong\",\"new_secret\":\"Other-Horse-88\"}"), 401);
    assert_int_equal(
        post("/api/v1/password", JSON, "{\"secret\":\"" PASSWORD "\",\"new_secret\":\"Other-Horse-88\"}"),
        200);
    assert_reply_holds("Set-Cookie: __Host-s=");
    assert_reply_holds("\"must_change\":false");
    assert_int_equal(get("/api/v1/session", ""), 401); /* the old cookie */
    assert_int_equal(user_password_set(reg, "op", PASSWORD, false), OK);
}

static void http_login_gives_a_session_and_logout_takes_it(void **state) {
    (void)state;
    char cookie[128];
    sign_in(NULL);
    assert_int_equal(post("/api/v1/login", JSON, "{\"login\":\"op\",\"secret\":\"" PASSWORD "\"}"), 200);
    assert_reply_holds("; Path=/; Secure; HttpOnly; SameSite=Strict\r\n");
    assert_last_line("action", "login");
    assert_int_equal(sscanf(strstr(reply, "Set-Cookie: "), "Set-Cookie: %127[^;]", cookie), 1);
    const char *csrf = strstr(reply, "\"csrf\":\"");
    snprintf(auth, sizeof auth, "Cookie: %s\r\nX-CSRF: %.32s\r\n", cookie, csrf + 8);
    assert_int_equal(get("/api/v1/session", ""), 200);
    assert_string_equal(value("SELECT count(*) FROM session WHERE instr(hex(token_hash),'5F5F')>70"), "0");
    assert_int_equal(post("/api/v1/logout", JSON, "{}"), 200);
    assert_reply_holds("Max-Age=0");
    assert_int_equal(get("/api/v1/session", ""), 401);
    assert_last_line("action", "logout");
}

static void http_guessing_is_slowed_down_alike_for_logins_that_exist_and_that_do_not(void **state) {
    (void)state;
    static const char *const logins[] = {"boss", "nobody"};
    sign_in(NULL);
    for (size_t k = 0; k < 2; k++) {
        char body[96];
        snprintf(body, sizeof body, "{\"login\":\"%s\",\"secret\":\"Wrong-Horse-77\"}", logins[k]);
        for (int i = 0; i < 4; i++) assert_int_equal(post("/api/v1/login", JSON, body), 401);
        int last = post("/api/v1/login", JSON, body);
        assert_true(last == 401 || last == 429);
        assert_int_equal(post("/api/v1/login", JSON, body), 429);
        assert_reply_holds("Retry-After: ");
    }
    assert_last_line("user", "unknown");
    assert_last_line("action", "login.refused");
    sql("UPDATE user SET n_failed=0,locked_until_ms=0");
}

static void http_answers_that_the_library_makes_carry_the_headers_too(void **state) {
    (void)state;
    static const char *const odd[] = {"GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                                      "BREW / HTTP/1.1\r\n" HOST "\r\n",
                                      "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\n"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        const int status = ask(odd[i]);
        if (status == 0) continue; /* closed without a word */
        assert_true(status >= 400);
        assert_reply_holds("Content-Security-Policy: default-src 'self';");
        assert_reply_holds("Strict-Transport-Security: ");
        assert_reply_holds("X-Content-Type-Options: nosniff");
    }
}

static void http_too_many_connections_of_one_address_are_refused_and_others_go_on(void **state) {
    (void)state;
    static int fds[CONNECTIONS_OF_ONE_ADDRESS + 8];
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)http_server_port(server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const unsigned n = sizeof fds / sizeof *fds;
    unsigned closed = 0;
    for (unsigned i = 0; i < n; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fds[i], (const struct sockaddr *)&at, sizeof at), 0);
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    for (int64_t deadline_ms = mono_ms() + 5000; closed < 8;) {
        char byte;
        assert_true(mono_ms() < deadline_ms);
        event_base_loop(base, EVLOOP_NONBLOCK);
        closed = 0;
        for (unsigned i = 0; i < n; i++) closed += recv(fds[i], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
    }
    assert_int_equal(closed, 8);
    for (unsigned i = 0; i < n; i++) close(fds[i]);
    for (int64_t deadline_ms = mono_ms() + 5000; mono_ms() < deadline_ms;) {
        event_base_loop(base, EVLOOP_NONBLOCK);
        if (get("/", "") == 200) return;
    }
    fail_msg("the server does not answer any more");
}

static void http_thumbnail_nobody_was_shown_is_journalled_once(void **state) {
    (void)state;
    assert_int_equal(get("/api/v1/media/t/77.jpg", IN_CASE), 200);
    assert_last_line("action", "thumbnail");
    assert_last_line("object", "77");
    assert_int_equal(get("/api/v1/media/t/77.jpg", IN_CASE), 200);
    assert_int_equal(n_journal(), 1);
    sign_in("boss"); /* another person, another view */
    assert_int_equal(get("/api/v1/media/t/77.jpg", IN_CASE), 200);
    assert_int_equal(n_journal(), 2);
}

static void silent(enum log_level level, const char *line, void *arg) {
    (void)level;
    (void)line;
    (void)arg;
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define HTTP_TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
        HTTP_TEST(http_page_comes_with_strict_headers),
        HTTP_TEST(http_page_is_sent_packed_to_those_who_read_it_and_once),
        HTTP_TEST(http_path_never_leaves_the_page),
        HTTP_TEST(http_request_for_another_host_is_refused),
        HTTP_TEST(http_request_from_another_sites_page_is_refused),
        HTTP_TEST(http_search_without_an_open_case_is_refused),
        HTTP_TEST(http_search_is_journalled_before_it_is_answered),
        HTTP_TEST(http_search_refused_by_the_case_keeps_its_reason),
        HTTP_TEST(http_sentence_in_an_address_is_refused),
        HTTP_TEST(http_bodies_that_are_no_json_object_are_refused),
        HTTP_TEST(http_methods_are_told),
        HTTP_TEST(http_oversized_requests_are_refused),
        HTTP_TEST(http_thumbnail_belongs_to_its_case),
        HTTP_TEST(http_clip_starts_five_seconds_before_but_not_before_the_case),
        HTTP_TEST(http_long_passage_is_cut_into_parts_of_thirty_seconds),
        HTTP_TEST(http_clip_is_served_in_ranges_and_journalled_once),
        HTTP_TEST(http_still_outside_the_period_is_refused),
        HTTP_TEST(http_view_of_a_camera_is_cut_to_the_case_and_journalled),
        HTTP_TEST(http_client_that_leaves_while_its_clip_is_made_is_no_harm),
        HTTP_TEST(http_server_ends_while_a_clip_is_made),
        HTTP_TEST(http_events_stream_tells_the_state_of_imports_and_survives_the_client),
        HTTP_TEST(http_keeps_a_connection_for_the_next_request),
        HTTP_TEST(accuracy_tells_figures_confusions_and_why_not),
        HTTP_TEST(http_server_refuses_a_taken_port_and_a_missing_page),
        HTTP_TEST(http_nobody_is_answered_without_a_session),
        HTTP_TEST(http_cookies_that_are_not_ours_open_nothing),
        HTTP_TEST(http_changes_need_the_token_of_the_session),
        HTTP_TEST(http_roles_get_what_the_matrix_gives_and_refusals_are_journalled),
        HTTP_TEST(http_user_who_is_disabled_is_out_at_once),
        HTTP_TEST(http_one_time_password_opens_only_its_own_change),
        HTTP_TEST(http_login_gives_a_session_and_logout_takes_it),
        HTTP_TEST(http_guessing_is_slowed_down_alike_for_logins_that_exist_and_that_do_not),
        HTTP_TEST(http_answers_that_the_library_makes_carry_the_headers_too),
        HTTP_TEST(http_too_many_connections_of_one_address_are_refused_and_others_go_on),
        HTTP_TEST(http_thumbnail_nobody_was_shown_is_journalled_once),
        /* Last, and in this order: their lines of the journal lie ever further in the future. */
        HTTP_TEST(http_session_from_the_future_is_refused),
        HTTP_TEST(http_session_idle_over_a_restart_has_ended),
        HTTP_TEST(http_session_ends_with_the_habilitation_and_with_age),
        HTTP_TEST(http_clock_set_back_revives_nothing),
    };
    log_sink(silent, NULL);
    if (!mkdtemp(page_dir)) return 1;
    write_file("index.html", "<p>page</p>");
    write_file("index.html.gz", "packed");
    write_file(".hidden", "secret");
    write_file("clip.bin", "0123456789");
    int failed = cmocka_run_group_tests(tests, make_register, remove_register);
    static const char *const names[] = {"index.html", "index.html.gz", ".hidden", "clip.bin"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", page_dir, names[i]);
        unlink(path);
    }
    rmdir(page_dir);
    return failed;
}
