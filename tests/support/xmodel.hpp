/* SPDX-License-Identifier: Apache-2.0 */
/* xmodel.hpp - small golden models, built in memory through XIR. */
#ifndef TESTS_SUPPORT_XMODEL_HPP
#define TESTS_SUPPORT_XMODEL_HPP

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <xir/attrs/attrs.hpp>
#include <xir/graph/graph.hpp>
#include <xir/graph/subgraph.hpp>
#include <xir/op/op.hpp>
#include <xir/tensor/tensor.hpp>

namespace xmodel {

using text = std::string;
using ints = std::vector<int>;
using op_inputs = std::map<text, std::vector<xir::Op *>>;

inline void set_fix(xir::Op *op, int fix_point) {
    auto *t = op->get_output_tensor();
    t->set_attr<int>("fix_point", fix_point);
    t->set_attr<int>("bit_width", 8);
    t->set_attr<text>("round_mode", "DPU_ROUND");
    t->set_attr<bool>("if_signed", true);
}

/* A model under construction: one input, then what a test adds, all between upload and download. */
struct model {
    std::unique_ptr<xir::Graph> graph = xir::Graph::create("tiny");
    xir::Op *image = nullptr, *up = nullptr;
    xir::Subgraph *dpu = nullptr;

    explicit model(const ints &shape, int fix_point) {
        auto a = xir::Attrs::create();
        a->set_attr<ints>("shape", shape);
        a->set_attr<text>("data_type", "XINT8");
        image = graph->add_op("image", "data-fix", std::move(a), {});
        set_fix(image, fix_point);
        up = graph->add_op("upload_image", "upload", xir::Attrs::create(), op_inputs{{"input", {image}}});
        set_fix(up, fix_point);
    }
    xir::Op *constant(const text &name, const ints &shape, int fix_point, std::vector<char> data) {
        auto a = xir::Attrs::create();
        a->set_attr<ints>("shape", shape);
        a->set_attr<text>("data_type", "XINT8");
        a->set_attr<std::vector<char>>("data", std::move(data));
        auto *op = graph->add_op(name, "const-fix", std::move(a), {});
        set_fix(op, fix_point);
        return op;
    }
    /* A 1x1 convolution with one weight for each pair of channels. */
    xir::Op *conv(xir::Op *in, const text &nonlinear, std::vector<char> weights, int fix_out) {
        auto a = xir::Attrs::create();
        a->set_attr<ints>("kernel", {1, 1});
        a->set_attr<ints>("stride", {1, 1});
        a->set_attr<ints>("dilation", {1, 1});
        a->set_attr<ints>("pad", {0, 0, 0, 0});
        a->set_attr<text>("pad_mode", "FLOOR");
        a->set_attr<text>("nonlinear", nonlinear);
        int ic = in->get_output_tensor()->get_shape()[3], oc = 2;
        auto *w = constant("w", {oc, 1, 1, ic}, 0, std::move(weights));
        auto *b = constant("b", {oc}, 0, {1, 2});
        auto *op = graph->add_op("conv", "conv2d-fix", std::move(a),
                                 op_inputs{{"input", {in}}, {"weights", {w}}, {"bias", {b}}});
        set_fix(op, fix_out);
        return op;
    }
    void finish(xir::Op *last, int fix_point) {
        auto *down =
            graph->add_op("download_y", "download", xir::Attrs::create(), op_inputs{{"input", {last}}});
        set_fix(down, fix_point);
        auto *root = graph->get_root_subgraph();
        root->create_children();
        std::set<xir::Subgraph *> leaves;
        for (auto *s : root->get_children())
            if (*s->get_ops().begin() != image) leaves.insert(s);
        dpu = root->merge_children(leaves);
        dpu->set_name("subgraph_tiny");
        dpu->set_attr<text>("device", "DPU");
        dpu->set_attr<std::map<text, text>>("runner", {{"run", "libvart-dpu-runner.so.2"}});
    }
};

} // namespace xmodel

#endif
