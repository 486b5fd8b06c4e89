/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/plan.h"

static int64_t round_shift(int64_t v, int32_t s) {
    return s > 0 ? (v + ((int64_t)1 << (s - 1))) >> s : v * ((int64_t)1 << -s);
}

static int8_t clamp8(int64_t v) {
    return (int8_t)(v < -128 ? -128 : v > 127 ? 127 : v);
}

void rule_make(struct rule *r, const struct node *n, int32_t acc_fix, int64_t bound) {
    int32_t s = acc_fix - n->fix_point;
    *r = (struct rule){.kind = RULE_WIDE,
                       .lo = -128,
                       .hi = 127,
                       .act = n->act,
                       .acc_fix = acc_fix,
                       .out_fix = n->fix_point,
                       .prelu = n->act == ENGINE_ACT_LEAKY ? 26 : n->prelu,
                       .prelu_shift = n->act == ENGINE_ACT_LEAKY ? 8 : n->prelu_shift,
                       .hard = n->hard};
    if (n->act == ENGINE_ACT_HSIGMOID || n->act == ENGINE_ACT_HSWISH) return;
    if (n->act == ENGINE_ACT_RELU || n->act == ENGINE_ACT_RELU6) r->lo = 0;
    if (n->act == ENGINE_ACT_RELU6 && n->fix_point < 5) r->hi = clamp8(round_shift(6, -n->fix_point));
    if (n->act == ENGINE_ACT_LEAKY || n->act == ENGINE_ACT_PRELU) {
        /* beyond the clamp the result is saturated anyway; inside it 256 * sum stays within 32 bits */
        if (s < -7 || s > 15 || r->prelu_shift > 8) return;
        r->slope = r->prelu * (1 << (8 - r->prelu_shift));
        int32_t slope = r->slope < 0 ? -r->slope : r->slope;
        if (slope > 256) return;
        r->kind = bound < ((int64_t)1 << 22) ? RULE_SLOPE : RULE_SLOPE_CLAMPED;
        r->shift = s + 8;
        r->round = 1 << (s + 7);
        r->pre_hi = s >= 0 ? 128 << s : 128;
        r->pre_lo = slope ? -((129 << (s + 8)) / slope) - 1 : 0;
        if (r->pre_lo < -(1 << 30)) r->pre_lo = -(1 << 30);
    } else if (s < 0) {
        r->kind = RULE_LEFT;
        r->shift = -s;
    } else if (bound + ((int64_t)1 << s) < INT32_MAX) {
        /* -32768 >> 8 and 32767 >> 8 are where eight bits end */
        r->kind = s >= 2 && s <= 8 ? RULE_SHIFT_16 : RULE_SHIFT;
        r->shift = s;
        r->round = s ? 1 << (s - 1) : 0;
    }
}

static int64_t hard_sigmoid(int64_t x, const struct engine_hard *h) {
    int64_t y = (x + ((int64_t)3 << h->input_fix)) * 2731;
    y = y < 0 ? 0 : y > (int64_t)1 << 32 ? (int64_t)1 << 32 : y;
    return clamp8(round_shift(y, h->shift_hsigmoid));
}

int8_t rule_apply_wide(const struct rule *r, int64_t sum) {
    int32_t s = r->acc_fix - r->out_fix;
    if (r->act == ENGINE_ACT_HSIGMOID || r->act == ENGINE_ACT_HSWISH) {
        int64_t x = clamp8(round_shift(sum, r->acc_fix - r->hard.input_fix));
        int64_t y = hard_sigmoid(x, &r->hard);
        return clamp8(r->act == ENGINE_ACT_HSIGMOID ? y : round_shift(x * y, r->hard.shift_hswish));
    }
    bool sloped = r->act == ENGINE_ACT_LEAKY || r->act == ENGINE_ACT_PRELU;
    int64_t v = sloped && sum < 0 ? round_shift(sum * r->prelu, s + r->prelu_shift) : round_shift(sum, s);
    return (int8_t)(v < r->lo ? r->lo : v > r->hi ? r->hi : v);
}
