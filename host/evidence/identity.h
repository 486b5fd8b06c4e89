/* SPDX-License-Identifier: Apache-2.0 */
/* identity.h - which program and which models are at work: what each line of the journal, a closing record
 * and a manifest name, so that a result can be had again later. Threads: any. */
#ifndef HOST_EVIDENCE_IDENTITY_H
#define HOST_EVIDENCE_IDENTITY_H

#include "host/base/config.h"
#include "host/base/err.h"

/* "0.1.0 sha256:<of the running program>". */
MUST_CHECK enum err identity_software(const char *version, char out[static 128]);
/* SHA-256 over the manifests (model.json) of the configured models, in the order of the configuration; 64
 * zeros when none is installed. A manifest names the hash of its weights. */
MUST_CHECK enum err identity_models(const struct config *cfg, char hex[static 65]);
/* Both, and the site's zone, for journal_identity(); the failure is logged. */
MUST_CHECK enum err identity_of_journal(const struct config *cfg, const char *version);

#endif
