/* SPDX-License-Identifier: Apache-2.0 */
/* vocab.h - the one closed vocabulary (host/vocabulary.json): ids, labels, synonyms, ONVIF names. Pipe,
 * index, grammar, server, page and export all read it; nothing else names a class, colour, garment or
 * accessory. A value is (field, id): field from enum field, id 1..1023, never reused. Id 1 is always
 * `unknown` (looked at, undecided) and 2 `not_estimated` (too small, too dark, not looked at); they are
 * stored, never dropped. Threads: immutable after vocab_load(). */
#ifndef HOST_BASE_VOCAB_H
#define HOST_BASE_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

/* Fixed numbers: they are in every database. Add at the end only. */
enum field {
    FIELD_NONE = 0,
    FIELD_CLASS = 1, /* person, bicycle, motorcycle, car, van, bus, truck ... one per sighting */
    FIELD_VEHICLE_COLOUR = 2,
    FIELD_VEHICLE_TYPE = 3, /* finer than the class: car.estate, truck.tipper ... */
    FIELD_MAKE_MODEL = 4,
    FIELD_UPPER_COLOUR = 5,
    FIELD_UPPER_KIND = 6, /* top.jacket ... */
    FIELD_LOWER_COLOUR = 7,
    FIELD_LOWER_KIND = 8, /* bottom.jeans ... */
    FIELD_ACCESSORY = 9,  /* any number per sighting */
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
    const char *name; /* "red", "bag.backpack"; unique within its field */
    const char *label_fr, *label_en;
    const char *onvif;     /* ONVIF name, "" when it has none */
    const char *criterion; /* legal switch: "vehicle.color" ... (users-and-law 4.3); "" = none needed */
    bool offered;          /* false = listed, but disabled until its accuracy is measured and good enough */
    bool skin_when_bare;   /* this colour beside "personne" would speak of skin: refused there */
    uint16_t class_id;     /* FIELD_VEHICLE_TYPE: the class it belongs to; 0 = none */
    uint16_t see_also[3];  /* same field; measured confusions worth offering; 0 ends the list */
    uint16_t
        seen_as[3]; /* same field; what today's detector calls it while it is not offered; 0 ends the list */
};

/* A word or phrase of the closed lists, in the plain form of host/base/fold.h. */
enum vocab_sense {
    VOCAB_VALUE,   /* values[]: any of them (a colour: the same name in each colour field; a group: "sac") */
    VOCAB_REFUSED, /* name = the reason: "sex", "age", "skin" ... (users-and-law 2.2 rule 5) */
    VOCAB_ROLE     /* name = what it does in a sentence: "only", "or", "monday", "plate" ... */
};
enum { VOCAB_FR = 1, VOCAB_EN = 2 };
#define VOCAB_WORDS_MAX  6u  /* words in one phrase */
#define VOCAB_VALUES_MAX 12u /* readings of one phrase */
struct vocab_word {
    const char *text;
    uint8_t language; /* VOCAB_FR or VOCAB_EN */
    uint8_t n_words;
    enum vocab_sense sense;
    const char *name; /* value, group, reason or role */
    unsigned n_values;
    const struct vocab_value *values[VOCAB_VALUES_MAX];
};

/* ERR_IO, ERR_CORRUPT (where and why are logged: file, entry). */
MUST_CHECK enum err vocab_load(const char *path, struct vocab **out);
void vocab_free(struct vocab **v);
/* NULL when there is none. Pointers live as long as the vocabulary. */
const struct vocab_value *vocab_by_id(const struct vocab *v, enum field field, unsigned id);
const struct vocab_value *vocab_by_name(const struct vocab *v, enum field field, const char *name);
const struct vocab_value *vocab_all(const struct vocab *v, size_t *n); /* ordered by field, id */
/* Every entry of both languages whose text is exactly this (plain form), side by side; NULL when there is
 * none. */
const struct vocab_word *vocab_find(const struct vocab *v, const char *text, size_t *n);
/* All words, ordered by text; for the search of typing slips. */
const struct vocab_word *vocab_words(const struct vocab *v, size_t *n);
/* The field as people read it ("couleur du haut"), in VOCAB_FR or VOCAB_EN. */
const char *vocab_field_label(const struct vocab *v, enum field field, int language);
/* The legal switch of a whole field. */
const char *vocab_field_criterion(const struct vocab *v, enum field field);
/* Characters of plates that are mistaken for each other, as strings "0OQD", "1IL"; NULL-terminated. */
const char *const *vocab_confusable(const struct vocab *v);
const char *field_name(enum field f);       /* "vehicle_colour"; the key in JSON */
enum field field_by_name(const char *name); /* FIELD_NONE */

#endif
