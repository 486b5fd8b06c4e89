/* SPDX-License-Identifier: Apache-2.0 */
#include "host/search/grammar.h"

#include <stdlib.h>
#include <string.h>

#include "host/search/grammar_internal.h"

#define SLIP_WORD_MIN      4u /* letters: below that, everything is one slip from everything */
#define SLIP_IN_PHRASE_MIN 3u

const char *grammar_state_name(enum grammar_state s) {
    static const char *const names[] = {"ok",      "ranks",     "not_measured", "not_searched",
                                        "unknown", "ambiguous", "refused",      "outside"};
    return names[s];
}

void grammar_stop(struct grammar *g, enum grammar_stop stop, const struct grammar_token *t) {
    if (g->r->stop == GRAMMAR_STOP_REFUSED) return; /* the gravest reason is the one told */
    if (g->r->stop != GRAMMAR_GOES && stop != GRAMMAR_STOP_REFUSED) return;
    g->r->stop = stop;
    g->r->stop_token = t ? (unsigned)(t - g->r->tokens) : 0;
}

struct grammar_token *grammar_token_add(struct grammar *g, unsigned from, unsigned to,
                                        enum grammar_state state) {
    if (g->r->n_tokens == GRAMMAR_TOKENS_MAX) {
        g->full = true;
        return NULL;
    }
    struct grammar_token *t = &g->r->tokens[g->r->n_tokens++];
    *t = (struct grammar_token){.at = g->plain.at[from], .state = state, .group = -1, .note = ""};
    t->n_bytes = (uint16_t)(g->plain.at[to] - t->at);
    return t;
}

void grammar_item_add(struct grammar *g, struct item item) {
    if (g->n_items == ITEMS_MAX)
        g->full = true;
    else
        g->items[g->n_items++] = item;
}

bool item_is_role(const struct item *it, const char *name) {
    if (it->kind != ITEM_ROLE) return false;
    for (unsigned i = 0; i < it->n_same; i++)
        if (strcmp(it->word[i].name, name) == 0) return true;
    return false;
}

const struct lookup *grammar_lookup(const struct grammar *g, unsigned i) {
    struct lookup *l = &g->lookups[i % LOOKUPS];
    char text[96];
    if (l->at == i + 1) return l;
    *l = (struct lookup){.at = i + 1};
    for (unsigned k = 0; k < VOCAB_WORDS_MAX; k++) {
        if (!plain_phrase(&g->plain, i, k + 1, text, &l->to[k])) break;
        l->words[k] = vocab_find(g->in->vocab, text, &l->n[k]);
    }
    return l;
}

bool grammar_role_at(const struct grammar *g, unsigned i, const char *role, unsigned *to) {
    const struct lookup *l = grammar_lookup(g, i);
    for (unsigned k = VOCAB_WORDS_MAX; k > 0; k--)
        for (size_t m = 0; m < l->n[k - 1]; m++) {
            const struct vocab_word *w = &l->words[k - 1][m];
            if (w->sense != VOCAB_ROLE || strcmp(w->name, role) != 0) continue;
            *to = l->to[k - 1];
            return true;
        }
    return false;
}

bool grammar_after_role(const struct grammar *g, const char *name) {
    for (unsigned i = g->n_items; i > 0; i--) {
        if (item_is_role(&g->items[i - 1], name)) return true;
        if (!item_is_role(&g->items[i - 1], "stop")) return false;
    }
    return false;
}

bool grammar_goes_on(const struct grammar *g, unsigned list_end) {
    unsigned i = g->n_items;
    while (i > 0 && (g->items[i - 1].kind == ITEM_BREAK || item_is_role(&g->items[i - 1], "and") ||
                     item_is_role(&g->items[i - 1], "or") || item_is_role(&g->items[i - 1], "stop")))
        i--;
    return i > 0 && i < g->n_items && list_end == i;
}

bool grammar_negated(struct grammar *g) {
    bool negated = grammar_after_role(g, "not") || grammar_goes_on(g, g->negated_list);
    if (negated) g->negated_list = g->n_items + 1; /* the item about to be added */
    return negated;
}

