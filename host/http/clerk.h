/* SPDX-License-Identifier: Apache-2.0 */
/* clerk.h - a thread that works on the register: what waits for the disk or hashes passwords must not hold
 * the loop. Jobs are done one by one, in order. Threads: the loop's for every call and `done`; the clerk's
 * own for `work`, with a register handle of its own. Ownership: a job is the caller's memory, untouched by it
 * between clerk_add() and `done`. */
#ifndef HOST_HTTP_CLERK_H
#define HOST_HTTP_CLERK_H

#include "host/base/err.h"
#include "host/base/mailbox.h"
#include "host/case/register.h"

struct clerk;
struct event_base;

struct clerk_job {
    struct mail mail; /* first: it travels back by mailbox */
    struct clerk_job *next;
    void (*work)(struct register_db *r, struct clerk_job *job); /* on the clerk's thread */
    void (*done)(struct clerk_job *job); /* on the loop; the job is the caller's again */
};

/* Opens the register of `dir`: its errors. At most `n_waiting` jobs wait. */
MUST_CHECK enum err clerk_new(struct event_base *base, const char *dir, unsigned n_waiting,
                              struct clerk **out);
/* Never blocks. ERR_BUSY: too many wait. `done` comes exactly once, unless the clerk is freed before. */
MUST_CHECK enum err clerk_add(struct clerk *c, struct clerk_job *job);
/* Does what waits, then ends; no callback after that. */
void clerk_free(struct clerk **c);

#endif
