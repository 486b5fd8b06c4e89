/* SPDX-License-Identifier: Apache-2.0 */
#include "host/case/rights.h"

#include <stdint.h>
#include <string.h>

#define MAY(action) (1u << ACTION_##action)

/* The operator cannot open a case alone, the officer sees only the cases he is named in, the auditor and the
 * administrator see no image. */
static const uint32_t matrix[ROLE_COUNT] = {
    [ROLE_NONE] = 0,
    [ROLE_OPERATOR] =
        MAY(SEARCH) | MAY(VIEW) | MAY(DECIDE) | MAY(EXPORT_PREPARE) | MAY(CASE_READ) | MAY(IMPORT),
    [ROLE_OFFICER] = MAY(VIEW) | MAY(DECIDE) | MAY(EXPORT_RECEIVE) | MAY(CASE_READ),
    [ROLE_CHIEF] = MAY(SEARCH) | MAY(VIEW) | MAY(DECIDE) | MAY(EXPORT_PREPARE) | MAY(EXPORT_APPROVE) |
                   MAY(CASE_READ) | MAY(CASE_OPEN) | MAY(IMPORT) | MAY(JOURNAL_READ) | MAY(FIGURES_READ),
    [ROLE_AUDITOR] = MAY(JOURNAL_READ) | MAY(FIGURES_READ),
    [ROLE_ADMINISTRATOR] = MAY(CAMERA_EDIT) | MAY(FIGURES_READ) | MAY(USER_EDIT) | MAY(SYSTEM_EDIT),
};
_Static_assert(ACTION_COUNT <= 32, "one bit per action");

bool rights_allow(enum role role, enum action action) {
    return (unsigned)role < ROLE_COUNT && (unsigned)action < ACTION_COUNT && (matrix[role] >> action & 1u);
}

static const char *const role_names[ROLE_COUNT] = {"none",  "operator", "officer",
                                                   "chief", "auditor",  "administrator"};
static const char *const action_names[ACTION_COUNT] = {
    "search",         "view",         "decide",    "export_prepare", "export_approve",
    "export_receive", "case_read",    "case_open", "import",         "camera_edit",
    "journal_read",   "figures_read", "user_edit", "system_edit"};

const char *role_name(enum role r) {
    return (unsigned)r < ROLE_COUNT ? role_names[r] : role_names[ROLE_NONE];
}

enum role role_by_name(const char *name) {
    for (int r = ROLE_NONE + 1; r < ROLE_COUNT; r++)
        if (strcmp(role_names[r], name) == 0) return (enum role)r;
    return ROLE_NONE;
}

const char *action_name(enum action a) {
    return (unsigned)a < ACTION_COUNT ? action_names[a] : "unknown";
}
