/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - signed-in browsers. A session is a random token: the browser holds it in a cookie, the register
 * holds its hash only, so a copy of the register opens no session. Threads: as the register handle. */
#ifndef HOST_CASE_SESSION_H
#define HOST_CASE_SESSION_H

#include <stdint.h>

#include "host/base/err.h"
#include "host/case/register.h"
#include "host/case/user.h"

#define SESSION_TOKEN_BYTES  32u
#define SESSION_HASH_BYTES   32u
#define SESSIONS_OF_ONE_USER 5u /* the oldest one ends when a sixth begins */

struct session {
    struct user user; /* as it is now, not as it was at login */
    char station[64]; /* where it was opened from */
    int64_t created_ms, seen_ms;
    uint8_t hash[SESSION_HASH_BYTES];
};

/* A new token for an existing user; the caller gives it to the browser and wipes it. */
MUST_CHECK enum err session_open(struct register_db *r, const char *login, const char *station,
                                 uint8_t token[static SESSION_TOKEN_BYTES]);
/* ERR_MISSING: no such session. Neither its age nor the user's validity is judged here. */
MUST_CHECK enum err session_find(struct register_db *r, const uint8_t token[static SESSION_TOKEN_BYTES],
                                 struct session *out);
/* When it was last used; nothing happens when it has ended. */
MUST_CHECK enum err session_seen(struct register_db *r, const uint8_t hash[static SESSION_HASH_BYTES],
                                 int64_t seen_ms);
MUST_CHECK enum err session_close(struct register_db *r, const uint8_t hash[static SESSION_HASH_BYTES]);
/* Every session of the user. */
MUST_CHECK enum err session_close_user(struct register_db *r, const char *login);
MUST_CHECK enum err session_count(struct register_db *r, const char *login, unsigned *n);
/* Those opened before that moment. */
MUST_CHECK enum err session_purge(struct register_db *r, int64_t created_before_ms);

#endif
