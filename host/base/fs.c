/* SPDX-License-Identifier: Apache-2.0 */
#include "host/base/fs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "host/base/log.h"

static enum err from_errno(const char *what, const char *path) {
    const int e = errno;
    if (e == ENOENT) return ERR_MISSING;
    log_error("fs", "op=%s path=%s errno=%d (%s)", what, path, e, strerrordesc_np(e));
    return e == ENOSPC || e == EDQUOT ? ERR_FULL : e == EACCES || e == EPERM ? ERR_DENIED : ERR_IO;
}

enum err fs_join(char out[static FS_PATH_MAX], const char *dir, const char *name) {
    const int n = snprintf(out, FS_PATH_MAX, "%s/%s", dir, name);
    return n > 0 && (unsigned)n < FS_PATH_MAX ? OK : ERR_USAGE;
}

enum err fs_read(const char *path, size_t max_bytes, char **data, size_t *n) {
    *data = NULL;
    *n = 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return from_errno("open", path);
    enum err e = OK;
    struct stat st;
    char *buf = NULL;
    size_t done = 0;
    if (fstat(fd, &st) != 0) {
        e = from_errno("fstat", path);
        goto out;
    }
    if (!S_ISREG(st.st_mode) || st.st_size < 0 || (uint64_t)st.st_size > max_bytes) {
        e = ERR_USAGE;
        goto out;
    }
    buf = malloc((size_t)st.st_size + 1);
    if (!buf) {
        e = ERR_NOMEM;
        goto out;
    }
    while (done < (size_t)st.st_size) {
        const ssize_t r = read(fd, buf + done, (size_t)st.st_size - done);
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) {
            e = from_errno("read", path);
            goto out;
        }
        if (r == 0) break;
        done += (size_t)r;
    }
    buf[done] = 0;
    *data = buf;
    *n = done;
    buf = NULL;
out:
    free(buf);
    close(fd);
    return e;
}

static enum err write_all(int fd, const char *path, const void *data, size_t n) {
    const char *p = data;
    while (n > 0) {
        const ssize_t w = write(fd, p, n);
        if (w < 0 && errno == EINTR) continue;
        if (w < 0) return from_errno("write", path);
        p += w;
        n -= (size_t)w;
    }
    return OK;
}

enum err fs_write_atomic(const char *path, const void *data, size_t n, unsigned mode) {
    char tmp[FS_PATH_MAX + 16];
    if (strlen(path) >= FS_PATH_MAX) return ERR_USAGE;
    snprintf(tmp, sizeof tmp, "%s.new-%d", path, (int)getpid());
    const int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0) return from_errno("create", tmp);
    enum err e = write_all(fd, tmp, data, n);
    if (!e && fsync(fd) != 0) e = from_errno("fsync", tmp);
    close(fd);
    if (!e && rename(tmp, path) != 0) e = from_errno("rename", path);
    if (e) unlink(tmp);
    return e;
}

enum err fs_mkdirs(const char *path, unsigned mode) {
    char p[FS_PATH_MAX];
    const size_t n = strlen(path);
    if (n == 0 || n >= sizeof p) return ERR_USAGE;
    memcpy(p, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (p[i] != '/' && p[i] != 0) continue;
        const char keep = p[i];
        p[i] = 0;
        if (mkdir(p, mode) != 0 && errno != EEXIST) return from_errno("mkdir", p);
        p[i] = keep;
    }
    struct stat st;
    if (stat(path, &st) != 0) return from_errno("stat", path);
    return S_ISDIR(st.st_mode) ? OK : ERR_EXISTS;
}

bool fs_exists(const char *path) {
    return access(path, F_OK) == 0;
}

enum err fs_exe_dir(char out[static FS_PATH_MAX]) {
    const ssize_t n = readlink("/proc/self/exe", out, FS_PATH_MAX - 1);
    if (n <= 0 || n >= (ssize_t)FS_PATH_MAX - 1) return ERR_IO;
    out[n] = 0;
    char *slash = strrchr(out, '/');
    if (!slash) return ERR_IO;
    *slash = 0;
    return OK;
}

enum err fs_free_bytes(const char *path, uint64_t *out) {
    struct statvfs st;
    if (statvfs(path, &st) != 0) return from_errno("statvfs", path);
    *out = (uint64_t)st.f_bavail * st.f_frsize;
    return OK;
}

static void to_hex(const unsigned char *md, char hex[static 65]) {
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", md[i]);
}

enum err fs_sha256(const void *data, size_t n, char hex[static 65]) {
    unsigned char md[EVP_MAX_MD_SIZE];
    if (EVP_Digest(data, n, md, NULL, EVP_sha256(), NULL) != 1) return ERR_NOMEM;
    to_hex(md, hex);
    return OK;
}

enum err fs_sha256_fd(int fd, char hex[static 65], uint64_t *n_bytes,
                      bool (*progress)(uint64_t done, void *arg), void *arg) {
    enum { CHUNK_BYTES = 1 << 20, PROGRESS_EVERY = 8 };
    enum err e = ERR_NOMEM;
    struct stat st;
    uint64_t done = 0;
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned char *buf = malloc(CHUNK_BYTES);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!buf || !ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) goto out;
    if (fstat(fd, &st) != 0) {
        e = from_errno("fstat", "recording");
        goto out;
    }
    for (unsigned chunk = 0;; chunk++) {
        const ssize_t r = pread(fd, buf, CHUNK_BYTES, (off_t)done);
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) {
            e = from_errno("pread", "recording");
            goto out;
        }
        if (r == 0) break;
        if (EVP_DigestUpdate(ctx, buf, (size_t)r) != 1) goto out;
        done += (uint64_t)r;
        if (progress && chunk % PROGRESS_EVERY == 0 && !progress(done, arg)) {
            e = ERR_CANCELLED;
            goto out;
        }
    }
    if (done != (uint64_t)st.st_size) {
        e = ERR_IO;
        goto out;
    }
    if (EVP_DigestFinal_ex(ctx, md, NULL) != 1) goto out;
    to_hex(md, hex);
    *n_bytes = done;
    e = OK;
out:
    EVP_MD_CTX_free(ctx);
    free(buf);
    return e;
}
