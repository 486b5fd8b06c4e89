/* SPDX-License-Identifier: Apache-2.0 */
/* hasher.h - SHA-256 of one recording on a thread of its own, so that the loop stays free.
 * Threads: created, called back and freed on the loop's thread. Ownership: hasher_free() cancels and joins.
 */
#ifndef HOST_IMPORT_HASHER_H
#define HOST_IMPORT_HASHER_H

#include <stdint.h>

#include "host/base/err.h"

struct event_base;
struct hasher;

struct hasher_result {
    enum err status; /* OK, ERR_IO (also: its size changed meanwhile), ERR_CANCELLED, ERR_NOMEM */
    char sha256[65];
    uint64_t n_bytes;
};
/* Exactly once, unless freed before; hasher_free() is allowed inside. */
typedef void hasher_done_fn(const struct hasher_result *r, void *arg);

/* fd: borrowed until done or hasher_free(). */
MUST_CHECK enum err hasher_start(struct event_base *base, int fd, hasher_done_fn *done, void *arg,
                                 struct hasher **out);
void hasher_free(struct hasher **h);

#endif
