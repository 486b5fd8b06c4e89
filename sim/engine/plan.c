/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine/plan.h"

#include <stdlib.h>
#include <string.h>

#include "host/base/size.h"
#include "sim/engine/arena.h"

#define SLACK        128 /* bytes that vector loads may read past a buffer ... */
#define SLACK_PIXELS 8   /* ... from this many pixels past its end, for taps of no weight */

/* Where a node's tensor lives while the plan is made. */
struct place {
    int32_t alias;      /* the same tensor as this node's, or -1 */
    int32_t host;       /* inside this concatenation's buffer, or -1 */
    int32_t host_at;    /* first channel there */
    int32_t l, r, t, b; /* border its readers need */
    int32_t from, to;   /* of a buffer: the first node that writes it, the last that reads it */
    size_t span;        /* of a buffer: its number among the spans */
};

struct planner {
    struct plan *plan;
    const struct node *nodes;
    size_t n_nodes;
    struct place *places;
};

static int32_t root_of(const struct planner *p, int32_t i) {
    while (p->places[i].alias >= 0) i = p->places[i].alias;
    return i;
}

static int32_t buffer_of(const struct planner *p, int32_t i) {
    i = root_of(p, i);
    while (p->places[i].host >= 0) i = root_of(p, p->places[i].host);
    return i;
}

static void max_to(int32_t *a, int64_t b) {
    if (b > *a) *a = (int32_t)b;
}

static bool is_conv(enum engine_op op) {
    return op == ENGINE_OP_CONV || op == ENGINE_OP_DEPTHWISE || op == ENGINE_OP_TRANSPOSED_CONV ||
           op == ENGINE_OP_TRANSPOSED_DEPTHWISE;
}

static bool is_transposed(enum engine_op op) {
    return op == ENGINE_OP_TRANSPOSED_CONV || op == ENGINE_OP_TRANSPOSED_DEPTHWISE;
}

