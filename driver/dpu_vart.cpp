/* SPDX-License-Identifier: Apache-2.0 */
/* The only C++ of the host. See dpu.h for what it promises. */
#include "driver/dpu.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vart/runner.hpp>
#include <vart/tensor_buffer.hpp>
#include <xir/attrs/attrs.hpp>
#include <xir/graph/graph.hpp>
#include <xir/graph/subgraph.hpp>
#include <xir/tensor/tensor.hpp>

extern "C" {
#include "driver/result_sum.h"
#include "host/base/log.h"
}

namespace {
constexpr int probe_limit_s = 20;

/* Memory of the caller as VART wants it. */
class Wrapped : public vart::TensorBuffer {
  public:
    explicit Wrapped(const xir::Tensor *t) : TensorBuffer(t), size(static_cast<size_t>(t->get_data_size())) {
    }
    void at(void *p) {
        mem = static_cast<uint8_t *>(p);
    }
    std::pair<uint64_t, size_t> data(const std::vector<int> idx = {}) override {
        const auto shape = tensor_->get_shape();
        size_t off = 0;
        for (size_t i = 0; i < shape.size(); i++)
            off = off * static_cast<size_t>(shape[i]) + (i < idx.size() ? static_cast<size_t>(idx[i]) : 0);
        if (off > size) return {0, 0};
        return {reinterpret_cast<uintptr_t>(mem + off), size - off};
    }

