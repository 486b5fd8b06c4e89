/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/plate_find.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/log.h"
#include "host/index/plate_match.h"
#include "host/index/plates.h"

/* What is looked for, in the form that a block is compared with. */
struct wanted {
    enum query_plate mode;
    const char *asked;
    unsigned max_slips;
    struct plate_mask mask[PLATE_SHORT_BYTES + 1]; /* one per possible length of the text */
    unsigned n_masks;
    struct plate_edit edit;
};

static void mask_put(struct plate_mask *m, unsigned at, char c) {
    if (c == '?') return;
    m->mask |= UINT64_C(0xff) << 8 * at;
    m->value |= (uint64_t)(uint8_t)c << 8 * at;
}

/* What stands before the first star and behind the last one must be at the two ends of the text: one mask for
 * each length that a short text can have. What fits is compared in full afterwards. */
static void wanted_masks(struct wanted *w) {
    const char *asked = w->asked, *star = strchr(asked, '*'), *last = strrchr(asked, '*');
    bool pattern = w->mode == QUERY_PLATE_PATTERN && star;
    size_t n = strlen(asked), n_prefix = pattern ? (size_t)(star - asked) : n;
    const char *suffix = pattern ? last + 1 : "";
    size_t n_suffix = strlen(suffix);
    for (size_t len = n_prefix + n_suffix; len <= PLATE_SHORT_BYTES; len++) {
        struct plate_mask m = {0, 0};
        for (size_t i = 0; i < n_prefix; i++) mask_put(&m, (unsigned)i, asked[i]);
        for (size_t i = 0; i < n_suffix; i++) mask_put(&m, (unsigned)(len - n_suffix + i), suffix[i]);
        if (len < PLATE_SHORT_BYTES) mask_put(&m, (unsigned)len, '\0');
        w->mask[w->n_masks++] = m;
        if (!pattern) break;
        if (n_suffix == 0) { /* "AB*": any length fits one mask without an end */
            m = (struct plate_mask){0, 0};
            for (size_t i = 0; i < n_prefix; i++) mask_put(&m, (unsigned)i, asked[i]);
            w->mask[0] = m;
            break;
        }
    }
}

static void wanted_edit(struct wanted *w) {
    struct plate_edit *e = &w->edit;
    e->n_chars = (unsigned)strlen(w->asked);
    e->max_distance = w->max_slips;
    for (unsigned i = 0; i < e->n_chars; i++)
        for (unsigned c = 1; c < 256; c++)
            if (w->asked[i] == '?' || plate_class(w->asked[i]) == plate_class((char)c))
                e->equal[c] |= 1u << i;
    for (unsigned c = 0; c < 256; c++)
        e->equal8[c / 128][c % 128] = (uint8_t)(e->equal[c % 128] >> c / 128 * 8);
}

/* Bits of the places of one block that may fit. */
static void wanted_candidates(const struct bits_ops *ops, const struct wanted *w, const uint8_t *texts,
                              size_t n, unsigned width, uint64_t out[PLATE_BLOCK_TEXTS / 64]) {
    uint64_t one[PLATE_BLOCK_TEXTS / 64];
    size_t words = BITS_WORDS(n);
    if (w->mode == QUERY_PLATE_FUZZY) {
        ops->within(out, texts, n, width, &w->edit);
    } else if (width == PLATE_SHORT_BYTES) {
        memset(out, 0, words * sizeof *out);
        for (unsigned i = 0; i < w->n_masks; i++) {
            ops->fit_mask(one, texts, n, &w->mask[i]);
            for (size_t k = 0; k < words; k++) out[k] |= one[k];
        }
    } else {
        memset(out, 0xff, words * sizeof *out);
    }
}

/* Room for every place of a family; zeroed by the system page by page, only where something is noted. */
static enum err family_room(struct index_reader *r, struct plate_find *p, unsigned family) {
    int64_t first = family * (int64_t)PLATE_LONG_BLOCK, last;
    (void)sqlite3_bind_int64(r->st[R_PLATE_LAST], 1, first);
    (void)sqlite3_bind_int64(r->st[R_PLATE_LAST], 2, first + PLATE_LONG_BLOCK - 1);
    enum err e = db_number(r->st[R_PLATE_LAST], first - 1, &last);
    if (e) return e;
    p->n_places[family] = (uint32_t)(last + 1 - first) * PLATE_BLOCK_TEXTS;
    p->fits[family] = calloc(p->n_places[family] + 1, 1);
    return p->fits[family] ? OK : ERR_NOMEM;
}

