/* SPDX-License-Identifier: Apache-2.0 */
/* service.h - the server's import thread: an importer, the control socket and the hourly purge on a loop of
 * their own, so that none of them delays a search. Threads: start and stop from the thread that owns it; the
 * other calls from any thread. */
#ifndef HOST_IMPORT_SERVICE_H
#define HOST_IMPORT_SERVICE_H

#include "host/base/err.h"
#include "host/import/import.h"

struct service;

#define SERVICE_PIDS_MAX 32u

struct service_status {
    bool ready; /* a card worker is up; `card` says which */
    struct wire_card_ready card;
    char dead_text[256]; /* why no card works; "" = none failed */
    struct cards_stats cards;
    int card_pids[SERVICE_PIDS_MAX]; /* -1 = not running; the square detector's workers, then the wide one's
                                      */
    unsigned n_cards;
};

/* What the server erases on its own: at its start and every hour. */
struct service_retention {
    bool automatic;
    int site_days;
    void (*ending)(const char *case_id, void *arg); /* see struct retention; on the import thread */
    void *arg;
};
/* `cfg` is copied, what it points to is borrowed. Takes up what an earlier process left running. ERR_BUSY:
 * another process writes to this data directory; the others as importer_new(). */
MUST_CHECK enum err service_start(const struct importer_config *cfg,
                                  const struct service_retention *retention, struct service **out);
unsigned service_items(struct service *s, struct import_item *out, unsigned max);
/* One batch; jobs[n] are its numbers. Waits for the import thread. The first failure ends it; what was added
 * stays. */
MUST_CHECK enum err service_add(struct service *s, const struct import_request *rq, unsigned n,
                                uint64_t *batch, uint64_t *jobs);
MUST_CHECK enum err service_order(struct service *s, const struct import_order *o, unsigned *n);
void service_status(struct service *s, struct service_status *out);
/* Ends the thread; running imports go on at the next start. */
void service_stop(struct service **s);

#endif
