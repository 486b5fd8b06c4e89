/* SPDX-License-Identifier: Apache-2.0 */
/* range.h - what a Range header asks of a body of known size (RFC 9110 section 14). evhttp knows 206 only as
 * a reason text, so this is ours; pure, no allocation, fuzzed. Threads: any. */
#ifndef HOST_HTTP_RANGE_H
#define HOST_HTTP_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum range_result {
    RANGE_WHOLE,        /* no header, not bytes, malformed, or several ranges: answer 200 with everything */
    RANGE_PART,         /* exactly one range that lies in the body: answer 206 */
    RANGE_UNSATISFIABLE /* well formed, outside the body: answer 416 */
};
struct range {
    uint64_t first_bytes; /* offset of the first byte */
    uint64_t n_bytes;     /* at least 1; first_bytes + n_bytes <= size_bytes */
};

/* `header` (n bytes, need not be terminated, NULL = absent) against a body of size_bytes. *out is set for
 * RANGE_PART, and for RANGE_WHOLE to everything. */
enum range_result range_parse(const char *header, size_t n, uint64_t size_bytes, struct range *out);

/* True when a Range may be honoured: no If-Range, or one that names exactly our strong entity tag. A date
 * never matches: files of equal second and different content would be mixed. */
bool range_if_matches(const char *if_range, const char *etag);

#define RANGE_TEXT_MAX 72
/* "bytes 0-99/1234", or "bytes * / 1234" without blanks for part = NULL. */
void range_content(const struct range *part, uint64_t size_bytes, char out[static RANGE_TEXT_MAX]);

#endif
