/* SPDX-License-Identifier: Apache-2.0 */
#include "host/import/look_desk.h"

#include <stdio.h>
#include <stdlib.h>

#include "host/base/fs.h"

struct seat {
    struct look_desk *desk;
    struct look_net net;
    char model_dir[FS_PATH_MAX];
    struct cards *cards;
    bool ready;
};

struct look_desk {
    struct look_desk_spec spec;
    unsigned n;
    struct seat seats[LOOK_NETS_MAX];
    char dead_text[256];
};

static bool all_ready(const struct look_desk *d) {
    for (unsigned i = 0; i < d->n; i++)
        if (!d->seats[i].ready) return false;
    return true;
}

static void on_cards_ready(const struct wire_card_ready *ready, void *arg) {
    struct seat *s = arg;
    struct look_desk *d = s->desk;
    if ((ready->simulated != 0) != d->spec.cfg->simulated)
        snprintf(d->dead_text, sizeof d->dead_text, "card.backend asks for %s, but %.180s is %s",
                 d->spec.cfg->simulated ? "the simulator" : "a card", ready->core_library,
                 ready->simulated ? "the simulator" : "not the simulator");
    else if (look_net_match(&s->net, ready))
        snprintf(d->dead_text, sizeof d->dead_text,
                 "the card runs another model than %.100s/model.json describes; see the log", s->model_dir);
    s->ready = !*d->dead_text;
    if (!s->ready)
        d->spec.on_dead(d->spec.arg);
    else if (all_ready(d))
        d->spec.on_ready(d->spec.arg);
}

static void on_cards_dead(enum err e, const char *text, void *arg) {
    struct seat *s = arg;
    (void)e;
    snprintf(s->desk->dead_text, sizeof s->desk->dead_text, "no card can work: %.160s (network %.60s)", text, s->net.name);
    s->ready = false;
    s->desk->spec.on_dead(s->desk->spec.arg);
}

static enum err open_seat(struct event_base *base, struct look_desk *d, const char *dir) {
    struct seat *s = &d->seats[d->n++];
    s->desk = d;
    snprintf(s->model_dir, sizeof s->model_dir, "%s", dir);
    const enum err e = look_net_open(dir, d->spec.cfg->vocab, &s->net);
    if (e) return e;
    struct cards_config cc = d->spec.cfg->cards;
    cc.model_dir = s->model_dir;
    return cards_new(base, &cc, on_cards_ready, on_cards_dead, s, &s->cards);
}

enum err look_desk_new(struct event_base *base, const struct look_desk_spec *spec, struct look_desk **out) {
    *out = NULL;
    struct look_desk *d = calloc(1, sizeof *d);
    if (!d) return ERR_NOMEM;
    d->spec = *spec;
    enum err e = OK;
    for (unsigned i = 0; !e && i < LOOK_NETS_MAX && spec->cfg->looks[i]; i++) e = open_seat(base, d, spec->cfg->looks[i]);
    if (e) {
        look_desk_free(&d);
        return e;
    }
    *out = d;
    return OK;
}

void look_desk_free(struct look_desk **pd) {
    if (!pd || !*pd) return;
    for (unsigned i = 0; i < (*pd)->n; i++) cards_free(&(*pd)->seats[i].cards);
    free(*pd);
    *pd = NULL;
}

const char *look_desk_dead_text(const struct look_desk *d) {
    return d->dead_text;
}

const struct look_net *look_desk_net(const struct look_desk *d, unsigned i) {
    return i < d->n ? &d->seats[i].net : NULL;
}

const struct cards *look_desk_cards(const struct look_desk *d, unsigned i) {
    return i < d->n ? d->seats[i].cards : NULL;
}

enum err look_desk_arena_add(struct look_desk *d, struct slots *s, struct look_arena *out) {
    for (unsigned i = 0; i < d->n; i++) {
        const enum err e = cards_arena_add(d->seats[i].cards, s, &out->of[i]);
        if (!e) continue;
        while (i-- > 0) cards_arena_drop(d->seats[i].cards, out->of[i]);
        return e;
    }
    return OK;
}

void look_desk_arena_drop(struct look_desk *d, const struct look_arena *a) {
    for (unsigned i = 0; i < d->n; i++) cards_arena_drop(d->seats[i].cards, a->of[i]);
}

enum err look_desk_ask(struct look_desk *d, unsigned i, const struct look_arena *a, unsigned slot,
                       const struct wire_surface *surface, const struct wire_roi *rois, unsigned n,
                       cards_done_fn *done, void *arg) {
    struct seat *s = &d->seats[i];
    if (!s->ready) return ERR_AGAIN;
    return cards_regions(s->cards, a->of[i], slot, surface, rois, n, done, arg);
}
