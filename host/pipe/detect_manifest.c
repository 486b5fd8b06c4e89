/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/detect_manifest.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "host/base/log.h"
#include "host/pipe/model_policy.h"

#define MODULE "detect"

static enum err bad(const char *where, const char *field, const char *why) {
    log_error(MODULE, "model=%s field=%s text=\"%s\"", where, field, why);
    return ERR_CORRUPT;
}

static enum err refused(const char *where, const char *field) {
    log_error(MODULE, "model=%s field=%s text=\"a model of this kind is never loaded\"", where, field);
    return ERR_DENIED;
}

/* ---- single fields; `path` is what the log shows ---- */

static enum err get_text(const char *where, const json_t *o, const char *key, const char *path, char *out,
                         size_t cap) {
    const json_t *v = json_object_get(o, key);
    const char *s = json_string_value(v);
    if (!s) return bad(where, path, "no text");
    size_t n = json_string_length(v);
    if (n == 0 || n >= cap || strlen(s) != n) return bad(where, path, "empty or too long");
    memcpy(out, s, n + 1);
    return OK;
}

static enum err get_int(const char *where, const json_t *o, const char *key, const char *path, long least,
                        long most, long *out) {
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v)) return bad(where, path, "no whole number");
    json_int_t n = json_integer_value(v);
    if (n < least || n > most) return bad(where, path, "out of range");
    *out = (long)n;
    return OK;
}

static enum err get_share(const char *where, const json_t *o, const char *key, const char *path, float *out) {
    const json_t *v = json_object_get(o, key);
    double x = json_number_value(v);
    if (!json_is_number(v)) return bad(where, path, "no number");
    if (!(x > 0 && x < 1)) return bad(where, path, "not between 0 and 1");
    *out = (float)x;
    return OK;
}

static enum err get_sha256(const char *where, const json_t *file, const char *path,
                           struct detect_manifest *out) {
    const char *s = json_string_value(json_object_get(file, "sha256"));
    if (!s || strlen(s) != 64 || strspn(s, "0123456789abcdef") != 64) return bad(where, path, "no SHA-256");
    memcpy(out->file_sha256[out->n_files++], s, 65);
    return OK;
}

/* ---- parts ---- */

static enum err parse_files(const char *where, const json_t *root, struct detect_manifest *out) {
    const json_t *files = json_object_get(root, "files");
    const json_t *compiled = json_object_get(files, "compiled"), *one;
    size_t i;
    enum err e = get_sha256(where, json_object_get(files, "golden"), "files.golden", out);
    if (e) return e;
    if (compiled && !json_is_array(compiled)) return bad(where, "files.compiled", "no list");
    if (json_array_size(compiled) > DETECT_FILES_MAX - 1) return bad(where, "files.compiled", "too many");
    json_array_foreach(compiled, i, one) {
        e = get_sha256(where, one, "files.compiled", out);
        if (e) return e;
    }
    return OK;
}

static enum err parse_input(const char *where, const json_t *root, struct detect_manifest *out) {
    const json_t *input = json_object_get(root, "input");
    long w, h, fix;
    char word[DETECT_LABEL_BYTES];
    enum err e = get_int(where, input, "width", "input.width", 32, DETECT_SIDE_MAX, &w);
    if (!e) e = get_int(where, input, "height", "input.height", 32, DETECT_SIDE_MAX, &h);
    if (!e) e = get_int(where, input, "fix_point", "input.fix_point", -16, 16, &fix);
    if (!e) e = get_text(where, input, "order", "input.order", word, sizeof word);
    if (e) return e;
    if (strcmp(word, "BGR") != 0) return bad(where, "input.order", "only BGR is implemented");
    e = get_text(where, input, "fit", "input.fit", word, sizeof word);
    if (e) return e;
    if (strcmp(word, "letterbox") != 0) return bad(where, "input.fit", "only letterbox is implemented");
    out->input_w_px = (uint32_t)w;
    out->input_h_px = (uint32_t)h;
    out->input_fix_point = (int32_t)fix;
    return OK;
}

