/* SPDX-License-Identifier: Apache-2.0 */
/* grammar_words.c - what the words mean together: which garment or vehicle a colour belongs to, what is
 * negated, what is joined by "ou". French puts a colour behind its noun, English before it; both fall back on
 * the other side. */
#include <string.h>

#include "host/search/grammar_internal.h"

enum noun {
    NOUN_NONE,
    NOUN_PERSON,
    NOUN_VEHICLE,
    NOUN_UPPER,
    NOUN_LOWER,
    NOUN_CLOTHES, /* "en rouge": upper or lower */
    NOUN_ALL,     /* "tout en noir": upper and lower */
    NOUN_THING    /* a bag, a cap, shoes: their colour is not searched */
};
struct mods {
    bool negated, only, maybe, sure;
};
struct binder {
    struct grammar *g;
    int group_of[ITEMS_MAX];  /* query group an item itself went into, -1 = none */
    int colour_of[ITEMS_MAX]; /* the one of the colour of this noun, or of this colour; -1 = none */
    bool unmeasured[ITEMS_MAX];
    bool coloured[ITEMS_MAX]; /* a noun whose colour was read, searched or not */
    int class_group;          /* positive classes of the sentence, -1 = none yet */
    int vehicle_noun;         /* item of the vehicle noun whose colour was taken, -1 = none */
    bool clothing, vehicle_colour, two_vehicles;
    const struct grammar_token *person_hint, *vehicle_hint; /* words that imply a class */
};

bool value_is_colour(const struct vocab_word *w) {
    enum field f = w->n_values ? w->values[0]->field : FIELD_NONE;
    return w->sense == VOCAB_VALUE &&
           (f == FIELD_VEHICLE_COLOUR || f == FIELD_UPPER_COLOUR || f == FIELD_LOWER_COLOUR);
}
static bool is_colour(const struct grammar *g, unsigned i) {
    return i < g->n_items && g->items[i].kind == ITEM_VALUE && value_is_colour(g->items[i].word);
}
static bool is_role(const struct grammar *g, unsigned i, const char *name) {
    return i < g->n_items && item_is_role(&g->items[i], name);
}
static bool is_modifier(const struct grammar *g, unsigned i) {
    return is_role(g, i, "not") || is_role(g, i, "only") || is_role(g, i, "maybe") ||
           is_role(g, i, "surely") || is_role(g, i, "dark") || is_role(g, i, "light");
}

static enum noun noun_of(const struct grammar *g, unsigned i) {
    const struct item *it = &g->items[i];
    if (is_role(g, i, "upper")) return NOUN_UPPER;
    if (is_role(g, i, "lower")) return NOUN_LOWER;
    if (is_role(g, i, "clothes")) return NOUN_CLOTHES;
    if (is_role(g, i, "all_in")) return NOUN_ALL;
    if (is_role(g, i, "wearing")) {
        unsigned k = i + 1;
        while (is_modifier(g, k) || is_role(g, k, "stop") || is_role(g, k, "wearing")) k++;
        if (is_colour(g, k)) return NOUN_CLOTHES;
        /* "de noir vêtue": behind its colour, but not the small "en" or "in" */
        return i > 0 && is_colour(g, i - 1) && it->to - it->from > 2 ? NOUN_CLOTHES : NOUN_NONE;
    }
    if (it->kind != ITEM_VALUE || value_is_colour(it->word)) return NOUN_NONE;
    if (it->other && it->other->language == it->word->language) return NOUN_CLOTHES; /* survêtement */
    switch (it->word->values[0]->field) {
    case FIELD_CLASS:
        return strcmp(it->word->values[0]->name, "person") == 0 ? NOUN_PERSON : NOUN_VEHICLE;
    case FIELD_VEHICLE_TYPE:
    case FIELD_MAKE_MODEL:
    case FIELD_SERVICE:
        return NOUN_VEHICLE;
    case FIELD_UPPER_KIND:
        return NOUN_UPPER;
    case FIELD_LOWER_KIND:
        return NOUN_LOWER;
    case FIELD_ACCESSORY:
    case FIELD_SHOE:
    case FIELD_EXTRA:
        return NOUN_THING;
    case FIELD_SLEEVE:
    case FIELD_GRAIN:
    case FIELD_NONE:
    case FIELD_VEHICLE_COLOUR:
    case FIELD_UPPER_COLOUR:
    case FIELD_LOWER_COLOUR:
    case FIELD_COUNT:
    default:
        return NOUN_NONE;
    }
}

