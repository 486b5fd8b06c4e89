/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.h - the server's key and certificate for TLS: DIR/tls/key.pem (0600) and DIR/tls/cert.pem, made
 * self-signed by `relecture init` and replaceable by the city's own. Threads: any; start only. */
#ifndef HOST_HTTP_CERTIFICATE_H
#define HOST_HTTP_CERTIFICATE_H

#include "host/base/err.h"

typedef struct ssl_ctx_st SSL_CTX;

/* A key on P-256 and a certificate signed with it, for localhost, 127.0.0.1, ::1, this machine's name and
 * `names` (comma-separated names and addresses, or ""), valid for ten years. ERR_EXISTS: one of the files is
 * there; nothing is touched. */
MUST_CHECK enum err certificate_make(const char *dir, const char *names);

/* Both files into a context that speaks TLS 1.2 and 1.3. Says in the log which file is at fault and what to
 * do: ERR_MISSING; ERR_CORRUPT: not PEM, or key and certificate do not belong together; ERR_DENIED: others
 * may read the key. */
MUST_CHECK enum err certificate_load(const char *dir, SSL_CTX **out);

/* SHA-256 of the certificate as XX:XX:..., as browsers show it. */
MUST_CHECK enum err certificate_fingerprint(const char *dir, char out[static 96]);

#endif