static enum err parse_head(const char *where, const json_t *o, const struct detect_manifest *m,
                           struct detect_head *out) {
    long stride, fix;
    char word[DETECT_LABEL_BYTES];
    enum err e = get_text(where, o, "tensor", "outputs.tensor", out->tensor, sizeof out->tensor);
    if (!e) e = get_int(where, o, "stride", "outputs.stride", 4, 128, &stride);
    /* Beyond this range a score or a bin would be a constant, or overflow the exponential. */
    if (!e) e = get_int(where, o, "fix_point", "outputs.fix_point", -1, 12, &fix);
    if (!e) e = get_text(where, o, "role", "outputs.role", word, sizeof word);
    if (e) return e;
    if (strcmp(word, "scores+bins") != 0)
        return bad(where, "outputs.role", "only scores+bins is implemented");
    e = get_text(where, o, "softmax", "outputs.softmax", word, sizeof word);
    if (e) return e;
    if (strcmp(word, "host") != 0) return bad(where, "outputs.softmax", "only host is implemented");
    if (model_word_refused(out->tensor)) return refused(where, "outputs.tensor");
    if (m->input_w_px % (uint32_t)stride || m->input_h_px % (uint32_t)stride)
        return bad(where, "outputs.stride", "does not divide the input");
    out->stride_px = (uint32_t)stride;
    out->fix_point = (int32_t)fix;
    return OK;
}

static enum err parse_heads(const char *where, const json_t *root, struct detect_manifest *out) {
    const json_t *outputs = json_object_get(root, "outputs"), *one;
    size_t i;
    if (!json_is_array(outputs) || json_array_size(outputs) == 0 ||
        json_array_size(outputs) > DETECT_HEADS_MAX)
        return bad(where, "outputs", "no list of 1 to 8 heads");
    json_array_foreach(outputs, i, one) {
        enum err e = parse_head(where, one, out, &out->heads[i]);
        if (e) return e;
        for (size_t k = 0; k < i; k++)
            if (strcmp(out->heads[k].tensor, out->heads[i].tensor) == 0)
                return bad(where, "outputs.tensor", "the same tensor twice");
        out->n_heads++;
    }
    return OK;
}

static enum err parse_decode(const char *where, const json_t *root, struct detect_manifest *out) {
    const json_t *decode = json_object_get(root, "decode"), *threshold = json_object_get(root, "threshold");
    long classes, bins;
    char word[DETECT_LABEL_BYTES];
    enum err e = get_text(where, decode, "kind", "decode.kind", word, sizeof word);
    if (e) return e;
    if (strcmp(word, "nanodet") != 0) return bad(where, "decode.kind", "only nanodet is implemented");
    e = get_int(where, decode, "classes", "decode.classes", 1, DETECT_CLASSES_MAX, &classes);
    if (!e) e = get_int(where, decode, "bins", "decode.bins", 2, DETECT_BINS_MAX, &bins);
    if (!e) e = get_share(where, decode, "iou", "decode.iou", &out->iou_max);
    if (!e) e = get_share(where, threshold, "start", "threshold.start", &out->threshold_start);
    if (!e) e = get_share(where, threshold, "keep", "threshold.keep", &out->threshold_keep);
    if (e) return e;
    if (out->threshold_keep > out->threshold_start)
        return bad(where, "threshold.keep", "above threshold.start");
    out->n_classes = (unsigned)classes;
    out->n_bins = (unsigned)bins;
    return OK;
}

static json_t *parse(const char *where, const char *json, size_t n_bytes) {
    json_error_t why;
    json_t *root =
        n_bytes <= DETECT_JSON_MAX ? json_loadb(json, n_bytes, JSON_REJECT_DUPLICATES, &why) : NULL;
    if (!root && n_bytes <= DETECT_JSON_MAX)
        log_error(MODULE, "model=%s line=%d text=\"%s\"", where, why.line, why.text);
    else if (!root)
        (void)bad(where, "file", "too large");
    return root;
}

