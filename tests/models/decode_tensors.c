/* SPDX-License-Identifier: Apache-2.0 */
/* decode_tensors - host/pipe/detect.c on real output tensors, for comparison with another decoder.
 *   decode_tensors MODEL_DIR W H < tensors of each picture, in model.json's order
 * Prints "picture N" and then a line "field name score x y w h" for each detection in a W x H surface. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/fs.h"
#include "host/pipe/detect.h"
#include "host/pipe/detect_manifest.h"

/* What a card that runs exactly this model would announce. */
static void announce(const struct detect_manifest *m, struct wire_card_ready *ready) {
    memset(ready, 0, sizeof *ready);
    memcpy(ready->model, m->name, sizeof ready->model);
    memcpy(ready->model_sha256, m->file_sha256[0], sizeof ready->model_sha256);
    ready->input.w = m->input_w_px;
    ready->input.h = m->input_h_px;
    ready->input.c = 3;
    ready->input.fix_point = m->input_fix_point;
    ready->n_outputs = m->n_heads;
    for (unsigned i = 0; i < m->n_heads; i++) {
        struct wire_tensor *t = &ready->outputs[i];
        memcpy(t->name, m->heads[i].tensor, sizeof t->name);
        t->w = m->input_w_px / m->heads[i].stride_px;
        t->h = m->input_h_px / m->heads[i].stride_px;
        t->c = m->n_classes + 4 * m->n_bins;
        t->fix_point = m->heads[i].fix_point;
        t->n_bytes = t->w * t->h * t->c;
    }
}

static int decode_all(const struct detector *d, const struct wire_card_ready *ready,
                      const struct vocab *vocab, const struct wire_surface *surface) {
    uint32_t n_bytes = 0;
    for (unsigned i = 0; i < ready->n_outputs; i++) n_bytes += ready->outputs[i].n_bytes;
    uint8_t *tensors = malloc(n_bytes);
    int rc = tensors ? 0 : 1;
    for (unsigned picture = 0; rc == 0 && fread(tensors, 1, n_bytes, stdin) == n_bytes; picture++) {
        struct detection out[DETECTIONS_MAX];
        unsigned n;
        if (detect_decode(d, ready, tensors, n_bytes, surface, out, &n)) {
            rc = 1;
            break;
        }
        printf("picture %u\n", picture);
        for (unsigned i = 0; i < n; i++) {
            const enum field f = out[i].is_hint ? FIELD_ACCESSORY : FIELD_CLASS;
            printf("%s %s %.6f %.3f %.3f %.3f %.3f\n", field_name(f),
                   vocab_by_id(vocab, f, out[i].class_id)->name, (double)out[i].score, (double)out[i].x_px,
                   (double)out[i].y_px, (double)out[i].w_px, (double)out[i].h_px);
        }
    }
    free(tensors);
    return rc;
}

int main(int argc, char **argv) {
    struct vocab *vocab = NULL;
    struct detector *d = NULL;
    char path[FS_PATH_MAX], *json = NULL;
    size_t n;
    struct detect_manifest m;
    struct wire_card_ready ready;
    int rc = 1;
    if (argc != 4) {
        (void)fprintf(stderr, "usage: decode_tensors MODEL_DIR W H < tensors\n");
        return 2;
    }
    if (vocab_load("host/vocabulary.json", &vocab) || detector_open(argv[1], vocab, &d)) goto done;
    if (fs_join(path, argv[1], "model.json") || fs_read(path, DETECT_JSON_MAX, &json, &n)) goto done;
    if (detect_manifest_parse(path, json, n, &m)) goto done;
    announce(&m, &ready);
    if (detector_match(d, &ready)) goto done;
    const uint32_t w = (uint32_t)strtoul(argv[2], NULL, 10), h = (uint32_t)strtoul(argv[3], NULL, 10);
    const struct wire_surface surface = {.w_px = w, .h_px = h, .stride_bytes = w, .uv_offset_bytes = w * h};
    rc = decode_all(d, &ready, vocab, &surface);
done:
    free(json);
    detector_close(&d);
    vocab_free(&vocab);
    return rc;
}
