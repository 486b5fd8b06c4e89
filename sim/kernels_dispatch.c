/* SPDX-License-Identifier: Apache-2.0 */
/* kernels_dispatch.c - the kernels as the simulated card calls them: vectors where the processor has them and
 * the geometry allows, else the HLS C, which is built under these other names. Both give the same bytes. */
#include "kernels/crop/crop.h"
#include "kernels/letterbox/letterbox.h"
#include "sim/kernels_avx512.h"

KERNEL_TOP void letterbox_hls(const uint8_t *src, const int8_t *lut, int8_t *out, uint32_t *status,
                              uint32_t w_px, uint32_t h_px, uint32_t stride_bytes, uint32_t uv_offset_bytes,
                              uint32_t colour, uint32_t dst_w_px, uint32_t dst_h_px);
KERNEL_TOP void crop_hls(const uint8_t *src, const uint32_t *rois, int8_t *out, uint32_t *status,
                         uint32_t w_px, uint32_t h_px, uint32_t stride_bytes, uint32_t uv_offset_bytes,
                         uint32_t colour, uint32_t n_rois, uint32_t dst_w_px, uint32_t dst_h_px,
                         uint32_t out_bytes);

KERNEL_TOP void letterbox(const uint8_t *src, const int8_t *lut, int8_t *out, uint32_t *status, uint32_t w_px,
                          uint32_t h_px, uint32_t stride_bytes, uint32_t uv_offset_bytes, uint32_t colour,
                          uint32_t dst_w_px, uint32_t dst_h_px) {
    if (!kernels_avx512_can() || !letterbox_avx512(src, lut, out, status, w_px, h_px, stride_bytes,
                                                   uv_offset_bytes, colour, dst_w_px, dst_h_px))
        letterbox_hls(src, lut, out, status, w_px, h_px, stride_bytes, uv_offset_bytes, colour, dst_w_px,
                      dst_h_px);
}

KERNEL_TOP void crop(const uint8_t *src, const uint32_t *rois, int8_t *out, uint32_t *status, uint32_t w_px,
                     uint32_t h_px, uint32_t stride_bytes, uint32_t uv_offset_bytes, uint32_t colour,
                     uint32_t n_rois, uint32_t dst_w_px, uint32_t dst_h_px, uint32_t out_bytes) {
    if (!kernels_avx512_can() || !crop_avx512(src, rois, out, status, w_px, h_px, stride_bytes,
                                              uv_offset_bytes, colour, n_rois, dst_w_px, dst_h_px, out_bytes))
        crop_hls(src, rois, out, status, w_px, h_px, stride_bytes, uv_offset_bytes, colour, n_rois, dst_w_px,
                 dst_h_px, out_bytes);
}
