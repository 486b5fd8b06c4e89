/* SPDX-License-Identifier: Apache-2.0 */
/* Commands and compute units of the simulated card: xclOpenContext, xclExecBuf, xclExecWait. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/fault.h"
#include "sim/latency.h"
#include "sim/xrt/model.h"

/* Kernels are called with every argument in a 64-bit place, which the System V ABI (x86-64, AArch64) makes
 * right for pointers and 32-bit integers alike, in registers as on the stack. */
typedef void kernel_fn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                       uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

static void finish(struct sim_cu *cu, struct sim_cmd *cmd, enum ert_cmd_state state, unsigned n_told) {
    struct sim_card *c = cu->card;
    uint32_t *header = (uint32_t *)(void *)cmd->buf->host;
    /* All of it under the lock: XRT polls the state, and may start the same packet again the moment it
     * changes. */
    pthread_mutex_lock(&c->lock);
    const uint32_t h = __atomic_load_n(header, __ATOMIC_RELAXED);
    if (n_told > 0) __atomic_store_n(header, (h & ~0xfu) | (uint32_t)state, __ATOMIC_RELEASE);
    sim_buf_unused(c, cmd->buf);
    cu->n_queued--;
    c->n_done += n_told;
    c->n_finished++;
    pthread_cond_broadcast(&c->done);
    pthread_mutex_unlock(&c->lock);
    free(cmd);
}

/* Resolves the arguments; a pointer must lie in a live buffer. The lock is held. */
static bool resolve(struct sim_card *c, const struct sim_cu *cu, const struct sim_cmd *cmd, uint64_t *value,
                    struct sim_buf **held) {
    for (unsigned i = 0; i < cu->n_args; i++) {
        const struct sim_arg *a = &cu->args[i];
        value[i] = cmd->regs[a->offset / 4];
        if (!a->is_pointer) continue;
        const uint64_t at = value[i] | (uint64_t)cmd->regs[a->offset / 4 + 1] << 32;
        struct sim_buf *b = sim_buf_at(c, at);
        if (!b) {
            sim_note("%s: argument %u is address 0x%llx, where no buffer is", cu->name, i,
                     (unsigned long long)at);
            return false;
        }
        held[i] = b;
        value[i] = (uint64_t)(uintptr_t)(sim_buf_mem(c, b) + (at - c->banks[b->bank].base - b->off));
    }
    for (unsigned i = 0; i < cu->n_args; i++)
        if (held[i]) held[i]->n_runs++;
    return true;
}

/* The kernels' last pointer is the status block, the one before it the result. */
static struct sim_buf *result_of(const struct sim_cu *cu, struct sim_buf *const *held) {
    struct sim_buf *result = NULL, *last = NULL;
    for (unsigned i = 0; i < cu->n_args; i++)
        if (held[i]) {
            result = last;
            last = held[i];
        }
    return result;
}

/* Keeps the second half of a result from being written: it holds afterwards what it held before. */
struct half {
    uint8_t *at, *was;
    size_t n;
};
static void half_save(struct half *s, struct sim_card *c, const struct sim_buf *b) {
    *s = (struct half){.n = 0};
    if (!b) return;
    s->n = b->size - b->size / 2;
    s->at = sim_buf_mem(c, b) + b->size / 2;
    s->was = malloc(s->n);
    if (s->was) memcpy(s->was, s->at, s->n);
}
static void half_restore(struct half *s) {
    if (s->was) memcpy(s->at, s->was, s->n);
    free(s->was);
    s->was = NULL;
}

/* A completion held back until another run has ended, if one does within 0.2 s. */
static void let_another_pass(struct sim_card *c) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += 200000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&c->lock);
    const uint64_t before = c->n_finished;
    while (c->n_finished == before && pthread_cond_timedwait(&c->done, &c->lock, &t) == 0) {
    }
    pthread_mutex_unlock(&c->lock);
}

