/* SPDX-License-Identifier: Apache-2.0 */
/* C simulation bench for v++ (csim, cosim) and for gcc: results that can be checked by hand. Returns 0 when
 * right. */
#include <stdio.h>
#include <stdlib.h>

#include "driver/card_abi.h"
#include "kernels/crop/crop.h"

enum { W = 64, H = 32, D = 8 };

int main(void) {
    static uint8_t src[W * H * 3 / 2];
    static int8_t out[2 * D * D * 3];
    /* Two regions of one grey each: x, y = 0, 0 and 32, 16; both 16x16. */
    static const uint32_t rois[8] = {0, 16u | 16u << 16, 0, 0, 32u | 16u << 16, 16u | 16u << 16, D * D * 3,
                                     0};
    uint32_t status[4] = {0, 0, 0, 0};
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) src[y * W + x] = (uint8_t)(x < 32 ? 40 : 200);
    for (int i = W * H; i < W * H * 3 / 2; i++) src[i] = 128;
    crop(src, rois, out, status, W, H, W, W * H, CARD_MATRIX_BT709 | 2u, 2, D, D, sizeof out);
    int bad = status[0] != CARD_ABI_VERSION || status[1] != 2 || status[2] != CROP_OK;
    for (int i = 0; i < 2 * D * D * 3; i++)
        if (out[i] != (i < D * D * 3 ? 40 : 200) - 128) bad++;
    printf("crop_tb: %s\n", bad ? "FAILED" : "passed");
    return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
