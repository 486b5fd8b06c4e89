/* SPDX-License-Identifier: Apache-2.0 */
/* A path through the columns visits, for a form of n characters, the states
 *     blank 0, character 1, blank 1, character 2 .. character n, blank n
 * in order; a blank between two different characters may be left out, as in CTC. The outer blanks may also
 * take whatever is there at a price: that swallows the blue band, its letters and the frame. The path of the
 * largest sum wins (Viterbi). Every form is tried, and the free one, whose places take any character. */
#include "host/pipe/plate_text.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define SWALLOW    1.5f /* price of a column that an outer blank swallows */
#define FORM_BONUS 6.0f /* how much worse than a free reading a form may be and still win */
#define NEVER      (-1e30f)
#define LENGTH_OFF 3u /* a form this much longer or shorter than what is seen cannot win: not tried */

/* A letter, S a letter of the French SIV (no I, O, U), 9 a digit, D a department's digit. */
static const struct form {
    const char *country, *places;
    float price; /* per path: rarer forms must fit better */
} forms[] = {
    {"F", "SS999SS", 0.0f},  {"F", "999SSS99", 1.0f},  {"F", "9999SS99", 1.0f}, {"F", "999SS99", 1.0f},
    {"F", "99SS99", 1.5f},   {"*", "AA999AA", 1.0f},   {"SK", "AA999AA", 0.3f}, {"I", "AA999AA", 0.3f},
    {"CZ", "9A99999", 0.3f}, {"CZ", "AAA9999", 0.5f},  {"PL", "AAA9999", 0.5f}, {"GB", "AA99AAA", 0.3f},
    {"E", "9999AAA", 0.3f},  {"D", "AAA999", 0.8f},    {"D", "AAAA99", 0.8f},   {"D", "AAAA999", 0.8f},
    {"D", "AA999", 0.8f},    {"D", "AAAAA99", 0.8f},   {"D", "AAAAA999", 0.8f}, {"D", "AAA99", 0.8f},
    {"D", "AA9999", 0.8f},   {"D", "AAA9999", 0.8f},   {"D", "AAAA9999", 0.8f}, {"PL", "AA99999", 0.5f},
    {"B", "9AAA999", 0.3f},  {"RO", "A999AAA", 0.5f},  {"RO", "AA99AAA", 0.5f}, {"RO", "A99AAA", 0.5f},
    {"NL", "AA999A", 0.5f},  {"NL", "99AAA9", 0.5f},   {"P", "99AA99", 1.0f},   {"S", "AAA999", 0.8f},
    {"H", "AAA999", 0.8f},   {"CH", "AA999999", 0.8f}, {"L", "AA9999", 0.8f},   {"A", "A99999A", 0.8f},
};
enum { N_FORMS = sizeof forms / sizeof forms[0] };

char plate_text_char(unsigned i) {
    return i < PLATE_ALPHABET ? "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i] : '?';
}

static bool place_takes(char place, unsigned character) {
    const char c = plate_text_char(character);
    switch (place) {
    case '9':
        return c <= '9';
    case 'A':
        return c >= 'A';
    case 'S':
        return c >= 'A' && c != 'I' && c != 'O' && c != 'U';
    default:
        return true;
    }
}

/* ---- the best path of one form ---- */

enum { FROM_SAME, FROM_BLANK, FROM_CHAR };

/* Where each state of each column came from; characters also say which character was before. */
struct trace {
    uint8_t blank[PLATE_COLUMNS][PLATE_TEXT_MAX + 1]; /* FROM_SAME, or FROM_CHAR */
    uint8_t blank_char[PLATE_COLUMNS][PLATE_TEXT_MAX + 1];
    uint8_t how[PLATE_COLUMNS][PLATE_TEXT_MAX][PLATE_ALPHABET];
    uint8_t before[PLATE_COLUMNS][PLATE_TEXT_MAX][PLATE_ALPHABET];
};

/* What a path says of each column: the place (1..n) and its character, or 0 = blank. */
struct path {
    float sum;
    uint8_t place[PLATE_COLUMNS];
    uint8_t character[PLATE_TEXT_MAX];
};

struct columns {
    const float (*log_p)[PLATE_CLASSES];
    float best[PLATE_COLUMNS];   /* largest of each column */
    float zero_o[PLATE_COLUMNS]; /* 0 or O: one glyph on many plates, so only the place tells which */
};

