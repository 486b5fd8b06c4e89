/* SPDX-License-Identifier: Apache-2.0 */
/* card_abi.h - what host, kernels and simulator must agree on. Little-endian, fixed width, explicit padding.
 * C11, C++14 and HLS read this file, so it holds only constants, plain structs and one pure formula. */
#ifndef DRIVER_CARD_ABI_H
#define DRIVER_CARD_ABI_H

#include <stdint.h>

#define CARD_ABI_VERSION 2u

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
    uint32_t n_done;   /* regions finished; the letterbox kernel counts 1 */
    uint32_t code;     /* 0 = fine, else the kernel's own number, to be logged */
    uint32_t checksum; /* of the tensors as they were written: see card_checksum_row() */
};

/* Checksum over the rows of a result, in order, starting at 0: a result damaged in memory or on its way
 * shows. Multiplication by an odd number loses nothing, so one wrong byte is always found. row_sum = the sum
 * of the row's bytes as unsigned numbers. Pure. */
static inline uint32_t card_checksum_row(uint32_t checksum, uint32_t row_sum) {
    return checksum * 16777619u + row_sum;
}

/* Where a w x h surface lies in a dst_w x dst_h tensor after letterboxing: everything outside is black.
 * r = min(dst_w / w, dst_h / h); the fitted side is exact, the other one round(side * r), at least 1;
 * centred, the odd pixel goes right and down. A point of the tensor is ((X - x_px) * w / w_px, (Y - y_px) * h
 * / h_px) in the surface. Sizes 1..65535. Pure. */
struct card_letterbox {
    uint32_t x_px, y_px, w_px, h_px;
};
static inline struct card_letterbox card_letterbox_of(uint32_t w_px, uint32_t h_px, uint32_t dst_w_px,
                                                      uint32_t dst_h_px) {
    struct card_letterbox b;
    if ((uint64_t)w_px * dst_h_px >= (uint64_t)h_px * dst_w_px) {
        b.w_px = dst_w_px;
        b.h_px = (uint32_t)((2ull * h_px * dst_w_px + w_px) / (2ull * w_px));
    } else {
        b.h_px = dst_h_px;
        b.w_px = (uint32_t)((2ull * w_px * dst_h_px + h_px) / (2ull * h_px));
    }
    if (b.w_px == 0) b.w_px = 1;
    if (b.h_px == 0) b.h_px = 1;
    if (b.w_px > dst_w_px) b.w_px = dst_w_px;
    if (b.h_px > dst_h_px) b.h_px = dst_h_px;
    b.x_px = (dst_w_px - b.w_px) / 2;
    b.y_px = (dst_h_px - b.h_px) / 2;
    return b;
}

#endif
