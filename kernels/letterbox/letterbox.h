/* SPDX-License-Identifier: Apache-2.0 */
/* letterbox.h - the kernel that turns an NV12 surface into the detector's input tensor.
 * Arguments in register order; pointers are card memory (m_axi), the rest are 32-bit scalars (s_axilite). */
#ifndef KERNELS_LETTERBOX_LETTERBOX_H
#define KERNELS_LETTERBOX_LETTERBOX_H

#include "kernels/include/hls_compat.h"

/* card_status.code of this kernel */
enum letterbox_code { LETTERBOX_OK = 0, LETTERBOX_BAD_SURFACE = 1, LETTERBOX_BAD_TENSOR = 2 };

#define LETTERBOX_LUT_BYTES 768 /* 256 entries for B, then G, then R */

/* src: the surface; lut: int8 value of each 8-bit B, G, R value, black is entry 0 of each;
 * out: dst_h x dst_w x 3 int8, channels B, G, R; status: the four words of struct card_status, written last.
 * colour: matrix (bit 0, enum card_matrix) | full_range << 1. */
KERNEL_TOP void letterbox(const uint8_t *src, const int8_t *lut, int8_t *out, uint32_t *status, uint32_t w_px,
                          uint32_t h_px, uint32_t stride_bytes, uint32_t uv_offset_bytes, uint32_t colour,
                          uint32_t dst_w_px, uint32_t dst_h_px);

#endif
