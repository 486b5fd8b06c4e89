/* SPDX-License-Identifier: Apache-2.0 */
/* retention.h - what has reached its term goes: by age (the site's days, a camera's own where they are
 * fewer), and with the end of its case; never what a legal hold keeps. Rows, bitmaps, plates, vectors,
 * thumbnails, cached clips and stills, the folders of seals; a line of the journal and a signed receipt for
 * each. The originals, which were registered by reference, are not touched. Threads: the writer's. */
#ifndef HOST_IMPORT_RETENTION_H
#define HOST_IMPORT_RETENTION_H

#include <stdbool.h>

#include "host/base/err.h"
#include "host/case/register.h"
#include "host/evidence/signer.h"
#include "host/index/index.h"

struct retention {
    const char *dir;      /* data directory */
    int site_days;        /* from capture to erasure */
    bool clock_confirmed; /* a person says that the machine's clock is right (host/case/hold.h) */
    const char *user;     /* for the journal: who purges */
    /* Before the footage of a case that ended goes: its closing record. A failure is its own to log and
     * delays nothing. NULL = none. */
    void (*ending)(const char *case_id, void *arg);
    void *arg;
};
/* Sums up what went. ERR_DENIED: the clock leapt (logged, nothing was erased). ERR_BUSY: the rows are gone,
 * but a reader holds an old state, so their bytes may still stand in index.db's log until the next purge.
 * Others: logged; what was erased until then has its receipt. */
MUST_CHECK enum err retention_run(struct index_writer *w, struct register_db *r, struct signer *s,
                                  const struct retention *t, struct purge_receipt *out);

#endif
