/* SPDX-License-Identifier: Apache-2.0 */
/* login.h - who is at the other end: session cookie, CSRF token, idle logout, rights of the route, and brakes
 * on guessing. Sessions live in the register (host/case/session.h); here lies only what they did lately.
 * Threads: the loop's. */
#ifndef HOST_HTTP_LOGIN_H
#define HOST_HTTP_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/case/session.h"

struct exchange;
struct http_server;
struct logins;

#define LOGIN_AGE_MAX_MS (12LL * 3600 * 1000)
#define LOGIN_CSRF_BYTES 33u /* hex, with its end */

/* `idle_s`: without a request for so long a session ends. */
MUST_CHECK enum err logins_new(struct http_server *s, unsigned idle_s, struct logins **out);
/* Before the clerk is freed: what was seen last is written by its last job. */
void logins_free(struct logins **l);
unsigned logins_idle_s(const struct logins *l);

/* Fills x->who from the cookie and judges what the route asks for. False: the exchange has ended with 401 or
 * 403. */
MUST_CHECK bool login_admit(struct exchange *x);
/* A person at the session x->who asked for something just now. */
void login_used(struct exchange *x);
/* Why the session of a stream has ended meanwhile; NULL = it has not. */
const char *login_ended(struct http_server *s, const uint8_t token[static SESSION_TOKEN_BYTES]);

/* Whether the journal says, as far as is remembered, that this passage was shown to this session in x->c. */
bool login_was_shown(const struct exchange *x, uint64_t sighting);
void login_note_shown(struct exchange *x, uint64_t sighting);

/* The token of the first cookie of our name in a Cookie header (NULL = none); false when there is none or it is
 * not one of ours. Pure. */
bool login_cookie(const char *header, uint8_t token[static SESSION_TOKEN_BYTES]);
/* The token into the cookie of the answer; NULL takes the cookie back. */
void login_set_cookie(struct exchange *x, const uint8_t token[SESSION_TOKEN_BYTES]);
void login_csrf(const uint8_t token[static SESSION_TOKEN_BYTES], char out[static LOGIN_CSRF_BYTES]);

/* Brakes: too many failures from one address, or for one login whether or not it exists. Seconds to wait, 0 =
 * go on. */
unsigned login_must_wait(struct logins *l, const char *station, const char *login);
void login_failed(struct logins *l, const char *station, const char *login);
void login_succeeded(struct logins *l, const char *login);

#endif
