/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/vart/load.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <set>

#include <xir/attrs/attrs.hpp>
#include <xir/graph/graph.hpp>
#include <xir/op/op.hpp>

namespace relecture {
namespace {

using ints = std::vector<std::int32_t>;

struct kind {
    engine_op op;
    bool weights;
};

const std::map<std::string, kind> KINDS = {
    {"data-fix", {ENGINE_OP_INPUT, false}},
    {"const-fix", {ENGINE_OP_CONST, false}},
    {"conv2d-fix", {ENGINE_OP_CONV, true}},
    {"depthwise-conv2d-fix", {ENGINE_OP_DEPTHWISE, true}},
    {"transposed-conv2d-fix", {ENGINE_OP_TRANSPOSED_CONV, true}},
    {"transposed-depthwise-conv2d-fix", {ENGINE_OP_TRANSPOSED_DEPTHWISE, true}},
    {"pool-fix", {ENGINE_OP_POOL_MAX, false}},
    {"eltwise-fix", {ENGINE_OP_ADD, false}},
    {"depthwise-fix", {ENGINE_OP_MUL, false}},
    {"concat-fix", {ENGINE_OP_CONCAT, false}},
    {"upsample-fix", {ENGINE_OP_NEAREST, false}},
    {"downsample-fix", {ENGINE_OP_NEAREST, false}},
    {"reshape-fix", {ENGINE_OP_COPY, false}},
    {"upload", {ENGINE_OP_COPY, false}},
    {"download", {ENGINE_OP_COPY, false}},
    {"identity", {ENGINE_OP_COPY, false}},
    {"fix", {ENGINE_OP_COPY, false}},
    {"pad-fix", {ENGINE_OP_PAD, false}},
    {"tile-fix", {ENGINE_OP_TILE, false}},
    {"reorg-fix", {ENGINE_OP_REORG, false}},
    {"pixel-shuffle-fix", {ENGINE_OP_PIXEL_SHUFFLE, false}},
    {"hard-sigmoid-fix", {ENGINE_OP_HARD_SIGMOID, false}},
};

const std::map<std::string, engine_act> ACTS = {
    {"", ENGINE_ACT_NONE},           {"NONE", ENGINE_ACT_NONE},   {"RELU", ENGINE_ACT_RELU},
    {"LEAKYRELU", ENGINE_ACT_LEAKY}, {"RELU6", ENGINE_ACT_RELU6}, {"HSIGMOID", ENGINE_ACT_HSIGMOID},
    {"HSWISH", ENGINE_ACT_HSWISH},   {"PRELU", ENGINE_ACT_PRELU},
};

class loader {
  public:
    loader(const xir::Subgraph *subgraph, const std::string &where)
        : subgraph_(subgraph), where_(where + ", subgraph " + subgraph->get_name()) {
    }

    loaded_graph load() {
        engine_graph *g = nullptr;
        if (engine_graph_new(&g) != OK) throw model_error(where_ + ": no memory");
        out_.graph.reset(g);
        for (const xir::Op *op : subgraph_->topological_sort()) add(op);
        for (const xir::Tensor *t : sorted(subgraph_->get_sorted_output_tensors())) {
            auto id = ids_.find(t->get_producer());
            if (id == ids_.end())
                throw model_error(where_ + ": output " + t->get_name() + " has no producer");
            if (engine_graph_mark_output(g, id->second) != OK)
                throw model_error(where_ + ": " + engine_graph_message(g));
            out_.outputs.push_back(t);
        }
        if (out_.inputs.empty() || out_.outputs.empty())
            throw model_error(where_ + ": a subgraph without inputs or outputs");
        return std::move(out_);
    }

  private:
    const xir::Subgraph *subgraph_;
    std::string where_;
    loaded_graph out_;
    std::map<const xir::Op *, std::int32_t> ids_;

    template <class SET> static std::vector<const xir::Tensor *> sorted(const SET &s) {
        return {s.begin(), s.end()};
    }

