/* SPDX-License-Identifier: Apache-2.0 */
/* plate_net.h - the two networks of the plate module as plain, checked data: what model.json claims, whether
 * a card runs just that, and what their int8 outputs mean. Pure apart from files and the log; any thread. */
#ifndef HOST_PIPE_PLATE_NET_H
#define HOST_PIPE_PLATE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"
#include "host/pipe/plate_text.h"
#include "host/proc/wire.h"

#define PLATE_FILES_MAX 8u
#define PLATE_JSON_MAX  (1u << 20)

enum plate_task { PLATE_FIND, PLATE_READ };

struct plate_net {
    enum plate_task task;
    char name[64], tensor[64]; /* tensor: of the one output */
    unsigned n_files;          /* golden, then compiled */
    char file_sha256[PLATE_FILES_MAX][65];
    uint32_t input_w_px, input_h_px;
    int32_t input_fix_point, output_fix_point;
    uint32_t stride_px;       /* FIND: of a cell */
    float side_px;            /* FIND: what a distance of 1.0 means */
    float margin_x, margin_y; /* READ: added to the plate on each side, in parts of its size */
    float start;              /* FIND: least score; READ: least mean share of the characters */
    float least_px;           /* of a plate's width in the recording; smaller ones are not estimated */
};

/* Reads `json`; `where` is named in the log. ERR_CORRUPT, or ERR_DENIED for a task or word this product
 * refuses. */
MUST_CHECK enum err plate_net_parse(const char *where, const char *json, size_t n_bytes, enum plate_task task,
                                    struct plate_net *out);
/* The same from dir/model.json; ERR_IO when it cannot be read. */
MUST_CHECK enum err plate_net_open(const char *dir, enum plate_task task, struct plate_net *out);
/* OK when the card runs this network, by name, hash, shapes and fix points; else ERR_CORRUPT, logged. */
MUST_CHECK enum err plate_net_match(const struct plate_net *n, const struct wire_card_ready *ready);
/* Bytes of one region's answer. */
size_t plate_net_bytes(const struct plate_net *n);

struct plate_box {
    float x_px, y_px, w_px, h_px; /* in the recording's picture */
    float score;                  /* 0 .. 1 */
};

/* The surest plate in a region of the picture. False: none is sure enough, or it is smaller than least_px. */
bool plate_net_find(const struct plate_net *n, const int8_t *cells, const struct wire_roi *region,
                    struct plate_box *out);
/* The region to read: the plate and its margins on the even grid, inside a picture of w x h. False: nothing
 * is left. */
bool plate_net_region(const struct plate_net *n, const struct plate_box *b, uint32_t w_px, uint32_t h_px,
                      struct wire_roi *out);
/* What the reader's columns say. */
void plate_net_read(const struct plate_net *n, const int8_t *columns, struct plate_guess *out);

#endif
