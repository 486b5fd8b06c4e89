/* SPDX-License-Identifier: Apache-2.0 */
/* grammar_place.c - cameras, by id ("gare-01"), by name ("Gare, parvis"), by the name of a saved group, by a
 * word that several share ("gare"), by number ("caméra 12"), and between two places. A camera outside the
 * case stops the search, it is never dropped. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/fold.h"
#include "host/search/grammar_internal.h"

#define WORD_MIN          3u /* letters of a word that stands for a group of cameras */
#define SLIP_WORD_MIN     5u
#define CORRIDOR_MIN_M    100.0
#define CORRIDOR_FRACTION 0.25 /* of the distance, to either side */
#define DEG_M             111320.0

#define WORD_BITS 8192u /* of a filter: most words of a sentence are no word of any camera */

struct place_names {
    char id[48], name[160];
};

static unsigned word_bit(const char *word, size_t n) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++) h = (h ^ (uint8_t)word[i]) * 16777619u;
    return (h ^ h >> 15) % WORD_BITS;
}
static void note_words(struct grammar *g, const char *text) {
    while (*text) {
        size_t n = strcspn(text, " ");
        unsigned bit = word_bit(text, n);
        g->place_words[bit / 8] = (uint8_t)(g->place_words[bit / 8] | 1u << bit % 8);
        text += n + (text[n] == ' ');
    }
}

enum err grammar_place_start(struct grammar *g) {
    unsigned n = g->in->n_cameras;
    if (n == 0) return OK;
    g->camera_in = calloc(n, 1);
    g->camera_out = calloc(n, 1);
    g->names = calloc(n, sizeof *g->names);
    g->place_words = calloc(WORD_BITS / 8, 1);
    if (!g->camera_in || !g->camera_out || !g->names || !g->place_words) return ERR_NOMEM;
    for (unsigned i = 0; i < n; i++) {
        const struct camera *c = &g->in->cameras[i];
        if (!fold_text(c->id, strlen(c->id), g->names[i].id, sizeof g->names[i].id) ||
            !fold_text(c->name, strlen(c->name), g->names[i].name, sizeof g->names[i].name))
            g->names[i].name[0] = '\0';
        note_words(g, g->names[i].id);
        note_words(g, g->names[i].name);
    }
    if (g->in->n_groups == 0) return OK;
    g->groups = calloc(g->in->n_groups, sizeof *g->groups);
    if (!g->groups) return ERR_NOMEM;
    for (unsigned k = 0; k < g->in->n_groups; k++) {
        const char *name = g->in->groups[k].name;
        if (!fold_text(name, strlen(name), g->groups[k].name, sizeof g->groups[k].name))
            g->groups[k].name[0] = '\0';
        note_words(g, g->groups[k].name);
    }
    return OK;
}
void grammar_place_end(struct grammar *g) {
    free(g->camera_in);
    free(g->camera_out);
    free(g->names);
    free(g->groups);
    free(g->place_words);
}

static bool allowed(const struct grammar *g, unsigned i) {
    for (unsigned k = 0; k < g->in->n_allowed; k++)
        if (g->in->allowed[k] == g->in->cameras[i].number) return true;
    return false;
}

/* `words` stand in `name` as whole words. */
static bool holds_words(const char *name, const char *words) {
    size_t n = strlen(words);
    for (const char *p = name; (p = strstr(p, words)) != NULL; p++)
        if ((p == name || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' ')) return true;
    return false;
}

static bool is_number(const char *text) {
    return text[0] && text[strspn(text, "0123456789")] == '\0';
}
/* The last number of an id: 1 for "gare 01". */
static long id_number(const char *id) {
    const char *last = strrchr(id, ' ');
    last = last ? last + 1 : id;
    last += strcspn(last, "0123456789");
    return is_number(last) ? strtol(last, NULL, 10) : -1;
}

/* ---- what a position may name ------------------------------------------------------------------------ */

/* Marks the cameras of the saved group of that name; how many. */
static unsigned cameras_of_group(const struct grammar *g, const char *words, uint8_t *set) {
    unsigned n = 0;
    for (unsigned k = 0; k < g->in->n_groups; k++) {
        const struct camera_group *group = &g->in->groups[k];
        if (strcmp(g->groups[k].name, words) != 0) continue;
        for (unsigned i = 0; i < g->in->n_cameras; i++)
            for (unsigned m = 0; m < group->n_cameras && !set[i]; m++)
                set[i] = group->cameras[m] == g->in->cameras[i].number;
        for (unsigned i = 0; i < g->in->n_cameras; i++) n += set[i];
        return n;
    }
    return 0;
}

