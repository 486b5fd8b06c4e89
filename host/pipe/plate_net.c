/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/plate_net.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/pipe/model_policy.h"

#define MODULE   "plate"
#define CELL     5u /* centre's logit, then the distances to left, top, right, bottom */
#define SIDE_MIN 32
#define SIDE_MAX 512

static const struct {
    const char *task, *role, *decode;
} kinds[] = {
    [PLATE_FIND] = {"plate_find", "centre+box", "plate_centre"},
    [PLATE_READ] = {"plate_read", "columns", "plate_columns"},
};

static enum err bad(const char *where, const char *field, const char *why) {
    log_error(MODULE, "model=%s field=%s text=\"%s\"", where, field, why);
    return ERR_CORRUPT;
}

/* ---- single fields: false = not there, or out of range ---- */

static bool is(const json_t *o, const char *key, const char *wanted) {
    const char *s = json_string_value(json_object_get(o, key));
    return s && strcmp(s, wanted) == 0;
}

static bool get_text(const json_t *o, const char *key, char *out, size_t cap) {
    const json_t *v = json_object_get(o, key);
    const char *s = json_string_value(v);
    const size_t n = s ? json_string_length(v) : 0;
    if (n == 0 || n >= cap || strlen(s) != n) return false;
    memcpy(out, s, n + 1);
    return true;
}

static bool get_int(const json_t *o, const char *key, json_int_t least, json_int_t most, json_int_t *out) {
    const json_t *v = json_object_get(o, key);
    *out = json_integer_value(v);
    return json_is_integer(v) && *out >= least && *out <= most;
}

static bool get_number(const json_t *o, const char *key, double least, double most, float *out) {
    const json_t *v = json_object_get(o, key);
    const double x = json_number_value(v);
    *out = (float)x;
    return json_is_number(v) && x >= least && x <= most;
}

static bool get_file(const json_t *file, struct plate_net *n) {
    const char *s = json_string_value(json_object_get(file, "sha256"));
    if (!s || strlen(s) != 64 || strspn(s, "0123456789abcdef") != 64 || n->n_files == PLATE_FILES_MAX)
        return false;
    memcpy(n->file_sha256[n->n_files++], s, 65);
    return true;
}

/* ---- the parts of model.json ---- */

static enum err read_files(const char *where, const json_t *files, struct plate_net *n) {
    const json_t *compiled = json_object_get(files, "compiled"), *one;
    size_t i;
    if (!get_file(json_object_get(files, "golden"), n)) return bad(where, "files.golden", "no SHA-256");
    if (compiled && !json_is_array(compiled)) return bad(where, "files.compiled", "no list");
    json_array_foreach(compiled, i, one) if (!get_file(one, n)) return bad(where, "files.compiled",
                                                                           "no SHA-256");
    return OK;
}

static enum err read_shapes(const char *where, const json_t *root, struct plate_net *n) {
    const json_t *input = json_object_get(root, "input"), *outputs = json_object_get(root, "outputs");
    const json_t *output = json_array_get(outputs, 0);
    json_int_t w, h, in_fix, out_fix, stride;
    if (!get_int(input, "width", SIDE_MIN, SIDE_MAX, &w) ||
        !get_int(input, "height", SIDE_MIN, SIDE_MAX, &h) || !get_int(input, "fix_point", -16, 16, &in_fix))
        return bad(where, "input", "width, height or fix_point out of range");
    if (!is(input, "order", "BGR") || !is(input, "fit", "stretch"))
        return bad(where, "input", "only BGR, stretched, is implemented");
    if (json_array_size(outputs) != 1 || !get_text(output, "tensor", n->tensor, sizeof n->tensor))
        return bad(where, "outputs", "one output with a name is needed");
    if (!is(output, "role", kinds[n->task].role) || !is(output, "softmax", "host"))
        return bad(where, "outputs", "role and softmax must be those of its task");
    if (!get_int(output, "fix_point", -1, 12, &out_fix) || !get_int(output, "stride", 1, 32, &stride) ||
        w % stride || h % stride)
        return bad(where, "outputs", "fix_point or stride out of range");
    if (n->task == PLATE_READ && w / stride != PLATE_COLUMNS)
        return bad(where, "outputs.stride", "the reader has 32 columns");
    n->input_w_px = (uint32_t)w;
    n->input_h_px = (uint32_t)h;
    n->input_fix_point = (int32_t)in_fix;
    n->output_fix_point = (int32_t)out_fix;
    n->stride_px = (uint32_t)stride;
    return OK;
}

