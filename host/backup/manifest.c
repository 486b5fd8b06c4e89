/* SPDX-License-Identifier: Apache-2.0 */
#include "host/backup/manifest.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"

#define FORMAT    1
#define MAX_BYTES (64u << 20)

enum err manifest_write(const char *folder, const struct tree *t, const struct backup_report *r) {
    char path[FS_PATH_MAX], made[25];
    clock_format(r->made_ms, made);
    json_t *files = json_array();
    for (size_t i = 0; i < t->n; i++)
        json_array_append_new(files,
                              json_pack("{s:s,s:I,s:s}", "name", t->files[i].name, "bytes",
                                        (json_int_t)t->files[i].n_bytes, "sha256", t->files[i].sha256));
    json_t *all =
        json_pack("{s:i,s:s,s:I,s:I,s:I,s:I,s:o}", "format", FORMAT, "made", made, "made_ms",
                  (json_int_t)r->made_ms, "delete_by_ms", (json_int_t)r->delete_by_ms, "passages",
                  (json_int_t)r->n_passages, "journal_lines", (json_int_t)r->n_journal, "files", files);
    char *text = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
    json_decref(all);
    if (!text) return ERR_NOMEM;
    enum err e = fs_join(path, folder, BACKUP_MANIFEST);
    if (!e) e = fs_write_atomic(path, text, strlen(text), 0600);
    free(text);
    return e;
}

/* A name as tree_list() makes them: relative, no empty part, no "..". */
static bool is_inside(const char *name) {
    if (!*name || *name == '/') return false;
    for (const char *part = name; part;) {
        const char *slash = strchr(part, '/');
        const size_t n = slash ? (size_t)(slash - part) : strlen(part);
        if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        part = slash ? slash + 1 : NULL;
    }
    return true;
}

static enum err read_files(const json_t *files, struct tree *t) {
    size_t i;
    json_t *f;
    if (!json_is_array(files)) return ERR_CORRUPT;
    json_array_foreach(files, i, f) {
        const char *name, *sha256;
        json_int_t bytes;
        if (json_unpack(f, "{s:s,s:I,s:s}", "name", &name, "bytes", &bytes, "sha256", &sha256) != 0 ||
            !is_inside(name) || bytes < 0 || strlen(sha256) != 64)
            return ERR_CORRUPT;
        const enum err e = tree_add(t, name, (uint64_t)bytes, sha256);
        if (e) return e == ERR_USAGE ? ERR_CORRUPT : e;
    }
    return OK;
}

enum err manifest_read(const char *folder, struct tree *t, struct backup_report *r) {
    char path[FS_PATH_MAX], *text;
    size_t n;
    enum err e = fs_join(path, folder, BACKUP_MANIFEST);
    if (!e) e = fs_read(path, MAX_BYTES, &text, &n);
    if (e) return e;
    json_error_t error;
    json_t *all = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    free(text);
    json_int_t made_ms, delete_by_ms, passages, lines;
    int format;
    json_t *files;
    if (!all ||
        json_unpack(all, "{s:i,s:I,s:I,s:I,s:I,s:o}", "format", &format, "made_ms", &made_ms, "delete_by_ms",
                    &delete_by_ms, "passages", &passages, "journal_lines", &lines, "files", &files) != 0)
        e = ERR_CORRUPT;
    else if (format != FORMAT)
        e = ERR_UNSUPPORTED;
    else {
        *r = (struct backup_report){.made_ms = made_ms,
                                    .delete_by_ms = delete_by_ms,
                                    .n_passages = (uint64_t)passages,
                                    .n_journal = (uint64_t)lines};
        e = read_files(files, t);
    }
    json_decref(all);
    return e;
}
