/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/index/fileio.h"

#define PACK_MAGIC 0x48544C52u /* "RLTH" */

struct pack_header {
    uint32_t magic, n_bytes;
    uint64_t sighting_id;
    uint8_t check[crypto_shorthash_BYTES];
};
_Static_assert(sizeof(struct pack_header) == 24, "header of a thumbnail on disk");

struct pack {
    char dir[4096];
    uint64_t end_unit;
    int fd; /* of the file that holds end_unit; -1 = not opened yet */
    uint64_t fd_file;
    bool dirty;
    int erase_fd; /* the file that erasing is in, not synced yet; -1 = none */
    uint64_t erase_file;
};

enum { PATH_MAX_BYTES = 4200 };

static void pack_path(const char *dir, uint64_t file, char out[static PATH_MAX_BYTES]) {
    (void)snprintf(out, PATH_MAX_BYTES, "%s/thumbs/%06llu.pack", dir, (unsigned long long)file);
}

static void pack_check(const void *jpeg, size_t n, uint8_t out[static crypto_shorthash_BYTES]) {
    static const unsigned char key[crypto_shorthash_KEYBYTES] = {0};
    (void)crypto_shorthash(out, jpeg, n, key);
}

/* Removes what a killed writer left behind the last commit. */
static enum err pack_trim(struct pack *p) {
    char path[PATH_MAX_BYTES];
    (void)snprintf(path, sizeof path, "%s/thumbs", p->dir);
    DIR *d = opendir(path);
    if (!d) return fileio_err("open", path);
    enum err e = OK;
    struct dirent *ent;
    while (!e && (ent = readdir(d)) != NULL) {
        char *end;
        unsigned long long file = strtoull(ent->d_name, &end, 10);
        if (end == ent->d_name || strcmp(end, ".pack") != 0) continue;
        uint64_t first = file * PACK_UNITS;
        if (first + PACK_UNITS <= p->end_unit) continue;
        pack_path(p->dir, file, path);
        if (first >= p->end_unit) {
            if (unlink(path) != 0) e = fileio_err("unlink", path);
        } else {
            struct stat st;
            off_t size = (off_t)((p->end_unit - first) * PACK_UNIT_BYTES);
            if (stat(path, &st) != 0)
                e = fileio_err("stat", path);
            else if (st.st_size > size && truncate(path, size) != 0)
                e = fileio_err("truncate", path);
        }
    }
    closedir(d);
    return e;
}

enum err pack_open(const char *dir, uint64_t end_unit, struct pack **out) {
    *out = NULL;
    struct pack *p = calloc(1, sizeof *p);
    if (!p) return ERR_NOMEM;
    p->fd = p->erase_fd = -1;
    p->end_unit = end_unit;
    char path[PATH_MAX_BYTES];
    enum err e = ERR_USAGE;
    if (strlen(dir) >= sizeof p->dir) goto fail;
    memcpy(p->dir, dir, strlen(dir) + 1);
    (void)snprintf(path, sizeof path, "%s/thumbs", dir);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        e = fileio_err("mkdir", path);
        goto fail;
    }
    e = pack_trim(p);
    if (e) goto fail;
    *out = p;
    return OK;
fail:
    free(p);
    return e;
}

void pack_close(struct pack **p) {
    if (!p || !*p) return;
    if ((*p)->fd >= 0) close((*p)->fd);
    if ((*p)->erase_fd >= 0) close((*p)->erase_fd);
    free(*p);
    *p = NULL;
}

static enum err pack_flush(struct pack *p) {
    if (!p->dirty) return OK;
    char path[PATH_MAX_BYTES];
    pack_path(p->dir, p->fd_file, path);
    if (fdatasync(p->fd) != 0) return fileio_err("fdatasync", path);
    p->dirty = false;
    return OK;
}

static enum err pack_select(struct pack *p, uint64_t file) {
    if (p->fd >= 0 && p->fd_file == file) return OK;
    char path[PATH_MAX_BYTES], folder[PATH_MAX_BYTES];
    enum err e = pack_flush(p);
    if (e) return e;
    if (p->fd >= 0) close(p->fd);
    pack_path(p->dir, file, path);
    bool fresh = access(path, F_OK) != 0;
    p->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (p->fd < 0) return fileio_err("open", path);
    p->fd_file = file;
    if (!fresh) return OK;
    (void)snprintf(folder, sizeof folder, "%s/thumbs", p->dir);
    return fileio_sync_folder(folder);
}