  private:
    uint8_t *mem = nullptr;
    size_t size;
};

std::vector<const xir::Subgraph *> dpu_subgraphs(const xir::Graph *g) {
    std::vector<const xir::Subgraph *> found;
    const auto *root = g->get_root_subgraph();
    for (const auto *s : root->children_topological_sort())
        if (s->has_attr("device") && s->get_attr<std::string>("device") == "DPU") found.push_back(s);
    return found;
}

/* What XIR does with this file, found out by a process that may die of it: 0 = reads it, else what to tell.
 */
const char *probe(const char *path) {
    std::fflush(nullptr);
    const pid_t pid = fork();
    if (pid < 0) return "no process to try it in";
    if (pid == 0) {
        alarm(probe_limit_s);
        /* XIR's stack trace would frighten more than it tells. */
        if (!std::freopen("/dev/null", "w", stderr)) _exit(4);
        try {
            auto g = xir::Graph::deserialize(path);
            for (const auto *s : dpu_subgraphs(g.get())) (void)s->get_sorted_input_tensors().size();
        } catch (...) {
            _exit(3);
        }
        _exit(0);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return "the process that tried it was lost";
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return nullptr;
    return "XIR cannot read it: not an xmodel, or damaged";
}

enum err describe(const xir::Tensor *t, struct dpu_tensor *out) {
    const auto name = t->get_name();
    const auto shape = t->get_shape();
    uint32_t dim[4] = {1, 1, 1, 1};
    if (name.size() >= sizeof out->name || shape.empty() || shape.size() > 4 || !t->has_attr("fix_point")) {
        log_error("dpu", "tensor %.80s has a name too long, a shape we do not know or no fix_point",
                  name.c_str());
        return ERR_CORRUPT;
    }
    uint64_t bytes = 1;
    for (size_t i = 0; i < shape.size(); i++) {
        /* The last dimension is the channels; shorter shapes lack height and width. */
        const size_t to = i == 0 ? 0 : i + 4 - shape.size();
        if (shape[i] <= 0 || shape[i] > 1 << 20) return ERR_CORRUPT;
        dim[to] = static_cast<uint32_t>(shape[i]);
        bytes *= dim[to];
        if (bytes > UINT32_MAX) return ERR_CORRUPT;
    }
    if (static_cast<uint64_t>(t->get_data_size()) != bytes) {
        log_error("dpu", "tensor %s is not of int8: %lld bytes for %llu values", name.c_str(),
                  static_cast<long long>(t->get_data_size()), static_cast<unsigned long long>(bytes));
        return ERR_CORRUPT;
    }
    *out = {};
    std::memcpy(out->name, name.c_str(), name.size());
    out->n = dim[0];
    out->h = dim[1];
    out->w = dim[2];
    out->c = dim[3];
    out->fix_point = t->get_attr<int>("fix_point");
    out->n_bytes = static_cast<uint32_t>(bytes);
    return OK;
}

using dpu_wait_fn = int(vart::Runner *, int job, int timeout_ms, uint32_t *sum);

/* The library must load and be a runner library before VART sees it; VART would end the process. */
enum err check_library(const char *library, std::string *real, dpu_wait_fn **wait_with_sum) {
    void *h = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
    if (!h) {
        const char *why = dlerror();
        log_error("dpu", "the runner library %s cannot be loaded: %s", library, why ? why : "?");
        return ERR_MISSING;
    }
    void *make = dlsym(h, "create_runner_with_attrs");
    Dl_info where;
    if (!make || dladdr(make, &where) == 0) {
        log_error("dpu", "%s is no VART runner library (no create_runner_with_attrs)", library);
        dlclose(h);
        return ERR_MISSING;
    }
    char *path = realpath(where.dli_fname, nullptr);
    *real = path ? path : where.dli_fname;
    std::free(path);
    *wait_with_sum = reinterpret_cast<dpu_wait_fn *>(dlsym(h, "relecture_dpu_wait"));
    return OK; /* stays loaded: VART opens it again */
}
} // namespace

struct dpu_model {
    std::unique_ptr<xir::Graph> graph;
    std::vector<const xir::Subgraph *> dpu;
};

struct dpu_runner {
    /* VART keeps a pointer to the attributes, so they outlive the runner: members end in reverse order. */
    std::unique_ptr<xir::Attrs> attrs;
    std::unique_ptr<vart::Runner> runner;
    std::vector<std::unique_ptr<Wrapped>> in, out;
    std::vector<vart::TensorBuffer *> in_p, out_p;
    std::vector<dpu_tensor> in_t, out_t;
    std::string library;
    dpu_wait_fn *wait_with_sum = nullptr; /* NULL: this library knows no checksums */
    bool busy = false;
    uint32_t job = 0;
};

/* Runs `f`, which returns an enum err; an exception becomes `on_throw`. */
template <class F> static enum err guarded(const char *what, F f, enum err on_throw = ERR_CARD) {
    try {
        return f();
    } catch (const std::bad_alloc &) {
        return ERR_NOMEM;
    } catch (const std::exception &e) {
        log_error("dpu", "%s: %s", what, e.what());
    } catch (...) {
        log_error("dpu", "%s: unknown exception", what);
    }
    return on_throw;
}

enum err dpu_model_open(const char *path, struct dpu_model **out) {
    *out = nullptr;
    if (access(path, R_OK) != 0) {
        log_error("dpu", "the model %s cannot be read errno=%d", path, errno);
        return ERR_IO;
    }
    if (const char *why = probe(path)) {
        log_error("dpu", "the model %s: %s", path, why);
        return ERR_CORRUPT;
    }
    return guarded(
        "loading the model", [&]() -> enum err {
            auto m = std::make_unique<dpu_model>();
            m->graph = xir::Graph::deserialize(path);
            m->dpu = dpu_subgraphs(m->graph.get());
            if (m->dpu.empty()) {
                log_error("dpu", "the model %s has no DPU subgraph", path);
                return ERR_UNSUPPORTED;
            }
            *out = m.release();
            return OK;
        });
}

unsigned dpu_model_subgraphs(const struct dpu_model *m) {
    return static_cast<unsigned>(m->dpu.size());
}

void dpu_model_close(struct dpu_model **m) {
    delete *m;
    *m = nullptr;
}

enum err dpu_runner_open(struct dpu_model *m, unsigned subgraph, const char *library,
                         struct dpu_runner **out) {
    *out = nullptr;
    if (subgraph >= m->dpu.size()) return ERR_USAGE;
    return guarded("opening a runner", [&]() -> enum err {
        const auto *sg = m->dpu[subgraph];
        auto r = std::make_unique<dpu_runner>();
        if (enum err e = check_library(library, &r->library, &r->wait_with_sum); e != OK) return e;
        if (!sg->has_attr("runner")) {
            log_error("dpu", "subgraph %s names no runner", sg->get_name().c_str());
            return ERR_CORRUPT;
        }
        r->attrs = xir::Attrs::create();
        r->attrs->set_attr<std::map<std::string, std::string>>("lib", {{"DPU", r->library}});
        r->runner = vart::Runner::create_runner_with_attrs(sg, r->attrs.get());
        if (!r->runner) {
            log_error("dpu", "%s refuses subgraph %s", library, sg->get_name().c_str());
            return ERR_CARD;
        }
        auto take =
            [](const std::vector<const xir::Tensor *> &ts, std::vector<std::unique_ptr<Wrapped>> &bufs,
               std::vector<vart::TensorBuffer *> &ptrs, std::vector<dpu_tensor> &infos) -> enum err {
            if (ts.empty() || ts.size() > DPU_TENSORS_MAX) return ERR_CORRUPT;
            for (const auto *t
                 : ts){dpu_tensor info; if (enum err e = describe(t, &info); e != OK) return e;
                       infos.push_back(info); bufs.push_back(std::make_unique<Wrapped>(t));
                       ptrs.push_back(bufs.back().get());}
        return OK;
        };
        if (enum err e = take(r->runner->get_input_tensors(), r->in, r->in_p, r->in_t); e != OK) return e;
        if (enum err e = take(r->runner->get_output_tensors(), r->out, r->out_p, r->out_t); e != OK) return e;
        *out = r.release();
        return OK;
});
}

void dpu_runner_close(struct dpu_runner **r) {
    delete *r;
    *r = nullptr;
}

unsigned dpu_runner_inputs(const struct dpu_runner *r) {
    return static_cast<unsigned>(r->in_t.size());
}
unsigned dpu_runner_outputs(const struct dpu_runner *r) {
    return static_cast<unsigned>(r->out_t.size());
}
const struct dpu_tensor *dpu_runner_input(const struct dpu_runner *r, unsigned i) {
    return &r->in_t[i];
}
const struct dpu_tensor *dpu_runner_output(const struct dpu_runner *r, unsigned i) {
    return &r->out_t[i];
}
const char *dpu_runner_library(const struct dpu_runner *r) {
    return r->library.c_str();
}

static uint32_t sum_of_results(dpu_runner &r) {
    uint32_t sum = 0;
    for (size_t i = 0; i < r.out.size(); i++)
        sum = result_sum(sum, reinterpret_cast<const void *>(r.out[i]->data({}).first), r.out_t[i].n_bytes);
    return sum;
}

enum err dpu_submit(struct dpu_runner *r, const void *const *in, void *const *out) {
    if (r->busy) return ERR_BUSY;
    return guarded(
        "submitting a job", [&]() -> enum err {
            /* The runner only reads its inputs; VART has one kind of buffer for both. */
            for (size_t i = 0; i < r->in.size(); i++) r->in[i]->at(const_cast<void *>(in[i]));
            for (size_t i = 0; i < r->out.size(); i++) r->out[i]->at(out[i]);
            const auto job = r->runner->execute_async(r->in_p, r->out_p);
            if (job.second != 0) {
                log_error("dpu", "the runner refuses a job rc=%d", job.second);
                return ERR_CARD;
            }
            r->job = job.first;
            r->busy = true;
            return OK;
        });
}

enum err dpu_wait(struct dpu_runner *r, uint32_t timeout_ms) {
    if (!r->busy) return ERR_USAGE;
    return guarded(
        "waiting for a job", [&]() -> enum err {
            const int job = static_cast<int>(r->job), limit = static_cast<int>(timeout_ms);
            uint32_t sum = 0;
            const int rc = r->wait_with_sum ? r->wait_with_sum(r->runner.get(), job, limit, &sum)
                                            : r->runner->wait(job, limit);
            if (rc == 1) {
                log_error("dpu", "no answer limit_ms=%u", timeout_ms);
                return ERR_TIMEOUT;
            }
            r->busy = false;
            if (rc == 0 && r->wait_with_sum && sum != sum_of_results(*r)) {
                log_error("dpu", "the results are not those that were computed: their checksum differs");
                return ERR_CARD;
            }
            if (rc == 0) return OK;
            log_error("dpu", "job failed rc=%d", rc);
            return ERR_CARD;
        });
}
