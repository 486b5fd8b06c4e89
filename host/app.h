/* SPDX-License-Identifier: Apache-2.0 */
/* app.h - the server: owns every subsystem, builds them in order, tears them down in reverse.
 *   register -> vocabulary -> import service (its own thread; the one index writer) -> index reader ->
 * extract -> HTTP Threads: main; the loop is inside app_run(). */
#ifndef HOST_APP_H
#define HOST_APP_H

#include "host/base/config.h"
#include "host/base/err.h"
#include "host/import/import.h"

struct app;

/* Where the configuration of an importer keeps the names it makes. */
struct app_models {
    char square[FS_PATH_MAX], wide[FS_PATH_MAX], plate_find[FS_PATH_MAX], plate_read[FS_PATH_MAX];
    char looks[LOOK_NETS_MAX][FS_PATH_MAX];
    const char *dir, *site_allowed; /* what plates are asked about */
};

/* What an importer needs, from the configuration; strings are borrowed from `cfg`, `dir` and `models`. */
void app_importer_config(const struct config *cfg, const char *dir, const struct vocab *vocab,
                         struct app_models *models, struct importer_config *out);

/* Each failure is said on stderr with what to do. */
MUST_CHECK enum err app_open(const char *dir, const struct config *cfg, const char *version,
                             struct app **out);
unsigned app_port(const struct app *a);
/* Until SIGINT or SIGTERM. */
void app_run(struct app *a);
void app_close(struct app **a);

#endif