enum err pack_add(struct pack *p, uint64_t sighting_id, const void *jpeg, size_t n, int64_t *number) {
    if (n == 0 || n > PACK_UNITS_MAX * PACK_UNIT_BYTES - sizeof(struct pack_header)) return ERR_USAGE;
    uint64_t n_units = (n + sizeof(struct pack_header) + PACK_UNIT_BYTES - 1) / PACK_UNIT_BYTES;
    uint64_t unit = p->end_unit;
    if (unit % PACK_UNITS + n_units > PACK_UNITS) unit = (unit / PACK_UNITS + 1) * PACK_UNITS;
    enum err e = pack_select(p, unit / PACK_UNITS);
    if (e) return e;
    char path[PATH_MAX_BYTES];
    pack_path(p->dir, p->fd_file, path);
    struct pack_header h = {.magic = PACK_MAGIC, .n_bytes = (uint32_t)n, .sighting_id = sighting_id};
    pack_check(jpeg, n, h.check);
    uint64_t at = unit % PACK_UNITS * PACK_UNIT_BYTES;
    p->dirty = true;
    e = fileio_write(p->fd, &h, sizeof h, at, path);
    if (!e) e = fileio_write(p->fd, jpeg, n, at + sizeof h, path);
    if (e) return e;
    p->end_unit = unit + n_units;
    *number = (int64_t)(unit << 12 | (n_units - 1));
    return OK;
}

enum err pack_sync(struct pack *p, uint64_t *end_unit) {
    *end_unit = p->end_unit;
    return pack_flush(p);
}

void pack_rewind(struct pack *p, uint64_t end_unit) {
    p->end_unit = end_unit;
    p->dirty = false;
}

uint64_t pack_end(const struct pack *p) {
    return p->end_unit;
}

enum err pack_read(const char *dir, int64_t number, uint64_t sighting_id, uint8_t **jpeg, size_t *n) {
    char path[PATH_MAX_BYTES];
    uint64_t unit = pack_first_unit(number);
    size_t room = (size_t)(pack_end_unit(number) - unit) * PACK_UNIT_BYTES - sizeof(struct pack_header);
    uint64_t at = unit % PACK_UNITS * PACK_UNIT_BYTES;
    pack_path(dir, unit / PACK_UNITS, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? ERR_MISSING : fileio_err("open", path);
    struct pack_header h;
    uint8_t *data = NULL;
    enum err e = fileio_read(fd, &h, sizeof h, at, path);
    if (e) goto out;
    e = h.magic == 0 ? ERR_MISSING : ERR_CORRUPT;
    if (h.magic != PACK_MAGIC || h.sighting_id != sighting_id || h.n_bytes == 0 || h.n_bytes > room) goto out;
    e = ERR_NOMEM;
    data = malloc(h.n_bytes);
    if (!data) goto out;
    e = fileio_read(fd, data, h.n_bytes, at + sizeof h, path);
    if (e) goto out;
    uint8_t check[crypto_shorthash_BYTES];
    pack_check(data, h.n_bytes, check);
    e = memcmp(check, h.check, sizeof check) == 0 ? OK : ERR_CORRUPT;
    if (e || !jpeg) goto out;
    *jpeg = data;
    *n = h.n_bytes;
    data = NULL;
out:
    free(data);
    close(fd);
    return e;
}

enum err pack_erase_sync(struct pack *p) {
    char path[PATH_MAX_BYTES];
    if (p->erase_fd < 0) return OK;
    pack_path(p->dir, p->erase_file, path);
    enum err e = fdatasync(p->erase_fd) == 0 ? OK : fileio_err("fdatasync", path);
    close(p->erase_fd);
    p->erase_fd = -1;
    return e;
}

static enum err pack_erase_in(struct pack *p, uint64_t file, uint64_t from_unit, uint64_t to_unit) {
    char path[PATH_MAX_BYTES];
    pack_path(p->dir, file, path);
    uint64_t first = file * PACK_UNITS;
    bool whole = from_unit <= first && to_unit >= first + PACK_UNITS && p->end_unit >= first + PACK_UNITS;
    if (whole && !(p->fd >= 0 && p->fd_file == file)) return fileio_erase(path);
    if (from_unit < first) from_unit = first;
    if (to_unit > first + PACK_UNITS) to_unit = first + PACK_UNITS;
    if (p->erase_fd < 0 || p->erase_file != file) {
        enum err e = pack_erase_sync(p);
        if (e) return e;
        p->erase_fd = open(path, O_RDWR | O_CLOEXEC);
        if (p->erase_fd < 0) return errno == ENOENT ? OK : fileio_err("open", path);
        p->erase_file = file;
    }
    return fileio_zero(p->erase_fd, (from_unit - first) * PACK_UNIT_BYTES,
                       (to_unit - from_unit) * PACK_UNIT_BYTES, path);
}

enum err pack_erase(struct pack *p, uint64_t from_unit, uint64_t to_unit) {
    enum err e = OK;
    if (from_unit >= to_unit) return OK;
    for (uint64_t file = from_unit / PACK_UNITS; !e && file <= (to_unit - 1) / PACK_UNITS; file++)
        e = pack_erase_in(p, file, from_unit, to_unit);
    return e;
}
