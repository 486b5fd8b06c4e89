/* SPDX-License-Identifier: Apache-2.0 */
/* look_net.h - a network that says something of a person or vehicle from one crop (type, colour, make, what is carried
 * or worn), as plain, checked data: what model.json claims, whether a card runs just that, and what its int8 outputs
 * mean. Our own nets and the Vitis AI zoo's are described alike. Pure apart from files and the log; any thread. */
#ifndef HOST_PIPE_LOOK_NET_H
#define HOST_PIPE_LOOK_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/base/vocab.h"
#include "host/proc/wire.h"

#define LOOK_NETS_MAX       4u /* at work at once */
#define LOOK_NET_FILES_MAX  8u
#define LOOK_NET_HEADS_MAX  2u
#define LOOK_NET_LABELS_MAX 256u /* of all heads together */
#define LOOK_NET_JSON_MAX   (1u << 20)

/* A value of the vocabulary; field FIELD_NONE = nothing. */
struct look_net_value {
    enum field field;
    uint16_t id;
};

/* One output number. */
struct look_net_label {
    struct look_net_value yes[2]; /* what it means: a class, and a type finer than it */
    struct look_net_value no;     /* of an independent label: what its absence means */
    float at_least;               /* share from which it counts; 2 = never: measured, and not good enough */
    float sure;                   /* share from which it is certain */
};

struct look_net_head {
    char tensor[64];
    int32_t fix_point;
    bool is_choice; /* exactly one label is true (softmax); else each by itself (sigmoid) */
    unsigned first, n_labels; /* in labels[] */
};

struct look_net {
    char name[64];
    bool of_persons; /* else of vehicles */
    unsigned n_files;
    char file_sha256[LOOK_NET_FILES_MAX][65]; /* golden, then compiled */
    uint32_t input_w_px, input_h_px;
    int32_t input_fix_point;
    unsigned n_heads;
    struct look_net_head heads[LOOK_NET_HEADS_MAX];
    unsigned n_labels; /* = bytes of one crop's answer */
    struct look_net_label labels[LOOK_NET_LABELS_MAX];
};

/* Reads `json`; `where` is named in the log. ERR_CORRUPT, or ERR_DENIED for a task or word this product refuses. */
MUST_CHECK enum err look_net_parse(const char *where, const char *json, size_t n_bytes, const struct vocab *vocab,
                                   struct look_net *out);
/* The same from dir/model.json; ERR_IO when it cannot be read. */
MUST_CHECK enum err look_net_open(const char *dir, const struct vocab *vocab, struct look_net *out);
/* OK when the card runs this network, by name, hash, shapes and fix points; else ERR_CORRUPT, logged. */
MUST_CHECK enum err look_net_match(const struct look_net *n, const struct wire_card_ready *ready);

/* Adds one crop's answer (n_labels bytes) to the sums that look_net_shares() takes. */
void look_net_add(const struct look_net *n, const int8_t *answer, float weight, float *sums);
/* Sum of the shares of the labels that mean this value, added to *share; true when any label speaks of the field. */
bool look_net_share(const struct look_net *n, const float *shares, enum field field, uint16_t id, float *share);
/* Of a network's word on class and paint, against the detector's votes and the linear layer's. Below one half, a detector
 * that is sure over the whole track is never overruled. */
#define LOOK_NET_CLASS_WEIGHT 0.45f
#define LOOK_NET_PAINT_WEIGHT 0.50f

/* sums[n_labels] / weight -> shares 0..1, per head a choice or independent. */
void look_net_shares(const struct look_net *n, const float *sums, float weight, float *shares);

#endif
