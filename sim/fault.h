/* SPDX-License-Identifier: Apache-2.0 */
/* fault.h - the seeded fault plan of the simulated card (section [fault] of card.toml).
 * Faults "at n" count the runs (buffers, transfers, DPU jobs) of this process. Those in per cent depend on
 * the seed, on how many processes started with this directory before, and on that same count: so the same
 * plan gives the same faults, and a worker that is started again does not meet the same fate for ever.
 * max_fires counts over all processes that use the directory, by marker files fault.1, fault.2 ... in it.
 * Each fault that fires is a line in its file `faults`. Threads: any. */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/sim_config.h"

/* `dir` is where card.toml is; borrowed for ever. */
void sim_fault_init(const struct sim_config *c, const char *dir);
bool sim_fault_alloc(void); /* true: refuse this buffer */
/* True: this transfer from the card is to be damaged. */
bool sim_fault_transfer(uint64_t n_bytes);
/* What befalls the next run, and how much longer it takes. */
enum sim_fault sim_fault_run(uint32_t *delay_us);
/* What befalls the next DPU job. */
enum sim_fault sim_fault_dpu(void);
/* True while a card that vanished stays away. */
bool sim_fault_away(void);

#endif
