/* SPDX-License-Identifier: Apache-2.0 */
#include "host/evidence/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include "host/base/bytes.h"
#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/case/journal.h"

enum { MANIFEST_MAX_BYTES = 4 << 20 };

enum err identity_software(const char *version, char out[static 128]) {
    char hex[65];
    uint64_t n;
    const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ERR_IO;
    const enum err e = fs_sha256_fd(fd, hex, &n, NULL, NULL);
    close(fd);
    if (!e) snprintf(out, 128, "%s sha256:%s", version, hex);
    return e;
}

static enum err add_manifest(struct bytes *all, const char *models_dir, const char *name) {
    char dir[FS_PATH_MAX], path[FS_PATH_MAX], *text;
    size_t n;
    enum err e = fs_join(dir, models_dir, name);
    if (!e) e = fs_join(path, dir, "model.json");
    if (!e) e = fs_read(path, MANIFEST_MAX_BYTES, &text, &n);
    if (e == ERR_MISSING) return OK; /* not installed, or "none" */
    if (e) return e;
    bytes_put(all, text, n);
    free(text);
    return OK;
}

enum err identity_models(const struct config *cfg, char hex[static 65]) {
    struct bytes all = {0};
    memset(hex, '0', 64);
    hex[64] = 0;
    enum err e = add_manifest(&all, cfg->models_dir, cfg->detector);
    if (!e) e = add_manifest(&all, cfg->models_dir, cfg->detector_wide);
    if (!e) e = add_manifest(&all, cfg->models_dir, cfg->plate_find);
    if (!e) e = add_manifest(&all, cfg->models_dir, cfg->plate_read);
    if (!e && all.bad) e = ERR_NOMEM;
    if (!e && all.len > 0) e = fs_sha256(all.data, all.len, hex);
    bytes_fini(&all);
    return e;
}

enum err identity_of_journal(const struct config *cfg, const char *version) {
    char software[128], models[65];
    enum err e = identity_software(version, software);
    if (!e) e = identity_models(cfg, models);
    if (!e) e = journal_identity(cfg->tz, software, models);
    if (e) log_error("identity", "err=%s tz=%s", err_text(e), cfg->tz);
    return e;
}
