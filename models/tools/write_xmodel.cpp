/* SPDX-License-Identifier: Apache-2.0 */
/* write_xmodel - turns the converter's graph.json and graph.bin into one xmodel, through XIR.
 *   write_xmodel golden|quant GRAPH.json GRAPH.bin OUT.xmodel
 * golden: int8 "-fix" operations with their weights, cut into USER, DPU and CPU subgraphs; what the simulator
 * runs. quant:  the float form with "fix" nodes, as AMD's quantizers hand it to the card's compiler. */
#include <jansson.h>
#include <xir/attrs/attrs.hpp>
#include <xir/graph/graph.hpp>
#include <xir/graph/subgraph.hpp>
#include <xir/op/op.hpp>
#include <xir/tensor/tensor.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using Str = std::string;
using Ints = std::vector<int>;
using Ops = std::vector<xir::Op *>;
using Inputs = std::map<Str, Ops>;
using AttrsPtr = std::unique_ptr<xir::Attrs>;

namespace {

/* ---- the description ---- */

const json_t *member(const json_t *o, const char *key) {
    const json_t *v = json_object_get(o, key);
    if (!v) throw std::runtime_error(Str("no \"") + key + "\" in the description");
    return v;
}
Str text(const json_t *o, const char *key) {
    const char *s = json_string_value(member(o, key));
    if (!s) throw std::runtime_error(Str(key) + " is no text");
    return s;
}
int number(const json_t *o, const char *key) {
    return (int)json_integer_value(member(o, key));
}
Ints numbers(const json_t *o, const char *key) {
    const json_t *a = member(o, key);
    Ints out;
    for (size_t i = 0; i < json_array_size(a); i++)
        out.push_back((int)json_integer_value(json_array_get(a, i)));
    return out;
}

struct Constant {
    Ints shape;
    int fix_point;
    std::vector<char> data;
};

std::vector<char> read_file(const Str &path) {
    std::unique_ptr<FILE, int (*)(FILE *)> f(fopen(path.c_str(), "rb"), fclose);
    if (!f) throw std::runtime_error("cannot open " + path);
    std::vector<char> out;
    char part[65536];
    for (size_t n; (n = fread(part, 1, sizeof part, f.get())) > 0;) out.insert(out.end(), part, part + n);
    return out;
}

Constant constant_of(const json_t *node, const char *key, const std::vector<char> &blob) {
    const json_t *e = member(node, key);
    Constant c{numbers(e, "shape"), number(e, "fix_point"), {}};
    size_t at = (size_t)json_integer_value(member(e, "at")), n = 1;
    for (int d : c.shape) n *= (size_t)d;
    if (n > blob.size() || at > blob.size() - n)
        throw std::runtime_error(text(node, "name") + ": past graph.bin");
    c.data.assign(blob.begin() + (long)at, blob.begin() + (long)(at + n));
    return c;
}

/* ---- XIR ---- */

/* The number format lives on the output tensor, not on the op. */
void set_fix(xir::Op *op, int fix_point, const Str &round) {
    auto *t = op->get_output_tensor();
    t->set_attr<int>("fix_point", fix_point);
    t->set_attr<int>("bit_width", 8);
    t->set_attr<Str>("round_mode", round);
    t->set_attr<bool>("if_signed", true);
}

AttrsPtr fix_attrs(int fix_point, const Str &round) {
    AttrsPtr a = xir::Attrs::create();
    a->set_attr<int>("fix_point", fix_point);
    a->set_attr<int>("bit_width", 8);
    a->set_attr<Str>("round_mode", round);
    a->set_attr<bool>("if_signed", true);
    return a;
}

AttrsPtr window_attrs(const json_t *node, bool with_dilation) {
    AttrsPtr a = xir::Attrs::create();
    a->set_attr<Ints>("kernel", numbers(node, "kernel")); /* w, h */
    a->set_attr<Ints>("stride", numbers(node, "stride")); /* w, h */
    a->set_attr<Ints>("pad", numbers(node, "pad"));       /* l, r, t, b */
    a->set_attr<Str>("pad_mode", "FLOOR");
    if (with_dilation) a->set_attr<Ints>("dilation", {1, 1});
    return a;
}

AttrsPtr shape_attrs(const Ints &shape, const Str &type) {
    AttrsPtr a = xir::Attrs::create();
    a->set_attr<Ints>("shape", shape);
    a->set_attr<Str>("data_type", type);
    return a;
}

Ints with_batch(Ints shape) {
    shape.insert(shape.begin(), 1);
    return shape;
}

/* One way of writing the same layers. */
class Form {
  public:
    explicit Form(xir::Graph *graph) : g(graph) {
    }
    virtual ~Form() = default;
    virtual xir::Op *image(const Str &name, const Ints &shape, int fix_point) = 0;
    virtual xir::Op *layer(const json_t *node, const Ops &in, const std::vector<char> &blob) = 0;
    virtual void output(const Str &name, xir::Op *from, int fix_point) = 0;
    virtual void finish(const Str &dpu_name) = 0;

