/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/exactness/witness.h"

#include <cmath>
#include <cstdlib>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

namespace {

using namespace dnnl;
using type = memory::data_type;
using tag = memory::format_tag;

dnnl::engine &cpu() {
    static dnnl::engine e(dnnl::engine::kind::cpu, 0);
    return e;
}
stream &queue() {
    static stream s(cpu());
    return s;
}

struct desc4 {
    memory::dims dims;
    explicit desc4(const engine_shape &s) : dims{1, s.c, s.h, s.w} {
    }
};

/* Largest magnitude of the sums. */
double bound(const engine_node &n, size_t per_output, bool depthwise, int bias_left) {
    double most = 0, most_bias = 0;
    size_t c = (size_t)n.shape.c;
    for (size_t o = 0; o < c; o++) {
        double sum = 0;
        for (size_t i = 0; i < per_output; i++)
            sum += std::abs(n.weights[depthwise ? i * c + o : o * per_output + i]);
        most = std::max(most, sum);
        if (n.bias) most_bias = std::max(most_bias, std::ldexp(std::abs((double)n.bias[o]), bias_left));
    }
    return most * 128 + most_bias;
}

/* The step from sums to int8 as scale and post-operations; false when float could not do it exactly. */
bool express(const engine_node &n, int sum_fix, double most, primitive_attr &attr, float &nudge) {
    int shift = sum_fix - n.fix_point;
    post_ops ops;
    nudge = shift > 0 ? 0.25F : 0.0F;
    bool exact = most < (1 << 22);
    switch (n.act) {
    case ENGINE_ACT_NONE:
        break;
    case ENGINE_ACT_RELU:
        ops.append_eltwise(1.0F, algorithm::eltwise_relu, 0.0F, 0.0F);
        break;
    case ENGINE_ACT_RELU6:
        ops.append_eltwise(1.0F, algorithm::eltwise_clip, 0.0F, std::ldexp(6.0F, n.fix_point));
        break;
    case ENGINE_ACT_LEAKY:
        /* multiples of 26 miss a tie by 2 or more parts: 26/16 is less */
        nudge = shift + 8 > 0 ? 0.0625F : 0.0F;
        exact = most < (1 << 15) && shift > 0;
        ops.append_eltwise(1.0F, algorithm::eltwise_relu, 26.0F / 256, 0.0F);
        break;
    default:
        return false;
    }
    if (!exact || shift < -16 || shift > 30) return false;
    attr.set_output_scales(0, {std::ldexp(1.0F, -shift)});
    attr.set_post_ops(ops);
    return true;
}

memory wrap(const memory::desc &d, const void *data) {
    return memory(d, cpu(), const_cast<void *>(data));
}

/* Reorder to what the primitive wants, if it wants another layout. */
memory as(const memory &from, const memory::desc &wanted) {
    if (from.get_desc() == wanted) return from;
    memory to(wanted, cpu());
    reorder(from, to).execute(queue(), const_cast<memory &>(from), to);
    return to;
}

bool run_conv(const engine_node &n, const engine_node &from, const int8_t *in, int8_t *out) {
    bool depthwise = n.op == ENGINE_OP_DEPTHWISE || n.op == ENGINE_OP_TRANSPOSED_DEPTHWISE;
    bool transposed = n.op == ENGINE_OP_TRANSPOSED_CONV || n.op == ENGINE_OP_TRANSPOSED_DEPTHWISE;
    const engine_window &w = n.window;
    int sum_fix = from.fix_point + n.weights_fix, left = sum_fix - n.bias_fix;
    if (n.bias && left < 0) return false; /* a rounded bias is our own definition */
    /* oneDNN 2.6.3 leaves garbage in pixels that no tap reaches */
    if (transposed && (w.stride_w > w.kernel_w || w.stride_h > w.kernel_h)) return false;
    size_t per_output = (size_t)w.kernel_w * (size_t)w.kernel_h * (depthwise ? 1 : (size_t)from.shape.c);
    primitive_attr attr;
    float nudge = 0;
    if (!express(n, sum_fix, bound(n, per_output, depthwise, left), attr, nudge)) return false;
    std::vector<float> bias((size_t)n.shape.c, nudge);
    for (size_t o = 0; n.bias && o < bias.size(); o++) bias[o] += std::ldexp((float)n.bias[o], left);

    memory::dim c = n.shape.c, ic = from.shape.c, kh = w.kernel_h, kw = w.kernel_w;
    memory::desc src(desc4(from.shape).dims, type::s8, tag::nhwc),
        dst(desc4(n.shape).dims, type::s8, tag::nhwc);
    memory::desc bias_d({c}, type::f32, tag::x);
    memory::dims kernel = depthwise ? memory::dims{c, 1, 1, kh, kw} : memory::dims{c, ic, kh, kw};
    memory::desc weights_any(kernel, type::s8, tag::any);
    memory::desc weights_given(kernel, type::s8, depthwise ? tag::hwigo : tag::ohwi);
    memory::dims strides{w.stride_h, w.stride_w}, dilates{w.dilation_h - 1, w.dilation_w - 1};
    memory::dims before{w.pad_t, w.pad_l}, after{w.pad_b, w.pad_r};
    /* the usual way to write a transposed kernel is from the other end */
    std::vector<int8_t> turned(n.weights, n.weights + n.n_weights);
    size_t inner = depthwise ? (size_t)c : (size_t)ic, taps = (size_t)(kh * kw);
    for (size_t i = 0; transposed && i < n.n_weights; i++)
        turned[i] = n.weights[(i / inner / taps * taps + taps - 1 - i / inner % taps) * inner + i % inner];
    memory x = wrap(src, in), y(dst, cpu(), out), b = wrap(bias_d, bias.data()),
           k = wrap(weights_given, turned.data());
    if (transposed) {
        deconvolution_forward::desc d(prop_kind::forward_inference, algorithm::deconvolution_direct, src,
                                      weights_any, bias_d, dst, strides, dilates, before, after);
        deconvolution_forward::primitive_desc pd(d, attr, cpu());
        memory packed = as(k, pd.weights_desc());
        deconvolution_forward(pd).execute(
            queue(), {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_BIAS, b}, {DNNL_ARG_DST, y}});
    } else {
        convolution_forward::desc d(prop_kind::forward_inference, algorithm::convolution_direct, src,
                                    weights_any, bias_d, dst, strides, dilates, before, after);
        convolution_forward::primitive_desc pd(d, attr, cpu());
        memory packed = as(k, pd.weights_desc());
        convolution_forward(pd).execute(
            queue(), {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_BIAS, b}, {DNNL_ARG_DST, y}});
    }
    queue().wait();
    return true;
}