/* Modifiers standing just before item i; *first = the earliest item that belongs to it so. */
static struct mods mods_before(const struct grammar *g, unsigned i, unsigned *first) {
    struct mods m = {0};
    *first = i;
    while (i > 0 && (is_modifier(g, i - 1) || is_role(g, i - 1, "stop") || is_role(g, i - 1, "with"))) {
        i--;
        m.negated = m.negated || is_role(g, i, "not");
        m.only = m.only || is_role(g, i, "only");
        m.maybe = m.maybe || is_role(g, i, "maybe");
        m.sure = m.sure || is_role(g, i, "surely");
        if (is_modifier(g, i)) *first = i;
    }
    return m;
}
static struct mods mods_join(struct mods a, struct mods b) {
    return (struct mods){a.negated || b.negated, a.only || b.only, a.maybe || b.maybe, a.sure || b.sure};
}
/* "haut rouge peut-être", "rouge uniquement": a modifier that nothing follows belongs to what came before. */
static struct mods mods_behind(const struct grammar *g, unsigned i) {
    struct mods m = {0};
    bool last = i + 1 >= g->n_items || g->items[i + 1].kind == ITEM_BREAK;
    if (last && i < g->n_items) {
        m.maybe = is_role(g, i, "maybe");
        m.only = is_role(g, i, "only");
        m.sure = is_role(g, i, "surely");
    }
    return m;
}

/* ---- groups ------------------------------------------------------------------------------------------ */

static int group_new(struct binder *b, struct mods m) {
    struct query *q = &b->g->r->query;
    if (q->n_groups == QUERY_GROUPS_MAX) {
        b->g->full = true;
        return -1;
    }
    /* "pas rouge" drops what is certainly red and keeps what only may be: the searcher must not lose the
     * doubtful. */
    q->group[q->n_groups] = (struct query_group){
        .negated = m.negated, .sure = m.sure || m.negated, .only = m.only && !m.negated, .optional = m.maybe};
    return (int)q->n_groups++;
}
static void group_add(struct binder *b, int group, const struct vocab_value *v) {
    if (group < 0) return;
    struct query_group *q = &b->g->r->query.group[group];
    for (unsigned i = 0; i < q->n_terms; i++)
        if (q->term[i].field == v->field && q->term[i].id == v->id) return;
    if (q->n_terms == QUERY_TERMS_MAX) {
        b->g->full = true;
        return;
    }
    q->term[q->n_terms].field = (uint8_t)v->field;
    q->term[q->n_terms++].id = v->id;
}
static bool group_like(const struct binder *b, int group, struct mods m) {
    const struct query_group *q = &b->g->r->query.group[group];
    return q->negated == m.negated && q->optional == m.maybe && q->only == (m.only && !m.negated);
}

/* The group of what stands before item i when "ou" joins them; -1 = they are not joined. */
static int joined_group(const struct binder *b, unsigned i, const int *of) {
    while (i > 0 && is_role(b->g, i - 1, "stop")) i--;
    if (i < 2 || !is_role(b->g, i - 1, "or")) return -1;
    return of[i - 2];
}

static struct grammar_token *token_of(struct grammar *g, unsigned i, struct mods m,
                                      enum grammar_state state) {
    const struct item *it = &g->items[i];
    struct grammar_token *t = grammar_token_add(g, it->from, it->to, state);
    if (!t) return NULL;
    t->negated = m.negated;
    t->only = m.only;
    t->sure = m.sure;
    t->corrected = it->corrected;
    for (unsigned k = 0; it->other && k < it->other->n_values && t->n_readings < GRAMMAR_READINGS_MAX; k++)
        t->readings[t->n_readings++].value = it->other->values[k];
    return t;
}
static void token_value(struct grammar_token *t, const struct vocab_value *v) {
    for (unsigned i = 0; i < t->n_values; i++)
        if (t->values[i] == v) return;
    if (t->n_values < VOCAB_VALUES_MAX) t->values[t->n_values++] = v;
}

/* ---- colours ----------------------------------------------------------------------------------------- */

