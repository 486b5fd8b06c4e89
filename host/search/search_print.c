/* SPDX-License-Identifier: Apache-2.0 */
/* The answer of search_json() for a terminal. */
#include <inttypes.h>
#include <stdio.h>

#include "host/base/clock.h"
#include "host/search/search.h"

static const char *text_of(const json_t *o, const char *key) {
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static void print_words(FILE *out, const json_t *answer) {
    size_t i;
    json_t *t;
    fputs("Understood:", out);
    json_array_foreach(json_object_get(answer, "tokens"), i, t)
        fprintf(out, " [%s %s]", text_of(t, "field"),
                *text_of(t, "label") ? text_of(t, "label") : text_of(t, "text"));
    fputc('\n', out);
    json_array_foreach(json_object_get(answer, "ignored"), i, t)
        fprintf(out, "Ignored: %s\n", json_is_string(t) ? json_string_value(t) : text_of(t, "text"));
}

static void print_item(FILE *out, const json_t *i) {
    char from[25];
    size_t k;
    json_t *a;
    const json_int_t from_ms = json_integer_value(json_object_get(i, "from_ms"));
    const json_int_t to_ms = json_integer_value(json_object_get(i, "to_ms"));
    clock_format(from_ms, from);
    fprintf(out, "%s  %6.1f s  %-12s %-10s", from, (double)(to_ms - from_ms) / 1e3, text_of(i, "camera"),
            text_of(i, "class_label"));
    json_array_foreach(json_object_get(i, "attributes"), k, a)
        fprintf(out, " %s %s %" PRId64 " %%;", text_of(a, "field"), text_of(a, "label"),
                (int64_t)json_integer_value(json_object_get(a, "score")));
    fprintf(out, " (%s)\n", text_of(i, "id"));
}

void search_print(FILE *out, const json_t *answer) {
    const json_t *coverage = json_object_get(answer, "coverage"), *items = json_object_get(answer, "items");
    size_t i;
    json_t *item;
    print_words(out, answer);
    json_array_foreach(items, i, item) print_item(out, item);
    fprintf(out, "%" PRId64 " passages, %zu shown; searched %.3f of %.3f camera-hours; %.1f ms\n",
            (int64_t)json_integer_value(json_object_get(answer, "total")), json_array_size(items),
            json_number_value(json_object_get(coverage, "searched_h")),
            json_number_value(json_object_get(coverage, "camera_h")),
            json_number_value(json_object_get(answer, "took_ms")));
}
