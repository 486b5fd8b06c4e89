/* SPDX-License-Identifier: Apache-2.0 */
/* accuracy.h - models/ACCURACY.json: how reliable each filter was when it was measured, which values are not
 * offered and why, and which value a missed one is called instead ("grey: see white too"). Made by `make accuracy`;
 * shown beside the filters and in the closing record. Threads: any; immutable once loaded. */
#ifndef HOST_PIPE_ACCURACY_H
#define HOST_PIPE_ACCURACY_H

#include <stdbool.h>
#include <stddef.h>

#include "host/base/err.h"
#include "host/base/vocab.h"

#define ACCURACY_PLATE        "plate" /* the field of what the vocabulary has no values for */
#define ACCURACY_TEXT_BYTES   64u
#define ACCURACY_MEASURES_MAX 24u
#define ACCURACY_SEE_ALSO_MAX 3u

/* One figure. `metric`: precision, recall, top1, top2 and shares like them (0..1), or mota, idf1, switches. */
struct accuracy_measure {
    char metric[ACCURACY_TEXT_BYTES];
    char set[ACCURACY_TEXT_BYTES]; /* the data it was measured on */
    double measured, low, high;    /* 95 % interval; low = high = measured where there is none */
    unsigned n;                    /* how many cases */
    bool has_goal, at_most, met;   /* at_most: less is better */
    double goal;
};

/* What a value is taken for when it is not recognised. */
struct accuracy_confusion {
    const struct vocab_value *value;
    double share; /* of the n cases */
    unsigned n;
};

struct accuracy_filter {
    enum field field; /* FIELD_NONE: the filter of plates, which has no words and comes last */
    const struct vocab_value *value; /* NULL = the field as a whole */
    bool enabled;
    char why[ACCURACY_TEXT_BYTES]; /* of a disabled one: no_data, no_model, below_goal */
    unsigned n_measures;
    struct accuracy_measure measures[ACCURACY_MEASURES_MAX];
    unsigned n_see_also;
    struct accuracy_confusion see_also[ACCURACY_SEE_ALSO_MAX];
};

struct accuracy {
    char date[ACCURACY_TEXT_BYTES]; /* of the measuring, ISO 8601 */
    size_t n_filters;
    struct accuracy_filter *filters; /* in the vocabulary's order, the field as a whole first */
};

/* Reads the file. `vocab` is borrowed for the life of *out. ERR_IO, ERR_NOMEM, ERR_CORRUPT (logged with the entry):
 * a number out of range, a word the vocabulary lacks, a value enabled here and not offered there or the reverse. */
MUST_CHECK enum err accuracy_load(const char *path, const struct vocab *vocab, struct accuracy **out);
/* NULL when nothing is said about it. `value` NULL = the field as a whole. */
const struct accuracy_filter *accuracy_of(const struct accuracy *a, enum field field,
                                          const struct vocab_value *value);
/* Its name in the file and at the API: that of its field, or "plate". */
const char *accuracy_field_name(const struct accuracy_filter *f);
void accuracy_free(struct accuracy **a); /* NULL is fine */

#endif
