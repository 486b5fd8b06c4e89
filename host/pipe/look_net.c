/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/look_net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/pipe/model_policy.h"

#define MODULE   "look_net"
#define SIDE_MIN 16
#define SIDE_MAX 512

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

/* Absent = `otherwise`. */
static bool get_share(const json_t *o, const char *key, float otherwise, float *out) {
    const json_t *v = json_object_get(o, key);
    const double x = json_number_value(v);
    *out = v ? (float)x : otherwise;
    return !v || (json_is_number(v) && x > 0.0 && x < 1.0);
}

static bool get_file(const json_t *file, struct look_net *n) {
    const char *s = json_string_value(json_object_get(file, "sha256"));
    if (!s || strlen(s) != 64 || strspn(s, "0123456789abcdef") != 64 || n->n_files == LOOK_NET_FILES_MAX)
        return false;
    memcpy(n->file_sha256[n->n_files++], s, 65);
    return true;
}

/* "field:value" of the vocabulary; null = nothing. */
static bool get_value(const json_t *v, const struct vocab *vocab, struct look_net_value *out) {
    char field[64];
    const char *s = json_string_value(v), *colon = s ? strchr(s, ':') : NULL;
    *out = (struct look_net_value){.field = FIELD_NONE};
    if (!v || json_is_null(v)) return true;
    if (!colon || (size_t)(colon - s) >= sizeof field) return false;
    memcpy(field, s, (size_t)(colon - s));
    field[colon - s] = 0;
    out->field = field_by_name(field);
    if (out->field == FIELD_NONE) return false;
    const struct vocab_value *value = vocab_by_name(vocab, out->field, colon + 1);
    if (!value || value->id < VOCAB_FIRST) return false;
    out->id = value->id;
    return true;
}

/* ---- the parts of model.json ---- */

static enum err read_files(const char *where, const json_t *files, struct look_net *n) {
    const json_t *compiled = json_object_get(files, "compiled"), *golden = json_object_get(files, "golden"), *one;
    size_t i;
    if (golden && !get_file(golden, n)) return bad(where, "files.golden", "no SHA-256");
    if (compiled && !json_is_array(compiled)) return bad(where, "files.compiled", "no list");
    json_array_foreach(compiled, i, one) if (!get_file(one, n)) return bad(where, "files.compiled", "no SHA-256");
    return n->n_files > 0 ? OK : bad(where, "files", "neither golden nor compiled");
}

static enum err read_input(const char *where, const json_t *input, struct look_net *n) {
    json_int_t w, h, fix;
    if (!get_int(input, "width", SIDE_MIN, SIDE_MAX, &w) || !get_int(input, "height", SIDE_MIN, SIDE_MAX, &h) ||
        !get_int(input, "fix_point", -16, 16, &fix))
        return bad(where, "input", "width, height or fix_point out of range");
    if ((!is(input, "order", "BGR") && !is(input, "order", "RGB")) || !is(input, "fit", "stretch"))
        return bad(where, "input", "only BGR or RGB, stretched, is implemented");
    n->input_w_px = (uint32_t)w;
    n->input_h_px = (uint32_t)h;
    n->input_fix_point = (int32_t)fix;
    return OK;
}

static enum err read_label(const char *where, const json_t *o, bool is_choice, const struct vocab *vocab,
                           struct look_net_label *out) {
    char name[64];
    const json_t *yes = json_object_get(o, "yes");
    if (!get_text(o, "name", name, sizeof name)) return bad(where, "labels", "a label without name");
    if (model_word_refused(name)) {
        log_error(MODULE, "model=%s text=\"a model with this label is never loaded\"", where);
        return ERR_DENIED;
    }
    bool fine = yes && get_value(json_object_get(o, "no"), vocab, &out->no);
    if (json_is_array(yes)) {
        fine = fine && json_array_size(yes) == 2;
        for (unsigned i = 0; fine && i < 2; i++) fine = get_value(json_array_get(yes, i), vocab, &out->yes[i]);
    } else {
        fine = fine && get_value(yes, vocab, &out->yes[0]);
    }
    if (!fine) return bad(where, "labels", "yes or no is no value of the vocabulary");
    if (is_choice && out->no.field != FIELD_NONE) return bad(where, "labels", "a choice has no opposite");
    if (!get_share(o, "at_least", 2.0f, &out->at_least) || !get_share(o, "sure", 2.0f, &out->sure))
        return bad(where, "labels", "at_least or sure is not between 0 and 1");
    return OK;
}

static enum err read_head(const char *where, const json_t *o, const struct vocab *vocab, struct look_net *n) {
    struct look_net_head *head = &n->heads[n->n_heads];
    const json_t *labels = json_object_get(o, "labels"), *one;
    json_int_t fix;
    size_t i;
    if (!get_text(o, "tensor", head->tensor, sizeof head->tensor) || !get_int(o, "fix_point", -4, 12, &fix))
        return bad(where, "outputs", "tensor or fix_point");
    if (model_word_refused(head->tensor)) return bad(where, "outputs.tensor", "is refused");
    if (!is(o, "role", "class") || (!is(o, "softmax", "host") && !is(o, "softmax", "none")))
        return bad(where, "outputs", "only role class, softmax host or none, is implemented");
    head->fix_point = (int32_t)fix;
    head->is_choice = is(o, "softmax", "host");
    head->first = n->n_labels;
    if (json_array_size(labels) == 0 || json_array_size(labels) > LOOK_NET_LABELS_MAX - n->n_labels)
        return bad(where, "outputs.labels", "none, or too many");
    json_array_foreach(labels, i, one) {
        enum err e = read_label(where, one, head->is_choice, vocab, &n->labels[n->n_labels++]);
        if (e) return e;
        head->n_labels++;
    }
    n->n_heads++;
    return OK;
}

