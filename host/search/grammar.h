/* SPDX-License-Identifier: Apache-2.0 */
/* grammar.h - a sentence in French or English -> what it asks. A closed grammar over the closed vocabulary,
 * not a language model: every word kept becomes a token people can check, every word not kept is named, and
 * the same text always gives the same query. How sentences are read: host/DESIGN.md, "The sentence and the
 * search". Pure: no clock, no files but the time zone handed in. Threads: any. */
#ifndef HOST_SEARCH_GRAMMAR_H
#define HOST_SEARCH_GRAMMAR_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/base/vocab.h"
#include "host/base/zone.h"
#include "host/case/register.h"
#include "host/index/query.h"

#define GRAMMAR_TEXT_MAX     1000u /* bytes */
#define GRAMMAR_TOKENS_MAX   64u
#define GRAMMAR_READINGS_MAX 6u

struct grammar_input {
    const struct vocab *vocab;
    const char *text; /* UTF-8, ends with NUL */
    int language;   /* VOCAB_FR or VOCAB_EN: the page's; a sentence wholly in the other one is read in that */
    int64_t now_ms; /* "hier" */
    const struct zone *zone;
    int64_t from_ms, to_ms;       /* the case's period */
    const struct camera *cameras; /* all of the register, for names */
    unsigned n_cameras;
    const struct camera_group *groups; /* saved sets of cameras: their names are places too */
    unsigned n_groups;
    const uint16_t *allowed; /* camera numbers of the case */
    unsigned n_allowed;
};

enum grammar_state {
    GRAMMAR_USED,         /* filters */
    GRAMMAR_RANKS,        /* "peut-être": raises the rank, drops nothing */
    GRAMMAR_NOT_MEASURED, /* known, but not offered until its accuracy is measured */
    GRAMMAR_NOT_SEARCHED, /* known, but not in this combination: the colour of a bag */
    GRAMMAR_UNKNOWN,      /* not understood: named back, never guessed */
    GRAMMAR_AMBIGUOUS,    /* two readings one slip away: both offered, none taken */
    GRAMMAR_REFUSED,      /* never searched (users-and-law 2.2 rule 5): stops the search */
    GRAMMAR_OUTSIDE       /* outside the case's period or cameras: stops the search */
};
const char *grammar_state_name(enum grammar_state s); /* "ok", "ranks" ... the key in JSON */

struct grammar_reading {
    const struct vocab_value *value; /* or NULL, and then: */
    char text[40];                   /* a date, a camera */
};
struct grammar_token {
    uint16_t at, n_bytes; /* place in the sentence; n_bytes 0: implied by another word */
    enum grammar_state state;
    bool negated, only, sure, corrected, clipped;
    int group;         /* in the query; -1 = none */
    unsigned n_values; /* vocabulary tokens: any of these */
    const struct vocab_value *values[VOCAB_VALUES_MAX];
    char
        field[16]; /* "" for vocabulary tokens; else date, hours, camera, plate, duration, direction, order */
    char value[96];   /* of those; or the reason of a refusal */
    const char *note; /* "" or a message key: why it is not used as typed */
    unsigned n_readings;
    struct grammar_reading readings[GRAMMAR_READINGS_MAX];
};

enum grammar_stop {
    GRAMMAR_GOES,             /* the query is ready */
    GRAMMAR_STOP_REFUSED,     /* a refused word */
    GRAMMAR_STOP_PERIOD,      /* a date outside the case */
    GRAMMAR_STOP_CAMERAS,     /* a camera outside the case */
    GRAMMAR_STOP_NOTHING,     /* no word that can be searched */
    GRAMMAR_STOP_TWO_OBJECTS, /* a person and a vehicle described at once */
    GRAMMAR_STOP_TOO_LONG     /* more text, words or periods than one question may have */
};

struct grammar_result {
    enum grammar_stop stop;
    unsigned stop_token; /* the token that stopped it, when one did */
    int language;        /* in which it was read */
    struct query query;  /* limit and offset are the caller's */
    unsigned n_tokens;
    struct grammar_token tokens[GRAMMAR_TOKENS_MAX];
};

/* ERR_NOMEM only; whatever the text is, *out says what became of it. grammar_fini() in any case. */
MUST_CHECK enum err grammar_parse(const struct grammar_input *in, struct grammar_result *out);
void grammar_fini(struct grammar_result *r);

#endif
