/* SPDX-License-Identifier: Apache-2.0 */
/* rig.h - one detector and the card workers that run it; internal to host/import. An importer has one for
 * pictures about as wide as high, and opens a second one for wide pictures when the first of them comes: at
 * 16:9 a square input wastes half its pixels on black and misses what is far (models/nanodet-g/README.md has
 * the figures). Threads: the importer's loop. */
#ifndef HOST_IMPORT_RIG_H
#define HOST_IMPORT_RIG_H

#include "host/import/import.h"
#include "host/pipe/detect.h"

struct rig;

struct rig_spec {
    const struct importer_config *cfg;          /* borrowed for the rig's life; cards.model_dir is not used */
    const char *model_dir;                      /* copied */
    void (*on_ready)(struct rig *r, void *arg); /* a worker is up: jobs may be submitted */
    void (*on_dead)(struct rig *r, void *arg);  /* no worker can work; rig_dead_text() says why */
    void *arg;
};

MUST_CHECK enum err rig_new(struct event_base *base, const struct rig_spec *spec, struct rig **out);
struct cards *rig_cards(const struct rig *r);
const struct detector *rig_detector(const struct rig *r);
bool rig_is_ready(const struct rig *r);
const char *rig_dead_text(const struct rig *r); /* "" = it can work */
void rig_free(struct rig **r);

#endif
