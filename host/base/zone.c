/* SPDX-License-Identifier: Apache-2.0 */
#include "host/base/zone.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/log.h"

#define DAY_S          86400
#define FILE_MAX_BYTES (1u << 20)

/* One change date of the rule that holds after the last listed change: the M form of POSIX ("M3.5.0/2"). */
struct change {
    int month, week, weekday; /* week 5 = last; weekday 0 = Sunday */
    int32_t at_s;             /* local seconds of that day */
};
struct zone {
    unsigned n; /* changes listed in the file, ascending */
    int64_t *from_s;
    int32_t *offset_s;
    int32_t before_s; /* offset before the first */
    bool has_rule, has_summer;
    int32_t standard_s, summer_s;
    struct change to_summer, to_standard;
};

/* ---- calendar (Howard Hinnant's days algorithm) ------------------------------------------------------ */

int64_t zone_day(int year, int month, int day) {
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}
void zone_date(int64_t local_day, int *year, int *month, int *day) {
    int64_t z = local_day + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = (int)(yoe + era * 400 + (*month <= 2));
}
bool zone_date_exists(int year, int month, int day) {
    int y, m, d;
    if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31) return false;
    zone_date(zone_day(year, month, day), &y, &m, &d);
    return y == year && m == month && d == day;
}
int zone_weekday(int64_t local_day) {
    int64_t w = (local_day + 3) % 7; /* 1970-01-01 was a Thursday */
    return (int)(w < 0 ? w + 7 : w);
}

/* ---- the file (RFC 8536) ----------------------------------------------------------------------------- */

