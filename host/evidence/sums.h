/* SPDX-License-Identifier: Apache-2.0 */
/* sums.h - the hashes of a folder, as sha256sum reads them, their signature, and the folder as one archive.
 */
#ifndef HOST_EVIDENCE_SUMS_H
#define HOST_EVIDENCE_SUMS_H

#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/evidence/signer.h"

struct sums_file {
    char name[160]; /* within the folder: "originals/001_gare-01.mp4" */
    uint64_t bytes;
    char sha256[65];
};
struct sums {
    struct sums_file *files; /* owned; by name */
    size_t n;
};
void sums_fini(struct sums *s);
/* Every regular file under `dir`, two levels deep. ERR_USAGE: a name that does not fit or holds a control
 * character. */
MUST_CHECK enum err sums_of(const char *dir, struct sums *out);
/* Writes SHA256SUMS of what is there, SHA256SUMS.sig and, before both, signer.pem. */
MUST_CHECK enum err sums_sign(const char *dir, const struct signer *s);
/* Copies every file of `from` into `to`, which must not exist yet. ERR_EXISTS, ERR_FULL, ERR_IO. */
MUST_CHECK enum err sums_copy(const char *from, const char *to);
/* `dir` as a ustar archive at `path`, its names beginning with `prefix`. */
MUST_CHECK enum err sums_archive(const char *dir, const char *prefix, const char *path);

#endif