static enum err read_task(const char *where, const json_t *root, struct look_net *n) {
    char task[64];
    json_int_t format;
    if (!get_text(root, "task", task, sizeof task) || !get_text(root, "name", n->name, sizeof n->name))
        return bad(where, "task, name", "missing or too long");
    if (!model_task_allowed(task) || model_word_refused(n->name)) {
        log_error(MODULE, "model=%s text=\"a model of this kind is never loaded\"", where);
        return ERR_DENIED;
    }
    n->of_persons = strcmp(task, "clothing") == 0;
    if (!n->of_persons && strncmp(task, "vehicle_", 8) != 0)
        return bad(where, "task", "another task than it is to be used for");
    return get_int(root, "format", 1, 1, &format) ? OK : bad(where, "format", "is not 1");
}

enum err look_net_parse(const char *where, const char *json, size_t n_bytes, const struct vocab *vocab,
                        struct look_net *out) {
    json_error_t why;
    *out = (struct look_net){0};
    json_t *root = n_bytes <= LOOK_NET_JSON_MAX ? json_loadb(json, n_bytes, JSON_REJECT_DUPLICATES, &why) : NULL;
    if (!root) return bad(where, "file", n_bytes <= LOOK_NET_JSON_MAX ? why.text : "too large");
    const json_t *outputs = json_object_get(root, "outputs"), *one;
    size_t i;
    enum err e = read_task(where, root, out);
    if (!e) e = read_files(where, json_object_get(root, "files"), out);
    if (!e) e = read_input(where, json_object_get(root, "input"), out);
    if (!e && (json_array_size(outputs) == 0 || json_array_size(outputs) > LOOK_NET_HEADS_MAX))
        e = bad(where, "outputs", "one or two are needed");
    json_array_foreach(outputs, i, one) if (!e) e = read_head(where, one, vocab, out);
    json_decref(root);
    return e;
}

enum err look_net_open(const char *dir, const struct vocab *vocab, struct look_net *out) {
    char path[FS_PATH_MAX], *json = NULL;
    size_t n = 0;
    enum err e = fs_join(path, dir, "model.json");
    if (!e) e = fs_read(path, LOOK_NET_JSON_MAX, &json, &n);
    if (e == ERR_MISSING) log_error(MODULE, "file=%s text=\"missing; it is built by: make models\"", path);
    if (e) return e == ERR_NOMEM ? e : ERR_IO;
    e = look_net_parse(dir, json, n, vocab, out);
    free(json);
    return e;
}

/* ---- the card ---- */

enum err look_net_match(const struct look_net *n, const struct wire_card_ready *ready) {
    const struct wire_tensor *in = &ready->input;
    const char *why = NULL;
    bool known = false;
    for (unsigned i = 0; i < n->n_files; i++) known = known || strcmp(ready->model_sha256, n->file_sha256[i]) == 0;
    if (!known) why = "a file that model.json does not name by hash";
    if (in->w != n->input_w_px || in->h != n->input_h_px || in->c != 3 || in->fix_point != n->input_fix_point)
        why = "another input";
    if (ready->n_outputs != n->n_heads) why = "another number of outputs";
    for (unsigned i = 0; !why && i < n->n_heads; i++) {
        const struct wire_tensor *out = &ready->outputs[i];
        if (strcmp(out->name, n->heads[i].tensor) != 0 || out->fix_point != n->heads[i].fix_point ||
            out->n_bytes != n->heads[i].n_labels)
            why = "another output";
    }
    if (strcmp(ready->model, n->name) != 0) why = "another model";
    if (!why) return OK;
    log_error(MODULE, "model=%s text=\"the card runs something else: %s\"", n->name, why);
    return ERR_CORRUPT;
}

/* ---- what the outputs mean ---- */

void look_net_add(const struct look_net *n, const int8_t *answer, float weight, float *sums) {
    for (unsigned h = 0; h < n->n_heads; h++) {
        const struct look_net_head *head = &n->heads[h];
        const float unit = ldexpf(weight, -head->fix_point);
        for (unsigned i = head->first; i < head->first + head->n_labels; i++) sums[i] += unit * (float)answer[i];
    }
}

bool look_net_share(const struct look_net *n, const float *shares, enum field field, uint16_t id, float *share) {
    bool speaks = false;
    for (unsigned k = 0; k < n->n_labels; k++) {
        for (unsigned y = 0; y < 2; y++) {
            const struct look_net_value *v = &n->labels[k].yes[y];
            if (v->field != field) continue;
            speaks = true;
            if (v->id == id) *share += shares[k];
        }
    }
    return speaks;
}

void look_net_shares(const struct look_net *n, const float *sums, float weight, float *shares) {
    for (unsigned h = 0; h < n->n_heads; h++) {
        const struct look_net_head *head = &n->heads[h];
        const float *s = sums + head->first;
        float *out = shares + head->first, top = s[0], sum = 0.0f;
        for (unsigned i = 1; i < head->n_labels; i++) top = fmaxf(top, s[i]);
        for (unsigned i = 0; i < head->n_labels; i++) {
            out[i] = head->is_choice ? expf((s[i] - top) / weight) : 1.0f / (1.0f + expf(-s[i] / weight));
            sum += out[i];
        }
        for (unsigned i = 0; head->is_choice && i < head->n_labels; i++) out[i] /= sum;
    }
}
