/* SPDX-License-Identifier: Apache-2.0 */
/* slots.h - an arena of equal places in shared memory (a sealed memfd) through which processes hand over big
 * data without copying: decoded surfaces (decode worker -> server, card worker) and tensors (card worker ->
 * server). Who holds which slot is known only here, in the server's own memory, never in the shared part.
 * Threads: one thread owns a `struct slots`; the memory itself may be read by any thread that holds a slot.
 * Ownership: slot numbers are counted references; the last slots_unref() makes the slot free again. */
#ifndef HOST_PROC_SLOTS_H
#define HOST_PROC_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

#define SLOTS_ALIGN_BYTES 4096u
#define SLOTS_MAX         64u

struct slots;

/* n_slots in 1..SLOTS_MAX, slot_bytes > 0 (rounded up to SLOTS_ALIGN_BYTES). The memfd is sealed against
 * resizing, so that no worker can make our mapping fault. ERR_USAGE, ERR_NOMEM, ERR_IO. */
MUST_CHECK enum err slots_new(const char *name, unsigned n_slots, size_t slot_bytes, struct slots **out);
void slots_free(struct slots **s); /* NULL is fine */

int slots_fd(const struct slots *s); /* borrowed; pass it to a worker */
unsigned slots_count(const struct slots *s);
size_t slots_bytes(const struct slots *s); /* of one slot, after rounding */
unsigned slots_free_count(const struct slots *s);

/* A free slot with one reference, or ERR_AGAIN: the caller waits, that is the back-pressure. */
MUST_CHECK enum err slots_take(struct slots *s, unsigned *out);
void slots_ref(struct slots *s, unsigned slot);
void slots_unref(struct slots *s, unsigned slot);
uint8_t *slots_at(const struct slots *s, unsigned slot); /* its memory; slot must be < count */

/* --- worker side: map an arena that was handed over as a descriptor ---------------------------------- */
struct slots_view {
    uint8_t *base;
    unsigned n_slots;
    size_t slot_bytes;
};
/* Checks that the descriptor is a memfd of exactly that size and sealed. `writable` 0 maps it read-only.
 * Does not take the descriptor: the caller may close it afterwards. */
MUST_CHECK enum err slots_view_open(int fd, unsigned n_slots, size_t slot_bytes, int writable,
                                    struct slots_view *out);
void slots_view_close(struct slots_view *v);

#endif