    [[noreturn]] void refuse(const xir::Op *op, const std::string &why) const {
        throw model_error(where_ + ", op " + op->get_name() + " (" + op->get_type() + "): " + why);
    }

    /* Attributes whose type is not the expected one end the process inside XIR; so ask for the type first. */
    template <class T, class OWNER>
    std::optional<T> attr(const xir::Op *op, const OWNER *owner, const std::string &key) const {
        if (!owner->has_attr(key)) return std::nullopt;
        const xir::any held = owner->get_attr(key);
        if (const T *value = xir::stdx::any_cast<T>(&held)) return *value;
        refuse(op, "attribute " + key + " has an unexpected type");
    }

    int attr_int(const xir::Op *op, const std::string &key, int otherwise) const {
        return attr<std::int32_t>(op, op, key).value_or(otherwise);
    }

    int fix_point(const xir::Op *op) const {
        auto fix = attr<std::int32_t>(op, op->get_output_tensor(), "fix_point");
        if (!fix) refuse(op, "its tensor has no fix_point");
        return *fix;
    }

    /* Tensors are N..., then height, width, channels as far as they exist. */
    engine_shape shape_of(const xir::Op *op) {
        auto dims = op->get_output_tensor()->get_shape();
        if (op->get_output_tensor()->get_data_type().bit_width != 8)
            refuse(op, "its tensor is not of 8 bits");
        if (dims.size() < 2 || dims.size() > 4)
            refuse(op, "a tensor of " + std::to_string(dims.size()) + " dimensions");
        if (dims[0] < 1 || dims[0] > 64) refuse(op, "a batch of " + std::to_string(dims[0]));
        if (ids_.empty()) out_.frames = (size_t)dims[0];
        if ((size_t)dims[0] != out_.frames) refuse(op, "another batch than the tensors before it");
        engine_shape s{1, 1, dims.back()};
        if (dims.size() == 4) s.h = dims[1];
        if (dims.size() >= 3) s.w = dims[dims.size() - 2];
        return s;
    }

    std::vector<std::int8_t> constant(const xir::Op *user, const xir::Op *op) const {
        auto data = attr<std::vector<char>>(op, op, "data");
        if (op->get_type() != "const-fix") refuse(user, "input " + op->get_name() + " is not a constant");
        std::uint64_t expected = 1;
        for (int d : op->get_output_tensor()->get_shape()) {
            if (d < 1 || expected > (std::uint64_t)ENGINE_TENSOR_MAX)
                refuse(op, "a constant of impossible shape");
            expected *= (std::uint64_t)d;
        }
        if (!data || data->size() != expected)
            refuse(op,
                   std::to_string(data ? data->size() : 0) + " bytes of data where its shape needs " +
                       std::to_string(expected) +
                       (data && !data->empty() ? "" : " (a compiled model has none: use the golden one)"));
        std::vector<std::int8_t> bytes(data->size());
        if (!bytes.empty()) std::memcpy(bytes.data(), data->data(), bytes.size());
        return bytes;
    }

    void two(const xir::Op *op, const std::string &key, std::int32_t &w, std::int32_t &h) const {
        auto v = attr<ints>(op, op, key);
        if (!v) return;
        if (v->size() != 2) refuse(op, "attribute " + key + " needs 2 numbers");
        w = (*v)[0];
        h = (*v)[1];
    }

    static void same_padding(std::int32_t in, std::int32_t out, std::int32_t reach, std::int32_t stride,
                             std::int32_t &before, std::int32_t &after) {
        std::int64_t total = std::max<std::int64_t>((std::int64_t)(out - 1) * stride + reach - in, 0);
        before = (std::int32_t)(total / 2);
        after = (std::int32_t)(total - before);
    }