enum err detect_manifest_parse(const char *where, const char *json, size_t n_bytes,
                               struct detect_manifest *out) {
    memset(out, 0, sizeof *out);
    json_t *root = parse(where, json, n_bytes);
    if (!root) return ERR_CORRUPT;
    long format;
    char task[DETECT_LABEL_BYTES];
    enum err e = get_text(where, root, "task", "task", task, sizeof task);
    if (!e && !model_task_allowed(task)) e = refused(where, "task");
    if (!e) e = get_text(where, root, "name", "name", out->name, sizeof out->name);
    if (!e && model_word_refused(out->name)) e = refused(where, "name");
    if (!e && strcmp(task, "detect") != 0) e = bad(where, "task", "not a detector");
    if (!e) e = get_int(where, root, "format", "format", 1, 1, &format);
    if (!e) e = get_text(where, root, "version", "version", out->version, sizeof out->version);
    if (!e) e = get_text(where, root, "labels", "labels", out->labels_file, sizeof out->labels_file);
    if (!e && (strchr(out->labels_file, '/') || out->labels_file[0] == '.'))
        e = bad(where, "labels", "not the name of a file beside model.json");
    if (!e) e = parse_files(where, root, out);
    if (!e) e = parse_input(where, root, out);
    if (!e) e = parse_heads(where, root, out);
    if (!e) e = parse_decode(where, root, out);
    json_decref(root);
    return e;
}

/* ---- classes ---- */

static enum err map_label(const char *where, const json_t *map, const char *label, const struct vocab *vocab,
                          struct detect_class *out) {
    const json_t *to = json_object_get(map, label);
    const char *target = json_string_value(to);
    char field[DETECT_LABEL_BYTES];
    if (model_word_refused(label)) return refused(where, "labels");
    *out = (struct detect_class){0};
    if (json_is_null(to)) return OK;
    if (!target) {
        log_error(MODULE, "model=%s field=map label=\"%s\" text=\"no destination\"", where, label);
        return ERR_CORRUPT;
    }
    const char *colon = strchr(target, ':');
    size_t n = colon ? (size_t)(colon - target) : 0;
    enum field f = FIELD_NONE;
    if (n > 0 && n < sizeof field) {
        memcpy(field, target, n);
        field[n] = 0;
        f = field_by_name(field);
    }
    const struct vocab_value *v = NULL;
    if (f == FIELD_CLASS || f == FIELD_ACCESSORY) v = vocab_by_name(vocab, f, colon + 1);
    if (!v || v->id < VOCAB_FIRST) {
        log_error(MODULE, "model=%s field=map label=\"%s\" text=\"not in the vocabulary\"", where, label);
        return ERR_CORRUPT;
    }
    *out = (struct detect_class){.id = v->id, .is_hint = f == FIELD_ACCESSORY};
    return OK;
}

enum err detect_manifest_map(const char *where, const char *json, size_t n_bytes, const char *labels,
                             size_t n_labels_bytes, const struct vocab *vocab, struct detect_manifest *out) {
    json_t *root = parse(where, json, n_bytes);
    if (!root) return ERR_CORRUPT;
    enum err e = OK;
    unsigned n = 0, n_used = 0;
    const json_t *map = json_object_get(root, "map");
    if (!json_is_object(map)) e = bad(where, "map", "no object");
    for (const char *p = labels, *end = labels + n_labels_bytes; !e && p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((stop ? stop : end) - p);
        char label[DETECT_LABEL_BYTES];
        if (n >= out->n_classes) {
            e = bad(where, "labels", "more lines than classes");
        } else if (len == 0 || len >= sizeof label || memchr(p, 0, len)) {
            e = bad(where, "labels", "an empty or overlong line");
        } else {
            memcpy(label, p, len);
            label[len] = 0;
            e = map_label(where, map, label, vocab, &out->classes[n]);
            n_used += !e && out->classes[n].id && !out->classes[n].is_hint;
            n++;
        }
        p += len + 1;
    }
    if (!e && n != out->n_classes) e = bad(where, "labels", "fewer lines than classes");
    if (!e && n_used == 0) e = bad(where, "map", "no label leads to a class");
    json_decref(root);
    return e;
}
