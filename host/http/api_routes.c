/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/api.h"

#define API "/api/v1"

static const struct route routes[] = {
    {ROUTER_POST, API "/login", api_login_post, ROUTE_ANYONE, false, false},
    {ROUTER_GET, API "/session", api_session_get, ROUTE_SIGNED_IN, false, true},
    {ROUTER_POST, API "/logout", api_logout_post, ROUTE_SIGNED_IN, false, true},
    {ROUTER_POST, API "/password", api_password_post, ROUTE_SIGNED_IN, false, true},
    {ROUTER_GET, API "/roles", api_roles_get, ROUTE_SIGNED_IN, false, false},
    {ROUTER_GET, API "/boot", api_boot_get, ROUTE_SIGNED_IN, false, false},
    {ROUTER_GET, API "/accuracy", api_accuracy_get, ROUTE_SIGNED_IN, false, false},
    {ROUTER_GET, API "/cases", api_cases_get, ROUTE_MAY(CASE_READ), false, false},
    {ROUTER_GET, API "/cameras", api_cameras_get, ROUTE_SIGNED_IN, false, false},
    {ROUTER_GET, API "/cameras/{}/clip", api_camera_clip_get, ROUTE_MAY(VIEW), false, false},
    {ROUTER_GET, API "/search", api_search_get, ROUTE_MAY(SEARCH), false, false},
    {ROUTER_POST, API "/search", api_search_post, ROUTE_MAY(SEARCH), false, false},
    {ROUTER_POST, API "/routes", api_route_post, ROUTE_MAY(SEARCH), false, false},
    {ROUTER_GET, API "/sightings/{}", api_sighting_get, ROUTE_MAY(VIEW), false, false},
    {ROUTER_GET, API "/sightings/{}/clip", api_sighting_clip_get, ROUTE_MAY(VIEW), false, false},
    {ROUTER_GET, API "/media/t/{}.jpg", api_media_thumbnail_get, ROUTE_MAY(VIEW), false, false},
    {ROUTER_GET, API "/media/clip/{}.mp4", api_media_clip_get, ROUTE_MAY(VIEW), false, false},
    {ROUTER_GET, API "/media/frame/{}.jpg", api_media_frame_get, ROUTE_MAY(VIEW), false, false},
    {ROUTER_GET, API "/media/camera/{}.mp4", api_media_camera_clip_get, ROUTE_MAY(VIEW), false, false},
    {ROUTER_GET, API "/media/camera/{}.jpg", api_media_camera_frame_get, ROUTE_MAY(VIEW), false, false},
    {ROUTER_GET, API "/imports", api_imports_get, ROUTE_MAY(CASE_READ), true, false},
    {ROUTER_GET, API "/events", api_events_get, ROUTE_SIGNED_IN, true, false},
    {ROUTER_GET, API "/outline", api_outline_get, ROUTE_SIGNED_IN, false, false},
    {ROUTER_GET, API "/cases/{}/seals", api_seals_get, ROUTE_MAY(CASE_READ), true, false},
    {ROUTER_POST, API "/cases/{}/seals", api_seals_post, ROUTE_MAY(EXPORT_PREPARE), false, false},
    {ROUTER_GET, API "/seals/{}", api_seal_get, ROUTE_MAY(CASE_READ), true, false},
    {ROUTER_POST, API "/seals/{}/approve", api_seal_approve_post, ROUTE_MAY(EXPORT_APPROVE), false, false},
    {ROUTER_POST, API "/seals/{}/refuse", api_seal_refuse_post, ROUTE_MAY(EXPORT_APPROVE), false, false},
    {ROUTER_GET, API "/seals/{}/manifest", api_seal_manifest_get, ROUTE_SIGNED_IN, false, false},
    {ROUTER_GET, API "/seals/{}/archive", api_seal_archive_get, ROUTE_MAY(EXPORT_RECEIVE), false, false},
    {ROUTER_GET, API "/system", api_system_get, ROUTE_SIGNED_IN, true, false},
};

const struct route *api_routes(size_t *n) {
    *n = sizeof routes / sizeof *routes;
    return routes;
}
