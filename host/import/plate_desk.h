/* SPDX-License-Identifier: Apache-2.0 */
/* plate_desk.h - the plate module at work: card workers of its own for plate-find and plate-read, and a
 * frame's way through both. It exists only while a recording is imported whose case and site allow plates:
 * without it no plate network is loaded anywhere and no plate code runs. Internal to host/import. Threads:
 * the importer's loop. */
#ifndef HOST_IMPORT_PLATE_DESK_H
#define HOST_IMPORT_PLATE_DESK_H

#include <stdbool.h>
#include <stdint.h>

#include "host/import/import.h"
#include "host/pipe/plate_net.h"

struct plate_desk;

struct plate_desk_spec {
    const struct importer_config *cfg; /* borrowed; cards.model_dir is not used */
    void (*on_ready)(void *arg);       /* both networks can be asked */
    void (*on_dead)(void *arg);        /* one of them never will be; plate_desk_dead_text() says why */
    void *arg;
};
MUST_CHECK enum err plate_desk_new(struct event_base *base, const struct plate_desk_spec *spec,
                                   struct plate_desk **out);
void plate_desk_free(struct plate_desk **d);
bool plate_desk_is_ready(const struct plate_desk *d);
const char *plate_desk_dead_text(const struct plate_desk *d); /* "" = it can work */
/* The workers of plate-find (0) and plate-read (1). */
const struct cards *plate_desk_cards(const struct plate_desk *d, unsigned i);
/* Mean share of the characters below which a plate is not stored. */
float plate_desk_least_share(const struct plate_desk *d);

/* A recording's surfaces, known to both networks' workers. */
struct plate_arena {
    uint32_t find, read;
};
MUST_CHECK enum err plate_desk_arena_add(struct plate_desk *d, struct slots *s, struct plate_arena *out);
void plate_desk_arena_drop(struct plate_desk *d, const struct plate_arena *a);

/* What a vehicle showed; guess.n_chars 0 = nothing that can be read. */
struct plate_seen {
    struct plate_guess guess;
    float weight; /* of this reading among those of its track */
};
/* `seen` has one entry for each vehicle, in the order asked; borrowed until return. */
typedef void plate_desk_fn(const struct plate_seen *seen, unsigned n, void *arg);

/* Finds and reads the plates of n <= WIRE_ROIS_MAX vehicles in one frame. `done` is called once, later, also
 * when a card failed (those vehicles then showed nothing); the slot stays referred to by the caller until
 * then. ERR_AGAIN = no room now. */
MUST_CHECK enum err plate_desk_look(struct plate_desk *d, const struct plate_arena *a, unsigned slot,
                                    const struct wire_surface *surface, const struct wire_roi *vehicles,
                                    unsigned n, plate_desk_fn *done, void *arg);

#endif
