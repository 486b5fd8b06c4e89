/* SPDX-License-Identifier: Apache-2.0 */
#include "models/tools/fit.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include <vitis/ai/target_factory.hpp>
#include <xir/attrs/attrs.hpp>
#include <xir/graph/subgraph.hpp>
#include <xir/op/op.hpp>
#include <xir/tensor/tensor.hpp>

namespace relecture {
namespace {

using text = std::string;
using ints = std::vector<std::int32_t>;

struct card_row {
    const char *card, *target;
    int channels_max;
    double fps, gops;
    const char *fps_source;
};
/* Published end-to-end rates of resnet50; channel limits of PG367 for CAHX8H. */
const card_row CARDS[] = {
    {"u50lv", "DPUCAHX8H_ISA2", 4096, 512, 8.2, "Vitis AI 2.5 model zoo, 10 PE at 165 MHz"},
    {"u50lv-dwc", "DPUCAHX8H_ISA2_DWC", 4096, 410, 8.2, "Vitis AI 2.5 model zoo, 8 PE at 165 MHz"},
    {"u55c", "DPUCAHX8H_ISA2_DWC", 4096, 1012, 8.2, "Vitis AI 2.5 model zoo, 11 PE at 300 MHz"},
    {"u200", "DPUCADF8H_ISA0", 0, 1054, 7.7, "Vitis AI model zoo, 2 kernels"},
    {"u250", "DPUCADF8H_ISA0", 0, 2135, 7.7, "Vitis AI model zoo, 4 kernels"},
    {"vck5000", "DPUCVDX8H_ISA1_F2W2_8PE", 0, 4544, 8.2, "Vitis AI 2.5 model zoo, 8 PE at 350 MHz"},
    {"vck5000-dwc", "DPUCVDX8H_ISA1_F2W4_6PE_aieDWC", 0, 3153, 7.7, "Vitis AI model zoo, 6 PE"},
    {"v70", "", 0, 3912, 7.7, "Vitis AI 3.5 model zoo, C20B14"},
};

const char *activation_name(int nonlinear) {
    static const char *const NAMES[] = {"RELU", "PRELU", "LEAKYRELU", "RELU6", "HSIGMOID", "HSWISH"};
    return nonlinear >= 0 && nonlinear < 6 ? NAMES[nonlinear] : "?";
}

std::vector<text> activations_of(const vitis::ai::Target_Nonlinear &n) {
    std::vector<text> all;
    for (int i = 0; i < n.nonlinear_type_size(); i++)
        all.push_back(activation_name((int)n.nonlinear_type(i)));
    return all;
}

void fill_from_registry(dpu_profile &p, const text &target) {
    const auto *factory = vitis::ai::target_factory();
    if (!factory->is_registered_target(target))
        throw std::invalid_argument("no target " + target + " is registered");
    const vitis::ai::Target t = factory->create(target);
    p.source = "Debian's libtarget-factory";
    p.conv = {t.conv_engine().conv_limit().kernel_size(), t.conv_engine().conv_limit().stride(),
              activations_of(t.conv_engine().nonlinear())};
    for (const auto &bank : t.bank_group())
        if (bank.name() == "CONVW" && t.type() == "DPUCAHX8H") p.weight_depth = (int)bank.bank_depth();
    if (t.has_dwconv_engine())
        p.depthwise = {t.dwconv_engine().dwconv_limit().kernel_size(),
                       t.dwconv_engine().dwconv_limit().stride(),
                       activations_of(t.dwconv_engine().nonlinear())};
    if (t.has_pool_engine()) {
        p.max_pool = {t.pool_engine().max_limit().kernel_size(), t.pool_engine().max_limit().stride(), {}};
        p.average_pool = {
            t.pool_engine().avg_limit().kernel_size(), t.pool_engine().avg_limit().stride(), {}};
    }
    for (int i = 0; i < t.eltwise_engine().elew_type_size(); i++)
        p.eltwise.push_back(
            t.eltwise_engine().elew_type(i) == vitis::ai::Target_Eltwise_ElewType_add ? "ADD" : "MUL");
    p.eltwise_activations = activations_of(t.eltwise_engine().nonlinear());
}

void fill_v70(dpu_profile &p) {
    p.source = "AMD's description of DPUCV2DX8G_ISA1_C20B14, Vitis AI 3.5";
    const std::vector<text> all = {"RELU", "PRELU", "LEAKYRELU", "RELU6", "HSIGMOID", "HSWISH"};
    p.conv = {"1-16", "1-16", all};
    p.depthwise = {"1-256", "1-256", all};
    p.max_pool = p.average_pool = {"1-256", "1-256", {}};
    p.eltwise = {"ADD", "MUL"};
    p.eltwise_activations = {"RELU"};
}

bool has(const std::vector<text> &list, const text &what) {
    return std::find(list.begin(), list.end(), what) != list.end();
}

text join(const std::vector<text> &list) {
    text all;
    for (const auto &s : list) all += (all.empty() ? "" : ", ") + s;
    return all.empty() ? "none" : all;
}

template <class T> T attr_or(const xir::Op *op, const text &key, const T &otherwise) {
    if (!op->has_attr(key)) return otherwise;
    const xir::any held = op->get_attr(key);
    const T *value = xir::stdx::any_cast<T>(&held);
    return value ? *value : otherwise;
}

ints shape_of(const xir::Op *op) {
    return op->get_output_tensor()->get_shape();
}

std::uint64_t elements(const ints &shape) {
    std::uint64_t n = 1;
    for (int d : shape) n *= d > 0 ? (std::uint64_t)d : 0;
    return n;
}

class checker {
  public:
    checker(const xir::Op *op, const dpu_profile &dpu)
        : op_(op), dpu_(dpu), f_{op->get_name(), op->get_type(), "", ""} {
    }

