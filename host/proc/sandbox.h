/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.h - shut a decode worker in before it looks at the first byte of a file nobody vouches for.
 * After sandbox_enter() the process keeps the descriptors it has and gets no other: no file, socket, process
 * or thread can be opened, whatever code runs in it. Three layers: rlimits; seccomp (the list in sandbox.c
 * says which calls are left and why each is); Landlock where the kernel has it, which says the same about
 * files once more. Threads: call once, on the only thread, after every set-up that needs more. */
#ifndef HOST_PROC_SANDBOX_H
#define HOST_PROC_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"

struct sandbox_limits {
    uint64_t memory_bytes; /* of private memory */
    uint64_t file_bytes;   /* largest file it may write; 0 = it writes none */
};

/* ERR_UNSUPPORTED: this kernel cannot, logged; the worker must then end rather than go on unprotected. */
MUST_CHECK enum err sandbox_enter(const struct sandbox_limits *limits);

/* Whether Landlock was there and is in force; for logs and tests. */
bool sandbox_has_landlock(void);

#endif
