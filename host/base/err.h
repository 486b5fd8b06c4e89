/* SPDX-License-Identifier: Apache-2.0 */
/* err.h - one error type for the whole host; foreign codes (errno, SQLite, AVERROR, XRT, VART) are
 * translated where they arise, logged there once, and passed on unlogged above. AGAIN and EOF are flow. */
#ifndef HOST_BASE_ERR_H
#define HOST_BASE_ERR_H

enum err {
    OK = 0,
    ERR_AGAIN,   /* nothing now, ask later; back-pressure */
    ERR_EOF,     /* the ordinary end */
    ERR_NOMEM,   /* memory refused */
    ERR_IO,      /* a read, write or system call failed */
    ERR_CORRUPT, /* bytes that do not mean what they should */
    ERR_TIMEOUT, /* no answer within the limit */
    ERR_CARD,    /* the card or its libraries failed or are absent */
    ERR_BUSY,    /* held by somebody else */
    ERR_DENIED,  /* the case, the site or the role does not allow it */
    ERR_USAGE,   /* the caller asked something impossible */
    ERR_MISSING, /* no such thing */
    ERR_EXISTS,  /* there already */
    ERR_FULL,    /* no space left */
    ERR_CANCELLED,
    ERR_UNSUPPORTED /* well formed, but not something we can do */
};
#define MUST_CHECK __attribute__((warn_unused_result))

/* A short English name for logs and messages ("corrupt data"); never NULL, static storage. */
const char *err_text(enum err e);

#endif
