/* SPDX-License-Identifier: Apache-2.0 */
/* journal.h - what lies around the journal's lines (register.h adds and verifies them): who writes, where the
 * chain begins and ends, its signed heads, its own end of life. Threads: as the register handle.
 *
 * A head is the text
 *   relecture journal head 1 / seq N / hash H / at TIME / key FINGERPRINT      (one per line)
 * signed by the site's key (host/evidence/signer.h). Whoever keeps a copy of it outside can tell that no line
 * up to N was altered, added or removed since. The journal is only ever cut behind a signed head, so what is
 * left begins at a hash that was signed. */
#ifndef HOST_CASE_JOURNAL_H
#define HOST_CASE_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/case/register.h"

#define JOURNAL_HASH_BYTES 65u /* 64 hex digits and a zero */
#define JOURNAL_HEAD_MAX   512u

struct zone;

/* From now on each line's detail ends with the members "local" (time in zone `tz` with its offset),
 * "software" (version and SHA-256 of the program) and "models" (SHA-256 over their manifests). Once, before
 * threads start, like log_init(); tz = NULL: nothing is added any more. ERR_USAGE, ERR_MISSING (no such
 * zone). */
MUST_CHECK enum err journal_identity(const char *tz, const char *software, const char *models);
/* "2026-11-20T15:00:00.000+01:00"; z = NULL: UTC. */
void journal_local_time(const struct zone *z, int64_t at_ms, char out[static 32]);

/* Number and hash before the first line that is kept: 0 and zeros until lines were purged. */
MUST_CHECK enum err journal_base(struct register_db *r, int64_t *seq, char hash[static JOURNAL_HASH_BYTES]);
/* Number and hash of the last line. */
MUST_CHECK enum err journal_head(struct register_db *r, int64_t *seq, char hash[static JOURNAL_HASH_BYTES]);

struct journal_row {
    int64_t seq, at_ms;
    const char *text[6]; /* user, role, action, case_id, object, detail */
    const char *hash;
};
/* Borrowed until return; an error ends the walk. */
typedef enum err journal_line_fn(const struct journal_row *row, void *arg);
MUST_CHECK enum err journal_each(struct register_db *r, int64_t from_seq, journal_line_fn *fn, void *arg);

/* Newest first: lines before number `before_seq` (0 = from the end) of this user, action and case (NULL =
 * any), at most `limit`. Each line's own previous hash is passed beside it. */
typedef enum err journal_page_fn(const struct journal_row *row, const char *prev, void *arg);
MUST_CHECK enum err journal_page(struct register_db *r, int64_t before_seq, const char *user,
                                 const char *action, const char *case_id, unsigned limit, journal_page_fn *fn,
                                 void *arg);

struct journal_anchor {
    int64_t seq, at_ms;
    char hash[JOURNAL_HASH_BYTES];
    char text[JOURNAL_HEAD_MAX];
    char key_id[65];
    uint8_t signature[512];
    size_t n_signature;
    char *certificate; /* PEM, owned */
};
void journal_anchor_fini(struct journal_anchor *a);
/* Signs `text` of n bytes into out (512 bytes at most). */
typedef enum err journal_sign_fn(const void *text, size_t n, uint8_t *out, size_t *n_out, void *arg);
struct journal_signer {
    journal_sign_fn *sign;
    void *arg;
    const char *key_id, *certificate; /* fingerprint; PEM */
};
/* Signs the present head. `daily`: only when the newest anchor is of another day in `z` (NULL = UTC); *made
 * says whether there is a new one. */
MUST_CHECK enum err journal_anchor_make(struct register_db *r, const struct journal_signer *s,
                                        const struct zone *z, bool daily, bool *made);
/* Oldest first; the array and each certificate are the caller's: journal_anchors_free(). */
MUST_CHECK enum err journal_anchors(struct register_db *r, struct journal_anchor **out, size_t *n);
void journal_anchors_free(struct journal_anchor *a, size_t n);
/* OK when every anchor whose line is still there names that line's hash; ERR_CORRUPT and *seq otherwise. */
MUST_CHECK enum err journal_anchors_fit(struct register_db *r, int64_t *bad_seq);

/* Erases the lines up to the newest anchor before which everything is older than `before_ms` and belongs to
 * no case on hold. *n_erased 0: none. ERR_CORRUPT: the chain or a head does not fit; nothing is erased. */
MUST_CHECK enum err journal_purge(struct register_db *r, int64_t before_ms, int64_t now_ms,
                                  uint64_t *n_erased, int64_t *base_seq);

#endif
