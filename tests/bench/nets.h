/* SPDX-License-Identifier: Apache-2.0 */
/* nets.h - networks for measurements whose weights do not matter, and a description of any graph for the
 * peers. */
#ifndef TESTS_BENCH_NETS_H
#define TESTS_BENCH_NETS_H

#include "sim/engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Like MobileNetV2 with SSDLite heads at 320 x 320: about 0.7 GMAC, most in 1x1 and depthwise. NULL: no
 * memory. */
struct engine_graph *nets_mobilenet(void);
/* One convolution between an input and an output; `op` is CONV or DEPTHWISE, padding keeps the size / stride.
 */
struct engine_graph *nets_layer(enum engine_op op, int32_t side, int32_t ic, int32_t oc, int32_t kernel,
                                int32_t stride);
/* A copy of `graph` with ENGINE_ACT_LEAKY replaced by ENGINE_ACT_RELU: the peers fuse only that. */
struct engine_graph *nets_with_relu(const struct engine_graph *graph);
/* Writes DIR/graph.json and DIR/graph.bin for to_onnx.py. False on an I/O error. */
bool nets_dump(const struct engine_graph *graph, const char *dir);

#ifdef __cplusplus
}
#endif

#endif
