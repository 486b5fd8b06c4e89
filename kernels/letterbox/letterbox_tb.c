/* SPDX-License-Identifier: Apache-2.0 */
/* C simulation bench for v++ (csim, cosim) and for gcc: results that can be checked by hand. Returns 0 when
 * right. */
#include <stdio.h>
#include <stdlib.h>

#include "driver/card_abi.h"
#include "kernels/letterbox/letterbox.h"

enum { W = 64, H = 32, S = 32 };

int main(void) {
    static uint8_t src[W * H * 3 / 2];
    static int8_t lut[LETTERBOX_LUT_BYTES], out[S * S * 3];
    uint32_t status[4] = {0, 0, 0, 0};
    for (int i = 0; i < LETTERBOX_LUT_BYTES; i++) lut[i] = (int8_t)(i % 256 - 128);
    /* Grey columns, two by two: shrinking by two must give each pair's value back. */
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) src[y * W + x] = (uint8_t)(4 * (x / 2));
    for (int i = W * H; i < W * H * 3 / 2; i++) src[i] = 128;
    letterbox(src, lut, out, status, W, H, W, W * H, CARD_MATRIX_BT601 | 2u, S, S);
    int bad = status[0] != CARD_ABI_VERSION || status[1] != 1 || status[2] != LETTERBOX_OK;
    for (int y = 0; y < S; y++)
        for (int x = 0; x < S; x++)
            for (int c = 0; c < 3; c++) {
                const int inside = y >= S / 4 && y < S / 4 + S / 2;
                if (out[(y * S + x) * 3 + c] != (inside ? 4 * x : 0) - 128) bad++;
            }
    printf("letterbox_tb: %s\n", bad ? "FAILED" : "passed");
    return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
