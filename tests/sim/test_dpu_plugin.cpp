/* SPDX-License-Identifier: Apache-2.0 */
/* The runner plug-in through VART, as the card worker loads it. TAP on stdout.
 *   test_dpu_plugin [PLUGIN.so [GOLDEN.xmodel]]     by default the plug-in built beside it and the detector
 */
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vart/runner.hpp>
#include <vart/runner_ext.hpp>
#include <xir/attrs/attrs.hpp>
#include <xir/graph/graph.hpp>
#include <xir/graph/subgraph.hpp>
#include <xir/op/op.hpp>
#include <xir/tensor/tensor.hpp>

extern "C" {
#include "sim/latency.h"
}
#include "tests/support/xmodel.hpp"

namespace {

using namespace xmodel;

text plugin;
int n_run, n_failed;

struct failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};
void check(bool holds, const text &what) {
    if (!holds) throw failure(what);
}
void test(const char *name, const std::function<void()> &body) {
    n_run++;
    try {
        body();
        printf("ok %d - %s\n", n_run, name);
    } catch (const std::exception &e) {
        n_failed++;
        printf("not ok %d - %s\n# %s\n", n_run, name, e.what());
    }
    fflush(stdout);
}

std::unique_ptr<vart::RunnerExt> open_runner(const xir::Subgraph *s, const text &isa = "") {
    auto attrs = xir::Attrs::create();
    attrs->set_attr<std::map<text, text>>("lib", {{"DPU", plugin}});
    attrs->set_attr<text>("model_path", "some/file.xmodel");
    if (!isa.empty()) attrs->set_attr<text>("isa", isa);
    return vart::RunnerExt::create_runner(s, attrs.get());
}

/* What the factory itself says about a model it refuses. */
text refusal(const xir::Subgraph *s, const text &isa = "") {
    using factory = vart::Runner *(const xir::Subgraph *, xir::Attrs *);
    void *lib = dlopen(plugin.c_str(), RTLD_NOW | RTLD_LOCAL);
    check(lib, "the plug-in cannot be loaded");
    auto *make = reinterpret_cast<factory *>(dlsym(lib, "create_runner_with_attrs"));
    check(make, "the plug-in does not export create_runner_with_attrs");
    auto attrs = xir::Attrs::create();
    attrs->set_attr<text>("model_path", "some/file.xmodel");
    if (!isa.empty()) attrs->set_attr<text>("isa", isa);
    try {
        delete make(s, attrs.get());
    } catch (const std::exception &e) {
        return e.what();
    }
    return "";
}

std::int8_t *bytes(vart::TensorBuffer *b) {
    return reinterpret_cast<std::int8_t *>((std::uintptr_t)b->data({0, 0, 0, 0}).first);
}

void contains(const text &in, const text &what) {
    check(in.find(what) != text::npos, "\"" + in + "\" does not name " + what);
}

void conv_through_vart() {
    model m({1, 1, 2, 3}, 0);
    m.finish(m.conv(m.up, "RELU", {1, 2, 3, -1, -2, -3}, 0), 0);
    auto r = open_runner(m.dpu);
    auto in = r->get_inputs(), out = r->get_outputs();
    check(in.size() == 1 && out.size() == 1, "one input and one output");
    const std::int8_t x[6] = {1, 2, 3, -1, -2, -3}, want[4] = {15, 0, 0, 16};
    std::memcpy(bytes(in[0]), x, sizeof x);
    auto job = r->execute_async(in, out);
    check(job.second == 0, "submitting");
    check(r->wait((int)job.first, 5000) == 0, "waiting");
    check(std::memcmp(bytes(out[0]), want, sizeof want) == 0, "the outputs");
    check(r->wait((int)job.first, 0) < 0, "a collected job is an error");
}

void unknown_job() {
    model m({1, 1, 2, 3}, 0);
    m.finish(m.conv(m.up, "NONE", {1, 2, 3, -1, -2, -3}, 0), 0);
    auto r = open_runner(m.dpu);
    auto before = std::chrono::steady_clock::now();
    check(r->wait(9999, -1) < 0, "an unknown id");
    check(r->wait(-1, -1) < 0, "any id of none");
    check(std::chrono::steady_clock::now() - before < std::chrono::seconds(1), "took its time");
}

