/* SPDX-License-Identifier: Apache-2.0 */
/* relecture-model - questions about an xmodel that need no card.
 *   relecture-model cards                          the cards it knows
 *   relecture-model check MODEL --card NAME        does that DPU take every operator, and how fast at best?
 *   relecture-model compare GOLDEN COMPILED        is the second what the first says, operator by operator?
 *   relecture-model plan MODEL CARD.TOML N [LANES] how long would that card take for N frames?
 * Exit status: 0 yes, 1 no, 2 usage. XIR ends the process on files it cannot read. */
#include "models/tools/fit.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include <unistd.h>

#include <xir/tensor/tensor.hpp>

#include "sim/vart/layers.hpp"

extern "C" {
#include "sim/plan.h"
}

using namespace relecture;

namespace {

int usage() {
    fputs("usage: relecture-model cards | check MODEL --card NAME | compare GOLDEN COMPILED\n"
          "                       | plan MODEL DESCRIPTION FRAMES [LANES]\n",
          stderr);
    return 2;
}

std::vector<const xir::Subgraph *> dpu_subgraphs_of(const xir::Graph *graph) {
    std::vector<const xir::Subgraph *> found;
    for (const auto *s : graph->get_root_subgraph()->children_topological_sort())
        if (s->has_attr("device") && s->get_attr<std::string>("device") == "DPU") found.push_back(s);
    return found;
}

int list_cards() {
    for (const auto &name : card_names()) {
        dpu_profile p = card_profile(name);
        printf("%-12s %-32s conv %s / %s, depthwise %s, %s\n", name.c_str(), p.dpu.c_str(),
               p.conv.kernel.c_str(), p.conv.stride.c_str(),
               p.depthwise.kernel.empty() ? "none" : p.depthwise.kernel.c_str(), p.source.c_str());
    }
    return 0;
}

int check(const char *path, const char *card) {
    dpu_profile dpu = card_profile(card);
    auto graph = xir::Graph::deserialize(path);
    fit_report r = check_fit(graph.get(), dpu);
    size_t fit = 0;
    for (const auto &f : r.findings) {
        fit += f.problem.empty();
        if (f.problem.empty()) continue;
        printf("%s (%s): %s%s%s\n", f.op.c_str(), f.type.c_str(), f.problem.c_str(),
               f.advice.empty() ? "" : "; instead: ", f.advice.c_str());
    }
    if (r.dpu_subgraphs != 1) printf("%zu DPU subgraphs: the host would work in between\n", r.dpu_subgraphs);
    printf("%s on %s (%s): %zu of %zu operators fit\n", path, card, dpu.dpu.c_str(), fit, r.findings.size());
    printf("%.1f MMAC, %.2f MB of weights, %.0f kB in and %.0f kB out per frame\n", (double)r.macs / 1e6,
           (double)r.weight_bytes / 1e6, (double)r.input_bytes / 1e3, (double)r.output_bytes / 1e3);
    printf("at most %.0f frames/s, projected: as efficient as resnet50 (%.0f frames/s, %.1f GOP; %s).\n"
           "Depthwise and small layers are slower. PCIe Gen3 x16 at 9.3 GB/s allows %.0f frames/s.\n",
           r.dpu_fps, dpu.resnet50_fps, dpu.resnet50_gops, dpu.fps_source.c_str(), r.pcie_fps);
    return r.fits() ? 0 : 1;
}

unsigned number(const char *text, unsigned most) {
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (*end || v < 1 || v > most)
        throw std::invalid_argument(std::string("a number from 1 to ") + std::to_string(most) + ", not " +
                                    text);
    return (unsigned)v;
}

/* What the described card would take for full HD frames, as one JSON object. */
int plan(const char *path, const char *description, const char *frames, const char *lanes) {
    sim_config c;
    char why[512];
    sim_config_defaults(&c);
    if (sim_config_load(description, &c, why, sizeof why) != 0) throw std::invalid_argument(why);
    auto graph = xir::Graph::deserialize(path);
    auto subgraphs = dpu_subgraphs_of(graph.get());
    if (subgraphs.size() != 1) throw std::invalid_argument("a plan wants a model with one DPU subgraph");
    auto layers = layers_of(subgraphs[0]);
    sim_plan_frame f = {1920 * 1080 * 3 / 2, 0, 0, layers.data(), layers.size()};
    for (const auto *t : subgraphs[0]->get_input_tensors())
        f.tensor_bytes += (std::uint64_t)t->get_data_size();
    for (const auto *t : subgraphs[0]->get_output_tensors())
        f.output_bytes += (std::uint64_t)t->get_data_size();
    unsigned n_frames = number(frames, 100000000), most = SIM_PLAN_LANES_MAX;
    unsigned n_lanes = lanes ? number(lanes, most) : std::min(c.dpu_engines + 4, most);
    std::uint64_t macs = 0;
    for (const auto &l : layers) macs += l.macs;
    sim_plan p;
    sim_plan_run(&c, &f, n_lanes, n_frames, &p);
    printf("{\"card\": \"%s\", \"dpu\": \"%s\", \"virtual\": true, \"frames\": %u, \"lanes\": %u, \"batch\": "
           "%u, "
           "\"seconds\": %.3f, \"frames_per_s\": %.1f, \"mmac\": %.1f,\n"
           " \"frame_us\": {\"to_card\": %.1f, \"kernels\": %.1f, \"from_card\": %.1f, \"dpu\": %.1f},\n"
           " \"busy\": {\"to_card\": %.3f, \"kernels\": %.3f, \"from_card\": %.3f, \"dpu\": %.3f},\n"
           " \"note\": \"calculated from %s for 1920x1080 frames; no card was asked, the host's time is not "
           "in it\"}\n",
           c.name, c.dpu_name, n_frames, n_lanes, c.dpu_batch, p.us / 1e6, p.frames_per_s, (double)macs / 1e6,
           p.frame_us[SIM_PLAN_TO_CARD], p.frame_us[SIM_PLAN_KERNELS], p.frame_us[SIM_PLAN_FROM_CARD],
           p.frame_us[SIM_PLAN_DPU], p.busy[SIM_PLAN_TO_CARD], p.busy[SIM_PLAN_KERNELS],
           p.busy[SIM_PLAN_FROM_CARD], p.busy[SIM_PLAN_DPU], description);
    return 0;
}

int compare(const char *golden, const char *compiled) {
    auto g = xir::Graph::deserialize(golden), c = xir::Graph::deserialize(compiled);
    size_t compared = 0;
    auto differences = compare_models(g.get(), c.get(), &compared);
    for (const auto &d : differences) printf("%s\n", d.c_str());
    printf("%zu tensors compared, %zu differences\n", compared, differences.size());
    return differences.empty() && compared ? 0 : 1;
}

int run(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "cards")) return list_cards();
    if (argc == 5 && !strcmp(argv[1], "check") && !strcmp(argv[3], "--card")) return check(argv[2], argv[4]);
    if ((argc == 5 || argc == 6) && !strcmp(argv[1], "plan"))
        return plan(argv[2], argv[3], argv[4], argc == 6 ? argv[5] : nullptr);
    if (argc == 4 && !strcmp(argv[1], "compare")) return compare(argv[2], argv[3]);
    return usage();
}

} // namespace

int main(int argc, char **argv) {
    int status;
    try {
        for (int i = 2; i < argc; i++)
            if (strstr(argv[i], ".xmodel") && access(argv[i], R_OK) != 0)
                throw std::invalid_argument(std::string("cannot read ") + argv[i]);
        status = run(argc, argv);
    } catch (const std::exception &e) {
        fprintf(stderr, "relecture-model: %s\n", e.what());
        status = 2;
    }
    fflush(stdout);
    _exit(status); /* the libraries of XIR may fault in their static destructors */
}
