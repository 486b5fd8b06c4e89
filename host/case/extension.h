/* SPDX-License-Identifier: Apache-2.0 */
/* extension.h - what a case asks for beyond its requisition. Asked by one person, decided by another; until
 * then nothing is wider. Threads: as the register handle. */
#ifndef HOST_CASE_EXTENSION_H
#define HOST_CASE_EXTENSION_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/case/register.h"

#define EXTENSION_REASON_MAX 500u

struct extension {
    uint64_t id;
    char case_id[40];
    /* What is asked; 0, 0 cameras and no criteria = not asked. */
    int64_t from_ms, to_ms, expires_ms;
    uint16_t *cameras; /* numbers to be added; owned */
    unsigned n_cameras;
    char criteria[512]; /* to be added, comma-separated; each has its line */
    char reason[EXTENSION_REASON_MAX + 1];
    char doc_sha256[65];
    char by[64];
    int64_t at_ms;
    char state[16]; /* "pending", "approved", "refused" */
    char decided_by[64];
    int64_t decided_ms;
    char decided_reason[EXTENSION_REASON_MAX + 1];
};
void extension_fini(struct extension *x);

/* Fills id, state and at_ms. `lines[i]` supports the i-th word of criteria. ERR_USAGE: nothing asked, nothing
 * wider than the case, an unknown criterion, no reason; ERR_MISSING: no such open case. */
MUST_CHECK enum err extension_ask(struct register_db *r, struct extension *x, const char *const lines[]);
MUST_CHECK enum err extension_get(struct register_db *r, const char *case_id, uint64_t id,
                                  struct extension *out);
/* Newest first; each needs extension_fini(). */
MUST_CHECK enum err extension_list(struct register_db *r, const char *case_id, struct extension **out,
                                   unsigned *n);
/* Approves (and widens the case) or refuses. ERR_DENIED: `by` asked for it himself; ERR_EXISTS: decided
 * already; ERR_MISSING: no such extension, or its case is not open any more. */
MUST_CHECK enum err extension_decide(struct register_db *r, const char *case_id, uint64_t id, bool approve,
                                     const char *by, const char *reason);
MUST_CHECK enum err extension_lines(struct register_db *r, uint64_t id, case_line_fn *each, void *arg);

#endif
