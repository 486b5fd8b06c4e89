/* SPDX-License-Identifier: Apache-2.0 */
#include "host/import/rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "host/base/fs.h"

struct rig {
    struct rig_spec spec;
    char model_dir[FS_PATH_MAX];
    struct detector *detector;
    struct cards *cards;
    bool ready;
    char dead_text[256];
};

static void on_cards_ready(const struct wire_card_ready *ready, void *arg) {
    struct rig *r = arg;
    const bool simulated = r->spec.cfg->simulated;
    const enum err e = detector_match(r->detector, ready);
    r->dead_text[0] = 0;
    if ((ready->simulated != 0) != simulated)
        snprintf(r->dead_text, sizeof r->dead_text, "card.backend asks for %s, but %.180s is %s",
                 simulated ? "the simulator" : "a card", ready->core_library,
                 ready->simulated ? "the simulator" : "not the simulator");
    else if (e)
        snprintf(r->dead_text, sizeof r->dead_text,
                 "the card runs another model than %.100s/model.json describes; see the log", r->model_dir);
    r->ready = !*r->dead_text;
    if (r->ready)
        r->spec.on_ready(r, r->spec.arg);
    else
        r->spec.on_dead(r, r->spec.arg);
}

static void on_cards_dead(enum err e, const char *text, void *arg) {
    struct rig *r = arg;
    (void)e;
    snprintf(r->dead_text, sizeof r->dead_text, "no card can work: %.220s", text);
    r->ready = false;
    r->spec.on_dead(r, r->spec.arg);
}

enum err rig_new(struct event_base *base, const struct rig_spec *spec, struct rig **out) {
    *out = NULL;
    struct rig *r = calloc(1, sizeof *r);
    if (!r) return ERR_NOMEM;
    r->spec = *spec;
    snprintf(r->model_dir, sizeof r->model_dir, "%s", spec->model_dir);
    enum err e = detector_open(r->model_dir, spec->cfg->vocab, &r->detector);
    if (!e) {
        struct cards_config cc = spec->cfg->cards;
        cc.model_dir = r->model_dir;
        e = cards_new(base, &cc, on_cards_ready, on_cards_dead, r, &r->cards);
    }
    if (e) {
        rig_free(&r);
        return e;
    }
    *out = r;
    return OK;
}

struct cards *rig_cards(const struct rig *r) {
    return r->cards;
}

const struct detector *rig_detector(const struct rig *r) {
    return r->detector;
}

bool rig_is_ready(const struct rig *r) {
    return r->ready;
}

const char *rig_dead_text(const struct rig *r) {
    return r->dead_text;
}

void rig_free(struct rig **pr) {
    if (!pr || !*pr) return;
    struct rig *r = *pr;
    *pr = NULL;
    cards_free(&r->cards);
    detector_close(&r->detector);
    free(r);
}
