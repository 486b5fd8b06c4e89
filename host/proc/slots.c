/* SPDX-License-Identifier: Apache-2.0 */
#include "host/proc/slots.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/base/size.h"

/* Without F_SEAL_WRITE: workers write their slots. Neither side can change the size under the other's
 * mapping. */
#define SEALS_SIZE (F_SEAL_SHRINK | F_SEAL_GROW)

struct slots {
    int fd;
    uint8_t *base;
    unsigned n_slots, n_free;
    size_t slot_bytes;
    unsigned refs[SLOTS_MAX];
};

enum err slots_new(const char *name, unsigned n_slots, size_t slot_bytes, struct slots **out) {
    *out = NULL;
    size_t rounded, total;
    if (n_slots == 0 || n_slots > SLOTS_MAX || slot_bytes == 0) return ERR_USAGE;
    if (!size_add(slot_bytes, SLOTS_ALIGN_BYTES - 1, &rounded)) return ERR_USAGE;
    rounded &= ~(size_t)(SLOTS_ALIGN_BYTES - 1);
    if (!size_mul(rounded, n_slots, &total) || total > (size_t)INT64_MAX) return ERR_USAGE;

    enum err e = ERR_IO;
    struct slots *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    s->n_slots = s->n_free = n_slots;
    s->slot_bytes = rounded;
    s->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (s->fd < 0) {
        log_warn("slots", "memfd_create failed errno=%d", errno);
        goto fail_free;
    }
    if (ftruncate(s->fd, (off_t)total) != 0) {
        log_warn("slots", "sizing failed bytes=%zu errno=%d", total, errno);
        e = errno == EIO ? ERR_IO : ERR_NOMEM; /* EFBIG, EINVAL, ENOSPC: more than this machine can give */
        goto fail_fd;
    }
    if (fcntl(s->fd, F_ADD_SEALS, SEALS_SIZE | F_SEAL_SEAL) != 0) {
        log_warn("slots", "sealing failed errno=%d", errno);
        goto fail_fd;
    }
    s->base = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    if (s->base == MAP_FAILED) {
        log_warn("slots", "mapping failed bytes=%zu errno=%d", total, errno);
        e = ERR_NOMEM;
        goto fail_fd;
    }
    *out = s;
    return OK;
fail_fd:
    close(s->fd);
fail_free:
    free(s);
    return e;
}

void slots_free(struct slots **s) {
    if (!s || !*s) return;
    munmap((*s)->base, (*s)->slot_bytes * (*s)->n_slots);
    close((*s)->fd);
    free(*s);
    *s = NULL;
}

int slots_fd(const struct slots *s) {
    return s->fd;
}
unsigned slots_count(const struct slots *s) {
    return s->n_slots;
}
size_t slots_bytes(const struct slots *s) {
    return s->slot_bytes;
}
unsigned slots_free_count(const struct slots *s) {
    return s->n_free;
}

enum err slots_take(struct slots *s, unsigned *out) {
    if (s->n_free == 0) return ERR_AGAIN;
    for (unsigned i = 0; i < s->n_slots; i++) {
        if (s->refs[i] != 0) continue;
        s->refs[i] = 1;
        s->n_free--;
        *out = i;
        return OK;
    }
    return ERR_AGAIN;
}

void slots_ref(struct slots *s, unsigned slot) {
    assert(slot < s->n_slots && s->refs[slot] > 0);
    s->refs[slot]++;
}

void slots_unref(struct slots *s, unsigned slot) {
    assert(slot < s->n_slots && s->refs[slot] > 0);
    if (--s->refs[slot] == 0) s->n_free++;
}

uint8_t *slots_at(const struct slots *s, unsigned slot) {
    assert(slot < s->n_slots);
    return s->base + s->slot_bytes * slot;
}

enum err slots_view_open(int fd, unsigned n_slots, size_t slot_bytes, int writable, struct slots_view *out) {
    struct stat st;
    size_t total;
    *out = (struct slots_view){0};
    if (n_slots == 0 || n_slots > SLOTS_MAX || slot_bytes == 0 || slot_bytes % SLOTS_ALIGN_BYTES != 0)
        return ERR_USAGE;
    if (!size_mul(slot_bytes, n_slots, &total)) return ERR_USAGE;
    if (fstat(fd, &st) != 0) {
        log_warn("slots", "fstat of an arena failed errno=%d", errno);
        return ERR_IO;
    }
    const int seals = fcntl(fd, F_GET_SEALS); /* fails on what is not a memfd */
    if (seals < 0 || (seals & SEALS_SIZE) != SEALS_SIZE || st.st_size < 0 || (size_t)st.st_size != total)
        return ERR_CORRUPT;
    void *p = mmap(NULL, total, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        log_warn("slots", "mapping failed bytes=%zu errno=%d", total, errno);
        return ERR_NOMEM;
    }
    *out = (struct slots_view){.base = p, .n_slots = n_slots, .slot_bytes = slot_bytes};
    return OK;
}

void slots_view_close(struct slots_view *v) {
    if (!v || !v->base) return;
    munmap(v->base, v->slot_bytes * v->n_slots);
    *v = (struct slots_view){0};
}