/* Last item of the colours that begin at i: "gris, bleu ou noir". */
static unsigned colours_end(const struct grammar *g, unsigned i, bool *any_or) {
    unsigned last = i;
    *any_or = false;
    for (;;) {
        unsigned k = last + 1;
        bool is_or = false;
        while (is_role(g, k, "dark") || is_role(g, k, "light") || is_role(g, k, "or") ||
               is_role(g, k, "and") || (k < g->n_items && g->items[k].kind == ITEM_BREAK)) {
            is_or = is_or || is_role(g, k, "or");
            k++;
        }
        if (!is_colour(g, k)) return last;
        *any_or = *any_or || is_or;
        last = k;
    }
}

static int noun_before(const struct grammar *g, unsigned i) {
    while (i-- > 0)
        if (noun_of(g, i) != NOUN_NONE) return (int)i;
    return -1;
}
/* The noun right behind item i; grain and sleeves may stand between ("black striped shirt"). */
static int noun_behind(const struct grammar *g, unsigned i) {
    for (i++; i < g->n_items; i++) {
        if (noun_of(g, i) != NOUN_NONE) return (int)i;
        bool adjective = g->items[i].kind == ITEM_VALUE && !is_colour(g, i);
        if (!adjective && !is_role(g, i, "dark") && !is_role(g, i, "light")) return -1;
    }
    return -1;
}
static int noun_after(const struct grammar *g, unsigned i) {
    for (i++; i < g->n_items; i++)
        if (noun_of(g, i) != NOUN_NONE) return (int)i;
    return -1;
}

/* "rouge en haut": a place named behind the colour by "en" or "in". */
static bool is_place_behind(const struct grammar *g, int noun) {
    const char *text = g->items[noun].word->text;
    return (is_role(g, (unsigned)noun, "upper") || is_role(g, (unsigned)noun, "lower")) &&
           strncmp(text, "en ", 3) == 0;
}

static int noun_for(const struct grammar *g, unsigned first, unsigned last) {
    int language = g->r->language;
    const struct item *it = &g->items[first];
    if (it->word->language != language) language = it->word->language; /* "red" on a French page */
    int behind = noun_behind(g, last), before = noun_before(g, first);
    if (behind >= 0 && is_place_behind(g, behind)) return behind;
    if (behind >= 0 && is_role(g, (unsigned)behind, "wearing")) return behind;
    /* "top white bottom black": each noun has its colour behind it, whatever the language says */
    bool noun_first = before >= 0 && before + 1 == (int)first &&
                      !(before > 0 && is_colour(g, (unsigned)before - 1)) && behind >= 0 &&
                      is_colour(g, (unsigned)behind + 1);
    if (noun_first) return before;
    if (language == VOCAB_EN && behind >= 0 && noun_of(g, (unsigned)behind) != NOUN_ALL) return behind;
    if (before >= 0) return before;
    return noun_after(g, last);
}

static unsigned fields_of_noun(enum noun n, enum field out[static 3]) {
    switch (n) {
    case NOUN_UPPER:
        out[0] = FIELD_UPPER_COLOUR;
        return 1;
    case NOUN_LOWER:
        out[0] = FIELD_LOWER_COLOUR;
        return 1;
    case NOUN_VEHICLE:
        out[0] = FIELD_VEHICLE_COLOUR;
        return 1;
    case NOUN_PERSON:
    case NOUN_CLOTHES:
    case NOUN_ALL:
        out[0] = FIELD_UPPER_COLOUR;
        out[1] = FIELD_LOWER_COLOUR;
        return 2;
    case NOUN_NONE:
    case NOUN_THING:
    default:
        out[0] = FIELD_VEHICLE_COLOUR;
        out[1] = FIELD_UPPER_COLOUR;
        out[2] = FIELD_LOWER_COLOUR;
        return 3;
    }
}

static const struct vocab_value *value_in(const struct vocab_word *w, enum field f) {
    for (unsigned i = 0; i < w->n_values; i++)
        if (w->values[i]->field == f) return w->values[i];
    return NULL;
}

/* The colour exists for vehicles only (silver): offer the colours that come near, take none. */
static void colour_elsewhere(struct grammar *g, struct grammar_token *t, const struct vocab_word *w,
                             enum field f) {
    t->state = GRAMMAR_NOT_SEARCHED;
    t->note = "colour_of_vehicles_only";
    strcpy(t->field, "colour");
    token_value(t, w->values[0]);
    for (unsigned i = 0; i < 3 && w->values[0]->see_also[i]; i++) {
        const struct vocab_value *v = vocab_by_id(g->in->vocab, f, w->values[0]->see_also[i]);
        if (v && t->n_readings < GRAMMAR_READINGS_MAX) t->readings[t->n_readings++].value = v;
    }
}