    void window(const xir::Op *op, engine_node &n) {
        engine_window &w = n.window;
        w = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
        two(op, "kernel", w.kernel_w, w.kernel_h);
        two(op, "stride", w.stride_w, w.stride_h);
        two(op, "dilation", w.dilation_w, w.dilation_h);
        if (auto pad = attr<ints>(op, op, "pad"); pad && !pad->empty()) {
            if (pad->size() != 4) refuse(op, "attribute pad needs 4 numbers");
            w.pad_l = (*pad)[0];
            w.pad_r = (*pad)[1];
            w.pad_t = (*pad)[2];
            w.pad_b = (*pad)[3];
        }
        auto in = op->get_input_op("input", 0)->get_output_tensor()->get_shape();
        if (in.size() == 4 && attr<bool>(op, op, "global").value_or(false)) {
            w.kernel_w = in[2];
            w.kernel_h = in[1];
        }
        auto mode = attr<std::string>(op, op, "pad_mode").value_or("FLOOR");
        if (mode == "SAME" && in.size() == 4 && w.kernel_w >= 1 && w.kernel_w <= 256 && w.kernel_h >= 1 &&
            w.kernel_h <= 256 && w.dilation_w >= 1 && w.dilation_w <= 256 && w.dilation_h >= 1 &&
            w.dilation_h <= 256 && w.stride_w >= 1 && w.stride_w <= 256 && w.stride_h >= 1 &&
            w.stride_h <= 256) {
            same_padding(in[2], n.shape.w, (w.kernel_w - 1) * w.dilation_w + 1, w.stride_w, w.pad_l, w.pad_r);
            same_padding(in[1], n.shape.h, (w.kernel_h - 1) * w.dilation_h + 1, w.stride_h, w.pad_t, w.pad_b);
        } else if (mode == "VALID") {
            w.pad_l = w.pad_r = w.pad_t = w.pad_b = 0;
        } else if (mode != "FLOOR" && mode != "CEIL" && mode != "SAME") {
            refuse(op, "unknown pad_mode " + mode);
        }
    }

    void activation(const xir::Op *op, engine_node &n) {
        auto name = attr<std::string>(op, op, "nonlinear").value_or("NONE");
        auto act = ACTS.find(name);
        if (act == ACTS.end()) refuse(op, "unknown activation " + name);
        n.act = act->second;
        n.prelu = attr_int(op, "prelu_in", 0);
        n.prelu_shift = attr_int(op, "prelu_shift", 0);
        /* newer tools write the slope; the DPU's is 26/256 */
        auto alpha = attr<float>(op, op, "LEAKYRELU_alpha");
        if (n.act == ENGINE_ACT_LEAKY && alpha && (*alpha < 0.0995F || *alpha > 0.1035F))
            refuse(op, "a leaky slope of " + std::to_string(*alpha) + ", not 26/256");
        if (n.act == ENGINE_ACT_HSIGMOID || n.act == ENGINE_ACT_HSWISH || n.op == ENGINE_OP_HARD_SIGMOID)
            hard(op, n);
    }

    void hard(const xir::Op *op, engine_node &n) {
        n.hard.input_fix = attr_int(op, "hsigmoid_in", -1);
        n.hard.shift_hsigmoid = attr_int(op, "shift_hsigmoid", -1);
        n.hard.shift_hswish = attr_int(op, "shift_hswish", n.act == ENGINE_ACT_HSWISH ? -1 : 0);
        if (n.hard.shift_hswish == -128 && n.act != ENGINE_ACT_HSWISH) n.hard.shift_hswish = 0; /* unset */
        int cut = attr_int(op, "shift_cut", -128);
        if (n.weights && cut != -128 &&
            cut != fix_point(op->get_input_op("input", 0)) + n.weights_fix - n.hard.input_fix)
            refuse(op, "shift_cut " + std::to_string(cut) + " does not lead to hsigmoid_in");
    }

