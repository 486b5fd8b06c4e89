/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers of the simulated card: xclAllocBO .. xclUnmgdPwrite. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

#include <xrt_mem.h>

#include "sim/fault.h"
#include "sim/latency.h"
#include "sim/xrt/model.h"

#define POISON   0xa5
#define NO_BANK  (XRT_BO_FLAGS_HOST_ONLY | XRT_BO_FLAGS_P2P)
#define BUFS_MAX (1u << 20)

static uint64_t pages(uint64_t n) {
    return (n + SIM_PAGE - 1) / SIM_PAGE * SIM_PAGE;
}

struct sim_buf *sim_buf_find(struct sim_card *c, uint32_t handle) {
    return handle >= 1 && handle <= c->n_bufs ? c->bufs[handle - 1] : NULL;
}

uint8_t *sim_buf_mem(const struct sim_card *c, const struct sim_buf *b) {
    return c->banks[b->bank].mem + b->off;
}

struct sim_buf *sim_buf_at(struct sim_card *c, uint64_t address) {
    for (unsigned k = 0; k < c->n_banks; k++) {
        const struct sim_bank *bank = &c->banks[k];
        if (address < bank->base || address - bank->base >= bank->size) continue;
        const uint64_t off = address - bank->base;
        for (struct sim_buf *b = c->in_bank[k]; b; b = b->next_in_bank)
            if (off >= b->off && off - b->off < b->size) return b;
    }
    return NULL;
}

bool sim_buf_tail_intact(const struct sim_card *c, const struct sim_buf *b) {
    const uint8_t *m = sim_buf_mem(c, b);
    for (uint64_t i = b->size; i < b->span; i++)
        if (m[i] != POISON) return false;
    return true;
}

/* First fit, with an inaccessible page behind every buffer. */
static bool place(struct sim_card *c, struct sim_buf *b) {
    const struct sim_bank *bank = &c->banks[b->bank];
    uint64_t at = SIM_PAGE; /* address 0 is never a buffer */
    struct sim_buf **link = &c->in_bank[b->bank];
    while (*link && (*link)->off - at < b->span + SIM_PAGE) {
        at = (*link)->off + (*link)->span + SIM_PAGE;
        link = &(*link)->next_in_bank;
    }
    if (at + b->span + SIM_PAGE > bank->size) return false;
    b->off = at;
    if (mprotect(bank->mem + at, b->span, PROT_READ | PROT_WRITE) != 0) return false;
    memset(bank->mem + at, POISON, b->span);
    b->next_in_bank = *link;
    *link = b;
    return true;
}

static void unplace(struct sim_card *c, struct sim_buf *b) {
    struct sim_buf **link = &c->in_bank[b->bank];
    while (*link && *link != b) link = &(*link)->next_in_bank;
    if (*link) *link = b->next_in_bank;
    uint8_t *m = sim_buf_mem(c, b);
    if (madvise(m, b->span, MADV_DONTNEED) != 0 || mprotect(m, b->span, PROT_NONE) != 0)
        sim_note("cannot take back device memory: %s", strerror(errno));
}

static void buf_release(struct sim_card *c, struct sim_buf *b) {
    if (!b->exec) unplace(c, b);
    if (b->host_is_ours) munmap(b->host, pages(b->size));
    free(b);
}

