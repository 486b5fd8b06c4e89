/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - the form in which the fast paths run a graph: a list of steps over views of one arena.
 *
 * Tensors are kept as bytes with 128 added (`s8 ^ 0x80`), since the dot-product instructions multiply
 * unsigned by signed; the surplus 128 * sum(weights) is taken off in the bias. Each buffer has a border of
 * bytes 0x80 (= zero) as wide as its readers' windows reach, so convolutions never test for edges. Channels
 * are padded to `pixel` bytes; what lies in the padding is never multiplied by anything but zero. A tensor
 * that is only concatenated lives inside the concatenation's buffer from the start. Buffers share memory with
 * others that are dead by then, so borders are made anew in each frame. */
#ifndef SIM_ENGINE_PLAN_H
#define SIM_ENGINE_PLAN_H

#include "sim/engine/internal.h"

/* A tensor, or part of one, inside a buffer. */
struct view {
    uint8_t *at; /* row 0, column 0, channel 0 */
    struct engine_shape shape;
    ptrdiff_t row, pixel; /* bytes to the next */
};

enum rule_kind {
    RULE_SHIFT,         /* (sum + round) >> shift */
    RULE_SHIFT_16,      /* the same with a shift of 2 to 8: the sum may be saturated to 16 bits before it */
    RULE_LEFT,          /* sum << shift */
    RULE_SLOPE,         /* (sum * (sum < 0 ? slope : 256) + round) >> shift */
    RULE_SLOPE_CLAMPED, /* the same after a clamp to pre_lo..pre_hi, which keeps it within 32 bits */
    RULE_WIDE           /* rule_apply_wide: everything else */
};

/* The way from a 32-bit sum to an int8 result; equal to the activation, then rounding, then saturation,
 * because rounding is monotone and keeps 0. */
struct rule {
    enum rule_kind kind;
    int32_t shift, round, slope, pre_lo, pre_hi;
    int8_t lo, hi; /* after rounding */
    enum engine_act act;
    int32_t acc_fix, out_fix, prelu, prelu_shift;
    struct engine_hard hard;
};

enum step_kind {
    STEP_CONV,
    STEP_DEPTHWISE,
    STEP_POOL_MAX,
    STEP_POOL_AVG,
    STEP_ADD,
    STEP_REQUANT, /* in[0] to out, of one shape, by the rule */
    STEP_NEAREST,
    STEP_REFERENCE, /* through dense copies and reference.c */
    STEP_BORDER,    /* zeros around `out`, as wide as the pads of `window` */
    STEP_N
};

/* One tap of a convolution: where it reads, relative to output pixel * stride, and its place in the kernel.
 */
struct tap {
    int32_t dy, dx, index;
};

#define GROUP_CHANNELS 32 /* output channels whose sums are kept in registers together */

struct step {
    enum step_kind kind;
    int32_t node;
    struct view out;
    struct view *in; /* owned */
    int32_t *align;  /* owned; STEP_ADD: left shift of each input */
    size_t n_in;
    int32_t stride_h, stride_w;
    struct rule rule;
    /* STEP_CONV and STEP_DEPTHWISE: n_runs runs of `steps` units, each beginning at run_offset[] bytes from
     * the output pixel's origin. The unit is 4 input channels for a convolution, one tap for a depthwise. */
    ptrdiff_t *run_offset; /* owned */
    int32_t n_runs, steps;
    void *weights; /* owned, packed for the instruction set */
    int32_t *bias; /* owned, padded to whole groups; see pack.c */
    size_t packed_bytes;
    bool rolling;                /* STEP_DEPTHWISE of AVX-512: packed for kernels_avx512_rolling.c */
    struct engine_window window; /* pools */
    int32_t avg_n;
    /* STEP_REFERENCE */
    int8_t **dense_in, *dense_out;
};

/* One instruction set. Packing and running belong together. */
struct kernels {
    enum engine_isa isa;
    /* Pack dense weights (conv: [oc][index][ic], depthwise: [index][c]) for step->n_runs. Sets
     * weights, bias and packed_bytes. `bias` is in units of the sums, without rounding. */
    enum err (*pack_conv)(struct step *step, const int8_t *weights, int32_t n_index, const struct tap *taps,
                          int32_t n_taps, const int32_t *bias);
    enum err (*pack_depthwise)(struct step *step, const int8_t *weights, const struct tap *taps,
                               int32_t n_taps, const int32_t *bias);
    void (*run[STEP_REFERENCE])(const struct step *step);
    void (*import)(const struct view *out, const int8_t *dense);
    void (*export)(const struct view *in, int8_t *dense);
};
extern const struct kernels KERNELS_PORTABLE, KERNELS_AVX2, KERNELS_AVX512;

struct plan {
    const struct node *nodes; /* borrowed */
    const struct kernels *kernels;
    struct step *steps;
    size_t n_steps, cap_steps;
    struct view *views; /* one per node */
    uint8_t *arena;
    size_t arena_bytes, packed_bytes, dense_bytes;
};

/* plan.c */
/* `nodes`: copies of the graph's nodes that outlive the plan. */
MUST_CHECK enum err plan_make(struct plan *plan, const struct engine_graph *graph, const struct node *nodes,
                              const struct kernels *kernels);
void plan_fini(struct plan *plan);
void plan_run(const struct plan *plan);

/* engine.c: a frame without import and export, for measuring layers; not on the reference. */
void engine_run_planned(struct engine *engine);

static inline bool rule_only_shifts(const struct rule *r) {
    return r->kind == RULE_SHIFT || r->kind == RULE_SHIFT_16;
}

/* rule.c */
/* How `n` turns sums of fix point acc_fix and magnitude at most `bound` into its output. */
void rule_make(struct rule *rule, const struct node *n, int32_t acc_fix, int64_t bound);
int8_t rule_apply_wide(const struct rule *rule, int64_t sum);

#endif