    void concat_axis(const xir::Op *op, engine_node &n) {
        int rank = (int)op->get_output_tensor()->get_shape().size();
        int axis = attr_int(op, "axis", -1);
        if (axis < 0) axis += rank;
        int from_last = rank - 1 - axis;
        if (axis < 1 || from_last < 0 || from_last > 2)
            refuse(op, "concat along axis " + std::to_string(axis));
        n.axis = from_last == 0 ? ENGINE_AXIS_C : from_last == 1 ? ENGINE_AXIS_W : ENGINE_AXIS_H;
    }

    void resize(const xir::Op *op, engine_node &n) {
        auto mode = attr<std::string>(op, op, "mode").value_or("NEAREST");
        if (mode == "BILINEAR")
            n.op = ENGINE_OP_BILINEAR;
        else if (mode != "NEAREST")
            refuse(op, "unknown resize mode " + mode);
        n.align_corners = attr<bool>(op, op, "align_corners").value_or(false);
        n.half_pixel = attr<bool>(op, op, "half_pixel_centers").value_or(false);
    }

    void paddings(const xir::Op *op, engine_node &n) {
        auto pads = attr<ints>(op, op, "paddings").value_or(ints{});
        size_t rank = op->get_output_tensor()->get_shape().size();
        if (pads.size() != 2 * rank || rank != 4) refuse(op, "paddings need two numbers per dimension");
        if (pads[0] || pads[1] || pads[6] || pads[7]) refuse(op, "padding of batch or channels");
        if (attr<std::string>(op, op, "mode").value_or("CONSTANT") != "CONSTANT")
            refuse(op, "padding other than by a constant");
        n.window = {1, 1, 1, 1, 1, 1, pads[4], pads[5], pads[2], pads[3]};
    }

    void blocks(const xir::Op *op, engine_node &n) {
        int scale = attr_int(op, n.op == ENGINE_OP_TILE ? "stride" : "scale", 1);
        n.window = {1, 1, scale, scale, 1, 1, 0, 0, 0, 0};
        n.reverse = attr<bool>(op, op, "reverse").value_or(false);
        if (n.op == ENGINE_OP_PIXEL_SHUFFLE) n.reverse = !attr<bool>(op, op, "upscale").value_or(!n.reverse);
    }

    void details(const xir::Op *op, engine_node &n) {
        switch (n.op) {
        case ENGINE_OP_CONV:
        case ENGINE_OP_DEPTHWISE:
        case ENGINE_OP_TRANSPOSED_CONV:
        case ENGINE_OP_TRANSPOSED_DEPTHWISE:
            window(op, n);
            activation(op, n);
            break;
        case ENGINE_OP_POOL_MAX: {
            auto type = attr<std::string>(op, op, "type").value_or("");
            if (type == "AVG")
                n.op = ENGINE_OP_POOL_AVG;
            else if (type != "MAX")
                refuse(op, "unknown pool " + type);
            window(op, n);
            break;
        }
        case ENGINE_OP_ADD:
        case ENGINE_OP_MUL: {
            auto type = attr<std::string>(op, op, "type").value_or(n.op == ENGINE_OP_MUL ? "MUL" : "ADD");
            if (type != "ADD" && type != "MUL") refuse(op, "unknown element-wise " + type);
            n.op = type == "ADD" ? ENGINE_OP_ADD : ENGINE_OP_MUL;
            activation(op, n);
            break;
        }
        case ENGINE_OP_CONCAT:
            concat_axis(op, n);
            break;
        case ENGINE_OP_NEAREST:
            resize(op, n);
            break;
        case ENGINE_OP_PAD:
            paddings(op, n);
            break;
        case ENGINE_OP_TILE:
        case ENGINE_OP_REORG:
        case ENGINE_OP_PIXEL_SHUFFLE:
            blocks(op, n);
            break;
        case ENGINE_OP_HARD_SIGMOID:
            activation(op, n);
            break;
        default:
            break;
        }
    }

    bool is_subgraph_input(const xir::Op *op) const {
        auto inputs = subgraph_->get_input_tensors();
        return std::any_of(inputs.begin(), inputs.end(),
                           [op](const xir::Tensor *t) { return t->get_producer() == op; });
    }

