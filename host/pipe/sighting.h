/* SPDX-License-Identifier: Apache-2.0 */
/* sighting.h - the indexed summary of a finished track; what the pipe makes and the index keeps.
 * Plain data; whoever holds the pointer owns it. */
#ifndef HOST_PIPE_SIGHTING_H
#define HOST_PIPE_SIGHTING_H

#include <stddef.h>
#include <stdint.h>

#include "host/base/vocab.h"

#define SIGHTING_ALTERNATIVES_MAX 3u
#define SIGHTING_ATTRIBUTES_MAX   24u
#define SIGHTING_PATH_MAX         64u
#define SIGHTING_PLATE_MAX        16u

/* Corners of a box in the recording's shown picture, as 1/65536 of its width and height: any size fits u16 x 4. */
struct box_norm {
    uint16_t x0, y0, x1, y1;
};

/* One attribute with up to three plausible values, best first. score 1..100 (per cent of the track's vote). */
struct attribute {
    uint8_t field; /* enum field; several entries of FIELD_ACCESSORY are allowed, one of each other field */
    uint8_t n_values;
    struct {
        uint16_t id;    /* of the vocabulary */
        uint8_t score;
        uint8_t sure;   /* 1 = above the threshold for "certain" */
    } value[SIGHTING_ALTERNATIVES_MAX];
};

struct path_point {
    int64_t at_ms; /* UTC */
    struct box_norm box;
};

struct plate_read {
    uint8_t n_chars; /* 0 = none */
    uint8_t confidence;
    char text[SIGHTING_PLATE_MAX + 1];
    struct {
        char c[SIGHTING_ALTERNATIVES_MAX];
        uint8_t score[SIGHTING_ALTERNATIVES_MAX];
    } chars[SIGHTING_PLATE_MAX];
    char country[4];
};

struct sighting {
    uint64_t id; /* given by the index writer: hour << 24 | arrival */
    uint64_t recording_id;
    uint16_t camera_number; /* dense number of the register, not the city's name */
    uint16_t class_id;      /* in FIELD_CLASS; also the first attribute */
    uint8_t confidence;     /* 1..100: best detection score */
    int64_t start_ms, end_ms; /* UTC, corrected; end >= start */
    int64_t best_ms;          /* moment of the best picture */
    int64_t best_pts_us;      /* the same in media time of the recording: seeks to the exact frame */
    struct box_norm best_box;
    uint32_t n_frames; /* analysed frames in which it was detected */
    unsigned n_attributes;
    struct attribute attributes[SIGHTING_ATTRIBUTES_MAX];
    unsigned n_path;
    struct path_point path[SIGHTING_PATH_MAX]; /* thinned, first and last always kept */
    struct plate_read plate;
    int8_t likeness[128]; /* vehicles only, when has_likeness */
    uint8_t has_likeness;
    uint8_t *thumbnail_jpeg; /* owned by the sighting; may be NULL */
    size_t thumbnail_bytes;
};

void sighting_free(struct sighting **s); /* NULL is fine */

#endif
