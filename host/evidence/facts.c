/* SPDX-License-Identifier: Apache-2.0 */
#include "host/evidence/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/base/zone.h"
#include "host/case/journal.h"
#include "host/case/user.h"

/* ---- counted from the journal ----------------------------------------------------------------------------
 */

struct sums {
    char month[8]; /* "2026-11" */
    int64_t n_cases, n_searches, n_refused, n_views, n_stills, n_confirmed, n_rejected, n_undecided, n_seals;
    int64_t n_erased_recordings, n_erased_sightings;
    double searched_h;  /* camera-hours that the searches covered */
    int64_t watched_ms; /* of extracts played */
};

struct count {
    const struct zone *zone;
    int year; /* 0 = all */
    struct sums *months;
    size_t n;
    json_t *refusals; /* reason -> how often */
};

static struct sums *month_of(struct count *c, int64_t at_ms) {
    int year, month, day;
    char name[16];
    zone_date(zone_local_day(c->zone, at_ms), &year, &month, &day);
    if (c->year && year != c->year) return NULL;
    snprintf(name, sizeof name, "%04d-%02d", year, month);
    for (size_t i = c->n; i-- > 0;)
        if (strcmp(c->months[i].month, name) == 0) return &c->months[i];
    struct sums *more = realloc(c->months, (c->n + 1) * sizeof *more);
    if (!more) return NULL;
    c->months = more;
    more[c->n] = (struct sums){0};
    memcpy(more[c->n].month, name, sizeof more[c->n].month - 1);
    return &more[c->n++];
}

static int64_t integer(const json_t *o, const char *key) {
    return json_integer_value(json_object_get(o, key));
}

static void count_refusal(struct count *c, const json_t *detail) {
    const char *code = json_string_value(json_object_get(detail, "code"));
    if (!code) code = json_string_value(json_object_get(detail, "refused"));
    if (!code) code = "other";
    json_object_set_new(c->refusals, code, json_integer(integer(c->refusals, code) + 1));
}

static void count_line(struct count *c, struct sums *s, const char *action, const json_t *detail) {
    const char *state = json_string_value(json_object_get(detail, "state"));
    if (strcmp(action, "search") == 0) {
        /* A search that the server did not run is a line of this action with a code. */
        if (json_object_get(detail, "code")) {
            s->n_refused++;
            count_refusal(c, detail);
            return;
        }
        s->n_searches++;
        s->searched_h +=
            json_number_value(json_object_get(json_object_get(detail, "coverage"), "searched_h"));
    } else if (strcmp(action, "search.refused") == 0 || strcmp(action, "refused") == 0) {
        s->n_refused++;
        count_refusal(c, detail);
    } else if (strcmp(action, "view") == 0) {
        const int64_t ms = integer(detail, "to_ms") - integer(detail, "from_ms");
        s->n_views++;
        s->watched_ms += ms > 0 && ms < 3600000 ? ms : 0;
    } else if (strcmp(action, "still") == 0) {
        s->n_stills++;
    } else if (strcmp(action, "decide") == 0 && state) {
        s->n_confirmed += strcmp(state, "confirmed") == 0;
        s->n_rejected += strcmp(state, "rejected") == 0;
        s->n_undecided += strcmp(state, "undecided") == 0;
    } else if (strcmp(action, "case.open") == 0) {
        s->n_cases++;
    } else if (strcmp(action, "seal.built") == 0 && state) {
        s->n_seals += strcmp(state, "ready") == 0;
    } else if (strcmp(action, "purge") == 0) {
        s->n_erased_recordings += integer(detail, "recordings");
        s->n_erased_sightings += integer(detail, "sightings");
    }
}

static enum err on_line(const struct journal_row *row, void *arg) {
    struct count *c = arg;
    struct sums *s = month_of(c, row->at_ms);
    if (!s) return OK;
    json_t *detail = json_loads(row->text[5], 0, NULL);
    count_line(c, s, row->text[2], detail);
    json_decref(detail);
    return OK;
}

static enum err count(struct register_db *r, const char *tz, int year, struct count *c) {
    struct zone *zone;
    *c = (struct count){.year = year, .refusals = json_object()};
    enum err e = zone_open(tz, &zone);
    if (e) return e;
    c->zone = zone;
    e = journal_each(r, 1, on_line, c);
    zone_free(&zone);
    if (e) log_error("facts", "op=count err=%s", err_text(e));
    return e;
}

static void count_fini(struct count *c) {
    json_decref(c->refusals);
    free(c->months);
}

static json_t *sums_json(const struct sums *s) {
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:f}", "cases", (json_int_t)s->n_cases,
                     "searches", (json_int_t)s->n_searches, "refusals", (json_int_t)s->n_refused,
                     "extracts_played", (json_int_t)s->n_views, "stills", (json_int_t)s->n_stills,
                     "confirmed", (json_int_t)s->n_confirmed, "rejected", (json_int_t)s->n_rejected,
                     "undecided", (json_int_t)s->n_undecided, "seals", (json_int_t)s->n_seals,
                     "erased_recordings", (json_int_t)s->n_erased_recordings, "erased_sightings",
                     (json_int_t)s->n_erased_sightings, "searched_camera_h", s->searched_h, "watched_h",
                     (double)s->watched_ms / 3600000);
}

