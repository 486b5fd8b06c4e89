/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of a moment, anywhere in a base name (the first one is the start, the second the end):
 *   20261120140000[123]          Hikvision, Dahua exports ("NVR_ch1_main_20261120140000_20261120150000.dav")
 *   20261120?140000, 20261120?14 Axis and many others; ? = one or two of _ - T space . @
 *   2026-11-20?14-00-00[.123]    Milestone, Genetec ("14h00min00s000ms"), ISO; separators - _ . : h min s
 *   2026-11-20?14                one file per hour
 * and where the name has a time only, the date is that of the nearest folder that has one:
 *   2026-11-20/001/dav/14/14.00.00-15.00.00[M][0@0][0].dav    Dahua's disks
 *   2026/11/20/14-00-00.mp4, 20261120/14.mp4                  split by day and hour
 */
#include "host/import/naming.h"

#include <stdio.h>
#include <string.h>

#include "host/base/zone.h"

#define HOUR_MS 3600000ll

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Value of exactly n digits at p, no more, or -1. */
static int digits(const char *p, unsigned n) {
    int v = 0;
    for (unsigned i = 0; i < n; i++) {
        if (!is_digit(p[i])) return -1;
        v = v * 10 + (p[i] - '0');
    }
    return v;
}

static unsigned run_of_digits(const char *p) {
    unsigned n = 0;
    while (is_digit(p[n])) n++;
    return n;
}

static bool is_date(int y, int m, int d) {
    return y >= 1990 && y <= 2099 && m >= 1 && m <= 12 && d >= 1 && d <= 31 && zone_date_exists(y, m, d);
}

static bool set_date(struct naming_time *t, int y, int m, int d) {
    if (!is_date(y, m, d)) return false;
    t->year = y;
    t->month = m;
    t->day = d;
    return true;
}

static bool set_time(struct naming_time *t, int h, int m, int s, int ms) {
    if (h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 59 || ms < 0 || ms > 999) return false;
    t->ms = h * HOUR_MS + m * 60000ll + s * 1000ll + ms;
    return true;
}

/* "20261120" or "2026-11-20"; how much of p it is, 0 = none. */
static size_t read_date(const char *p, struct naming_time *t) {
    const unsigned n = run_of_digits(p);
    if ((n == 8 || n == 14 || n == 17) && set_date(t, digits(p, 4), digits(p + 4, 2), digits(p + 6, 2)))
        return 8;
    if (n != 4 || !p[4] || !strchr("-_.", p[4])) return 0;
    const char sep = p[4];
    if (run_of_digits(p + 5) != 2 || p[7] != sep || digits(p + 8, 2) < 0 || run_of_digits(p + 8) != 2)
        return 0;
    return set_date(t, digits(p, 4), digits(p + 5, 2), digits(p + 8, 2)) ? 10 : 0;
}

/* Between hour, minute and second. */
static size_t separator(const char *p) {
    if (strncmp(p, "min", 3) == 0) return 3;
    return *p && strchr("-_.:hms", *p) ? 1 : 0;
}

/* "140000", "140000123", "14-00-00.123", "14h00min00s000ms", "1400"; with `hour_alone` also "14". 0 = none.
 */
static size_t read_time(const char *p, bool hour_alone, struct naming_time *t) {
    const unsigned n = run_of_digits(p);
    if (n == 9 && set_time(t, digits(p, 2), digits(p + 2, 2), digits(p + 4, 2), digits(p + 6, 3))) return 9;
    if (n == 6 && set_time(t, digits(p, 2), digits(p + 2, 2), digits(p + 4, 2), 0)) return 6;
    if (n == 4 && set_time(t, digits(p, 2), digits(p + 2, 2), 0, 0)) return 4;
    if (n != 2) return 0;
    const size_t s1 = separator(p + 2);
    const char *q = p + 2 + s1;
    if (s1 && run_of_digits(q) == 2) {
        const int minute = digits(q, 2);
        const size_t s2 = separator(q + 2);
        const char *r = q + 2 + s2;
        if (s2 && run_of_digits(r) == 2 && set_time(t, digits(p, 2), minute, digits(r, 2), 0)) {
            const size_t s3 = r[2] && strchr(".s", r[2]) ? 1 : 0;
            const int ms = s3 && run_of_digits(r + 2 + s3) == 3 ? digits(r + 2 + s3, 3) : -1;
            if (ms < 0) return (size_t)(r + 2 - p);
            t->ms += ms;
            return (size_t)(r + 2 + s3 + 3 - p);
        }
        if (set_time(t, digits(p, 2), minute, 0, 0)) return (size_t)(q + 2 - p);
    }
    return hour_alone && set_time(t, digits(p, 2), 0, 0, 0) ? 2 : 0;
}

