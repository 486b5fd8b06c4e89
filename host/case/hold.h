/* SPDX-License-Identifier: Apache-2.0 */
/* hold.h - what may not be erased yet (a legal hold, per case, always with an end), the moment that retention
 * goes by, and receipts of what was erased. Threads: as the register handle. */
#ifndef HOST_CASE_HOLD_H
#define HOST_CASE_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/case/register.h"

#define HOLD_DAY_MS 86400000LL
/* CPP 230-22: three years after the case was opened everything of it goes, hold or not. */
#define HOLD_CASE_MAX_DAYS 1096
/* A clock that is this far ahead of the last purge is taken for wrong until a person says it is right. */
#define HOLD_LEAP_MS (7 * HOLD_DAY_MS)

struct hold {
    int64_t id;
    char case_id[40];
    int64_t from_ms, until_ms; /* end exclusive */
    char reason[256], user[80];
    int64_t released_ms; /* 0 = not */
};

/* ERR_MISSING: no such case; ERR_USAGE: an empty or unprintable reason, an end that is past or later than
 * three years after the case's opening. */
MUST_CHECK enum err hold_set(struct register_db *r, const char *case_id, int64_t until_ms, const char *reason,
                             const char *user);
/* Ends every hold of the case now. ERR_MISSING: there was none. */
MUST_CHECK enum err hold_release(struct register_db *r, const char *case_id, const char *user);
/* All ever set, newest first; array owned by the caller. */
MUST_CHECK enum err hold_list(struct register_db *r, struct hold **out, unsigned *n);

/* A case whose footage and passages must stay: on hold and not past three years. */
struct held_case {
    char case_id[40];
    int64_t until_ms;
    int64_t from_ms, to_ms; /* its period ... */
    uint16_t *cameras;      /* ... and cameras; owned */
    unsigned n_cameras;
};
MUST_CHECK enum err register_held_cases(struct register_db *r, int64_t now_ms, struct held_case **out,
                                        unsigned *n);
void held_cases_free(struct held_case *held, unsigned n);
/* Whether a recording must stay: brought in for a held case, or one of its cameras within its period. */
bool held_cases_have(const struct held_case *held, unsigned n, const char *case_id, uint16_t camera_number,
                     int64_t from_ms, int64_t to_ms);
/* Cases whose footage must go as a whole: closed or expired and not held, or past three years even if held.
 * Only those not listed before (see receipt_add(), kinds "case_end" and "hard_stop"); array of ids owned by
 * the caller. */
struct ended_case {
    char case_id[40];
    bool hard_stop;
};
MUST_CHECK enum err register_ended_cases(struct register_db *r, int64_t now_ms, struct ended_case **out,
                                         unsigned *n);

/* The moment that retention goes by: the wall clock, but never before an earlier purge's moment, so that a
 * clock set back keeps nothing longer. ERR_DENIED: the clock is more than HOLD_LEAP_MS ahead of the last
 * purge and nobody confirmed it (`confirmed`): a clock that jumped must not erase what is still needed. All
 * in UTC, so summer time plays no part. */
MUST_CHECK enum err retention_now(struct register_db *r, bool confirmed, int64_t *now_ms);

/* A receipt: kind "age", "case_end", "hard_stop", "journal", "hand_over". `counts` is JSON. The text that is
 * kept and signed names kind, case, moment, counts and the journal's head. *id: its number. */
struct journal_signer; /* host/case/journal.h */
MUST_CHECK enum err receipt_add(struct register_db *r, const struct journal_signer *s, const char *kind,
                                const char *case_id, const char *counts, int64_t *id);
struct receipt {
    int64_t id, at_ms;
    char kind[16], case_id[40], key_id[65];
    char *text; /* owned */
    uint8_t signature[512];
    size_t n_signature;
};
MUST_CHECK enum err receipt_list(struct register_db *r, struct receipt **out, unsigned *n);
void receipts_free(struct receipt *list, unsigned n);

#endif
