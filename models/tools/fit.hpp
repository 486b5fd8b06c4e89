/* SPDX-License-Identifier: Apache-2.0 */
/* fit.hpp - does a DPU take a model, and is a compiled model the one it was compiled from?
 * The limits of the DPUs come from Debian's own registry (libtarget-factory), the V70's, which that does not
 * have, from AMD's target description of Vitis AI 3.5; channel limits from PG367. Nothing here was tried on a
 * card. */
#ifndef MODELS_TOOLS_FIT_HPP
#define MODELS_TOOLS_FIT_HPP

#include <cstdint>
#include <string>
#include <vector>

#include <xir/graph/graph.hpp>

namespace relecture {

/* What one engine of a DPU takes; kernel and stride as "1-4,7". Empty kernel: the DPU has no such engine. */
struct engine_limits {
    std::string kernel, stride;
    std::vector<std::string> activations; /* as XIR names them, NONE apart */
};

struct dpu_profile {
    std::string card, dpu, source;
    engine_limits conv, depthwise, max_pool, average_pool;
    std::vector<std::string> eltwise, eltwise_activations; /* ADD, MUL; RELU ... */
    int weight_depth = 0, channels_max = 0;                /* 0: no limit known */
    double resnet50_fps = 0, resnet50_gops = 0;            /* published, end to end */
    std::string fps_source;
};

/* The cards known by name, in a fixed order. */
std::vector<std::string> card_names();
/* Throws std::invalid_argument for another name. */
dpu_profile card_profile(const std::string &card);

struct finding {
    std::string op, type, problem, advice; /* no problem: it fits */
};
struct fit_report {
    std::vector<finding> findings; /* of every operator of the DPU subgraphs */
    std::uint64_t macs = 0, weight_bytes = 0, input_bytes = 0, output_bytes = 0;
    size_t dpu_subgraphs = 0;
    bool fits() const;
    /* Upper bounds: as efficient as resnet50 on the same card; PCIe Gen3 x16 at 9.3 GB/s. 0: not known. */
    double dpu_fps = 0, pcie_fps = 0;
};
/* Throws std::invalid_argument when the graph has no DPU subgraph. */
fit_report check_fit(const xir::Graph *graph, const dpu_profile &dpu);

/* Differences between a golden model and what the card's compiler made of it, one line each: operators by the
 * name of their tensor, shapes and fix points. Empty: equal in all that can be compared. `compared`: tensors
 * found in both. */
std::vector<std::string> compare_models(const xir::Graph *golden, const xir::Graph *compiled,
                                        size_t *compared);

/* True when `value` is in a list like "1-4,7". */
bool in_ranges(const std::string &ranges, int value);

} // namespace relecture

#endif
