/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the model.json of a detector, a plate network or a network on crops: refused, or numbers that decoding may rely
 * on. */
#include <stdlib.h>
#include <string.h>

#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/pipe/detect_manifest.h"
#include "host/pipe/look_net.h"
#include "host/pipe/plate_net.h"
#include "tests/fuzz/fuzz.h"

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x)) abort();                                                                                   \
    } while (0)

static const char labels[] = "person\nbird\ncar\ndog\n";

static void quiet(enum log_level level, const char *line, void *arg) {
    (void)level;
    (void)line;
    (void)arg;
}

static const struct vocab *words(void) {
    static struct vocab *vocab; /* for the life of the process */
    if (!vocab) {
        log_sink(quiet, NULL);
        REQUIRE(vocab_load("host/vocabulary.json", &vocab) == OK);
    }
    return vocab;
}

static void check_numbers(const struct detect_manifest *m) {
    REQUIRE(memchr(m->name, 0, sizeof m->name) && m->name[0]);
    REQUIRE(m->n_files >= 1 && m->n_files <= DETECT_FILES_MAX);
    REQUIRE(m->input_w_px >= 32 && m->input_w_px <= DETECT_SIDE_MAX);
    REQUIRE(m->input_h_px >= 32 && m->input_h_px <= DETECT_SIDE_MAX);
    REQUIRE(m->n_heads >= 1 && m->n_heads <= DETECT_HEADS_MAX);
    for (unsigned i = 0; i < m->n_heads; i++) {
        REQUIRE(memchr(m->heads[i].tensor, 0, DETECT_LABEL_BYTES) && m->heads[i].tensor[0]);
        REQUIRE(m->heads[i].stride_px > 0 && m->input_w_px % m->heads[i].stride_px == 0 &&
                m->input_h_px % m->heads[i].stride_px == 0);
    }
    REQUIRE(m->n_classes >= 1 && m->n_classes <= DETECT_CLASSES_MAX);
    REQUIRE(m->n_bins >= 2 && m->n_bins <= DETECT_BINS_MAX);
    REQUIRE(m->iou_max > 0 && m->iou_max < 1);
    REQUIRE(m->threshold_keep > 0 && m->threshold_keep <= m->threshold_start && m->threshold_start < 1);
    REQUIRE(!strchr(m->labels_file, '/'));
}

/* What is accepted decodes any tensor into boxes and regions inside the picture, and into texts. */
static void try_plate_net(const uint8_t *data, size_t n, enum plate_task task) {
    struct plate_net m;
    const enum err e = plate_net_parse("fuzz", (const char *)data, n, task, &m);
    REQUIRE(e == OK || e == ERR_CORRUPT || e == ERR_DENIED);
    if (e) return;
    REQUIRE(memchr(m.name, 0, sizeof m.name) && m.name[0] && memchr(m.tensor, 0, sizeof m.tensor) &&
            m.tensor[0]);
    REQUIRE(m.n_files >= 1 && m.n_files <= PLATE_FILES_MAX);
    const size_t n_bytes = plate_net_bytes(&m);
    REQUIRE(n_bytes > 0);
    int8_t *out = malloc(n_bytes);
    REQUIRE(out);
    for (size_t i = 0; i < n_bytes; i++) out[i] = (int8_t)data[i % n];
    if (task == PLATE_FIND) {
        const struct wire_roi region = {600, 400, 640, 480};
        struct plate_box box;
        struct wire_roi roi;
        if (plate_net_find(&m, out, &region, &box) && plate_net_region(&m, &box, 1280, 720, &roi))
            REQUIRE(roi.x_px % 2 == 0 && roi.y_px % 2 == 0 && roi.w_px >= 2 && roi.h_px >= 2 &&
                    roi.x_px + roi.w_px <= 1280 && roi.y_px + roi.h_px <= 720);
    } else {
        struct plate_guess g;
        plate_net_read(&m, out, &g);
        REQUIRE(g.n_chars <= PLATE_TEXT_MAX);
    }
    free(out);
}

