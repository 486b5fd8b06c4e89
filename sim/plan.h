/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - how long a described card would take for many frames, on a virtual clock: nothing waits, nothing
 * runs. Lanes of the card worker each do one job after the other; the ways to and from the card, the compute
 * units of the kernels and the engines of the DPU are what they queue for, first come first served. The
 * host's own time is not in it. Pure. */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/latency.h"
#include "sim/sim_config.h"

#define SIM_PLAN_LANES_MAX 64u

enum sim_plan_part { SIM_PLAN_TO_CARD, SIM_PLAN_KERNELS, SIM_PLAN_FROM_CARD, SIM_PLAN_DPU, SIM_PLAN_PARTS };

/* What a frame asks of the card. */
struct sim_plan_frame {
    uint64_t surface_bytes;         /* goes to the card, the letterbox kernel reads it */
    uint64_t tensor_bytes;          /* the network's input */
    uint64_t output_bytes;          /* of the network */
    const struct sim_layer *layers; /* of the network */
    size_t n_layers;
};

struct sim_plan {
    double us;                       /* from the first frame's start to the last one's end */
    double frames_per_s;             /* of one card */
    double busy[SIM_PLAN_PARTS];     /* share of the time, 0 .. 1, of all units of that part */
    double frame_us[SIM_PLAN_PARTS]; /* what one frame takes of each without any queue */
};

/* n_frames >= 1, rounded up to whole batches; n_lanes 1 .. SIM_PLAN_LANES_MAX. */
void sim_plan_run(const struct sim_config *c, const struct sim_plan_frame *f, unsigned n_lanes,
                  unsigned n_frames, struct sim_plan *out);

#endif
