/* SPDX-License-Identifier: Apache-2.0 */
/* grammar_plate.c - plates and pieces of plates in a sentence. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "host/search/grammar_internal.h"
#include "host/search/plate.h"

#define LETTERS_MAX 3u /* of an announced piece without any digit */
#define PIECE_MIN   3u /* characters of a plate nobody announced */

static const char *const kinds[] = {"plate_exact", "plate_near", "plate_starts",
                                    "plate_ends",  "plate_has",  "plate"};
enum { KIND_EXACT, KIND_NEAR, KIND_STARTS, KIND_ENDS, KIND_HAS, KIND_PLATE, N_KINDS };

static bool is_plate_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '?' || c == '*';
}

/* "ab 123 cd" or "1234 ab 06", with blanks or hyphens; the end of it, or 0. */
static unsigned spaced_plate(const struct plain *p, unsigned i, bool announced) {
    static const char *const shapes[] = {"aa-000-aa", "0000-aaa-00", "0000-aa-00", "000-aaa-00", "000-aa-00"};
    for (unsigned s = 0; s < (announced ? 5u : 1u); s++) {
        unsigned k = i;
        const char *c = shapes[s];
        for (; *c; c++) {
            if (*c == '-') {
                if (k < p->n && (p->c[k] == '-' || p->c[k] == ' ')) k++;
                continue;
            }
            if (k >= p->n ||
                (*c == 'a' ? !islower((unsigned char)p->c[k]) : !isdigit((unsigned char)p->c[k])))
                break;
            k++;
        }
        if (!*c && (k >= p->n || !is_plate_char(p->c[k]))) return k;
    }
    return 0;
}

/* A run of letters, digits, signs and hyphens; without the "?" that ends a question. */
static unsigned plate_chunk(const struct plain *p, unsigned i) {
    unsigned k = i, n_signs = 0, n_digits = 0;
    while (k < p->n && (is_plate_char(p->c[k]) || (p->c[k] == '-' && k > i))) {
        n_signs += p->c[k] == '*' || p->c[k] == '?';
        n_digits += isdigit((unsigned char)p->c[k]) != 0;
        k++;
    }
    while (k > i && p->c[k - 1] == '-') k--;
    if (k > i + 1 && p->c[k - 1] == '?' && n_signs == 1 && n_digits == 0) k--;
    if (k < p->n && p->c[k] != ' ' && p->c[k] != ',' && p->c[k] != '.' && p->c[k] != '?') return 0;
    return k > i ? k : 0;
}

/* Unannounced, a word is a plate only when nothing else reads it: some digit, or a sign inside it. */
static bool looks_like_plate(const struct grammar *g, unsigned from, unsigned to) {
    unsigned n = 0, n_digits = 0, n_letters = 0, n_signs = 0;
    char word[96];
    size_t n_found;
    for (unsigned i = from; i < to; i++) {
        char c = g->plain.c[i];
        n += c != '-';
        n_digits += isdigit((unsigned char)c) != 0;
        n_letters += islower((unsigned char)c) != 0;
        n_signs += c == '?' || c == '*';
    }
    if (n < PIECE_MIN || (n_digits == 0 && n_signs == 0) || (n_letters == 0 && n_signs == 0)) return false;
    if (n_letters + n_digits == 0) return false;
    for (unsigned k = VOCAB_WORDS_MAX; k > 0; k--) {
        unsigned end;
        if (plain_phrase(&g->plain, from, k, word, &end) && end >= to &&
            vocab_find(g->in->vocab, word, &n_found))
            return false; /* "4x4", "50 cm3" */
    }
    return true;
}

/* "plaque AB" is a piece of one, "plaque inconnue" is not. */
static bool may_be_plate(const struct grammar *g, unsigned from, unsigned to) {
    unsigned n_letters = 0;
    for (unsigned i = from; i < to; i++) {
        if (!islower((unsigned char)g->plain.c[i]) && g->plain.c[i] != '-') return true;
        n_letters += g->plain.c[i] != '-';
    }
    return n_letters <= LETTERS_MAX;
}

static void as_kind(struct query *q, const char *text, size_t n, unsigned kind) {
    char edges[PLATE_CHARS_MAX * 2 + 4];
    if (kind == KIND_STARTS || kind == KIND_ENDS) {
        int len = snprintf(edges, sizeof edges, "%s%.*s%s", kind == KIND_ENDS ? "*" : "", (int)n, text,
                           kind == KIND_STARTS ? "*" : "");
        if (len > 0 && (size_t)len < sizeof edges) (void)plate_parse(edges, (size_t)len, q);
    }
    bool whole = q->plate_mode == QUERY_PLATE_FUZZY;
    if (kind == KIND_EXACT && whole) q->plate_mode = QUERY_PLATE_EXACT;
    if (kind == KIND_NEAR && whole) q->max_slips = 1;
    if (kind == KIND_HAS && whole) {
        snprintf(edges, sizeof edges, "*%s*", q->plate);
        (void)plate_parse(edges, strlen(edges), q);
    }
}

unsigned grammar_read_plate(struct grammar *g, unsigned i) {
    unsigned kind = N_KINDS, at = i, to = 0, best = 0;
    for (unsigned k = 0; k < N_KINDS; k++)
        if (grammar_role_at(g, i, kinds[k], &to) && to > best) {
            best = to;
            kind = k;
        }
    bool announced = kind < N_KINDS;
    if (announced) {
        at = best;
        while (at < g->plain.n && (g->plain.c[at] == ' ' || g->plain.c[at] == ':')) at++;
        unsigned stop;
        while (grammar_role_at(g, at, "stop", &stop) && stop < g->plain.n && g->plain.c[stop] == ' ' &&
               !spaced_plate(&g->plain, at, true))
            at = stop + 1;
    }
    to = spaced_plate(&g->plain, at, announced);
    if (!to) {
        to = plate_chunk(&g->plain, at);
        if (!to || (announced ? !may_be_plate(g, at, to) : !looks_like_plate(g, at, to))) return 0;
    }
    struct query q = {0};
    if (!plate_parse(g->plain.c + at, to - at, &q)) return 0;
    if (announced) as_kind(&q, g->plain.c + at, to - at, kind);
    struct grammar_token *t = grammar_token_add(g, i, to, GRAMMAR_USED);
    grammar_item_add(g, (struct item){.kind = ITEM_OTHER, .from = i, .to = to});
    if (!t) return to;
    strcpy(t->field, "plate");
    text_copy(t->value, sizeof t->value, q.plate);
    if (g->r->query.plate_mode != QUERY_PLATE_NONE) {
        t->state = GRAMMAR_NOT_SEARCHED;
        t->note = "one_plate_only";
        return to;
    }
    g->r->query.plate_mode = q.plate_mode;
    g->r->query.max_slips = q.max_slips;
    memcpy(g->r->query.plate, q.plate, sizeof q.plate);
    return to;
}
