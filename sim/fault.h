/* SPDX-License-Identifier: Apache-2.0 */
/* fault.h - the seeded fault plan of the simulated card (section [fault] of card.toml).
 * Faults "at n" count the runs (or buffers) of this process; "per cent" ones depend on the seed and the run's
 * number alone, so the same plan gives the same faults. max_fires counts over all processes that use the same
 * directory, by marker files fault.1, fault.2 ... in it: so a plan can kill one worker and spare the next.
 * Threads: any. */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/sim_config.h"

enum sim_fault {
    SIM_FAULT_NONE,
    SIM_FAULT_HANG,
    SIM_FAULT_ERROR,
    SIM_FAULT_STATUS,
    SIM_FAULT_SHORT,
    SIM_FAULT_DROP,
    SIM_FAULT_DOUBLE,
    SIM_FAULT_ABORT,
    SIM_FAULT_VANISH
};

/* `dir` is where card.toml is; borrowed for ever. */
void sim_fault_init(const struct sim_config *c, const char *dir);
bool sim_fault_alloc(void); /* true: refuse this buffer */
/* True: this transfer from the card is to be damaged. */
bool sim_fault_transfer(uint64_t n_bytes);
/* What befalls the next run, and how much longer it takes. */
enum sim_fault sim_fault_run(uint32_t *delay_us);
/* True while a card that vanished stays away. */
bool sim_fault_away(void);

#endif
