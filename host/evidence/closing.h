/* SPDX-License-Identifier: Apache-2.0 */
/* closing.h - the record of what was done in a case (procès-verbal de fin d'exploitation, CPP R. 40-40) and
 * the certificate of what was looked at (so that "nothing found" means something). In French, from the
 * register, the journal and the index alone: nothing is typed in. Threads: the handles'. */
#ifndef HOST_EVIDENCE_CLOSING_H
#define HOST_EVIDENCE_CLOSING_H

#include <jansson.h>

#include "host/base/err.h"
#include "host/base/vocab.h"
#include "host/base/zone.h"
#include "host/case/register.h"
#include "host/evidence/document.h"
#include "host/evidence/signer.h"
#include "host/index/index.h"
#include "host/pipe/accuracy.h"

struct closing_context {
    struct register_db *r;
    struct index_reader *reader;
    const struct vocab *vocab;
    const struct zone *zone;
    const struct accuracy *accuracy; /* NULL: none was measured; the record says so */
    const struct case_file *c;
    const char *software, *models; /* identity.h */
};
/* Requisition, persons, perimeter, criteria, searches, coverage, passages kept and put aside, accuracy,
 * seals, versions. */
MUST_CHECK enum err closing_record(const struct closing_context *ctx, struct document *out);
/* What was looked at, what was not, what was asked, and that no passage was kept, when that is so. */
MUST_CHECK enum err closing_certificate(const struct closing_context *ctx, struct document *out);
/* Both, as HTML and PDF, with SHA256SUMS, its signature and the certificate, in `dir`, which must not exist
 * yet (ERR_EXISTS). */
MUST_CHECK enum err closing_write(const struct closing_context *ctx, const struct signer *s, const char *dir);

#endif