/* ---- which language is this in? ---------------------------------------------------------------------- */

/* The page's, unless more words belong to the other language alone: "red car" on a French page means a car,
 * not a coach. */
static int language_of(const struct grammar *g) {
    unsigned only_fr = 0, only_en = 0, to;
    char text[96];
    for (unsigned i = 0; i < g->plain.n; i++) {
        size_t n;
        if (!plain_word_starts(&g->plain, i) || !plain_phrase(&g->plain, i, 1, text, &to)) continue;
        const struct vocab_word *w = vocab_find(g->in->vocab, text, &n);
        int seen = 0;
        for (size_t k = 0; k < n; k++) seen |= w[k].language;
        if (seen == VOCAB_FR) only_fr++;
        if (seen == VOCAB_EN) only_en++;
    }
    if (only_fr == only_en) return g->in->language;
    return only_fr > only_en ? VOCAB_FR : VOCAB_EN;
}

/* ---- words of the vocabulary ------------------------------------------------------------------------- */

static bool same_reading(const struct vocab_word *a, const struct vocab_word *b) {
    return a->sense == b->sense && strcmp(a->name, b->name) == 0 &&
           memcmp(a->values, b->values, sizeof a->values) == 0;
}

/* Entries of one text are side by side, French first. Takes the sentence's language when it has the word. */
static struct item choose(const struct grammar *g, const struct vocab_word *w, size_t n) {
    struct item it = {0};
    int language = g->r->language;
    bool has = false;
    for (size_t i = 0; i < n; i++) has = has || w[i].language == language;
    if (!has) language = w[0].language;
    for (size_t i = 0; i < n; i++) {
        if (w[i].language != language) continue;
        if (!it.word) it.word = &w[i];
        it.n_same++;
    }
    for (size_t i = 0; i < n && it.word->sense == VOCAB_VALUE; i++)
        if (w[i].sense == VOCAB_VALUE && !same_reading(&w[i], it.word)) it.other = &w[i];
    it.kind = it.word->sense == VOCAB_ROLE ? ITEM_ROLE : ITEM_VALUE;
    return it;
}

static bool word_is_known(const struct grammar *g, const char *word) {
    size_t n;
    return vocab_find(g->in->vocab, word, &n) != NULL;
}

/* Words of the phrase at i equal those of `text`, but for one slip in one word that means nothing by itself.
 */
static bool phrase_slips(const struct grammar *g, unsigned i, const struct vocab_word *w, unsigned *to) {
    const char *p = w->text;
    unsigned slips = 0, from, end = i;
    for (unsigned k = 0; k < w->n_words; k++) {
        char asked[96], typed[96];
        size_t n = strcspn(p, " ");
        memcpy(asked, p, n);
        asked[n] = '\0';
        p += n + (p[n] == ' ');
        if (!plain_next_word(&g->plain, end, &from, &end) || end - from >= sizeof typed) return false;
        if (k == 0 && from != i) return false;
        memcpy(typed, g->plain.c + from, end - from);
        typed[end - from] = '\0';
        if (strcmp(asked, typed) == 0) continue;
        if (slips++ || n < SLIP_IN_PHRASE_MIN || word_is_known(g, typed) || !text_within_one(asked, typed))
            return false;
    }
    *to = end;
    return slips == 1;
}

struct slips {
    unsigned n_readings;
    const struct vocab_word *reading[GRAMMAR_READINGS_MAX];
    unsigned to;
};

static void slips_add(struct slips *s, const struct vocab_word *w, unsigned to) {
    for (unsigned i = 0; i < s->n_readings; i++)
        if (same_reading(s->reading[i], w)) return;
    if (s->n_readings < GRAMMAR_READINGS_MAX) s->reading[s->n_readings++] = w;
    s->to = to;
}

/* Readings one slip away from what stands at i, longer than `n_words` words. A refused word is never guessed:
 * a harmless word must not be answered with a refusal. */
