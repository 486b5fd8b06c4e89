/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - the three clocks and their text forms. Inside, a moment is UTC milliseconds since 1970 (`_ms`).
 * Threads: any, except clock_fake(), which tests call before they start threads. */
#ifndef HOST_BASE_CLOCK_H
#define HOST_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

int64_t clock_wall_ms(void);
uint64_t clock_mono_ns(void);
uint64_t clock_thread_cpu_ns(void);

/* Tests set the wall clock; 0 gives the real one back. */
void clock_fake(int64_t wall_ms);

/* "2026-11-20T14:00:00Z", also with fraction or with an offset (+01:00). No offset is an error: a recording's
 * time must say what it means. The date must exist (no 31 February), the year lie in 1970..9999.
 * Returns ERR_USAGE otherwise, *out untouched. */
MUST_CHECK enum err clock_parse(const char *text, int64_t *out_ms);

/* Writes "2026-11-20T14:00:00.000Z" (25 bytes with its end). */
void clock_format(int64_t ms, char out[static 25]);

#endif
