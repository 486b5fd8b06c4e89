/* SPDX-License-Identifier: Apache-2.0 */
/* runner.cpp - the simulated DPU behind VART's own interface: a runner plug-in, named by the runner attribute
 * "lib" in place of the card's. Jobs really are in flight: execute_async queues, one thread per runner works.
 * Attributes understood: "model_path" (for messages), "isa" (an engine instruction set, for tests); the
 * environment variable RELECTURE_SIM_ISA is the default of the second. The card described by card.toml in the
 * directory XILINX_XRT says how long a job takes and how many run at once, if it asks for real time. A model
 * that cannot be run is thrown as std::exception out of the factory, with the reason as its text. */
#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <new>
#include <thread>

#include <unistd.h>

#include <vart/runner_ext.hpp>
#include <vart/tensor_buffer.hpp>
#include <xir/attrs/attrs.hpp>
#include <xir/graph/graph.hpp>

#include "sim/vart/layers.hpp"
#include "sim/vart/load.hpp"

extern "C" {
#include "driver/result_sum.h"
#include "sim/fault.h"
#include "sim/latency.h"
}

namespace {

using relecture::loaded_graph;
using relecture::model_error;
using buffers = std::vector<vart::TensorBuffer *>;

enum status {
    STATUS_DONE = 0,
    STATUS_TIMEOUT = 1,
    STATUS_MISSING = -2,
    STATUS_FAILED = -5,
    STATUS_BUSY = -16,
    STATUS_INVALID = -22,
    STATUS_CANCELLED = -125
};

constexpr size_t JOBS_MAX = 4096; /* submitted and not collected; a caller that never waits is a bug of his */

class host_buffer : public vart::TensorBuffer {
  public:
    explicit host_buffer(const xir::Tensor *t) : TensorBuffer(t), memory_((size_t)t->get_data_size()) {
    }
    std::pair<std::uint64_t, size_t> data(const std::vector<int> index = {}) override {
        auto shape = tensor_->get_shape();
        size_t at = 0;
        for (size_t i = 0; i < shape.size(); i++)
            at = at * (size_t)shape[i] + (size_t)(i < index.size() ? index[i] : 0);
        at = std::min(at, memory_.size());
        return {(std::uint64_t)(std::uintptr_t)(memory_.data() + at), memory_.size() - at};
    }

  private:
    std::vector<std::int8_t> memory_;
};

struct engine_deleter {
    void operator()(engine *e) const {
        engine_free(&e);
    }
};

/* The DPU described by card.toml. In real time a job holds one of its engines for as long as it would take
 * there. */
class dpu_model {
  public:
    explicit dpu_model(const sim_config &config) : config_(config), free_(config.dpu_engines) {
    }
    template <class WORK> void run(const std::vector<sim_layer> &layers, size_t frames, const WORK &work) {
        if (!config_.real_time) {
            work();
            return;
        }
        std::unique_lock<std::mutex> hold(lock_);
        freed_.wait(hold, [this] { return free_ > 0; });
        free_--;
        hold.unlock();
        const std::uint64_t started = sim_latency_begin();
        work();
        sim_latency_dpu(&config_, started, layers.data(), layers.size(), frames);
        hold.lock();
        free_++;
        freed_.notify_one();
    }
    /* Of this process: its runners share the card's engines. */
    static std::shared_ptr<dpu_model> shared() {
        static std::mutex lock;
        static std::weak_ptr<dpu_model> known;
        std::lock_guard<std::mutex> hold(lock);
        auto model = known.lock();
        if (model) return model;
        sim_config config;
        sim_config_defaults(&config);
        const char *dir = std::getenv("XILINX_XRT");
        std::string path = std::string(dir ? dir : ".") + "/card.toml";
        char why[512] = "";
        if (access(path.c_str(), F_OK) == 0 && sim_config_load(path.c_str(), &config, why, sizeof why) != 0)
            throw model_error(why);
        known = model = std::make_shared<dpu_model>(config);
        /* The plan is read for as long as the process lives. */
        static const sim_config plan = config;
        static const std::string plan_dir = dir ? dir : ".";
        sim_fault_init(&plan, plan_dir.c_str());
        return model;
    }

