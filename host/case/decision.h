/* SPDX-License-Identifier: Apache-2.0 */
/* decision.h - what a person decided about a sighting of a case. The machine proposes; only a decision enters
 * the file. A decision is superseded by a later version, never altered: the defence can read every one.
 * Threads: as the register handle. Ownership: lists are the caller's to free(). */
#ifndef HOST_CASE_DECISION_H
#define HOST_CASE_DECISION_H

#include <stdint.h>

#include "host/base/err.h"
#include "host/case/register.h"

#define DECISION_REASON_MAX 500u

struct decision {
    uint64_t sighting;
    unsigned version; /* 1 = the first one; 0 = there is none yet */
    char state[16];   /* "confirmed", "rejected", "undecided" */
    char reason[DECISION_REASON_MAX + 1];
    char by[64];
    int64_t at_ms, viewed_ms; /* viewed_ms: how long the person looked, as the page says */
};

/* The one in force; ERR_MISSING when nobody decided. */
MUST_CHECK enum err decision_get(struct register_db *r, const char *case_id, uint64_t sighting,
                                 struct decision *out);
/* d->version = the version that the person saw: it must still be in force, else ERR_BUSY and *d is the one in
 * force. ERR_USAGE: the state or the reason; a reason is needed to supersede. On OK *d is what was written.
 */
MUST_CHECK enum err decision_put(struct register_db *r, const char *case_id, struct decision *d);
/* All of a sighting, newest first. */
MUST_CHECK enum err decision_history(struct register_db *r, const char *case_id, uint64_t sighting,
                                     struct decision **out, unsigned *n);
/* Those in force, of `state` or (NULL) of any, in the order of deciding. */
MUST_CHECK enum err decision_list(struct register_db *r, const char *case_id, const char *state,
                                  struct decision **out, unsigned *n);

#endif
