/* SPDX-License-Identifier: Apache-2.0 */
/* journal_export.h - the journal as a folder that a third party checks without us: lines, signed heads, and
 * the page of C and shell that checks them (host/evidence/standalone). Threads: as the register handle. */
#ifndef HOST_EVIDENCE_JOURNAL_EXPORT_H
#define HOST_EVIDENCE_JOURNAL_EXPORT_H

#include <stdint.h>

#include "host/base/err.h"
#include "host/case/register.h"

/* Writes into `dir`, which must not exist yet. ERR_EXISTS, ERR_IO, ERR_FULL. On failure what was written
 * stays behind for a look. */
MUST_CHECK enum err journal_export(struct register_db *r, const char *dir, uint64_t *n_lines,
                                   uint64_t *n_heads);

#endif
