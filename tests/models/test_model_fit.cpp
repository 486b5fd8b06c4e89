/* SPDX-License-Identifier: Apache-2.0 */
/* What relecture-model says about models made for the purpose. TAP on stdout. */
#include <cstdio>
#include <functional>
#include <stdexcept>

#include <unistd.h>

#include "models/tools/fit.hpp"
#include "tests/support/xmodel.hpp"

namespace {

using namespace relecture;
using namespace xmodel;

int n_run, n_failed;

void check(bool holds, const text &what) {
    if (!holds) throw std::runtime_error(what);
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

/* A model of one windowed operator. */
struct one_op {
    model m;
    one_op(const text &type, int kernel, int stride, const text &nonlinear, int channels = 16)
        : m({1, 32, 32, channels}, 4) {
        auto a = xir::Attrs::create();
        a->set_attr<ints>("kernel", {kernel, kernel});
        a->set_attr<ints>("stride", {stride, stride});
        a->set_attr<ints>("pad", {0, 0, 0, 0});
        a->set_attr<text>("pad_mode", "FLOOR");
        bool pool = type == "pool-fix", depthwise = type.find("depthwise") != text::npos;
        if (pool) {
            a->set_attr<text>("type", "MAX");
            a->set_attr<bool>("global", false);
        } else {
            a->set_attr<ints>("dilation", {1, 1});
            a->set_attr<text>("nonlinear", nonlinear);
            if (nonlinear == "HSWISH") /* XIR insists */
                for (const char *shift : {"hsigmoid_in", "shift_hsigmoid", "shift_hswish", "shift_bias", "shift_cut"})
                    a->set_attr<int>(shift, 4);
        }
        op_inputs in{{"input", {m.up}}};
        int oc = depthwise ? 1 : channels;
        if (!pool) {
            size_t n = (size_t)oc * (size_t)(kernel * kernel) * (size_t)channels;
            in["weights"] = {m.constant("w", {oc, kernel, kernel, channels}, 4, std::vector<char>(n, 1))};
        }
        auto *op = m.graph->add_op("it", type, std::move(a), in);
        set_fix(op, 4);
        m.finish(op, 4);
    }
};

/* The complaint about the operator "it", empty if none. */
text complaint(const one_op &o, const text &card) {
    for (const auto &f : check_fit(o.m.graph.get(), card_profile(card)).findings)
        if (f.op == "it") return f.problem;
    throw std::runtime_error("the operator is not in the report");
}

void ranges() {
    check(in_ranges("1-16", 1) && in_ranges("1-16", 16) && !in_ranges("1-16", 17) && !in_ranges("1-16", 0),
          "1-16");
    check(in_ranges("1,2,3,5,7", 5) && !in_ranges("1,2,3,5,7", 4), "a list");
    check(in_ranges("1-3,7", 7) && in_ranges("1-3,7", 2) && !in_ranges("1-3,7", 4), "both");
    check(!in_ranges("", 1), "nothing");
}

void plain_conv() {
    one_op o("conv2d-fix", 3, 2, "LEAKYRELU");
    for (const auto &card : card_names()) check(complaint(o, card).empty(), card + ": " + complaint(o, card));
    auto r = check_fit(o.m.graph.get(), card_profile("u50lv"));
    check(r.fits(), "fits");
    check(r.macs == 15 * 15 * 9 * 16 * 16, "multiply-adds");
    check(r.weight_bytes == 9 * 16 * 16 && r.input_bytes == 32 * 32 * 16 && r.output_bytes == 15 * 15 * 16,
          "bytes");
}

void too_large() {
    check(complaint(one_op("conv2d-fix", 17, 1, "NONE"), "u55c").find("kernel 17") == 0, "a kernel of 17");
    check(complaint(one_op("conv2d-fix", 3, 5, "NONE"), "u50lv").find("stride 5") == 0, "a stride of 5");
    check(complaint(one_op("conv2d-fix", 3, 5, "NONE"), "u250").empty(), "a stride of 5 where 8 are allowed");
    check(complaint(one_op("conv2d-fix", 16, 1, "NONE", 144), "u50lv").find("kernel area") == 0,
          "2304 weight words");
    check(complaint(one_op("conv2d-fix", 16, 1, "NONE", 128), "u50lv").empty(), "2048 weight words");
    check(complaint(one_op("pool-fix", 9, 1, ""), "u55c").find("kernel 9") == 0, "a pool of 9");
}

void depthwise() {
    check(complaint(one_op("depthwise-conv2d-fix", 3, 1, "RELU6"), "u50lv").find("no depthwise") !=
              text::npos,
          "none");
    check(complaint(one_op("depthwise-conv2d-fix", 3, 1, "RELU6"), "u55c").empty(), "3x3 on the DWC build");
    check(complaint(one_op("depthwise-conv2d-fix", 3, 1, "LEAKYRELU"), "u55c").find("LEAKYRELU") !=
              text::npos,
          "leaky");
    check(complaint(one_op("transposed-depthwise-conv2d-fix", 4, 2, "NONE"), "u55c").find("kernel 4") == 0,
          "4x4");
    check(complaint(one_op("transposed-depthwise-conv2d-fix", 4, 2, "NONE"), "vck5000-dwc").empty(),
          "4x4 on the VCK5000");
}

void activations() {
    check(complaint(one_op("conv2d-fix", 3, 1, "HSWISH"), "u250").find("HSWISH") != text::npos, "not there");
    check(complaint(one_op("conv2d-fix", 3, 1, "HSWISH"), "vck5000").empty(), "there");
}

void unknown_card() {
    try {
        card_profile("gtx");
    } catch (const std::invalid_argument &e) {
        check(text(e.what()).find("u55c") != text::npos, "the known ones are named");
        return;
    }
    throw std::runtime_error("a card that does not exist was accepted");
}

void same_model() {
    one_op a("conv2d-fix", 3, 1, "RELU"), b("conv2d-fix", 3, 1, "RELU");
    size_t n = 0;
    check(compare_models(a.m.graph.get(), b.m.graph.get(), &n).empty(), "no difference");
    check(n == 4, "upload, weights, the convolution, download");
}

void other_model() {
    one_op a("conv2d-fix", 3, 1, "RELU"), b("conv2d-fix", 3, 2, "RELU"), c("conv2d-fix", 3, 1, "RELU");
    size_t n = 0;
    auto d = compare_models(a.m.graph.get(), b.m.graph.get(), &n);
    check(d.size() == 2 && d[1] == "it: shape 1x30x30x16 became 1x15x15x16", "another shape");
    c.m.graph->get_op("it")->get_output_tensor()->set_attr<int>("fix_point", 3);
    d = compare_models(a.m.graph.get(), c.m.graph.get(), &n);
    check(d.size() == 1 && d[0] == "it: fix point 4 became 3", "another fix point");
    one_op e("pool-fix", 3, 1, "");
    d = compare_models(a.m.graph.get(), e.m.graph.get(), &n);
    check(d.size() == 2 && d[0] == "it: conv2d-fix became pool-fix", "another operator");
    check(d[1] == "w (const-fix): not in the compiled model", "a missing one");
}

} // namespace

int main() {
    test("lists_of_ranges_are_read_as_the_registry_writes_them", ranges);
    test("a_plain_convolution_fits_every_card_and_is_counted", plain_conv);
    test("what_is_larger_than_the_engine_is_named_with_its_limit", too_large);
    test("depthwise_fits_only_where_its_engine_takes_it", depthwise);
    test("activations_are_checked_by_engine", activations);
    test("an_unknown_card_is_an_error_that_lists_the_known_ones", unknown_card);
    test("equal_models_compare_equal", same_model);
    test("differences_are_named_operator_by_operator", other_model);
    printf("1..%d\n", n_run);
    fflush(stdout);
    _exit(n_failed ? 1 : 0); /* the libraries of XIR may fault in their static destructors */
}