    finding check() {
        const text &type = f_.type;
        if (type == "conv2d-fix")
            conv();
        else if (type == "transposed-conv2d-fix")
            windowed(dpu_.conv, "convolution engine", "split it, or upsample by nearest and convolve");
        else if (type == "depthwise-conv2d-fix" || type == "transposed-depthwise-conv2d-fix")
            depthwise();
        else if (type == "pool-fix")
            pool();
        else if (type == "eltwise-fix" || type == "depthwise-fix")
            eltwise();
        else if (type == "upsample-fix" || type == "downsample-fix")
            resize();
        else if (!has({"concat-fix", "const-fix", "data-fix", "upload", "download", "reshape-fix", "pad-fix",
                       "identity"},
                      type))
            problem("not an operator of this DPU", "leave it to the host, after the last download");
        return f_;
    }

  private:
    const xir::Op *op_;
    const dpu_profile &dpu_;
    finding f_;

    void problem(const text &what, const text &advice) {
        if (!f_.problem.empty()) return;
        f_.problem = what;
        f_.advice = advice;
    }

    void windowed(const engine_limits &limits, const text &engine, const text &advice) {
        ints kernel = attr_or<ints>(op_, "kernel", {1, 1}), stride = attr_or<ints>(op_, "stride", {1, 1});
        if (kernel.size() != 2 || stride.size() != 2)
            return problem("its kernel or stride is not two numbers", "");
        for (int k : kernel)
            if (!in_ranges(limits.kernel, k))
                problem("kernel " + std::to_string(k) + " is not in " + limits.kernel + " of the " + engine,
                        advice);
        for (int s : stride)
            if (!in_ranges(limits.stride, s))
                problem("stride " + std::to_string(s) + " is not in " + limits.stride + " of the " + engine,
                        advice);
        text act = attr_or<text>(op_, "nonlinear", "NONE");
        if (!act.empty() && act != "NONE" && !has(limits.activations, act) && f_.type != "pool-fix")
            problem("activation " + act + " where the " + engine + " has " + join(limits.activations),
                    "train with one of these");
    }

