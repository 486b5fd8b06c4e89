/* SPDX-License-Identifier: Apache-2.0 */
/* search_print.c - an answer for a person at a terminal. */
#include <string.h>

#include "host/search/search_internal.h"

#define GAPS_SHOWN 10u
#define DAY_MS     INT64_C(86400000)

static const char *text_of(const json_t *o, const char *key) {
    const char *t = json_string_value(json_object_get(o, key));
    return t ? t : "";
}
static int64_t int_of(const json_t *o, const char *key) {
    return json_integer_value(json_object_get(o, key));
}

/* "2026-11-20 15:01:00.00" in the site's time, to a hundredth as the law's log asks. */
static void print_time(FILE *out, const struct zone *z, int64_t utc_ms, bool date) {
    int y, m, d;
    int64_t local = utc_ms + (z ? (int64_t)zone_offset_s(z, utc_ms) * 1000 : 0);
    int64_t day = local / DAY_MS, ms = local % DAY_MS;
    zone_date(day, &y, &m, &d);
    if (date) fprintf(out, "%04d-%02d-%02d ", y, m, d);
    fprintf(out, "%02d:%02d:%02d.%02d", (int)(ms / 3600000), (int)(ms / 60000 % 60), (int)(ms / 1000 % 60),
            (int)(ms % 1000 / 10));
}

static void print_token(FILE *out, const json_t *t) {
    const char *state = text_of(t, "state"), *label = text_of(t, "label"), *note = text_of(t, "note");
    fprintf(out, "  %-16s %s%s%s%s", text_of(t, "text"),
            json_is_true(json_object_get(t, "not")) ? "not " : "",
            json_is_true(json_object_get(t, "only")) ? "only " : "",
            json_is_true(json_object_get(t, "sure")) ? "certainly " : "", text_of(t, "field"));
    fprintf(out, " %s", *label ? label : text_of(t, "value"));
    if (strcmp(state, "ok") != 0) fprintf(out, " [%s]", state);
    if (*note) fprintf(out, " (%s)", note);
    fputc('\n', out);
}

static void print_words(FILE *out, const json_t *answer, const char *key, const char *head) {
    size_t i;
    json_t *w, *list = json_object_get(answer, key);
    if (!json_array_size(list)) return;
    fprintf(out, "%s:", head);
    json_array_foreach(list, i, w) fprintf(out, " %s", json_string_value(w));
    fputc('\n', out);
}

static void print_coverage(FILE *out, const struct zone *z, const json_t *c) {
    size_t i;
    json_t *g;
    fprintf(out, "Searched %.2f of %.2f camera-hours", json_number_value(json_object_get(c, "searched_h")),
            json_number_value(json_object_get(c, "camera_h")));
    int64_t n = int_of(c, "n_gaps");
    fprintf(out, n ? "; missing:\n" : "\n");
    json_array_foreach(json_object_get(c, "gaps"), i, g) {
        if (i == GAPS_SHOWN) break;
        fprintf(out, "  %-12s ", text_of(g, "camera_id"));
        print_time(out, z, int_of(g, "from_ms"), true);
        fputs(" - ", out);
        print_time(out, z, int_of(g, "to_ms"), true);
        fprintf(out, "  %s %s\n", text_of(g, "state"), text_of(g, "reason"));
    }
    if (n > (int64_t)GAPS_SHOWN) fprintf(out, "  and %lld more\n", (long long)(n - GAPS_SHOWN));
}

static void print_doubts(FILE *out, const json_t *answer) {
    size_t i, k;
    json_t *o, *v;
    json_array_foreach(json_object_get(answer, "undecided"), i, o)
        fprintf(out, "%s: %lld more fit but for an undecided value, %lld were not estimated\n",
                text_of(o, "field"), (long long)int_of(o, "unknown"), (long long)int_of(o, "not_estimated"));
    json_array_foreach(json_object_get(answer, "without"), i, o) {
        fprintf(out, "Without %s", text_of(o, "field"));
        json_array_foreach(json_object_get(o, "values"), k, v)
            fprintf(out, "%s%s", k ? ", " : " ", text_of(v, "label"));
        fprintf(out, ": %lld\n", (long long)int_of(o, "total"));
    }
}