/* What is accepted turns any answer into shares, and leads to values of the vocabulary. */
static void try_look_net(const uint8_t *data, size_t n) {
    static struct look_net m;
    float sums[LOOK_NET_LABELS_MAX] = {0}, shares[LOOK_NET_LABELS_MAX];
    int8_t answer[LOOK_NET_LABELS_MAX];
    const enum err e = look_net_parse("fuzz", (const char *)data, n, words(), &m);
    REQUIRE(e == OK || e == ERR_CORRUPT || e == ERR_DENIED);
    if (e) return;
    REQUIRE(m.n_heads >= 1 && m.n_heads <= LOOK_NET_HEADS_MAX);
    REQUIRE(m.n_labels >= 1 && m.n_labels <= LOOK_NET_LABELS_MAX);
    for (unsigned i = 0; i < m.n_labels; i++) {
        const struct look_net_label *l = &m.labels[i];
        answer[i] = (int8_t)data[i % n];
        for (unsigned y = 0; y < 2; y++)
            REQUIRE(l->yes[y].field == FIELD_NONE || vocab_by_id(words(), l->yes[y].field, l->yes[y].id));
        REQUIRE(l->at_least > 0.0f && l->sure > 0.0f);
    }
    look_net_add(&m, answer, 0.7f, sums);
    look_net_shares(&m, sums, 0.7f, shares);
    for (unsigned i = 0; i < m.n_labels; i++) REQUIRE(shares[i] >= 0.0f && shares[i] <= 1.0f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct detect_manifest m;
    const struct vocab *vocab = words();
    try_look_net(data, n);
    try_plate_net(data, n, PLATE_FIND);
    try_plate_net(data, n, PLATE_READ);
    enum err e = detect_manifest_parse("fuzz", (const char *)data, n, &m);
    REQUIRE(e == OK || e == ERR_CORRUPT || e == ERR_DENIED);
    if (e) return 0;
    check_numbers(&m);
    e = detect_manifest_map("fuzz", (const char *)data, n, labels, sizeof labels - 1, vocab, &m);
    REQUIRE(e == OK || e == ERR_CORRUPT || e == ERR_DENIED);
    for (unsigned i = 0; e == OK && i < m.n_classes; i++) {
        const struct detect_class *c = &m.classes[i];
        REQUIRE(!c->id || vocab_by_id(vocab, c->is_hint ? FIELD_ACCESSORY : FIELD_CLASS, c->id));
    }
    return 0;
}

/* The committed manifest with one to three of its words exchanged for others. */
size_t fuzz_make_input(uint64_t seed, uint8_t *out, size_t cap) {
    static const char *const other[] = {"0",    "-1",  "1e9",        "32",      "\"face\"", "null",
                                        "[]",   "{}",  "0.5",        "\"\"",    "\"BGR\"",  "2147483648",
                                        "true", "1.0", "\"detect\"", "\"a/b\"", "4",        "\"\\u0000\""};
    static const char *const committed[] = {"tests/golden/detect/model.json",
                                            "tests/fuzz/corpus/model_json/plate-find",
                                            "tests/fuzz/corpus/model_json/plate-read"};
    char *text = NULL;
    size_t n, at = 0;
    if (fs_read(committed[seed % 3], DETECT_JSON_MAX, &text, &n)) return 0;
    for (const char *p = text; *p && at + 64 < cap;) {
        size_t word = strcspn(p, ",:]}[{\n");
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        if (word > 1 && (seed >> 33) % 24 == 0) {
            const char *o = other[(seed >> 40) % (sizeof other / sizeof *other)];
            memcpy(out + at, o, strlen(o));
            at += strlen(o);
            p += word;
        } else {
            word = word ? word : 1;
            if (word > cap - at) break;
            memcpy(out + at, p, word);
            at += word;
            p += word;
        }
    }
    free(text);
    return at;
}
