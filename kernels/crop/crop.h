/* SPDX-License-Identifier: Apache-2.0 */
/* crop.h - the kernel that cuts regions out of an NV12 surface, each stretched to one size.
 * Arguments in register order; pointers are card memory (m_axi), the rest are 32-bit scalars (s_axilite). */
#ifndef KERNELS_CROP_CROP_H
#define KERNELS_CROP_CROP_H

#include "kernels/include/hls_compat.h"

#define CROP_ROIS_MAX 32

/* card_status.code of this kernel; the region's number is in bits 8 and up */
enum crop_code {
    CROP_OK = 0,
    CROP_BAD_SURFACE = 1,
    CROP_BAD_TENSOR = 2,
    CROP_BAD_COUNT = 3,
    CROP_BAD_ROI = 4
};

/* src: the surface; rois: n_rois times the four words of struct card_roi; out: per region dst_h x dst_w x 3
 * int8 at its dst_offset_bytes, B, G, R as value - 128, at most out_bytes in all; status: the four words of
 * struct card_status, written last.
 * A region: x, y even, at least 1x1, inside the surface. colour as for letterbox. */
KERNEL_TOP void crop(const uint8_t *src, const uint32_t *rois, int8_t *out, uint32_t *status, uint32_t w_px,
                     uint32_t h_px, uint32_t stride_bytes, uint32_t uv_offset_bytes, uint32_t colour,
                     uint32_t n_rois, uint32_t dst_w_px, uint32_t dst_h_px, uint32_t out_bytes);

#endif
