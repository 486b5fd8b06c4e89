/* SPDX-License-Identifier: Apache-2.0 */
/* facts.h - what a data protection impact assessment (AIPD) asks of this installation, and the figures that a
 * city may publish once a year. Counted from the journal, so both can be checked; sums only, never a name, a
 * case, a camera or a sentence. Threads: the register handle's. New references; NULL = no memory or a failed
 * read (logged). */
#ifndef HOST_EVIDENCE_FACTS_H
#define HOST_EVIDENCE_FACTS_H

#include <jansson.h>

#include "host/base/vocab.h"
#include "host/case/register.h"
#include "host/pipe/accuracy.h"

struct facts_context {
    struct register_db *r;
    const char *version, *tz, *site_allowed;
    int retention_days, journal_years; /* journal_years 0 = not told */
    const struct vocab *vocab;
    const struct accuracy *accuracy; /* NULL = none */
};
/* {purposes[], legal_bases[], data[], excluded[], durations{}, roles{}, accuracy{}, accounts{}, months[]}:
 * host/http/API.md, "Figures". */
json_t *facts_json(const struct facts_context *ctx);
/* The sums of one calendar year in the site's zone. */
json_t *facts_year_json(struct register_db *r, const char *tz, int year);

#endif
