/* SPDX-License-Identifier: Apache-2.0 */
#include "host/base/fold.h"

#include <string.h>

uint32_t fold_next(const char **p, const char *end) {
    const uint8_t *s = (const uint8_t *)*p;
    size_t left = (size_t)(end - *p);
    uint32_t c = s[0];
    unsigned more;
    *p += 1;
    if (c < 0x80) return c;
    if (c >= 0xc2 && c <= 0xdf) {
        more = 1;
        c &= 0x1f;
    } else if (c >= 0xe0 && c <= 0xef) {
        more = 2;
        c &= 0x0f;
    } else if (c >= 0xf0 && c <= 0xf4) {
        more = 3;
        c &= 0x07;
    } else {
        return 0xfffd;
    }
    if (left <= more) return 0xfffd;
    for (unsigned i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0xfffd;
        c = c << 6 | (s[i] & 0x3fu);
    }
    if ((more == 2 && c < 0x800) || (more == 3 && (c < 0x10000 || c > 0x10ffff))) return 0xfffd;
    if (c >= 0xd800 && c <= 0xdfff) return 0xfffd;
    *p += more;
    return c;
}

/* U+00C0..U+017F, one plain letter each; '-' = separator, '2' = two letters, told apart below. */
static const char latin[] = "aaaaaa2ceeeeiiii"
                            "dnooooo-ouuuuy2s"
                            "aaaaaa2ceeeeiiii"
                            "dnooooo-ouuuuy2y"
                            "aaaaaaccccccccdd"
                            "ddeeeeeeeeeegggg"
                            "gggghhhhiiiiiiii"
                            "ii22jjkkklllllll"
                            "lllnnnnnnnnnoooo"
                            "oo22rrrrrrssssss"
                            "ssttttttuuuuuuuu"
                            "uuuuwwyyyzzzzzzs";
_Static_assert(sizeof latin - 1 == 0x180 - 0xc0, "one entry per code point");

int fold_letters(uint32_t c, char out[static 2]) {
    if (c < 0x80) {
        if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) return FOLD_BREAK;
        out[0] = (char)c;
        return 1;
    }
    if (c >= 0x300 && c <= 0x36f) return FOLD_NOTHING;
    if (c == 0xad || c == 0x200b || c == 0x200c || c == 0x200d || c == 0xfeff) return FOLD_NOTHING;
    if (c == 0xb2 || c == 0xb3) { /* superscripts: 50 cm3 */
        out[0] = (char)('2' + (c - 0xb2));
        return 1;
    }
    if (c < 0xc0) return FOLD_BREAK;
    if (c < 0x180) {
        char l = latin[c - 0xc0];
        if (l == '-') return FOLD_BREAK;
        if (l != '2') {
            out[0] = l;
            return 1;
        }
        switch (c) {
        case 0xc6: /* AE */
        case 0xe6:
            memcpy(out, "ae", 2);
            break;
        case 0xde: /* thorn */
        case 0xfe:
            memcpy(out, "th", 2);
            break;
        case 0x132: /* IJ */
        case 0x133:
            memcpy(out, "ij", 2);
            break;
        default: /* OE */
            memcpy(out, "oe", 2);
            break;
        }
        return 2;
    }
    if (c >= 0x2000 && c <= 0x206f) return FOLD_BREAK; /* spaces, dashes, quotes */
    if (c >= 0x3000 && c <= 0x303f) return FOLD_BREAK;
    if (c >= 0x1e00 && c <= 0x1eff) { /* further accented Latin; only the commonest families matter */
        out[0] = c >= 0x1ea0 && c <= 0x1eb7   ? 'a'
                 : c >= 0x1eb8 && c <= 0x1ec7 ? 'e'
                 : c >= 0x1ecc && c <= 0x1ee3 ? 'o'
                 : c >= 0x1ee4 && c <= 0x1ef1 ? 'u'
                                              : '~';
        return 1;
    }
    out[0] = '~';
    return 1;
}

bool fold_text(const char *text, size_t n, char *out, size_t cap) {
    const char *p = text, *end = text + n;
    size_t len = 0;
    bool gap = false;
    if (cap == 0) return false;
    while (p < end) {
        char l[2];
        int k = fold_letters(fold_next(&p, end), l);
        if (k == FOLD_BREAK) gap = true;
        if (k <= 0) continue;
        if (gap && len > 0) {
            if (len + 1 >= cap) goto full;
            out[len++] = ' ';
        }
        gap = false;
        if (len + (size_t)k >= cap) goto full;
        memcpy(out + len, l, (size_t)k);
        len += (size_t)k;
    }
    out[len] = '\0';
    return true;
full:
    out[0] = '\0';
    return false;
}
