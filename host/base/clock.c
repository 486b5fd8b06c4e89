/* SPDX-License-Identifier: Apache-2.0 */
#include "host/base/clock.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static int64_t fake_ms;

static uint64_t read_ns(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int64_t clock_wall_ms(void) {
    return fake_ms ? fake_ms : (int64_t)(read_ns(CLOCK_REALTIME) / 1000000u);
}
uint64_t clock_mono_ns(void) {
    return read_ns(CLOCK_MONOTONIC);
}
uint64_t clock_thread_cpu_ns(void) {
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}
void clock_fake(int64_t wall_ms) {
    fake_ms = wall_ms;
}

static bool digits(const char **p, int n, int *out) {
    *out = 0;
    for (int i = 0; i < n; i++, (*p)++) {
        if (!isdigit((unsigned char)**p)) return false;
        *out = *out * 10 + (**p - '0');
    }
    return true;
}

static bool skip(const char **p, char c) {
    if (**p != c) return false;
    (*p)++;
    return true;
}

enum err clock_parse(const char *text, int64_t *out_ms) {
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const char *p = text;
    int y, mo, d, h, mi, s, ms = 0, offset_min = 0;
    if (!digits(&p, 4, &y) || !skip(&p, '-') || !digits(&p, 2, &mo) || !skip(&p, '-') || !digits(&p, 2, &d))
        return ERR_USAGE;
    if (!skip(&p, 'T') && !skip(&p, ' ')) return ERR_USAGE;
    if (!digits(&p, 2, &h) || !skip(&p, ':') || !digits(&p, 2, &mi)) return ERR_USAGE;
    s = 0;
    if (skip(&p, ':') && !digits(&p, 2, &s)) return ERR_USAGE;
    if (skip(&p, '.')) {
        if (!isdigit((unsigned char)*p)) return ERR_USAGE;
        for (int scale = 100; isdigit((unsigned char)*p); p++, scale /= 10) ms += (*p - '0') * scale;
    }
    if (*p == '+' || *p == '-') {
        const int sign = *p++ == '-' ? -1 : 1;
        int oh, om;
        if (!digits(&p, 2, &oh)) return ERR_USAGE;
        skip(&p, ':');
        if (!digits(&p, 2, &om) || oh > 14 || om > 59) return ERR_USAGE;
        offset_min = sign * (oh * 60 + om);
    } else if (!skip(&p, 'Z')) {
        return ERR_USAGE;
    }
    if (*p) return ERR_USAGE;
    const bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (y < 1970 || mo < 1 || mo > 12 || d < 1 || d > month_days[mo - 1] + (mo == 2 && leap) || h > 23 ||
        mi > 59 || s > 59)
        return ERR_USAGE;
    struct tm tm = {
        .tm_year = y - 1900, .tm_mon = mo - 1, .tm_mday = d, .tm_hour = h, .tm_min = mi, .tm_sec = s};
    const int64_t ms_utc = ((int64_t)timegm(&tm) - (int64_t)offset_min * 60) * 1000 + ms;
    if (ms_utc < 0) return ERR_USAGE;
    *out_ms = ms_utc;
    return OK;
}

void clock_format(int64_t ms, char out[static 25]) {
    /* Floor, so that a moment before 1970 (a broken file's) still prints. */
    int64_t sec = ms / 1000, rest = ms % 1000;
    if (rest < 0) {
        rest += 1000;
        sec--;
    }
    const time_t t = (time_t)sec;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || tm.tm_year + 1900 > 9999 || tm.tm_year + 1900 < 0) {
        snprintf(out, 25, "out of range");
        return;
    }
    snprintf(out, 25, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)(tm.tm_year + 1900) % 10000u,
             (unsigned)(tm.tm_mon + 1) % 100u, (unsigned)tm.tm_mday % 100u, (unsigned)tm.tm_hour % 100u,
             (unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u, (unsigned)rest % 1000u);
}
