/* SPDX-License-Identifier: Apache-2.0 */
/* look_desk.h - the networks that say something of persons and vehicles from crops, at work: card workers of its own
 * for each. Opened with the importer when the configuration names any (`looks`). Internal to host/import. Threads: the
 * importer's loop. */
#ifndef HOST_IMPORT_LOOK_DESK_H
#define HOST_IMPORT_LOOK_DESK_H

#include <stdbool.h>
#include <stdint.h>

#include "host/import/import.h"
#include "host/pipe/look_net.h"

struct look_desk;

struct look_desk_spec {
    const struct importer_config *cfg; /* borrowed; looks[] names the networks, cards.model_dir is not used */
    void (*on_ready)(void *arg);       /* all can be asked */
    void (*on_dead)(void *arg);        /* one of them never will be; look_desk_dead_text() says why */
    void *arg;
};
/* ERR_IO, ERR_CORRUPT, ERR_DENIED: a model.json, logged. */
MUST_CHECK enum err look_desk_new(struct event_base *base, const struct look_desk_spec *spec, struct look_desk **out);
void look_desk_free(struct look_desk **d);
const char *look_desk_dead_text(const struct look_desk *d); /* "" = it can work */
/* NULL behind the last. */
const struct look_net *look_desk_net(const struct look_desk *d, unsigned i);
const struct cards *look_desk_cards(const struct look_desk *d, unsigned i);

/* A recording's surfaces, known to the workers of each network. */
struct look_arena {
    uint32_t of[LOOK_NETS_MAX];
};
MUST_CHECK enum err look_desk_arena_add(struct look_desk *d, struct slots *s, struct look_arena *out);
void look_desk_arena_drop(struct look_desk *d, const struct look_arena *a);

/* Asks network i about regions of a frame; `done` as of cards_regions(). ERR_AGAIN = no room now, or not ready yet. */
MUST_CHECK enum err look_desk_ask(struct look_desk *d, unsigned i, const struct look_arena *a, unsigned slot,
                                  const struct wire_surface *surface, const struct wire_roi *rois, unsigned n,
                                  cards_done_fn *done, void *arg);

#endif