static void print_item(FILE *out, const struct zone *z, int64_t number, const json_t *item) {
    size_t i;
    json_t *a;
    int64_t from_ms = int_of(item, "from_ms"), to_ms = int_of(item, "to_ms");
    fprintf(out, "%4lld  ", (long long)number);
    print_time(out, z, from_ms, true);
    fprintf(out, "  %5.1f s  %-12s %s", (double)(to_ms - from_ms) / 1000, text_of(item, "camera"),
            text_of(item, "class_label"));
    json_array_foreach(json_object_get(item, "attributes"), i, a) fprintf(
        out, ", %s %s %lld%%", text_of(a, "field"), text_of(a, "label"), (long long)int_of(a, "score"));
    const json_t *plate = json_object_get(item, "plate"), *match = json_object_get(item, "match");
    if (plate) fprintf(out, ", plate %s", text_of(plate, "text"));
    fprintf(out, "  [%s]  id %s\n", text_of(match, "level"), text_of(item, "id"));
}

void search_print(FILE *out, const json_t *answer) {
    size_t i;
    json_t *o;
    struct zone *z = NULL;
    const char *tz = text_of(answer, "tz");
    if (*tz && zone_open(tz, &z) != OK) z = NULL; /* then in UTC, and said so */
    json_t *tokens = json_object_get(answer, "tokens");
    if (json_array_size(tokens)) fputs("Understood:\n", out);
    json_array_foreach(tokens, i, o) print_token(out, o);
    print_words(out, answer, "ignored", "Not understood");
    print_words(out, answer, "refused", "Refused");
    if (json_object_get(answer, "code")) {
        fprintf(out, "%s (%s)\n", text_of(answer, "message"), text_of(answer, "code"));
    } else {
        int64_t total = int_of(answer, "total"), offset = int_of(answer, "offset");
        fprintf(out, "%lld passage%s in %.1f ms; times are %s\n", (long long)total, total == 1 ? "" : "s",
                json_number_value(json_object_get(answer, "took_ms")), z ? tz : "UTC");
        print_coverage(out, z, json_object_get(answer, "coverage"));
        print_doubts(out, answer);
        json_array_foreach(json_object_get(answer, "items"), i, o)
            print_item(out, z, offset + (int64_t)i + 1, o);
        if (json_is_integer(json_object_get(answer, "next_offset")))
            fprintf(out, "More: --offset %lld\n", (long long)int_of(answer, "next_offset"));
    }
    zone_free(&z);
}

static void print_hop(FILE *out, const struct zone *z, int64_t number, const json_t *hop) {
    print_item(out, z, number, json_object_get(hop, "sighting"));
    fprintf(out, "      %s", text_of(hop, "link"));
    const json_t *km = json_object_get(hop, "km"), *kmh = json_object_get(hop, "kmh");
    if (km)
        fprintf(out, ", %.2f km in %.1f min", json_number_value(km),
                json_number_value(json_object_get(hop, "minutes")));
    if (kmh) fprintf(out, ", at least %.0f km/h", json_number_value(kmh));
    fprintf(out, "%s%s\n", *text_of(hop, "flag") ? "  ! " : "", text_of(hop, "flag"));
}

void search_route_print(FILE *out, const json_t *answer) {
    size_t i, k;
    json_t *o, *item;
    struct zone *z = NULL;
    const char *tz = text_of(answer, "tz");
    if (*tz && zone_open(tz, &z) != OK) z = NULL;
    fprintf(out, "Proposals, each to be confirmed by a person; times are %s\n", z ? tz : "UTC");
    json_array_foreach(json_object_get(answer, "hops"), i, o) print_hop(out, z, (int64_t)i + 1, o);
    json_array_foreach(json_object_get(answer, "next"), i, o) {
        fprintf(out, "Next: %s, %.2f km, ", text_of(o, "camera_id"),
                json_number_value(json_object_get(o, "km")));
        print_time(out, z, int_of(o, "from_ms"), false);
        fputs(" - ", out);
        print_time(out, z, int_of(o, "to_ms"), false);
        fprintf(out, ": %lld alike\n", (long long)int_of(o, "total"));
        json_array_foreach(json_object_get(o, "items"), k, item) print_item(out, z, (int64_t)k + 1, item);
    }
    zone_free(&z);
}

void search_pairs_print(FILE *out, const json_t *answer) {
    size_t i;
    json_t *o;
    struct zone *z = NULL;
    const char *tz = text_of(answer, "tz");
    if (*tz && zone_open(tz, &z) != OK) z = NULL;
    const int64_t total = int_of(answer, "total");
    fprintf(out, "%lld time%s the same plate here and then there; times are %s\n", (long long)total,
            total == 1 ? "" : "s", z ? tz : "UTC");
    json_array_foreach(json_object_get(answer, "pairs"), i, o) {
        print_item(out, z, (int64_t)i + 1, json_object_get(o, "from"));
        fprintf(out, "      %.1f s later:\n", json_number_value(json_object_get(o, "seconds")));
        print_item(out, z, (int64_t)i + 1, json_object_get(o, "to"));
    }
    zone_free(&z);
}