  private:
    sim_config config_;
    std::mutex lock_;
    std::condition_variable freed_;
    std::uint32_t free_; /* engines */
};

class dpu_runner : public vart::RunnerExt {
  public:
    dpu_runner(loaded_graph loaded, std::vector<sim_layer> layers, engine_isa isa)
        : loaded_(std::move(loaded)), layers_(std::move(layers)) {
        engine *e = nullptr;
        err rc = engine_prepare(loaded_.graph.get(), isa, &e);
        if (rc == ERR_UNSUPPORTED)
            throw model_error(std::string("this processor cannot run the engine for ") +
                              engine_isa_name(isa));
        if (rc == ERR_NOMEM) throw std::bad_alloc();
        if (rc != OK) throw model_error("the engine refused the graph");
        engine_.reset(e);
        loaded_.graph.reset();
        for (const auto *t : loaded_.inputs) own_inputs_.push_back(std::make_unique<host_buffer>(t));
        for (const auto *t : loaded_.outputs) own_outputs_.push_back(std::make_unique<host_buffer>(t));
        worker_ = std::thread([this] { work(); });
    }

    /* Jobs not begun are cancelled; the one in progress is finished first, since it writes caller memory. */
    ~dpu_runner() override {
        {
            std::lock_guard<std::mutex> hold(lock_);
            stopping_ = true;
            for (auto &j : queue_) finished_[j.id] = STATUS_CANCELLED;
            queue_.clear();
        }
        queued_.notify_all();
        done_.notify_all();
        worker_.join();
    }
    dpu_runner(const dpu_runner &) = delete;
    dpu_runner &operator=(const dpu_runner &) = delete;

    std::pair<std::uint32_t, int> execute_async(const buffers &in, const buffers &out) override {
        job j;
        int rc = bind(in, loaded_.inputs, j.inputs);
        if (rc == 0) rc = bind(out, loaded_.outputs, j.outputs);
        if (rc) return {0, rc};
        std::lock_guard<std::mutex> hold(lock_);
        if (finished_.size() >= JOBS_MAX) return {0, STATUS_BUSY};
        do next_ = next_ % 0x7fffffffU + 1; /* wait() takes an int, and negative means any */
        while (finished_.count(next_));
        j.id = next_;
        finished_[j.id] = PENDING;
        queue_.push_back(std::move(j));
        queued_.notify_one();
        return {next_, 0};
    }

    /* An id that was never given out, or was collected, is an error at once. A negative id means the oldest.
     */
    int wait(int id, int timeout_ms) override {
        return wait_with_sum(id, timeout_ms, nullptr);
    }
    int wait_with_sum(int id, int timeout_ms, std::uint32_t *sum) {
        std::unique_lock<std::mutex> hold(lock_);
        if (id < 0 && finished_.empty()) return STATUS_INVALID;
        std::uint32_t key = id < 0 ? oldest() : (std::uint32_t)id;
        auto settled = [this, key] {
            auto f = finished_.find(key);
            return f == finished_.end() || f->second != PENDING;
        };
        if (timeout_ms < 0)
            done_.wait(hold, settled);
        else if (!done_.wait_for(hold, std::chrono::milliseconds(timeout_ms), settled))
            return STATUS_TIMEOUT;
        auto f = finished_.find(key);
        if (f == finished_.end()) return STATUS_INVALID;
        int rc = f->second;
        finished_.erase(f);
        if (sum && rc == STATUS_DONE) *sum = sums_[key];
        sums_.erase(key);
        return rc;
    }

    TensorFormat get_tensor_format() override {
        return TensorFormat::NHWC;
    }
    std::vector<const xir::Tensor *> get_input_tensors() override {
        return loaded_.inputs;
    }
    std::vector<const xir::Tensor *> get_output_tensors() override {
        return loaded_.outputs;
    }
    buffers get_inputs() override {
        return pointers(own_inputs_);
    }
    buffers get_outputs() override {
        return pointers(own_outputs_);
    }

  private:
    struct job {
        std::uint32_t id = 0;
        std::vector<const std::int8_t *> inputs;
        std::vector<std::int8_t *> outputs;
    };
    static constexpr int PENDING = 2; /* never returned by wait */

    static buffers pointers(const std::vector<std::unique_ptr<host_buffer>> &own) {
        buffers all;
        for (const auto &b : own) all.push_back(b.get());
        return all;
    }

    /* Completed jobs before pending ones, then by number. Called with the lock and at least one job. */
    std::uint32_t oldest() const {
        for (const auto &f : finished_)
            if (f.second != PENDING) return f.first;
        return finished_.begin()->first;
    }

    template <class POINTER>
    static int bind(const buffers &given, const std::vector<const xir::Tensor *> &wanted,
                    std::vector<POINTER> &found) {
        for (const auto *t : wanted) {
            auto b = std::find_if(given.begin(), given.end(), [t](vart::TensorBuffer *g) {
                return g && g->get_tensor() && g->get_tensor()->get_name() == t->get_name();
            });
            if (b == given.end()) return STATUS_MISSING;
            auto at = (*b)->data(std::vector<int>(t->get_shape().size(), 0));
            if (!at.first || at.second < (size_t)t->get_data_size()) return STATUS_INVALID;
            found.push_back(reinterpret_cast<POINTER>((std::uintptr_t)at.first));
        }
        return 0;
    }

