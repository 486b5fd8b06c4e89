/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sys/stat.h>
#include <unistd.h>

static const struct sim_config *plan;
static const char *where;
static uint64_t incarnation; /* of the processes that use this directory */
static atomic_uint_fast64_t n_runs, n_allocs, n_transfers, n_dpu_jobs;

/* Appends a line; how long the file is then, or 0. */
static uint64_t append(const char *file, const char *line) {
    char path[4096];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", where, file);
    const int fd = open(path, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) return 0;
    const size_t n = strlen(line);
    const bool fine = write(fd, line, n) == (ssize_t)n && fstat(fd, &st) == 0;
    close(fd);
    return fine ? (uint64_t)st.st_size : 0;
}

void sim_fault_init(const struct sim_config *c, const char *dir) {
    plan = c;
    where = dir;
    for (unsigned i = 0; i < SIM_FAULT_N; i++)
        if (c->pct[i] > 0) {
            incarnation = append("starts", ".");
            break;
        }
}

/* Takes one of the plan's firings; false when they are used up. */
static bool take(void) {
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

static bool fire(enum sim_fault f) {
    char line[64];
    if (!take()) return false;
    snprintf(line, sizeof line, "%s\n", sim_fault_name(f));
    (void)append("faults", line);
    return true;
}

/* 0 .. 99.99.., from the seed, the run and which question is asked (splitmix64). */
static double chance(uint64_t run, uint64_t question) {
    uint64_t z = plan->seed + incarnation * 0xa0761d6478bd642fu + run * 0x9e3779b97f4a7c15u +
                 question * 0xd1b54a32d192ed03u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (double)(z >> 11) / 9007199254740992.0 * 100.0;
}

/* The first of the faults [from, to) that the plan has for the n-th event of their kind. */
static enum sim_fault pick(enum sim_fault from, enum sim_fault to, uint64_t n) {
    for (enum sim_fault f = from; f < to; f++)
        if ((plan->at[f] == n || chance(n, 2 + (uint64_t)f) < plan->pct[f]) && fire(f)) return f;
    return SIM_FAULT_NONE;
}

bool sim_fault_alloc(void) {
    if (!plan) return false;
    const uint64_t n = atomic_fetch_add(&n_allocs, 1) + 1;
    return pick(SIM_FAULT_OOM, SIM_FAULT_OOM + 1, n) != SIM_FAULT_NONE;
}

bool sim_fault_transfer(uint64_t n_bytes) {
    if (!plan || n_bytes < 4096) return false;
    const uint64_t n = atomic_fetch_add(&n_transfers, 1) + 1;
    return pick(SIM_FAULT_CORRUPT, SIM_FAULT_CORRUPT + 1, n) != SIM_FAULT_NONE;
}

enum sim_fault sim_fault_dpu(void) {
    if (!plan) return SIM_FAULT_NONE;
    const uint64_t n = atomic_fetch_add(&n_dpu_jobs, 1) + 1;
    return pick(SIM_FAULT_DPU_HANG, SIM_FAULT_DPU_END, n);
}

static void mark_vanished(void) {
    char path[4096];
    snprintf(path, sizeof path, "%s/vanished", where);
    const int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
}

bool sim_fault_away(void) {
    if (!plan || (plan->at[SIM_FAULT_VANISH] == 0 && !(plan->pct[SIM_FAULT_VANISH] > 0))) return false;
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
    const enum sim_fault f = pick(SIM_FAULT_HANG, SIM_FAULT_RUN_END, n);
    if (f == SIM_FAULT_VANISH) mark_vanished();
    return f;
}
