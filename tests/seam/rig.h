/* SPDX-License-Identifier: Apache-2.0 */
/* rig.h - what the seam tests share: a simulated card of its own per test (a directory with card.toml and
 * links to what was built), an event loop with deadlines, surfaces with a pattern, and the expected answers
 * computed by the kernels' reference and, for the network, by the runner plug-in called here without any
 * card. */
#ifndef TESTS_SEAM_RIG_H
#define TESTS_SEAM_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "host/pipe/cards.h"
#include "host/proc/slots.h"
#include "host/proc/wire.h"

struct event_base;

#define RIG_W     192u
#define RIG_H     108u
#define RIG_SLOTS 8u

struct rig {
    char sim[128];   /* XILINX_XRT */
    char model[160]; /* directory of the tiny model */
    char exe[512], runner[512], xclbin[512];
    struct event_base *base;
    struct cards *cards;
    struct slots *slots; /* surfaces, each with its own pattern */
    uint32_t arena;
    struct wire_surface surface;
    unsigned n_ready, n_dead;
    enum err dead;
    char dead_text[256];
};

/* Makes the directory with this card.toml ("" = defaults), starts nothing. */
void rig_init(struct rig *r, const char *card_toml);
void rig_start(struct rig *r, unsigned n_cards, unsigned job_timeout_ms);
void rig_fini(struct rig *r);
void rig_turn(struct rig *r); /* runs the loop for 20 ms */
/* Runs the loop until *count >= least, or fails the test after limit_ms. */
void rig_until(struct rig *r, const unsigned *count, unsigned least, unsigned limit_ms);

/* The bytes a detection of this slot must give; *n is set. Caller frees. */
uint8_t *rig_expect_detect(const struct rig *r, unsigned slot, uint32_t *n);
uint8_t *rig_expect_crops(const struct rig *r, unsigned slot, const struct wire_roi *rois, unsigned n_rois,
                          unsigned w, unsigned h, uint32_t *n);
/* What the network gives for each region; for a rig whose model takes crops. */
uint8_t *rig_expect_regions(const struct rig *r, unsigned slot, const struct wire_roi *rois, unsigned n_rois,
                            uint32_t *n);

/* What became of one job. */
struct outcome {
    struct rig *rig;
    unsigned slot;
    unsigned n_calls;
    enum err status;
    bool equal; /* to the expected bytes */
    unsigned *n_done;
};
void rig_detect(struct rig *r, struct outcome *o, unsigned slot, unsigned *n_done);

#endif
