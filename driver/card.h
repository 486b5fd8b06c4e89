/* SPDX-License-Identifier: Apache-2.0 */
/* card.h - run the image kernels of one accelerator card; implemented by card_xrt.c over XRT's C API.
 * A card is opened, then memory (card_buf) and lanes are taken from it. A lane holds one run of each kernel
 * on compute units of its own, so lanes work side by side. A buffer is two memories, the host's copy and the
 * card's: only the two sync calls move bytes between them. Threads: a lane and a buffer belong to one thread
 * at a time; open, describe and close are the main thread's. Ownership: stated per call; pointers are
 * borrowed until return. Process: only the card worker links this; a dead card ends that worker, never the
 * server. */
#ifndef DRIVER_CARD_H
#define DRIVER_CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "driver/card_abi.h"
#include "host/base/err.h"

struct card;      /* opaque */
struct card_buf;  /* opaque; a buffer object (BO) */
struct card_lane; /* opaque */

#define CARD_ROIS_MAX  32u
#define CARD_LUT_BYTES 768u
/* what the kernels' row buffers hold (kernels/include/nv12_resize.h) */
#define CARD_SURFACE_SIDE_MAX_PX 8192u
#define CARD_TENSOR_SIDE_MAX_PX  1024u

struct card_info {
    char device[64];              /* as the card names itself */
    char core_library[256];       /* path of the XRT core library that was really loaded */
    bool simulated;               /* that library is our simulator */
    unsigned n_letterbox, n_crop; /* compute units */
};

/* Opens card `index` and loads the xclbin. What is missing or wrong is logged with what to do about it:
 * ERR_MISSING (XILINX_XRT or its core library), ERR_CARD (no such card, or it refuses), ERR_IO, ERR_CORRUPT
 * and ERR_UNSUPPORTED (the xclbin: unreadable, damaged, without our kernels), ERR_NOMEM. On OK *out is owned
 * by the caller. */
MUST_CHECK enum err card_open(unsigned index, const char *xclbin_path, struct card **out);
void card_describe(const struct card *c, struct card_info *out);
bool card_alive(const struct card *c); /* it still answers; any thread */
/* No buffer or lane may be left. Closes and nulls; NULL is fine. */
void card_close(struct card **c);

/* Where a buffer lies: the bank that the kernels read surfaces from, or the one of everything else. */
enum card_place { CARD_PLACE_SURFACE, CARD_PLACE_TENSOR };
/* ERR_NOMEM when the card has no room. On OK *out is owned by the caller. */
MUST_CHECK enum err card_buf_new(struct card *c, enum card_place place, size_t n_bytes,
                                 struct card_buf **out);
void card_buf_free(struct card_buf **b);
uint8_t *
card_buf_at(const struct card_buf *b); /* the host's copy; page-aligned; lives as long as the buffer */
size_t card_buf_bytes(const struct card_buf *b);
/* ERR_CARD; ERR_USAGE outside the buffer. */
MUST_CHECK enum err card_buf_sync_to_card(struct card_buf *b, size_t offset, size_t n_bytes);
MUST_CHECK enum err card_buf_sync_from_card(struct card_buf *b, size_t offset, size_t n_bytes);

/* Brings a kernel's result of n_rows rows of row_bytes from the card and holds it against the checksum that
 * the kernel gave: ERR_CARD (logged) when it was damaged on the card or on its way. */
MUST_CHECK enum err card_buf_fetch(struct card_buf *b, uint32_t n_rows, uint32_t row_bytes,
                                   uint32_t checksum);

/* A surface in card memory. The plane of chroma starts at uv_offset_bytes. */
struct card_surface {
    struct card_buf *buf;
    uint32_t w_px, h_px, stride_bytes, uv_offset_bytes;
    enum card_matrix matrix;
    bool full_range;
};
struct card_letterbox_job {
    struct card_surface src;
    struct card_buf *lut; /* CARD_LUT_BYTES */
    struct card_buf *out; /* dst_w * dst_h * 3 */
    uint32_t dst_w_px, dst_h_px;
};
struct card_crop_job {
    struct card_surface src;
    struct card_buf *rois; /* n_rois struct card_roi */
    struct card_buf *out;
    uint32_t n_rois, dst_w_px, dst_h_px;
};

/* Lane `number` runs on compute unit `number` modulo their count. ERR_CARD, ERR_NOMEM. */
MUST_CHECK enum err card_lane_open(struct card *c, unsigned number, struct card_lane **out);
void card_lane_close(struct card_lane **l);

/* Start, wait at most timeout_ms, check the status block. The inputs must have been synced to the card; the
 * output is on the card until card_buf_fetch(), which is given *checksum.
 * ERR_TIMEOUT: the run still owns its buffers and the lane takes no other run; the caller must end the
 * process rather than reuse them. ERR_CARD: the card refused, failed or answered nonsense (logged).
 * ERR_USAGE: a buffer is too small. */
MUST_CHECK enum err card_letterbox(struct card_lane *l, const struct card_letterbox_job *job,
                                   uint32_t timeout_ms, uint32_t *checksum);
MUST_CHECK enum err card_crop(struct card_lane *l, const struct card_crop_job *job, uint32_t timeout_ms,
                              uint32_t *checksum);

/* Checks what a kernel wrote before anyone believes it: the ABI version, code 0, all of n_expected done.
 * ERR_CARD otherwise. Pure; any thread; in card_status.c. */
MUST_CHECK enum err card_status_check(const struct card_status *s, uint32_t n_expected);

uint32_t card_checksum(const uint8_t *p, uint32_t n_rows, uint32_t row_bytes); /* pure; in card_status.c */

#endif
