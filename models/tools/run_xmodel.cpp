/* SPDX-License-Identifier: Apache-2.0 */
/* run_xmodel - runs the DPU part of a model on a VART runner, picture by picture.
 *   run_xmodel MODEL.xmodel RUNNER.so < int8 inputs back to back > int8 outputs of each, ordered by name */
#include <vart/runner.hpp>
#include <vart/runner_ext.hpp>
#include <xir/attrs/attrs.hpp>
#include <xir/graph/graph.hpp>
#include <xir/graph/subgraph.hpp>
#include <xir/tensor/tensor.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>

using Str = std::string;

namespace {

std::unique_ptr<vart::RunnerExt> open_runner(const xir::Graph *graph, xir::Attrs *attrs) {
    for (auto *s : graph->get_root_subgraph()->children_topological_sort())
        if (s->has_attr("device") && s->get_attr<Str>("device") == "DPU")
            return vart::RunnerExt::create_runner(s, attrs);
    throw std::runtime_error("the model has no DPU part");
}

/* True when a whole picture was read; false at the end of the input. */
bool read_picture(char *to, size_t n_bytes) {
    size_t n = fread(to, 1, n_bytes, stdin);
    if (n != 0 && n != n_bytes) throw std::runtime_error("the last picture is cut");
    return n != 0;
}

unsigned long run(const char *model, const char *library) {
    auto graph = xir::Graph::deserialize(model);
    auto attrs = xir::Attrs::create();
    attrs->set_attr<std::map<Str, Str>>("lib", {{"DPU", library}});
    auto runner = open_runner(graph.get(), attrs.get());
    auto in = runner->get_inputs(), out = runner->get_outputs(), ordered = out;
    std::sort(ordered.begin(), ordered.end(), [](vart::TensorBuffer *a, vart::TensorBuffer *b) {
        return a->get_tensor()->get_name() < b->get_tensor()->get_name();
    });
    auto place = in.at(0)->data({0, 0, 0, 0});
    unsigned long n = 0;
    for (; read_picture(reinterpret_cast<char *>(place.first), place.second); n++) {
        auto job = runner->execute_async(in, out);
        int rc = job.second ? job.second : runner->wait(static_cast<int>(job.first), -1);
        if (rc) throw std::runtime_error("the runner answered " + std::to_string(rc));
        for (auto *b : ordered) {
            auto part = b->data({0, 0, 0, 0});
            if (fwrite(reinterpret_cast<const char *>(part.first), 1, part.second, stdout) != part.second)
                throw std::runtime_error("cannot write");
        }
    }
    return n;
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: run_xmodel MODEL.xmodel RUNNER.so < inputs > outputs\n");
        return 2;
    }
    try {
        unsigned long n = run(argv[1], argv[2]);
        if (fflush(stdout) != 0) throw std::runtime_error("cannot write");
        fprintf(stderr, "run_xmodel: %lu pictures\n", n);
    } catch (const std::exception &e) {
        fprintf(stderr, "run_xmodel: %s\n", e.what());
        return 1;
    }
    return 0;
}