/* Marks cameras named by `words`; how many. Whole ids and names come before words they share. */
static unsigned cameras_of(const struct grammar *g, const char *words, bool after_keyword, uint8_t *set) {
    unsigned n = 0;
    for (unsigned i = 0; i < g->in->n_cameras; i++) {
        set[i] = strcmp(g->names[i].id, words) == 0 || strcmp(g->names[i].name, words) == 0;
        n += set[i];
    }
    if (n || (n = cameras_of_group(g, words, set))) return n;
    if (is_number(words)) {
        for (unsigned i = 0; after_keyword && i < g->in->n_cameras; i++) {
            set[i] = id_number(g->names[i].id) == strtol(words, NULL, 10);
            n += set[i];
        }
        return n;
    }
    if (strlen(words) < WORD_MIN) return 0;
    for (unsigned i = 0; i < g->in->n_cameras; i++) {
        set[i] = holds_words(g->names[i].name, words) || holds_words(g->names[i].id, words);
        n += set[i];
    }
    return n;
}

/* n words at i with a comma allowed between ("Gare, parvis"). */
static bool place_phrase(const struct grammar *g, unsigned i, unsigned n, char out[static 96], unsigned *to) {
    unsigned len = 0, k = i;
    for (unsigned w = 0; w < n; w++) {
        while (w && k < g->plain.n && !plain_is_word(g->plain.c[k]) && strchr(" -'.,/", g->plain.c[k])) k++;
        unsigned from = k;
        while (k < g->plain.n && plain_is_word(g->plain.c[k])) k++;
        if (k == from || len + (k - from) + 2 > 96) return false;
        if (w) out[len++] = ' ';
        memcpy(out + len, g->plain.c + from, k - from);
        len += k - from;
    }
    out[len] = '\0';
    *to = k;
    return true;
}

static bool means_something(const struct grammar *g, const char *words) {
    size_t n;
    return vocab_find(g->in->vocab, words, &n) != NULL;
}
static bool begins_or_ends_idle(const struct grammar *g, const char *words) {
    char first[96];
    size_t n = strcspn(words, " ");
    const char *last = strrchr(words, ' ');
    if (!last) return false;
    memcpy(first, words, n);
    first[n] = '\0';
    return means_something(g, first) && means_something(g, last + 1);
}

/* "gare-99": the word goes on, so "gare" alone is not what was typed. */
static bool glued_behind(const struct grammar *g, unsigned to) {
    return to + 1 < g->plain.n && g->plain.c[to] == '-' && plain_is_word(g->plain.c[to + 1]);
}

static unsigned place_at(const struct grammar *g, unsigned i, bool after_keyword, uint8_t *set) {
    char words[96];
    unsigned to;
    if (!place_phrase(g, i, 1, words, &to)) return 0;
    unsigned bit = word_bit(words, to - i);
    bool is_number_of = after_keyword && is_number(words);
    if (!is_number_of && !(g->place_words[bit / 8] & 1u << bit % 8)) return 0;
    for (unsigned k = VOCAB_WORDS_MAX; k > 0; k--) {
        if (!place_phrase(g, i, k, words, &to)) continue;
        /* "de la gare" or "rouge": words of the sentence first, unless a camera was announced */
        if (k == 1 ? means_something(g, words) && !after_keyword : begins_or_ends_idle(g, words)) continue;
        if (glued_behind(g, to)) continue;
        if (cameras_of(g, words, after_keyword, set)) return to;
    }
    return 0;
}

/* ---- taking it --------------------------------------------------------------------------------------- */

static void name_cameras(const struct grammar *g, const uint8_t *set, char *out, size_t cap) {
    size_t len = 0;
    unsigned n = 0;
    for (unsigned i = 0; i < g->in->n_cameras; i++) {
        if (!set[i] || !allowed(g, i)) continue;
        size_t more = strlen(g->in->cameras[i].id) + 1;
        if (len + more + 4 > cap) {
            strcpy(out + len, n ? " +" : "+");
            return;
        }
        if (n++) out[len++] = ' ';
        strcpy(out + len, g->in->cameras[i].id);
        len += more - 1;
    }
}

