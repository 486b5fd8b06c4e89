/* SPDX-License-Identifier: Apache-2.0 */
#include "host/evidence/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void document_fini(struct document *d) {
    for (size_t i = 0; i < d->n; i++)
        for (unsigned k = 0; k < d->blocks[i].n; k++) free(d->blocks[i].cell[k]);
    free(d->blocks);
    *d = (struct document){0};
}

static struct document_block *add(struct document *d, enum document_kind kind) {
    if (d->bad) return NULL;
    if (d->n == d->cap) {
        const size_t cap = d->cap ? d->cap * 2 : 64;
        struct document_block *more = realloc(d->blocks, cap * sizeof *more);
        if (!more) {
            d->bad = true;
            return NULL;
        }
        d->blocks = more;
        d->cap = cap;
    }
    struct document_block *b = &d->blocks[d->n++];
    *b = (struct document_block){.kind = kind};
    return b;
}

static void set_cell(struct document *d, struct document_block *b, char *taken) {
    if (!taken) d->bad = true;
    if (taken) b->cell[b->n++] = taken;
}

void document_say(struct document *d, enum document_kind kind, const char *fmt, ...) {
    struct document_block *b = add(d, kind);
    char *text = NULL;
    va_list ap;
    if (!b) return;
    va_start(ap, fmt);
    set_cell(d, b, vasprintf(&text, fmt, ap) < 0 ? NULL : text);
    va_end(ap);
}

void document_fact(struct document *d, const char *name, const char *fmt, ...) {
    struct document_block *b = add(d, DOCUMENT_FACT);
    char *text = NULL;
    va_list ap;
    if (!b) return;
    set_cell(d, b, strdup(name));
    va_start(ap, fmt);
    set_cell(d, b, vasprintf(&text, fmt, ap) < 0 ? NULL : text);
    va_end(ap);
}

void document_row(struct document *d, enum document_kind kind, const char *const cells[], unsigned n) {
    struct document_block *b = add(d, kind);
    for (unsigned i = 0; b && i < n && i < DOCUMENT_COLUMNS_MAX; i++) set_cell(d, b, strdup(cells[i]));
}

/* ---- HTML ------------------------------------------------------------------------------------------------
 */

static void put(struct bytes *out, const char *text) {
    bytes_put(out, text, strlen(text));
}

static void put_text(struct bytes *out, const char *text) {
    for (; *text; text++) switch (*text) {
        case '&':
            put(out, "&amp;");
            break;
        case '<':
            put(out, "&lt;");
            break;
        case '>':
            put(out, "&gt;");
            break;
        case '"':
            put(out, "&quot;");
            break;
        default:
            bytes_put(out, text, 1);
        }
}

static void put_element(struct bytes *out, const char *name, const char *text) {
    put(out, "<");
    put(out, name);
    put(out, ">");
    put_text(out, text);
    put(out, "</");
    put(out, name);
    put(out, ">");
}

static void put_row(struct bytes *out, const struct document_block *b) {
    put(out, "<tr>");
    for (unsigned i = 0; i < b->n; i++)
        put_element(out, b->kind == DOCUMENT_HEAD_ROW ? "th" : "td", b->cell[i]);
    put(out, "</tr>\n");
}

static void put_block(struct bytes *out, const struct document_block *b, enum document_kind before,
                      enum document_kind after) {
    static const char *const names[] = {
        [DOCUMENT_TITLE] = "h1", [DOCUMENT_HEADING] = "h2", [DOCUMENT_TEXT] = "p"};
    switch (b->kind) {
    case DOCUMENT_TITLE:
    case DOCUMENT_HEADING:
    case DOCUMENT_TEXT:
        put_element(out, names[b->kind], b->cell[0]);
        put(out, "\n");
        break;
    case DOCUMENT_FACT:
        if (before != DOCUMENT_FACT) put(out, "<dl>\n");
        put_element(out, "dt", b->cell[0]);
        put_element(out, "dd", b->cell[1]);
        put(out, "\n");
        if (after != DOCUMENT_FACT) put(out, "</dl>\n");
        break;
    case DOCUMENT_HEAD_ROW:
        put(out, "<table>\n<thead>");
        put_row(out, b);
        put(out, "</thead>\n<tbody>\n");
        if (after != DOCUMENT_ROW) put(out, "</tbody>\n</table>\n");
        break;
    case DOCUMENT_ROW:
        put_row(out, b);
        if (after != DOCUMENT_ROW) put(out, "</tbody>\n</table>\n");
        break;
    }
}

enum err document_html(const struct document *d, struct bytes *out) {
    if (d->bad) return ERR_NOMEM;
    put(out, "<!DOCTYPE html>\n<html lang=\"");
    put_text(out, d->language);
    put(out, "\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    put_text(out, d->n > 0 ? d->blocks[0].cell[0] : "");
    put(out, "</title>\n<style>body{font:15px/1.45 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
             "table{border-collapse:collapse;width:100%}th,td{border:1px solid #888;padding:.25em "
             ".5em;text-align:left;"
             "vertical-align:top;overflow-wrap:anywhere}dt{font-weight:bold}dd{margin:0 0 .4em "
             "1.5em;overflow-wrap:anywhere}"
             "</style>\n</head>\n<body>\n");
    for (size_t i = 0; i < d->n; i++)
        put_block(out, &d->blocks[i], i > 0 ? d->blocks[i - 1].kind : DOCUMENT_TEXT,
                  i + 1 < d->n ? d->blocks[i + 1].kind : DOCUMENT_TEXT);
    put_element(out, "p", d->footer);
    put(out, "\n</body>\n</html>\n");
    return out->bad ? ERR_NOMEM : OK;
}