struct colour_phrase {
    unsigned first, last; /* items */
    bool any_or;
    enum noun noun;
    int noun_item; /* -1 = none */
    struct mods mods;
    int or_group; /* join this group, -1 = a new one */
};

static void add_colour(struct binder *b, const struct colour_phrase *p, unsigned i, int *group) {
    struct grammar *g = b->g;
    const struct vocab_word *w = g->items[i].word;
    enum field fields[3];
    unsigned n = fields_of_noun(p->noun, fields), n_found = 0;
    struct grammar_token *t = token_of(g, i, p->mods, p->mods.maybe ? GRAMMAR_RANKS : GRAMMAR_USED);
    if (!t) return;
    if (p->noun == NOUN_THING) {
        t->state = GRAMMAR_NOT_SEARCHED;
        t->note = "colour_of_accessory";
        strcpy(t->field, "colour");
        token_value(t, w->values[0]);
        return;
    }
    if (p->noun == NOUN_PERSON && w->values[0]->skin_when_bare) {
        t->state = GRAMMAR_REFUSED;
        t->note = "bare_colour";
        text_copy(t->value, sizeof t->value, "skin");
        grammar_stop(g, GRAMMAR_STOP_REFUSED, t);
        return;
    }
    for (unsigned k = 0; k < n; k++) n_found += value_in(w, fields[k]) != NULL;
    if (n_found == 0) {
        colour_elsewhere(g, t, w, fields[0]);
        return;
    }
    for (unsigned k = 0; k < n; k++) {
        const struct vocab_value *v = value_in(w, fields[k]);
        if (!v) continue;
        bool fresh = *group < 0 || (k == 0 && !p->any_or && p->or_group < 0);
        if (fresh) *group = group_new(b, p->mods);
        group_add(b, *group, v);
        token_value(t, v);
    }
    t->group = *group;
    b->colour_of[i] = *group;
    b->vehicle_colour = b->vehicle_colour || p->noun == NOUN_VEHICLE;
    b->clothing = b->clothing || (p->noun != NOUN_VEHICLE && p->noun != NOUN_NONE);
}

/* Two vehicles with a colour each are two searches: "voiture rouge et camion blanc". */
static void note_vehicle(struct binder *b, const struct colour_phrase *p) {
    if (p->noun != NOUN_VEHICLE) return;
    if (b->vehicle_noun >= 0 && b->vehicle_noun != p->noun_item && p->or_group < 0) b->two_vehicles = true;
    b->vehicle_noun = p->noun_item;
}

/* Reads the colours from item i on; gives the item after them. */
static unsigned bind_colours(struct binder *b, unsigned i) {
    struct grammar *g = b->g;
    struct colour_phrase p = {.first = i, .or_group = -1};
    unsigned start;
    p.last = colours_end(g, i, &p.any_or);
    p.mods = mods_before(g, i, &start);
    p.mods = mods_join(p.mods, mods_behind(g, p.last + 1));
    p.noun_item = noun_for(g, p.first, p.last);
    p.noun = p.noun_item < 0 ? NOUN_NONE : noun_of(g, (unsigned)p.noun_item);
    unsigned gap = start;
    while (gap > 0 && is_role(g, gap - 1, "stop")) gap--;
    if (p.noun_item >= 0 &&
        p.noun_item + 1 == (int)gap) { /* "pas de veste rouge": the noun's own modifiers count */
        p.mods = mods_join(p.mods, mods_before(g, (unsigned)p.noun_item, &start));
        if ((unsigned)p.noun_item < start) start = (unsigned)p.noun_item;
    }
    int joined = joined_group(b, start, b->colour_of);
    if (joined >= 0 && group_like(b, joined, p.mods) && p.noun != NOUN_ALL) p.or_group = joined;
    note_vehicle(b, &p);
    int group = p.or_group;
    bool all = p.noun == NOUN_ALL;
    if (all) p.noun = NOUN_UPPER;
    for (unsigned k = p.first; k <= p.last; k++)
        if (is_colour(g, k)) add_colour(b, &p, k, &group);
    if (all) { /* "tout en noir": once more, for the lower half */
        group = -1;
        p.noun = NOUN_LOWER;
        for (unsigned k = p.first; k <= p.last; k++)
            if (is_colour(g, k)) add_colour(b, &p, k, &group);
    }
    if (p.noun_item >= 0) {
        b->colour_of[p.noun_item] = group;
        b->coloured[p.noun_item] = true;
    }
    return p.last + 1;
}