enum { ZERO = 0, O = 10 + 'O' - 'A' };

static float emission(const struct columns *c, unsigned t, unsigned character) {
    return character == ZERO || character == O ? c->zero_o[t] : c->log_p[t][character + 1];
}

static float outer_blank(const struct columns *c, unsigned t) {
    return fmaxf(c->log_p[t][0], c->best[t] - SWALLOW);
}

/* The two best characters of a place in one column: a different one than `not`. */
struct two {
    float v[2];
    uint8_t k[2];
};

static struct two best_two(const float v[PLATE_ALPHABET]) {
    struct two b = {{NEVER, NEVER}, {0, 0}};
    for (unsigned k = 0; k < PLATE_ALPHABET; k++) {
        if (v[k] > b.v[0]) {
            b.v[1] = b.v[0];
            b.k[1] = b.k[0];
            b.v[0] = v[k];
            b.k[0] = (uint8_t)k;
        } else if (v[k] > b.v[1]) {
            b.v[1] = v[k];
            b.k[1] = (uint8_t)k;
        }
    }
    return b;
}

static void walk_back(const struct trace *tr, unsigned n, bool at_blank, unsigned character,
                      struct path *out) {
    unsigned place = n; /* blank `place`, or character `place` (1..n) */
    for (unsigned t = PLATE_COLUMNS; t-- > 0;) {
        out->place[t] = at_blank ? 0 : (uint8_t)place;
        if (at_blank) {
            if (tr->blank[t][place] == FROM_CHAR) {
                character = tr->blank_char[t][place];
                at_blank = false;
            }
            continue;
        }
        out->character[place - 1] = (uint8_t)character;
        const uint8_t how = tr->how[t][place - 1][character];
        if (how == FROM_SAME) continue;
        character = tr->before[t][place - 1][character];
        place--;
        at_blank = how == FROM_BLANK;
    }
}

static void best_path(const struct columns *c, const char *places, struct path *out) {
    struct trace tr;
    float blank[PLATE_TEXT_MAX + 1], chars[PLATE_TEXT_MAX][PLATE_ALPHABET];
    const unsigned n = (unsigned)strlen(places);
    for (unsigned k = 0; k <= n; k++) blank[k] = NEVER;
    for (unsigned k = 0; k < n; k++)
        for (unsigned a = 0; a < PLATE_ALPHABET; a++) chars[k][a] = NEVER;
    memset(&tr, 0, sizeof tr);
    blank[0] = 0.0f;
    for (unsigned t = 0; t < PLATE_COLUMNS; t++) {
        /* From the last place to the first, so that what is read is still the column before. */
        for (unsigned k = n + 1; k-- > 0;) {
            struct two same = {{NEVER, NEVER}, {0, 0}}, last = same;
            if (k > 0) same = best_two(chars[k - 1]);
            if (k > 1) last = best_two(chars[k - 2]);
            const float stay = blank[k], emit = k == 0 || k == n ? outer_blank(c, t) : c->log_p[t][0];
            if (k > 0) {
                const float before = blank[k - 1];
                for (unsigned a = 0; a < PLATE_ALPHABET; a++) {
                    if (!place_takes(places[k - 1], a)) continue;
                    const unsigned other = last.k[0] == a ? 1 : 0;
                    float best = chars[k - 1][a];
                    uint8_t how = FROM_SAME, who = 0;
                    if (before > best) {
                        best = before;
                        how = FROM_BLANK;
                    }
                    if (last.v[other] > best) {
                        best = last.v[other];
                        how = FROM_CHAR;
                        who = last.k[other];
                    }
                    tr.how[t][k - 1][a] = how;
                    tr.before[t][k - 1][a] = who;
                    chars[k - 1][a] = best + emission(c, t, a);
                }
            }
            tr.blank[t][k] = same.v[0] > stay ? FROM_CHAR : FROM_SAME;
            tr.blank_char[t][k] = same.k[0];
            blank[k] = fmaxf(stay, same.v[0]) + emit;
        }
    }
    const struct two end = best_two(chars[n - 1]);
    const bool at_blank = blank[n] >= end.v[0];
    out->sum = at_blank ? blank[n] : end.v[0];
    walk_back(&tr, n, at_blank, end.k[0], out);
}

