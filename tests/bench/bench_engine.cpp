/* SPDX-License-Identifier: Apache-2.0 */
/* bench_engine - our half of the measurements of the engine; bench_engine.mjs runs it beside the peers.
 * Reads one command per line, answers one line each. All times are CPU milliseconds of this thread.
 *   open NAME FILE.xmodel | mobilenet | relu NAME OF   define a net        -> MMAC of a frame
 *   run NAME N                                         N frames            -> ms per frame
 *   memory NAME                                        weights packed activations, in bytes
 *   dump NAME DIR                                      graph.json and .bin -> ok
 *   layer engine|onednn conv|dw SIDE IC OC K STRIDE N  one layer N times   -> ms
 *   peak                                               vpdpbusd alone      -> GMAC/s
 *   cores NAME N                 ms per frame of one engine, and of each of two at once, N frames each */
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <oneapi/dnnl/dnnl.hpp>
#include <xir/graph/graph.hpp>

#include "sim/vart/load.hpp"
#include "tests/bench/nets.h"

extern "C" {
double bench_peak_gmacs(void);
void engine_run_planned(struct engine *engine);
}

namespace {

using text = std::string;

double cpu_ms() {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* An engine with its own buffers. */
class net {
  public:
    explicit net(engine_graph *g) : graph_(g), macs_(engine_graph_macs(g)) {
        if (engine_prepare(g, ENGINE_ISA_AUTO, &engine_) != OK) throw std::runtime_error("cannot prepare");
        for (size_t i = 0; i < engine_n_inputs(engine_); i++) {
            in_.emplace_back(engine_input_bytes(engine_, i));
            for (size_t k = 0; k < in_.back().size(); k++) in_.back()[k] = (int8_t)(k * 2654435761U >> 24);
        }
        for (size_t i = 0; i < engine_n_outputs(engine_); i++)
            out_.emplace_back(engine_output_bytes(engine_, i));
        for (auto &b : in_) in_at_.push_back(b.data());
        for (auto &b : out_) out_at_.push_back(b.data());
        frame();
    }
    ~net() {
        engine_free(&engine_);
        engine_graph_free(&graph_);
    }
    net(const net &) = delete;
    net &operator=(const net &) = delete;

    void frame() {
        engine_run(engine_, in_at_.data(), out_at_.data(), 1);
    }
    double run(int n) {
        double begun = cpu_ms();
        for (int i = 0; i < n; i++) frame();
        return (cpu_ms() - begun) / n;
    }
    double run_planned(int n) {
        double begun = cpu_ms();
        for (int i = 0; i < n; i++) engine_run_planned(engine_);
        return (cpu_ms() - begun) / n;
    }
    engine_memory memory() const {
        engine_memory m;
        engine_memory_of(engine_, &m);
        return m;
    }
    const engine_graph *graph() const {
        return graph_;
    }
    double mmacs() const {
        return (double)macs_ / 1e6;
    }

  private:
    engine_graph *graph_;
    uint64_t macs_;
    engine *engine_ = nullptr;
    std::vector<std::vector<int8_t>> in_, out_;
    std::vector<const int8_t *> in_at_;
    std::vector<int8_t *> out_at_;
};

engine_graph *open_model(const text &path) {
    auto graph = xir::Graph::deserialize(path);
    for (auto *s : graph->get_root_subgraph()->children_topological_sort())
        if (s->has_attr("device") && s->get_attr<text>("device") == "DPU")
            return relecture::load_subgraph(s, path).graph.release();
    throw std::runtime_error("no DPU subgraph in " + path);
}

struct layer {
    bool depthwise;
    int side, ic, oc, kernel, stride;
};

/* oneDNN's best form of the same layer: u8 inputs, so that it need not correct for signed ones. */
class dnnl_layer {
  public:
    explicit dnnl_layer(const layer &l) : cpu_(dnnl::engine::kind::cpu, 0), queue_(cpu_) {
        using type = dnnl::memory::data_type;
        using tag = dnnl::memory::format_tag;
        int out = (l.side + l.stride - 1) / l.stride, pad = l.kernel / 2,
            after = (out - 1) * l.stride + l.kernel - l.side - pad;
        dnnl::memory::desc src({1, l.ic, l.side, l.side}, type::u8, tag::nhwc),
            dst({1, l.oc, out, out}, type::u8, tag::nhwc);
        dnnl::memory::dims kernel = l.depthwise ? dnnl::memory::dims{l.oc, 1, 1, l.kernel, l.kernel}
                                                : dnnl::memory::dims{l.oc, l.ic, l.kernel, l.kernel};
        dnnl::memory::desc weights(kernel, type::s8, tag::any), bias({l.oc}, type::f32, tag::x);
        dnnl::primitive_attr attr;
        attr.set_output_scales(0, {1.0F / 256});
        dnnl::post_ops ops;
        ops.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
        attr.set_post_ops(ops);
        dnnl::convolution_forward::desc d(dnnl::prop_kind::forward_inference,
                                          dnnl::algorithm::convolution_direct, src, weights, bias, dst,
                                          {l.stride, l.stride}, {pad, pad}, {after, after});
        dnnl::convolution_forward::primitive_desc pd(d, attr, cpu_);
        conv_ = dnnl::convolution_forward(pd);
        args_ = {{DNNL_ARG_SRC, filled(src)},
                 {DNNL_ARG_WEIGHTS, filled(pd.weights_desc())},
                 {DNNL_ARG_BIAS, filled(bias)},
                 {DNNL_ARG_DST, filled(dst)}};
        run(1);
    }
    double run(int n) {
        double begun = cpu_ms();
        for (int i = 0; i < n; i++) conv_.execute(queue_, args_);
        queue_.wait();
        return (cpu_ms() - begun) / n;
    }

  private:
    dnnl::memory filled(const dnnl::memory::desc &d) {
        dnnl::memory m(d, cpu_);
        std::memset(m.get_data_handle(), 1, d.get_size());
        return m;
    }
    dnnl::engine cpu_;
    dnnl::stream queue_;
    dnnl::convolution_forward conv_;
    std::unordered_map<int, dnnl::memory> args_;
};

std::map<text, std::unique_ptr<net>> nets;
std::map<text, std::unique_ptr<net>> our_layers;
std::map<text, std::unique_ptr<dnnl_layer>> their_layers;

net &find(const text &name) {
    auto n = nets.find(name);
    if (n == nets.end()) throw std::runtime_error("no net " + name);
    return *n->second;
}

text define(const text &name, engine_graph *g) {
    if (!g) throw std::runtime_error("cannot build " + name);
    nets[name] = std::make_unique<net>(g);
    return std::to_string(nets[name]->mmacs());
}

text run_layer(std::istringstream &in, const text &line) {
    text who, op;
    layer l{};
    int n = 1;
    in >> who >> op >> l.side >> l.ic >> l.oc >> l.kernel >> l.stride >> n;
    l.depthwise = op == "dw";
    text key = line.substr(line.find(op));
    if (who == "onednn") {
        auto &t = their_layers[key];
        if (!t) t = std::make_unique<dnnl_layer>(l);
        return std::to_string(t->run(n));
    }
    auto &o = our_layers[key];
    if (!o)
        o = std::make_unique<net>(nets_layer(l.depthwise ? ENGINE_OP_DEPTHWISE : ENGINE_OP_CONV, l.side, l.ic,
                                             l.oc, l.kernel, l.stride));
    return std::to_string(o->run_planned(n));
}

/* CPU ms per frame of one engine alone, and of two engines at once on two threads. CPU time, so that what
 * else runs on the machine does not count; what the two take from each other (caches, memory) does. */
text run_cores(const text &name, int frames) {
    net a(nets_with_relu(find(name).graph())), b(nets_with_relu(find(name).graph()));
    double alone = a.run(frames), first = 0, second = 0;
    std::thread other([&b, &second, frames] { second = b.run(frames); });
    first = a.run(frames);
    other.join();
    return std::to_string(alone) + " " + std::to_string((first + second) / 2);
}

text answer(const text &line) {
    std::istringstream in(line);
    text command, name, rest;
    in >> command;
    if (command == "peak") return std::to_string(bench_peak_gmacs());
    if (command == "layer") return run_layer(in, line);
    in >> name;
    if (command == "mobilenet") return define("mobilenet", nets_mobilenet());
    if (command == "open") {
        in >> rest;
        return define(name, open_model(rest));
    }
    if (command == "relu") {
        in >> rest;
        return define(name, nets_with_relu(find(rest).graph()));
    }
    if (command == "dump") {
        in >> rest;
        return nets_dump(find(name).graph(), rest.c_str()) ? "ok" : "failed";
    }
    if (command == "memory") {
        engine_memory m = find(name).memory();
        return std::to_string(m.weight_bytes) + " " + std::to_string(m.packed_bytes) + " " +
               std::to_string(m.activation_bytes);
    }
    int n = 1;
    in >> n;
    if (command == "run") return std::to_string(find(name).run(n));
    if (command == "cores") return run_cores(name, n);
    return "what?";
}

} // namespace

int main(int, char **argv) {
    /* the thread pool of oneDNN reads this before main: begin again with it */
    if (!getenv("OMP_NUM_THREADS") && setenv("OMP_NUM_THREADS", "1", 1) == 0) execv("/proc/self/exe", argv);
    text line;
    while (std::getline(std::cin, line)) {
        text reply;
        try {
            reply = answer(line);
        } catch (const std::exception &e) {
            reply = text("error ") + e.what();
        }
        printf("%s\n", reply.c_str());
        fflush(stdout);
    }
    _exit(0); /* the libraries of XIR may fault in their static destructors */
}
