/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/model_file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "host/base/log.h"

#define SIDE_MAX_PX 1024
#define FIX_MAX     16

void model_file_lut(const double mean[3], const double scale[3], int32_t fix_point, int8_t lut[768]) {
    for (int c = 0; c < 3; c++)
        for (int p = 0; p < 256; p++) {
            const double q = floor((p - mean[c]) * scale[c] * ldexp(1, fix_point) + 0.5);
            lut[256 * c + p] = (int8_t)(q < -128 ? -128 : q > 127 ? 127 : q);
        }
}

static enum err refuse(const char *dir, const char *field, enum err e) {
    log_error("model", "%s/model.json: %s is missing or cannot be used", dir, field);
    return e;
}

/* A text that fits and is no path out of the directory. */
static bool text(const json_t *o, const char *key, char *out, size_t cap) {
    const char *s = json_string_value(json_object_get(o, key));
    if (!s || !*s || strlen(s) >= cap) return false;
    memcpy(out, s, strlen(s) + 1);
    return true;
}

static bool integer(const json_t *o, const char *key, int64_t least, int64_t most, int64_t *out) {
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v)) return false;
    *out = json_integer_value(v);
    return *out >= least && *out <= most;
}

static bool three(const json_t *o, const char *key, double out[3]) {
    const json_t *a = json_object_get(o, key);
    if (json_array_size(a) != 3) return false;
    for (size_t i = 0; i < 3; i++) {
        const json_t *v = json_array_get(a, i);
        if (!json_is_number(v)) return false;
        out[i] = json_number_value(v);
        if (!isfinite(out[i]) || fabs(out[i]) > 1e6) return false;
    }
    return true;
}

static enum err hash_file(const char *path, char out[65]) {
    unsigned char buf[65536], md[EVP_MAX_MD_SIZE];
    unsigned n_md = 0;
    enum err e = ERR_IO;
    FILE *f = fopen(path, "rbe");
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!f || !ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) goto done;
    size_t n;
    while ((n = fread(buf, 1, sizeof buf, f)) > 0)
        if (EVP_DigestUpdate(ctx, buf, n) != 1) goto done;
    if (ferror(f) || EVP_DigestFinal_ex(ctx, md, &n_md) != 1 || n_md != 32) goto done;
    for (unsigned i = 0; i < 32; i++) snprintf(out + 2 * i, 3, "%02x", md[i]);
    e = OK;
done:
    if (e != OK) log_error("model", "cannot read %s errno=%d", path, errno);
    EVP_MD_CTX_free(ctx);
    if (f) fclose(f);
    return e;
}

/* Which xmodel: its entry in `files`, or NULL. */
static const json_t *choose(const json_t *files, bool simulated, const char *dpu) {
    if (simulated) return json_object_get(files, "golden");
    const json_t *list = json_object_get(files, "compiled");
    if ((!dpu || !*dpu) && json_array_size(list) == 1) return json_array_get(list, 0);
    for (size_t i = 0; dpu && i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(o, "dpu_name"));
        if (name && strcmp(name, dpu) == 0) return o;
    }
    return NULL;
}

static enum err read_input(const char *dir, const json_t *in, struct model_file *m) {
    double mean[3], scale[3];
    int64_t w, h, fix;
    const char *order = json_string_value(json_object_get(in, "order"));
    const char *fit = json_string_value(json_object_get(in, "fit"));
    if (!text(in, "tensor", m->input, sizeof m->input)) return refuse(dir, "input.tensor", ERR_CORRUPT);
    if (!integer(in, "width", 1, SIDE_MAX_PX, &w) || !integer(in, "height", 1, SIDE_MAX_PX, &h))
        return refuse(dir, "input.width, input.height", ERR_CORRUPT);
    if (!integer(in, "fix_point", -FIX_MAX, FIX_MAX, &fix))
        return refuse(dir, "input.fix_point", ERR_CORRUPT);
    if (!three(in, "mean", mean) || !three(in, "scale", scale))
        return refuse(dir, "input.mean, input.scale", ERR_CORRUPT);
    if (!fit || (strcmp(fit, "letterbox") != 0 && strcmp(fit, "stretch") != 0))
        return refuse(dir, "input.fit letterbox or stretch", ERR_UNSUPPORTED);
    m->takes_crops = strcmp(fit, "stretch") == 0;
    m->is_rgb = m->takes_crops && order && strcmp(order, "RGB") == 0;
    if (!m->is_rgb && (!order || strcmp(order, "BGR") != 0))
        return refuse(dir, "input.order BGR (or RGB of a stretched input)", ERR_UNSUPPORTED);
    if (m->is_rgb) {
        const double r_mean = mean[0], r_scale = scale[0];
        mean[0] = mean[2], scale[0] = scale[2];
        mean[2] = r_mean, scale[2] = r_scale;
    }
    m->w_px = (uint32_t)w;
    m->h_px = (uint32_t)h;
    m->fix_point = (int32_t)fix;
    model_file_lut(mean, scale, m->fix_point, m->lut);
    m->needs_table = m->is_rgb;
    for (int i = 0; m->takes_crops && i < 768; i++) m->needs_table |= m->lut[i] != i % 256 - 128;
    return OK;
}

