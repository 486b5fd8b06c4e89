/* SPDX-License-Identifier: Apache-2.0 */
#include "host/import/retention.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/case/hold.h"
#include "host/case/journal.h"
#include "host/evidence/folder.h"
#include "host/media/extract.h"

struct run {
    struct index_writer *w;
    struct register_db *r;
    struct signer *signer;
    const struct retention *t;
    int64_t now_ms;
    struct held_case *held;
    unsigned n_held;
    struct case_file *cases;
    unsigned n_cases;
    struct camera *cameras;
    unsigned n_cameras;
    const char *ending;  /* the case whose footage goes now */
    bool still_imported; /* a recording of it is being analysed */
    bool busy;
};

static int64_t end_ms(const struct recording *r) {
    return r->start_ms + r->duration_us / 1000 + 1;
}

static bool is_held(const struct recording *r, void *arg) {
    const struct run *x = arg;
    return held_cases_have(x->held, x->n_held, r->case_id, r->camera_number, r->start_ms, end_ms(r));
}

/* Footage of a case that ended stays while another open case covers it, or while it is being analysed. */
static bool is_needed(const struct recording *r, void *arg) {
    struct run *x = arg;
    if (strcmp(r->case_id, x->ending) == 0 &&
        (r->state == RECORDING_WAITING || r->state == RECORDING_RUNNING)) {
        x->still_imported = true;
        return true;
    }
    if (is_held(r, x)) return true;
    for (unsigned i = 0; i < x->n_cases; i++) {
        const struct case_file *c = &x->cases[i];
        if (strcmp(c->id, x->ending) == 0 || strcmp(c->state, "open") != 0) continue;
        if (c->expires_ms && c->expires_ms <= x->now_ms) continue;
        if (r->start_ms >= c->to_ms || end_ms(r) <= c->from_ms) continue;
        for (unsigned k = 0; k < c->n_cameras; k++)
            if (c->cameras[k] == r->camera_number) return true;
    }
    return false;
}

static void add(struct purge_receipt *sum, const struct purge_receipt *r) {
    sum->n_sightings += r->n_sightings;
    sum->n_thumbnails += r->n_thumbnails;
    sum->n_plates += r->n_plates;
    sum->n_recordings += r->n_recordings;
    sum->n_bytes += r->n_bytes;
}

/* The journal's line and the receipt, both or neither. */
static enum err tell(struct run *x, const char *kind, const char *case_id, const struct purge_receipt *p) {
    char counts[256];
    uint64_t seq;
    int64_t id;
    snprintf(counts, sizeof counts,
             "{\"sightings\":%" PRIu64 ",\"thumbnails\":%" PRIu64 ",\"plates\":%" PRIu64
             ",\"recordings\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
             p->n_sightings, p->n_thumbnails, p->n_plates, p->n_recordings, p->n_bytes);
    const struct journal_entry line = {.user = x->t->user,
                                       .role = "system",
                                       .action = "purge",
                                       .case_id = case_id,
                                       .object = kind,
                                       .detail = counts};
    const struct journal_signer js = signer_for_journal(x->signer);
    enum err e = register_begin(x->r);
    if (e) return e;
    e = journal_add(x->r, &line, &seq);
    if (!e) e = receipt_add(x->r, &js, kind, case_id, counts, &id);
    return register_end(x->r, e);
}

/* ERR_BUSY only says that bytes may still stand in the log. */
static enum err settled(struct run *x, enum err e) {
    if (e == ERR_BUSY) x->busy = true;
    return e == ERR_BUSY ? OK : e;
}

static enum err by_age(struct run *x, struct purge_receipt *sum) {
    const struct purge_keep keep = {is_held, x};
    struct purge_receipt one, all = {0};
    int64_t before_ms = x->now_ms - x->t->site_days * HOLD_DAY_MS;
    enum err e = settled(x, index_purge_before(x->w, -1, before_ms > 0 ? before_ms : 0, &keep, &one));
    if (!e) add(&all, &one);
    for (unsigned i = 0; !e && i < x->n_cameras; i++) {
        const int days = x->cameras[i].retention_days;
        if (days == 0 || days >= x->t->site_days) continue;
        e = settled(
            x, index_purge_before(x->w, x->cameras[i].number, x->now_ms - days * HOLD_DAY_MS, &keep, &one));
        if (!e) add(&all, &one);
    }
    add(sum, &all);
    if (all.n_sightings + all.n_recordings + all.n_thumbnails + all.n_plates == 0) return e;
    enum err told = tell(x, "age", "", &all);
    return e ? e : told;
}

static enum err by_case(struct run *x, struct purge_receipt *sum) {
    const struct purge_keep keep = {is_needed, x};
    struct ended_case *ended = NULL;
    unsigned n = 0;
    enum err e = register_ended_cases(x->r, x->now_ms, &ended, &n);
    for (unsigned i = 0; !e && i < n; i++) {
        struct purge_receipt one;
        x->ending = ended[i].case_id;
        x->still_imported = false;
        if (x->t->ending) x->t->ending(ended[i].case_id, x->t->arg);
        e = settled(x, index_purge_case(x->w, ended[i].case_id, &keep, &one));
        uint64_t n_files = 0;
        if (!e) e = folder_erase_case(x->t->dir, x->r, ended[i].case_id, &n_files);
        if (e) break;
        add(sum, &one);
        /* Until it has the receipt of its end, the case comes up again at each run. */
        if (!x->still_imported || one.n_sightings + one.n_recordings)
            e = tell(x,
                     x->still_imported    ? "case_part"
                     : ended[i].hard_stop ? "hard_stop"
                                          : "case_end",
                     ended[i].case_id, &one);
    }
    free(ended);
    return e;
}

/* Copies of moments that go; those of other moments are made again when asked for. */
static enum err empty_cache(const struct retention *t) {
    char cache[FS_PATH_MAX];
    uint64_t n_files;
    enum err e = fs_join(cache, t->dir, "cache");
    return e ? e : extract_erase_all(cache, &n_files);
}

enum err retention_run(struct index_writer *w, struct register_db *r, struct signer *s,
                       const struct retention *t, struct purge_receipt *out) {
    struct run x = {.w = w, .r = r, .signer = s, .t = t};
    memset(out, 0, sizeof *out);
    enum err e = retention_now(r, t->clock_confirmed, &x.now_ms);
    if (!e) e = register_held_cases(r, x.now_ms, &x.held, &x.n_held);
    if (!e) e = case_list(r, &x.cases, &x.n_cases);
    if (!e) e = camera_list(r, &x.cameras, &x.n_cameras);
    if (!e) e = by_age(&x, out);
    if (!e) e = by_case(&x, out);
    if (!e) e = empty_cache(t);
    held_cases_free(x.held, x.n_held);
    for (unsigned i = 0; i < x.n_cases; i++) case_fini(&x.cases[i]);
    free(x.cases);
    free(x.cameras);
    if (e)
        log_error("retention", "op=purge err=%s", err_text(e));
    else if (out->n_sightings + out->n_recordings)
        log_info("retention", "erased sightings=%" PRIu64 " recordings=%" PRIu64, out->n_sightings,
                 out->n_recordings);
    return !e && x.busy ? ERR_BUSY : e;
}