static enum err read_decode(const char *where, const json_t *root, struct plate_net *n) {
    const json_t *decode = json_object_get(root, "decode"), *threshold = json_object_get(root, "threshold");
    if (!is(decode, "kind", kinds[n->task].decode)) return bad(where, "decode.kind", "must be that of its task");
    if (n->task == PLATE_FIND && !get_number(decode, "side", 1, SIDE_MAX, &n->side_px))
        return bad(where, "decode.side", "out of range");
    if (n->task == PLATE_READ && (!get_number(decode, "margin_x", 0, 1, &n->margin_x) ||
                                  !get_number(decode, "margin_y", 0, 1, &n->margin_y)))
        return bad(where, "decode.margin_x, margin_y", "not between 0 and 1");
    if (!get_number(threshold, "start", 0.001, 0.999, &n->start))
        return bad(where, "threshold.start", "not in 0 .. 1");
    if (!get_number(threshold, "not_estimated_below_px", 1, 4096, &n->least_px))
        return bad(where, "threshold.not_estimated_below_px", "out of range");
    return OK;
}

enum err plate_net_parse(const char *where, const char *json, size_t n_bytes, enum plate_task task,
                         struct plate_net *out) {
    json_error_t why;
    char word[64];
    json_int_t format;
    *out = (struct plate_net){.task = task};
    json_t *root = n_bytes <= PLATE_JSON_MAX ? json_loadb(json, n_bytes, JSON_REJECT_DUPLICATES, &why) : NULL;
    if (!root) return bad(where, "file", n_bytes <= PLATE_JSON_MAX ? why.text : "too large");
    enum err e = OK;
    if (!get_text(root, "task", word, sizeof word) || !get_text(root, "name", out->name, sizeof out->name))
        e = bad(where, "task, name", "missing or too long");
    else if (!model_task_allowed(word) || model_word_refused(out->name)) {
        log_error(MODULE, "model=%s text=\"a model of this kind is never loaded\"", where);
        e = ERR_DENIED;
    } else if (strcmp(word, kinds[task].task) != 0)
        e = bad(where, "task", "another task than it is to be used for");
    else if (!get_int(root, "format", 1, 1, &format))
        e = bad(where, "format", "is not 1");
    if (!e) e = read_files(where, json_object_get(root, "files"), out);
    if (!e) e = read_shapes(where, root, out);
    if (!e) e = read_decode(where, root, out);
    json_decref(root);
    return e;
}

enum err plate_net_open(const char *dir, enum plate_task task, struct plate_net *out) {
    char path[FS_PATH_MAX], *json = NULL;
    size_t n = 0;
    enum err e = fs_join(path, dir, "model.json");
    if (!e) e = fs_read(path, PLATE_JSON_MAX, &json, &n);
    if (e == ERR_MISSING) log_error(MODULE, "file=%s text=\"missing; it is built by: make models\"", path);
    if (e) return e == ERR_NOMEM ? e : ERR_IO;
    e = plate_net_parse(dir, json, n, task, out);
    free(json);
    return e;
}

/* ---- the card ---- */

static unsigned grid_w(const struct plate_net *n) {
    return n->input_w_px / n->stride_px;
}

static unsigned grid_h(const struct plate_net *n) {
    return n->task == PLATE_READ ? 1u : n->input_h_px / n->stride_px;
}

size_t plate_net_bytes(const struct plate_net *n) {
    return (size_t)grid_w(n) * grid_h(n) * (n->task == PLATE_READ ? PLATE_CLASSES : CELL);
}