static enum err read_all(const char *dir, const json_t *root, bool simulated, const char *dpu,
                         struct model_file *m) {
    char file[256], want[65];
    const char *task = json_string_value(json_object_get(root, "task"));
    if (!task) return refuse(dir, "task", ERR_CORRUPT); /* which tasks may exist: host/pipe/model_policy.c */
    if (!text(root, "name", m->name, sizeof m->name)) return refuse(dir, "name", ERR_CORRUPT);
    enum err e = read_input(dir, json_object_get(root, "input"), m);
    if (e != OK) return e;

    const json_t *outputs = json_object_get(root, "outputs");
    if (json_array_size(outputs) == 0 || json_array_size(outputs) > MODEL_OUTPUTS_MAX)
        return refuse(dir, "outputs", ERR_CORRUPT);
    for (size_t i = 0; i < json_array_size(outputs); i++) {
        const json_t *o = json_array_get(outputs, i);
        int64_t fix;
        if (!text(o, "tensor", m->outputs[i].tensor, sizeof m->outputs[i].tensor) ||
            !integer(o, "fix_point", -FIX_MAX, FIX_MAX, &fix))
            return refuse(dir, "outputs[].tensor, outputs[].fix_point", ERR_CORRUPT);
        m->outputs[i].fix_point = (int32_t)fix;
        m->n_outputs++;
    }

    const json_t *chosen = choose(json_object_get(root, "files"), simulated, dpu);
    if (!chosen) {
        log_error("model", "%s/model.json: no xmodel %s%s", dir,
                  simulated ? "for the simulator (files.golden)" : "compiled for DPU ",
                  simulated     ? ""
                  : dpu && *dpu ? dpu
                                : "(several or none; name one with --dpu)");
        return ERR_MISSING;
    }
    if (!text(chosen, "path", file, sizeof file) || strstr(file, "..") || file[0] == '/')
        return refuse(dir, "files: path", ERR_CORRUPT);
    if (!text(chosen, "sha256", want, sizeof want)) return refuse(dir, "files: sha256", ERR_CORRUPT);
    const int n = snprintf(m->path, sizeof m->path, "%s/%s", dir, file);
    if (n < 0 || (size_t)n >= sizeof m->path) return ERR_USAGE;
    e = hash_file(m->path, m->sha256);
    if (e == OK && strcmp(m->sha256, want) != 0) {
        log_error("model", "%s is not the file that model.json names: sha256 %s", m->path, m->sha256);
        e = ERR_CORRUPT;
    }
    return e;
}

enum err model_file_read(const char *dir, bool simulated, const char *dpu, struct model_file *out) {
    char path[4096];
    json_error_t why;
    memset(out, 0, sizeof *out);
    const int n = snprintf(path, sizeof path, "%s/model.json", dir);
    if (n < 0 || (size_t)n >= sizeof path) return ERR_USAGE;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (!root) {
        const bool absent = json_error_code(&why) == json_error_cannot_open_file;
        log_error("model", "%s: line %d: %s", path, why.line, why.text);
        return absent ? ERR_IO : ERR_CORRUPT;
    }
    const enum err e = read_all(dir, root, simulated, dpu, out);
    json_decref(root);
    return e;
}