  protected:
    xir::Graph *g;
};

class Golden : public Form {
  public:
    using Form::Form;

    xir::Op *image(const Str &name, const Ints &shape, int fix_point) override {
        user = g->add_op(name, "data-fix", shape_attrs(with_batch(shape), "XINT8"), {});
        set_fix(user, fix_point, "DPU_ROUND");
        auto *up = g->add_op("upload_" + name, "upload", xir::Attrs::create(), Inputs{{"input", {user}}});
        set_fix(up, fix_point, "DPU_ROUND");
        return up;
    }

    xir::Op *layer(const json_t *node, const Ops &in, const std::vector<char> &blob) override {
        const Str op = text(node, "op"), name = text(node, "name");
        Inputs inputs{{"input", in}};
        AttrsPtr a;
        Str type;
        if (op == "conv" || op == "transposed_depthwise") {
            a = window_attrs(node, true);
            inputs["weights"] = {constant(name + "_weights", constant_of(node, "weights", blob))};
            type = "transposed-depthwise-conv2d-fix";
            Str activation = "NONE";
            if (op == "conv") {
                type = "conv2d-fix";
                inputs["bias"] = {constant(name + "_bias", constant_of(node, "bias", blob))};
                if (json_is_true(member(node, "leaky"))) activation = "LEAKYRELU";
            }
            a->set_attr<Str>("nonlinear", activation);
        } else if (op == "max_pool" || op == "average_pool") {
            a = window_attrs(node, false);
            a->set_attr<Str>("type", op == "max_pool" ? "MAX" : "AVG");
            a->set_attr<bool>("global", false);
            type = "pool-fix";
        } else if (op == "add") {
            a = xir::Attrs::create();
            a->set_attr<Str>("type", "ADD");
            a->set_attr<Str>("nonlinear", "NONE");
            type = "eltwise-fix";
        } else if (op == "concat") {
            a = xir::Attrs::create();
            a->set_attr<int>("axis", 3);
            type = "concat-fix";
        } else {
            throw std::runtime_error(name + ": unknown operation " + op);
        }
        auto *out = g->add_op(name, type, std::move(a), inputs);
        set_fix(out, number(node, "fix_point"), "DPU_ROUND");
        return out;
    }

    void output(const Str &name, xir::Op *from, int fix_point) override {
        auto *down = g->add_op(name, "download", xir::Attrs::create(), Inputs{{"input", {from}}});
        set_fix(down, fix_point, "DPU_ROUND");
        cpu.insert(g->add_op(name + "_float", "fix2float", fix_attrs(fix_point, "DPU_ROUND"),
                             Inputs{{"input", {down}}}));
    }

    /* One leaf subgraph per op, then everything between upload and download becomes the DPU's. */
    void finish(const Str &dpu_name) override {
        auto *root = g->get_root_subgraph();
        root->create_children();
        root->set_attr<Str>("device", "ROOT");
        std::set<xir::Subgraph *> dpu_leaves;
        for (auto *s : root->get_children()) {
            const xir::Op *op = *s->get_ops().begin();
            if (op == user || cpu.count(op)) {
                s->set_name("subgraph_" + op->get_name());
                s->set_attr<Str>("device", op == user ? "USER" : "CPU");
            } else {
                dpu_leaves.insert(s);
            }
        }
        auto *dpu = root->merge_children(dpu_leaves);
        dpu->set_name("subgraph_dpu");
        dpu->set_attr<Str>("device", "DPU");
        dpu->set_attr<std::map<Str, Str>>("runner", {{"run", "libvart-dpu-runner.so.2"}});
        dpu->set_attr<Str>("dpu_name", dpu_name);
        dpu->set_attr<std::uint64_t>("dpu_fingerprint",
                                     0); /* of no card: only a compiled model carries one */
    }

  private:
    xir::Op *user = nullptr;
    std::set<const xir::Op *> cpu;

    xir::Op *constant(const Str &name, const Constant &c) {
        AttrsPtr a = shape_attrs(c.shape, "XINT8");
        a->set_attr<std::vector<char>>("data", c.data);
        auto *op = g->add_op(name, "const-fix", std::move(a), {});
        set_fix(op, c.fix_point, "PY3_ROUND");
        return op;
    }
};

class Quant : public Form {
  public:
    using Form::Form;

    xir::Op *image(const Str &name, const Ints &shape, int fix_point) override {
        auto *op = g->add_op(name, "data", shape_attrs(with_batch(shape), "FLOAT32"), {});
        return fixed(op, fix_point, "DPU_ROUND");
    }

