/* SPDX-License-Identifier: Apache-2.0 */
/* daily.h - what a running server does for the evidence once a day: the journal's head is signed. Threads:
 * that of the event_base; one signature takes a few milliseconds. */
#ifndef HOST_EVIDENCE_DAILY_H
#define HOST_EVIDENCE_DAILY_H

#include "host/base/err.h"
#include "host/case/register.h"

struct event_base;
struct daily;

/* Signs at once when today's head is missing, then looks every ten minutes. `r` is borrowed. Errors of
 * signer_open(). */
MUST_CHECK enum err daily_new(struct event_base *base, const char *dir, struct register_db *r, const char *tz,
                              struct daily **out);
void daily_free(struct daily **d);

#endif
