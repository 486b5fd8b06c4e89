/* SPDX-License-Identifier: Apache-2.0 */
/* approval.h - what waits for a second person: extensions and seals. Threads: as the register handle. */
#ifndef HOST_CASE_APPROVAL_H
#define HOST_CASE_APPROVAL_H

#include <stdint.h>

#include "host/base/err.h"
#include "host/case/register.h"

struct approval {
    const char *kind; /* "extension", "seal"; texts are borrowed until return */
    const char *case_id, *by;
    uint64_t id;
    int64_t at_ms;
};
typedef void approval_fn(const struct approval *a, void *arg);
/* Those of open cases that `login` did not ask for himself, oldest first. */
MUST_CHECK enum err approval_each(struct register_db *r, const char *login, approval_fn *each, void *arg);

#endif
