/* SPDX-License-Identifier: Apache-2.0 */
#include "host/evidence/journal_export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sys/stat.h>

#include "evidence_texts.h" /* made by the Makefile from host/evidence/standalone */
#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/case/journal.h"

static enum err put_file(const char *dir, const char *name, const void *data, size_t n) {
    char path[FS_PATH_MAX];
    const enum err e = fs_join(path, dir, name);
    return e ? e : fs_write_atomic(path, data, n, 0600);
}

struct writing {
    FILE *f;
    uint64_t n;
};

static enum err put_line(const struct journal_row *row, void *arg) {
    struct writing *w = arg;
    fprintf(w->f, "%" PRId64 "\t%" PRId64, row->seq, row->at_ms);
    for (int i = 0; i < 6; i++) fprintf(w->f, "\t%s", row->text[i]);
    fprintf(w->f, "\t%s\n", row->hash);
    w->n++;
    return ferror(w->f) ? ERR_FULL : OK;
}

static enum err put_lines(struct register_db *r, const char *dir, uint64_t *n) {
    char path[FS_PATH_MAX], hash[JOURNAL_HASH_BYTES];
    int64_t base = 0;
    enum err e = fs_join(path, dir, "journal.tsv");
    if (!e) e = journal_base(r, &base, hash);
    if (e) return e;
    struct writing w = {.f = fopen(path, "wx")};
    if (!w.f) return ERR_IO;
    fprintf(w.f, "#start\t%" PRId64 "\t%s\n", base, hash);
    e = journal_each(r, base + 1, put_line, &w);
    if (fclose(w.f) != 0 && !e) e = ERR_FULL;
    *n = w.n;
    return e;
}

static enum err put_heads(struct register_db *r, const char *dir, uint64_t *n_heads) {
    char heads[FS_PATH_MAX], name[40];
    struct journal_anchor *a;
    size_t n;
    enum err e = fs_join(heads, dir, "heads");
    if (!e) e = fs_mkdirs(heads, 0700);
    if (e) return e;
    e = journal_anchors(r, &a, &n);
    for (size_t i = 0; i < n && !e; i++) {
        snprintf(name, sizeof name, "%" PRId64 ".txt", a[i].seq);
        e = put_file(heads, name, a[i].text, strlen(a[i].text));
        snprintf(name, sizeof name, "%" PRId64 ".sig", a[i].seq);
        if (!e) e = put_file(heads, name, a[i].signature, a[i].n_signature);
        snprintf(name, sizeof name, "%" PRId64 ".pem", a[i].seq);
        if (!e) e = put_file(heads, name, a[i].certificate, strlen(a[i].certificate));
    }
    *n_heads = n;
    journal_anchors_free(a, n);
    return e;
}

enum err journal_export(struct register_db *r, const char *dir, uint64_t *n_lines, uint64_t *n_heads) {
    *n_lines = *n_heads = 0;
    if (mkdir(dir, 0700) != 0) {
        const enum err e = errno == EEXIST ? ERR_EXISTS : ERR_IO;
        if (e == ERR_IO) log_error("evidence", "op=mkdir path=%s errno=%d", dir, errno);
        return e;
    }
    /* Heads first: a line added meanwhile is then behind the newest head, not missing before it. */
    enum err e = put_heads(r, dir, n_heads);
    if (!e) e = put_lines(r, dir, n_lines);
    if (!e) e = put_file(dir, "verify_journal.c", text_verify_journal_c, sizeof text_verify_journal_c - 1);
    if (!e) e = put_file(dir, "verify.sh", text_verify_sh, sizeof text_verify_sh - 1);
    if (!e)
        e = put_file(dir, "LISEZMOI.txt", text_journal_lisezmoi_txt, sizeof text_journal_lisezmoi_txt - 1);
    return e;
}
