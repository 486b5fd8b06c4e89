/* SPDX-License-Identifier: Apache-2.0 */
/* What a case allows: pure rules over its row, without a database. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/case/register.h"

void case_fini(struct case_file *c) {
    if (!c) return;
    free(c->cameras);
    c->cameras = NULL;
    c->n_cameras = 0;
}

static bool list_has(const char *list, const char *word) {
    const size_t n = strlen(word);
    for (const char *p = list; n > 0 && p; p = strchr(p, ',')) {
        if (*p == ',') p++;
        while (*p == ' ') p++;
        if (strncmp(p, word, n) == 0 && (p[n] == 0 || p[n] == ',' || p[n] == ' ')) return true;
    }
    return false;
}

const char *const case_criteria[] = {
    "vehicle.type",    "vehicle.color",    "vehicle.make_model", "vehicle.extra", "vehicle.plate",
    "vehicle.similar", "person.tops",      "person.bottoms",     "person.shoes",  "person.headwear",
    "person.bag",      "person.accessory", "person.face_cover",  "motion.area",   NULL};

bool case_criteria_known(const char *list) {
    unsigned n_words = 0;
    for (const char *p = list; *p;) {
        p += strspn(p, ", ");
        const size_t n = strcspn(p, ", ");
        bool is_known = n == 0 || (n == 3 && strncmp(p, "all", 3) == 0);
        for (unsigned i = 0; case_criteria[i] && !is_known; i++)
            is_known = strlen(case_criteria[i]) == n && strncmp(case_criteria[i], p, n) == 0;
        if (!is_known) return false;
        n_words += n > 0;
        p += n;
    }
    return n_words > 0;
}

static const char *const sensitive[] = {"vehicle.plate", "vehicle.similar", "person.face_cover"};
enum { N_SENSITIVE = sizeof sensitive / sizeof sensitive[0] };

static bool is_sensitive(const char *criterion) {
    for (unsigned i = 0; i < N_SENSITIVE; i++)
        if (strcmp(sensitive[i], criterion) == 0) return true;
    return false;
}

/* "all" stands for every criterion but the sensitive ones. */
static bool list_allows(const char *list, const char *criterion) {
    return list_has(list, criterion) || (list_has(list, "all") && !is_sensitive(criterion));
}

bool case_allows(const struct case_file *c, const char *criterion) {
    if (!*criterion) return true;
    return !list_has(c->withheld, criterion) && list_allows(c->criteria, criterion);
}

static void withhold(struct case_file *c, const char *criterion) {
    const size_t len = strlen(c->withheld);
    snprintf(c->withheld + len, sizeof c->withheld - len, "%s%s", len ? "," : "", criterion);
}

void case_restrict(struct case_file *c, const char *site_allowed) {
    c->withheld[0] = 0;
    for (unsigned i = 0; i < N_SENSITIVE; i++)
        if (!list_has(site_allowed, sensitive[i])) withhold(c, sensitive[i]);
}

void case_restrict_user(struct case_file *c, const char *user_criteria) {
    for (unsigned i = 0; case_criteria[i]; i++)
        if (!list_allows(user_criteria, case_criteria[i]) && !list_has(c->withheld, case_criteria[i]))
            withhold(c, case_criteria[i]);
}

void case_perimeter(const struct case_file *c, struct perimeter *out) {
    *out = (struct perimeter){.from_ms = c->from_ms,
                              .to_ms = c->to_ms,
                              .cameras = c->cameras,
                              .n_cameras = c->n_cameras,
                              .plates_allowed = case_allows(c, "vehicle.plate"),
                              .likeness_allowed = case_allows(c, "vehicle.similar")};
}