/* ---- classes, garments, accessories ------------------------------------------------------------------ */

static const struct grammar_token *keep_hint(const struct grammar_token *now, const struct grammar_token *t) {
    return now ? now : t;
}

/* "sac ou valise": as long as bags are not told apart, a filter on suitcases would lose half of what was
 * asked. */
static void loosen(struct binder *b, int group) {
    if (group < 0 || b->g->r->query.group[group].negated) return;
    b->g->r->query.group[group].optional = true;
    for (unsigned i = 0; i < b->g->r->n_tokens; i++)
        if (b->g->r->tokens[i].group == group && b->g->r->tokens[i].state == GRAMMAR_USED)
            b->g->r->tokens[i].state = GRAMMAR_RANKS;
}
/* The item that "ou" joins item i to, -1 = none. */
static int joined_item(const struct grammar *g, unsigned i) {
    while (i > 0 && is_role(g, i - 1, "stop")) i--;
    return i >= 2 && is_role(g, i - 1, "or") ? (int)i - 2 : -1;
}

static bool has_colour(const struct grammar *g, unsigned noun) {
    return is_colour(g, noun + 1) || (noun > 0 && is_colour(g, noun - 1));
}

/* A van while vans are not told apart: what today's detector calls it is searched too, and said. */
static void add_seen_as(struct binder *b, struct grammar_token *t, const struct vocab_value *v, int group) {
    if (t->n_values == 0) t->note = "seen_as";
    token_value(t, v);
    group_add(b, group, v);
    for (unsigned i = 0; i < 3 && v->seen_as[i]; i++) {
        const struct vocab_value *as = vocab_by_id(b->g->in->vocab, v->field, v->seen_as[i]);
        if (!as) continue;
        token_value(t, as);
        group_add(b, group, as);
    }
}

static int group_for_value(struct binder *b, unsigned i, struct mods m, bool is_class) {
    bool plain = !m.negated && !m.maybe && !m.only;
    if (is_class && plain) {
        if (b->class_group < 0) b->class_group = group_new(b, m);
        return b->class_group;
    }
    unsigned start;
    (void)mods_before(b->g, i, &start);
    int joined = joined_group(b, start, b->group_of);
    if (joined >= 0 && group_like(b, joined, m)) return joined;
    return group_new(b, m);
}

static void bind_value(struct binder *b, unsigned i) {
    struct grammar *g = b->g;
    const struct vocab_word *w = g->items[i].word;
    unsigned start, n_usable = 0;
    struct mods m = mods_before(g, i, &start);
    bool is_class = w->values[0]->field == FIELD_CLASS;
    m = mods_join(m, mods_behind(g, i + 1));
    /* "pas de voiture rouge" speaks of the colour: the class stays asked. */
    if (is_class && has_colour(g, i)) m.negated = m.only = m.maybe = false;
    if (is_class) m.sure = m.only = false;
    struct grammar_token *t = token_of(g, i, m, m.maybe ? GRAMMAR_RANKS : GRAMMAR_USED);
    if (!t) return;
    enum noun noun = noun_of(g, i);
    /* "un sac": as long as one kind of bag is not told apart, a search for the others would lose people. */
    for (unsigned k = 0; k < w->n_values; k++) n_usable += w->values[k]->offered || w->values[k]->seen_as[0];
    if (n_usable < w->n_values) {
        t->state = GRAMMAR_NOT_MEASURED;
        b->unmeasured[i] = true;
        if (noun == NOUN_THING && joined_item(g, start) >= 0) loosen(b, b->group_of[joined_item(g, start)]);
        for (unsigned k = 0; k < w->n_values; k++) token_value(t, w->values[k]);
        if (noun == NOUN_VEHICLE || w->values[0]->field == FIELD_EXTRA)
            b->vehicle_hint = keep_hint(b->vehicle_hint, t);
        else
            b->person_hint = keep_hint(b->person_hint, t);
        return;
    }
    int group = group_for_value(b, i, m, is_class);
    for (unsigned k = 0; k < w->n_values; k++) {
        const struct vocab_value *v = w->values[k];
        if (!v->offered && v->seen_as[0]) {
            add_seen_as(b, t, v, group);
        } else {
            group_add(b, group, v);
            token_value(t, v);
        }
    }
    t->group = group;
    b->group_of[i] = group;
    if (noun == NOUN_THING) b->clothing = true;
    int joined = joined_item(g, start);
    if (noun == NOUN_THING && joined >= 0 && b->unmeasured[joined]) loosen(b, group);
}

