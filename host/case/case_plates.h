/* SPDX-License-Identifier: Apache-2.0 */
/* case_plates.h - may plates be read in a case's recordings? The one place that decides it for the import; a
 * search asks case_allows() again, with the user's right. */
#ifndef HOST_CASE_CASE_PLATES_H
#define HOST_CASE_CASE_PLATES_H

#include <stdbool.h>
#include <stdint.h>

/* True when the site (config site.allowed) and the case both allow vehicle.plate, the case is open at
 * `now_ms` and covers this camera; then the time it covers, end exclusive. Whatever cannot be found out is a
 * no. Opens and closes register.db of the data directory by itself: any thread. */
bool case_plates_allowed(const char *dir, const char *site_allowed, const char *case_id,
                         uint16_t camera_number, int64_t now_ms, int64_t *from_ms, int64_t *to_ms);

#endif