bool run_max_pool(const engine_node &n, const engine_node &from, const int8_t *in, int8_t *out) {
    const engine_window &w = n.window;
    if (n.fix_point != from.fix_point) return false;
    memory::desc src(desc4(from.shape).dims, type::s8, tag::nhwc),
        dst(desc4(n.shape).dims, type::s8, tag::nhwc);
    pooling_forward::desc d(prop_kind::forward_inference, algorithm::pooling_max, src, dst,
                            {w.stride_h, w.stride_w}, {w.kernel_h, w.kernel_w}, {w.pad_t, w.pad_l},
                            {w.pad_b, w.pad_r});
    pooling_forward::primitive_desc pd(d, cpu());
    memory x = wrap(src, in), y(dst, cpu(), out);
    pooling_forward(pd).execute(queue(), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
    queue().wait();
    return true;
}

bool run_add(const engine_node &n, const engine_node *const *from, const int8_t *const *in, int8_t *out) {
    if (n.n_inputs != 2 || (n.act != ENGINE_ACT_NONE && n.act != ENGINE_ACT_RELU)) return false;
    int finest = std::max(from[0]->fix_point, from[1]->fix_point), shift = finest - n.fix_point;
    if (std::abs(from[0]->fix_point - from[1]->fix_point) > 8 || std::abs(shift) > 12) return false;
    memory::desc d(desc4(n.shape).dims, type::s8, tag::nhwc);
    primitive_attr attr;
    attr.set_scales(DNNL_ARG_SRC_0, 0, {std::ldexp(1.0F, n.fix_point - from[0]->fix_point)});
    attr.set_scales(DNNL_ARG_SRC_1, 0, {std::ldexp(1.0F, n.fix_point - from[1]->fix_point)});
    post_ops ops;
    if (shift > 0) ops.append_eltwise(1.0F, algorithm::eltwise_linear, 1.0F, std::ldexp(0.25F, -shift));
    if (n.act == ENGINE_ACT_RELU) ops.append_eltwise(1.0F, algorithm::eltwise_relu, 0.0F, 0.0F);
    attr.set_post_ops(ops);
    binary::desc bd(algorithm::binary_add, d, d, d);
    binary::primitive_desc pd(bd, attr, cpu());
    memory a = wrap(d, in[0]), b = wrap(d, in[1]), y(d, cpu(), out);
    binary(pd).execute(queue(), {{DNNL_ARG_SRC_0, a}, {DNNL_ARG_SRC_1, b}, {DNNL_ARG_DST, y}});
    queue().wait();
    return true;
}

/* Doubling with half-pixel centres: sums of sixteenths, exact in float. */
bool run_bilinear(const engine_node &n, const engine_node &from, const int8_t *in, int8_t *out) {
    if (!n.half_pixel || n.align_corners || n.fix_point != from.fix_point) return false;
    if (n.shape.h != 2 * from.shape.h || n.shape.w != 2 * from.shape.w) return false;
    memory::desc src(desc4(from.shape).dims, type::s8, tag::nhwc),
        dst(desc4(n.shape).dims, type::s8, tag::nhwc);
    primitive_attr attr;
    post_ops ops;
    ops.append_eltwise(1.0F, algorithm::eltwise_linear, 1.0F, 1.0F / 64);
    attr.set_post_ops(ops);
    resampling_forward::desc d(prop_kind::forward_inference, algorithm::resampling_linear, src, dst);
    resampling_forward::primitive_desc pd(d, attr, cpu());
    memory x = wrap(src, in), y(dst, cpu(), out);
    resampling_forward(pd).execute(queue(), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}});
    queue().wait();
    return true;
}

} // namespace

bool witness_run(const engine_node *n, const engine_node *const *from, const int8_t *const *in, int8_t *out) {
    try {
        switch (n->op) {
        case ENGINE_OP_CONV:
        case ENGINE_OP_DEPTHWISE:
        case ENGINE_OP_TRANSPOSED_CONV:
        case ENGINE_OP_TRANSPOSED_DEPTHWISE:
            return run_conv(*n, *from[0], in[0], out);
        case ENGINE_OP_POOL_MAX:
            return run_max_pool(*n, *from[0], in[0], out);
        case ENGINE_OP_ADD:
            return run_add(*n, from, in, out);
        case ENGINE_OP_BILINEAR:
            return run_bilinear(*n, *from[0], in[0], out);
        default:
            return false;
        }
    } catch (const dnnl::error &) {
        return false; /* oneDNN has nothing for these shapes */
    }
}