static void find_slips(const struct grammar *g, unsigned i, unsigned n_words, int language,
                       struct slips *out) {
    size_t n, n_same;
    const struct vocab_word *w = vocab_words(g->in->vocab, &n);
    char typed[96];
    unsigned to;
    out->n_readings = 0;
    if (!plain_phrase(&g->plain, i, 1, typed, &to)) return;
    size_t n_typed = strlen(typed);
    /* A first word that is right: only the phrases that begin with it, which stand side by side behind it. */
    const struct vocab_word *same = vocab_find(g->in->vocab, typed, &n_same);
    for (size_t k = same ? (size_t)(same - w) : 0; k < n; k++) {
        if (same && strncmp(w[k].text, typed, n_typed) != 0) break;
        if (w[k].language != language || w[k].sense == VOCAB_REFUSED || w[k].n_words <= n_words) continue;
        if (w[k].n_words > 1) {
            unsigned end;
            if (phrase_slips(g, i, &w[k], &end)) slips_add(out, &w[k], end);
        } else if (n_typed >= SLIP_WORD_MIN && strlen(w[k].text) >= SLIP_WORD_MIN &&
                   text_within_one(typed, w[k].text)) {
            slips_add(out, &w[k], to);
        }
    }
}

static void add_refused(struct grammar *g, unsigned from, unsigned to, const char *reason) {
    struct grammar_token *t = grammar_token_add(g, from, to, GRAMMAR_REFUSED);
    if (!t) return;
    text_copy(t->value, sizeof t->value, reason);
    grammar_stop(g, GRAMMAR_STOP_REFUSED, t);
}

static unsigned take_slip(struct grammar *g, unsigned i, unsigned n_words) {
    struct slips s;
    find_slips(g, i, n_words, g->r->language, &s);
    if (s.n_readings == 0) find_slips(g, i, n_words, VOCAB_FR + VOCAB_EN - g->r->language, &s);
    char place[96], typed[96];
    unsigned n_places = 0, word_to;
    if (n_words == 0 && plain_phrase(&g->plain, i, 1, typed, &word_to))
        n_places = grammar_place_slips(g, typed, place);
    if (s.n_readings + n_places == 0) return 0;
    if (n_places == 1 && s.n_readings == 0) {
        grammar_take_place_slip(g, i, word_to, place);
        return word_to;
    }
    if (s.n_readings == 1 && n_places == 0) {
        size_t n;
        const struct vocab_word *w = vocab_find(g->in->vocab, s.reading[0]->text, &n);
        struct item it = choose(g, w, n);
        it.from = i;
        it.to = s.to;
        it.corrected = true;
        grammar_item_add(g, it);
        return s.to;
    }
    if (s.n_readings == 0) s.to = word_to;
    struct grammar_token *t = grammar_token_add(g, i, s.to, GRAMMAR_AMBIGUOUS);
    if (!t) return s.to;
    for (unsigned k = 0; k < s.n_readings; k++) {
        struct grammar_reading *r = &t->readings[t->n_readings++];
        r->value = s.reading[k]->n_values ? s.reading[k]->values[0] : NULL;
        text_copy(r->text, sizeof r->text, s.reading[k]->text);
    }
    if (n_places && t->n_readings < GRAMMAR_READINGS_MAX) {
        struct grammar_reading *r = &t->readings[t->n_readings++];
        text_copy(r->text, sizeof r->text, place);
    }
    grammar_item_add(g, (struct item){.kind = ITEM_OTHER, .from = i, .to = s.to});
    return s.to;
}

static unsigned read_word(struct grammar *g, unsigned i) {
    unsigned to;
    const struct lookup *l = grammar_lookup(g, i);
    for (unsigned k = VOCAB_WORDS_MAX; k > 0; k--) {
        if (!l->words[k - 1]) continue;
        unsigned longer = k == 1 ? take_slip(g, i, k) : 0; /* "sac à dso" is more than "sac" */
        if (longer) return longer;
        struct item it = choose(g, l->words[k - 1], l->n[k - 1]);
        it.from = i;
        it.to = l->to[k - 1];
        if (it.word->sense == VOCAB_REFUSED)
            add_refused(g, i, it.to, it.word->name);
        else
            grammar_item_add(g, it);
        return it.to;
    }
    to = take_slip(g, i, 0);
    if (to) return to;
    to = i;
    while (to < g->plain.n && plain_is_word(g->plain.c[to])) to++;
    bool is_place = grammar_after_role(g, "camera");
    struct grammar_token *t = grammar_token_add(g, i, to, is_place ? GRAMMAR_OUTSIDE : GRAMMAR_UNKNOWN);
    if (t && is_place) { /* a place nobody knows must not widen the search to all places */
        strcpy(t->field, "camera");
        t->note = "no_such_camera";
        grammar_stop(g, GRAMMAR_STOP_CAMERAS, t);
    }
    grammar_item_add(g, (struct item){.kind = ITEM_OTHER, .from = i, .to = to});
    return to;
}

