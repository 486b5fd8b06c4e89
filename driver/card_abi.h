/* SPDX-License-Identifier: Apache-2.0 */
/* card_abi.h - what host, kernels and simulator must agree on. Little-endian, fixed width, explicit padding.
 * C11, C++14 and HLS read this file, so it holds only constants and plain structs. */
#ifndef DRIVER_CARD_ABI_H
#define DRIVER_CARD_ABI_H

#include <stdint.h>

#define CARD_ABI_VERSION 1u

/* YUV -> RGB matrix of a surface (ITU-R BT.601-7, BT.709-6). */
enum card_matrix { CARD_MATRIX_BT601 = 0, CARD_MATRIX_BT709 = 1 };

/* host -> card: one region of the source surface to cut and stretch; an array of these fills a BO. */
struct card_roi {
    uint16_t x_px, y_px, w_px, h_px; /* in the source surface */
    uint32_t dst_offset_bytes;       /* where its tensor starts in the output BO */
    uint32_t reserved;               /* zero */
};

/* card -> host: written last by every kernel; the host checks every field before it uses any. */
struct card_status {
    uint32_t abi_version;
    uint32_t n_done; /* regions finished; the letterbox kernel counts 1 */
    uint32_t code;   /* 0 = fine, else the kernel's own number, to be logged */
    uint32_t reserved;
};

#endif
