/* SPDX-License-Identifier: Apache-2.0 */
#include "host/evidence/daily.h"

#include <stdlib.h>

#include <event2/event.h>

#include "host/base/log.h"
#include "host/base/zone.h"
#include "host/evidence/signer.h"

enum { LOOK_S = 600 };

struct daily {
    struct register_db *reg;
    struct signer *signer;
    struct zone *zone;
    struct event *timer;
};

static enum err sign_head(struct daily *d) {
    const struct journal_signer s = signer_for_journal(d->signer);
    bool made;
    const enum err e = journal_anchor_make(d->reg, &s, d->zone, true, &made);
    if (e) log_error("journal", "op=sign err=%s: today's head is not signed yet", err_text(e));
    if (!e && made) log_info("journal", "today's head is signed");
    return e;
}

static void on_timer(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    /* A failure is logged, and the next look tries again. */
    (void)sign_head(arg);
}

enum err daily_new(struct event_base *base, const char *dir, struct register_db *r, const char *tz,
                   struct daily **out) {
    *out = NULL;
    struct daily *d = calloc(1, sizeof *d);
    if (!d) return ERR_NOMEM;
    d->reg = r;
    enum err e = signer_open(dir, &d->signer);
    if (!e) e = zone_open(tz, &d->zone);
    if (!e) e = sign_head(d);
    d->timer = event_new(base, -1, EV_PERSIST, on_timer, d);
    const struct timeval every = {.tv_sec = LOOK_S};
    if (!e && (!d->timer || event_add(d->timer, &every) != 0)) e = ERR_NOMEM;
    if (e) {
        daily_free(&d);
        return e;
    }
    *out = d;
    return OK;
}

void daily_free(struct daily **pd) {
    if (!pd || !*pd) return;
    struct daily *d = *pd;
    if (d->timer) event_free(d->timer);
    signer_close(&d->signer);
    zone_free(&d->zone);
    free(d);
    *pd = NULL;
}