static int32_t floor_div(int32_t a, int32_t b) {
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* The taps that reach output phase (py, px) of a transposed convolution, or all taps of another. A transposed
 * one of stride s is s * s ordinary ones of stride 1, each for every s-th output. Returns their number. */
static int32_t taps_of(const struct node *n, int32_t py, int32_t px, struct tap *taps) {
    const struct engine_window *w = &n->window;
    int32_t count = 0;
    for (int32_t ky = 0; ky < w->kernel_h; ky++)
        for (int32_t kx = 0; kx < w->kernel_w; kx++) {
            struct tap t = {ky * w->dilation_h - w->pad_t, kx * w->dilation_w - w->pad_l,
                            ky * w->kernel_w + kx};
            if (is_transposed(n->op)) {
                int32_t ty = py + w->pad_t - ky, tx = px + w->pad_l - kx;
                t.dy = floor_div(ty, w->stride_h);
                t.dx = floor_div(tx, w->stride_w);
                t.index = (w->kernel_h - 1 - ky) * w->kernel_w + w->kernel_w - 1 - kx;
                if (t.dy * w->stride_h != ty || t.dx * w->stride_w != tx) continue;
            }
            taps[count++] = t;
        }
    return count;
}

/* Widen the border of a convolution's input to what its taps reach. */
static enum err need_border(struct planner *p, const struct node *n) {
    const struct engine_window *w = &n->window;
    struct engine_shape in = p->nodes[n->inputs[0]].shape;
    struct place *b = &p->places[buffer_of(p, n->inputs[0])];
    bool transposed = is_transposed(n->op);
    int32_t sh = transposed ? 1 : w->stride_h, sw = transposed ? 1 : w->stride_w;
    int32_t phases_h = transposed ? w->stride_h : 1, phases_w = transposed ? w->stride_w : 1;
    struct tap *taps = calloc((size_t)w->kernel_h * (size_t)w->kernel_w, sizeof *taps);
    if (!taps) return ERR_NOMEM;
    for (int32_t py = 0; py < phases_h && py < n->shape.h; py++)
        for (int32_t px = 0; px < phases_w && px < n->shape.w; px++) {
            int64_t last_y = (n->shape.h - py + phases_h - 1) / phases_h - 1;
            int64_t last_x = (n->shape.w - px + phases_w - 1) / phases_w - 1;
            int32_t count = taps_of(n, py, px, taps);
            for (int32_t i = 0; i < count; i++) {
                max_to(&b->t, -(int64_t)taps[i].dy);
                max_to(&b->l, -(int64_t)taps[i].dx);
                max_to(&b->b, last_y * sh + taps[i].dy - (in.h - 1));
                max_to(&b->r, last_x * sw + taps[i].dx - (in.w - 1));
            }
        }
    free(taps);
    return OK;
}

static bool shapes_equal(struct engine_shape a, struct engine_shape b) {
    return a.h == b.h && a.w == b.w && a.c == b.c;
}

/* Decide who shares whose memory, then lay the buffers out. */
static enum err place_tensors(struct planner *p) {
    for (size_t i = 0; i < p->n_nodes; i++) {
        const struct node *n = &p->nodes[i];
        struct place *at = &p->places[i];
        at->alias = at->host = -1;
        if (n->op == ENGINE_OP_COPY) {
            const struct node *from = &p->nodes[n->inputs[0]];
            if (shapes_equal(from->shape, n->shape) && from->fix_point == n->fix_point)
                at->alias = n->inputs[0];
        }
        if (n->op != ENGINE_OP_CONCAT || n->axis != ENGINE_AXIS_C) continue;
        int32_t channel = 0;
        for (size_t k = 0; k < n->n_inputs; k++) {
            int32_t r = root_of(p, n->inputs[k]);
            if (p->places[r].host < 0 && p->nodes[r].fix_point == n->fix_point) {
                p->places[r].host = (int32_t)i;
                p->places[r].host_at = channel;
            }
            channel += p->nodes[n->inputs[k]].shape.c;
        }
    }
    for (size_t i = 0; i < p->n_nodes; i++) {
        enum err e = is_conv(p->nodes[i].op) ? need_border(p, &p->nodes[i]) : OK;
        if (e) return e;
    }
    return OK;
}

static int32_t pixel_bytes(int32_t channels) {
    int32_t unit = channels < 16 ? 4 : 16;
    return (channels + unit - 1) / unit * unit;
}

#define ALWAYS INT32_MAX

/* Which nodes a buffer must outlive. Inputs are there before the first node (-1); constants and outputs stay.
 */
static void find_lives(struct planner *p, const int32_t *outputs, size_t n_outputs) {
    for (size_t i = 0; i < p->n_nodes; i++) p->places[i].from = ALWAYS;
    for (size_t i = 0; i < p->n_nodes; i++) {
        const struct node *n = &p->nodes[i];
        struct place *own = &p->places[buffer_of(p, (int32_t)i)];
        bool given = n->op == ENGINE_OP_INPUT || n->op == ENGINE_OP_CONST;
        int32_t written = given ? -1 : (int32_t)i;
        if (written < own->from) own->from = written;
        max_to(&own->to, n->op == ENGINE_OP_CONST ? ALWAYS : (int32_t)i);
        for (size_t k = 0; k < n->n_inputs; k++)
            max_to(&p->places[buffer_of(p, n->inputs[k])].to, (int32_t)i);
    }
    for (size_t i = 0; i < n_outputs; i++) p->places[buffer_of(p, outputs[i])].to = ALWAYS;
}

static enum err buffer_bytes(struct engine_shape s, const struct place *at, size_t *bytes) {
    size_t h = (size_t)s.h + (size_t)at->t + (size_t)at->b, w = (size_t)s.w + (size_t)at->l + (size_t)at->r;
    size_t pixel = (size_t)pixel_bytes(s.c);
    if (!size_mul(h, w, bytes) || !size_mul(*bytes, pixel, bytes) || *bytes > SIZE_MAX / 8) return ERR_NOMEM;
    *bytes = (*bytes + SLACK + SLACK_PIXELS * pixel + 63) & ~(size_t)63;
    return OK;
}

static enum err allocate_arena(struct planner *p, struct span *spans) {
    struct plan *plan = p->plan;
    size_t n = 0;
    for (size_t i = 0; i < p->n_nodes; i++) {
        struct place *at = &p->places[i];
        if (buffer_of(p, (int32_t)i) != (int32_t)i) continue;
        spans[n] = (struct span){.from = at->from, .to = at->to};
        enum err e = buffer_bytes(p->nodes[i].shape, at, &spans[n].bytes);
        if (e) return e;
        at->span = n++;
    }
    enum err e = arena_place(spans, n, &plan->arena_bytes);
    if (e) return e;
    plan->arena_bytes = (plan->arena_bytes + SLACK + 63) & ~(size_t)63;
    plan->arena = aligned_alloc(64, plan->arena_bytes);
    if (!plan->arena) return ERR_NOMEM;
    memset(plan->arena, 0x80, plan->arena_bytes);
    return OK;
}

static enum err lay_out(struct planner *p) {
    struct plan *plan = p->plan;
    struct span *spans = calloc(p->n_nodes, sizeof *spans);
    plan->views = calloc(p->n_nodes, sizeof *plan->views);
    enum err e = spans && plan->views ? allocate_arena(p, spans) : ERR_NOMEM;
    /* concatenations come after what they hold, so from the back each host is ready before its guests */
    for (size_t i = p->n_nodes; !e && i-- > 0;) {
        struct place *at = &p->places[i];
        struct view *v = &plan->views[i];
        struct engine_shape s = p->nodes[i].shape;
        if (at->alias >= 0) continue;
        if (at->host >= 0) {
            *v = plan->views[at->host];
            v->at += at->host_at;
        } else {
            v->pixel = pixel_bytes(s.c);
            v->row = v->pixel * (s.w + at->l + at->r);
            v->at = plan->arena + spans[at->span].offset + at->t * v->row + at->l * v->pixel;
        }
        v->shape = s;
    }
    for (size_t i = 0; !e && i < p->n_nodes; i++) plan->views[i] = plan->views[root_of(p, (int32_t)i)];
    free(spans);
    return e;
}

/* A step appended to the plan with room for its inputs; NULL without memory. */
static struct step *append(struct plan *plan, enum step_kind kind, int32_t node, size_t n_in) {
    if (plan->n_steps == plan->cap_steps) {
        size_t cap = plan->cap_steps ? plan->cap_steps * 2 : 64, bytes;
        if (!size_mul(cap, sizeof *plan->steps, &bytes)) return NULL;
        struct step *grown = realloc(plan->steps, bytes);
        if (!grown) return NULL;
        plan->steps = grown;
        plan->cap_steps = cap;
    }
    struct step *s = &plan->steps[plan->n_steps];
    *s = (struct step){.kind = kind, .node = node, .out = plan->views[node], .n_in = n_in};
    s->in = calloc(n_in ? n_in : 1, sizeof *s->in);
    s->align = calloc(n_in ? n_in : 1, sizeof *s->align);
    plan->n_steps++; /* from here plan_fini frees it */
    if (!s->in || !s->align) return NULL;
    for (size_t k = 0; k < n_in; k++) s->in[k] = plan->views[plan->nodes[node].inputs[k]];
    return s;
}

/* Biases in units of the sums. */
static int32_t *aligned_bias(const struct node *n, int32_t acc_fix) {
    int32_t *bias = calloc((size_t)n->shape.c, sizeof *bias);
    if (!bias || !n->bias) return bias;
    int32_t left = acc_fix - n->bias_fix;
    for (int32_t o = 0; o < n->shape.c; o++)
        bias[o] = left >= 0 ? n->bias[o] * (1 << left) : (n->bias[o] + (1 << (-left - 1))) >> -left;
    return bias;
}

/* Largest magnitude of any sum of this node, whose kernels have `taps` places over `ic` channels. */
static int64_t sum_bound(const struct node *n, const int32_t *bias, size_t taps, size_t ic, bool depthwise) {
    int64_t most = 0, most_bias = 0;
    size_t per_output = depthwise ? taps : taps * ic, step = depthwise ? ic : 1;
    for (size_t o = 0; o < (size_t)n->shape.c; o++) {
        int64_t sum = 0;
        size_t first = depthwise ? o : o * per_output;
        for (size_t i = 0; i < per_output; i++) sum += abs(n->weights[first + i * step]);
        if (sum > most) most = sum;
        if (llabs(bias[o]) > most_bias) most_bias = llabs(bias[o]);
    }
    return most * 128 + most_bias;
}

/* One phase of a convolution; `model` has its output and strides. */
static enum err plan_conv_phase(struct planner *p, int32_t id, const struct tap *taps, int32_t n_taps,
                                const struct step *model) {
    const struct node *n = &p->nodes[id];
    const struct kernels *k = p->plan->kernels;
    bool depthwise = n->op == ENGINE_OP_DEPTHWISE || n->op == ENGINE_OP_TRANSPOSED_DEPTHWISE;
    struct step *s = append(p->plan, depthwise ? STEP_DEPTHWISE : STEP_CONV, id, 1);
    if (!s) return ERR_NOMEM;
    s->out = model->out;
    s->stride_h = model->stride_h;
    s->stride_w = model->stride_w;
    int32_t acc_fix = p->nodes[n->inputs[0]].fix_point + n->weights_fix,
            kernel = n->window.kernel_h * n->window.kernel_w;
    int32_t *bias = aligned_bias(n, acc_fix);
    if (!bias) return ERR_NOMEM;
    int32_t ic = p->nodes[n->inputs[0]].shape.c;
    rule_make(&s->rule, n, acc_fix, sum_bound(n, bias, (size_t)kernel, (size_t)ic, depthwise));
    enum err e = depthwise ? k->pack_depthwise(s, n->weights, taps, n_taps, bias)
                           : k->pack_conv(s, n->weights, kernel, taps, n_taps, bias);
    free(bias);
    p->plan->packed_bytes += s->packed_bytes;
    return e;
}

static enum err plan_conv(struct planner *p, int32_t id) {
    const struct node *n = &p->nodes[id];
    const struct engine_window *w = &n->window;
    bool transposed = is_transposed(n->op);
    struct tap *taps = calloc((size_t)w->kernel_h * (size_t)w->kernel_w, sizeof *taps);
    if (!taps) return ERR_NOMEM;
    enum err e = OK;
    int32_t phases_h = transposed ? w->stride_h : 1, phases_w = transposed ? w->stride_w : 1;
    for (int32_t py = 0; py < phases_h && py < n->shape.h && !e; py++)
        for (int32_t px = 0; px < phases_w && px < n->shape.w && !e; px++) {
            struct step s = {.out = p->plan->views[id]};
            s.stride_h = transposed ? 1 : w->stride_h;
            s.stride_w = transposed ? 1 : w->stride_w;
            s.out.at += py * s.out.row + px * s.out.pixel;
            s.out.row *= phases_h;
            s.out.pixel *= phases_w;
            s.out.shape.h = (n->shape.h - py + phases_h - 1) / phases_h;
            s.out.shape.w = (n->shape.w - px + phases_w - 1) / phases_w;
            e = plan_conv_phase(p, id, taps, taps_of(n, py, px, taps), &s);
        }
    free(taps);
    return e;
}

static enum err plan_concat(struct planner *p, int32_t id) {
    const struct node *n = &p->nodes[id];
    int32_t channel = 0;
    for (size_t k = 0; k < n->n_inputs; k++) {
        int32_t r = root_of(p, n->inputs[k]);
        const struct node *from = &p->nodes[n->inputs[k]];
        bool in_place = p->places[r].host == id && p->places[r].host_at == channel;
        if (!in_place) {
            struct step *s = append(p->plan, STEP_REQUANT, id, 1);
            if (!s) return ERR_NOMEM;
            s->in[0] = p->plan->views[n->inputs[k]];
            s->out.at += channel;
            s->out.shape.c = from->shape.c;
            rule_make(&s->rule, n, from->fix_point, 128);
        }
        channel += from->shape.c;
    }
    return OK;
}

static enum err plan_reference(struct planner *p, int32_t id) {
    const struct node *n = &p->nodes[id];
    struct step *s = append(p->plan, STEP_REFERENCE, id, n->n_inputs);
    if (!s) return ERR_NOMEM;
    s->dense_in = calloc(n->n_inputs, sizeof *s->dense_in);
    s->dense_out = calloc(shape_elements(n->shape), 1);
    if (!s->dense_in || !s->dense_out) return ERR_NOMEM;
    p->plan->dense_bytes += shape_elements(n->shape);
    for (size_t k = 0; k < n->n_inputs; k++) {
        size_t bytes = shape_elements(p->nodes[n->inputs[k]].shape);
        s->dense_in[k] = calloc(bytes, 1);
        if (!s->dense_in[k]) return ERR_NOMEM;
        p->plan->dense_bytes += bytes;
    }
    return OK;
}

static enum err plan_simple(struct planner *p, int32_t id, enum step_kind kind) {
    const struct node *n = &p->nodes[id];
    const struct node *from = &p->nodes[n->inputs[0]];
    struct step *s = append(p->plan, kind, id, n->n_inputs);
    if (!s) return ERR_NOMEM;
    s->window = n->window;
    s->avg_n = n->avg_n;
    int32_t fix = from->fix_point;
    int64_t bound = 128;
    if (kind == STEP_ADD) {
        for (size_t k = 0; k < n->n_inputs; k++)
            if (p->nodes[n->inputs[k]].fix_point > fix) fix = p->nodes[n->inputs[k]].fix_point;
        bound = 0;
        for (size_t k = 0; k < n->n_inputs; k++) {
            s->align[k] = fix - p->nodes[n->inputs[k]].fix_point;
            bound += (int64_t)128 << s->align[k];
        }
    } else if (kind == STEP_POOL_AVG) {
        bound = (int64_t)128 * n->window.kernel_w * n->window.kernel_h * n->avg_n;
        fix += n->avg_m;
    }
    rule_make(&s->rule, n, fix, bound);
    return OK;
}

/* What lay there before has overwritten the borders: zeros again, before the first reader. */
static enum err plan_borders(struct planner *p, int32_t moment) {
    for (size_t i = 0; i < p->n_nodes; i++) {
        const struct place *at = &p->places[i];
        if (buffer_of(p, (int32_t)i) != (int32_t)i || at->from != moment) continue;
        if (!at->l && !at->r && !at->t && !at->b) continue;
        struct step *s = append(p->plan, STEP_BORDER, (int32_t)i, 0);
        if (!s) return ERR_NOMEM;
        s->window = (struct engine_window){.pad_l = at->l, .pad_r = at->r, .pad_t = at->t, .pad_b = at->b};
    }
    return OK;
}

static enum err plan_node(struct planner *p, int32_t id) {
    const struct node *n = &p->nodes[id];
    const struct view *v = &p->plan->views[id];
    switch (n->op) {
    case ENGINE_OP_INPUT:
        return OK;
    case ENGINE_OP_CONST:
        p->plan->kernels->import(v, n->weights);
        return OK;
    case ENGINE_OP_CONV:
    case ENGINE_OP_DEPTHWISE:
    case ENGINE_OP_TRANSPOSED_CONV:
    case ENGINE_OP_TRANSPOSED_DEPTHWISE:
        return plan_conv(p, id);
    case ENGINE_OP_POOL_MAX:
        return plan_simple(p, id, STEP_POOL_MAX);
    case ENGINE_OP_POOL_AVG: {
        /* the sums of a huge window times the factor may pass 32 bits */
        int64_t most = (int64_t)128 * n->window.kernel_w * n->window.kernel_h * n->avg_n;
        return most < INT32_MAX ? plan_simple(p, id, STEP_POOL_AVG) : plan_reference(p, id);
    }
    case ENGINE_OP_ADD: {
        int64_t most = 0;
        int32_t fix = INT32_MIN;
        for (size_t k = 0; k < n->n_inputs; k++)
            if (p->nodes[n->inputs[k]].fix_point > fix) fix = p->nodes[n->inputs[k]].fix_point;
        for (size_t k = 0; k < n->n_inputs; k++)
            most += (int64_t)128 << (fix - p->nodes[n->inputs[k]].fix_point);
        return most < INT32_MAX ? plan_simple(p, id, STEP_ADD) : plan_reference(p, id);
    }
    case ENGINE_OP_CONCAT:
        return n->axis == ENGINE_AXIS_C ? plan_concat(p, id) : plan_reference(p, id);
    case ENGINE_OP_NEAREST:
        return n->align_corners || n->half_pixel ? plan_reference(p, id) : plan_simple(p, id, STEP_NEAREST);
    case ENGINE_OP_COPY:
        if (p->places[id].alias >= 0) return OK;
        if (shapes_equal(n->shape, p->nodes[n->inputs[0]].shape)) return plan_simple(p, id, STEP_REQUANT);
        return plan_reference(p, id);
    case ENGINE_OP_MUL:
    case ENGINE_OP_BILINEAR:
    case ENGINE_OP_PAD:
    case ENGINE_OP_REORG:
    case ENGINE_OP_PIXEL_SHUFFLE:
    case ENGINE_OP_TILE:
    case ENGINE_OP_HARD_SIGMOID:
        return plan_reference(p, id);
    case ENGINE_OP_N:
        break;
    }
    return ERR_UNSUPPORTED;
}

enum err plan_make(struct plan *plan, const struct engine_graph *graph, const struct node *nodes,
                   const struct kernels *kernels) {
    size_t n_nodes = graph->n_nodes;
    *plan = (struct plan){.nodes = nodes, .kernels = kernels};
    struct planner p = {.plan = plan, .nodes = nodes, .n_nodes = n_nodes};
    p.places = calloc(n_nodes, sizeof *p.places);
    enum err e = p.places ? place_tensors(&p) : ERR_NOMEM;
    if (!e) find_lives(&p, graph->outputs, graph->n_outputs);
    if (!e) e = lay_out(&p);
    if (!e) e = plan_borders(&p, -1);
    for (size_t i = 0; i < n_nodes && !e; i++) {
        e = plan_borders(&p, (int32_t)i);
        if (!e) e = plan_node(&p, (int32_t)i);
    }
    free(p.places);
    if (e) plan_fini(plan);
    return e;
}

void plan_fini(struct plan *plan) {
    for (size_t i = 0; i < plan->n_steps; i++) {
        struct step *s = &plan->steps[i];
        for (size_t k = 0; s->dense_in && k < s->n_in; k++) free(s->dense_in[k]);
        free(s->dense_in);
        free(s->dense_out);
        free(s->in);
        free(s->align);
        free(s->run_offset);
        free(s->weights);
        free(s->bias);
    }
    free(plan->steps);
    free(plan->views);
    free(plan->arena);
    *plan = (struct plan){0};
}

static void run_reference(const struct plan *plan, const struct step *s) {
    for (size_t k = 0; k < s->n_in; k++) plan->kernels->export(&s->in[k], s->dense_in[k]);
    const int8_t *in[ENGINE_INPUTS_MAX];
    for (size_t k = 0; k < s->n_in; k++) in[k] = s->dense_in[k];
    reference_run_node(plan->nodes, &plan->nodes[s->node], in, s->dense_out);
    plan->kernels->import(&s->out, s->dense_out);
}

static void run_border(const struct step *s) {
    const struct view *v = &s->out;
    const struct engine_window *w = &s->window;
    size_t left = (size_t)(w->pad_l * v->pixel), right = (size_t)(w->pad_r * v->pixel);
    uint8_t *first = v->at - w->pad_l * v->pixel, *end = v->at + v->shape.w * v->pixel;
    memset(first - w->pad_t * v->row, 0x80, (size_t)(w->pad_t * v->row));
    memset(first + v->shape.h * v->row, 0x80, (size_t)(w->pad_b * v->row));
    for (int32_t y = 0; y < v->shape.h; y++) {
        memset(first + y * v->row, 0x80, left);
        memset(end + y * v->row, 0x80, right);
    }
}

void plan_run(const struct plan *plan) {
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct step *s = &plan->steps[i];
        if (s->kind == STEP_BORDER)
            run_border(s);
        else if (s->kind == STEP_REFERENCE)
            run_reference(plan, s);
        else
            plan->kernels->run[s->kind](s);
    }
}
