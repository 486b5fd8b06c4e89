/* SPDX-License-Identifier: Apache-2.0 */
/* kernels_avx512.h - the two kernels of the simulated card on processors with AVX-512 VBMI and VNNI, fused:
 * rows, columns, colour, table and interleaving while a row is in the first-level cache. The same bytes as
 * the HLS C, which is the definition and does what is refused here (tests/kernel/test_kernels_avx512.c).
 * Pure; any thread. */
#ifndef SIM_KERNELS_AVX512_H
#define SIM_KERNELS_AVX512_H

#include <stdbool.h>
#include <stdint.h>

/* This processor can. */
bool kernels_avx512_can(void);
/* Arguments of kernels/letterbox and kernels/crop. False: nothing was done; wrong arguments, or a geometry
 * that the vectors do not take (shrinking by more than about 3.7 in luma, 3.5 in chroma). */
bool letterbox_avx512(const uint8_t *src, const int8_t *lut, int8_t *out, uint32_t *status, uint32_t w_px,
                      uint32_t h_px, uint32_t stride_bytes, uint32_t uv_offset_bytes, uint32_t colour,
                      uint32_t dst_w_px, uint32_t dst_h_px);
bool crop_avx512(const uint8_t *src, const uint32_t *rois, int8_t *out, uint32_t *status, uint32_t w_px,
                 uint32_t h_px, uint32_t stride_bytes, uint32_t uv_offset_bytes, uint32_t colour,
                 uint32_t n_rois, uint32_t dst_w_px, uint32_t dst_h_px, uint32_t out_bytes);

#endif