static struct grammar_token *take_cameras(struct grammar *g, unsigned from, unsigned to, const uint8_t *set) {
    struct grammar_token *t = grammar_token_add(g, from, to, GRAMMAR_USED);
    unsigned n_in = 0, n_out = 0;
    if (!t) return NULL;
    strcpy(t->field, "camera");
    t->negated = grammar_negated(g);
    for (unsigned i = 0; i < g->in->n_cameras; i++) {
        if (!set[i]) continue;
        if (!allowed(g, i)) {
            n_out++;
            continue;
        }
        n_in++;
        (t->negated ? g->camera_out : g->camera_in)[i] = 1;
    }
    grammar_item_add(g, (struct item){.kind = ITEM_OTHER, .from = from, .to = to});
    name_cameras(g, set, t->value, sizeof t->value);
    t->clipped = n_out > 0;
    if (!t->negated) g->camera_asked = true;
    if (n_in == 0 && !t->negated) {
        t->state = GRAMMAR_OUTSIDE;
        grammar_stop(g, GRAMMAR_STOP_CAMERAS, t);
    }
    return t;
}

struct spot {
    double x_m, y_m;
    bool placed;
};
static struct spot spot_of(const struct camera *c, double lat0) {
    struct spot s = {.placed = c->lat != 0 || c->lon != 0};
    s.x_m = c->lon * DEG_M * cos(lat0 * 3.14159265358979 / 180);
    s.y_m = c->lat * DEG_M;
    return s;
}
static struct spot middle(const struct grammar *g, const uint8_t *set, double lat0) {
    struct spot m = {0};
    unsigned n = 0;
    for (unsigned i = 0; i < g->in->n_cameras; i++) {
        struct spot s = spot_of(&g->in->cameras[i], lat0);
        if (!set[i] || !s.placed) continue;
        m.x_m += s.x_m;
        m.y_m += s.y_m;
        n++;
    }
    if (n == 0) return m;
    return (struct spot){m.x_m / n, m.y_m / n, true};
}

/* Adds to `a` the cameras of `b` and those on the way. */
static bool add_between(const struct grammar *g, uint8_t *a, const uint8_t *b) {
    double lat0 = 0;
    for (unsigned i = 0; i < g->in->n_cameras; i++)
        if (a[i] && g->in->cameras[i].lat != 0) lat0 = g->in->cameras[i].lat;
    struct spot p = middle(g, a, lat0), q = middle(g, b, lat0);
    for (unsigned i = 0; i < g->in->n_cameras; i++) a[i] = a[i] || b[i];
    double dx = q.x_m - p.x_m, dy = q.y_m - p.y_m, length_m = sqrt(dx * dx + dy * dy);
    if (!p.placed || !q.placed || length_m < 1) return false;
    double side_m = fmax(CORRIDOR_MIN_M, CORRIDOR_FRACTION * length_m);
    for (unsigned i = 0; i < g->in->n_cameras; i++) {
        struct spot s = spot_of(&g->in->cameras[i], lat0);
        if (!s.placed || !allowed(g, i)) continue;
        double along = ((s.x_m - p.x_m) * dx + (s.y_m - p.y_m) * dy) / length_m;
        double across = fabs((s.x_m - p.x_m) * dy - (s.y_m - p.y_m) * dx) / length_m;
        if (along >= 0 && along <= length_m && across <= side_m) a[i] = 1;
    }
    return true;
}

static unsigned skip_idle(const struct grammar *g, unsigned i, const char *role) {
    for (;;) {
        while (i < g->plain.n && g->plain.c[i] == ' ') i++;
        unsigned to;
        if (i < g->plain.n && g->plain.c[i] == '\'')
            i++;
        else if (grammar_role_at(g, i, role, &to))
            i = to;
        else
            return i;
    }
}

