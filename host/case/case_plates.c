/* SPDX-License-Identifier: Apache-2.0 */
#include "host/case/case_plates.h"

#include <string.h>

#include "host/base/log.h"
#include "host/case/register.h"

static bool covers(const struct case_file *c, uint16_t camera_number) {
    for (unsigned i = 0; i < c->n_cameras; i++)
        if (c->cameras[i] == camera_number) return true;
    return false;
}

bool case_plates_allowed(const char *dir, const char *site_allowed, const char *case_id,
                         uint16_t camera_number, int64_t now_ms, int64_t *from_ms, int64_t *to_ms) {
    struct register_db *reg = NULL;
    struct case_file c = {0};
    *from_ms = *to_ms = 0;
    if (!*case_id) return false;
    enum err e = register_open(dir, false, &reg);
    if (!e) e = case_get(reg, case_id, &c);
    register_close(&reg);
    if (e) {
        if (e != ERR_MISSING)
            log_error("case", "op=plates case=%s err=\"%s\" no plates are read", case_id, err_text(e));
        return false;
    }
    case_restrict(&c, site_allowed);
    const bool yes = case_allows(&c, "vehicle.plate") && strcmp(c.state, "open") == 0 &&
                     now_ms < c.expires_ms && covers(&c, camera_number);
    if (yes) {
        *from_ms = c.from_ms;
        *to_ms = c.to_ms;
    }
    case_fini(&c);
    return yes;
}
