/* SPDX-License-Identifier: Apache-2.0 */
#include "host/evidence/case_end.h"

#include <stdio.h>

#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/evidence/closing.h"
#include "host/evidence/folder.h"
#include "host/evidence/identity.h"

static enum err write_with(const struct case_end_context *ctx, struct closing_context *c,
                           struct case_file *file, const char *case_id, const char *out) {
    char software[128], models[65];
    struct zone *zone = NULL;
    struct signer *signer = NULL;
    enum err e = case_get(c->r, case_id, file);
    if (e) return e;
    case_restrict(file, ctx->config->allowed);
    e = identity_software(ctx->version, software);
    if (!e) e = identity_models(ctx->config, models);
    if (!e) e = zone_open(ctx->config->tz, &zone);
    if (!e) e = index_reader_open(ctx->dir, ctx->vocab, &c->reader);
    if (!e) e = signer_open(ctx->dir, &signer);
    c->vocab = ctx->vocab;
    c->accuracy = ctx->accuracy;
    c->zone = zone;
    c->c = file;
    c->software = software;
    c->models = models;
    if (!e) e = closing_write(c, signer, out);
    signer_close(&signer);
    index_reader_close(&c->reader);
    zone_free(&zone);
    case_fini(file);
    return e;
}

enum err case_end_record(const struct case_end_context *ctx, const char *case_id, const char *out) {
    char own[FS_PATH_MAX], exports[FS_PATH_MAX], name[64];
    struct closing_context c = {0};
    struct case_file file;
    enum err e = OK;
    if (!out) {
        snprintf(name, sizeof name, "closing-%s", case_id);
        e = fs_join(exports, ctx->dir, "exports");
        if (!e) e = fs_join(own, exports, name);
        if (!e && fs_exists(own)) return OK;
        if (!e) e = fs_mkdirs(exports, 0700);
    }
    if (!e) e = register_open(ctx->dir, false, &c.r);
    if (!e) e = write_with(ctx, &c, &file, case_id, out ? out : own);
    register_close(&c.r);
    if (e && !out) log_error("evidence", "op=closing case=%s err=%s", case_id, err_text(e));
    return e;
}

enum err case_end_renew(const struct case_end_context *ctx, const char *case_id) {
    char final[FOLDER_PATH_MAX], part[FOLDER_PATH_MAX + 8], exports[FS_PATH_MAX];
    uint64_t n_files;
    enum err e = folder_record_path(ctx->dir, case_id, final);
    if (!e) e = fs_join(exports, ctx->dir, "exports");
    if (!e) e = fs_mkdirs(exports, 0700);
    snprintf(part, sizeof part, "%s.part", final);
    if (!e) e = folder_erase(part, &n_files);
    if (!e) e = case_end_record(ctx, case_id, part);
    if (!e) e = folder_erase(final, &n_files);
    if (!e && rename(part, final) != 0) e = ERR_IO;
    if (e) log_error("evidence", "op=record case=%s err=%s", case_id, err_text(e));
    return e;
}