    void work() {
        std::unique_lock<std::mutex> hold(lock_);
        for (;;) {
            queued_.wait(hold, [this] { return stopping_ || !queue_.empty(); });
            if (queue_.empty()) return;
            job j = std::move(queue_.front());
            queue_.pop_front();
            hold.unlock();
            const sim_fault fault = sim_fault_dpu();
            if (fault != SIM_FAULT_NONE)
                std::fprintf(stderr, "simulated DPU: the fault plan says %s\n", sim_fault_name(fault));
            if (fault == SIM_FAULT_DPU_ABORT) std::abort();
            std::uint32_t sum = 0;
            if (fault == SIM_FAULT_NONE || fault == SIM_FAULT_DPU_CORRUPT) {
                dpu_->run(layers_, loaded_.frames, [this, &j] {
                    engine_run(engine_.get(), j.inputs.data(), j.outputs.data(), loaded_.frames);
                });
                for (size_t i = 0; i < j.outputs.size(); i++)
                    sum = result_sum(sum, j.outputs[i], (size_t)loaded_.outputs[i]->get_data_size());
            }
            if (fault == SIM_FAULT_DPU_CORRUPT) j.outputs[0][0] ^= 0x20;
            hold.lock();
            if (fault == SIM_FAULT_DPU_HANG) { /* neither this job nor any after it */
                queued_.wait(hold, [this] { return stopping_; });
                return;
            }
            sums_[j.id] = sum;
            finished_[j.id] = fault == SIM_FAULT_DPU_ERROR ? STATUS_FAILED : STATUS_DONE;
            done_.notify_all();
        }
    }

    std::shared_ptr<dpu_model> dpu_ = dpu_model::shared();
    loaded_graph loaded_;
    std::vector<sim_layer> layers_;
    std::unique_ptr<engine, engine_deleter> engine_;
    std::vector<std::unique_ptr<host_buffer>> own_inputs_, own_outputs_;
    std::mutex lock_; /* guards everything below but the thread */
    std::condition_variable queued_, done_;
    std::deque<job> queue_;
    std::map<std::uint32_t, int> finished_;       /* every job not collected, PENDING until it ends */
    std::map<std::uint32_t, std::uint32_t> sums_; /* of the results of those that ended well */
    std::uint32_t next_ = 0;
    bool stopping_ = false;
    std::thread worker_;
};

std::string text_attr(xir::Attrs *attrs, const char *key) {
    if (!attrs || !attrs->has_attr(key)) return {};
    const xir::any &held = static_cast<const xir::Attrs *>(attrs)->get_attr(key);
    const auto *text = xir::stdx::any_cast<std::string>(&held);
    return text ? *text : std::string();
}

engine_isa isa_by_name(const std::string &name) {
    if (name.empty()) return ENGINE_ISA_AUTO;
    for (int i = 0; i < ENGINE_ISA_N; i++)
        if (name == engine_isa_name((engine_isa)i)) return (engine_isa)i;
    throw model_error("unknown engine instruction set " + name);
}

vart::Runner *make(const xir::Subgraph *subgraph, xir::Attrs *attrs) {
    if (!subgraph) throw model_error("no subgraph");
    std::string where = text_attr(attrs, "model_path"), isa = text_attr(attrs, "isa");
    if (where.empty()) where = "model " + subgraph->get_graph()->get_name();
    const char *from_environment = std::getenv("RELECTURE_SIM_ISA");
    if (isa.empty() && from_environment) isa = from_environment;
    return new dpu_runner(relecture::load_subgraph(subgraph, where), relecture::layers_of(subgraph),
                          isa_by_name(isa));
}

} // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))
EXPORT vart::Runner *create_runner(const xir::Subgraph *subgraph);
EXPORT vart::Runner *create_runner_with_attrs(const xir::Subgraph *subgraph, xir::Attrs *attrs);
EXPORT int relecture_dpu_wait(vart::Runner *runner, int job, int timeout_ms, std::uint32_t *sum);

EXPORT vart::Runner *create_runner(const xir::Subgraph *subgraph) {
    return make(subgraph, nullptr);
}
EXPORT vart::Runner *create_runner_with_attrs(const xir::Subgraph *subgraph, xir::Attrs *attrs) {
    return make(subgraph, attrs);
}

/* wait(), and the checksum (driver/result_sum.h) of the results as the DPU wrote them. */
EXPORT int relecture_dpu_wait(vart::Runner *runner, int job, int timeout_ms, std::uint32_t *sum) {
    auto *ours = dynamic_cast<dpu_runner *>(runner);
    return ours ? ours->wait_with_sum(job, timeout_ms, sum) : STATUS_INVALID;
}
