/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/base/log.h"

enum err fileio_err(const char *doing, const char *path) {
    enum err e = errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? ERR_FULL
                 : errno == ENOENT                                    ? ERR_MISSING
                                                                      : ERR_IO;
    log_error("index", "doing=\"%s\" file=\"%s\" errno=%d error=\"%s\"", doing, path, errno, err_text(e));
    return e;
}

enum err fileio_write(int fd, const void *p, size_t n, uint64_t offset, const char *path) {
    const uint8_t *q = p;
    while (n > 0) {
        ssize_t k = pwrite(fd, q, n, (off_t)offset);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return fileio_err("write", path);
        q += k;
        n -= (size_t)k;
        offset += (uint64_t)k;
    }
    return OK;
}

enum err fileio_read(int fd, void *p, size_t n, uint64_t offset, const char *path) {
    uint8_t *q = p;
    while (n > 0) {
        ssize_t k = pread(fd, q, n, (off_t)offset);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return fileio_err("read", path);
        if (k == 0) return ERR_MISSING;
        q += k;
        n -= (size_t)k;
        offset += (uint64_t)k;
    }
    return OK;
}

enum err fileio_zero(int fd, uint64_t offset, uint64_t n, const char *path) {
    static const uint8_t zero[65536];
    if (n == 0) return OK;
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)n) == 0) return OK;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return fileio_err("punch hole", path);
    off_t end = lseek(fd, 0, SEEK_END);
    if (end < 0) return fileio_err("seek", path);
    while (n > 0 && offset < (uint64_t)end) {
        size_t k = n < sizeof zero ? (size_t)n : sizeof zero;
        enum err e = fileio_write(fd, zero, k, offset, path);
        if (e) return e;
        offset += k;
        n -= k;
    }
    return OK;
}

enum err fileio_erase(const char *path) {
    struct stat st;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? OK : fileio_err("open", path);
    enum err e =
        fstat(fd, &st) == 0 ? fileio_zero(fd, 0, (uint64_t)st.st_size, path) : fileio_err("stat", path);
    if (!e && fdatasync(fd) != 0) e = fileio_err("fdatasync", path);
    if (!e && unlink(path) != 0) e = fileio_err("unlink", path);
    close(fd);
    return e;
}

enum err fileio_sync_folder(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fileio_err("open", path);
    enum err e = fsync(fd) == 0 ? OK : fileio_err("fsync", path);
    close(fd);
    return e;
}