    void conv() {
        windowed(dpu_.conv, "convolution engine", "several smaller kernels");
        ints kernel = attr_or<ints>(op_, "kernel", {1, 1}), in = shape_of(op_->get_input_op("input", 0)),
             out = shape_of(op_);
        if (in.size() != 4 || out.size() != 4 || kernel.size() != 2)
            return problem("a tensor without four dimensions", "");
        std::int64_t depth = (std::int64_t)kernel[0] * kernel[1] * ((in[3] + 15) / 16);
        if (dpu_.weight_depth && depth > dpu_.weight_depth)
            problem("kernel area times input channels / 16 is " + std::to_string(depth) + ", above " +
                        std::to_string(dpu_.weight_depth),
                    "fewer input channels, or two convolutions that are added");
        if (dpu_.channels_max && std::max(in[3], out[3]) > dpu_.channels_max)
            problem("more than " + std::to_string(dpu_.channels_max) + " channels", "split the channels");
    }

    void depthwise() {
        text dense = "the same as a dense convolution with a diagonal kernel";
        if (dpu_.depthwise.kernel.empty()) return problem("this DPU has no depthwise engine", dense);
        windowed(dpu_.depthwise, "depthwise engine", dense);
    }

    void pool() {
        bool average = attr_or<text>(op_, "type", "") == "AVG";
        const engine_limits &limits = average ? dpu_.average_pool : dpu_.max_pool;
        if (limits.kernel.empty()) return problem("this DPU has no pool engine", "a strided convolution");
        windowed(limits, average ? "average pool" : "max pool", "pool in two steps");
    }

    void eltwise() {
        text type = attr_or<text>(op_, "type", f_.type == "depthwise-fix" ? "MUL" : "ADD");
        if (!has(dpu_.eltwise, type))
            problem("element-wise " + type + " where the DPU has " + join(dpu_.eltwise),
                    "a convolution, or drop it");
        text act = attr_or<text>(op_, "nonlinear", "NONE");
        if (!act.empty() && act != "NONE" && !has(dpu_.eltwise_activations, act))
            problem("activation " + act + " on an addition", "move it into the convolution that follows");
    }

