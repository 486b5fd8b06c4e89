/* SPDX-License-Identifier: Apache-2.0 */
#include "host/evidence/sums.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/base/bytes.h"
#include "host/base/fs.h"
#include "host/base/log.h"

void sums_fini(struct sums *s) {
    free(s->files);
    *s = (struct sums){0};
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct sums_file *)a)->name, ((const struct sums_file *)b)->name);
}

static enum err add_file(struct sums *s, const char *path, const char *name) {
    struct sums_file *more = realloc(s->files, (s->n + 1) * sizeof *more);
    if (!more) return ERR_NOMEM;
    s->files = more;
    struct sums_file *f = &more[s->n];
    const size_t length = strlen(name);
    if (length >= sizeof f->name) return ERR_USAGE;
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p <= 0x20 || *p == 0x7f || *p == '\\') return ERR_USAGE;
    memcpy(f->name, name, length + 1);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return ERR_IO;
    const enum err e = fs_sha256_fd(fd, f->sha256, &f->bytes, NULL, NULL);
    close(fd);
    if (!e) s->n++;
    return e;
}

static enum err add_folder(struct sums *s, const char *dir, const char *prefix, int depth) {
    DIR *d = opendir(dir);
    if (!d) {
        log_error("evidence", "op=opendir path=%s errno=%d", dir, errno);
        return ERR_IO;
    }
    enum err e = OK;
    const struct dirent *de;
    while (!e && (de = readdir(d)) != NULL) {
        char path[FS_PATH_MAX], name[FS_PATH_MAX];
        struct stat st;
        if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0) continue;
        e = fs_join(path, dir, de->d_name);
        if (!e && (size_t)snprintf(name, sizeof name, "%s%s", prefix, de->d_name) >= sizeof name)
            e = ERR_USAGE;
        if (e) break;
        if (lstat(path, &st) != 0) {
            e = ERR_IO;
        } else if (S_ISREG(st.st_mode)) {
            e = add_file(s, path, name);
        } else if (S_ISDIR(st.st_mode) && depth > 0) {
            strncat(name, "/", sizeof name - strlen(name) - 1);
            e = add_folder(s, path, name, depth - 1);
        } else {
            e = ERR_USAGE;
        }
    }
    closedir(d);
    return e;
}

enum err sums_of(const char *dir, struct sums *out) {
    *out = (struct sums){0};
    const enum err e = add_folder(out, dir, "", 2);
    if (e)
        sums_fini(out);
    else if (out->n > 0)
        qsort(out->files, out->n, sizeof *out->files, by_name);
    return e;
}

static enum err put(const char *dir, const char *name, const void *data, size_t n) {
    char path[FS_PATH_MAX];
    const enum err e = fs_join(path, dir, name);
    return e ? e : fs_write_atomic(path, data, n, 0600);
}

enum err sums_sign(const char *dir, const struct signer *s) {
    struct sums sums = {0};
    struct bytes text = {0};
    uint8_t signature[SIGNER_SIGNATURE_MAX];
    size_t n_signature = sizeof signature;
    const char *pem = signer_certificate(s);
    enum err e = put(dir, "signer.pem", pem, strlen(pem));
    if (!e) e = sums_of(dir, &sums);
    for (size_t i = 0; i < sums.n && !e; i++) {
        char line[256];
        const int n = snprintf(line, sizeof line, "%s  %s\n", sums.files[i].sha256, sums.files[i].name);
        bytes_put(&text, line, (size_t)n);
    }
    if (!e && text.bad) e = ERR_NOMEM;
    if (!e) e = signer_sign(s, text.data, text.len, signature, &n_signature);
    if (!e) e = put(dir, "SHA256SUMS", text.data, text.len);
    if (!e) e = put(dir, "SHA256SUMS.sig", signature, n_signature);
    bytes_fini(&text);
    sums_fini(&sums);
    return e;
}

/* ---- a copy ----------------------------------------------------------------------------------------------
 */

static enum err copy_one(const char *from, const char *to, const char *name) {
    char a[FS_PATH_MAX], b[FS_PATH_MAX];
    char block[16384];
    enum err e = fs_join(a, from, name);
    if (!e) e = fs_join(b, to, name);
    char *slash = e ? NULL : strrchr(b, '/');
    if (slash && strchr(name, '/')) {
        *slash = 0;
        e = fs_mkdirs(b, 0700);
        *slash = '/';
    }
    if (e) return e;
    const int in = open(a, O_RDONLY | O_CLOEXEC),
              out = open(b, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t n = 0;
    if (in < 0 || out < 0) e = ERR_IO;
    while (!e && (n = read(in, block, sizeof block)) > 0)
        if (write(out, block, (size_t)n) != n) e = ERR_FULL;
    if (!e && (n < 0 || fsync(out) != 0)) e = ERR_IO;
    if (in >= 0) close(in);
    if (out >= 0 && close(out) != 0 && !e) e = ERR_FULL;
    return e;
}

enum err sums_copy(const char *from, const char *to) {
    struct sums sums;
    enum err e = sums_of(from, &sums);
    if (e) return e;
    if (mkdir(to, 0700) != 0) e = errno == EEXIST ? ERR_EXISTS : ERR_IO;
    for (size_t i = 0; i < sums.n && !e; i++) e = copy_one(from, to, sums.files[i].name);
    sums_fini(&sums);
    return e;
}

/* ---- the archive -----------------------------------------------------------------------------------------
 */

static enum err archive_one(struct archive *a, const char *dir, const char *prefix,
                            const struct sums_file *f) {
    char path[FS_PATH_MAX], name[256];
    char block[16384];
    enum err e = fs_join(path, dir, f->name);
    if (e) return e;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct archive_entry *entry = archive_entry_new();
    if (fd < 0 || !entry) {
        e = ERR_IO;
    } else {
        snprintf(name, sizeof name, "%s/%s", prefix, f->name);
        archive_entry_set_pathname(entry, name);
        archive_entry_set_size(entry, (la_int64_t)f->bytes);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0444);
        if (archive_write_header(a, entry) != ARCHIVE_OK) e = ERR_FULL;
        ssize_t n;
        while (!e && (n = read(fd, block, sizeof block)) > 0)
            if (archive_write_data(a, block, (size_t)n) != n) e = ERR_FULL;
        if (!e && n < 0) e = ERR_IO;
    }
    archive_entry_free(entry);
    if (fd >= 0) close(fd);
    return e;
}

enum err sums_archive(const char *dir, const char *prefix, const char *path) {
    struct sums sums;
    enum err e = sums_of(dir, &sums);
    if (e) return e;
    struct archive *a = archive_write_new();
    if (!a) e = ERR_NOMEM;
    if (!e && (archive_write_set_format_pax_restricted(a) != ARCHIVE_OK ||
               archive_write_open_filename(a, path) != ARCHIVE_OK))
        e = ERR_IO;
    for (size_t i = 0; i < sums.n && !e; i++) e = archive_one(a, dir, prefix, &sums.files[i]);
    if (a && !e && archive_write_close(a) != ARCHIVE_OK) e = ERR_FULL;
    if (e) log_error("evidence", "op=archive err=%s %s", err_text(e), a ? archive_error_string(a) : "");
    if (a) archive_write_free(a);
    sums_fini(&sums);
    return e;
}