static enum err note(struct plate_find *p, unsigned family, uint32_t place, uint8_t slips) {
    if (place >= p->n_places[family]) return ERR_CORRUPT;
    p->fits[family][place] = (uint8_t)(slips + 1);
    if (family == 0)
        p->set[place / 32] |= UINT32_C(1) << place % 32;
    else
        p->has_long = true;
    p->only_id = family * PLATE_LONG_BLOCK * PLATE_BLOCK_TEXTS + place;
    p->n_found++;
    return OK;
}

static enum err find_in_block(struct index_reader *r, const struct wanted *w, int64_t number,
                              const uint8_t *texts, size_t n_bytes, struct plate_find *p) {
    if (number < 0 || number >= 2 * (int64_t)PLATE_LONG_BLOCK) return ERR_CORRUPT;
    unsigned family = number >= PLATE_LONG_BLOCK, width = family ? PLATE_LONG_BYTES : PLATE_SHORT_BYTES;
    size_t n = n_bytes / width;
    if (n_bytes % width || n > PLATE_BLOCK_TEXTS || (n && !texts)) return ERR_CORRUPT;
    uint64_t candidate[PLATE_BLOCK_TEXTS / 64];
    enum err e = OK;
    wanted_candidates(r->ops, w, texts, n, width, candidate);
    for (size_t k = 0; !e && k < BITS_WORDS(n); k++) {
        uint64_t left = candidate[k];
        if (k == n / 64) left &= (UINT64_C(1) << n % 64) - 1;
        for (; !e && left; left &= left - 1) {
            size_t i = k * 64 + (size_t)__builtin_ctzll(left);
            char text[PLATE_LONG_BYTES + 1] = {0};
            memcpy(text, texts + i * width, width);
            if (!text[0]) continue;
            uint8_t slips = plate_match(w->mode, w->asked, w->max_slips, text);
            if (slips == PLATE_SLIPS_NONE) continue;
            e = note(p, family, (uint32_t)(number % PLATE_LONG_BLOCK * PLATE_BLOCK_TEXTS) + (uint32_t)i,
                     slips);
        }
    }
    return e;
}

enum err plate_find_open(struct index_reader *r, enum query_plate mode, const char *asked, unsigned max_slips,
                         struct plate_find *out) {
    sqlite3_stmt *st = r->st[R_PLATE_BLOCKS];
    struct wanted w = {.mode = mode, .asked = asked, .max_slips = max_slips};
    bool row = false;
    memset(out, 0, sizeof *out);
    if (strlen(asked) == 0 || strlen(asked) > 24) return ERR_USAGE;
    wanted_masks(&w);
    if (mode == QUERY_PLATE_FUZZY) wanted_edit(&w);
    enum err e = family_room(r, out, 0);
    if (!e) e = family_room(r, out, 1);
    if (!e) out->set = calloc(out->n_places[0] / 32 + 1, sizeof *out->set);
    if (!e && !out->set) e = ERR_NOMEM;
    if (!e) e = db_step(st, &row);
    while (!e && row) {
        const uint8_t *texts = sqlite3_column_blob(st, 1);
        e = find_in_block(r, &w, sqlite3_column_int64(st, 0), texts, (size_t)sqlite3_column_bytes(st, 1),
                          out);
        if (!e) e = db_step(st, &row);
    }
    (void)sqlite3_reset(st);
    if (!e && out->n_found == 0) e = ERR_MISSING;
    if (e) plate_find_close(out);
    return e;
}

void plate_find_close(struct plate_find *p) {
    column_end(&p->walk);
    free(p->fits[0]);
    free(p->fits[1]);
    free(p->set);
    memset(p, 0, sizeof *p);
}

uint8_t plate_find_slips(const struct plate_find *p, uint32_t id) {
    unsigned family = id / PLATE_BLOCK_TEXTS >= PLATE_LONG_BLOCK;
    uint32_t place = id - family * PLATE_LONG_BLOCK * PLATE_BLOCK_TEXTS;
    if (place >= p->n_places[family] || !p->fits[family][place]) return PLATE_SLIPS_NONE;
    return (uint8_t)(p->fits[family][place] - 1);
}

void plate_find_start(struct index_reader *r, struct plate_find *p, uint64_t first, uint64_t last) {
    column_start(&p->walk, r->st[R_PLATE_COLUMN], DB_COLUMN_PLATE, first, last);
}

