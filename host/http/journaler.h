/* SPDX-License-Identifier: Apache-2.0 */
/* journaler.h - writes the journal on a thread of its own, many lines by one commit: a commit waits for the
 * disk (about 6 ms here), and on the loop every thumbnail would wait with it. Threads: the loop's for every
 * call and callback; its own for the database, through a register handle of its own. Ownership: a line is the
 * caller's memory, untouched by it between journaler_add() and `done`. */
#ifndef HOST_HTTP_JOURNALER_H
#define HOST_HTTP_JOURNALER_H

#include "host/base/err.h"
#include "host/base/mailbox.h"
#include "host/case/register.h"

struct event_base;
struct journaler;

struct journal_line {
    struct mail mail; /* first: it travels back by mailbox */
    struct journal_line *next;
    char user[64], role[16], action[24], case_id[40], object[64];
    char *detail; /* JSON text without control characters */
    enum err result;
    void (*done)(struct journal_line *line, void *arg); /* on the loop; the line is the caller's again */
    void *arg;
};

/* Opens the register of `dir`: its errors. */
MUST_CHECK enum err journaler_new(struct event_base *base, const char *dir, struct journaler **out);
/* Never blocks. `done` comes exactly once, unless the journaler is freed before. */
void journaler_add(struct journaler *j, struct journal_line *line);
/* Writes what is queued, then ends; no callback after that. */
void journaler_free(struct journaler **j);

#endif
