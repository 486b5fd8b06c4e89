/* SPDX-License-Identifier: Apache-2.0 */
/* seal.h - what is handed over, in the register: who asked for it, who approved it, what became of it. Two
 * persons, and nothing unconfirmed: both are asked again at every step, so an author who approves, two chiefs
 * at once and a decision withdrawn meanwhile all fail here, whatever the caller forgot. The folder itself:
 * host/evidence/folder.h. Threads: as the register handle. Ownership: lists and exhibits are the caller's, by
 * seal_fini(). */
#ifndef HOST_CASE_SEAL_H
#define HOST_CASE_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/case/register.h"

#define SEAL_EXHIBITS_MAX 200u

struct seal {
    uint64_t id; /* given by seal_request() */
    char case_id[40];
    char state[16]; /* waiting, building, ready, refused, failed */
    char handed_to[256], medium[128];
    bool blur; /* the masked copy too */
    char by[64];
    int64_t at_ms;
    char decided_by[64];
    int64_t decided_ms;
    char decided_reason[501];
    char error[256];
    uint64_t bytes;
    char sha256[65]; /* of MANIFEST.json */
    int64_t journal_seq;
    uint64_t *exhibits; /* owned */
    unsigned n_exhibits;
};
void seal_fini(struct seal *s);
void seals_free(struct seal *list, unsigned n);

/* The exhibits among `ids` without a decision `confirmed` in force, or that are not kept by this case; *out
 * is the caller's, n_out of them. */
MUST_CHECK enum err seal_unconfirmed(struct register_db *r, const char *case_id, const uint64_t *ids,
                                     unsigned n, uint64_t **out, unsigned *n_out);
/* Fills id, state, at_ms. ERR_USAGE: texts, no exhibit, too many, one twice; ERR_DENIED: an exhibit is not
 * confirmed or not of the case; ERR_MISSING: no such open case. */
MUST_CHECK enum err seal_request(struct register_db *r, struct seal *s);
MUST_CHECK enum err seal_get(struct register_db *r, uint64_t id, struct seal *out);
/* Newest first. case_id NULL: of all cases. */
MUST_CHECK enum err seal_list(struct register_db *r, const char *case_id, struct seal **out, unsigned *n);

/* The second person approves (state "building") or refuses. ERR_MISSING; ERR_DENIED: the author himself, or
 * (approve) something is not confirmed any more; ERR_BUSY: decided already, *out tells by whom. On OK *out is
 * the seal. */
MUST_CHECK enum err seal_decide(struct register_db *r, uint64_t id, bool approve, const char *by,
                                const char *reason, struct seal *out);
/* building -> ready, or failed with `error` (for a person). ERR_BUSY: it was not being built. */
MUST_CHECK enum err seal_ready(struct register_db *r, uint64_t id, uint64_t bytes, const char *sha256,
                               int64_t journal_seq);
MUST_CHECK enum err seal_failed(struct register_db *r, uint64_t id, const char *error);

#endif
