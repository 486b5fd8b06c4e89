/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/crop/crop.h"

#include "driver/card_abi.h"
#include "kernels/include/nv12_resize.h"

KERNEL_TOP void crop(const uint8_t *src, const uint32_t *rois, int8_t *out, uint32_t *status, uint32_t w_px,
                     uint32_t h_px, uint32_t stride_bytes, uint32_t uv_offset_bytes, uint32_t colour,
                     uint32_t n_rois, uint32_t dst_w_px, uint32_t dst_h_px, uint32_t out_bytes) {
#pragma HLS INTERFACE m_axi port = src offset = slave bundle = gmem0 depth = 3110400
#pragma HLS INTERFACE m_axi port = rois offset = slave bundle = gmem1 depth = 128
#pragma HLS INTERFACE m_axi port = out offset = slave bundle = gmem1 depth = 786432
#pragma HLS INTERFACE m_axi port = status offset = slave bundle = gmem1 depth = 4
#pragma HLS INTERFACE s_axilite port = w_px
#pragma HLS INTERFACE s_axilite port = h_px
#pragma HLS INTERFACE s_axilite port = stride_bytes
#pragma HLS INTERFACE s_axilite port = uv_offset_bytes
#pragma HLS INTERFACE s_axilite port = colour
#pragma HLS INTERFACE s_axilite port = n_rois
#pragma HLS INTERFACE s_axilite port = dst_w_px
#pragma HLS INTERFACE s_axilite port = dst_h_px
#pragma HLS INTERFACE s_axilite port = out_bytes
#pragma HLS INTERFACE s_axilite port = return
    uint32_t code = CROP_OK, n_done = 0, checksum = 0;
    if (w_px == 0 || h_px == 0 || (w_px & 1u) || (h_px & 1u) || w_px > KERNEL_SRC_W_MAX ||
        h_px > KERNEL_SRC_W_MAX || stride_bytes < w_px || (uint64_t)stride_bytes * h_px > uv_offset_bytes)
        code = CROP_BAD_SURFACE;
    else if (dst_w_px == 0 || dst_h_px == 0 || dst_w_px > KERNEL_DST_W_MAX || dst_h_px > KERNEL_DST_W_MAX)
        code = CROP_BAD_TENSOR;
    else if (n_rois == 0 || n_rois > CROP_ROIS_MAX)
        code = CROP_BAD_COUNT;
    struct resize_work k;
    const struct yuv_matrix m = yuv_matrix_of(colour & 1u, (colour >> 1) & 1u);
regions:
    for (uint32_t n = 0; code == CROP_OK && n < n_rois; n++) {
        const uint32_t at = rois[4 * n], size = rois[4 * n + 1], to = rois[4 * n + 2];
        const uint32_t x = at & 0xffffu, y = at >> 16, w = size & 0xffffu, h = size >> 16;
        if ((x & 1u) || (y & 1u) || w == 0 || h == 0 || x + w > w_px || y + h > h_px ||
            (uint64_t)to + (uint64_t)dst_w_px * dst_h_px * 3u > out_bytes) {
            code = CROP_BAD_ROI | n << 8;
            break;
        }
        const uint8_t *luma = src + (uint64_t)y * stride_bytes + x;
        const uint8_t *chroma = src + uv_offset_bytes + (uint64_t)(y / 2) * stride_bytes + x;
        resize_begin(&k, w, dst_w_px);
    rows:
        for (uint32_t j = 0; j < dst_h_px; j++) {
            int8_t *row = out + to + (uint64_t)j * dst_w_px * 3u;
            resize_row(&k, &m, luma, chroma, stride_bytes, w, h, dst_w_px, dst_h_px, j);
            uint32_t sum = 0;
        pixels:
            for (uint32_t i = 0; i < dst_w_px; i++) {
#pragma HLS PIPELINE II = 3
                const uint8_t b = k.b[i] ^ 128u, g = k.g[i] ^ 128u, r = k.r[i] ^ 128u;
                row[3 * i] = (int8_t)b;
                row[3 * i + 1] = (int8_t)g;
                row[3 * i + 2] = (int8_t)r;
                sum += (uint32_t)b + g + r;
            }
            checksum = card_checksum_row(checksum, sum);
        }
        n_done++;
    }
    status[1] = n_done;
    status[2] = code;
    status[3] = checksum;
    status[0] = CARD_ABI_VERSION;
}
