/* SPDX-License-Identifier: Apache-2.0 */
/* tiny_model DIR - writes DIR/model.json and DIR/tiny.golden.xmodel: a detector-shaped network of two
 * convolutions, input 64x48, so that the seam tests need no published weights and no time.
 * --slow makes it wide enough that a job lasts some tens of milliseconds; --stretch lets it take crops as they
 * are, --table normalised and with R first. */
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <openssl/sha.h>
#include <xir/attrs/attrs.hpp>
#include <xir/graph/graph.hpp>
#include <xir/graph/subgraph.hpp>
#include <xir/op/op.hpp>
#include <xir/tensor/tensor.hpp>

namespace {
using text = std::string;
using ints = std::vector<int>;
using op_inputs = std::map<text, std::vector<xir::Op *>>;

void set_fix(xir::Op *op, int fix_point) {
    auto *t = op->get_output_tensor();
    t->set_attr<int>("fix_point", fix_point);
    t->set_attr<int>("bit_width", 8);
    t->set_attr<text>("round_mode", "DPU_ROUND");
    t->set_attr<bool>("if_signed", true);
}

xir::Op *constant(xir::Graph *g, const text &name, const ints &shape, int fix_point, unsigned seed) {
    size_t n = 1;
    for (int d : shape) n *= static_cast<size_t>(d);
    std::vector<char> data(n);
    for (auto &v : data) {
        seed = seed * 1664525u + 1013904223u;
        v = static_cast<char>(static_cast<int>(seed >> 24) - 128);
    }
    auto a = xir::Attrs::create();
    a->set_attr<ints>("shape", shape);
    a->set_attr<text>("data_type", "XINT8");
    a->set_attr<std::vector<char>>("data", data);
    auto *op = g->add_op(name, "const-fix", std::move(a), {});
    set_fix(op, fix_point);
    return op;
}

xir::Op *conv(xir::Graph *g, const text &name, xir::Op *in, int oc, int k, int stride, int fix_out,
              const text &act) {
    const int ic = in->get_output_tensor()->get_shape()[3], p = k / 2;
    auto *w = constant(g, name + "_w", {oc, k, k, ic}, 9, static_cast<unsigned>(oc));
    auto *b = constant(g, name + "_b", {oc}, 5, static_cast<unsigned>(oc + 1));
    auto a = xir::Attrs::create();
    a->set_attr<ints>("kernel", {k, k});
    a->set_attr<ints>("stride", {stride, stride});
    a->set_attr<ints>("dilation", {1, 1});
    a->set_attr<ints>("pad", {p, p, p, p});
    a->set_attr<text>("pad_mode", "FLOOR");
    a->set_attr<text>("nonlinear", act);
    auto *op = g->add_op(name, "conv2d-fix", std::move(a),
                         op_inputs{{"input", {in}}, {"weights", {w}}, {"bias", {b}}});
    set_fix(op, fix_out);
    return op;
}

text hash_of(const text &path) {
    FILE *f = fopen(path.c_str(), "rb");
    if (!f) return "";
    std::vector<unsigned char> all(1 << 24);
    const size_t n = fread(all.data(), 1, all.size(), f);
    fclose(f);
    unsigned char md[SHA256_DIGEST_LENGTH];
    SHA256(all.data(), n, md);
    char out[2 * sizeof md + 1];
    for (size_t i = 0; i < sizeof md; i++) snprintf(out + 2 * i, 3, "%02x", md[i]);
    return out;
}
} // namespace

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    const text dir = argv[1], file = dir + "/tiny.golden.xmodel";
    const int width = argc > 2 && strcmp(argv[2], "--slow") == 0 ? 512 : 8;
    const bool stretch = argc > 2 && strcmp(argv[2], "--stretch") == 0, table = argc > 2 && strcmp(argv[2], "--table") == 0;
    auto owner = xir::Graph::create("tiny");
    auto *g = owner.get();
    auto a = xir::Attrs::create();
    a->set_attr<ints>("shape", {1, 48, 64, 3});
    a->set_attr<text>("data_type", "XINT8");
    auto *image = g->add_op("image", "data-fix", std::move(a), {});
    set_fix(image, 5);
    auto *up = g->add_op("upload_image", "upload", xir::Attrs::create(), op_inputs{{"input", {image}}});
    set_fix(up, 5);
    auto *c1 = conv(g, "conv1", up, width, 3, 2, 4, "RELU");
    auto *c2 = conv(g, "conv2", c1, width, 3, 1, 3, "NONE");
    auto *c3 = conv(g, "conv3", c2, 5, 3, 2, 2, "NONE");
    auto *d1 = g->add_op("fine", "download", xir::Attrs::create(), op_inputs{{"input", {c2}}});
    set_fix(d1, 3);
    auto *d2 = g->add_op("coarse", "download", xir::Attrs::create(), op_inputs{{"input", {c3}}});
    set_fix(d2, 2);
    auto *root = g->get_root_subgraph();
    root->create_children();
    std::set<xir::Subgraph *> leaves;
    for (auto *s : root->get_children()) {
        if (*s->get_ops().begin() == image)
            s->set_attr<text>("device", "USER");
        else
            leaves.insert(s);
    }
    auto *dpu = root->merge_children(leaves);
    dpu->set_name("subgraph_tiny");
    dpu->set_attr<text>("device", "DPU");
    dpu->set_attr<std::map<text, text>>("runner", {{"run", "libvart-dpu-runner.so.2"}});
    root->set_attr<text>("device", "ROOT");
    g->serialize(file);

    FILE *f = fopen((dir + "/model.json").c_str(), "w");
    if (!f) return 1;
    fprintf(f,
            "{\"format\": 1, \"name\": \"tiny\", \"task\": \"detect\",\n"
            " \"files\": {\"golden\": {\"path\": \"tiny.golden.xmodel\", \"sha256\": \"%s\"}, \"compiled\": "
            "[]},\n"
            " \"input\": {\"tensor\": \"image\", \"width\": 64, \"height\": 48, \"order\": \"%s\", \"fit\": "
            "\"%s\",\n"
            "  \"pad\": [0, 0, 0], %s, \"fix_point\": 5},\n"
            " \"outputs\": [{\"tensor\": \"coarse\", \"fix_point\": 2}, {\"tensor\": \"fine\", "
            "\"fix_point\": 3}]}\n",
            hash_of(file).c_str(), table ? "RGB" : "BGR", stretch || table ? "stretch" : "letterbox",
            stretch ? "\"mean\": [128, 128, 128], \"scale\": [0.03125, 0.03125, 0.03125]"
                    : "\"mean\": [103.53, 116.28, 123.675],\n"
                      "  \"scale\": [0.0174291939, 0.0175070028, 0.0171247538]");
    return fclose(f) == 0 ? 0 : 1;
}
