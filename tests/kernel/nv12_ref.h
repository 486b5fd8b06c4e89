/* SPDX-License-Identifier: Apache-2.0 */
/* nv12_ref.h - what the kernels must compute, written down from kernels/README.md the plain way: each output
 * sample is one sum over all source samples with the weight that the definition gives. Slow; integers only.
 * Shares no code with kernels/. */
#ifndef TESTS_KERNEL_NV12_REF_H
#define TESTS_KERNEL_NV12_REF_H

#include <stdbool.h>
#include <stdint.h>

struct ref_surface {
    const uint8_t *luma, *chroma; /* first samples of the region */
    uint32_t stride, w, h;
    int matrix; /* 0 = BT.601, 1 = BT.709 */
    bool full_range;
};

/* The region resized to w x h, as B, G, R. */
void ref_resize(const struct ref_surface *s, uint32_t w, uint32_t h, uint8_t *bgr);
/* Letterboxed into dst_w x dst_h through a table of 3 x 256. */
void ref_letterbox(const struct ref_surface *s, const int8_t *lut, uint32_t dst_w, uint32_t dst_h,
                   int8_t *out);

#endif