static uint32_t be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static int64_t be64(const uint8_t *p) {
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

struct header {
    uint8_t version;
    uint32_t n_isut, n_isstd, n_leap, n_times, n_types, n_chars;
};
static bool header_read(const uint8_t *p, const uint8_t *end, struct header *h) {
    if (end - p < 44 || memcmp(p, "TZif", 4) != 0) return false;
    *h = (struct header){p[4],         be32(p + 20), be32(p + 24), be32(p + 28),
                         be32(p + 32), be32(p + 36), be32(p + 40)};
    return h->n_isut < 1000 && h->n_isstd < 1000 && h->n_leap < 1000 && h->n_times < 10000 &&
           h->n_types > 0 && h->n_types < 256 && h->n_chars < 1000;
}
static size_t block_bytes(const struct header *h, size_t time_bytes) {
    return h->n_times * (time_bytes + 1) + h->n_types * 6u + h->n_chars + h->n_leap * (time_bytes + 4) +
           h->n_isstd + h->n_isut;
}

static bool read_number(const char **p, int min, int max, int *out) {
    int v = 0;
    if (!isdigit((unsigned char)**p)) return false;
    for (; isdigit((unsigned char)**p); (*p)++) {
        v = v * 10 + (**p - '0');
        if (v > max) return false;
    }
    *out = v;
    return v >= min;
}
static bool read_clock(const char **p, int32_t *out_s) {
    int sign = 1, h, m = 0, s = 0;
    if (**p == '-' || **p == '+') sign = *(*p)++ == '-' ? -1 : 1;
    if (!read_number(p, 0, 167, &h)) return false;
    if (**p == ':') {
        (*p)++;
        if (!read_number(p, 0, 59, &m)) return false;
        if (**p == ':') {
            (*p)++;
            if (!read_number(p, 0, 59, &s)) return false;
        }
    }
    *out_s = sign * (h * 3600 + m * 60 + s);
    return true;
}
static bool read_name(const char **p) {
    const char *from = *p;
    if (**p == '<') {
        while (**p && **p != '>') (*p)++;
        if (**p != '>') return false;
        (*p)++;
        return true;
    }
    while (isalpha((unsigned char)**p)) (*p)++;
    return *p - from >= 3;
}
static bool read_change(const char **p, struct change *c) {
    c->at_s = 2 * 3600;
    if ((*p)[0] != ',' || (*p)[1] != 'M') return false;
    *p += 2;
    if (!read_number(p, 1, 12, &c->month) || *(*p)++ != '.') return false;
    if (!read_number(p, 1, 5, &c->week) || *(*p)++ != '.') return false;
    if (!read_number(p, 0, 6, &c->weekday)) return false;
    if (**p != '/') return true;
    (*p)++;
    return read_clock(p, &c->at_s);
}
/* "CET-1CEST,M3.5.0,M10.5.0/3". POSIX counts offsets westward. */
static bool rule_read(struct zone *z, const char *p) {
    int32_t west;
    if (!read_name(&p) || !read_clock(&p, &west)) return false;
    z->standard_s = -west;
    z->has_rule = true;
    if (!*p) return true;
    if (!read_name(&p)) return false;
    z->summer_s = z->standard_s + 3600;
    if (*p && *p != ',') {
        if (!read_clock(&p, &west)) return false;
        z->summer_s = -west;
    }
    z->has_summer = read_change(&p, &z->to_summer) && read_change(&p, &z->to_standard) && !*p;
    return z->has_summer;
}

static enum err zone_read(struct zone *z, const uint8_t *p, const uint8_t *end) {
    struct header h;
    size_t n_bytes;
    if (!header_read(p, end, &h) || h.version < '2') return ERR_CORRUPT;
    n_bytes = block_bytes(&h, 4);
    if ((size_t)(end - p) < 44 + n_bytes) return ERR_CORRUPT;
    p += 44 + n_bytes;
    if (!header_read(p, end, &h)) return ERR_CORRUPT;
    n_bytes = block_bytes(&h, 8);
    if ((size_t)(end - p) < 44 + n_bytes + 2) return ERR_CORRUPT;
    const uint8_t *times = p + 44, *types = times + h.n_times * 8u, *infos = types + h.n_times;
    const uint8_t *footer = p + 44 + n_bytes;
    z->from_s = calloc(h.n_times + 1u, sizeof *z->from_s);
    z->offset_s = calloc(h.n_times + 1u, sizeof *z->offset_s);
    if (!z->from_s || !z->offset_s) return ERR_NOMEM;
    for (uint32_t i = 0; i < h.n_times; i++) {
        if (types[i] >= h.n_types) return ERR_CORRUPT;
        z->from_s[i] = be64(times + 8u * i);
        z->offset_s[i] = (int32_t)be32(infos + 6u * types[i]);
        if ((i > 0 && z->from_s[i] <= z->from_s[i - 1]) || abs(z->offset_s[i]) > 2 * DAY_S)
            return ERR_CORRUPT;
    }
    z->n = h.n_times;
    z->before_s = (int32_t)be32(infos);
    char rule[128];
    size_t left = (size_t)(end - footer), n = 0;
    if (footer[0] != '\n') return ERR_CORRUPT;
    while (n + 1 < left && footer[n + 1] != '\n') n++;
    if (n + 1 >= left || n >= sizeof rule) return ERR_CORRUPT;
    memcpy(rule, footer + 1, n);
    rule[n] = '\0';
    if (n > 0 && !rule_read(z, rule)) return ERR_CORRUPT;
    return OK;
}

static bool name_is_fine(const char *name) {
    size_t n = strlen(name);
    if (n == 0 || n > 64 || name[0] == '/' || strstr(name, "..")) return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("/_+-", *name)) return false;
    return true;
}

enum err zone_open(const char *name, struct zone **out) {
    char path[128];
    enum err e;
    *out = NULL;
    if (!name || !name_is_fine(name)) return ERR_USAGE;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    FILE *f = fopen(path, "rbe");
    if (!f) {
        log_error("zone", "time zone not read file=%s errno=%d", path, errno);
        return errno == ENOENT ? ERR_MISSING : ERR_IO;
    }
    struct zone *z = calloc(1, sizeof *z);
    uint8_t *file = malloc(FILE_MAX_BYTES);
    if (!z || !file) {
        e = ERR_NOMEM;
        goto done;
    }
    size_t n = fread(file, 1, FILE_MAX_BYTES, f);
    e = ferror(f) ? ERR_IO : zone_read(z, file, file + n);
    if (e) log_error("zone", "time zone not read file=%s err=\"%s\"", path, err_text(e));
done:
    fclose(f);
    free(file);
    if (e)
        zone_free(&z);
    else
        *out = z;
    return e;
}

