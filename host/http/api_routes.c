/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/api.h"

#define API "/api/v1"

static const struct route routes[] = {
    {ROUTER_GET, API "/boot", api_boot_get},
    {ROUTER_GET, API "/accuracy", api_accuracy_get},
    {ROUTER_GET, API "/cases", api_cases_get},
    {ROUTER_GET, API "/cameras", api_cameras_get},
    {ROUTER_GET, API "/cameras/{}/clip", api_camera_clip_get},
    {ROUTER_GET, API "/search", api_search_get},
    {ROUTER_POST, API "/search", api_search_post},
    {ROUTER_POST, API "/routes", api_route_post},
    {ROUTER_GET, API "/sightings/{}", api_sighting_get},
    {ROUTER_GET, API "/sightings/{}/clip", api_sighting_clip_get},
    {ROUTER_GET, API "/media/t/{}.jpg", api_media_thumbnail_get},
    {ROUTER_GET, API "/media/clip/{}.mp4", api_media_clip_get},
    {ROUTER_GET, API "/media/frame/{}.jpg", api_media_frame_get},
    {ROUTER_GET, API "/media/camera/{}.mp4", api_media_camera_clip_get},
    {ROUTER_GET, API "/media/camera/{}.jpg", api_media_camera_frame_get},
    {ROUTER_GET, API "/imports", api_imports_get},
    {ROUTER_GET, API "/events", api_events_get},
    {ROUTER_GET, API "/outline", api_outline_get},
    {ROUTER_GET, API "/system", api_system_get},
};

const struct route *api_routes(size_t *n) {
    *n = sizeof routes / sizeof *routes;
    return routes;
}
