/* SPDX-License-Identifier: Apache-2.0 */
/* fileio.h - whole reads and writes at an offset, with errno translated and logged once. Any thread. */
#ifndef HOST_INDEX_FILEIO_H
#define HOST_INDEX_FILEIO_H

#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

/* Logs `doing path: errno` and says ERR_FULL, ERR_MISSING or ERR_IO. */
enum err fileio_err(const char *doing, const char *path);
MUST_CHECK enum err fileio_write(int fd, const void *p, size_t n, uint64_t offset, const char *path);
/* ERR_MISSING when the file ends before n bytes. */
MUST_CHECK enum err fileio_read(int fd, void *p, size_t n, uint64_t offset, const char *path);
/* Zeroes a range for good: a hole where the file system can, else zero bytes. The file keeps its size. */
MUST_CHECK enum err fileio_zero(int fd, uint64_t offset, uint64_t n, const char *path);
/* Zeroes a whole file, then unlinks it: a reader that still maps it sees zeros, not what was erased. A file
 * that is not there is fine. */
MUST_CHECK enum err fileio_erase(const char *path);
/* Makes entries made in a folder (new files, unlinks) durable. */
MUST_CHECK enum err fileio_sync_folder(const char *path);

#endif