void zone_free(struct zone **z) {
    if (!z || !*z) return;
    free((*z)->from_s);
    free((*z)->offset_s);
    free(*z);
    *z = NULL;
}

/* ---- asking ------------------------------------------------------------------------------------------ */

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

/* Local seconds since 1970 at which the change of that year falls, on the clock before it. */
static int64_t change_local_s(const struct change *c, int year) {
    int64_t first = zone_day(year, c->month, 1);
    int weekday = (zone_weekday(first) + 1) % 7; /* 0 = Sunday */
    int64_t day = first + (c->weekday - weekday + 7) % 7 + 7 * (c->week - 1);
    int64_t next_month = c->month == 12 ? zone_day(year + 1, 1, 1) : zone_day(year, c->month + 1, 1);
    while (day >= next_month) day -= 7;
    return day * DAY_S + c->at_s;
}
static int32_t rule_offset_s(const struct zone *z, int64_t utc_s) {
    int y, m, d;
    if (!z->has_summer) return z->standard_s;
    zone_date(floor_div(utc_s + z->standard_s, DAY_S), &y, &m, &d);
    int64_t summer = change_local_s(&z->to_summer, y) - z->standard_s;
    int64_t standard = change_local_s(&z->to_standard, y) - z->summer_s;
    bool in_summer =
        summer < standard ? utc_s >= summer && utc_s < standard : !(utc_s >= standard && utc_s < summer);
    return in_summer ? z->summer_s : z->standard_s;
}

int32_t zone_offset_s(const struct zone *z, int64_t utc_ms) {
    int64_t utc_s = floor_div(utc_ms, 1000);
    if (z->n == 0 || utc_s < z->from_s[0])
        return z->n == 0 && z->has_rule ? rule_offset_s(z, utc_s) : z->before_s;
    if (z->has_rule && utc_s >= z->from_s[z->n - 1]) return rule_offset_s(z, utc_s);
    unsigned lo = 0, hi = z->n;
    while (hi - lo > 1) {
        unsigned mid = lo + (hi - lo) / 2;
        if (z->from_s[mid] <= utc_s)
            lo = mid;
        else
            hi = mid;
    }
    return z->offset_s[lo];
}

int64_t zone_local_day(const struct zone *z, int64_t utc_ms) {
    return floor_div(utc_ms + (int64_t)zone_offset_s(z, utc_ms) * 1000, (int64_t)DAY_S * 1000);
}

int64_t zone_utc_ms(const struct zone *z, int64_t local_day, int64_t local_ms, bool later) {
    int64_t local = local_day * DAY_S * 1000 + local_ms;
    /* The offsets a day on either side are the only two in question. */
    int64_t before = zone_offset_s(z, local - (int64_t)DAY_S * 1000) * INT64_C(1000);
    int64_t after = zone_offset_s(z, local + (int64_t)DAY_S * 1000) * INT64_C(1000);
    int64_t a = local - before, b = local - after;
    bool a_fits = zone_offset_s(z, a) * INT64_C(1000) == before;
    bool b_fits = zone_offset_s(z, b) * INT64_C(1000) == after;
    if (a_fits && b_fits) return later ? (a > b ? a : b) : (a < b ? a : b);
    if (a_fits) return a;
    if (b_fits) return b;
    /* Skipped by the clock: find the jump, which lies between the two. */
    int64_t lo = a < b ? a : b, hi = a < b ? b : a;
    int64_t was = zone_offset_s(z, lo);
    while (hi - lo > 1) {
        int64_t mid = lo + (hi - lo) / 2;
        if (zone_offset_s(z, mid) == was)
            lo = mid;
        else
            hi = mid;
    }
    return hi;
}
