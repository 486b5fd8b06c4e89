/* SPDX-License-Identifier: Apache-2.0 */
/* signer.h - the site's key: RSA of 3072 bits or more in DIR/keys/signer.key (0600) and its certificate in
 * DIR/keys/signer.pem. `relecture init` makes both, self-signed; a city puts its own pair in their place.
 * Signatures are RSA-PSS with SHA-256 and a salt of 20, as the openssl command checks them. Threads: a signer
 * belongs to one thread. The key never leaves this module and is wiped by OpenSSL. */
#ifndef HOST_EVIDENCE_SIGNER_H
#define HOST_EVIDENCE_SIGNER_H

#include <stddef.h>

#include "host/base/err.h"
#include "host/case/journal.h"

#define SIGNER_SIGNATURE_MAX 512u /* RSA up to 4096 bits */

struct signer;

/* Opens the pair; makes one when neither file is there (a data directory of an earlier day). Each failure is
 * logged with what to do: ERR_MISSING (one of the two is absent), ERR_DENIED (others may read the key),
 * ERR_CORRUPT (not PEM, not a pair, not RSA, under 3072 bits), ERR_IO. */
MUST_CHECK enum err signer_open(const char *dir, struct signer **out);
void signer_close(struct signer **s);

const char *signer_certificate(const struct signer *s); /* PEM text */
const char *signer_key_id(const struct signer *s);      /* SHA-256 of the certificate (DER), hex */
MUST_CHECK enum err signer_sign(const struct signer *s, const void *data, size_t n, uint8_t *out,
                                size_t *n_out);
/* For the register's heads and receipts; borrows `s`. */
struct journal_signer signer_for_journal(struct signer *s);

#endif