    xir::Op *layer(const json_t *node, const Ops &in, const std::vector<char> &blob) override {
        const Str op = text(node, "op"), name = text(node, "name");
        Inputs inputs{{"input", in}};
        AttrsPtr a;
        Str type;
        bool leaky = false;
        if (op == "conv" || op == "transposed_depthwise") {
            a = window_attrs(node, true);
            inputs["weights"] = {constant(name + "_weights", constant_of(node, "weights", blob))};
            type = "transposed-depthwise-conv2d";
            if (op == "conv") {
                type = "conv2d";
                inputs["bias"] = {constant(name + "_bias", constant_of(node, "bias", blob))};
                leaky = json_is_true(member(node, "leaky"));
            }
        } else if (op == "max_pool" || op == "average_pool") {
            a = window_attrs(node, false);
            a->set_attr<bool>("global", false);
            type = op == "max_pool" ? "maxpool2d" : "avgpool2d";
        } else if (op == "add") {
            a = xir::Attrs::create();
            type = "add";
        } else if (op == "concat") {
            a = xir::Attrs::create();
            a->set_attr<int>("axis", 3);
            type = "concat";
        } else {
            throw std::runtime_error(name + ": unknown operation " + op);
        }
        auto *out = g->add_op(name, type, std::move(a), inputs);
        if (leaky) {
            a = xir::Attrs::create();
            a->set_attr<float>("alpha", 26.0f / 256.0f); /* the DPU's slope */
            out = g->add_op(name + "_leaky", "leaky-relu", std::move(a), Inputs{{"input", {out}}});
        }
        return fixed(out, number(node, "fix_point"), "DPU_ROUND");
    }

    void output(const Str &, xir::Op *, int) override {
    } /* the last fix nodes are the outputs */
    void finish(const Str &) override {
    } /* the compiler cuts the graph */

  private:
    xir::Op *fixed(xir::Op *op, int fix_point, const Str &round) {
        return g->add_op(op->get_name() + "_fix", "fix", fix_attrs(fix_point, round),
                         Inputs{{"input", {op}}});
    }

    /* The values are those of the int8 constants, so rounding them again changes nothing. */
    xir::Op *constant(const Str &name, const Constant &c) {
        std::vector<float> values;
        for (char v : c.data) values.push_back(std::ldexp((float)(signed char)v, -c.fix_point));
        std::vector<char> raw(values.size() * sizeof(float));
        memcpy(raw.data(), values.data(), raw.size());
        AttrsPtr a = shape_attrs(c.shape, "FLOAT32");
        a->set_attr<std::vector<char>>("data", raw);
        return fixed(g->add_op(name, "const", std::move(a), {}), c.fix_point, "PY3_ROUND");
    }
};

void write(const Str &kind, const json_t *what, const std::vector<char> &blob, const Str &path) {
    auto owner = xir::Graph::create(text(what, "name"));
    std::unique_ptr<Form> form;
    if (kind == "golden")
        form = std::make_unique<Golden>(owner.get());
    else if (kind == "quant")
        form = std::make_unique<Quant>(owner.get());
    else
        throw std::runtime_error("the form is golden or quant, not " + kind);

    std::map<Str, xir::Op *> made;
    std::map<Str, int> fix_point;
    const json_t *nodes = member(what, "nodes");
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i);
        const Str name = text(node, "name");
        const Ints shape = numbers(node, "shape");
        fix_point[name] = number(node, "fix_point");
        if (text(node, "op") == "input") {
            made[name] = form->image(text(what, "input"), shape, fix_point[name]);
            continue;
        }
        Ops in;
        const json_t *names = member(node, "inputs");
        for (size_t j = 0; j < json_array_size(names); j++)
            in.push_back(made.at(json_string_value(json_array_get(names, j))));
        auto *op = form->layer(node, in, blob);
        if (op->get_output_tensor()->get_shape() != with_batch(shape))
            throw std::runtime_error(name + ": XIR infers another shape than the converter");
        made[name] = op;
    }
    const json_t *outputs = member(what, "outputs");
    for (size_t i = 0; i < json_array_size(outputs); i++) {
        const json_t *o = json_array_get(outputs, i);
        const Str node = text(o, "node");
        form->output(text(o, "name"), made.at(node), fix_point.at(node));
    }
    form->finish(text(what, "dpu_name"));
    owner->serialize(path);
    printf("%s: %d operations\n", path.c_str(), (int)owner->get_op_num());
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: write_xmodel golden|quant GRAPH.json GRAPH.bin OUT.xmodel\n");
        return 2;
    }
    json_error_t why;
    json_t *what = json_load_file(argv[2], 0, &why);
    if (!what) {
        fprintf(stderr, "write_xmodel: %s:%d: %s\n", argv[2], why.line, why.text);
        return 1;
    }
    int rc = 0;
    try {
        write(argv[1], what, read_file(argv[3]), argv[4]);
    } catch (const std::exception &e) {
        fprintf(stderr, "write_xmodel: %s\n", e.what());
        rc = 1;
    }
    json_decref(what);
    return rc;
}