static enum err plate_bytes(const uint8_t *data, size_t n_bytes, const uint8_t **slots, const uint8_t **ids,
                            size_t *n) {
    *n = n_bytes / 6;
    if (n_bytes % 6 || *n > DB_CHUNK_SLOTS || (*n && !data)) return ERR_CORRUPT;
    *slots = data;
    *ids = data + 2 * *n;
    return OK;
}

static unsigned slot_of(const uint8_t *slots, size_t i) {
    return (unsigned)(slots[2 * i] | slots[2 * i + 1] << 8);
}

/* From the numbers of reads to the slots that carry them. */
static enum err set_slots(const uint64_t *reads, const uint8_t *slots, size_t n, uint64_t *out) {
    for (size_t w = 0; w < BITS_WORDS(n); w++)
        for (uint64_t left = reads[w]; left; left &= left - 1) {
            unsigned slot = slot_of(slots, w * 64 + (size_t)__builtin_ctzll(left));
            if (slot >= DB_CHUNK_SLOTS) return ERR_CORRUPT;
            out[slot / 64] |= UINT64_C(1) << slot % 64;
        }
    return OK;
}

/* Bits of a chunk's slots that carry a fitting plate. */
static enum err chunk_bits(const struct bits_ops *ops, const struct plate_find *p, const uint8_t *slots,
                           const uint8_t *ids, size_t n, uint64_t out[DB_CHUNK_SLOTS / 64]) {
    memset(out, 0, DB_CHUNK_SLOTS / 8);
    if (n && slot_of(slots, n - 1) >= DB_CHUNK_SLOTS) return ERR_CORRUPT;
    if (p->n_found == 1) {
        uint64_t equal[DB_CHUNK_SLOTS / 64];
        ops->equal_u32(equal, ids, n, p->only_id);
        return set_slots(equal, slots, n, out);
    }
    uint64_t fits[DB_CHUNK_SLOTS / 64];
    ops->in_set(fits, ids, n, p->set, p->n_places[0]);
    for (size_t i = 0; p->has_long && i < n; i++) {
        uint32_t id;
        memcpy(&id, ids + 4 * i, sizeof id);
        if (plate_width(id) == PLATE_LONG_BYTES && plate_find_slips(p, id) != PLATE_SLIPS_NONE)
            fits[i / 64] |= UINT64_C(1) << i % 64;
    }
    return set_slots(fits, slots, n, out);
}

enum err plate_find_keep(struct index_reader *r, struct plate_find *p, uint64_t segment, uint64_t *words,
                         size_t n_words) {
    enum { CHUNK_WORDS = DB_CHUNK_SLOTS / 64 };
    for (unsigned chunk = (unsigned)((n_words - 1) / CHUNK_WORDS) + 1; chunk-- > 0;) {
        size_t first = (size_t)chunk * CHUNK_WORDS,
               n = n_words - first < CHUNK_WORDS ? n_words - first : CHUNK_WORDS;
        uint64_t bits[CHUNK_WORDS];
        if (r->ops->count(words + first, n) == 0) continue;
        const uint8_t *slots, *ids, *data;
        size_t n_plates, n_bytes;
        enum err e = column_to(&p->walk, column_chunk(segment, chunk), &data, &n_bytes);
        if (!e) e = plate_bytes(data, n_bytes, &slots, &ids, &n_plates);
        if (!e) e = chunk_bits(r->ops, p, slots, ids, n_plates, bits);
        if (e) {
            log_error("index", "state=\"plate column does not decode\" segment=%llu",
                      (unsigned long long)segment);
            return e;
        }
        for (size_t w = 0; w < n; w++) words[first + w] &= bits[w];
    }
    return OK;
}

enum err plate_column(struct index_reader *r, uint64_t segment, unsigned chunk, const uint8_t **slots,
                      const uint8_t **ids, size_t *n) {
    sqlite3_stmt *st = r->st[R_COLUMN];
    bool row;
    *n = 0;
    (void)sqlite3_reset(st);
    (void)sqlite3_bind_int64(
        st, 1, (int64_t)DB_COLUMN_PLATE << DB_KEY_SHIFT | (int64_t)column_chunk(segment, chunk));
    enum err e = db_step(st, &row);
    if (e || !row) return e;
    const uint8_t *data = sqlite3_column_blob(st, 0);
    return plate_bytes(data, (size_t)sqlite3_column_bytes(st, 0), slots, ids, n);
}
