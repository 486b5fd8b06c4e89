/* SPDX-License-Identifier: Apache-2.0 */
/* latency.h - how long the card described by card.toml takes for what the simulated card just did.
 * With [time] real = true an operation is stretched to the described duration when the simulation was faster;
 * it is never shortened. Threads: any. */
#ifndef SIM_LATENCY_H
#define SIM_LATENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/sim_config.h"

uint64_t sim_latency_begin(void); /* monotonic ns */
/* Modelled durations in microseconds; pure. */
double sim_latency_transfer_us(const struct sim_config *c, bool to_card, size_t n_bytes);
double sim_latency_kernel_us(const struct sim_config *c, uint64_t n_bytes_read);
/* One DPU job of n_frames with `macs` multiply-adds each; frames of one batch take the time of one. */
double sim_latency_dpu_us(const struct sim_config *c, uint64_t macs, uint64_t n_frames);
/* A layer of a network, as far as its time goes. */
struct sim_layer {
    uint64_t macs; /* of one frame */
    bool depthwise;
};
/* One DPU job, layer by layer: convolutions go at dpu.efficiency of the peak, depthwise ones at
 * dpu.depthwise_efficiency; what has no multiply-adds is within the first. */
double sim_latency_layers_us(const struct sim_config *c, const struct sim_layer *layers, size_t n_layers,
                             uint64_t n_frames);
/* Wait until the operation that began at `started` has lasted as long as modelled. */
void sim_latency_transfer(const struct sim_config *c, uint64_t started, bool to_card, size_t n_bytes);
void sim_latency_kernel(const struct sim_config *c, uint64_t started, uint64_t n_bytes_read);
void sim_latency_dpu(const struct sim_config *c, uint64_t started, const struct sim_layer *layers,
                     size_t n_layers, uint64_t n_frames);

#endif