    void resize() {
        if (attr_or<text>(op_, "mode", "NEAREST") != "NEAREST")
            problem("interpolation is no operator of its own on a DPU",
                    "a transposed depthwise convolution with fixed weights, or nearest");
    }
};

std::uint64_t macs_of(const xir::Op *op) {
    const text type = op->get_type();
    if (type.find("conv2d-fix") == text::npos) return 0;
    ints kernel = attr_or<ints>(op, "kernel", {1, 1}), in = shape_of(op->get_input_op("input", 0)),
         out = shape_of(op);
    if (kernel.size() != 2 || in.size() != 4 || out.size() != 4) return 0;
    bool depthwise = type.find("depthwise") != text::npos, transposed = type.find("transposed") == 0;
    std::uint64_t taps = (std::uint64_t)kernel[0] * (std::uint64_t)kernel[1];
    return elements(transposed ? in : out) * taps *
           (depthwise ? 1 : (std::uint64_t)(transposed ? out[3] : in[3]));
}

std::vector<const xir::Subgraph *> dpu_subgraphs(const xir::Graph *graph) {
    std::vector<const xir::Subgraph *> found;
    for (const auto *s : graph->get_root_subgraph()->children_topological_sort())
        if (s->has_attr("device") && s->get_attr<text>("device") == "DPU") found.push_back(s);
    return found;
}

struct tensor_facts {
    text op, type;
    ints shape;
    int fix = 0;
    bool has_fix = false;
};

std::map<text, tensor_facts> facts_of(const xir::Graph *graph) {
    std::map<text, tensor_facts> all;
    for (const auto *s : dpu_subgraphs(graph))
        for (const auto *op : s->topological_sort()) {
            const auto *t = op->get_output_tensor();
            tensor_facts f{op->get_name(), op->get_type(), t->get_shape(), 0, t->has_attr("fix_point")};
            if (f.has_fix) f.fix = t->get_attr<int>("fix_point");
            all[t->get_name()] = f;
        }
    return all;
}

text shape_text(const ints &shape) {
    text all;
    for (int d : shape) all += (all.empty() ? "" : "x") + std::to_string(d);
    return all;
}

} // namespace

bool in_ranges(const text &ranges, int value) {
    for (size_t at = 0; at < ranges.size();) {
        size_t end = std::min(ranges.find(',', at), ranges.size()), dash = ranges.find('-', at);
        int lo = std::atoi(ranges.c_str() + at);
        int hi = dash < end ? std::atoi(ranges.c_str() + dash + 1) : lo;
        if (value >= lo && value <= hi) return true;
        at = end + 1;
    }
    return false;
}

std::vector<text> card_names() {
    std::vector<text> all;
    for (const auto &c : CARDS) all.push_back(c.card);
    return all;
}

dpu_profile card_profile(const text &card) {
    for (const auto &c : CARDS) {
        if (card != c.card) continue;
        dpu_profile p;
        p.card = card;
        p.dpu = c.target[0] ? c.target : "DPUCV2DX8G_ISA1_C20B14";
        p.channels_max = c.channels_max;
        p.resnet50_fps = c.fps;
        p.resnet50_gops = c.gops;
        p.fps_source = c.fps_source;
        if (c.target[0])
            fill_from_registry(p, c.target);
        else
            fill_v70(p);
        return p;
    }
    throw std::invalid_argument("no card " + card + "; known: " + join(card_names()));
}

bool fit_report::fits() const {
    return dpu_subgraphs == 1 &&
           std::all_of(findings.begin(), findings.end(), [](const finding &f) { return f.problem.empty(); });
}

fit_report check_fit(const xir::Graph *graph, const dpu_profile &dpu) {
    fit_report r;
    auto subgraphs = dpu_subgraphs(graph);
    if (subgraphs.empty()) throw std::invalid_argument("the model has no DPU subgraph");
    r.dpu_subgraphs = subgraphs.size();
    for (const auto *s : subgraphs) {
        for (const auto *op : s->topological_sort()) {
            if (op->get_type() == "const-fix") {
                r.weight_bytes += elements(shape_of(op));
                continue;
            }
            r.findings.push_back(checker(op, dpu).check());
            r.macs += macs_of(op);
        }
        for (const auto *t : s->get_input_tensors()) r.input_bytes += elements(t->get_shape());
        for (const auto *t : s->get_output_tensors()) r.output_bytes += elements(t->get_shape());
    }
    if (r.macs) r.dpu_fps = dpu.resnet50_fps * dpu.resnet50_gops * 1e9 / (2.0 * (double)r.macs);
    if (r.input_bytes) r.pcie_fps = 9.3e9 / (double)(r.input_bytes + r.output_bytes);
    return r;
}

std::vector<text> compare_models(const xir::Graph *golden, const xir::Graph *compiled, size_t *compared) {
    std::vector<text> differences;
    auto wanted = facts_of(golden), found = facts_of(compiled);
    *compared = 0;
    for (const auto &w : wanted) {
        const tensor_facts &g = w.second;
        auto at = found.find(w.first);
        if (at == found.end()) {
            differences.push_back(g.op + " (" + g.type + "): not in the compiled model");
            continue;
        }
        ++*compared;
        const tensor_facts &c = at->second;
        if (g.type != c.type) differences.push_back(g.op + ": " + g.type + " became " + c.type);
        if (g.shape != c.shape)
            differences.push_back(g.op + ": shape " + shape_text(g.shape) + " became " + shape_text(c.shape));
        if (g.has_fix != c.has_fix || g.fix != c.fix)
            differences.push_back(g.op + ": fix point " + (g.has_fix ? std::to_string(g.fix) : "none") +
                                  " became " + (c.has_fix ? std::to_string(c.fix) : "none"));
    }
    for (const auto &f : found)
        if (!wanted.count(f.first))
            differences.push_back(f.second.op + " (" + f.second.type + "): only in the compiled model");
    return differences;
}

} // namespace relecture
