/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/vart/layers.hpp"

#include <string>

#include <xir/op/op.hpp>
#include <xir/tensor/tensor.hpp>

namespace relecture {

std::vector<sim_layer> layers_of(const xir::Subgraph *subgraph) {
    std::vector<sim_layer> all;
    for (const auto *op : subgraph->topological_sort()) {
        const std::string type = op->get_type();
        if (type.find("conv2d-fix") == std::string::npos || !op->has_attr("kernel")) continue;
        const auto kernel = op->get_attr<std::vector<int>>("kernel");
        const auto in = op->get_input_tensor("input")->get_shape(),
                   out = op->get_output_tensor()->get_shape();
        if (kernel.size() != 2 || in.size() != 4 || out.size() != 4) continue;
        const bool depthwise = type.find("depthwise") != std::string::npos, up = type.find("transposed") == 0;
        std::uint64_t macs = (std::uint64_t)kernel[0] * (std::uint64_t)kernel[1];
        for (int i = 1; i < 4; i++) macs *= (std::uint64_t)(up ? in : out)[(size_t)i];
        if (!depthwise) macs *= (std::uint64_t)(up ? out : in)[3];
        all.push_back({macs, depthwise});
    }
    return all;
}

} // namespace relecture
