/* SPDX-License-Identifier: Apache-2.0 */
/* A look:  finding -> (waiting ->) reading -> answered
 *   plate_desk_look()   -> finding             one card job over all vehicles of the frame
 *   on_found()          finding -> reading     one card job over the plates that were found; answered if none
 * was read_or_wait()      finding -> waiting     no room at the reader's cards: taken up when one of their
 * jobs ends */
#include "host/import/plate_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/fs.h"
#include "host/base/log.h"

struct half {
    struct plate_desk *desk;
    struct plate_net net;
    char model_dir[FS_PATH_MAX];
    struct cards *cards;
    bool ready;
};

struct look {
    struct look *prev, *next; /* all of the desk, oldest first */
    struct plate_desk *desk;
    bool waiting; /* for room at the reader */
    struct plate_arena arena;
    unsigned slot;
    struct wire_surface surface;
    unsigned n;
    struct wire_roi vehicles[WIRE_ROIS_MAX];
    unsigned n_plates;
    struct wire_roi plates[WIRE_ROIS_MAX];
    unsigned vehicle_of[WIRE_ROIS_MAX]; /* each plate's */
    struct plate_seen seen[WIRE_ROIS_MAX];
    plate_desk_fn *done;
    void *arg;
};

struct plate_desk {
    struct plate_desk_spec spec;
    struct half half[2]; /* PLATE_FIND, PLATE_READ */
    struct look *first, *last;
    char dead_text[256];
};

/* ---- the two networks ---- */

static void on_cards_ready(const struct wire_card_ready *ready, void *arg) {
    struct half *h = arg;
    struct plate_desk *d = h->desk;
    if ((ready->simulated != 0) != d->spec.cfg->simulated)
        snprintf(d->dead_text, sizeof d->dead_text, "card.backend asks for %s, but %.180s is %s",
                 d->spec.cfg->simulated ? "the simulator" : "a card", ready->core_library,
                 ready->simulated ? "the simulator" : "not the simulator");
    else if (plate_net_match(&h->net, ready))
        snprintf(d->dead_text, sizeof d->dead_text,
                 "the card runs another model than %.100s/model.json describes; see the log", h->model_dir);
    h->ready = !*d->dead_text;
    if (!h->ready)
        d->spec.on_dead(d->spec.arg);
    else if (plate_desk_is_ready(d))
        d->spec.on_ready(d->spec.arg);
}

static void on_cards_dead(enum err e, const char *text, void *arg) {
    struct half *h = arg;
    struct plate_desk *d = h->desk;
    (void)e;
    snprintf(d->dead_text, sizeof d->dead_text, "no card can read plates: %.220s", text);
    h->ready = false;
    d->spec.on_dead(d->spec.arg);
}

static enum err open_half(struct event_base *base, struct plate_desk *d, enum plate_task task,
                          const char *dir) {
    struct half *h = &d->half[task];
    h->desk = d;
    snprintf(h->model_dir, sizeof h->model_dir, "%s", dir);
    const enum err e = plate_net_open(dir, task, &h->net);
    if (e) return e;
    struct cards_config cc = d->spec.cfg->cards;
    cc.model_dir = h->model_dir;
    return cards_new(base, &cc, on_cards_ready, on_cards_dead, h, &h->cards);
}

enum err plate_desk_new(struct event_base *base, const struct plate_desk_spec *spec,
                        struct plate_desk **out) {
    *out = NULL;
    struct plate_desk *d = calloc(1, sizeof *d);
    if (!d) return ERR_NOMEM;
    d->spec = *spec;
    enum err e = open_half(base, d, PLATE_FIND, spec->cfg->plate_find_dir);
    if (!e) e = open_half(base, d, PLATE_READ, spec->cfg->plate_read_dir);
    if (e) {
        plate_desk_free(&d);
        return e;
    }
    *out = d;
    return OK;
}

void plate_desk_free(struct plate_desk **pd) {
    if (!pd || !*pd) return;
    struct plate_desk *d = *pd;
    *pd = NULL;
    cards_free(&d->half[PLATE_FIND].cards);
    cards_free(&d->half[PLATE_READ].cards);
    while (d->first) {
        struct look *l = d->first;
        d->first = l->next;
        free(l);
    }
    free(d);
}

bool plate_desk_is_ready(const struct plate_desk *d) {
    return d->half[PLATE_FIND].ready && d->half[PLATE_READ].ready;
}

const char *plate_desk_dead_text(const struct plate_desk *d) {
    return d->dead_text;
}

