/* SPDX-License-Identifier: Apache-2.0 */
/* rights.h - who may do what: one matrix of role x action (users-and-law 1 and 4.2 no. 5), asked by the
 * server before anything else. The case narrows it further, never widens it. Pure; any thread. */
#ifndef HOST_CASE_RIGHTS_H
#define HOST_CASE_RIGHTS_H

#include <stdbool.h>

enum role {
    ROLE_NONE,
    ROLE_OPERATOR,
    ROLE_OFFICER,
    ROLE_CHIEF,
    ROLE_AUDITOR,
    ROLE_ADMINISTRATOR,
    ROLE_COUNT
};

enum action {
    ACTION_SEARCH,         /* ask, inside an open case */
    ACTION_VIEW,           /* thumbnails, clips, stills of a case */
    ACTION_DECIDE,         /* confirm, reject, unsure */
    ACTION_EXPORT_PREPARE, /* exhibits, a seal waiting for its second person */
    ACTION_EXPORT_APPROVE, /* the second signature; never the author's own */
    ACTION_EXPORT_RECEIVE, /* download a seal */
    ACTION_CASE_READ,
    ACTION_CASE_OPEN, /* also extend and close */
    ACTION_IMPORT,
    ACTION_CAMERA_EDIT,
    ACTION_JOURNAL_READ, /* also verify; never an image */
    ACTION_FIGURES_READ, /* counts, durations, measured accuracy */
    ACTION_USER_EDIT,
    ACTION_SYSTEM_EDIT, /* storage, cards, retention within the law's term */
    ACTION_COUNT
};

bool rights_allow(enum role role, enum action action);
const char *role_name(enum role r);       /* "operator"; never NULL */
enum role role_by_name(const char *name); /* ROLE_NONE */
const char *action_name(enum action a);   /* "search" */

#endif