static enum ert_cmd_state run(struct sim_cu *cu, struct sim_cmd *cmd, enum sim_fault fault,
                              uint32_t delay_us) {
    struct sim_card *c = cu->card;
    uint64_t v[SIM_ARGS_MAX] = {0};
    struct sim_buf *held[SIM_ARGS_MAX] = {NULL};
    pthread_mutex_lock(&c->lock);
    const bool fine = !c->gone && resolve(c, cu, cmd, v, held);
    pthread_mutex_unlock(&c->lock);
    if (!fine) return ERT_CMD_STATE_ERROR;

    const uint64_t started = sim_latency_begin();
    if (delay_us) {
        const struct timespec t = {.tv_sec = delay_us / 1000000,
                                   .tv_nsec = (long)(delay_us % 1000000) * 1000};
        nanosleep(&t, NULL);
    }
    struct half half = {.n = 0};
    if (fault == SIM_FAULT_SHORT) half_save(&half, c, result_of(cu, held));
    if (fault != SIM_FAULT_ERROR) {
        kernel_fn *fn;
        memcpy(&fn, &cu->fn, sizeof fn);
        fn(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12], v[13], v[14],
           v[15]);
    }
    half_restore(&half);
    uint64_t n_read = 0;
    if (held[0]) n_read = held[0]->size;
    sim_latency_kernel(sim_config_get(), started, n_read);
    enum ert_cmd_state state = fault == SIM_FAULT_ERROR ? ERT_CMD_STATE_ERROR : ERT_CMD_STATE_COMPLETED;
    pthread_mutex_lock(&c->lock);
    for (unsigned i = 0; i < cu->n_args; i++) {
        struct sim_buf *b = held[i];
        if (!b) continue;
        if (fault == SIM_FAULT_STATUS && (i + 1 == cu->n_args || !held[i + 1]))
            sim_buf_mem(c, b)[8] ^= 0x40; /* the last pointer is the status block; its third word is `code` */
        if (b->misused) state = ERT_CMD_STATE_ERROR;
        if (!sim_buf_tail_intact(c, b)) {
            sim_note("%s wrote behind the end of argument %u", cu->name, i);
            state = ERT_CMD_STATE_ERROR;
        }
    }
    for (unsigned i = 0; i < cu->n_args; i++)
        if (held[i]) sim_buf_unused(c, held[i]);
    pthread_mutex_unlock(&c->lock);
    return state;
}

static _Noreturn void hang(void) {
    for (;;) {
        const struct timespec t = {.tv_sec = 3600};
        nanosleep(&t, NULL);
    }
}

static void *cu_thread(void *arg) {
    struct sim_cu *cu = arg;
    struct sim_card *c = cu->card;
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!cu->head && !c->stopping) pthread_cond_wait(&cu->wake, &c->lock);
        struct sim_cmd *cmd = cu->head;
        if (!cmd) break;
        cu->head = cmd->next;
        if (!cu->head) cu->tail = &cu->head;
        pthread_mutex_unlock(&c->lock);

        uint32_t delay_us;
        const enum sim_fault fault = sim_fault_run(&delay_us);
        if (fault != SIM_FAULT_NONE) sim_note("%s: the fault plan says %s", cu->name, sim_fault_name(fault));
        if (fault == SIM_FAULT_ABORT) abort();
        if (fault == SIM_FAULT_HANG) hang();
        if (fault == SIM_FAULT_VANISH) {
            pthread_mutex_lock(&c->lock);
            c->gone = true;
            pthread_mutex_unlock(&c->lock);
        }
        const enum ert_cmd_state state = run(cu, cmd, fault, delay_us);
        if (fault == SIM_FAULT_REORDER) let_another_pass(c);
        /* A vanished card answers nothing any more: the host's own time limit has to find out. */
        finish(cu, cmd, state,
               fault == SIM_FAULT_DROP || fault == SIM_FAULT_VANISH ? 0
               : fault == SIM_FAULT_DOUBLE                          ? 2
                                                                    : 1);

        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

int sim_cus_start(struct sim_card *c) {
    c->stopping = false;
    for (unsigned i = 0; i < c->n_cus; i++) {
        struct sim_cu *cu = &c->cus[i];
        cu->tail = &cu->head;
        pthread_cond_init(&cu->wake, NULL);
        if (pthread_create(&cu->thread, NULL, cu_thread, cu) != 0) {
            sim_cus_stop(c);
            return -EAGAIN;
        }
        cu->started = true;
    }
    return 0;
}

/* The lock is not held. A compute unit with work in it is left alone: nothing on a card stops a running
 * kernel. */
void sim_cus_stop(struct sim_card *c) {
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    for (unsigned i = 0; i < c->n_cus; i++) pthread_cond_broadcast(&c->cus[i].wake);
    pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->n_cus; i++) {
        struct sim_cu *cu = &c->cus[i];
        if (!cu->started) continue;
        pthread_join(cu->thread, NULL);
        cu->started = false;
        pthread_cond_destroy(&cu->wake);
    }
}