    std::int32_t append(const xir::Op *op, const engine_node &n) {
        std::int32_t id = 0;
        if (engine_graph_add(out_.graph.get(), &n, &id) != OK) {
            std::string why = engine_graph_message(out_.graph.get());
            std::string prefix = std::string(n.name) + ": ";
            refuse(op, why.compare(0, prefix.size(), prefix) == 0 ? why.substr(prefix.size()) : why);
        }
        ids_[op] = id;
        return id;
    }

    /* The id of a producer; tensors from outside the subgraph become inputs of the engine. */
    std::int32_t producer(const xir::Op *user, const xir::Op *op) {
        auto known = ids_.find(op);
        if (known != ids_.end()) return known->second;
        std::string name = op->get_name();
        engine_node n{};
        n.name = name.c_str();
        n.fix_point = fix_point(op);
        if (op->get_type() == "const-fix") {
            auto bytes = constant(user, op);
            n.op = ENGINE_OP_CONST;
            n.shape = constant_shape(op);
            n.weights = bytes.data();
            n.n_weights = bytes.size();
            return append(op, n);
        }
        if (!is_subgraph_input(op)) refuse(user, "its input " + name + " is computed after it or not at all");
        n.op = ENGINE_OP_INPUT;
        n.shape = shape_of(op);
        std::int32_t id = append(op, n);
        out_.inputs.push_back(op->get_output_tensor());
        return id;
    }

    engine_shape constant_shape(const xir::Op *op) const {
        auto dims = op->get_output_tensor()->get_shape();
        engine_shape s{1, 1, 1};
        std::int32_t *to[] = {&s.c, &s.w, &s.h};
        for (size_t i = 0; i < dims.size(); i++) {
            int d = dims[dims.size() - 1 - i];
            if (i < 3)
                *to[i] = d;
            else if (d != 1)
                refuse(op, "a constant of more than one frame");
        }
        return s;
    }

    void add(const xir::Op *op) {
        auto found = KINDS.find(op->get_type());
        if (found == KINDS.end()) refuse(op, "unknown operator");
        if (found->second.op == ENGINE_OP_CONST) return; /* read where it is used */
        std::string name = op->get_name();
        if (found->second.op == ENGINE_OP_INPUT) {
            (void)producer_of_input(op);
            return;
        }
        ints inputs;
        for (const xir::Op *in : op->get_input_ops("input")) inputs.push_back(producer(op, in));
        if (inputs.empty()) refuse(op, "no input");
        engine_node n{};
        std::vector<std::int8_t> weights, bias;
        n.name = name.c_str();
        n.op = found->second.op;
        n.inputs = inputs.data();
        n.n_inputs = inputs.size();
        n.shape = shape_of(op);
        n.fix_point = fix_point(op);
        if (found->second.weights) {
            if (op->get_input_num("weights") < 1) refuse(op, "no weights");
            const xir::Op *w = op->get_input_op("weights", 0);
            weights = constant(op, w);
            n.weights = weights.data();
            n.n_weights = weights.size();
            n.weights_fix = fix_point(w);
            if (op->get_input_num("bias") > 0) {
                const xir::Op *b = op->get_input_op("bias", 0);
                bias = constant(op, b);
                n.bias = bias.data();
                n.n_bias = bias.size();
                n.bias_fix = fix_point(b);
            }
        }
        details(op, n);
        append(op, n);
    }

    std::int32_t producer_of_input(const xir::Op *op) {
        std::string name = op->get_name();
        engine_node n{};
        n.name = name.c_str();
        n.op = ENGINE_OP_INPUT;
        n.shape = shape_of(op);
        n.fix_point = fix_point(op);
        std::int32_t id = append(op, n);
        out_.inputs.push_back(op->get_output_tensor());
        return id;
    }
};

} // namespace

loaded_graph load_subgraph(const xir::Subgraph *subgraph, const std::string &where) {
    return loader(subgraph, where).load();
}

} // namespace relecture
