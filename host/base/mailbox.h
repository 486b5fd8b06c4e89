/* SPDX-License-Identifier: Apache-2.0 */
/* mailbox.h - hand messages from any thread to the loop thread.
 * Threads: mailbox_post() from any thread; everything else, and every callback, on the loop thread only.
 * Ownership: a posted mail belongs to the mailbox until its callback gets it, which then owns it. */
#ifndef HOST_BASE_MAILBOX_H
#define HOST_BASE_MAILBOX_H

#include "host/base/err.h"

struct event_base;
struct mailbox; /* opaque */

/* Embed as the first member of your message. */
struct mail {
    struct mail *next;
};

typedef void mail_fn(struct mail *m, void *arg);

/* On OK *out is owned by the caller; else *out = NULL and nothing is left behind. */
MUST_CHECK enum err mailbox_new(struct event_base *base, mail_fn *fn, void *arg, struct mailbox **out);

/* Never blocks, never fails. Mails of one thread arrive in the order posted, each once. */
void mailbox_post(struct mailbox *mb, struct mail *m);

/* Forget mails not delivered yet, without freeing them: for a poster that embeds its mail in what it owns. */
void mailbox_discard(struct mailbox *mb);

/* Call after every poster has been joined and the last mail delivered; NULL is fine. */
void mailbox_free(struct mailbox *mb);

#endif