/* "*2CD", "?B1?34?" */
static bool starts_with_sign(const struct grammar *g, unsigned i) {
    return (g->plain.c[i] == '*' || g->plain.c[i] == '?') && (i == 0 || g->plain.c[i - 1] == ' ');
}

static void read_all(struct grammar *g) {
    unsigned i = 0;
    while (i < g->plain.n && !g->full) {
        unsigned to = 0;
        char c = g->plain.c[i];
        if (c == ',') grammar_item_add(g, (struct item){.kind = ITEM_BREAK, .from = i, .to = i + 1});
        if (plain_word_starts(&g->plain, i)) {
            to = grammar_read_duration(g, i);
            if (!to) to = grammar_read_place(g, i);
            if (!to) to = grammar_read_time(g, i);
        }
        if (!to && (plain_word_starts(&g->plain, i) || starts_with_sign(g, i))) to = grammar_read_plate(g, i);
        if (!to && plain_word_starts(&g->plain, i)) to = read_word(g, i);
        i = to > i ? to : i + 1;
    }
}

static int by_place(const void *a, const void *b) {
    const struct grammar_token *x = a, *y = b;
    if (x->at != y->at) return (int)x->at - (int)y->at;
    return (int)y->n_bytes - (int)x->n_bytes; /* what is implied follows what implies it */
}

/* In the order of the sentence; the stop token stays the one it was. */
static void order_tokens(struct grammar_result *r) {
    struct grammar_token stop = r->tokens[r->stop_token < r->n_tokens ? r->stop_token : 0];
    qsort(r->tokens, r->n_tokens, sizeof *r->tokens, by_place);
    for (unsigned i = 0; i < r->n_tokens; i++)
        if (r->tokens[i].at == stop.at && r->tokens[i].n_bytes == stop.n_bytes &&
            r->tokens[i].state == stop.state) {
            r->stop_token = i;
            return;
        }
}

static bool anything_asked(const struct grammar_result *r) {
    for (unsigned i = 0; i < r->n_tokens; i++)
        if (r->tokens[i].state == GRAMMAR_USED || r->tokens[i].state == GRAMMAR_RANKS) return true;
    return false;
}

enum err grammar_parse(const struct grammar_input *in, struct grammar_result *out) {
    memset(out, 0, sizeof *out);
    out->language = in->language;
    struct grammar *g = calloc(1, sizeof *g);
    if (!g) return ERR_NOMEM;
    g->in = in;
    g->r = out;
    g->lookups = calloc(LOOKUPS, sizeof *g->lookups);
    if (!g->lookups) {
        free(g);
        return ERR_NOMEM;
    }
    if (!plain_make(in->text, &g->plain)) {
        out->stop = GRAMMAR_STOP_TOO_LONG;
        free(g->lookups);
        free(g);
        return OK;
    }
    out->language = language_of(g);
    grammar_time_start(g);
    enum err e = grammar_place_start(g);
    if (!e) read_all(g);
    if (!e) e = g->err;
    if (!e) {
        grammar_bind(g);
        grammar_time_finish(g);
        e = grammar_place_finish(g);
    }
    if (g->full) out->stop = GRAMMAR_STOP_TOO_LONG;
    order_tokens(out);
    if (out->stop == GRAMMAR_GOES && !anything_asked(out)) out->stop = GRAMMAR_STOP_NOTHING;
    grammar_place_end(g);
    free(g->lookups);
    free(g);
    return e;
}

void grammar_fini(struct grammar_result *r) {
    if (r) query_fini(&r->query);
}
