/* SPDX-License-Identifier: Apache-2.0 */
/* register.h - register.db: cameras, cases with their requisitions, and the journal of what users did.
 * Threads: one handle per thread. Ownership: lists returned are the caller's to free(). */
#ifndef HOST_CASE_REGISTER_H
#define HOST_CASE_REGISTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/index/index.h"

struct register_db;

struct camera {
    uint16_t number;          /* dense, given on adding, never reused */
    char id[40];              /* the city's: "gare-01" */
    char name[128];           /* "Gare, parvis" */
    double lat, lon;          /* degrees WGS 84; 0, 0 = not placed */
    int heading_deg, fov_deg; /* view cone; -1 = unknown */
    int64_t clock_offset_ms;  /* added to what its recordings claim */
    int retention_days;       /* 0 = the site's */
};

#define CASE_CAMERAS_MAX 5000u
struct case_file {
    char id[40]; /* "2026-0001" */
    char requisition[128], authority[128], basis[64], offence[128];
    int64_t from_ms, to_ms; /* period allowed, end exclusive */
    uint16_t *cameras;      /* numbers allowed; owned */
    unsigned n_cameras;
    char criteria[512]; /* comma-separated switches (users-and-law 4.3), or "all" */
    char withheld[512]; /* what the site or the user may not; filled by case_restrict...() */
    char state[16];     /* "open", "closed" */
    int64_t opened_ms, expires_ms;
    char doc_sha256[65]; /* of the signed requisition; "" = none */
    char opened_by[64], closed_by[64];
    int64_t closed_ms; /* 0 = open */
};
void case_fini(struct case_file *c);
/* "all" never includes the switches that also need the site's: vehicle.plate, vehicle.similar,
 * person.face_cover. */
bool case_allows(const struct case_file *c, const char *criterion);
/* Takes away the sensitive switches that the site (config site.allowed, comma-separated) does not allow: the
 * effective right is site AND case AND user. Call on every case that is about to be used. */
void case_restrict(struct case_file *c, const char *site_allowed);
/* Takes away what this user's own criteria (comma-separated, or "all") do not hold. */
void case_restrict_user(struct case_file *c, const char *user_criteria);
/* Every criterion that a requisition can allow (users-and-law 4.3), NULL at the end. */
extern const char *const case_criteria[];
/* At least one word, each a criterion or "all": a misspelt one would silently allow nothing. */
bool case_criteria_known(const char *list);
void case_perimeter(const struct case_file *c, struct perimeter *out); /* borrows c->cameras */

/* A register of an earlier version is brought up to this one. ERR_CORRUPT: damaged, or of a later version. */
MUST_CHECK enum err register_open(const char *dir, bool create, struct register_db **out);
void register_close(struct register_db **r);

/* The later of the clock and the journal's last line: setting the clock back revives no account and no case.
 */
MUST_CHECK enum err register_now_ms(struct register_db *r, int64_t *out);

/* Several acts as one: what happens between begin and end is written whole (end with OK) or not at all. Calls
 * nest, and the outermost one decides; an act that failed inside must make the outer one fail. Every function
 * of host/case that writes may stand inside. */
MUST_CHECK enum err register_begin(struct register_db *r);
/* Commits when `so_far` is OK, else takes everything back. Returns so_far, or why it could not be committed.
 */
MUST_CHECK enum err register_end(struct register_db *r, enum err so_far);

/* ERR_USAGE (bad id or coordinates), ERR_EXISTS. Sets c->number. */
MUST_CHECK enum err camera_add(struct register_db *r, struct camera *c);
MUST_CHECK enum err camera_get(struct register_db *r, const char *id, struct camera *out);
MUST_CHECK enum err camera_list(struct register_db *r, struct camera **out, unsigned *n);
/* Writes every member but the number; ERR_USAGE as above, ERR_MISSING. */
MUST_CHECK enum err camera_update(struct register_db *r, const struct camera *c);

/* Named sets of cameras. */
struct camera_group {
    uint64_t id;
    char name[128];
    uint16_t *cameras; /* numbers; owned */
    unsigned n_cameras;
};
void camera_group_fini(struct camera_group *g);
/* Each element needs camera_group_fini(). */
MUST_CHECK enum err camera_group_list(struct register_db *r, struct camera_group **out, unsigned *n);
/* A new one when id is 0, which then gets its id. ERR_USAGE (name), ERR_EXISTS (name), ERR_MISSING. */
MUST_CHECK enum err camera_group_put(struct register_db *r, struct camera_group *g);
MUST_CHECK enum err camera_group_remove(struct register_db *r, uint64_t id);

/* Fills c->id. ERR_USAGE: a text that is empty or not UTF-8, an unknown criterion, a period that is empty or
 * upside down, no camera. */
MUST_CHECK enum err case_open(struct register_db *r, struct case_file *c);
MUST_CHECK enum err case_get(struct register_db *r, const char *id, struct case_file *out);
MUST_CHECK enum err case_list(struct register_db *r, struct case_file **out, unsigned *n);
/* `by`: login. ERR_MISSING: no such open case. */
MUST_CHECK enum err case_close(struct register_db *r, const char *id, const char *by);

/* The line of the requisition that supports a criterion of the case. */
MUST_CHECK enum err case_line_set(struct register_db *r, const char *id, const char *criterion,
                                  const char *line);
typedef void case_line_fn(const char *criterion, const char *line, void *arg);
MUST_CHECK enum err case_lines(struct register_db *r, const char *id, case_line_fn *each, void *arg);

/* How much lies in a case. */
struct case_counts {
    unsigned n_decisions, n_exhibits, n_extensions_pending, n_searches; /* decisions: superseded ones too */
};
MUST_CHECK enum err case_count(struct register_db *r, const char *id, struct case_counts *out);

/* The judicial officers who may read the case: other officers do not see it. The whole list is replaced.
 * ERR_USAGE: one is not the login of an officer. */
MUST_CHECK enum err case_officers_set(struct register_db *r, const char *id, const char *const logins[],
                                      unsigned n);
typedef void case_officer_fn(const char *login, void *arg);
MUST_CHECK enum err case_officers(struct register_db *r, const char *id, case_officer_fn *each, void *arg);
MUST_CHECK enum err case_has_officer(struct register_db *r, const char *id, const char *login, bool *out);

/* One line of the journal: who did what to what, hash-chained to the line before. Strings are borrowed;
 * detail is a JSON object text. Never an image or a password. *seq: its number. */
struct journal_entry {
    const char *user, *role, *action, *case_id, *object, *detail;
};
MUST_CHECK enum err journal_add(struct register_db *r, const struct journal_entry *e, uint64_t *seq);
/* n lines by one commit, all or none: a commit waits for the disk (FULL), and that wait is what a line costs.
 * *seq: of the last one. ERR_USAGE (a control character) refuses all. */
MUST_CHECK enum err journal_add_many(struct register_db *r, const struct journal_entry *e, size_t n,
                                     uint64_t *seq);
/* OK, or ERR_CORRUPT with the first line whose hash does not fit. */
MUST_CHECK enum err journal_verify(struct register_db *r, uint64_t *n_checked, uint64_t *first_bad);

#endif
