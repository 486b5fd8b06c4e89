/* SPDX-License-Identifier: Apache-2.0 */
/* sim_config.h - what the simulated card is told to be: the file card.toml beside its lib directory.
 * A small part of TOML: [section], key = number | "text" | true | false, # comments. An unknown section or
 * key, a value out of range or a second value for one key is an error: a misspelt fault plan must not pass
 * silently. Threads: plain data, read once. */
#ifndef SIM_SIM_CONFIG_H
#define SIM_SIM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_config {
    /* [card] */
    char name[48];    /* shown as "simulated NAME" */
    uint32_t n_cards; /* of this kind in the machine */
    /* [time] */
    bool real_time; /* true: operations last as long as on the card described; false: as fast as they go */
    /* [pcie] */
    double to_card_gb_s, from_card_gb_s, per_transfer_us;
    /* [kernels] */
    double kernel_clock_mhz, kernel_read_bytes_per_cycle, kernel_start_us;
    /* [dpu]: for the runner plug-in */
    char dpu_name[48];
    double dpu_clock_mhz, dpu_macs_per_cycle, dpu_efficiency, dpu_job_us;
    uint32_t dpu_engines, dpu_batch;
    /* [fault]: counts start at 1, 0 = never; per cent of runs otherwise */
    uint64_t seed;
    uint32_t max_fires;  /* over all processes that use this directory; 0 = no limit */
    uint32_t oom_at;     /* the n-th buffer is refused */
    uint32_t hang_at;    /* the n-th run never ends, nor does its compute unit */
    uint32_t error_at;   /* the n-th run ends in state ERROR, nothing written */
    uint32_t status_at;  /* the n-th run flips bits of its last status word */
    uint32_t short_at;   /* the n-th run's results are lost: outputs keep what they held */
    uint32_t drop_at;    /* the n-th completion is done but never told */
    uint32_t double_at;  /* the n-th completion is told twice */
    uint32_t corrupt_at; /* the n-th transfer of 4 kB and more from the card flips one bit */
    uint32_t abort_at;   /* the n-th run aborts the process, as VART does */
    uint32_t vanish_at;  /* the n-th run takes the card away ... */
    uint32_t vanish_ms;  /* ... for this long; 0 = for good */
    double delay_pct;    /* of runs, at random but seeded ... */
    uint32_t delay_us;   /* ... end this much later, so that they overtake each other */
    double status_pct, error_pct;
};

void sim_config_defaults(struct sim_config *c);
/* Reads `path` over what *c holds. 0, or -1 with a line "FILE:LINE: what" in `why`. A missing file is -1 too.
 */
int sim_config_load(const char *path, struct sim_config *c, char *why, size_t why_cap);

#endif
