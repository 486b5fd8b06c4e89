/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include <sys/stat.h>
#include <unistd.h>

static const struct sim_config *plan;
static const char *where;
static atomic_uint_fast64_t n_runs, n_allocs, n_transfers;

void sim_fault_init(const struct sim_config *c, const char *dir) {
    plan = c;
    where = dir;
}

/* Takes one of the plan's firings; false when they are used up. */
static bool fire(void) {
    if (plan->max_fires == 0) return true;
    for (uint32_t i = 1; i <= plan->max_fires; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/fault.%u", where, i);
        const int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        if (fd >= 0) {
            close(fd);
            return true;
        }
        if (errno != EEXIST) return false;
    }
    return false;
}

/* 0 .. 99.99.., from the seed, the run and which question is asked (splitmix64). */
static double chance(uint64_t run, uint64_t question) {
    uint64_t z = plan->seed + run * 0x9e3779b97f4a7c15u + question * 0xd1b54a32d192ed03u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (double)(z >> 11) / 9007199254740992.0 * 100.0;
}

bool sim_fault_alloc(void) {
    const uint64_t n = atomic_fetch_add(&n_allocs, 1) + 1;
    return plan && plan->oom_at == n && fire();
}

bool sim_fault_transfer(uint64_t n_bytes) {
    if (!plan || plan->corrupt_at == 0 || n_bytes < 4096) return false;
    return atomic_fetch_add(&n_transfers, 1) + 1 == plan->corrupt_at && fire();
}

static void mark_vanished(void) {
    char path[4096];
    snprintf(path, sizeof path, "%s/vanished", where);
    const int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
}

bool sim_fault_away(void) {
    if (!plan || plan->vanish_at == 0) return false;
    char path[4096];
    struct stat st;
    struct timespec now;
    snprintf(path, sizeof path, "%s/vanished", where);
    if (stat(path, &st) != 0) return false;
    if (plan->vanish_ms == 0) return true;
    clock_gettime(CLOCK_REALTIME, &now);
    const int64_t ms = (now.tv_sec - st.st_mtim.tv_sec) * 1000 + (now.tv_nsec - st.st_mtim.tv_nsec) / 1000000;
    return ms < plan->vanish_ms;
}

enum sim_fault sim_fault_run(uint32_t *delay_us) {
    *delay_us = 0;
    if (!plan) return SIM_FAULT_NONE;
    const uint64_t n = atomic_fetch_add(&n_runs, 1) + 1;
    if (chance(n, 1) < plan->delay_pct) *delay_us = plan->delay_us;
    const struct {
        uint32_t at;
        enum sim_fault what;
    } counted[] = {
        {plan->hang_at, SIM_FAULT_HANG},     {plan->error_at, SIM_FAULT_ERROR},
        {plan->status_at, SIM_FAULT_STATUS}, {plan->short_at, SIM_FAULT_SHORT},
        {plan->drop_at, SIM_FAULT_DROP},     {plan->double_at, SIM_FAULT_DOUBLE},
        {plan->abort_at, SIM_FAULT_ABORT},   {plan->vanish_at, SIM_FAULT_VANISH},
    };
    for (unsigned i = 0; i < sizeof counted / sizeof counted[0]; i++) {
        if (counted[i].at != n || !fire()) continue;
        if (counted[i].what == SIM_FAULT_VANISH) mark_vanished();
        return counted[i].what;
    }
    if (chance(n, 2) < plan->status_pct && fire()) return SIM_FAULT_STATUS;
    if (chance(n, 3) < plan->error_pct && fire()) return SIM_FAULT_ERROR;
    return SIM_FAULT_NONE;
}
