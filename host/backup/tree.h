/* SPDX-License-Identifier: Apache-2.0 */
/* tree.h - the files of a data directory, copied one by one with their hashes. Internal to host/backup. */
#ifndef HOST_BACKUP_TREE_H
#define HOST_BACKUP_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/base/fs.h"

struct tree_file {
    char name[FS_PATH_MAX]; /* relative, with '/' */
    uint64_t n_bytes;
    char sha256[65]; /* of the copy; empty before it was made */
};
struct tree {
    struct tree_file *files; /* owned */
    size_t n, cap;
    uint64_t n_bytes;
};

/* Adds every regular file below dir/sub that a backup keeps; ERR_NOMEM, ERR_IO, ERR_USAGE (a name too long).
 */
MUST_CHECK enum err tree_list(struct tree *t, const char *dir, const char *sub);
MUST_CHECK enum err tree_add(struct tree *t, const char *name, uint64_t n_bytes, const char *sha256);
void tree_fini(struct tree *t);
/* True for a database: its copy is made by SQLite, not byte by byte. */
bool tree_is_database(const char *name);

/* Copies from/name to to/name (folders made, file synced, mode 0600) and sets size and hash of what was
 * written. `step` is called with the bytes of each piece; false ends it. */
MUST_CHECK enum err tree_copy_file(const char *from, const char *to, struct tree_file *f,
                                   bool (*step)(uint64_t n, void *arg), void *arg);
/* Size and hash of dir/name as it is. */
MUST_CHECK enum err tree_hash(const char *dir, struct tree_file *f);
/* Removes a folder and what is in it; fine when there is none. Links are removed, not followed. */
MUST_CHECK enum err tree_remove(const char *path);

#endif
