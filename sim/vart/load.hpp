/* SPDX-License-Identifier: Apache-2.0 */
/* load.hpp - turn the DPU part of a golden model into an engine graph.
 * Everything in the model is checked; what does not fit throws model_error, naming model, subgraph and
 * operator. */
#ifndef SIM_VART_LOAD_HPP
#define SIM_VART_LOAD_HPP

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <xir/graph/subgraph.hpp>
#include <xir/tensor/tensor.hpp>

extern "C" {
#include "sim/engine/engine.h"
}

namespace relecture {

struct model_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct graph_deleter {
    void operator()(engine_graph *g) const {
        engine_graph_free(&g);
    }
};

struct loaded_graph {
    std::unique_ptr<engine_graph, graph_deleter> graph;
    /* In the engine's order; the tensors belong to the subgraph. */
    std::vector<const xir::Tensor *> inputs, outputs;
    size_t frames = 1; /* the batch that every tensor has in front */
};

/* `where` names the model in messages. Throws model_error. */
loaded_graph load_subgraph(const xir::Subgraph *subgraph, const std::string &where);

} // namespace relecture

#endif