void many_jobs() {
    model m({1, 1, 2, 3}, 0);
    m.finish(m.conv(m.up, "NONE", {1, 0, 0, 0, 1, 0}, 0), 0);
    auto r = open_runner(m.dpu);
    auto in = r->get_inputs(), out = r->get_outputs();
    std::memset(bytes(in[0]), 7, 6);
    std::set<std::uint32_t> ids;
    for (int i = 0; i < 200; i++) {
        auto job = r->execute_async(in, out);
        check(job.second == 0 && ids.insert(job.first).second, "a fresh id each time");
    }
    int collected = 0;
    std::thread other([&] {
        for (auto id : ids)
            if (id % 2) collected += r->wait((int)id, 5000) == 0;
    });
    int mine = 0;
    for (auto id : ids)
        if (id % 2 == 0) mine += r->wait((int)id, 5000) == 0;
    other.join();
    check(collected + mine == 200, "every job is collected once");
    check(r->wait(-1, 0) < 0, "none is left");
}

void wrong_buffers() {
    model m({1, 1, 2, 3}, 0);
    m.finish(m.conv(m.up, "NONE", {1, 2, 3, -1, -2, -3}, 0), 0);
    auto r = open_runner(m.dpu);
    check(r->execute_async(r->get_outputs(), r->get_outputs()).second < 0, "buffers of other tensors");
    check(r->execute_async({}, r->get_outputs()).second < 0, "no buffers");
}

void batch_of_two() {
    model m({2, 1, 1, 3}, 0);
    m.finish(m.conv(m.up, "NONE", {1, 0, 0, 0, 1, 0}, 0), 0);
    auto r = open_runner(m.dpu);
    auto in = r->get_inputs(), out = r->get_outputs();
    const std::int8_t x[6] = {1, 2, 3, 4, 5, 6}, want[4] = {2, 4, 5, 7};
    std::memcpy(bytes(in[0]), x, sizeof x);
    auto job = r->execute_async(in, out);
    check(r->wait((int)job.first, 5000) == 0, "waiting");
    check(std::memcmp(bytes(out[0]), want, sizeof want) == 0, "the outputs of both frames");
}

void compiled_model() {
    model m({1, 1, 2, 3}, 0);
    m.finish(m.conv(m.up, "NONE", {}, 0), 0);
    text why = refusal(m.dpu);
    contains(why, "some/file.xmodel");
    contains(why, "subgraph_tiny");
    contains(why, "op w ");
    contains(why, "golden");
}

void short_weights() {
    model m({1, 1, 2, 3}, 0);
    m.finish(m.conv(m.up, "NONE", {1, 2, 3}, 0), 0);
    contains(refusal(m.dpu), "3 bytes of data where its shape needs 6");
}

void bad_activation() {
    model m({1, 1, 2, 3}, 0);
    m.finish(m.conv(m.up, "SOFTPLUS", {1, 2, 3, 4, 5, 6}, 0), 0);
    contains(refusal(m.dpu), "op conv (conv2d-fix): unknown activation SOFTPLUS");
}

void bad_fix_point() {
    model m({1, 1, 2, 3}, 0);
    m.finish(m.conv(m.up, "NONE", {1, 2, 3, 4, 5, 6}, -60), -60);
    contains(refusal(m.dpu), "fix points out of range");
}

void missing_fix_point() {
    model m({1, 1, 2, 3}, 0);
    auto *op = m.conv(m.up, "NONE", {1, 2, 3, 4, 5, 6}, 0);
    m.finish(op, 0);
    op->get_output_tensor()->set_attrs(xir::Attrs::create());
    contains(refusal(m.dpu), "op conv (conv2d-fix): its tensor has no fix_point");
}

