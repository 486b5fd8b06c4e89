/* SPDX-License-Identifier: Apache-2.0 */
/* document.h - a short document of headings, texts and tables, written once and shown twice: as one HTML file
 * without script and as PDF (by libharu, the font embedded). Texts are UTF-8. After a failed allocation the
 * rest is dropped and writing says ERR_NOMEM. Threads: one per document. */
#ifndef HOST_EVIDENCE_DOCUMENT_H
#define HOST_EVIDENCE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "host/base/bytes.h"
#include "host/base/err.h"

#define DOCUMENT_COLUMNS_MAX 8u

enum document_kind {
    DOCUMENT_TITLE,
    DOCUMENT_HEADING,
    DOCUMENT_TEXT,
    DOCUMENT_HEAD_ROW,
    DOCUMENT_ROW,
    DOCUMENT_FACT
};
struct document_block {
    enum document_kind kind;
    unsigned n;                       /* cells; 1 for texts, 2 for a fact (name, value) */
    char *cell[DOCUMENT_COLUMNS_MAX]; /* owned */
};
struct document {
    const char *language; /* "fr" */
    char footer[160];
    struct document_block *blocks; /* owned */
    size_t n, cap;
    bool bad;
};
void document_fini(struct document *d);
/* A title, a heading or a paragraph. */
void document_say(struct document *d, enum document_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "name: value"; neighbours form one list. */
void document_fact(struct document *d, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A row of a table; the first one, of kind DOCUMENT_HEAD_ROW, begins it. At most 8 cells, strings borrowed.
 */
void document_row(struct document *d, enum document_kind kind, const char *const cells[], unsigned n);

MUST_CHECK enum err document_html(const struct document *d, struct bytes *out);
/* ERR_MISSING: the font of Debian's fonts-dejavu-core is not there (logged). */
MUST_CHECK enum err document_pdf(const struct document *d, struct bytes *out);

#endif