/* user = NULL: the host copy is ours. */
static xclBufferHandle alloc(struct sim_card *c, size_t size, uint32_t flags, void *user) {
    xclBufferHandle out = NULLBO;
    const bool exec = (flags & XCL_BO_FLAGS_EXECBUF) != 0;
    if (!c || size == 0 || size > (uint64_t)1 << 40) return NULLBO;
    struct sim_buf *b = calloc(1, sizeof *b);
    if (!b) return NULLBO;
    *b = (struct sim_buf){.flags = flags, .size = size, .exec = exec, .span = pages(size), .host = user};
    pthread_mutex_lock(&c->lock);
    if (c->gone || !c->loaded || c->n_bufs >= BUFS_MAX) goto fail;
    if (!exec) {
        b->bank = flags & XRT_BO_FLAGS_MEMIDX_MASK;
        if ((flags & NO_BANK) || b->bank >= c->n_banks) {
            sim_note("refused a buffer: flags 0x%x name no memory bank of this card", flags);
            goto fail;
        }
        if (sim_fault_alloc()) goto fail;
    }
    if (c->n_bufs == c->cap_bufs) {
        const uint32_t cap = c->cap_bufs ? c->cap_bufs * 2 : 64;
        struct sim_buf **p = realloc(c->bufs, cap * sizeof *p);
        if (!p) goto fail;
        c->bufs = p;
        c->cap_bufs = cap;
    }
    if (!user && !(flags & XRT_BO_FLAGS_DEV_ONLY)) {
        void *m = mmap(NULL, b->span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (m == MAP_FAILED) goto fail;
        b->host = m;
        b->host_is_ours = true;
    }
    if (!exec && !place(c, b)) {
        sim_note("bank %u has no room for %zu bytes", b->bank, size);
        if (b->host_is_ours) munmap(b->host, b->span);
        goto fail;
    }
    c->bufs[c->n_bufs++] = b;
    b->handle = out = c->n_bufs;
    pthread_mutex_unlock(&c->lock);
    return out;
fail:
    pthread_mutex_unlock(&c->lock);
    free(b);
    return NULLBO;
}

xclBufferHandle xclAllocBO(xclDeviceHandle h, size_t size, int unused, unsigned flags) {
    (void)unused;
    return alloc(h, size, flags, NULL);
}

xclBufferHandle xclAllocUserPtrBO(xclDeviceHandle h, void *user, size_t size, unsigned flags) {
    if (!user || (uintptr_t)user % SIM_PAGE != 0) {
        sim_note("refused a user buffer that is not aligned to a page");
        return NULLBO;
    }
    return alloc(h, size, flags, user);
}

void xclFreeBO(xclDeviceHandle h, xclBufferHandle handle) {
    struct sim_card *c = h;
    pthread_mutex_lock(&c->lock);
    struct sim_buf *b = sim_buf_find(c, handle);
    if (!b) {
        sim_note("freed buffer %u, which does not exist", handle);
    } else {
        c->bufs[handle - 1] = NULL;
        if (b->n_runs > 0) {
            sim_note("buffer %u was freed while a run had it", handle);
            b->misused = true; /* the run ends in ERROR and lets go of it */
        } else {
            buf_release(c, b);
        }
    }
    pthread_mutex_unlock(&c->lock);
}

void sim_buf_unused(struct sim_card *c, struct sim_buf *b) {
    if (--b->n_runs == 0 && b->misused) buf_release(c, b);
}

void *xclMapBO(xclDeviceHandle h, xclBufferHandle handle, bool write) {
    (void)write;
    struct sim_card *c = h;
    pthread_mutex_lock(&c->lock);
    struct sim_buf *b = sim_buf_find(c, handle);
    void *p = b ? b->host : NULL;
    pthread_mutex_unlock(&c->lock);
    return p;
}

int xclUnmapBO(xclDeviceHandle h, xclBufferHandle handle, void *addr) {
    struct sim_card *c = h;
    pthread_mutex_lock(&c->lock);
    struct sim_buf *b = sim_buf_find(c, handle);
    const int rc = b && b->host == addr ? 0 : -EINVAL;
    pthread_mutex_unlock(&c->lock);
    return rc;
}

/* The buffer when [offset, offset + size) lies in it and it has device memory. */
static struct sim_buf *ranged(struct sim_card *c, xclBufferHandle handle, size_t size, size_t offset) {
    struct sim_buf *b = c->gone ? NULL : sim_buf_find(c, handle);
    return b && !b->exec && offset <= b->size && size <= b->size - offset ? b : NULL;
}

static int transfer(struct sim_card *c, xclBufferHandle handle, bool to_card, void *host, size_t size,
                    size_t offset) {
    pthread_mutex_lock(&c->lock);
    struct sim_buf *b = ranged(c, handle, size, offset);
    uint8_t *at = b ? (host ? host : b->host ? b->host + offset : NULL) : NULL;
    uint8_t *mem = at ? sim_buf_mem(c, b) + offset : NULL;
    if (at) b->n_runs++; /* keeps it alive while the lock is open: a transfer takes time */
    const bool gone = c->gone;
    pthread_mutex_unlock(&c->lock);
    if (!at) return gone ? -ENODEV : -EINVAL;
    const uint64_t started = sim_latency_begin();
    memcpy(to_card ? mem : at, to_card ? at : mem, size);
    if (!to_card && sim_fault_transfer(size)) {
        sim_note("the fault plan says corrupt");
        at[size / 3] ^= 0x10;
    }
    sim_latency_transfer(sim_config_get(), started, to_card, size);
    pthread_mutex_lock(&c->lock);
    const bool misused = b->misused;
    sim_buf_unused(c, b);
    pthread_mutex_unlock(&c->lock);
    return misused ? -EINVAL : 0;
}

int xclSyncBO(xclDeviceHandle h, xclBufferHandle handle, enum xclBOSyncDirection dir, size_t size,
              size_t offset) {
    if (dir != XCL_BO_SYNC_BO_TO_DEVICE && dir != XCL_BO_SYNC_BO_FROM_DEVICE) return -EINVAL;
    return transfer(h, handle, dir == XCL_BO_SYNC_BO_TO_DEVICE, NULL, size, offset);
}

size_t xclWriteBO(xclDeviceHandle h, xclBufferHandle handle, const void *src, size_t size, size_t seek) {
    void *p; /* the same routine moves both ways; towards the card it only reads */
    memcpy(&p, &src, sizeof p);
    return (size_t)transfer(h, handle, true, p, size, seek);
}

size_t xclReadBO(xclDeviceHandle h, xclBufferHandle handle, void *dst, size_t size, size_t skip) {
    return (size_t)transfer(h, handle, false, dst, size, skip);
}

int xclCopyBO(xclDeviceHandle h, xclBufferHandle to, xclBufferHandle from, size_t size, size_t to_off,
              size_t from_off) {
    struct sim_card *c = h;
    pthread_mutex_lock(&c->lock);
    struct sim_buf *d = ranged(c, to, size, to_off), *s = ranged(c, from, size, from_off);
    if (d && s) memmove(sim_buf_mem(c, d) + to_off, sim_buf_mem(c, s) + from_off, size);
    pthread_mutex_unlock(&c->lock);
    return d && s ? 0 : -EINVAL;
}

int xclGetBOProperties(xclDeviceHandle h, xclBufferHandle handle, struct xclBOProperties *out) {
    struct sim_card *c = h;
    pthread_mutex_lock(&c->lock);
    const struct sim_buf *b = sim_buf_find(c, handle);
    if (b)
        *out = (struct xclBOProperties){.handle = handle,
                                        .flags = b->flags,
                                        .size = b->size,
                                        .paddr = b->exec ? 0 : c->banks[b->bank].base + b->off};
    pthread_mutex_unlock(&c->lock);
    return b ? 0 : -EINVAL;
}

xclBufferExportHandle xclExportBO(xclDeviceHandle h, xclBufferHandle handle) {
    (void)h, (void)handle;
    return NULLBOEXPORT;
}

xclBufferHandle xclImportBO(xclDeviceHandle h, xclBufferExportHandle fd, unsigned flags) {
    (void)h, (void)fd, (void)flags;
    return NULLBO;
}

static ssize_t unmanaged(struct sim_card *c, void *to, const void *from, size_t size, uint64_t address) {
    pthread_mutex_lock(&c->lock);
    struct sim_buf *b = c->gone ? NULL : sim_buf_at(c, address);
    const uint64_t off = b ? address - c->banks[b->bank].base - b->off : 0;
    const bool inside = b && size <= b->size - off;
    if (inside && to) memcpy(to, sim_buf_mem(c, b) + off, size);
    if (inside && from) memcpy(sim_buf_mem(c, b) + off, from, size);
    pthread_mutex_unlock(&c->lock);
    return inside ? (ssize_t)size : -EINVAL;
}

ssize_t xclUnmgdPread(xclDeviceHandle h, unsigned flags, void *buf, size_t size, uint64_t offset) {
    return flags == 0 ? unmanaged(h, buf, NULL, size, offset) : -EINVAL;
}

ssize_t xclUnmgdPwrite(xclDeviceHandle h, unsigned flags, const void *buf, size_t size, uint64_t offset) {
    return flags == 0 ? unmanaged(h, NULL, buf, size, offset) : -EINVAL;
}
