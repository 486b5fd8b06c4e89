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

static const char *const sensitive[] = {"vehicle.plate", "vehicle.similar", "person.face_cover"};
enum { N_SENSITIVE = sizeof sensitive / sizeof sensitive[0] };

static bool is_sensitive(const char *criterion) {
    for (unsigned i = 0; i < N_SENSITIVE; i++)
        if (strcmp(sensitive[i], criterion) == 0) return true;
    return false;
}

bool case_allows(const struct case_file *c, const char *criterion) {
    if (!*criterion) return true;
    if (list_has(c->withheld, criterion)) return false;
    if (list_has(c->criteria, criterion)) return true;
    return list_has(c->criteria, "all") && !is_sensitive(criterion);
}

void case_restrict(struct case_file *c, const char *site_allowed) {
    c->withheld[0] = 0;
    for (unsigned i = 0; i < N_SENSITIVE; i++) {
        if (list_has(site_allowed, sensitive[i])) continue;
        const size_t len = strlen(c->withheld);
        snprintf(c->withheld + len, sizeof c->withheld - len, "%s%s", len ? "," : "", sensitive[i]);
    }
}

void case_perimeter(const struct case_file *c, struct perimeter *out) {
    *out = (struct perimeter){.from_ms = c->from_ms,
                              .to_ms = c->to_ms,
                              .cameras = c->cameras,
                              .n_cameras = c->n_cameras,
                              .plates_allowed = case_allows(c, "vehicle.plate"),
                              .likeness_allowed = case_allows(c, "vehicle.similar")};
}
