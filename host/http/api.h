/* SPDX-License-Identifier: Apache-2.0 */
/* api.h - the resources of /api/v1, one file each (api_<resource>.c); the contract is API.md.
 * Threads: the loop's. */
#ifndef HOST_HTTP_API_H
#define HOST_HTTP_API_H

#include <stddef.h>

#include <jansson.h>

#include "host/http/exchange.h"

const struct route *api_routes(size_t *n);

void api_login_post(struct exchange *x);
void api_session_get(struct exchange *x);
void api_logout_post(struct exchange *x);
void api_password_post(struct exchange *x);
void api_roles_get(struct exchange *x);
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
void api_events_get(struct exchange *x);
void api_outline_get(struct exchange *x);
void api_system_get(struct exchange *x);

/* The words of a comma-separated list, as an array. */
json_t *api_words_json(const char *list);
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