const struct cards *plate_desk_cards(const struct plate_desk *d, unsigned i) {
    return i < 2 ? d->half[i].cards : NULL;
}

float plate_desk_least_share(const struct plate_desk *d) {
    return d->half[PLATE_READ].net.start;
}

enum err plate_desk_arena_add(struct plate_desk *d, struct slots *s, struct plate_arena *out) {
    enum err e = cards_arena_add(d->half[PLATE_FIND].cards, s, &out->find);
    if (e) return e;
    e = cards_arena_add(d->half[PLATE_READ].cards, s, &out->read);
    if (e) cards_arena_drop(d->half[PLATE_FIND].cards, out->find);
    return e;
}

void plate_desk_arena_drop(struct plate_desk *d, const struct plate_arena *a) {
    cards_arena_drop(d->half[PLATE_FIND].cards, a->find);
    cards_arena_drop(d->half[PLATE_READ].cards, a->read);
}

/* ---- one frame ---- */

static void unlink_look(struct look *l) {
    struct plate_desk *d = l->desk;
    *(l->prev ? &l->prev->next : &d->first) = l->next;
    *(l->next ? &l->next->prev : &d->last) = l->prev;
}

/* Takes it out of everything first, so that the callee may ask again. */
static void answer(struct look *l) {
    unlink_look(l);
    l->done(l->seen, l->n, l->arg);
    free(l);
}

static void on_read(const struct cards_result *r, void *arg);

static void read_or_wait(struct look *l) {
    struct plate_desk *d = l->desk;
    const enum err e = cards_regions(d->half[PLATE_READ].cards, l->arena.read, l->slot, &l->surface,
                                     l->plates, l->n_plates, on_read, l);
    l->waiting = e == ERR_AGAIN;
    if (!e || l->waiting) return;
    log_warn("plate", "op=read err=\"%s\"", err_text(e));
    answer(l);
}

static void on_read(const struct cards_result *r, void *arg) {
    struct look *l = arg;
    struct plate_desk *d = l->desk;
    const struct plate_net *net = &d->half[PLATE_READ].net;
    if (r->status) log_warn("plate", "op=read err=\"%s\"", err_text(r->status));
    for (unsigned i = 0; !r->status && i < l->n_plates; i++)
        plate_net_read(net, (const int8_t *)r->out + i * plate_net_bytes(net),
                       &l->seen[l->vehicle_of[i]].guess);
    answer(l);
    for (l = d->first; l && !l->waiting;) l = l->next;
    if (l) read_or_wait(l);
}

static void on_found(const struct cards_result *r, void *arg) {
    struct look *l = arg;
    const struct plate_net *net = &l->desk->half[PLATE_FIND].net;
    if (r->status) log_warn("plate", "op=find err=\"%s\"", err_text(r->status));
    for (unsigned i = 0; !r->status && i < l->n; i++) {
        struct plate_box box;
        const int8_t *cells = (const int8_t *)r->out + i * plate_net_bytes(net);
        if (!plate_net_find(net, cells, &l->vehicles[i], &box) ||
            !plate_net_region(&l->desk->half[PLATE_READ].net, &box, l->surface.w_px, l->surface.h_px,
                              &l->plates[l->n_plates]))
            continue;
        l->vehicle_of[l->n_plates++] = i;
        l->seen[i].weight = box.w_px * box.score;
    }
    if (l->n_plates > 0)
        read_or_wait(l);
    else
        answer(l);
}

enum err plate_desk_look(struct plate_desk *d, const struct plate_arena *a, unsigned slot,
                         const struct wire_surface *surface, const struct wire_roi *vehicles, unsigned n,
                         plate_desk_fn *done, void *arg) {
    if (n == 0 || n > WIRE_ROIS_MAX) return ERR_USAGE;
    if (!plate_desk_is_ready(d)) return ERR_AGAIN;
    struct look *l = calloc(1, sizeof *l);
    if (!l) return ERR_NOMEM;
    l->desk = d;
    l->arena = *a;
    l->slot = slot;
    l->surface = *surface;
    l->n = n;
    memcpy(l->vehicles, vehicles, n * sizeof *vehicles);
    l->done = done;
    l->arg = arg;
    const enum err e =
        cards_regions(d->half[PLATE_FIND].cards, a->find, slot, surface, vehicles, n, on_found, l);
    if (e) {
        free(l);
        return e;
    }
    l->prev = d->last;
    *(d->last ? &d->last->next : &d->first) = l;
    d->last = l;
    return OK;
}