/* "entre la gare et le port" */
static unsigned read_between(struct grammar *g, unsigned i, uint8_t *a, uint8_t *b) {
    unsigned to, k;
    if (!grammar_role_at(g, i, "between", &to)) return 0;
    to = place_at(g, skip_idle(g, to, "stop"), true, a);
    if (!to) return 0;
    k = skip_idle(g, to, "stop");
    if (!grammar_role_at(g, k, "and", &to)) return 0;
    to = place_at(g, skip_idle(g, to, "stop"), true, b);
    if (!to) return 0;
    bool placed = add_between(g, a, b);
    struct grammar_token *t = take_cameras(g, i, to, a);
    if (t && !placed) t->note = "cameras_not_placed";
    return to;
}

/* "gare-99" where only gare-01 and gare-02 exist: a camera of no such number, not a plate and not all of the
 * station. */
static unsigned read_missing_camera(struct grammar *g, unsigned i, uint8_t *set) {
    char word[96];
    unsigned to, end = plain_chunk_end(&g->plain, i);
    if (!place_phrase(g, i, 1, word, &to) || !glued_behind(g, to) || means_something(g, word)) return 0;
    if (!plain_is_word(g->plain.c[end - 1]) || !strchr("0123456789", g->plain.c[end - 1])) return 0;
    if (!cameras_of(g, word, false, set)) return 0;
    struct grammar_token *t = grammar_token_add(g, i, end, GRAMMAR_OUTSIDE);
    if (!t) return end;
    strcpy(t->field, "camera");
    t->note = "no_such_camera";
    grammar_stop(g, GRAMMAR_STOP_CAMERAS, t);
    grammar_item_add(g, (struct item){.kind = ITEM_OTHER, .from = i, .to = end});
    return end;
}

unsigned grammar_read_place(struct grammar *g, unsigned i) {
    unsigned n = g->in->n_cameras, to = 0;
    if (n == 0) return 0;
    uint8_t *set = calloc(n, 2);
    if (!set) {
        g->err = ERR_NOMEM;
        return 0;
    }
    bool after_keyword = grammar_after_role(g, "camera") || grammar_goes_on(g, g->camera_list);
    to = read_between(g, i, set, set + n);
    if (!to && (to = place_at(g, i, after_keyword, set))) (void)take_cameras(g, i, to, set);
    if (!to) to = read_missing_camera(g, i, set);
    free(set);
    if (to && after_keyword) g->camera_list = g->n_items;
    return to;
}

unsigned grammar_place_slips(const struct grammar *g, const char *typed, char out[static 96]) {
    unsigned n = 0;
    if (strlen(typed) < SLIP_WORD_MIN) return 0;
    for (unsigned i = 0; i < g->in->n_cameras; i++)
        for (const char *p = g->names[i].name; *p;) {
            char word[96];
            size_t len = strcspn(p, " ");
            if (len >= SLIP_WORD_MIN && len < sizeof word) {
                memcpy(word, p, len);
                word[len] = '\0';
                if (text_within_one(typed, word) && (n == 0 || strcmp(out, word) != 0)) {
                    strcpy(out, word);
                    n++;
                }
            }
            p += len + (p[len] == ' ');
        }
    return n;
}

void grammar_take_place_slip(struct grammar *g, unsigned from, unsigned to, const char *word) {
    uint8_t *set = calloc(g->in->n_cameras, 1);
    if (!set) {
        g->err = ERR_NOMEM;
        return;
    }
    (void)cameras_of(g, word, false, set);
    struct grammar_token *t = take_cameras(g, from, to, set);
    if (t) t->corrected = true;
    free(set);
}

enum err grammar_place_finish(struct grammar *g) {
    bool excluded = false;
    unsigned n = 0;
    for (unsigned i = 0; i < g->in->n_cameras; i++) excluded = excluded || g->camera_out[i];
    if ((!g->camera_asked && !excluded) || g->r->stop != GRAMMAR_GOES) return OK;
    uint16_t *list = calloc(g->in->n_cameras, sizeof *list);
    if (!list) return ERR_NOMEM;
    for (unsigned i = 0; i < g->in->n_cameras && n < QUERY_CAMERAS_MAX; i++)
        if ((g->camera_asked ? g->camera_in[i] != 0 : allowed(g, i)) && !g->camera_out[i])
            list[n++] = g->in->cameras[i].number;
    g->r->query.cameras = list;
    g->r->query.n_cameras = n;
    if (n == 0) grammar_stop(g, GRAMMAR_STOP_CAMERAS, NULL);
    return OK;
}
