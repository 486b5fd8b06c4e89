/* SPDX-License-Identifier: Apache-2.0 */
/* relecture-model - questions about an xmodel that need no card.
 *   relecture-model cards                          the cards it knows
 *   relecture-model check MODEL --card NAME        does that DPU take every operator, and how fast at best?
 *   relecture-model compare GOLDEN COMPILED        is the second what the first says, operator by operator?
 * Exit status: 0 yes, 1 no, 2 usage. XIR ends the process on files it cannot read. */
#include "models/tools/fit.hpp"

#include <cstdio>
#include <cstring>
#include <stdexcept>

#include <unistd.h>

using namespace relecture;

namespace {

int usage() {
    fputs("usage: relecture-model cards | check MODEL --card NAME | compare GOLDEN COMPILED\n", stderr);
    return 2;
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
