/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/latency.h"

#include <time.h>

uint64_t sim_latency_begin(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

double sim_latency_transfer_us(const struct sim_config *c, bool to_card, size_t n_bytes) {
    return c->per_transfer_us + (double)n_bytes / ((to_card ? c->to_card_gb_s : c->from_card_gb_s) * 1e3);
}

double sim_latency_kernel_us(const struct sim_config *c, uint64_t n_bytes_read) {
    return c->kernel_start_us + (double)n_bytes_read / (c->kernel_read_bytes_per_cycle * c->kernel_clock_mhz);
}

double sim_latency_dpu_us(const struct sim_config *c, uint64_t macs, uint64_t n_frames) {
    const double batches = (double)((n_frames + c->dpu_batch - 1) / c->dpu_batch);
    return c->dpu_job_us +
           batches * (double)macs / (c->dpu_macs_per_cycle * c->dpu_efficiency * c->dpu_clock_mhz);
}

double sim_latency_layers_us(const struct sim_config *c, const struct sim_layer *layers, size_t n_layers,
                             uint64_t n_frames) {
    const double batches = (double)((n_frames + c->dpu_batch - 1) / c->dpu_batch);
    double us = 0;
    for (size_t i = 0; i < n_layers; i++) {
        const double efficiency = layers[i].depthwise ? c->dpu_depthwise_efficiency : c->dpu_efficiency;
        us += (double)layers[i].macs / (c->dpu_macs_per_cycle * efficiency * c->dpu_clock_mhz);
    }
    return c->dpu_job_us + batches * us;
}

static void stretch(uint64_t started, double us) {
    const uint64_t end = started + (uint64_t)(us * 1e3);
    const struct timespec t = {.tv_sec = (time_t)(end / 1000000000u), .tv_nsec = (long)(end % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) {
    }
}

void sim_latency_transfer(const struct sim_config *c, uint64_t started, bool to_card, size_t n_bytes) {
    if (c->real_time) stretch(started, sim_latency_transfer_us(c, to_card, n_bytes));
}

void sim_latency_kernel(const struct sim_config *c, uint64_t started, uint64_t n_bytes_read) {
    if (c->real_time) stretch(started, sim_latency_kernel_us(c, n_bytes_read));
}

void sim_latency_dpu(const struct sim_config *c, uint64_t started, const struct sim_layer *layers,
                     size_t n_layers, uint64_t n_frames) {
    if (c->real_time) stretch(started, sim_latency_layers_us(c, layers, n_layers, n_frames));
}