void wrong_attribute_type() {
    model m({1, 1, 2, 3}, 0);
    auto *op = m.conv(m.up, "NONE", {1, 2, 3, 4, 5, 6}, 0);
    m.finish(op, 0);
    op->set_attr<text>("pad", "none");
    contains(refusal(m.dpu), "attribute pad has an unexpected type");
}

void hostile_window() {
    for (int bad : {0, -1, 1 << 30}) {
        model m({1, 1, 2, 3}, 0);
        auto *op = m.conv(m.up, "NONE", {1, 2, 3, 4, 5, 6}, 0);
        m.finish(op, 0);
        op->set_attr<ints>("kernel", {bad, bad});
        contains(refusal(m.dpu), "op conv (conv2d-fix): kernel");
        op->set_attr<ints>("kernel", {1, 1});
        op->set_attr<ints>("stride", {bad, 1});
        contains(refusal(m.dpu), "op conv (conv2d-fix): stride");
    }
}

void unknown_operator() {
    model m({1, 1, 2, 3}, 0);
    auto a = xir::Attrs::create();
    a->set_attr<ints>("shape", {1, 1, 2, 3});
    a->set_attr<text>("data_type", "XINT8");
    auto *op = m.graph->add_op("odd", "relecture-no-such-op", std::move(a), op_inputs{{"input", {m.up}}});
    set_fix(op, 0);
    m.finish(op, 0);
    contains(refusal(m.dpu), "op odd (relecture-no-such-op): unknown operator");
}

void unknown_isa() {
    model m({1, 1, 2, 3}, 0);
    m.finish(m.conv(m.up, "NONE", {1, 2, 3, 4, 5, 6}, 0), 0);
    contains(refusal(m.dpu, "quantum"), "quantum");
}

/* A directory with a card.toml, for as long as it lives. */
struct described_card {
    char dir[32] = "/tmp/relecture-card-XXXXXX";
    explicit described_card(const text &toml) {
        check(mkdtemp(dir), "a temporary directory");
        FILE *f = fopen((text(dir) + "/card.toml").c_str(), "w");
        check(f && fputs(toml.c_str(), f) >= 0 && fclose(f) == 0, "writing card.toml");
        setenv("XILINX_XRT", dir, 1);
    }
    ~described_card() {
        unsetenv("XILINX_XRT");
        unlink((text(dir) + "/card.toml").c_str());
        rmdir(dir);
    }
};