json_t *facts_year_json(struct register_db *r, const char *tz, int year) {
    struct count c;
    struct sums all = {0};
    json_t *out = NULL;
    if (count(r, tz, year, &c) == OK) {
        for (size_t i = 0; i < c.n; i++) {
            const struct sums *s = &c.months[i];
            all.n_cases += s->n_cases;
            all.n_searches += s->n_searches;
            all.n_refused += s->n_refused;
            all.n_views += s->n_views;
            all.n_stills += s->n_stills;
            all.n_confirmed += s->n_confirmed;
            all.n_rejected += s->n_rejected;
            all.n_undecided += s->n_undecided;
            all.n_seals += s->n_seals;
            all.n_erased_recordings += s->n_erased_recordings;
            all.n_erased_sightings += s->n_erased_sightings;
            all.searched_h += s->searched_h;
            all.watched_ms += s->watched_ms;
        }
        out = sums_json(&all);
        /* What a person would have had to watch, less what one did. */
        const double saved_h = all.searched_h - (double)all.watched_ms / 3600000;
        json_object_set_new(out, "year", json_integer(year));
        json_object_set_new(out, "saved_h", json_real(saved_h > 0 ? saved_h : 0));
        json_object_set(out, "refusals_by_reason", c.refusals);
    }
    count_fini(&c);
    return out;
}

/* ---- what an assessment asks -----------------------------------------------------------------------------
 */

static json_t *list_of(const char *const words[], size_t n) {
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(out, json_string(words[i]));
    return out;
}
#define LIST(a) list_of(a, sizeof(a) / sizeof *(a))

static json_t *roles_json(void) {
    json_t *out = json_object();
    for (int r = ROLE_NONE + 1; r < ROLE_COUNT; r++) {
        json_t *may = json_array();
        for (int a = 0; a < ACTION_COUNT; a++)
            if (rights_allow((enum role)r, (enum action)a))
                json_array_append_new(may, json_string(action_name((enum action)a)));
        json_object_set_new(out, role_name((enum role)r), may);
    }
    return out;
}

static json_t *accounts_json(struct register_db *r) {
    struct user *u;
    unsigned n;
    json_t *out = json_object();
    if (user_list(r, &u, &n) != OK) return out;
    for (unsigned i = 0; i < n; i++) {
        const char *role = role_name(u[i].role);
        if (!u[i].disabled) json_object_set_new(out, role, json_integer(integer(out, role) + 1));
    }
    free(u);
    return out;
}

static json_t *attributes_json(const struct vocab *v) {
    json_t *out = json_array();
    for (int f = FIELD_NONE + 1; f < FIELD_COUNT; f++)
        json_array_append_new(out, json_pack("{s:s,s:s}", "field", field_name((enum field)f), "label_fr",
                                             vocab_field_label(v, (enum field)f, VOCAB_FR)));
    return out;
}

static json_t *accuracy_json(const struct accuracy *a) {
    size_t n_measured = 0, n_enabled = 0;
    for (size_t i = 0; a && i < a->n_filters; i++) {
        n_measured += a->filters[i].n_measures > 0;
        n_enabled += a->filters[i].enabled;
    }
    return json_pack("{s:s,s:I,s:I,s:s}", "date", a ? a->date : "", "filters_measured",
                     (json_int_t)n_measured, "filters_offered", (json_int_t)n_enabled, "figures",
                     "GET /api/v1/accuracy");
}

json_t *facts_json(const struct facts_context *ctx) {
    static const char *const purposes[] = {
        "Retrouver un véhicule ou une personne dans des enregistrements désignés par une "
        "réquisition judiciaire, dans ses caméras et ses heures"};
    static const char *const bases[] = {"CPP 230-20 à 230-24, R. 40-39 à R. 40-41",
                                        "CSI L. 251-3, L. 252-3, L. 252-5", "Loi 78-17, articles 99 et 101"};
    static const char *const data[] = {
        "enregistrements (par référence, empreinte SHA-256)",
        "passages : heure, caméra, trajet dans l'image, vignette, attributs ci-dessous",
        "dossiers : réquisition, décisions, pièces, scellés",
        "comptes : nom, rôle, habilitation, mot de passe (Argon2id)", "journal des actes"};
    static const char *const excluded[] = {
        "visage et toute donnée biométrique", "démarche", "sexe, âge, peau, origine, religion, santé",
        "image en direct, alerte, liste de surveillance", "ressemblance entre personnes"};
    static const char *const security[] = {
        "TLS 1.2 ou 1.3 toujours", "mots de passe de 12 caractères, Argon2id, second facteur, verrouillage",
        "journal chaîné, signé chaque jour", "décodage isolé (seccomp)",
        "aucune connexion sortante (make prove)"};
    struct count c;
    if (count(ctx->r, ctx->tz, 0, &c) != OK) {
        count_fini(&c);
        return NULL;
    }
    json_t *months = json_array();
    for (size_t i = 0; i < c.n; i++) {
        json_t *m = sums_json(&c.months[i]);
        if (m) json_object_set_new(m, "month", json_string(c.months[i].month));
        json_array_append_new(months, m);
    }
    count_fini(&c);
    json_t *durations =
        json_pack("{s:i,s:i,s:s}", "footage_days", ctx->retention_days, "case_days_max", 1096, "end_of_case",
                  "erased with its passages, thumbnails, copies and seals; closing record kept");
    if (durations && ctx->journal_years)
        json_object_set_new(durations, "journal_years", json_integer(ctx->journal_years));
    return json_pack("{s:s,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:o}", "version", ctx->version,
                     "made_ms", (json_int_t)clock_wall_ms(), "purposes", LIST(purposes), "legal_bases",
                     LIST(bases), "data", LIST(data), "attributes", attributes_json(ctx->vocab), "excluded",
                     LIST(excluded), "security", LIST(security), "durations", durations,
                     "switched_on_by_the_site", ctx->site_allowed ? ctx->site_allowed : "none", "roles",
                     roles_json(), "accounts", accounts_json(ctx->r), "accuracy",
                     accuracy_json(ctx->accuracy), "months", months);
}
