/* SPDX-License-Identifier: Apache-2.0 */
/* layers.hpp - the multiply-adds of a subgraph, layer by layer, for the latency model. */
#ifndef SIM_VART_LAYERS_HPP
#define SIM_VART_LAYERS_HPP

#include <vector>

#include <xir/graph/subgraph.hpp>

extern "C" {
#include "sim/latency.h"
}

namespace relecture {

/* Those layers that multiply, in topological order. */
std::vector<sim_layer> layers_of(const xir::Subgraph *subgraph);

} // namespace relecture

#endif
