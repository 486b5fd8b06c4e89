/* SPDX-License-Identifier: Apache-2.0 */
/* witness.h - the second witness: oneDNN, by another team and with other instructions, where it can express
 * one of our operators exactly. It rounds half to even in float, so a quarter (a sixteenth before a slope) is
 * added to the sums: that turns ties upwards and, while the sums stay small enough to be exact in float,
 * nothing else. */
#ifndef TESTS_EXACTNESS_WITNESS_H
#define TESTS_EXACTNESS_WITNESS_H

#include "sim/engine/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One frame of `node` from dense inputs; `from` are the nodes that node->inputs name, in that order. False
 * when oneDNN cannot express it exactly; *out is then unspecified. One thread. */
bool witness_run(const struct engine_node *node, const struct engine_node *const *from,
                 const int8_t *const *in, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
