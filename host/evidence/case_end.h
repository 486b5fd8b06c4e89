/* SPDX-License-Identifier: Apache-2.0 */
/* case_end.h - what is written when a case ends, before its footage goes. Threads: any but a loop's: it reads
 * the whole journal. Opens register, index and key of its own. */
#ifndef HOST_EVIDENCE_CASE_END_H
#define HOST_EVIDENCE_CASE_END_H

#include "host/base/config.h"
#include "host/base/err.h"
#include "host/base/vocab.h"
#include "host/pipe/accuracy.h"

struct case_end_context {
    const char *dir; /* data directory */
    const struct config *config;
    const struct vocab *vocab;
    const struct accuracy *accuracy;
    const char *version; /* of this program */
};
/* Closing record and certificate of coverage of the case into the new folder `out` (host/evidence/closing.h);
 * out = NULL: DIR/exports/closing-CASE, where one that is there stays. ERR_MISSING: no such case; ERR_EXISTS.
 */
MUST_CHECK enum err case_end_record(const struct case_end_context *ctx, const char *case_id, const char *out);
/* The same into DIR/exports/record-CASE, in the place of an earlier one: what the page asks for. */
MUST_CHECK enum err case_end_renew(const struct case_end_context *ctx, const char *case_id);

#endif
