/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/letterbox/letterbox.h"

#include "driver/card_abi.h"
#include "kernels/include/nv12_resize.h"

KERNEL_TOP void letterbox(const uint8_t *src, const int8_t *lut, int8_t *out, uint32_t *status, uint32_t w_px,
                          uint32_t h_px, uint32_t stride_bytes, uint32_t uv_offset_bytes, uint32_t colour,
                          uint32_t dst_w_px, uint32_t dst_h_px) {
#pragma HLS INTERFACE m_axi port = src offset = slave bundle = gmem0 depth = 3110400
#pragma HLS INTERFACE m_axi port = lut offset = slave bundle = gmem1 depth = 768
#pragma HLS INTERFACE m_axi port = out offset = slave bundle = gmem1 depth = 519168
#pragma HLS INTERFACE m_axi port = status offset = slave bundle = gmem1 depth = 4
#pragma HLS INTERFACE s_axilite port = w_px
#pragma HLS INTERFACE s_axilite port = h_px
#pragma HLS INTERFACE s_axilite port = stride_bytes
#pragma HLS INTERFACE s_axilite port = uv_offset_bytes
#pragma HLS INTERFACE s_axilite port = colour
#pragma HLS INTERFACE s_axilite port = dst_w_px
#pragma HLS INTERFACE s_axilite port = dst_h_px
#pragma HLS INTERFACE s_axilite port = return
    uint32_t code = LETTERBOX_OK, checksum = 0;
    if (w_px == 0 || h_px == 0 || (w_px & 1u) || (h_px & 1u) || w_px > KERNEL_SRC_W_MAX ||
        h_px > KERNEL_SRC_W_MAX || stride_bytes < w_px || (uint64_t)stride_bytes * h_px > uv_offset_bytes)
        code = LETTERBOX_BAD_SURFACE;
    else if (dst_w_px == 0 || dst_h_px == 0 || dst_w_px > KERNEL_DST_W_MAX || dst_h_px > KERNEL_DST_W_MAX)
        code = LETTERBOX_BAD_TENSOR;
    if (code == LETTERBOX_OK) {
        struct resize_work k;
        int8_t table[LETTERBOX_LUT_BYTES];
    load_table:
        for (uint32_t i = 0; i < LETTERBOX_LUT_BYTES; i++) {
#pragma HLS PIPELINE II = 1
            table[i] = lut[i];
        }
        const struct card_letterbox box = card_letterbox_of(w_px, h_px, dst_w_px, dst_h_px);
        const struct yuv_matrix m = yuv_matrix_of(colour & 1u, (colour >> 1) & 1u);
        const uint32_t black = (uint8_t)table[0] + (uint32_t)(uint8_t)table[256] + (uint8_t)table[512];
        resize_begin(&k, w_px, box.w_px);
    rows:
        for (uint32_t j = 0; j < dst_h_px; j++) {
            int8_t *row = out + (uint64_t)j * dst_w_px * 3u;
            const int inside = j >= box.y_px && j < box.y_px + box.h_px;
            if (inside)
                resize_row(&k, &m, src, src + uv_offset_bytes, stride_bytes, w_px, h_px, box.w_px, box.h_px,
                           j - box.y_px);
        pad_left:
            for (uint32_t i = 0; i < (inside ? box.x_px : dst_w_px); i++) {
#pragma HLS PIPELINE II = 3
                row[3 * i] = table[0];
                row[3 * i + 1] = table[256];
                row[3 * i + 2] = table[512];
            }
            uint32_t sum = black * (inside ? dst_w_px - box.w_px : dst_w_px);
            if (!inside) {
                checksum = card_checksum_row(checksum, sum);
                continue;
            }
        pixels:
            for (uint32_t i = 0; i < box.w_px; i++) {
#pragma HLS PIPELINE II = 3
                int8_t *p = row + 3u * (box.x_px + i);
                const int8_t b = table[k.b[i]], g = table[256 + k.g[i]], r = table[512 + k.r[i]];
                p[0] = b;
                p[1] = g;
                p[2] = r;
                sum += (uint8_t)b + (uint32_t)(uint8_t)g + (uint8_t)r;
            }
        pad_right:
            for (uint32_t i = box.x_px + box.w_px; i < dst_w_px; i++) {
#pragma HLS PIPELINE II = 3
                row[3 * i] = table[0];
                row[3 * i + 1] = table[256];
                row[3 * i + 2] = table[512];
            }
            checksum = card_checksum_row(checksum, sum);
        }
    }
    status[1] = code == LETTERBOX_OK ? 1u : 0u;
    status[2] = code;
    status[3] = checksum;
    status[0] = CARD_ABI_VERSION;
}
