/* SPDX-License-Identifier: Apache-2.0 */
/* vocab.h - the one closed vocabulary (host/vocabulary.json): ids, labels, synonyms, ONVIF names. Pipe, index,
 * grammar, server, page and export all read it; nothing else names a class, colour, garment or accessory.
 * A value is (field, id): field from enum field, id 1..1023, never reused. Id 1 is always `unknown` (looked at,
 * undecided) and 2 `not_estimated` (too small, too dark, not looked at); they are stored, never dropped.
 * Threads: immutable after vocab_load(). */
#ifndef HOST_BASE_VOCAB_H
#define HOST_BASE_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

/* Fixed numbers: they are in every database. Add at the end only. */
enum field {
    FIELD_NONE = 0,
    FIELD_CLASS = 1,          /* person, bicycle, motorcycle, car, van, bus, truck ... one per sighting */
    FIELD_VEHICLE_COLOUR = 2,
    FIELD_VEHICLE_TYPE = 3,   /* finer than the class: car.estate, truck.tipper ... */
    FIELD_MAKE_MODEL = 4,
    FIELD_UPPER_COLOUR = 5,
    FIELD_UPPER_KIND = 6,     /* top.jacket ... */
    FIELD_LOWER_COLOUR = 7,
    FIELD_LOWER_KIND = 8,     /* bottom.jeans ... */
    FIELD_ACCESSORY = 9,      /* any number per sighting */
    FIELD_SLEEVE = 10,
    FIELD_GRAIN = 11,
    FIELD_SHOE = 12,
    FIELD_SERVICE = 13,
    FIELD_EXTRA = 14,
    FIELD_COUNT
};

enum { VOCAB_UNKNOWN = 1, VOCAB_NOT_ESTIMATED = 2, VOCAB_FIRST = 3, VOCAB_MAX = 1023 };

/* Value number of the index's bitmaps. `sure` selects the second bit of a value (index.md section 7). */
static inline uint32_t vocab_number(enum field field, unsigned id, bool sure) {
    return (uint32_t)field << 10 | id | (sure ? 1u << 20 : 0u);
}

struct vocab;
struct vocab_value {
    enum field field;
    uint16_t id;
    const char *name;      /* "red", "bag.backpack"; unique within its field */
    const char *label_fr, *label_en;
    const char *onvif;     /* ONVIF name, "" when it has none */
    const char *criterion; /* legal switch: "vehicle.color" ... (users-and-law 4.3); "" = none needed */
    bool offered;          /* false = listed, but disabled until its accuracy is measured and good enough */
};

/* ERR_IO, ERR_CORRUPT (where and why are logged: file, entry). */
MUST_CHECK enum err vocab_load(const char *path, struct vocab **out);
void vocab_free(struct vocab **v);
/* NULL when there is none. Pointers live as long as the vocabulary. */
const struct vocab_value *vocab_by_id(const struct vocab *v, enum field field, unsigned id);
const struct vocab_value *vocab_by_name(const struct vocab *v, enum field field, const char *name);
const struct vocab_value *vocab_all(const struct vocab *v, size_t *n); /* ordered by field, id */
const char *field_name(enum field f); /* "vehicle_colour"; the key in JSON */
enum field field_by_name(const char *name); /* FIELD_NONE */

#endif
