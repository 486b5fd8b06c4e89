/* SPDX-License-Identifier: Apache-2.0 */
/* fs.h - the few things we ask of files: whole reads with a limit, atomic writes, folders, hashes, free
 * space. Threads: any. Errors are logged with errno where they arise, except ERR_MISSING. */
#ifndef HOST_BASE_FS_H
#define HOST_BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

#define FS_PATH_MAX 1024u

/* "dir/name" into out; ERR_USAGE when it does not fit. */
MUST_CHECK enum err fs_join(char out[static FS_PATH_MAX], const char *dir, const char *name);
/* The whole file, owned by the caller, one zero byte behind it; ERR_MISSING, ERR_IO, ERR_USAGE (> max_bytes).
 */
MUST_CHECK enum err fs_read(const char *path, size_t max_bytes, char **data, size_t *n);
/* Written beside, synced, renamed over `path`: a reader sees the old or the new, never half. */
MUST_CHECK enum err fs_write_atomic(const char *path, const void *data, size_t n, unsigned mode);
/* Parents too; fine when it is there already. */
MUST_CHECK enum err fs_mkdirs(const char *path, unsigned mode);
bool fs_exists(const char *path);
/* Folder of the running program, symlinks resolved: where its workers and data lie. */
MUST_CHECK enum err fs_exe_dir(char out[static FS_PATH_MAX]);
/* Bytes free for us on the file system of `path`. */
MUST_CHECK enum err fs_free_bytes(const char *path, uint64_t *out);

/* SHA-256 (FIPS 180-4, by OpenSSL) of memory, as 64 hex digits and a zero. */
MUST_CHECK enum err fs_sha256(const void *data, size_t n, char hex[static 65]);
/* The same of an open file from its start, by pread. `progress` (may be NULL) is called about every 8 MiB and
 * ends it with ERR_CANCELLED by returning false. ERR_IO also when the size differs from what fstat said
 * first. */
MUST_CHECK enum err fs_sha256_fd(int fd, char hex[static 65], uint64_t *n_bytes,
                                 bool (*progress)(uint64_t done, void *arg), void *arg);

#endif
