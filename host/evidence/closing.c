/* SPDX-License-Identifier: Apache-2.0 */
#include "host/evidence/closing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/case/decision.h"
#include "host/case/extension.h"
#include "host/case/journal.h"
#include "host/case/seal.h"
#include "host/case/user.h"
#include "host/evidence/describe.h"
#include "host/evidence/sums.h"

enum { PEOPLE_MAX = 200, FIELDS_USED_MAX = FIELD_COUNT };

/* What one walk through the journal finds of the case. */
struct told {
    const struct closing_context *ctx;
    struct document *d;
    char people[PEOPLE_MAX][80];
    unsigned n_people;
    bool used[FIELDS_USED_MAX]; /* fields that a search asked for */
    uint64_t n_searches, n_refused, n_views, n_stills, n_lines;
};

static const char *time_of(const struct zone *z, int64_t ms, char out[static 32]) {
    char text[32];
    journal_local_time(z, ms, text);
    snprintf(out, 32, "%.2s/%.2s/%.4s %.8s", text + 8, text + 5, text, text + 11);
    return out;
}

static const char *length_of(int64_t ms, char out[static 32]) {
    const int64_t s = ms / 1000;
    snprintf(out, 32, "%" PRId64 " h %02d min %02d s", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
    return out;
}

static const char *role_fr(enum role r) {
    static const char *const names[ROLE_COUNT] = {
        "", "opérateur", "officier de police judiciaire", "chef de salle", "auditeur", "administrateur"};
    return (unsigned)r < ROLE_COUNT ? names[r] : "";
}

static const char *state_fr(const char *state) {
    static const struct {
        const char *name, *fr;
    } states[] = {{"confirmed", "confirmé"},
                  {"rejected", "écarté"},
                  {"undecided", "indécis"},
                  {"waiting", "en attente"},
                  {"building", "en cours"},
                  {"ready", "remis"},
                  {"refused", "refusé"},
                  {"failed", "échoué"},
                  {"indexed", "examiné"},
                  {"damaged", "endommagé"},
                  {"night", "nuit (couleurs non estimées)"},
                  {"absent", "absent"},
                  {"pending", "en attente"},
                  {"approved", "accordée"}};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (strcmp(states[i].name, state) == 0) return states[i].fr;
    return state;
}

/* ---- the walk --------------------------------------------------------------------------------------------
 */

static void note_person(struct told *t, const char *login) {
    for (unsigned i = 0; i < t->n_people; i++)
        if (strcmp(t->people[i], login) == 0) return;
    if (*login && t->n_people < PEOPLE_MAX) snprintf(t->people[t->n_people++], 80, "%s", login);
}

static void note_fields(struct told *t, const json_t *tokens) {
    size_t i;
    const json_t *token;
    json_array_foreach(tokens, i, token) {
        const char *name = json_string_value(json_object_get(token, "field"));
        if (!name) continue;
        const enum field f = field_by_name(name);
        /* Plates have no field of the vocabulary; their figures stand under FIELD_NONE. */
        if (f != FIELD_NONE || strcmp(name, "plate") == 0) t->used[f] = true;
        /* A colour without a thing stands for each field that has colours. */
        if (strcmp(name, "colour") == 0)
            t->used[FIELD_VEHICLE_COLOUR] = t->used[FIELD_UPPER_COLOUR] = t->used[FIELD_LOWER_COLOUR] = true;
    }
}

static enum err walk(const struct journal_row *row, void *arg) {
    struct told *t = arg;
    if (strcmp(row->text[3], t->ctx->c->id) != 0) return OK;
    t->n_lines++;
    note_person(t, row->text[0]);
    const char *action = row->text[2];
    t->n_searches += strcmp(action, "search") == 0;
    t->n_refused += strcmp(action, "search.refused") == 0 || strcmp(action, "refused") == 0;
    t->n_views += strcmp(action, "view") == 0;
    t->n_stills += strcmp(action, "still") == 0;
    if (strncmp(action, "search", 6) != 0) return OK;
    json_t *detail = json_loads(row->text[5], 0, NULL);
    note_fields(t, json_object_get(detail, "tokens"));
    /* A question by members names its fields there. */
    size_t i;
    const json_t *where;
    json_array_foreach(json_object_get(json_object_get(detail, "asked"), "where"), i, where) {
        const char *name = json_string_value(json_object_get(where, "field"));
        const enum field f = name ? field_by_name(name) : FIELD_NONE;
        if (f != FIELD_NONE) t->used[f] = true;
    }
    json_decref(detail);
    return OK;
}

/* ---- sections --------------------------------------------------------------------------------------------
 */

static void requisition(const struct closing_context *ctx, struct document *d) {
    const struct case_file *c = ctx->c;
    char a[32], b[32];
    document_fact(d, "Dossier", "%s", c->id);
    document_fact(d, "Réquisition", "%s", c->requisition);
    document_fact(d, "Autorité", "%s", c->authority);
    document_fact(d, "Cadre juridique", "%s", c->basis);
    document_fact(d, "Infraction", "%s", *c->offence ? c->offence : "non précisée");
    document_fact(d, "Empreinte SHA-256 de la réquisition signée", "%s",
                  *c->doc_sha256 ? c->doc_sha256 : "non jointe");
    document_fact(d, "Période autorisée", "du %s au %s (heure locale)", time_of(ctx->zone, c->from_ms, a),
                  time_of(ctx->zone, c->to_ms, b));
    document_fact(d, "Ouvert", "le %s%s%s", time_of(ctx->zone, c->opened_ms, a),
                  *c->opened_by ? ", par " : "", c->opened_by);
    if (c->closed_ms)
        document_fact(d, "Clos", "le %s, par %s", time_of(ctx->zone, c->closed_ms, a), c->closed_by);
    else
        document_fact(d, "Clos", "non : ce document a été établi avant la clôture");
}

static void persons(struct told *t) {
    const struct closing_context *ctx = t->ctx;
    document_say(t->d, DOCUMENT_HEADING, "Personnes et habilitations");
    static const char *const head[] = {"Identifiant", "Nom", "Qualité", "Habilitation", "Valable du", "au"};
    document_row(t->d, DOCUMENT_HEAD_ROW, head, 6);
    for (unsigned i = 0; i < t->n_people; i++) {
        struct user u;
        char a[32] = "", b[32] = "";
        const bool known = user_get(ctx->r, t->people[i], &u) == OK;
        const char *const cells[] = {t->people[i],
                                     known ? u.name : "accès à la machine (hors compte)",
                                     known ? role_fr(u.role) : "",
                                     known ? u.habilitation : "",
                                     known ? time_of(ctx->zone, u.valid_from_ms, a) : "",
                                     known ? time_of(ctx->zone, u.valid_to_ms, b) : ""};
        document_row(t->d, DOCUMENT_ROW, cells, 6);
    }
}

struct criterion_lines {
    struct document *d;
    unsigned n;
};

static void one_line(const char *criterion, const char *line, void *arg) {
    static const char *const head[] = {"Critère", "Ligne de la réquisition qui le fonde"};
    struct criterion_lines *l = arg;
    const char *const cells[] = {criterion, line};
    if (l->n++ == 0) document_row(l->d, DOCUMENT_HEAD_ROW, head, 2);
    document_row(l->d, DOCUMENT_ROW, cells, 2);
}

static enum err perimeter(const struct closing_context *ctx, struct document *d, const struct camera *cameras,
                          unsigned n_cameras) {
    document_say(d, DOCUMENT_HEADING, "Caméras autorisées");
    static const char *const head[] = {"Caméra", "Lieu", "Correction d'horloge (ms)"};
    document_row(d, DOCUMENT_HEAD_ROW, head, 3);
    for (unsigned i = 0; i < ctx->c->n_cameras; i++) {
        char offset[24];
        const struct camera *k = describe_find_camera(cameras, n_cameras, ctx->c->cameras[i]);
        if (!k) continue;
        snprintf(offset, sizeof offset, "%+" PRId64, k->clock_offset_ms);
        const char *const cells[] = {k->id, k->name, offset};
        document_row(d, DOCUMENT_ROW, cells, 3);
    }
    document_say(d, DOCUMENT_HEADING, "Critères autorisés");
    document_say(d, DOCUMENT_TEXT, "Critères du dossier : %s.", ctx->c->criteria);
    struct criterion_lines found = {.d = d};
    enum err e = case_lines(ctx->r, ctx->c->id, one_line, &found);
    if (!e && found.n == 0)
        document_say(d, DOCUMENT_TEXT, "Aucune ligne de la réquisition n'a été relevée à leur appui.");
    struct extension *x = NULL;
    unsigned n = 0;
    if (!e) e = extension_list(ctx->r, ctx->c->id, &x, &n);
    if (!e && n > 0) {
        static const char *const extensions[] = {"Extension demandée le", "Par", "Motif", "Suite", "Par"};
        document_row(d, DOCUMENT_HEAD_ROW, extensions, 5);
    }
    for (unsigned i = 0; i < n; i++) {
        char at[32];
        const char *const cells[] = {time_of(ctx->zone, x[i].at_ms, at), x[i].by, x[i].reason,
                                     state_fr(x[i].state), x[i].decided_by};
        document_row(d, DOCUMENT_ROW, cells, 5);
        extension_fini(&x[i]);
    }
    free(x);
    return e;
}

/* What was asked, in words: the sentence, else the members. */
static char *question_of(const json_t *detail) {
    const json_t *asked = json_object_get(detail, "asked");
    json_t *rest = asked ? json_deep_copy(asked) : NULL;
    char *out = NULL;
    const char *sentence = json_string_value(json_object_get(asked, "sentence"));
    static const char *const dropped[] = {"sentence", "limit", "offset", "facets", "language", "sort"};
    for (size_t i = 0; rest && i < sizeof dropped / sizeof dropped[0]; i++) json_object_del(rest, dropped[i]);
    char *members =
        rest && json_object_size(rest) > 0 ? json_dumps(rest, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (asprintf(&out, "%s%s%s",
                 sentence  ? sentence
                 : members ? ""
                           : "(tout le périmètre)",
                 sentence && members ? " ; " : "", members ? members : "") < 0)
        out = NULL;
    free(members);
    json_decref(rest);
    return out;
}

static enum err one_search(const struct journal_row *row, void *arg) {
    struct told *t = arg;
    const char *action = row->text[2];
    if (strcmp(row->text[3], t->ctx->c->id) != 0 || (strncmp(action, "search", 6) != 0)) return OK;
    json_t *detail = json_loads(row->text[5], 0, NULL);
    char seq[24], at[32], total[24];
    snprintf(seq, sizeof seq, "%" PRId64, row->seq);
    const json_t *n = json_object_get(detail, "total");
    const char *code = json_string_value(json_object_get(detail, "code"));
    if (!code) code = json_string_value(json_object_get(detail, "refused"));
    if (json_is_integer(n) && json_integer_value(n) >= 0)
        snprintf(total, sizeof total, "%" JSON_INTEGER_FORMAT, json_integer_value(n));
    else
        snprintf(total, sizeof total, "%.20s", code ? code : "-");
    char *question = question_of(detail);
    const char *const cells[] = {seq, time_of(t->ctx->zone, row->at_ms, at), row->text[0],
                                 question ? question : "", total};
    document_row(t->d, DOCUMENT_ROW, cells, 5);
    free(question);
    json_decref(detail);
    return OK;
}

static enum err searches(struct told *t) {
    document_say(t->d, DOCUMENT_HEADING, "Recherches effectuées");
    document_say(t->d, DOCUMENT_TEXT,
                 "Recherches : %" PRIu64 " ; refusées : %" PRIu64 " ; lectures d'extraits : %" PRIu64
                 " ; images fixes : %" PRIu64 ". Le numéro est celui de la ligne du journal.",
                 t->n_searches, t->n_refused, t->n_views, t->n_stills);
    static const char *const head[] = {"Ligne", "Heure locale", "Personne", "Question posée", "Passages"};
    document_row(t->d, DOCUMENT_HEAD_ROW, head, 5);
    return journal_each(t->ctx->r, 1, one_search, t);
}

static enum err coverage(const struct closing_context *ctx, struct document *d, const struct camera *cameras,
                         unsigned n_cameras) {
    struct perimeter p;
    case_perimeter(ctx->c, &p);
    json_t *c = describe_coverage(ctx->reader, &p, cameras, n_cameras);
    if (!c) return ERR_IO;
    static const char *const sums[] = {"camera_ms", "searched_ms", "damaged_ms", "night_ms"};
    int64_t ms[4];
    char a[32], b[32], k[32], m[32], n[32];
    for (int i = 0; i < 4; i++) ms[i] = json_integer_value(json_object_get(c, sums[i]));
    document_say(d, DOCUMENT_HEADING, "Heures examinées et lacunes");
    document_say(d, DOCUMENT_TEXT,
                 "Temps de caméra autorisé : %s. Examiné : %s. Non examiné : %s. Parmi le temps examiné, "
                 "endommagé : %s ; de "
                 "nuit (couleurs non estimées) : %s.",
                 length_of(ms[0], a), length_of(ms[1], b), length_of(ms[0] - ms[1], k), length_of(ms[2], m),
                 length_of(ms[3], n));
    static const char *const head[] = {"Caméra", "De", "À", "État", "Raison"};
    document_row(d, DOCUMENT_HEAD_ROW, head, 5);
    size_t i;
    const json_t *s;
    json_array_foreach(json_object_get(c, "spans"), i, s) {
        const char *const cells[] = {json_string_value(json_object_get(s, "camera_id")),
                                     time_of(ctx->zone, json_integer_value(json_object_get(s, "from_ms")), a),
                                     time_of(ctx->zone, json_integer_value(json_object_get(s, "to_ms")), b),
                                     state_fr(json_string_value(json_object_get(s, "state"))),
                                     json_string_value(json_object_get(s, "reason"))};
        document_row(d, DOCUMENT_ROW, cells, 5);
    }
    json_decref(c);
    return OK;
}

static void one_passage(const struct closing_context *ctx, struct document *d, const struct decision *x,
                        const struct camera *cameras, unsigned n_cameras) {
    struct perimeter p;
    struct sighting *s = calloc(1, sizeof *s);
    char id[24], when[72] = "", at[32], b[32];
    const char *camera = "", *what = "effacé de l'index";
    case_perimeter(ctx->c, &p);
    snprintf(id, sizeof id, "%" PRIu64, x->sighting);
    if (s && index_sighting_get(ctx->reader, &p, x->sighting, s) == OK) {
        const struct camera *k = describe_find_camera(cameras, n_cameras, s->camera_number);
        const struct vocab_value *v = vocab_by_id(ctx->vocab, FIELD_CLASS, s->class_id);
        camera = k ? k->id : "";
        what = v ? v->label_fr : "";
        time_of(ctx->zone, s->start_ms, at);
        snprintf(when, sizeof when, "%s à %.8s", at, time_of(ctx->zone, s->end_ms, b) + 11);
        free(s->thumbnail_jpeg);
    }
    const char *const cells[] = {id, camera, when, what, x->by, time_of(ctx->zone, x->at_ms, at), x->reason};
    document_row(d, DOCUMENT_ROW, cells, 7);
    free(s);
}

static enum err passages(const struct closing_context *ctx, struct document *d, const struct camera *cameras,
                         unsigned n_cameras, unsigned *n_confirmed) {
    static const struct {
        const char *state, *heading, *none;
    } parts[] = {{"confirmed", "Passages retenus", "Aucun passage n'a été retenu."},
                 {"rejected", "Passages écartés", "Aucun passage n'a été écarté."},
                 {"undecided", "Passages laissés indécis", "Aucun."}};
    static const char *const head[] = {"Passage",    "Caméra", "Heure locale", "Objet",
                                       "Décidé par", "Le",     "Motif"};
    *n_confirmed = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct decision *x;
        unsigned n;
        const enum err e = decision_list(ctx->r, ctx->c->id, parts[i].state, &x, &n);
        if (e) return e;
        document_say(d, DOCUMENT_HEADING, "%s (%u)", parts[i].heading, n);
        if (n == 0)
            document_say(d, DOCUMENT_TEXT, "%s", parts[i].none);
        else
            document_row(d, DOCUMENT_HEAD_ROW, head, 7);
        for (unsigned k = 0; k < n; k++) one_passage(ctx, d, &x[k], cameras, n_cameras);
        if (i == 0) *n_confirmed = n;
        free(x);
    }
    return OK;
}

static void one_filter(const struct closing_context *ctx, struct document *d,
                       const struct accuracy_filter *f) {
    char name[160];
    snprintf(name, sizeof name, "%s%s%s",
             f->field == FIELD_NONE ? "plaque" : vocab_field_label(ctx->vocab, f->field, VOCAB_FR),
             f->value ? " : " : "", f->value ? f->value->label_fr : "");
    for (unsigned i = 0; i < f->n_measures; i++) {
        const struct accuracy_measure *m = &f->measures[i];
        char value[48], n[16];
        if (m->high > m->low)
            snprintf(value, sizeof value, "%.3g (%.3g à %.3g)", m->measured, m->low, m->high);
        else
            snprintf(value, sizeof value, "%.3g", m->measured);
        snprintf(n, sizeof n, "%u", m->n);
        const char *const cells[] = {name, m->metric, value, n, m->set};
        document_row(d, DOCUMENT_ROW, cells, 5);
    }
    if (f->n_measures == 0) {
        const char *const cells[] = {name, "non mesuré", f->enabled ? "" : f->why, "", ""};
        document_row(d, DOCUMENT_ROW, cells, 5);
    }
}

static void accuracy(struct told *t) {
    const struct accuracy *a = t->ctx->accuracy;
    document_say(t->d, DOCUMENT_HEADING, "Exactitude mesurée des filtres utilisés");
    if (!a) {
        document_say(t->d, DOCUMENT_TEXT, "Aucune mesure n'est jointe à cette installation.");
        return;
    }
    bool any = false;
    for (unsigned f = 0; f < FIELDS_USED_MAX; f++) any |= t->used[f];
    if (!any) {
        document_say(t->d, DOCUMENT_TEXT, "Aucun filtre n'a été demandé.");
        return;
    }
    document_say(t->d, DOCUMENT_TEXT,
                 "Mesures du %s, sur des images publiques annotées (jeu), avec l'intervalle à 95 %% entre "
                 "parenthèses et le "
                 "nombre de cas. Les passages proposés peuvent être faux, et un passage peut manquer.",
                 a->date);
    static const char *const head[] = {"Filtre", "Mesure", "Valeur", "Cas", "Jeu"};
    document_row(t->d, DOCUMENT_HEAD_ROW, head, 5);
    for (size_t i = 0; i < a->n_filters; i++)
        if (t->used[a->filters[i].field]) one_filter(t->ctx, t->d, &a->filters[i]);
}

static enum err seals(const struct closing_context *ctx, struct document *d) {
    struct seal *s;
    unsigned n;
    const enum err e = seal_list(ctx->r, ctx->c->id, &s, &n);
    if (e) return e;
    document_say(d, DOCUMENT_HEADING, "Scellés (%u)", n);
    static const char *const head[] = {"Scellé",       "État", "Destinataire",          "Demandé par",
                                       "Approuvé par", "Le",   "Empreinte du manifeste"};
    if (n > 0) document_row(d, DOCUMENT_HEAD_ROW, head, 7);
    for (unsigned i = 0; i < n; i++) {
        char id[24], at[32] = "";
        snprintf(id, sizeof id, "%" PRIu64, s[i].id);
        if (s[i].decided_ms) time_of(ctx->zone, s[i].decided_ms, at);
        const char *const cells[] = {id, state_fr(s[i].state), s[i].handed_to, s[i].by, s[i].decided_by,
                                     at, s[i].sha256};
        document_row(d, DOCUMENT_ROW, cells, 7);
    }
    seals_free(s, n);
    return OK;
}

static enum err versions(struct told *t) {
    char index[65], hash[JOURNAL_HASH_BYTES];
    int64_t seq;
    enum err e = index_fingerprint(t->ctx->reader, index);
    if (!e) e = journal_head(t->ctx->r, &seq, hash);
    if (e) return e;
    document_say(t->d, DOCUMENT_HEADING, "Versions et empreintes");
    document_fact(t->d, "Logiciel", "Relecture %s", t->ctx->software);
    document_fact(t->d, "Modèles (SHA-256 de leurs manifestes)", "%s", t->ctx->models);
    document_fact(t->d, "Index (SHA-256 de ses enregistrements)", "%s", index);
    document_fact(t->d, "Journal",
                  "%" PRIu64 " lignes de ce dossier ; dernière ligne %" PRId64 ", empreinte %s", t->n_lines,
                  seq, hash);
    return OK;
}

static void begin(struct told *t, const char *title, const char *text) {
    char now[32];
    t->d->language = "fr";
    time_of(t->ctx->zone, clock_wall_ms(), now);
    snprintf(t->d->footer, sizeof t->d->footer, "Dossier %s - établi automatiquement le %s", t->ctx->c->id,
             now);
    document_say(t->d, DOCUMENT_TITLE, "%s", title);
    document_say(t->d, DOCUMENT_TEXT, "%s", text);
    requisition(t->ctx, t->d);
}

enum err closing_record(const struct closing_context *ctx, struct document *out) {
    struct told *t = calloc(1, sizeof *t);
    struct camera *cameras = NULL;
    unsigned n_cameras = 0, n_confirmed;
    *out = (struct document){0};
    if (!t) return ERR_NOMEM;
    t->ctx = ctx;
    t->d = out;
    enum err e = camera_list(ctx->r, &cameras, &n_cameras);
    note_person(t, ctx->c->opened_by);
    note_person(t, ctx->c->closed_by);
    if (!e) e = journal_each(ctx->r, 1, walk, t);
    begin(t, "Procès-verbal de fin d'exploitation",
          "Article R. 40-40 du code de procédure pénale. La machine propose des passages ; chaque passage "
          "retenu ou écarté l'a "
          "été par une personne. Aucune reconnaissance faciale ni donnée biométrique n'a été employée : le "
          "logiciel n'en "
          "contient pas.");
    persons(t);
    if (!e) e = perimeter(ctx, out, cameras, n_cameras);
    if (!e) e = searches(t);
    if (!e) e = coverage(ctx, out, cameras, n_cameras);
    if (!e) e = passages(ctx, out, cameras, n_cameras, &n_confirmed);
    accuracy(t);
    if (!e) e = seals(ctx, out);
    if (!e) e = versions(t);
    document_say(out, DOCUMENT_TEXT, "Fait le ................................  Nom, qualité, signature :");
    free(cameras);
    free(t);
    if (!e && out->bad) e = ERR_NOMEM;
    if (e) document_fini(out);
    return e;
}

enum err closing_certificate(const struct closing_context *ctx, struct document *out) {
    struct told *t = calloc(1, sizeof *t);
    struct camera *cameras = NULL;
    struct decision *kept = NULL;
    unsigned n_cameras = 0, n_kept = 0;
    *out = (struct document){0};
    if (!t) return ERR_NOMEM;
    t->ctx = ctx;
    t->d = out;
    enum err e = camera_list(ctx->r, &cameras, &n_cameras);
    if (!e) e = decision_list(ctx->r, ctx->c->id, "confirmed", &kept, &n_kept);
    if (!e) e = journal_each(ctx->r, 1, walk, t);
    begin(t, "Certificat de couverture",
          "Ce qui a été examiné dans le périmètre de la réquisition, et ce qui ne l'a pas été.");
    if (n_kept == 0)
        document_say(out, DOCUMENT_TEXT,
                     "Aucun passage n'a été retenu à la date de ce certificat. Cette absence ne vaut que "
                     "pour les heures "
                     "examinées, les critères demandés et l'exactitude mesurée ci-dessous.");
    else
        document_say(out, DOCUMENT_TEXT, "%u passages ont été retenus à la date de ce certificat.", n_kept);
    if (!e) e = searches(t);
    if (!e) e = coverage(ctx, out, cameras, n_cameras);
    accuracy(t);
    if (!e) e = versions(t);
    free(kept);
    free(cameras);
    free(t);
    if (!e && out->bad) e = ERR_NOMEM;
    if (e) document_fini(out);
    return e;
}

/* ---- files -----------------------------------------------------------------------------------------------
 */

static enum err put_both(const struct document *d, const char *dir, const char *stem) {
    static const char *const ends[] = {"html", "pdf"};
    enum err e = OK;
    for (int i = 0; i < 2 && !e; i++) {
        struct bytes b = {0};
        char name[64], path[FS_PATH_MAX];
        snprintf(name, sizeof name, "%s.%s", stem, ends[i]);
        e = fs_join(path, dir, name);
        if (!e) e = i == 0 ? document_html(d, &b) : document_pdf(d, &b);
        if (!e) e = fs_write_atomic(path, b.data, b.len, 0600);
        bytes_fini(&b);
    }
    return e;
}

enum err closing_write(const struct closing_context *ctx, const struct signer *s, const char *dir) {
    struct document record, certificate = {0};
    enum err e = closing_record(ctx, &record);
    if (e) return e;
    e = closing_certificate(ctx, &certificate);
    if (!e && mkdir(dir, 0700) != 0) e = errno == EEXIST ? ERR_EXISTS : ERR_IO;
    if (!e) e = put_both(&record, dir, "proces-verbal");
    if (!e) e = put_both(&certificate, dir, "certificat-de-couverture");
    if (!e) e = sums_sign(dir, s);
    document_fini(&record);
    document_fini(&certificate);
    return e;
}