/* A date and a time that belong together; the end of it in *end. */
static bool read_moment(const char *p, struct naming_time *t, const char **end) {
    struct naming_time m = {.known = true};
    const size_t n = read_date(p, &m);
    if (n == 0) return false;
    const char *q = p + n;
    const bool joined = is_digit(*q);
    for (unsigned i = 0; !joined && i < 3 && *q && strchr("_-T .@t", *q); i++) q++;
    size_t k = 0;
    if (joined) { /* 14 or 17 digits in one run */
        const unsigned left = run_of_digits(q);
        if ((left == 6 || left == 9) &&
            set_time(&m, digits(q, 2), digits(q + 2, 2), digits(q + 4, 2), left == 9 ? digits(q + 6, 3) : 0))
            k = left;
    } else if (q > p + n) {
        k = read_time(q, true, &m);
    }
    if (k == 0) return false;
    q += k;
    m.utc = *q == 'Z' && !(q[1] >= 'a' && q[1] <= 'z');
    *t = m;
    *end = q + m.utc;
    return true;
}

static bool begins_number(const char *text, const char *p) {
    return is_digit(*p) && (p == text || !is_digit(p[-1]));
}

bool naming_time_parse(const char *text, struct naming_time *out) {
    const char *end;
    if (!read_moment(text, out, &end)) return false;
    while (*end == ' ') end++;
    return *end == 0;
}

static const char *base_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_before(const struct naming_time *a, const struct naming_time *b) {
    const int64_t x = zone_day(a->year, a->month, a->day), y = zone_day(b->year, b->month, b->day);
    return x < y || (x == y && a->ms < b->ms);
}

/* The nearest folder with a date in it, or three that are year, month and day. */
static bool date_of_folders(const char *path, const char *base, struct naming_time *t) {
    const char *end = base;
    while (end > path) {
        end--; /* its slash */
        const char *from = end;
        while (from > path && from[-1] != '/') from--;
        for (const char *p = from; p < end; p++)
            if (begins_number(from, p) && read_date(p, t)) return true;
        /* YYYY/MM/DD: this one is the day */
        if (end - from == 2 && digits(from, 2) > 0 && from - path >= 8 && from[-4] == '/' &&
            digits(from - 3, 2) > 0 && run_of_digits(from - 8) == 4 &&
            set_date(t, digits(from - 8, 4), digits(from - 3, 2), digits(from, 2)))
            return true;
        end = from;
    }
    return false;
}

void naming_read(const char *path, struct naming *out) {
    *out = (struct naming){.scheme = ""};
    char name[256];
    const char *base = base_of(path);
    snprintf(name, sizeof name, "%s", base);
    char *dot = strrchr(name, '.');
    if (dot && dot > name && strlen(dot) <= 5 && !is_digit(dot[1])) *dot = 0;
    const char *end;
    for (const char *p = name; *p; p++) {
        if (!begins_number(name, p) || !read_moment(p, &out->start, &end)) continue;
        out->scheme = "date and time";
        for (const char *q = end; *q; q++) {
            const char *after;
            struct naming_time t;
            if (!begins_number(name, q)) continue;
            if (read_moment(q, &t, &after) && is_before(&out->start, &t)) {
                out->end = t;
                out->scheme = "begin and end";
                return;
            }
        }
        return;
    }
    struct naming_time date = {.known = true};
    if (!date_of_folders(path, base, &date)) return;
    for (const char *p = name; *p; p++) {
        struct naming_time t = date;
        const bool whole = p == name && strlen(name) == 2;
        if (!begins_number(name, p)) continue;
        /* A number alone may be anything: only with separators, or when it is the whole name. */
        const size_t k = read_time(p, whole, &t);
        if (k == 0 || (k < 8 && run_of_digits(p) == k && k != strlen(name))) continue;
        out->start = t;
        out->date_from_folder = true;
        out->scheme = "time, in folders by date";
        const char *q = p + k;
        struct naming_time e = date;
        if (*q == '-' && read_time(q + 1, false, &e) >= 6) {
            if (!is_before(&t, &e)) { /* past midnight */
                int y, m, d;
                zone_date(zone_day(e.year, e.month, e.day) + 1, &y, &m, &d);
                e.year = y;
                e.month = m;
                e.day = d;
            }
            out->end = e;
            out->scheme = "times, in folders by date";
        }
        return;
    }
}

/* ---- cameras ----------------------------------------------------------------------------------------------
 */

static char plain(char c) {
    if (c >= 'A' && c <= 'Z') return (char)(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || is_digit(c) || (unsigned char)c >= 0x80) return c;
    return '-';
}

static bool is_letter_or_digit(char c) {
    return plain(c) != '-';
}

/* As a whole word within [from, to). */
static bool holds_word(const char *from, const char *to, const char *word) {
    const size_t n = strlen(word);
    for (const char *p = from; p + n <= to; p++) {
        size_t i = 0;
        while (i < n && plain(p[i]) == plain(word[i])) i++;
        if (i == n && (p == from || !is_letter_or_digit(p[-1])) && (p + n == to || !is_letter_or_digit(p[n])))
            return true;
    }
    return false;
}

unsigned naming_match_camera(const char *path, const char *camera) {
    const size_t n = strlen(camera);
    if (n == 0 || n > 200) return 0;
    const char *to = path + strlen(path);
    for (unsigned up = 0; up < 16; up++) {
        const char *from = to;
        while (from > path && from[-1] != '/') from--;
        if (holds_word(from, to, camera)) return (unsigned)n * 16 + (16 - up);
        if (from <= path) break;
        to = from - 1;
    }
    return 0;
}