double seconds_of(vart::RunnerExt *a, vart::RunnerExt *b) {
    auto begun = std::chrono::steady_clock::now();
    auto job = a->execute_async(a->get_inputs(), a->get_outputs());
    if (b) {
        auto other = b->execute_async(b->get_inputs(), b->get_outputs());
        check(b->wait((int)other.first, 10000) == 0, "the second job");
    }
    check(a->wait((int)job.first, 10000) == 0, "the first job");
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

void card_time() {
    model m({1, 1, 2, 3}, 0);
    m.finish(m.conv(m.up, "NONE", {1, 2, 3, 4, 5, 6}, 0), 0);
    {
        described_card card("[time]\nreal = true\n[dpu]\njob_us = 30000\nengines = 1\n");
        auto a = open_runner(m.dpu), b = open_runner(m.dpu);
        check(seconds_of(a.get(), nullptr) >= 0.030, "a job ended before its time");
        check(seconds_of(a.get(), b.get()) >= 0.060, "two jobs on one engine ended before their time");
    }
    {
        described_card card("[dpu]\njob_us = 900000\n");
        auto a = open_runner(m.dpu);
        check(seconds_of(a.get(), nullptr) < 0.9, "without real time a job waits for nothing");
    }
}

void bad_card() {
    model m({1, 1, 2, 3}, 0);
    m.finish(m.conv(m.up, "NONE", {1, 2, 3, 4, 5, 6}, 0), 0);
    described_card card("[dpu]\nspeed = 11\n");
    contains(refusal(m.dpu), "card.toml:2");
}

/* The descriptions that are shipped, and that resnet50's published rate comes out of them again. */
void shipped_cards() {
    const struct {
        const char *name;
        double fps, gops;
    } CARDS[] = {{"u50lv", 512, 8.2},
                 {"u55c", 1012, 8.2},
                 {"u250", 2135, 7.7},
                 {"vck5000", 4544, 8.2},
                 {"v70", 3912, 7.7}};
    for (const auto &card : CARDS) {
        sim_config c;
        char why[512] = "";
        sim_config_defaults(&c);
        check(sim_config_load((text("sim/cards/") + card.name + ".toml").c_str(), &c, why, sizeof why) == 0,
              why);
        check(c.real_time && text(c.name) == card.name, "its name");
        double us = sim_latency_dpu_us(&c, (std::uint64_t)(card.gops / 2 * 1e9), c.dpu_batch);
        double fps = 1e6 / us * c.dpu_batch * c.dpu_engines;
        check(fps > 0.97 * card.fps && fps < 1.03 * card.fps,
              text(card.name) + " gives " + std::to_string(fps) + " frames/s");
    }
}

/* One job of noise on every instruction set of this processor: the same bytes, and not all equal. */
void same_on_every_path(const xir::Subgraph *s, const text &what) {
    std::vector<std::vector<std::int8_t>> first;
    for (const char *isa : {"auto", "portable", "avx2", "avx512-vnni", "reference"}) {
        text why = refusal(s, isa);
        if (why.find("this processor cannot") != text::npos) continue; /* this processor lacks it */
        check(why.empty(), what + ": " + why);
        auto r = open_runner(s, isa);
        auto in = r->get_inputs(), out = r->get_outputs();
        for (auto *b : in) {
            std::uint32_t seed = 1;
            size_t n = (size_t)b->get_tensor()->get_data_size();
            for (size_t i = 0; i < n; i++) {
                seed = seed * 1664525U + 1013904223U;
                bytes(b)[i] = (std::int8_t)(seed >> 24);
            }
        }
        auto job = r->execute_async(in, out);
        check(job.second == 0 && r->wait((int)job.first, 300000) == 0, what + ": no result");
        std::vector<std::vector<std::int8_t>> all;
        for (auto *b : out) all.emplace_back(bytes(b), bytes(b) + b->get_tensor()->get_data_size());
        if (first.empty()) first = all;
        check(first == all, what + ": outputs differ on " + isa);
    }
    for (const auto &o : first)
        check(o.size() > 1 && std::set<std::int8_t>(o.begin(), o.end()).size() > 1, what + ": no values");
}

using setter = std::function<void(xir::Attrs *)>;

/* One operator of the registry behind the upload of a model of [2, 8, 8, 16], fix point 5. */
xir::Op *operator_of(model &m, const text &type, const op_inputs &inputs, int fix, const setter &set) {
    auto a = xir::Attrs::create();
    set(a.get());
    auto *op = m.graph->add_op("op", type, std::move(a), inputs);
    set_fix(op, fix);
    return op;
}

setter window(const ints &kernel, const ints &stride, const ints &pad, const ints &dilation = {1, 1}) {
    return [=](xir::Attrs *a) {
        a->set_attr<ints>("kernel", kernel);
        a->set_attr<ints>("stride", stride);
        a->set_attr<ints>("dilation", dilation);
        a->set_attr<ints>("pad", pad);
        a->set_attr<text>("pad_mode", "FLOOR");
    };
}

xir::Op *weighted(model &m, const text &type, const ints &weights, const text &act, const setter &set) {
    size_t n = 1;
    for (int d : weights) n *= (size_t)d;
    std::vector<char> data(n), bias((size_t)16, 9);
    for (size_t i = 0; i < n; i++) data[i] = (char)((i * 2654435761U >> 20) % 61 - 30);
    op_inputs in{{"input", {m.up}},
                 {"weights", {m.constant("w", weights, 7, data)}},
                 {"bias", {m.constant("b", {16}, 8, bias)}}};
    return operator_of(m, type, in, act == "HSIGMOID" ? 7 : 4, [&](xir::Attrs *a) {
        set(a);
        a->set_attr<text>("nonlinear", act);
        if (act == "PRELU") {
            a->set_attr<int>("prelu_in", 3);
            a->set_attr<int>("prelu_shift", 4);
        }
        if (act[0] != 'H') return;
        a->set_attr<int>("hsigmoid_in", 5);
        a->set_attr<int>("shift_hsigmoid", 5 + 14 - 7);
        a->set_attr<int>("shift_hswish", act == "HSWISH" ? 5 + 7 - 4 : -128);
        a->set_attr<int>("shift_bias", 4);
        a->set_attr<int>("shift_cut", 7);
    });
}

xir::Op *pool(model &m, const text &type, bool global) {
    return operator_of(m, "pool-fix", {{"input", {m.up}}}, 5, [&](xir::Attrs *a) {
        int k = global ? 8 : 3, s = global ? 1 : 2, p = global ? 0 : 1;
        a->set_attr<ints>("kernel", {k, k});
        a->set_attr<ints>("stride", {s, s});
        a->set_attr<ints>("pad", {p, p, p, p});
        a->set_attr<text>("pad_mode", "FLOOR");
        a->set_attr<text>("type", type);
        a->set_attr<bool>("global", global);
    });
}

xir::Op *resize(model &m, const text &type, const text &mode, float scale, bool corners, bool half) {
    return operator_of(m, type, {{"input", {m.up}}}, 5, [&](xir::Attrs *a) {
        a->set_attr<text>("mode", mode);
        a->set_attr<std::vector<float>>("scale", {scale, scale});
        a->set_attr<bool>("align_corners", corners);
        a->set_attr<bool>("half_pixel_centers", half);
    });
}

xir::Op *blocks(model &m, const text &type, const text &key, bool reverse) {
    return operator_of(m, type, {{"input", {m.up}}}, 5, [&](xir::Attrs *a) {
        a->set_attr<int>(key, 2);
        a->set_attr<bool>("reverse", reverse);
        if (type == "pixel-shuffle-fix") a->set_attr<bool>("upscale", !reverse);
    });
}

const std::map<text, std::function<xir::Op *(model &)>> OPERATORS = {
    {"conv of 3x3, stride 2",
     [](model &m) {
         return weighted(m, "conv2d-fix", {16, 3, 3, 16}, "NONE", window({3, 3}, {2, 2}, {1, 1, 1, 1}));
     }},
    {"dilated conv",
     [](model &m) {
         return weighted(m, "conv2d-fix", {16, 3, 3, 16}, "RELU",
                         window({3, 3}, {1, 1}, {2, 2, 2, 2}, {2, 2}));
     }},
    {"depthwise",
     [](model &m) {
         return weighted(m, "depthwise-conv2d-fix", {1, 3, 3, 16}, "RELU6",
                         window({3, 3}, {1, 1}, {1, 1, 1, 1}));
     }},
    {"transposed conv",
     [](model &m) {
         return weighted(m, "transposed-conv2d-fix", {16, 4, 4, 16}, "NONE",
                         window({4, 4}, {2, 2}, {1, 1, 1, 1}));
     }},
    {"transposed depthwise",
     [](model &m) {
         return weighted(m, "transposed-depthwise-conv2d-fix", {1, 4, 4, 16}, "NONE",
                         window({4, 4}, {2, 2}, {1, 1, 1, 1}));
     }},
    {"max pool", [](model &m) { return pool(m, "MAX", false); }},
    {"average pool", [](model &m) { return pool(m, "AVG", false); }},
    {"global average pool", [](model &m) { return pool(m, "AVG", true); }},
    {"global max pool", [](model &m) { return pool(m, "MAX", true); }},
    {"add",
     [](model &m) {
         return operator_of(m, "eltwise-fix", {{"input", {m.up, m.up}}}, 4,
                            [](xir::Attrs *a) { a->set_attr<text>("type", "ADD"); });
     }},
    {"mul",
     [](model &m) {
         return operator_of(m, "eltwise-fix", {{"input", {m.up, m.up}}}, 4,
                            [](xir::Attrs *a) { a->set_attr<text>("type", "MUL"); });
     }},
    {"concat",
     [](model &m) {
         return operator_of(m, "concat-fix", {{"input", {m.up, m.up}}}, 5,
                            [](xir::Attrs *a) { a->set_attr<int>("axis", 3); });
     }},
    {"nearest", [](model &m) { return resize(m, "upsample-fix", "NEAREST", 2, false, false); }},
    {"bilinear, half pixels", [](model &m) { return resize(m, "upsample-fix", "BILINEAR", 2, false, true); }},
    {"bilinear, corners", [](model &m) { return resize(m, "upsample-fix", "BILINEAR", 2, true, false); }},
    {"downsample", [](model &m) { return resize(m, "downsample-fix", "NEAREST", 2, false, false); }},
    {"reshape",
     [](model &m) {
         return operator_of(m, "reshape-fix", {{"input", {m.up}}}, 5, [](xir::Attrs *a) {
             a->set_attr<ints>("shape", {2, 64, 16});
         });
     }},
    {"pad",
     [](model &m) {
         return operator_of(m, "pad-fix", {{"input", {m.up}}}, 5, [](xir::Attrs *a) {
             a->set_attr<ints>("paddings", {0, 0, 1, 2, 3, 0, 0, 0});
             a->set_attr<text>("mode", "CONSTANT");
         });
     }},
    {"hard sigmoid",
     [](model &m) {
         return operator_of(m, "hard-sigmoid-fix", {{"input", {m.up}}}, 7, [](xir::Attrs *a) {
             a->set_attr<int>("hsigmoid_in", 5);
             a->set_attr<int>("shift_hsigmoid", 5 + 14 - 7);
         });
     }},
    {"tile", [](model &m) { return blocks(m, "tile-fix", "stride", false); }},
    {"reorg", [](model &m) { return blocks(m, "reorg-fix", "scale", false); }},
    {"pixel shuffle", [](model &m) { return blocks(m, "pixel-shuffle-fix", "scale", false); }},
};

void every_operator() {
    for (const char *act : {"NONE", "RELU", "LEAKYRELU", "RELU6", "PRELU", "HSIGMOID", "HSWISH"}) {
        model m({2, 8, 8, 16}, 5);
        m.finish(weighted(m, "conv2d-fix", {16, 1, 1, 16}, act, window({1, 1}, {1, 1}, {0, 0, 0, 0})),
                 text(act) == "HSIGMOID" ? 7 : 4);
        same_on_every_path(m.dpu, text("conv with ") + act);
    }
    for (const auto &[name, make] : OPERATORS) {
        model m({2, 8, 8, 16}, 5);
        auto *op = make(m);
        m.finish(op, op->get_output_tensor()->get_attr<int>("fix_point"));
        same_on_every_path(m.dpu, name);
    }
}

/* Open the file as the card worker does; *stage becomes 1 once XIR has accepted it, 2 at the end. */
[[noreturn]] void open_in_child(const char *path, volatile int *stage) {
    alarm(20);
    if (!freopen("/dev/null", "w", stderr)) _exit(1);
    auto graph = xir::Graph::deserialize(path);
    *stage = 1;
    for (auto *s : graph->get_root_subgraph()->children_topological_sort())
        if (s->has_attr("device") && s->get_attr<text>("device") == "DPU") (void)refusal(s);
    *stage = 2;
    _exit(0);
}

/* Seeded mutations and truncations of a model file. XIR may abort on them, or worse, before it has accepted
 * one (hence the child processes); what it accepts must be taken or refused without a fault. */
void mutated_models() {
    char path[] = "/tmp/relecture-model-XXXXXX";
    int fd = mkstemp(path);
    check(fd >= 0 && close(fd) == 0, "a temporary file");
    model m({1, 8, 8, 16}, 5);
    auto *op = weighted(m, "conv2d-fix", {16, 3, 3, 16}, "RELU", window({3, 3}, {1, 1}, {1, 1, 1, 1}));
    m.finish(op, 4);
    m.graph->serialize(path);
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> good((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    void *shared = mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(shared != MAP_FAILED && good.size() > 1000, "the model as a file");
    auto *stage = static_cast<volatile int *>(shared);
    std::uint32_t r = 7;
    auto below = [&r](size_t n) { return (r = r * 1664525U + 1013904223U, (size_t)(r >> 8) % n); };
    int accepted = 0, faults = 0;
    for (int i = 0; i < 120; i++) {
        std::vector<char> bad = good;
        if (i % 8 == 7) bad.resize(below(bad.size()));
        for (size_t k = i % 8 == 7 ? 0 : 1 + below(4); k > 0; k--) bad[below(bad.size())] = (char)below(256);
        std::ofstream(path, std::ios::binary).write(bad.data(), (std::streamsize)bad.size());
        *stage = 0;
        pid_t pid = fork();
        check(pid >= 0, "a child");
        if (pid == 0) open_in_child(path, stage);
        int status = 0;
        check(waitpid(pid, &status, 0) == pid, "waiting for it");
        accepted += *stage >= 1;
        faults += *stage == 1 && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
    unlink(path);
    munmap(shared, sizeof(int));
    printf("# %d of 120 mutated models accepted by XIR\n", accepted);
    check(faults == 0, std::to_string(faults) + " mutated models ended the process by other than abort");
    check(accepted > 10, "hardly any was accepted by XIR: nothing was tested");
}

/* One frame of a real golden model on every instruction set. */
void golden_model(const char *path) {
    if (access(path, R_OK) != 0) throw failure("the golden model is not built: make models");
    auto graph = xir::Graph::deserialize(path);
    for (auto *s : graph->get_root_subgraph()->children_topological_sort()) {
        if (!s->has_attr("device") || s->get_attr<text>("device") != "DPU") continue;
        same_on_every_path(s, path);
        return;
    }
    throw failure("no DPU subgraph");
}

} // namespace

int main(int argc, char **argv) {
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self);
    text here = n > 0 ? text(self, (size_t)n) : text(argv[0]);
    for (int up = 0; up < 3; up++) here = here.substr(0, here.find_last_of('/'));
    plugin = argc > 1 ? argv[1] : here + "/sim/librelecture_dpu.so";
    text golden = argc > 2 ? argv[2] : "build/models/nanodet-g/nanodet-g.golden.xmodel";
    test("conv_through_vart_gives_the_hand_computed_outputs", conv_through_vart);
    test("waiting_for_an_unknown_job_is_an_error_at_once", unknown_job);
    test("jobs_in_flight_are_each_collected_once_from_any_thread", many_jobs);
    test("buffers_of_other_tensors_are_refused", wrong_buffers);
    test("every_frame_of_a_batch_is_computed", batch_of_two);
    test("a_compiled_model_without_weights_is_refused_by_name", compiled_model);
    test("weights_of_another_size_are_refused", short_weights);
    test("an_unknown_activation_is_refused", bad_activation);
    test("fix_points_out_of_range_are_refused", bad_fix_point);
    test("a_tensor_without_fix_point_is_refused", missing_fix_point);
    test("an_attribute_of_another_type_is_refused", wrong_attribute_type);
    test("impossible_kernels_and_strides_are_refused", hostile_window);
    test("an_unknown_operator_is_refused_by_name", unknown_operator);
    test("an_unknown_instruction_set_is_refused", unknown_isa);
    test("every_operator_of_the_registry_gives_the_same_bytes_on_every_path", every_operator);
    test("mutated_models_are_taken_or_refused_without_a_fault", mutated_models);
    test("a_described_card_takes_its_time_and_shares_its_engines", card_time);
    test("a_description_with_an_unknown_key_is_refused_by_line", bad_card);
    test("shipped_descriptions_give_back_the_published_rates", shipped_cards);
    test("the_golden_model_gives_the_same_bytes_on_every_path",
         [&golden] { golden_model(golden.c_str()); });
    printf("1..%d\n", n_run);
    fflush(stdout);
    _exit(n_failed ? 1 : 0); /* the libraries of VART may fault in their static destructors */
}
