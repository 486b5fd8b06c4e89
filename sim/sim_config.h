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

/* What can befall a simulated card. Each has a key NAME_at and a key NAME_pct in [fault]. */
enum sim_fault {
    SIM_FAULT_NONE,
    /* of a run, counted from 1 in each process */
    SIM_FAULT_HANG,    /* it never ends, nor does its compute unit work again */
    SIM_FAULT_ERROR,   /* it ends in state ERROR, nothing written */
    SIM_FAULT_STATUS,  /* bits of its status word are flipped */
    SIM_FAULT_SHORT,   /* the second half of its result is not written */
    SIM_FAULT_DROP,    /* its completion is never told */
    SIM_FAULT_DOUBLE,  /* its completion is told twice */
    SIM_FAULT_REORDER, /* its completion is told after that of a run begun later, if there is one */
    SIM_FAULT_ABORT,   /* the process aborts, as VART does */
    SIM_FAULT_VANISH,  /* the card goes away, for vanish_ms */
    SIM_FAULT_RUN_END,
    SIM_FAULT_OOM = SIM_FAULT_RUN_END, /* of a buffer: it is refused */
    SIM_FAULT_CORRUPT,                 /* of a transfer of 4 kB and more from the card: one bit is flipped */
    /* of a DPU job */
    SIM_FAULT_DPU_HANG,    /* it never ends */
    SIM_FAULT_DPU_ERROR,   /* it fails */
    SIM_FAULT_DPU_CORRUPT, /* one bit of its results is flipped after their checksum was taken */
    SIM_FAULT_DPU_ABORT,   /* the process aborts */
    SIM_FAULT_DPU_END,
    SIM_FAULT_N = SIM_FAULT_DPU_END
};
/* "hang" .. "dpu_abort"; static storage. */
const char *sim_fault_name(enum sim_fault f);

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
    uint32_t
        kernel_units; /* compute units of the letterbox kernel; for plans: a card has those of its xclbin */
    /* [dpu]: for the runner plug-in */
    char dpu_name[48];
    double dpu_clock_mhz, dpu_macs_per_cycle, dpu_efficiency, dpu_depthwise_efficiency, dpu_job_us;
    uint32_t dpu_engines, dpu_batch;
    /* [fault] */
    uint64_t seed;
    uint32_t max_fires;       /* over all processes that use this directory; 0 = no limit */
    uint32_t at[SIM_FAULT_N]; /* the n-th of its kind, from 1; 0 = never */
    double pct[SIM_FAULT_N];  /* of all of its kind, at random but seeded */
    uint32_t vanish_ms;       /* a card that vanished is back after this long; 0 = never */
    double delay_pct;         /* of runs ... */
    uint32_t delay_us;        /* ... end this much later */
};

void sim_config_defaults(struct sim_config *c);
/* Reads `path` over what *c holds. 0, or -1 with a line "FILE:LINE: what" in `why`. A missing file is -1 too.
 */
int sim_config_load(const char *path, struct sim_config *c, char *why, size_t why_cap);

#endif
