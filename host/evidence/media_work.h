/* SPDX-License-Identifier: Apache-2.0 */
/* media_work.h - one job of a decode worker, waited for: what an export asks of a recording. Threads: any
 * that has no event loop of its own running; it makes one for the job. */
#ifndef HOST_EVIDENCE_MEDIA_WORK_H
#define HOST_EVIDENCE_MEDIA_WORK_H

#include <stdatomic.h>
#include <stddef.h>

#include "host/base/err.h"
#include "host/media/decoder.h"

#define MEDIA_WORK_LIMIT_S 3600u /* a masked copy of twenty minutes of 4K on one core */

struct media_work {
    int64_t first_us, end_us; /* of what was written, in the recording's own time */
    char text[WIRE_TEXT_MAX]; /* on failure: English, for a person */
};
/* `spec` without in_fd and out_fd: reads `in`, writes `out` anew (0600, synced by the worker). On failure
 * nothing is left at `out`. */
MUST_CHECK enum err media_work(const struct decoder_spec *spec, const char *in, const char *out,
                               const atomic_bool *stop, struct media_work *result);

#endif
