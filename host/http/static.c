/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/static.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "host/base/log.h"

#define PAGE_MAX_BYTES ((size_t)16 << 20)

struct static_page {
    struct static_file *files; /* ordered by name */
    size_t n, cap, n_bytes;
};

static const struct {
    const char *suffix, *mime;
} mimes[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".otf", "font/otf"},
    {".txt", "text/plain; charset=utf-8"},
};

static const char *mime_of(const char *name) {
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof mimes / sizeof *mimes; i++)
        if (strcmp(dot, mimes[i].suffix) == 0) return mimes[i].mime;
    return "application/octet-stream";
}

static bool ends_with(const char *s, const char *end) {
    size_t n = strlen(s), m = strlen(end);
    return n > m && strcmp(s + n - m, end) == 0;
}

static void etag_of(struct static_body *b) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[33];
    crypto_hash_sha256(hash, b->data, b->n_bytes);
    sodium_bin2hex(hex, sizeof hex, hash, 16);
    b->etag[0] = '"';
    memcpy(b->etag + 1, hex, 32);
    b->etag[33] = '"';
    b->etag[34] = '\0';
}

static enum err read_file(const char *path, size_t n, uint8_t **out) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return ERR_IO;
    enum err e = ERR_NOMEM;
    uint8_t *data = malloc(n ? n : 1);
    if (!data) goto out;
    e = ERR_IO;
    for (size_t have = 0; have < n;) {
        ssize_t got = read(fd, data + have, n - have);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) goto out;
        have += (size_t)got;
    }
    *out = data;
    data = NULL;
    e = OK;
out:
    free(data);
    close(fd);
    return e;
}

/* The entry of `name`, made when absent; NULL when memory is refused. */
static struct static_file *entry(struct static_page *p, const char *name) {
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->files[i].name, name) == 0) return &p->files[i];
    if (p->n == p->cap) {
        size_t cap = p->cap ? 2 * p->cap : 32;
        struct static_file *files = realloc(p->files, cap * sizeof *files);
        if (!files) return NULL;
        p->files = files;
        p->cap = cap;
    }
    char *copy = strdup(name);
    if (!copy) return NULL;
    struct static_file *f = &p->files[p->n++];
    *f = (struct static_file){
        .name = copy, .mime = mime_of(copy), .immutable = strncmp(copy, "assets/", 7) == 0};
    return f;
}

static enum err add(struct static_page *p, const char *path, const char *name, size_t n_bytes) {
    if (n_bytes > PAGE_MAX_BYTES - p->n_bytes) return ERR_FULL;
    uint8_t *data = NULL;
    enum err e = read_file(path, n_bytes, &data);
    if (e != OK) return e;
    bool gz = ends_with(name, ".gz");
    char *plain_name = strndup(name, strlen(name) - (gz ? 3 : 0));
    struct static_file *f = plain_name ? entry(p, plain_name) : NULL;
    free(plain_name);
    if (!f) {
        free(data);
        return ERR_NOMEM;
    }
    struct static_body *b = gz ? &f->gz : &f->plain;
    b->data = data;
    b->n_bytes = n_bytes;
    etag_of(b);
    p->n_bytes += n_bytes;
    return OK;
}

static int by_name(const void *a, const void *b) {
    const struct static_file *x = a, *y = b;
    return strcmp(x->name, y->name);
}

enum err static_load(const char *dir, struct static_page **out) {
    enum err e = OK;
    *out = NULL;
    if (sodium_init() < 0) return ERR_IO;
    struct static_page *p = calloc(1, sizeof *p);
    char *root = strdup(dir);
    FTS *fts = NULL;
    if (!p || !root) {
        e = ERR_NOMEM;
        goto fail;
    }
    size_t root_n = strlen(root);
    while (root_n > 1 && root[root_n - 1] == '/') root[--root_n] = '\0';
    fts = fts_open((char *const[]){root, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!fts) {
        e = ERR_IO;
        goto fail;
    }
    for (FTSENT *f; e == OK && (f = fts_read(fts));) {
        if (f->fts_level > 0 && f->fts_name[0] == '.')
            fts_set(fts, f, FTS_SKIP);
        else if (f->fts_info == FTS_F)
            e = add(p, f->fts_path, f->fts_path + root_n + 1, (size_t)f->fts_statp->st_size);
        else if (f->fts_info == FTS_ERR || f->fts_info == FTS_DNR)
            e = ERR_IO;
    }
    if (e == OK) {
        if (p->n > 0) qsort(p->files, p->n, sizeof *p->files, by_name);
        if (!static_find(p, "/")) e = ERR_MISSING;
    }
fail:
    if (fts) fts_close(fts);
    free(root);
    if (e != OK)
        static_free(&p);
    else
        *out = p;
    return e;
}

void static_free(struct static_page **page) {
    struct static_page *p = *page;
    *page = NULL;
    if (!p) return;
    for (size_t i = 0; i < p->n; i++) {
        free((void *)(uintptr_t)p->files[i].name);
        free((void *)(uintptr_t)p->files[i].plain.data);
        free((void *)(uintptr_t)p->files[i].gz.data);
    }
    free(p->files);
    free(p);
}

const struct static_file *static_find(const struct static_page *p, const char *path) {
    if (path[0] != '/') return NULL;
    struct static_file key = {.name = path[1] ? path + 1 : "index.html"};
    const struct static_file *f = p->n ? bsearch(&key, p->files, p->n, sizeof *p->files, by_name) : NULL;
    /* A .gz without its plain form is not a file of the page. */
    return f && f->plain.data ? f : NULL;
}