enum err plate_net_match(const struct plate_net *n, const struct wire_card_ready *ready) {
    const struct wire_tensor *in = &ready->input, *out = &ready->outputs[0];
    const char *why = NULL;
    bool known = false;
    for (unsigned i = 0; i < n->n_files; i++)
        known = known || strcmp(ready->model_sha256, n->file_sha256[i]) == 0;
    if (!known) why = "a file that model.json does not name by hash";
    if (in->w != n->input_w_px || in->h != n->input_h_px || in->c != 3 || in->fix_point != n->input_fix_point)
        why = "another input";
    if (ready->n_outputs != 1 || strcmp(out->name, n->tensor) != 0 || out->fix_point != n->output_fix_point ||
        out->w != grid_w(n) || out->h != grid_h(n) || out->n_bytes != plate_net_bytes(n))
        why = "another output";
    if (strcmp(ready->model, n->name) != 0) why = "another model";
    if (!why) return OK;
    log_error(MODULE, "model=%s text=\"the card runs something else: %s\"", n->name, why);
    return ERR_CORRUPT;
}

/* ---- what the outputs mean ---- */

bool plate_net_find(const struct plate_net *n, const int8_t *cells, const struct wire_roi *region,
                    struct plate_box *out) {
    const unsigned w = grid_w(n), n_cells = w * grid_h(n);
    const float unit = ldexpf(1.0f, -n->output_fix_point), stride = (float)n->stride_px;
    const float kx = (float)region->w_px / (float)n->input_w_px,
                ky = (float)region->h_px / (float)n->input_h_px;
    unsigned best = 0;
    for (unsigned i = 1; i < n_cells; i++)
        if (cells[i * CELL] > cells[best * CELL]) best = i;
    const int8_t *c = cells + (size_t)best * CELL;
    const float cx = ((float)(best % w) + 0.5f) * stride, cy = ((float)(best / w) + 0.5f) * stride;
    const float side = unit * n->side_px;
    const float x0 = fmaxf(cx - (float)c[1] * side, 0.0f), y0 = fmaxf(cy - (float)c[2] * side, 0.0f);
    const float x1 = fminf(cx + (float)c[3] * side, (float)n->input_w_px);
    const float y1 = fminf(cy + (float)c[4] * side, (float)n->input_h_px);
    *out = (struct plate_box){.x_px = (float)region->x_px + x0 * kx,
                              .y_px = (float)region->y_px + y0 * ky,
                              .w_px = (x1 - x0) * kx,
                              .h_px = (y1 - y0) * ky,
                              .score = 1.0f / (1.0f + expf(-(float)c[0] * unit))};
    return out->score >= n->start && out->w_px >= n->least_px && out->h_px >= 4.0f;
}

bool plate_net_region(const struct plate_net *n, const struct plate_box *b, uint32_t w_px, uint32_t h_px,
                      struct wire_roi *out) {
    const float mx = b->w_px * n->margin_x, my = b->h_px * n->margin_y;
    const float x0 = floorf(fmaxf(b->x_px - mx, 0.0f) / 2.0f) * 2.0f;
    const float y0 = floorf(fmaxf(b->y_px - my, 0.0f) / 2.0f) * 2.0f;
    const float x1 = fminf(ceilf(b->x_px + b->w_px + mx), (float)w_px);
    const float y1 = fminf(ceilf(b->y_px + b->h_px + my), (float)h_px);
    if (!(x1 - x0 >= 2.0f && y1 - y0 >= 2.0f)) return false;
    *out = (struct wire_roi){(uint16_t)x0, (uint16_t)y0, (uint16_t)(x1 - x0), (uint16_t)(y1 - y0)};
    return true;
}

void plate_net_read(const struct plate_net *n, const int8_t *columns, struct plate_guess *out) {
    const float unit = ldexpf(1.0f, -n->output_fix_point);
    float log_p[PLATE_COLUMNS][PLATE_CLASSES];
    for (unsigned t = 0; t < PLATE_COLUMNS; t++) {
        const int8_t *q = columns + (size_t)t * PLATE_CLASSES;
        int top = q[0];
        for (unsigned k = 1; k < PLATE_CLASSES; k++) top = q[k] > top ? q[k] : top;
        float sum = 0.0f;
        for (unsigned k = 0; k < PLATE_CLASSES; k++) sum += expf((float)(q[k] - top) * unit);
        const float log_sum = logf(sum);
        for (unsigned k = 0; k < PLATE_CLASSES; k++) log_p[t][k] = (float)(q[k] - top) * unit - log_sum;
    }
    plate_text_read((const float(*)[PLATE_CLASSES])log_p, out);
}
