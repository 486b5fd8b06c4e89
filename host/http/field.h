/* SPDX-License-Identifier: Apache-2.0 */
/* field.h - members of a request's body, each checked for kind, length and range. A wrong one ends the
 * exchange with 422 bad_field and its name; then the call is false and nothing more may be read. Absent
 * members that are not needed leave *out as it was. Threads: the loop's. */
#ifndef HOST_HTTP_FIELD_H
#define HOST_HTTP_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct exchange;
struct case_file;

enum field_need { FIELD_OPTIONAL, FIELD_NEEDED };

/* ends: 422 bad_field. `why`: missing too_long not_text range unknown past order. Always false. */
bool field_bad(struct exchange *x, const char *name, const char *why);
/* Without control characters, at most cap - 1 bytes; FIELD_NEEDED also means not empty. */
bool field_text(struct exchange *x, const json_t *body, const char *name, enum field_need need, char *out,
                size_t cap);
bool field_integer(struct exchange *x, const json_t *body, const char *name, enum field_need need,
                   int64_t min, int64_t max, int64_t *out);
bool field_real(struct exchange *x, const json_t *body, const char *name, double min, double max,
                double *out);
bool field_bool(struct exchange *x, const json_t *body, const char *name, bool *out);
/* 64 small hex digits, or "" where it is not needed. */
bool field_sha256(struct exchange *x, const json_t *body, const char *name, enum field_need need,
                  char out[static 65]);
/* An array of camera ids as numbers, each once, at least one; *out is the caller's to free(). Absent: *n = 0.
 */
bool field_cameras(struct exchange *x, const json_t *body, const char *name, enum field_need need,
                   uint16_t **out, unsigned *n);
/* Words of an array, comma-separated. */
bool field_words(struct exchange *x, const json_t *body, const char *name, enum field_need need, char *out,
                 size_t cap);

#endif
