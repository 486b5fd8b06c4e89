/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/plan.h"

#include <string.h>

enum { UNITS_MAX = 64, STAGES = 6 };

struct stage {
    enum sim_plan_part part;
    double us;
};

struct lane {
    unsigned stage, frames_left; /* frames of the batch whose first three stages are still to do */
    double ready_us;
    bool at_work;
};

struct part {
    unsigned n_units;
    double free_us[UNITS_MAX], busy_us;
};

/* When a stage that could begin at `ready` ends; its unit is taken until then. */
static double take(struct part *p, double ready_us, double us) {
    unsigned best = 0;
    for (unsigned i = 1; i < p->n_units; i++)
        if (p->free_us[i] < p->free_us[best]) best = i;
    const double begin = ready_us > p->free_us[best] ? ready_us : p->free_us[best];
    p->busy_us += us;
    return p->free_us[best] = begin + us;
}

static struct lane *earliest(struct lane *lanes, unsigned n) {
    struct lane *best = NULL;
    for (unsigned i = 0; i < n; i++)
        if (lanes[i].at_work && (!best || lanes[i].ready_us < best->ready_us)) best = &lanes[i];
    return best;
}

void sim_plan_run(const struct sim_config *c, const struct sim_plan_frame *f, unsigned n_lanes,
                  unsigned n_frames, struct sim_plan *out) {
    const unsigned batch = c->dpu_batch, n_jobs = (n_frames + batch - 1) / batch;
    /* The first three are done for each frame of a batch, the others for all of it at once. */
    const struct stage stages[STAGES] = {
        {SIM_PLAN_TO_CARD, sim_latency_transfer_us(c, true, f->surface_bytes)},
        {SIM_PLAN_KERNELS, sim_latency_kernel_us(c, f->surface_bytes)},
        {SIM_PLAN_FROM_CARD, sim_latency_transfer_us(c, false, f->tensor_bytes)},
        {SIM_PLAN_TO_CARD, sim_latency_transfer_us(c, true, batch * f->tensor_bytes)},
        {SIM_PLAN_DPU, sim_latency_layers_us(c, f->layers, f->n_layers, batch)},
        {SIM_PLAN_FROM_CARD, sim_latency_transfer_us(c, false, batch * f->output_bytes)},
    };
    struct part parts[SIM_PLAN_PARTS];
    struct lane lanes[SIM_PLAN_LANES_MAX];
    memset(parts, 0, sizeof parts);
    memset(lanes, 0, sizeof lanes);
    parts[SIM_PLAN_TO_CARD].n_units = parts[SIM_PLAN_FROM_CARD].n_units = 1; /* PCIe: both ways at once */
    parts[SIM_PLAN_KERNELS].n_units = c->kernel_units;
    parts[SIM_PLAN_DPU].n_units = c->dpu_engines;
    if (n_lanes > SIM_PLAN_LANES_MAX) n_lanes = SIM_PLAN_LANES_MAX;
    unsigned n_begun = 0;
    double end_us = 0;
    for (unsigned i = 0; i < n_lanes && n_begun < n_jobs; i++, n_begun++)
        lanes[i] = (struct lane){.frames_left = batch, .at_work = true};
    for (struct lane *l; (l = earliest(lanes, n_lanes)) != NULL;) {
        const struct stage *s = &stages[l->stage++];
        l->ready_us = take(&parts[s->part], l->ready_us, s->us);
        if (l->stage == 3 && --l->frames_left > 0) l->stage = 0;
        if (l->stage < STAGES) continue;
        if (l->ready_us > end_us) end_us = l->ready_us;
        l->at_work = n_begun < n_jobs;
        l->stage = 0;
        l->frames_left = batch;
        if (l->at_work) n_begun++;
    }
    *out = (struct sim_plan){.us = end_us, .frames_per_s = 1e6 * n_jobs * batch / end_us};
    for (unsigned p = 0; p < SIM_PLAN_PARTS; p++)
        out->busy[p] = parts[p].busy_us / (end_us * parts[p].n_units);
    for (unsigned i = 0; i < STAGES; i++) out->frame_us[stages[i].part] += stages[i].us / (i < 3 ? 1 : batch);
}
