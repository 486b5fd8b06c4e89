/* SPDX-License-Identifier: Apache-2.0 */
/* detect_manifest.h - model.json of a detector as plain, checked data. What it claims is never trusted: every
 * number has a range, every label a destination. Pure apart from the log; any thread. */
#ifndef HOST_PIPE_DETECT_MANIFEST_H
#define HOST_PIPE_DETECT_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/base/vocab.h"

#define DETECT_SIDE_MAX    1024u /* pixels of the input tensor */
#define DETECT_HEADS_MAX   8u
#define DETECT_CLASSES_MAX 512u
#define DETECT_BINS_MAX    32u
#define DETECT_FILES_MAX   8u
#define DETECT_LABEL_BYTES 64u
#define DETECT_JSON_MAX    (1u << 20)

/* Where a class of the network goes. */
struct detect_class {
    uint16_t id;     /* of the vocabulary; 0 = the class is ignored */
    uint8_t is_hint; /* 1 = id is in FIELD_ACCESSORY, else in FIELD_CLASS */
};

struct detect_head {
    char tensor[DETECT_LABEL_BYTES];
    uint32_t stride_px; /* of one cell, in the input tensor */
    int32_t fix_point;
};

struct detect_manifest {
    char name[DETECT_LABEL_BYTES], version[DETECT_LABEL_BYTES];
    unsigned n_files; /* runnable ones: golden, then compiled */
    char file_sha256[DETECT_FILES_MAX][65];
    char labels_file[DETECT_LABEL_BYTES];
    uint32_t input_w_px, input_h_px;
    int32_t input_fix_point;
    unsigned n_heads;
    struct detect_head heads[DETECT_HEADS_MAX];
    unsigned n_classes, n_bins;
    float iou_max;                         /* two boxes of a class that overlap more are one */
    float threshold_start, threshold_keep; /* 0 < keep <= start < 1 */
    struct detect_class classes[DETECT_CLASSES_MAX];
};

/* Reads `json` (task, geometry, heads, numbers, thresholds; everything but the classes). `where` is named in
 * the log. ERR_CORRUPT, or ERR_DENIED for a task or word this product refuses. */
MUST_CHECK enum err detect_manifest_parse(const char *where, const char *json, size_t n_bytes,
                                          struct detect_manifest *out);

/* Then the classes: `labels` has one line per class, in the network's order; the map of `json` gives each
 * label "class:NAME", "accessory:NAME" or null. A label without an entry, or with an unknown name, is
 * ERR_CORRUPT, a refused one ERR_DENIED. */
MUST_CHECK enum err detect_manifest_map(const char *where, const char *json, size_t n_bytes,
                                        const char *labels, size_t n_labels_bytes, const struct vocab *vocab,
                                        struct detect_manifest *out);

#endif