/* A colour inside the name of a garment that is not measured: "gilet jaune" still tells yellow. */
static void bind_inner_colour(struct binder *b, unsigned i) {
    const struct item *it = &b->g->items[i];
    const char *space = strrchr(it->word->text, ' ');
    enum noun noun = noun_of(b->g, i);
    size_t n;
    if (!space || it->word->values[0]->offered || (noun != NOUN_UPPER && noun != NOUN_LOWER)) return;
    const char *words[2] = {space + 1, it->word->text};
    char first[96];
    size_t len = strcspn(it->word->text, " ");
    memcpy(first, it->word->text, len);
    first[len] = '\0';
    words[1] = first;
    for (unsigned k = 0; k < 2; k++) {
        const struct vocab_word *w = vocab_find(b->g->in->vocab, words[k], &n);
        enum field f = noun == NOUN_UPPER ? FIELD_UPPER_COLOUR : FIELD_LOWER_COLOUR;
        for (size_t m = 0; m < n; m++) {
            if (w[m].language != it->word->language || !value_is_colour(&w[m]) || !value_in(&w[m], f))
                continue;
            unsigned start;
            struct mods mods = mods_before(b->g, i, &start);
            struct grammar_token *t = token_of(b->g, i, mods, mods.maybe ? GRAMMAR_RANKS : GRAMMAR_USED);
            if (!t) return;
            t->note = "colour_in_the_name";
            t->group = group_new(b, mods);
            group_add(b, t->group, value_in(&w[m], f));
            token_value(t, value_in(&w[m], f));
            b->colour_of[i] = t->group;
            b->clothing = true;
            return;
        }
    }
}

/* ---- what the whole implies -------------------------------------------------------------------------- */

static void imply_class(struct binder *b, const struct grammar_token *from, const struct vocab_value *v) {
    if (b->class_group < 0) b->class_group = group_new(b, (struct mods){0});
    if (b->class_group < 0) return;
    if (b->g->r->n_tokens == GRAMMAR_TOKENS_MAX) {
        b->g->full = true;
        return;
    }
    struct grammar_token *t = &b->g->r->tokens[b->g->r->n_tokens++];
    *t = (struct grammar_token){.at = (uint16_t)(from->at), .state = GRAMMAR_USED, .group = b->class_group};
    t->note = "implied";
    token_value(t, v);
    group_add(b, b->class_group, v);
}

/* Something is really asked of the passages, beyond what only ranks or excludes. */
static bool filters(const struct query *q) {
    for (unsigned i = 0; i < q->n_groups; i++)
        if (!q->group[i].optional && !q->group[i].negated) return true;
    return false;
}
static const struct grammar_token *ranking_garment(const struct grammar_result *r) {
    for (unsigned i = 0; i < r->n_tokens; i++) {
        const struct grammar_token *t = &r->tokens[i];
        if (t->state == GRAMMAR_RANKS && t->n_values &&
            (t->values[0]->field == FIELD_ACCESSORY || t->values[0]->field == FIELD_UPPER_COLOUR ||
             t->values[0]->field == FIELD_LOWER_COLOUR))
            return t;
    }
    return NULL;
}

static void imply_classes(struct binder *b) {
    const struct vocab *vocab = b->g->in->vocab;
    bool had_class = b->class_group >= 0;
    unsigned n = b->g->r->n_tokens;
    for (unsigned i = 0; i < n; i++) {
        const struct grammar_token *t = &b->g->r->tokens[i];
        if (t->state != GRAMMAR_NOT_MEASURED || t->negated || had_class) continue;
        const struct vocab_value *v = t->n_values ? t->values[0] : NULL;
        const struct vocab_value *c =
            v && v->field == FIELD_VEHICLE_TYPE ? vocab_by_id(vocab, FIELD_CLASS, v->class_id) : NULL;
        if (c && c->offered) imply_class(b, t, c);
    }
    if (b->class_group >= 0 || filters(&b->g->r->query)) return;
    /* "une casquette", "peut-être un parapluie": at least it is a person */
    const struct grammar_token *hint = b->person_hint && !b->person_hint->negated ? b->person_hint : NULL;
    if (!hint) hint = ranking_garment(b->g->r);
    if (hint) imply_class(b, hint, vocab_by_name(vocab, FIELD_CLASS, "person"));
}

