/* SPDX-License-Identifier: Apache-2.0 */
/* describe.h - what the files of an export say, as JSON: new references, NULL = no memory. Times are UTC ms;
 * where a person reads them, the site's local time stands beside. Threads: the reader's. */
#ifndef HOST_EVIDENCE_DESCRIBE_H
#define HOST_EVIDENCE_DESCRIBE_H

#include <jansson.h>

#include "host/base/vocab.h"
#include "host/base/zone.h"
#include "host/case/decision.h"
#include "host/case/exhibit.h"
#include "host/case/register.h"
#include "host/index/index.h"

json_t *describe_case(const struct case_file *c, const struct camera *cameras, unsigned n_cameras);
/* Login, name, role, habilitation and its dates; somebody of the shell has only a name. */
json_t *describe_person(struct register_db *r, const char *login);
json_t *describe_decision(const struct decision *d);
json_t *describe_camera(const struct camera *c);
json_t *describe_recording(const struct recording *rec);
/* The passage under ONVIF names (schemas 25.06); what has none keeps ours. */
json_t *describe_sighting(const struct vocab *v, const struct sighting *s, bool plates_allowed);
json_t *describe_moment(const struct zone *z, int64_t ms); /* {ms, utc, local} */
const char *describe_coverage_state(enum coverage_state s);
/* Every span of the perimeter, and what none covers. */
json_t *describe_coverage(struct index_reader *reader, const struct perimeter *p,
                          const struct camera *cameras, unsigned n_cameras);
const struct camera *describe_find_camera(const struct camera *cameras, unsigned n, uint16_t number);

#endif