/* ---- shares, and the choice ---- */

static void shares_of(const struct columns *c, const char *places, const struct path *p,
                      struct plate_guess *out) {
    const unsigned n = (unsigned)strlen(places);
    memset(out->share, 0, sizeof out->share);
    for (unsigned t = 0; t < PLATE_COLUMNS; t++) {
        if (p->place[t] == 0) continue;
        const unsigned k = p->place[t] - 1u;
        const bool both = place_takes(places[k], ZERO) && place_takes(places[k], O);
        for (unsigned a = 0; a < PLATE_ALPHABET; a++)
            if (place_takes(places[k], a))
                out->share[k][a] += expf(both ? c->log_p[t][a + 1] : emission(c, t, a));
    }
    for (unsigned k = 0; k < n; k++) {
        float sum = 0.0f;
        for (unsigned a = 0; a < PLATE_ALPHABET; a++) sum += out->share[k][a];
        for (unsigned a = 0; a < PLATE_ALPHABET && sum > 0.0f; a++) out->share[k][a] /= sum;
    }
}

/* Greedy reading: what the largest class of each column says, repeats and blanks dropped. Gives its length;
 * the sum is that of the largest classes. */
static unsigned free_length(const struct columns *c, float *sum) {
    unsigned n = 0, last = 0;
    *sum = 0.0f;
    for (unsigned t = 0; t < PLATE_COLUMNS; t++) {
        unsigned best = 0;
        for (unsigned k = 1; k < PLATE_CLASSES; k++)
            if (c->log_p[t][k] > c->log_p[t][best]) best = k;
        *sum += c->best[t];
        n += best != 0 && best != last;
        last = best;
    }
    return n;
}

void plate_text_read(const float log_p[PLATE_COLUMNS][PLATE_CLASSES], struct plate_guess *out) {
    static const char any[] = "?????????";
    struct columns c = {.log_p = log_p};
    struct path best, one;
    const char *places = NULL;
    float sum = NEVER, free_sum;
    *out = (struct plate_guess){0};
    for (unsigned t = 0; t < PLATE_COLUMNS; t++) {
        c.best[t] = log_p[t][0];
        for (unsigned k = 1; k < PLATE_CLASSES; k++) c.best[t] = fmaxf(c.best[t], log_p[t][k]);
        c.zero_o[t] = logf(expf(log_p[t][ZERO + 1]) + expf(log_p[t][O + 1]));
    }
    const unsigned n = free_length(&c, &free_sum);
    for (unsigned i = 0; i < N_FORMS; i++) {
        bool done = false; /* a form of another country with the same places */
        for (unsigned k = 0; k < i && !done; k++) done = strcmp(forms[k].places, forms[i].places) == 0;
        const unsigned places_n = (unsigned)strlen(forms[i].places);
        if (done || places_n + LENGTH_OFF < n || places_n > n + LENGTH_OFF) continue;
        best_path(&c, forms[i].places, &one);
        if (one.sum - forms[i].price <= sum) continue;
        sum = one.sum - forms[i].price;
        best = one;
        places = forms[i].places;
        out->form = (uint8_t)(i + 1);
    }
    if (!places || sum < free_sum - FORM_BONUS) {
        if (n < PLATE_TEXT_MIN || n > PLATE_TEXT_MAX) {
            *out = (struct plate_guess){0};
            return;
        }
        places = any + PLATE_TEXT_MAX - n;
        best_path(&c, places, &best);
        out->form = 0;
    }
    out->n_chars = (uint8_t)strlen(places);
    out->score = best.sum / PLATE_COLUMNS;
    shares_of(&c, places, &best, out);
}

static bool fits(const char *places, const char *text) {
    if (strlen(places) != strlen(text)) return false;
    for (size_t i = 0; text[i]; i++) {
        unsigned a = 0;
        while (a < PLATE_ALPHABET && plate_text_char(a) != text[i]) a++;
        if (a == PLATE_ALPHABET || !place_takes(places[i], a)) return false;
    }
    return true;
}

const char *plate_text_country(const char *text) {
    const char *country = "";
    for (unsigned i = 0; i < N_FORMS; i++) {
        if (!fits(forms[i].places, text)) continue;
        if (*country && strcmp(country, forms[i].country) != 0) return "";
        country = forms[i].country;
    }
    return country;
}
