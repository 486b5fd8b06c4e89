/* SPDX-License-Identifier: Apache-2.0 */
/* scene.h - everything that analysis remembers of one recording: tracks, their votes, their best pictures.
 * Fed frame by frame in order of pts; gives finished sightings. Deterministic: the same calls give the same
 * sightings, also across scene_save() and scene_load(), which is what makes a killed import resume without
 * loss or doubles (the saved scene is committed together with the sightings and the position).
 * Threads: one. Ownership: as stated; pixels are borrowed until return. */
#ifndef HOST_PIPE_SCENE_H
#define HOST_PIPE_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/bytes.h"
#include "host/base/err.h"
#include "host/base/vocab.h"
#include "host/pipe/detect.h"
#include "host/pipe/look_net.h"
#include "host/pipe/plate_text.h"
#include "host/pipe/sighting.h"
#include "host/proc/wire.h"

/* Sizes of the crops that attributes are computed on: int8 B,G,R = value - 128. */
enum { CROP_PERSON_W_PX = 64, CROP_PERSON_H_PX = 128, CROP_VEHICLE_W_PX = 160, CROP_VEHICLE_H_PX = 120 };

struct scene;
struct scene_config {
    const struct vocab *vocab; /* borrowed for the scene's life */
    int64_t start_ms;          /* UTC of pts 0, clock offset already applied */
    uint16_t camera_number;
    uint64_t recording_id;
    float threshold_start, threshold_keep; /* of the detector */
    int64_t plates_from_ms, plates_to_ms;  /* UTC: plates are read in this time only, end exclusive; equal = never */
    float plate_least_share;               /* mean share of its characters below which a plate is not kept */
    const struct look_net *nets[LOOK_NETS_MAX]; /* that run on crops; borrowed; NULL ends the list */
};

/* A crop that the scene wants of the frame just given. */
struct scene_crop {
    struct wire_roi roi;
    uint16_t dst_w_px, dst_h_px; /* person or vehicle size */
    uint32_t track;              /* the scene's own number */
    bool colours;                /* its pixels are wanted: scene_crop_done() */
    bool plate;                  /* its plate is wanted: scene_plate_done() */
    uint8_t nets;                /* bit k: what nets[k] says of it is wanted too: scene_net_done() */
};

MUST_CHECK enum err scene_new(const struct scene_config *cfg, struct scene **out);
void scene_free(struct scene **s);

/* One analysed frame. `pixels` is the NV12 surface (thumbnails are cut from it). Fills at most `max` wishes
 * (max >= 1), persons first, then vehicles, so that equal sizes stand together. */
MUST_CHECK enum err scene_frame(struct scene *s, int64_t pts_us, const struct wire_surface *surface,
                                const uint8_t *pixels, const struct detection *det, unsigned n_det,
                                struct scene_crop *want, unsigned max, unsigned *n_want);
/* The crops wished for by the last scene_frame(), any subset, each n = dst_w * dst_h * 3 bytes; call before the
 * next scene_frame(). A crop that could not be made is simply not given: its attribute gets fewer votes. */
MUST_CHECK enum err scene_crop_done(struct scene *s, const struct scene_crop *crop, const int8_t *bgr);

/* What the plate of a vehicle wished for by the last scene_frame() says, where there is one to read; any subset,
 * before the next scene_frame(). `weight`: of this reading among those of its track. ERR_USAGE: not wished for. */
MUST_CHECK enum err scene_plate_done(struct scene *s, const struct scene_crop *crop, const struct plate_guess *guess,
                                     float weight);

/* What nets[net] of the configuration says of a crop wished for by the last scene_frame(); any subset, n_labels bytes
 * each, before the next scene_frame(). ERR_USAGE: not wished for. */
MUST_CHECK enum err scene_net_done(struct scene *s, const struct scene_crop *crop, unsigned net, const int8_t *answer);

/* End of the recording: every track ends. A gap in the footage: every track ends too (from_us is its start). */
MUST_CHECK enum err scene_end(struct scene *s);

/* The next finished sighting, owned by the caller; NULL when there is none. id is not set yet. */
struct sighting *scene_take(struct scene *s);

MUST_CHECK enum err scene_save(const struct scene *s, struct bytes *out);
/* ERR_CORRUPT when the record is not one of ours (other version, cut, impossible values). */
MUST_CHECK enum err scene_load(const struct scene_config *cfg, const void *record, size_t n, struct scene **out);

#endif
