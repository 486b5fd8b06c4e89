/* SPDX-License-Identifier: Apache-2.0 */
/* The document as PDF: A4, one column, tables whose columns share the width by what they hold. */
#include "host/evidence/document.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hpdf.h>

#include "host/base/fs.h"
#include "host/base/log.h"

#define FONT_FILE "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
#define BOLD_FILE "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"
#define MARGIN    50.0f
#define WIDTH     495.0f /* A4 without margins */
#define TOP       792.0f
#define BOTTOM    56.0f
#define CELL_PAD  3.0f
#define LINES_MAX 400u /* of one cell; the rest is said to be missing */

struct page {
    HPDF_Doc pdf;
    HPDF_Page page;
    HPDF_Font font, bold;
    const struct document *d;
    float y; /* of the next line's top */
    unsigned number;
    float size; /* of the text now */
    HPDF_Font now;
};

/* libharu goes back to document_pdf() on an error. */
struct failure {
    jmp_buf back;
    HPDF_STATUS status;
};

static void on_error(HPDF_STATUS status, HPDF_STATUS detail, void *arg) {
    (void)detail;
    struct failure *f = arg;
    f->status = status;
    longjmp(f->back, 1);
}

static void use(struct page *p, HPDF_Font font, float size) {
    p->now = font;
    p->size = size;
    HPDF_Page_SetFontAndSize(p->page, font, size);
}

static void text_at(struct page *p, float x, float y, const char *text) {
    HPDF_Page_BeginText(p->page);
    HPDF_Page_TextOut(p->page, x, y, text);
    HPDF_Page_EndText(p->page);
}

static void new_page(struct page *p) {
    char foot[200];
    p->page = HPDF_AddPage(p->pdf);
    HPDF_Page_SetSize(p->page, HPDF_PAGE_SIZE_A4, HPDF_PAGE_PORTRAIT);
    HPDF_Page_SetLineWidth(p->page, 0.5f);
    p->number++;
    HPDF_Page_SetFontAndSize(p->page, p->font, 7.5f);
    snprintf(foot, sizeof foot, "%.150s - %u", p->d->footer, p->number);
    text_at(p, MARGIN, 32, foot);
    p->y = TOP;
    if (p->now) use(p, p->now, p->size);
}

/* Bytes of `text` that fit into `width`, cut between words where there is one, else between characters. */
static size_t fit(struct page *p, const char *text, float width) {
    size_t n = 0, space = 0;
    char part[512];
    while (text[n]) {
        size_t next = n + 1;
        while (((unsigned char)text[next] & 0xc0) == 0x80) next++;
        if (next >= sizeof part) break;
        memcpy(part, text, next);
        part[next] = 0;
        if (HPDF_Page_TextWidth(p->page, part) > width) break;
        if (text[n] == ' ') space = n;
        n = next;
    }
    if (!text[n]) return n;
    return space > 0 ? space : n > 0 ? n : 1;
}

/* Writes `text` within `width` from x downward, `from` lines on, at most `most`; returns how many it has in
 * all. */
static unsigned lines(struct page *p, const char *text, float x, float y, float width, bool draw) {
    unsigned n = 0;
    char line[512];
    do {
        const size_t k = fit(p, text, width);
        snprintf(line, sizeof line, "%.*s", (int)k, text);
        if (draw) text_at(p, x, y - p->size - (float)n * p->size * 1.3f, line);
        text += k;
        while (*text == ' ') text++;
        n++;
    } while (*text && n < LINES_MAX);
    return n;
}

static void paragraph(struct page *p, const char *text, float indent, float after) {
    while (*text) {
        if (p->y - p->size * 1.3f < BOTTOM) new_page(p);
        char line[512];
        const size_t k = fit(p, text, WIDTH - indent);
        snprintf(line, sizeof line, "%.*s", (int)k, text);
        text_at(p, MARGIN + indent, p->y - p->size, line);
        p->y -= p->size * 1.3f;
        text += k;
        while (*text == ' ') text++;
    }
    p->y -= after;
}

/* ---- tables ----------------------------------------------------------------------------------------------
 */

static float floor_of(float v, float least) {
    return v < least ? least : v;
}

/* By the widest cell, but no column under 40 points and none above half. */
static void column_widths(struct page *p, const struct document_block *rows, size_t n, float width[]) {
    float sum = 0;
    const unsigned columns = rows[0].n;
    for (unsigned c = 0; c < columns; c++) {
        width[c] = 40;
        HPDF_Page_SetFontAndSize(p->page, p->bold, p->size);
        for (size_t i = 0; i < n && i < 500; i++) {
            if (c >= rows[i].n) continue;
            char part[128];
            snprintf(part, sizeof part, "%.60s", rows[i].cell[c]);
            /* Never in the middle of a character. */
            size_t len = strlen(part);
            while (len > 0 && ((unsigned char)rows[i].cell[c][len] & 0xc0) == 0x80) part[--len] = 0;
            width[c] = floor_of(HPDF_Page_TextWidth(p->page, part) + 2 * CELL_PAD + 2, width[c]);
            if (i == 0) HPDF_Page_SetFontAndSize(p->page, p->font, p->size); /* only the head is bold */
        }
        if (columns > 2 && width[c] > WIDTH / 2) width[c] = WIDTH / 2;
        sum += width[c];
    }
    for (unsigned c = 0; c < columns; c++) width[c] *= WIDTH / sum;
}

