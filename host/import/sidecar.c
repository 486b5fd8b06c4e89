/* SPDX-License-Identifier: Apache-2.0 */
#include "host/import/sidecar.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "host/base/utf8.h"

enum field { FIELD_FILE, FIELD_CAMERA, FIELD_START, FIELDS };
static const char *const words[FIELDS][8] = {
    [FIELD_FILE] = {"file", "filename", "file_name", "name", "fichier", "path"},
    [FIELD_CAMERA] = {"camera", "camera_id", "cameraid", "camera_name", "channel", "caméra", "device"},
    [FIELD_START] = {"start", "start_time", "starttime", "begin", "from", "début", "debut", "start_utc"},
};
enum { COLUMNS_MAX = 32, CELL_MAX = 256 };

static int field_of(const char *word) {
    for (int f = 0; f < FIELDS; f++)
        for (unsigned i = 0; i < 8 && words[f][i]; i++)
            if (strcasecmp(word, words[f][i]) == 0) return f;
    return -1;
}

static const char *base_of(const char *path) {
    const char *slash = strrchr(path, '/'), *back = strrchr(path, '\\');
    if (back && (!slash || back > slash)) slash = back;
    return slash ? slash + 1 : path;
}

/* Printable and whole: it reaches messages. */
static bool take(char *out, size_t cap, const char *value) {
    if (strlen(value) >= cap || !utf8_is_valid(value)) return false;
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) return false;
    snprintf(out, cap, "%s", value);
    return true;
}

static void put(struct sidecar *s, int field, const char *value) {
    if (field == FIELD_CAMERA) (void)take(s->camera, sizeof s->camera, value);
    if (field == FIELD_START) (void)take(s->start, sizeof s->start, value);
}

static bool from_object(const json_t *o, const char *name, bool must_name, struct sidecar *out) {
    bool named = !must_name;
    const char *key;
    json_t *value;
    *out = (struct sidecar){.camera = ""};
    json_object_foreach((json_t *)(uintptr_t)o, key, value) {
        const int f = field_of(key);
        char number[32];
        const char *text = json_string_value(value);
        if (json_is_integer(value)) {
            snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
            text = number;
        }
        if (f < 0 || !text) continue;
        if (f == FIELD_FILE) {
            if (strcmp(base_of(text), name) != 0) return false;
            named = true;
        }
        put(out, f, text);
    }
    return named && (*out->camera || *out->start);
}

static bool from_json(const char *text, size_t n, const char *name, struct sidecar *out) {
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    bool found = false;
    const json_t *list = json_is_array(root) ? root : json_object_get(root, "files");
    if (json_is_array(list)) {
        size_t i;
        json_t *o;
        json_array_foreach(list, i, o) {
            found = json_is_object(o) && from_object(o, name, true, out);
            if (found) break;
        }
    } else if (json_is_object(root)) {
        found = from_object(root, name, false, out);
    }
    json_decref(root);
    return found;
}

/* One line into cells, quotes taken off; the number of cells. */
static unsigned split(const char *line, size_t n, char sep, char cells[][CELL_MAX]) {
    unsigned count = 0;
    size_t k = 0;
    bool quoted = false;
    for (size_t i = 0; i <= n && count < COLUMNS_MAX; i++) {
        const char c = i < n ? line[i] : sep;
        if (c == '"') {
            quoted = !quoted;
        } else if (c == sep && (!quoted || i == n)) {
            while (k > 0 && cells[count][k - 1] == ' ') k--;
            cells[count++][k] = 0;
            k = 0;
        } else if (c != '\r' && k + 1 < CELL_MAX && !(k == 0 && c == ' ')) {
            cells[count][k++] = c;
        }
    }
    return count;
}

static bool from_csv(const char *text, size_t n, const char *name, struct sidecar *out) {
    static const unsigned char bom[] = {0xef, 0xbb, 0xbf};
    char cells[COLUMNS_MAX][CELL_MAX];
    int fields[COLUMNS_MAX];
    unsigned n_fields = 0, n_rows = 0;
    bool names_files = false;
    struct sidecar only = {.camera = ""};
    if (n >= sizeof bom && memcmp(text, bom, sizeof bom) == 0) {
        text += sizeof bom;
        n -= sizeof bom;
    }
    char sep = ',';
    for (size_t at = 0; at < n;) {
        const char *eol = memchr(text + at, '\n', n - at);
        const size_t len = eol ? (size_t)(eol - (text + at)) : n - at;
        const char *line = text + at;
        at += len + 1;
        if (len == 0 || (len == 1 && *line == '\r')) continue;
        if (n_fields == 0) {
            if (memchr(line, ';', len)) sep = ';';
            n_fields = split(line, len, sep, cells);
            for (unsigned i = 0; i < n_fields; i++) {
                fields[i] = field_of(cells[i]);
                names_files |= fields[i] == FIELD_FILE;
            }
            continue;
        }
        const unsigned k = split(line, len, sep, cells);
        struct sidecar row = {.camera = ""};
        bool mine = false;
        for (unsigned i = 0; i < k && i < n_fields; i++) {
            if (fields[i] == FIELD_FILE) mine = strcmp(base_of(cells[i]), name) == 0;
            if (fields[i] >= 0) put(&row, fields[i], cells[i]);
        }
        if (mine && (*row.camera || *row.start)) {
            *out = row;
            return true;
        }
        only = row;
        n_rows++;
    }
    *out = only;
    return !names_files && n_rows == 1 && (*only.camera || *only.start);
}

bool sidecar_read(const char *text, size_t n, bool is_json, const char *name, struct sidecar *out) {
    *out = (struct sidecar){.camera = ""};
    return is_json ? from_json(text, n, name, out) : from_csv(text, n, name, out);
}
