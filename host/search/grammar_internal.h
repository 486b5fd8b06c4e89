/* SPDX-License-Identifier: Apache-2.0 */
/* grammar_internal.h - the parts of the grammar among themselves. The sentence is first made plain (letters
 * folded, signs kept), then read from left to right into items; dates, places and plates become tokens at
 * once, words of the vocabulary are kept as items until all are read, because a colour's meaning depends on
 * the nouns around it. */
#ifndef HOST_SEARCH_GRAMMAR_INTERNAL_H
#define HOST_SEARCH_GRAMMAR_INTERNAL_H

#include "host/search/grammar.h"

#define PLAIN_MAX (GRAMMAR_TEXT_MAX * 2u)
#define ITEMS_MAX 160u
#define DAYS_MAX  400u /* days of a case that a sentence can name */
#define BANDS_MAX 8u
#define PICKS_MAX 8u

/* The sentence in plain letters; signs that mean something stay: space ' - : / . , ? * + = ; '~' is a letter
 * of no word. at[i]: the byte of the sentence that plain[i] came from; at[n] its length. */
struct plain {
    unsigned n;
    char c[PLAIN_MAX + 1];
    uint16_t at[PLAIN_MAX + 1];
};

enum item_kind {
    ITEM_VALUE,
    ITEM_ROLE,
    ITEM_BREAK, /* comma */
    ITEM_OTHER  /* a date, place, plate ...: already a token */
};
struct item {
    enum item_kind kind;
    unsigned from, to;             /* in plain */
    const struct vocab_word *word; /* the first of n_same entries of one text and language */
    unsigned n_same;
    const struct vocab_word *other; /* another reading of the same text, or NULL */
    bool corrected;
};

struct band { /* hours of a day, in ms of local time; to may pass 24 h */
    int64_t from_ms, to_ms;
};
struct pick { /* a weekday whose date is settled at the end */
    int64_t day;
    unsigned token;
};
struct day_set { /* one bit per local day of the case, from first_day */
    bool asked;
    uint8_t in[DAYS_MAX], out[DAYS_MAX];
};

/* What the vocabulary has at one place of the sentence, by number of words: asked dozens of times per word.
 */
#define LOOKUPS 64u
struct lookup {
    unsigned at; /* place + 1; 0 = empty */
    unsigned to[VOCAB_WORDS_MAX];
    size_t n[VOCAB_WORDS_MAX];
    const struct vocab_word *words[VOCAB_WORDS_MAX];
};

struct place_names; /* grammar_place.c */
struct grammar {
    const struct grammar_input *in;
    struct grammar_result *r;
    struct plain plain;
    unsigned n_items;
    struct item items[ITEMS_MAX];
    struct lookup *lookups; /* LOOKUPS of them, by place modulo */
    bool full;              /* items or tokens ran out */
    enum err err;
    /* time */
    int64_t first_day, n_days; /* local days (since 1970) that the case touches */
    struct day_set days;
    unsigned n_bands, n_bands_out;
    struct band bands[BANDS_MAX], bands_out[BANDS_MAX];
    unsigned n_picks;
    struct pick picks[PICKS_MAX];
    bool has_exact; /* full moments "du 20/11 14h au 21/11 8h", already UTC */
    int64_t exact_from_ms, exact_to_ms;
    unsigned time_token;
    /* place */
    bool camera_asked;
    unsigned negated_list;           /* as camera_list, of what is excluded */
    unsigned camera_list;            /* items up to the last camera of an open list, 0 = none */
    uint8_t *camera_in, *camera_out; /* one per register camera */
    struct place_names *names;
    struct place_names *groups; /* one per saved group */
    uint8_t *place_words; /* a filter over the words of all names */
};

/* ---- grammar_text.c ---------------------------------------------------------------------------------- */
bool plain_make(const char *text, struct plain *out); /* false: too long */
bool plain_is_word(char c);                           /* letter, digit or '~' */
/* The word that starts at or after i, if only soft signs (space ' - _ .) lie before it. False: none. */
bool plain_next_word(const struct plain *p, unsigned i, unsigned *from, unsigned *to);
/* True when i is where a word begins. */
bool plain_word_starts(const struct plain *p, unsigned i);
/* The phrase of n words at i, words separated by one space; its end in *to. False: fewer words, or too long.
 */
bool plain_phrase(const struct plain *p, unsigned i, unsigned n, char out[static 96], unsigned *to);
/* End of the run of non-blank signs at i (a chunk: "AB-1?3-*", "14h-16h"). */
unsigned plain_chunk_end(const struct plain *p, unsigned i);
/* One insertion, deletion, change or swap apart (or equal). */
bool text_within_one(const char *a, const char *b);
/* As much of the text as fits, with its end. */
void text_copy(char *out, size_t cap, const char *text);

/* ---- grammar.c --------------------------------------------------------------------------------------- */
/* A fresh token over plain[from, to); NULL when there are too many. */
struct grammar_token *grammar_token_add(struct grammar *g, unsigned from, unsigned to,
                                        enum grammar_state state);
void grammar_item_add(struct grammar *g, struct item item);
/* All that the vocabulary knows at i, phrases of 1 to VOCAB_WORDS_MAX words. */
const struct lookup *grammar_lookup(const struct grammar *g, unsigned i);
/* A role phrase at i, in either language, the sentence's first; its end in *to. */
bool grammar_role_at(const struct grammar *g, unsigned i, const char *role, unsigned *to);
/* The item before is the role `name` (stop words between do not count). */
bool grammar_after_role(const struct grammar *g, const char *name);
/* Only commas and joining words stand between the first `list_end` items and here: "caméras 1, 2 et 3". */
bool grammar_goes_on(const struct grammar *g, unsigned list_end);
/* The day, hours or place about to become a token is excluded: "sauf mardi et jeudi". Call once, before its
 * item. */
bool grammar_negated(struct grammar *g);
void grammar_stop(struct grammar *g, enum grammar_stop stop, const struct grammar_token *t);

/* ---- what a position may hold; each gives the end of what it read, or 0 ------------------------------ */
unsigned grammar_read_time(struct grammar *g, unsigned i);     /* grammar_time.c */
unsigned grammar_read_duration(struct grammar *g, unsigned i); /* grammar_time.c */
unsigned grammar_read_place(struct grammar *g, unsigned i);    /* grammar_place.c */
unsigned grammar_read_plate(struct grammar *g, unsigned i);    /* grammar_plate.c */
void grammar_time_start(struct grammar *g);
void grammar_time_finish(struct grammar *g);
MUST_CHECK enum err grammar_place_start(struct grammar *g);
MUST_CHECK enum err grammar_place_finish(struct grammar *g);
void grammar_place_end(struct grammar *g);
/* Words of camera names one slip from `typed`; how many different ones, the last in out. */
unsigned grammar_place_slips(const struct grammar *g, const char *typed, char out[static 96]);
void grammar_take_place_slip(struct grammar *g, unsigned from, unsigned to, const char *word);

/* ---- grammar_words.c: what the items mean together --------------------------------------------------- */
void grammar_bind(struct grammar *g);

bool item_is_role(const struct item *it, const char *name);
bool value_is_colour(const struct vocab_word *w);

#endif
