/* SPDX-License-Identifier: Apache-2.0 */
/* api.h - the resources of /api/v1, one file each (api_<resource>.c); the contract is API.md.
 * Threads: the loop's. */
#ifndef HOST_HTTP_API_H
#define HOST_HTTP_API_H

#include <stddef.h>

#include <jansson.h>

#include "host/case/decision.h"
#include "host/http/exchange.h"

const struct route *api_routes(size_t *n);

void api_login_post(struct exchange *x);
void api_session_get(struct exchange *x);
void api_logout_post(struct exchange *x);
void api_password_post(struct exchange *x);
void api_roles_get(struct exchange *x);
void api_users_get(struct exchange *x);
void api_users_post(struct exchange *x);
void api_user_patch(struct exchange *x);
void api_user_password_post(struct exchange *x);
void api_user_totp_post(struct exchange *x);
void api_user_totp_delete(struct exchange *x);
void api_user_logout_post(struct exchange *x);
void api_case_get(struct exchange *x);
void api_cases_post(struct exchange *x);
void api_case_close_post(struct exchange *x);
void api_case_officers_post(struct exchange *x);
void api_extensions_get(struct exchange *x);
void api_extensions_post(struct exchange *x);
void api_extension_approve_post(struct exchange *x);
void api_extension_refuse_post(struct exchange *x);
void api_exhibits_get(struct exchange *x);
void api_exhibits_post(struct exchange *x);
void api_exhibit_patch(struct exchange *x);
void api_exhibit_delete(struct exchange *x);
void api_saved_searches_get(struct exchange *x);
void api_saved_searches_post(struct exchange *x);
void api_saved_search_delete(struct exchange *x);
void api_decision_post(struct exchange *x);
void api_sighting_decisions_get(struct exchange *x);
void api_decisions_get(struct exchange *x);
void api_cameras_post(struct exchange *x);
void api_camera_patch(struct exchange *x);
void api_camera_groups_get(struct exchange *x);
void api_camera_groups_post(struct exchange *x);
void api_camera_group_patch(struct exchange *x);
void api_camera_group_delete(struct exchange *x);
void api_coverage_get(struct exchange *x);
void api_journal_get(struct exchange *x);
void api_journal_verify_post(struct exchange *x);
void api_journal_anchors_get(struct exchange *x);
void api_boot_get(struct exchange *x);
void api_accuracy_get(struct exchange *x);
void api_cases_get(struct exchange *x);
void api_cameras_get(struct exchange *x);
void api_search_get(struct exchange *x);
void api_search_post(struct exchange *x);
void api_route_post(struct exchange *x);
void api_sighting_get(struct exchange *x);
void api_sighting_clip_get(struct exchange *x);
void api_media_thumbnail_get(struct exchange *x);
void api_media_clip_get(struct exchange *x);
void api_media_frame_get(struct exchange *x);
void api_camera_clip_get(struct exchange *x);
void api_media_camera_clip_get(struct exchange *x);
void api_media_camera_frame_get(struct exchange *x);
void api_imports_get(struct exchange *x);
void api_imports_post(struct exchange *x);
void api_import_post(struct exchange *x);
void api_import_plan_post(struct exchange *x);
void api_inbox_get(struct exchange *x);
/* Plans that are still being made; their exchanges get no answer. */
void api_plans_free(struct http_server *s);
void api_events_get(struct exchange *x);
void api_outline_get(struct exchange *x);
void api_system_get(struct exchange *x);

/* One case as API.md tells it; NULL = it is not there or the register failed. */
json_t *api_case_json(const struct exchange *x, const char *id);
json_t *api_extensions_json(const struct exchange *x, const char *case_id);
json_t *api_camera_ids_json(const uint16_t *numbers, unsigned n, const struct camera *cameras,
                            unsigned n_cameras);
/* A case_line_fn: appends {key, line} to the array `arg`. */
void api_add_line(const char *criterion, const char *line, void *arg);
/* criteria[{key, line}] of a body: keys comma-separated, lines borrowed. False: the exchange has ended. */
#define API_LINES_MAX 16u
bool api_read_lines(struct exchange *x, const json_t *body, bool needed, char *words, size_t cap,
                    const char *lines[API_LINES_MAX]);
json_t *api_decision_json(const struct decision *d);
/* The decision in force in x->c, or null. */
json_t *api_decision_of(const struct exchange *x, uint64_t sighting);
/* Adds `decision` and `exhibit_id` of x->c to every passage in an answer. */
void api_mark(const struct exchange *x, json_t *answer);
/* The words of a comma-separated list, as an array. */
json_t *api_words_json(const char *list);
void api_closing_post(struct exchange *x);
void api_closing_get(struct exchange *x);
void api_facts_get(struct exchange *x);
void api_figures_get(struct exchange *x);
void api_seals_get(struct exchange *x);
void api_seals_post(struct exchange *x);
void api_seal_get(struct exchange *x);
void api_seal_approve_post(struct exchange *x);
void api_seal_refuse_post(struct exchange *x);
void api_seal_manifest_get(struct exchange *x);
void api_seal_archive_get(struct exchange *x);

/* Parts that several resources show; new references, NULL = no memory or the register failed. */
json_t *api_cases_json(const struct exchange *x);
json_t *api_cameras_json(const struct http_context *ctx);
json_t *api_imports_json(const struct http_context *ctx, const char *case_id);
/* "card", "simulator" or "none". */
const char *api_backend(const struct http_context *ctx);

#endif