static void row(struct page *p, const struct document_block *b, const float width[],
                const struct document_block *head) {
    use(p, b->kind == DOCUMENT_HEAD_ROW ? p->bold : p->font, 7.5f);
    unsigned most = 1;
    for (unsigned c = 0; c < b->n; c++) {
        const unsigned n = lines(p, b->cell[c], 0, 0, width[c] - 2 * CELL_PAD, false);
        if (n > most) most = n;
    }
    const float h = (float)most * p->size * 1.3f + 2 * CELL_PAD;
    if (p->y - h < BOTTOM && p->y < TOP) {
        new_page(p);
        if (head && head != b) row(p, head, width, NULL);
        use(p, b->kind == DOCUMENT_HEAD_ROW ? p->bold : p->font, 7.5f);
    }
    float x = MARGIN;
    for (unsigned c = 0; c < b->n; c++) {
        lines(p, b->cell[c], x + CELL_PAD, p->y - CELL_PAD, width[c] - 2 * CELL_PAD, true);
        HPDF_Page_Rectangle(p->page, x, p->y - h, width[c], h);
        HPDF_Page_Stroke(p->page);
        x += width[c];
    }
    p->y -= h;
}

static size_t table(struct page *p, const struct document_block *b, size_t n) {
    size_t end = 1;
    float width[DOCUMENT_COLUMNS_MAX];
    while (end < n && b[end].kind == DOCUMENT_ROW) end++;
    use(p, p->font, 7.5f);
    column_widths(p, b, end, width);
    for (size_t i = 0; i < end; i++) row(p, &b[i], width, &b[0]);
    p->y -= 8;
    return end;
}

static void write_all(struct page *p) {
    new_page(p);
    for (size_t i = 0; i < p->d->n;) {
        const struct document_block *b = &p->d->blocks[i];
        switch (b->kind) {
        case DOCUMENT_TITLE:
            use(p, p->bold, 15);
            paragraph(p, b->cell[0], 0, 6);
            break;
        case DOCUMENT_HEADING:
            if (p->y < BOTTOM + 60) new_page(p);
            p->y -= 6;
            use(p, p->bold, 11);
            paragraph(p, b->cell[0], 0, 4);
            break;
        case DOCUMENT_TEXT:
            use(p, p->font, 9);
            paragraph(p, b->cell[0], 0, 5);
            break;
        case DOCUMENT_FACT:
            use(p, p->bold, 8);
            paragraph(p, b->cell[0], 0, 0);
            use(p, p->font, 9);
            paragraph(p, b->cell[1], 14, 3);
            break;
        case DOCUMENT_HEAD_ROW:
            i += table(p, b, p->d->n - i);
            continue;
        case DOCUMENT_ROW: /* only behind a head row, which took it */
            break;
        }
        i++;
    }
}

static enum err take(HPDF_Doc pdf, struct bytes *out) {
    HPDF_SaveToStream(pdf);
    HPDF_ResetStream(pdf);
    for (HPDF_UINT32 left = HPDF_GetStreamSize(pdf); left > 0;) {
        HPDF_BYTE block[4096];
        HPDF_UINT32 n = left < sizeof block ? left : sizeof block;
        HPDF_ReadFromStream(pdf, block, &n);
        if (n == 0) return ERR_IO;
        bytes_put(out, block, n);
        left -= n;
    }
    return out->bad ? ERR_NOMEM : OK;
}

enum err document_pdf(const struct document *d, struct bytes *out) {
    if (d->bad) return ERR_NOMEM;
    if (!fs_exists(FONT_FILE) || !fs_exists(BOLD_FILE)) {
        log_error("document", "the font %s is missing: apt-get install fonts-dejavu-core", FONT_FILE);
        return ERR_MISSING;
    }
    struct failure failure = {.status = HPDF_OK};
    HPDF_Doc volatile pdf = HPDF_New(on_error, &failure);
    if (!pdf) return ERR_NOMEM;
    if (setjmp(failure.back) != 0) {
        log_error("document", "pdf status=0x%lx", (unsigned long)failure.status);
        HPDF_Free(pdf);
        return failure.status == HPDF_FAILD_TO_ALLOC_MEM ? ERR_NOMEM : ERR_IO;
    }
    struct page p = {.pdf = pdf, .d = d};
    HPDF_UseUTFEncodings(pdf);
    HPDF_SetCompressionMode(pdf, HPDF_COMP_ALL);
    HPDF_SetCurrentEncoder(pdf, "UTF-8"); /* of the title */
    HPDF_SetInfoAttr(pdf, HPDF_INFO_TITLE, d->n > 0 ? d->blocks[0].cell[0] : "");
    p.font = HPDF_GetFont(pdf, HPDF_LoadTTFontFromFile(pdf, FONT_FILE, HPDF_TRUE), "UTF-8");
    p.bold = HPDF_GetFont(pdf, HPDF_LoadTTFontFromFile(pdf, BOLD_FILE, HPDF_TRUE), "UTF-8");
    write_all(&p);
    const enum err e = take(pdf, out);
    HPDF_Free(pdf);
    return e;
}