int xclOpenContext(xclDeviceHandle h, const xuid_t uuid, unsigned ip, bool shared) {
    (void)shared;
    struct sim_card *c = h;
    int rc = 0;
    pthread_mutex_lock(&c->lock);
    if (c->gone)
        rc = -ENODEV;
    else if (!c->loaded || memcmp(uuid, c->uuid, sizeof c->uuid) != 0)
        rc = -EACCES;
    else if (ip == (unsigned)-1)
        rc = 0; /* the virtual context that XRT holds while the xclbin is in use */
    else if (ip >= c->n_cus)
        rc = -EINVAL;
    else
        c->cus[ip].n_contexts++;
    pthread_mutex_unlock(&c->lock);
    return rc;
}

int xclCloseContext(xclDeviceHandle h, const xuid_t uuid, unsigned ip) {
    (void)uuid;
    struct sim_card *c = h;
    int rc = -EINVAL;
    pthread_mutex_lock(&c->lock);
    if (ip == (unsigned)-1) rc = 0;
    if (ip < c->n_cus && c->cus[ip].n_contexts > 0) {
        c->cus[ip].n_contexts--;
        rc = 0;
    }
    pthread_mutex_unlock(&c->lock);
    return rc;
}

int xclIPName2Index(xclDeviceHandle h, const char *name) {
    const struct sim_card *c = h;
    for (unsigned i = 0; i < c->n_cus; i++)
        if (strcmp(c->cus[i].name, name) == 0) return (int)i;
    return -ENOENT;
}

/* The least busy of the compute units that the packet allows; all must be open. */
static struct sim_cu *choose(struct sim_card *c, const struct ert_start_kernel_cmd *p, unsigned n_masks) {
    struct sim_cu *best = NULL;
    for (unsigned i = 0; i < c->n_cus && i < 32 * n_masks; i++) {
        const uint32_t mask = i < 32 ? p->cu_mask : p->data[i / 32 - 1];
        if (!(mask >> (i % 32) & 1u)) continue;
        if (c->cus[i].n_contexts == 0) return NULL;
        if (!best || c->cus[i].n_queued < best->n_queued) best = &c->cus[i];
    }
    return best;
}

int xclExecBuf(xclDeviceHandle h, xclBufferHandle handle) {
    struct sim_card *c = h;
    struct sim_cmd *cmd = calloc(1, sizeof *cmd);
    if (!cmd) return -ENOMEM;
    int rc = -EINVAL;
    pthread_mutex_lock(&c->lock);
    struct sim_buf *b = sim_buf_find(c, handle);
    if (c->gone) {
        rc = -ENODEV;
        goto fail;
    }
    if (!b || !b->exec || !b->host || b->size < sizeof(struct ert_start_kernel_cmd) || b->n_runs > 0)
        goto fail;
    const struct ert_start_kernel_cmd *p = (const struct ert_start_kernel_cmd *)(const void *)b->host;
    const unsigned n_masks = 1u + p->extra_cu_masks, n_words = p->count;
    if (p->opcode != ERT_START_CU || n_words < n_masks || (1u + n_words) * 4u > b->size ||
        n_words - n_masks > SIM_REGS_MAX)
        goto fail;
    struct sim_cu *cu = choose(c, p, n_masks);
    if (!cu) goto fail;
    memcpy(cmd->regs, p->data + p->extra_cu_masks, (n_words - n_masks) * 4u);
    cmd->buf = b;
    b->n_runs++;
    *cu->tail = cmd;
    cu->tail = &cmd->next;
    cu->n_queued++;
    pthread_cond_signal(&cu->wake);
    pthread_mutex_unlock(&c->lock);
    return 0;
fail:
    pthread_mutex_unlock(&c->lock);
    free(cmd);
    return rc;
}

int xclExecWait(xclDeviceHandle h, int timeout_ms) {
    struct sim_card *c = h;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&c->lock);
    int rc = 0;
    while (c->n_done == 0 && rc == 0)
        rc = timeout_ms < 0 ? pthread_cond_wait(&c->done, &c->lock)
                            : pthread_cond_timedwait(&c->done, &c->lock, &t);
    const int got = c->n_done > 0;
    if (got) c->n_done--;
    pthread_mutex_unlock(&c->lock);
    return got;
}
