/* SPDX-License-Identifier: Apache-2.0 */
/* model.h - the simulated card behind libxrt_core.so.2: device memory, compute units, commands.
 * It answers the xcl* calls that Debian's XRT makes. It is stricter than a card: device memory is apart from
 * the host copies, so a forgotten sync shows; it is filled with 0xa5 when allocated; every range is checked;
 * memory that no live buffer covers cannot be touched (a kernel that does so ends the process); bytes behind
 * a buffer's end are watched; a freed handle is never given out again. Threads: any; one mutex per card. Each
 * compute unit has a thread of its own, so runs really are in flight. Ownership: cards live as long as the
 * process; a buffer until xclFreeBO. */
#ifndef SIM_XRT_MODEL_H
#define SIM_XRT_MODEL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ert.h>
#include <experimental/xrt-next.h>
#include <xclbin.h>
#include <xrt.h>

#include "sim/sim_config.h"

#define SIM_CARDS_MAX 8
#define SIM_BANKS_MAX 8
#define SIM_CUS_MAX   32
#define SIM_ARGS_MAX  16
#define SIM_REGS_MAX  64 /* 32-bit words of one compute unit's register map */
#define SIM_PAGE      4096u

struct sim_bank {
    uint64_t base, size; /* device addresses */
    uint8_t *mem;        /* sparse; only live buffers are accessible */
};

struct sim_buf {
    uint32_t handle, flags;
    size_t size;   /* asked for */
    bool exec;     /* a command packet: host memory only */
    uint8_t *host; /* what xclMapBO gives; ours, or the user's pointer */
    bool host_is_ours;
    unsigned bank;
    uint64_t off, span;           /* in the bank; span is whole pages */
    unsigned n_runs;              /* runs in flight that were handed this buffer */
    bool misused;                 /* freed while a run had it */
    struct sim_buf *next_in_bank; /* ordered by off */
};

struct sim_arg {
    bool is_pointer;
    uint32_t offset; /* byte offset in the register map */
    uint32_t size;   /* 4 or 8 */
};

struct sim_cmd {
    struct sim_cmd *next;
    struct sim_buf *buf;
    uint32_t regs[SIM_REGS_MAX];
};

struct sim_card;
struct sim_cu {
    struct sim_card *card;
    char name[64]; /* kernel:cu */
    void (*fn)(void);
    unsigned n_args;
    struct sim_arg args[SIM_ARGS_MAX];
    unsigned n_contexts;
    pthread_t thread;
    bool started;
    pthread_cond_t wake;
    struct sim_cmd *head, **tail;
    unsigned n_queued; /* the running one included */
};

struct sim_card {
    pthread_mutex_t lock;
    pthread_cond_t done; /* n_done rose */
    unsigned index, n_open;
    bool gone; /* the card vanished: every call fails */
    bool stopping;
    /* what the loaded xclbin brought */
    bool loaded;
    xuid_t uuid;
    void *so;
    unsigned n_banks, n_cus;
    struct sim_bank banks[SIM_BANKS_MAX];
    struct sim_buf *in_bank[SIM_BANKS_MAX];
    struct sim_cu cus[SIM_CUS_MAX];
    /* buffers by handle - 1; NULL = freed */
    struct sim_buf **bufs;
    uint32_t n_bufs, cap_bufs;
    uint64_t n_finished; /* runs, told or not */
    unsigned n_done; /* commands completed that no xclExecWait has reported yet */
};

/* One line on stderr, "simulated card: ...". */
void sim_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* device.c; also called by the C++ glue */
const struct sim_config *sim_config_get(void);
void *sim_card_open(unsigned index);
int sim_card_close(void *card); /* handles still open */
int sim_card_load(void *card, const struct axlf *top);

/* xclbin.c. Fills banks, cus and so; everything is checked first, nothing is left behind on failure. -errno.
 */
int sim_xclbin_load(struct sim_card *c, const struct axlf *top);
void sim_xclbin_drop(struct sim_card *c);

/* memory.c. The lock is held. */
struct sim_buf *sim_buf_find(struct sim_card *c, uint32_t handle);
struct sim_buf *sim_buf_at(struct sim_card *c, uint64_t device_address);
uint8_t *sim_buf_mem(const struct sim_card *c, const struct sim_buf *b);
bool sim_buf_tail_intact(const struct sim_card *c, const struct sim_buf *b);
void sim_buf_unused(struct sim_card *c, struct sim_buf *b); /* a run let go of it */

/* exec.c */
int sim_cus_start(struct sim_card *c);
void sim_cus_stop(struct sim_card *c);

#endif
