/* SPDX-License-Identifier: Apache-2.0 */
/* hls_compat.h - lets one kernel source be HLS C for v++ and plain C11 / C++14 for gcc and clang.
 * Only v++ defines __SYNTHESIS__; the pragmas HLS are unknown to the other compilers, which are told so. */
#ifndef KERNELS_INCLUDE_HLS_COMPAT_H
#define KERNELS_INCLUDE_HLS_COMPAT_H

#include <stdint.h>

#ifdef __cplusplus
#define KERNEL_TOP extern "C"
#else
#define KERNEL_TOP
#endif

#ifndef __SYNTHESIS__
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#endif

#endif