/* A class that cannot carry what is described: the answer would be empty for a reason nobody sees. */
static bool two_objects(const struct binder *b) {
    if ((b->clothing && b->vehicle_colour) || b->two_vehicles) return true;
    if (b->class_group < 0 || (!b->clothing && !b->vehicle_colour)) return false;
    const struct query_group *q = &b->g->r->query.group[b->class_group];
    bool person = false, vehicle = false;
    for (unsigned i = 0; i < q->n_terms; i++) {
        const struct vocab_value *v = vocab_by_id(b->g->in->vocab, FIELD_CLASS, q->term[i].id);
        if (v && strcmp(v->name, "person") == 0)
            person = true;
        else
            vehicle = true;
    }
    return (b->clothing && vehicle) || (b->vehicle_colour && person);
}

/* ---- roles that are a criterion by themselves, and those that found nothing to say ------------------- */

static bool bind_direction_or_order(struct grammar *g, unsigned i) {
    static const char *const ways[] = {
        [QUERY_LEFT] = "left", [QUERY_RIGHT] = "right", [QUERY_UP] = "up", [QUERY_DOWN] = "down"};
    static const char *const orders[] = {
        [QUERY_NEWEST] = "newest", [QUERY_OLDEST] = "oldest", [QUERY_SCORE] = "best"};
    const char *field = NULL, *value = NULL;
    for (unsigned w = QUERY_LEFT; w <= QUERY_DOWN; w++)
        if (is_role(g, i, ways[w])) {
            g->r->query.direction = (enum query_direction)w;
            field = "direction";
            value = ways[w];
        }
    for (unsigned o = 0; o < 3; o++)
        if (is_role(g, i, orders[o])) {
            g->r->query.order = (enum query_order)o;
            field = "order";
            value = orders[o];
        }
    if (!field) return false;
    struct grammar_token *t = grammar_token_add(g, g->items[i].from, g->items[i].to, GRAMMAR_USED);
    if (!t) return true;
    strcpy(t->field, field);
    strcpy(t->value, value);
    return true;
}

/* Words that only join others may pass in silence; a month without its day, a "haut" without colour, a
 * "seulement" before nothing are named back. */
static void name_idle_role(struct binder *b, unsigned i) {
    static const char *const silent[] = {"stop",   "and",    "or",      "with",  "wearing", "from",
                                         "to",     "at",     "about",   "not",   "only",    "maybe",
                                         "surely", "camera", "between", "every", "clothes"};
    struct grammar *g = b->g;
    for (unsigned k = 0; k < sizeof silent / sizeof *silent; k++)
        if (is_role(g, i, silent[k])) return;
    if (b->coloured[i]) return;
    bool shade = is_role(g, i, "dark") || is_role(g, i, "light");
    struct grammar_token *t = grammar_token_add(g, g->items[i].from, g->items[i].to,
                                                shade ? GRAMMAR_NOT_SEARCHED : GRAMMAR_UNKNOWN);
    if (!t) return;
    t->note = shade ? "shade" : noun_of(g, i) != NOUN_NONE ? "no_colour" : "";
}

void grammar_bind(struct grammar *g) {
    struct binder b = {.g = g, .class_group = -1, .vehicle_noun = -1};
    bool idle[ITEMS_MAX] = {false};
    for (unsigned i = 0; i < ITEMS_MAX; i++) b.group_of[i] = b.colour_of[i] = -1;
    unsigned i = 0;
    while (i < g->n_items && !g->full) {
        if (is_colour(g, i)) {
            i = bind_colours(&b, i);
            continue;
        }
        if (g->items[i].kind == ITEM_VALUE) {
            bind_value(&b, i);
            bind_inner_colour(&b, i);
        }
        if (g->items[i].kind == ITEM_ROLE && !bind_direction_or_order(g, i)) idle[i] = true;
        i++;
    }
    for (i = 0; i < g->n_items && !g->full; i++)
        if (idle[i]) name_idle_role(&b, i);
    if (g->full) return;
    imply_classes(&b);
    if (two_objects(&b)) grammar_stop(g, GRAMMAR_STOP_TWO_OBJECTS, NULL);
}
