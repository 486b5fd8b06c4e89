/* SPDX-License-Identifier: Apache-2.0 */
/* grammar_time.c - days, hours and durations. Days and hours are gathered apart and crossed at the end:
 * "mardi et jeudi 14h-16h" is two bands. Everything is resolved once, in the site's time zone, inside the
 * case's period. */
#include <stdio.h>
#include <string.h>

#include "host/search/grammar_internal.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define AROUND_MS (30 * MINUTE_MS) /* "vers 14 h" without a margin */

static const char *const weekday_roles[7] = {"monday", "tuesday",  "wednesday", "thursday",
                                             "friday", "saturday", "sunday"};
static const char *const weekdays_roles[7] = {"mondays", "tuesdays",  "wednesdays", "thursdays",
                                              "fridays", "saturdays", "sundays"};
static const char *const month_roles[12] = {"january",   "february", "march",    "april",
                                            "may",       "june",     "july",     "august",
                                            "september", "october",  "november", "december"};
static const struct {
    const char *role;
    struct band band;
} parts[] = {
    {"morning", {6 * HOUR_MS, 12 * HOUR_MS}},
    {"afternoon", {12 * HOUR_MS, 18 * HOUR_MS}},
    {"evening", {18 * HOUR_MS, 22 * HOUR_MS}},
    {"night", {22 * HOUR_MS, 30 * HOUR_MS}},
};

/* ---- small readers: each gives the end of what it read, or 0 ----------------------------------------- */

static unsigned blanks(const struct grammar *g, unsigned i) {
    while (i < g->plain.n && g->plain.c[i] == ' ') i++;
    return i;
}
static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || c == '~';
}

static unsigned number_at(const struct grammar *g, unsigned i, unsigned max_digits, int *out) {
    unsigned k = i;
    *out = 0;
    while (k < g->plain.n && is_digit(g->plain.c[k])) {
        if (k - i == max_digits) return 0;
        *out = *out * 10 + (g->plain.c[k++] - '0');
    }
    return k > i ? k : 0;
}
/* A role after blanks; stays where it is when there is none. */
static unsigned skip_role(const struct grammar *g, unsigned i, const char *role) {
    unsigned to;
    unsigned k = blanks(g, i);
    return grammar_role_at(g, k, role, &to) ? to : i;
}
static unsigned skip_stops(const struct grammar *g, unsigned i) {
    for (;;) {
        unsigned to = skip_role(g, i, "stop");
        if (to == i) return i;
        i = to;
    }
}
static unsigned role_of(const struct grammar *g, unsigned i, const char *role) {
    unsigned to;
    return grammar_role_at(g, i, role, &to) ? to : 0;
}

/* "-", "à", "au", "to" between two ends of a range; "et" only behind "entre": "mardi et jeudi" are two days.
 */
static unsigned range_sign(const struct grammar *g, unsigned i, bool after_between) {
    unsigned k = blanks(g, i);
    if (k < g->plain.n && g->plain.c[k] == '-') return blanks(g, k + 1);
    unsigned to = role_of(g, k, "to");
    if (!after_between && to && to == role_of(g, k, "and")) return 0;
    return to ? blanks(g, to) : 0;
}

/* ---- hours ------------------------------------------------------------------------------------------- */

struct clock_read {
    int64_t ms;
    bool is_explicit; /* more than a bare number */
    bool has_half;    /* am or pm was said */
};

static unsigned half_of_day(const struct grammar *g, unsigned i, struct clock_read *c) {
    unsigned k = blanks(g, i), to;
    bool pm = grammar_role_at(g, k, "pm", &to);
    if (!pm && !grammar_role_at(g, k, "am", &to)) return i;
    if (c->ms > 12 * HOUR_MS + 59 * MINUTE_MS) return i;
    if (pm && c->ms < 12 * HOUR_MS) c->ms += 12 * HOUR_MS;
    if (!pm && c->ms >= 12 * HOUR_MS) c->ms -= 12 * HOUR_MS;
    c->is_explicit = c->has_half = true;
    return to;
}

static unsigned minutes_at(const struct grammar *g, unsigned i, int *minutes) {
    int m;
    unsigned to = number_at(g, i, 2, &m);
    if (to != i + 2 || m > 59 || (to < g->plain.n && (is_digit(g->plain.c[to]) || is_letter(g->plain.c[to]))))
        return 0;
    *minutes = m;
    return to;
}

static unsigned clock_at(const struct grammar *g, unsigned i, struct clock_read *c) {
    int hour, minutes = 0;
    unsigned to, k;
    *c = (struct clock_read){0};
    if ((to = role_of(g, i, "noon"))) {
        *c = (struct clock_read){12 * HOUR_MS, true, true};
        return to;
    }
    if ((to = role_of(g, i, "midnight"))) {
        *c = (struct clock_read){0, true, true};
        return to;
    }
    to = number_at(g, i, 2, &hour);
    if (!to || hour > 24) return 0;
    if (to < g->plain.n && g->plain.c[to] == ':') {
        k = minutes_at(g, to + 1, &minutes);
        if (!k) return 0;
        to = k;
        c->is_explicit = true;
    } else {
        k = blanks(g, to);
        unsigned unit = 0;
        /* "14h30" is one word: the h is looked at by itself */
        if (k < g->plain.n && g->plain.c[k] == 'h' && (k + 1 >= g->plain.n || !is_letter(g->plain.c[k + 1])))
            unit = k + 1;
        else
            unit = role_of(g, k, "hour");
        if (unit) {
            to = unit;
            c->is_explicit = true;
            k = minutes_at(g, to, &minutes);
            if (!k && to < g->plain.n && g->plain.c[to] == ' ') k = minutes_at(g, to + 1, &minutes);
            if (k) to = k;
        } else if (to < g->plain.n && is_letter(g->plain.c[to]) && !role_of(g, to, "am") &&
                   !role_of(g, to, "pm")) {
            return 0; /* "4x4" */
        }
    }
    if (hour == 24 && minutes) return 0;
    c->ms = hour * HOUR_MS + minutes * MINUTE_MS;
    return half_of_day(g, to, c);
}

static struct grammar_token *time_token(struct grammar *g, unsigned from, unsigned to, const char *field) {
    struct grammar_token *t = grammar_token_add(g, from, to, GRAMMAR_USED);
    if (!t) return NULL;
    text_copy(t->field, sizeof t->field, field);
    t->negated = grammar_negated(g);
    g->time_token = (unsigned)(t - g->r->tokens);
    grammar_item_add(g, (struct item){.kind = ITEM_OTHER, .from = from, .to = to});
    return t;
}

static unsigned add_band(struct grammar *g, unsigned from, unsigned to, int64_t from_ms, int64_t to_ms) {
    struct grammar_token *t = time_token(g, from, to, "hours");
    if (!t) return to;
    if (from_ms < 0) from_ms = 0; /* "vers 0 h 10" reaches into the day before only through "22h-2h" */
    if (to_ms <= from_ms) to_ms += DAY_MS;
    int64_t end_ms = to_ms % DAY_MS == 0 && to_ms ? DAY_MS : to_ms % DAY_MS;
    snprintf(t->value, sizeof t->value, "%02d:%02d-%02d:%02d", (int)(from_ms / HOUR_MS),
             (int)(from_ms / MINUTE_MS % 60), (int)(end_ms / HOUR_MS), (int)(end_ms / MINUTE_MS % 60));
    unsigned *n = t->negated ? &g->n_bands_out : &g->n_bands;
    if (*n == BANDS_MAX)
        g->full = true;
    else
        (t->negated ? g->bands_out : g->bands)[(*n)++] = (struct band){from_ms, to_ms};
    return to;
}

/* "14h-16h", "entre 14 et 16 h", "2-4pm", "de 22h à 2h" */
static unsigned read_hour_range(struct grammar *g, unsigned i) {
    struct clock_read a, b;
    unsigned k = i, between = role_of(g, i, "between"), to = between ? between : role_of(g, i, "from");
    if (to) k = blanks(g, to);
    k = clock_at(g, k, &a);
    if (!k || !(k = range_sign(g, k, between != 0)) || !(k = clock_at(g, k, &b))) return 0;
    if (!a.is_explicit && !b.is_explicit) return 0;
    if (b.has_half && !a.has_half && a.ms < 12 * HOUR_MS && a.ms + 12 * HOUR_MS <= b.ms) a.ms += 12 * HOUR_MS;
    return add_band(g, i, k, a.ms, b.ms);
}

/* "± 20 min", "à 20 min près", "give or take 20 minutes" */
static unsigned margin_at(const struct grammar *g, unsigned i, int64_t *margin_ms) {
    unsigned k = blanks(g, i), to;
    bool needs_close = false;
    int n;
    if (k < g->plain.n && g->plain.c[k] == '+') {
        k++;
        while (k < g->plain.n && (g->plain.c[k] == '/' || g->plain.c[k] == '-' || g->plain.c[k] == ' ')) k++;
    } else if (grammar_role_at(g, k, "plus_minus", &to)) {
        needs_close = to == k + 1; /* the bare "à" */
        k = blanks(g, to);
    } else {
        return i;
    }
    to = number_at(g, k, 3, &n);
    if (!to) return i;
    k = blanks(g, to);
    if ((to = role_of(g, k, "minute")))
        *margin_ms = n * MINUTE_MS;
    else if ((to = role_of(g, k, "hour")))
        *margin_ms = n * HOUR_MS;
    else
        return i;
    k = blanks(g, to);
    bool is_close = strncmp(g->plain.c + k, "pres", 4) == 0 && !plain_is_word(g->plain.c[k + 4]);
    if (needs_close && !is_close) return i;
    if (*margin_ms <= 0 || *margin_ms > 12 * HOUR_MS) return i;
    return is_close ? k + 4 : to;
}

/* "vers 2 h ± 20 min", "à 14h", "14:30", "après 14h", "avant 10 h" */
static unsigned read_hour(struct grammar *g, unsigned i) {
    struct clock_read c;
    int64_t margin_ms = AROUND_MS;
    unsigned after = role_of(g, i, "after"), before = role_of(g, i, "before"), about = role_of(g, i, "about"),
             at = role_of(g, i, "at");
    unsigned k = after ? after : before ? before : about ? about : at;
    unsigned to = clock_at(g, k ? blanks(g, k) : i, &c);
    if (!to || !c.is_explicit) return 0;
    if (after) return add_band(g, i, to, c.ms, DAY_MS);
    if (before) return add_band(g, i, to, 0, c.ms);
    to = margin_at(g, to, &margin_ms);
    return add_band(g, i, to, c.ms - margin_ms, c.ms + margin_ms);
}

static unsigned read_part_of_day(struct grammar *g, unsigned i) {
    for (unsigned p = 0; p < sizeof parts / sizeof *parts; p++) {
        unsigned to = role_of(g, i, parts[p].role);
        if (to) return add_band(g, i, to, parts[p].band.from_ms, parts[p].band.to_ms);
    }
    return 0;
}

/* ---- days -------------------------------------------------------------------------------------------- */

static bool in_case(const struct grammar *g, int64_t day) {
    return day >= g->first_day && day < g->first_day + g->n_days;
}
static int64_t today(const struct grammar *g) {
    return zone_local_day(g->in->zone, g->in->now_ms);
}
static void day_text(int64_t day, char *out, size_t cap) {
    int y, m, d;
    zone_date(day, &y, &m, &d);
    snprintf(out, cap, "%04d-%02d-%02d", y, m, d);
}

/* The newest such weekday of the case, not after today (with `before_today` strictly before). First day - 1:
 * none. */
static int64_t newest_weekday(const struct grammar *g, int weekday, int64_t not_after) {
    int64_t day = g->first_day + g->n_days - 1;
    if (not_after < day) day = not_after;
    while (day >= g->first_day && zone_weekday(day) != weekday) day--;
    return day;
}

/* A year nobody said: the one that puts the date into the case, else this year. */
static int64_t day_of_month(const struct grammar *g, int month, int day, int year) {
    int y, m, d;
    if (year >= 0) return zone_date_exists(year, month, day) ? zone_day(year, month, day) : INT64_MIN;
    for (int back = 0; back < 2; back++) {
        zone_date(back ? g->first_day : g->first_day + g->n_days - 1, &y, &m, &d);
        if (zone_date_exists(y, month, day) && in_case(g, zone_day(y, month, day)))
            return zone_day(y, month, day);
    }
    zone_date(today(g), &y, &m, &d);
    return zone_date_exists(y, month, day) ? zone_day(y, month, day) : INT64_MIN;
}
static int full_year(int y, unsigned digits) {
    return digits == 2 ? 2000 + y : digits == 4 ? y : -2;
}

/* 20/11, 20/11/2026, 20.11.2026, 20-11-2026, 2026-11-20 */
static unsigned numeric_date(const struct grammar *g, unsigned i, int64_t *day) {
    int a, b, c = -1;
    unsigned ka = number_at(g, i, 4, &a), kb, kc;
    if (!ka || ka >= g->plain.n) return 0;
    char sign = g->plain.c[ka];
    if ((sign != '/' && sign != '.' && sign != '-') || !(kb = number_at(g, ka + 1, 2, &b))) return 0;
    kc = kb;
    if (kb < g->plain.n && g->plain.c[kb] == sign) {
        kc = number_at(g, kb + 1, 4, &c);
        if (!kc) return 0;
    }
    if (kc < g->plain.n && (is_letter(g->plain.c[kc]) || is_digit(g->plain.c[kc]) || g->plain.c[kc] == '*' ||
                            g->plain.c[kc] == '?'))
        return 0;
    if (ka - i == 4 && sign == '-' && c >= 0) {
        *day = zone_date_exists(a, b, c) ? zone_day(a, b, c) : INT64_MIN;
        return kc;
    }
    if (ka - i > 2 || (c < 0 && sign != '/')) return 0;
    *day = day_of_month(g, b, a, c < 0 ? -1 : full_year(c, kc - kb - 1));
    return kc;
}

static unsigned month_at(const struct grammar *g, unsigned i, int *month) {
    for (int m = 0; m < 12; m++) {
        unsigned to = role_of(g, i, month_roles[m]);
        if (to) {
            *month = m + 1;
            return to;
        }
    }
    return 0;
}
/* "20", "1er", "20th" */
static unsigned ordinal_at(const struct grammar *g, unsigned i, int *n) {
    static const char *const ends[] = {"er", "st", "nd", "rd", "th"};
    unsigned to = number_at(g, i, 2, n);
    if (!to || *n < 1 || *n > 31) return 0;
    for (unsigned k = 0; k < 5; k++)
        if (strncmp(g->plain.c + to, ends[k], 2) == 0) to += 2;
    return to < g->plain.n && plain_is_word(g->plain.c[to]) ? 0 : to;
}
static unsigned year_at(const struct grammar *g, unsigned i, int *year) {
    unsigned k = i;
    while (k < g->plain.n && (g->plain.c[k] == ' ' || g->plain.c[k] == ',' || g->plain.c[k] == '.')) k++;
    unsigned to = number_at(g, k, 4, year);
    if (to != k + 4 || *year < 1970 || *year > 2200 || (to < g->plain.n && plain_is_word(g->plain.c[to]))) {
        *year = -1;
        return i;
    }
    return to;
}

/* "20 novembre 2026", "20th of November", "November 20" */
static unsigned named_date(const struct grammar *g, unsigned i, int64_t *day) {
    int n, month, year;
    unsigned k = ordinal_at(g, i, &n), to;
    if (k) {
        k = skip_stops(g, k);
        to = month_at(g, blanks(g, k), &month);
        if (!to) return 0;
    } else {
        k = month_at(g, i, &month);
        if (!k || !(to = ordinal_at(g, blanks(g, skip_stops(g, k)), &n))) return 0;
        unsigned hour = blanks(g, to);
        if (hour < g->plain.n && (g->plain.c[hour] == 'h' || g->plain.c[to] == ':')) return 0;
    }
    to = year_at(g, to, &year);
    *day = day_of_month(g, month, n, year);
    return to;
}

/* The newest day of the case with that number ("le 23"); INT64_MIN: none. */
static int64_t day_numbered(const struct grammar *g, int n) {
    for (int64_t day = g->first_day + g->n_days - 1; day >= g->first_day; day--) {
        int y, m, d;
        zone_date(day, &y, &m, &d);
        if (d == n && day <= today(g)) return day;
    }
    return INT64_MIN;
}
/* "23", where a day is expected; no hour, no length, no piece of something else. */
static unsigned bare_day_at(const struct grammar *g, unsigned i, int *n) {
    unsigned to = ordinal_at(g, i, n), k = to ? blanks(g, to) : 0, unit;
    static const char *const others[] = {"hour", "minute", "second", "am", "pm", "day_unit"};
    if (!to || (to < g->plain.n && strchr(":/-?*+'", g->plain.c[to]))) return 0;
    for (unsigned r = 0; r < sizeof others / sizeof *others; r++)
        if (k < g->plain.n && grammar_role_at(g, k, others[r], &unit)) return 0;
    return to;
}

struct day_read {
    int64_t day;  /* INT64_MIN: no such date */
    int weekday;  /* 0..6 when a weekday was said, else -1 */
    bool is_last; /* "dernier" */
};

static unsigned day_at(const struct grammar *g, unsigned i, struct day_read *d) {
    unsigned to;
    *d = (struct day_read){.weekday = -1};
    if ((to = role_of(g, i, "day_before"))) d->day = today(g) - 2;
    if (!to && (to = role_of(g, i, "yesterday"))) d->day = today(g) - 1;
    if (!to && (to = role_of(g, i, "today"))) d->day = today(g);
    if (to) return to;
    unsigned first = skip_role(g, i, "last"); /* "last Tuesday" */
    for (int w = 0; w < 7; w++) {
        to = role_of(g, blanks(g, first), weekday_roles[w]);
        if (!to) continue;
        unsigned after = skip_role(g, to, "last"); /* "mardi dernier" */
        int64_t date;
        unsigned named =
            numeric_date(g, blanks(g, skip_stops(g, to)), &date); /* "mardi 24/11": the date decides */
        if (!named) named = named_date(g, blanks(g, skip_stops(g, to)), &date);
        int n;
        if (!named && (named = bare_day_at(g, blanks(g, to), &n))) date = day_numbered(g, n);
        if (named) {
            d->day = date;
            return named;
        }
        d->weekday = w;
        d->is_last = first != i || after != to;
        d->day = newest_weekday(g, w, today(g) - d->is_last);
        return after;
    }
    to = numeric_date(g, i, &d->day);
    return to ? to : named_date(g, i, &d->day);
}

static void mark_days(struct grammar *g, int64_t from, int64_t to, bool negated) {
    if (!negated) g->days.asked = true;
    for (int64_t day = from; day <= to; day++)
        if (in_case(g, day)) (negated ? g->days.out : g->days.in)[day - g->first_day] = 1;
}

/* Takes days [from, to] as asked; stops the search when none of them is the case's. */
static unsigned add_days(struct grammar *g, unsigned at, unsigned end, int64_t from, int64_t to) {
    struct grammar_token *t = time_token(g, at, end, "date");
    int64_t last = g->first_day + g->n_days - 1;
    char a[24] = "?", b[24] = "?";
    if (!t) return end;
    bool exists = from != INT64_MIN && to != INT64_MIN;
    if (exists) {
        day_text(from, a, sizeof a);
        day_text(to, b, sizeof b);
        snprintf(t->value, sizeof t->value, from == to ? "%s" : "%s/%s", a, b);
    }
    if (!exists || from > last || to < g->first_day || from > to) {
        if (t->negated && exists) return end; /* what is excluded may lie outside */
        t->state = GRAMMAR_OUTSIDE;
        if (!exists) t->note = "no_such_date";
        grammar_stop(g, GRAMMAR_STOP_PERIOD, t);
        return end;
    }
    t->clipped = from < g->first_day || to > last;
    mark_days(g, from, to, t->negated);
    return end;
}

/* "mardi" of a case with three of them: which one is settled once the hours are known. */
static unsigned pick_later(struct grammar *g, unsigned i, unsigned to, const struct day_read *d) {
    if (g->n_picks == PICKS_MAX) {
        g->full = true;
        return to;
    }
    struct grammar_token *t = time_token(g, i, to, "date");
    if (!t) return to;
    if (d->day < g->first_day) {
        if (t->negated) return to;
        t->state = GRAMMAR_OUTSIDE;
        grammar_stop(g, GRAMMAR_STOP_PERIOD, t);
        return to;
    }
    g->picks[g->n_picks++] = (struct pick){.day = d->day, .token = g->time_token};
    return to;
}

static unsigned add_stretch(struct grammar *g, unsigned i, unsigned to, int64_t day, int64_t from_ms,
                            int64_t to_ms);

/* A clock behind a day, of a range of moments: "20/11 à 14h" */
static unsigned clock_behind(const struct grammar *g, unsigned i, struct clock_read *c) {
    unsigned to = clock_at(g, blanks(g, skip_stops(g, i)), c);
    return to && c->is_explicit ? to : 0;
}

/* "du 20/11 14h au 21/11 8h": one stretch, not a band of each day. */
static unsigned read_moments(struct grammar *g, unsigned i) {
    struct day_read d[2];
    struct clock_read c[2];
    unsigned k = i, between = role_of(g, i, "between"), to = between ? between : role_of(g, i, "from");
    if (to) k = blanks(g, skip_stops(g, to));
    for (unsigned n = 0; n < 2; n++) {
        if (n == 1 && !(k = range_sign(g, k, between != 0))) return 0;
        k = blanks(g, skip_stops(g, k));
        if (!(k = day_at(g, k, &d[n])) || !(k = clock_behind(g, k, &c[n]))) return 0;
        if (d[n].day == INT64_MIN) return 0;
    }
    int64_t days = d[1].day - d[0].day;
    if (days < 0 || days > (int64_t)DAYS_MAX) return 0;
    return add_stretch(g, i, k, d[0].day, c[0].ms, days * DAY_MS + c[1].ms);
}

/* "du 20/11 au 22/11", "20-22 novembre", "lundi à mercredi", "November 20 to 22" */
static unsigned read_day_range(struct grammar *g, unsigned i) {
    struct day_read a, b;
    unsigned k = i, between = role_of(g, i, "between"), to = between ? between : role_of(g, i, "from"), end;
    int n;
    if (to) k = blanks(g, skip_stops(g, to));
    unsigned first = day_at(g, k, &a);
    unsigned bare = first ? 0 : ordinal_at(g, k, &n);
    if (!first && !bare) return 0;
    k = range_sign(g, first ? first : bare, between != 0);
    if (!k) return 0;
    k = blanks(g, skip_stops(g, k));
    end = day_at(g, k, &b);
    if (!end && first && role_of(g, i, "from") == 0 && a.weekday < 0 && (end = ordinal_at(g, k, &n))) {
        int y, m, d; /* "November 20-22" */
        if (a.day == INT64_MIN) return 0;
        zone_date(a.day, &y, &m, &d);
        unsigned after = blanks(g, end);
        if (n <= d || (after < g->plain.n && g->plain.c[after] == 'h')) return 0;
        b = (struct day_read){.day = zone_date_exists(y, m, n) ? zone_day(y, m, n) : INT64_MIN,
                              .weekday = -1};
    }
    if (!end) return 0;
    if (bare) {
        int y, m, d; /* the month of the end holds for the beginning */
        if (b.weekday >= 0 || b.day == INT64_MIN) return 0;
        zone_date(b.day, &y, &m, &d);
        a = (struct day_read){.day = zone_date_exists(y, m, n) ? zone_day(y, m, n) : INT64_MIN,
                              .weekday = -1};
    }
    if (a.weekday >= 0 && b.day != INT64_MIN) a.day = newest_weekday(g, a.weekday, b.day);
    return add_days(g, i, end, a.day, b.day);
}

/* "depuis mardi", "à partir du 20/11", "avant le 22/11" */
static unsigned read_open_days(struct grammar *g, unsigned i) {
    struct day_read d;
    unsigned after = role_of(g, i, "after"), before = role_of(g, i, "before"), k = after ? after : before, to;
    if (!k || !(to = day_at(g, blanks(g, skip_stops(g, k)), &d)) || d.day == INT64_MIN) return 0;
    if (after) return add_days(g, i, to, d.day, g->first_day + g->n_days - 1);
    bool until = role_of(g, i, "to") == before; /* "jusqu'au" includes the day, "avant" does not */
    return add_days(g, i, to, g->first_day, until ? d.day : d.day - 1);
}

static unsigned add_weekdays(struct grammar *g, unsigned i, unsigned to, const char *name, unsigned days) {
    struct grammar_token *t = time_token(g, i, to, "date");
    bool any = false;
    if (!t) return to;
    text_copy(t->value, sizeof t->value, name);
    for (int64_t d = 0; d < g->n_days; d++) {
        if (!(days & 1u << zone_weekday(g->first_day + d))) continue;
        any = true;
        mark_days(g, g->first_day + d, g->first_day + d, t->negated);
    }
    if (!any && !t->negated) {
        t->state = GRAMMAR_OUTSIDE;
        grammar_stop(g, GRAMMAR_STOP_PERIOD, t);
    }
    return to;
}

/* "tous les jours", "les mardis", "chaque mardi", "le week-end", "en semaine" */
static unsigned read_recurring(struct grammar *g, unsigned i) {
    unsigned to = role_of(g, i, "every_day");
    if (to) return add_weekdays(g, i, to, "every_day", 0x7f);
    if ((to = role_of(g, i, "weekday"))) return add_weekdays(g, i, to, "working_days", 0x1f);
    unsigned every = role_of(g, i, "every"), k = every ? blanks(g, every) : i;
    if ((to = role_of(g, k, "weekend"))) return add_weekdays(g, i, to, "weekends", 0x60);
    for (unsigned w = 0; w < 7; w++) {
        to = role_of(g, k, weekdays_roles[w]);
        if (!to && every) to = role_of(g, k, weekday_roles[w]);
        if (to) return add_weekdays(g, i, to, weekdays_roles[w], 1u << w);
    }
    return 0;
}

/* "le 23", "the 23rd" */
static unsigned read_day_number(struct grammar *g, unsigned i) {
    int n;
    unsigned to = bare_day_at(g, i, &n);
    bool said =
        i >= 3 && g->plain.c[i - 1] == ' ' &&
        (strncmp(&g->plain.c[i - 3], "le", 2) == 0 || (i >= 4 && strncmp(&g->plain.c[i - 4], "the", 3) == 0));
    if (!to || !said) return 0;
    int64_t day = day_numbered(g, n);
    return add_days(g, i, to, day, day);
}

/* "du 20 au 22" */
static unsigned read_number_range(struct grammar *g, unsigned i) {
    int a, b;
    unsigned k;
    if (strncmp(g->plain.c + i, "du ", 3) != 0 || !(k = bare_day_at(g, blanks(g, i + 3), &a))) return 0;
    k = blanks(g, k);
    if (strncmp(g->plain.c + k, "au ", 3) != 0 || !(k = bare_day_at(g, blanks(g, k + 3), &b))) return 0;
    int64_t last = day_numbered(g, b);
    int64_t first = last == INT64_MIN ? INT64_MIN : last - (b - a);
    if (a > b) return 0;
    return add_days(g, i, k, first, last);
}

/* "il y a 2 jours", "3 days ago" */
static unsigned read_days_ago(struct grammar *g, unsigned i) {
    int n;
    unsigned k = role_of(g, i, "ago_before"), to, number = k ? blanks(g, k) : i;
    if (!(to = number_at(g, number, 3, &n)) || !(to = role_of(g, blanks(g, to), "day_unit"))) return 0;
    if (!k && !(to = role_of(g, blanks(g, to), "ago_before"))) return 0;
    return add_days(g, i, to, today(g) - n, today(g) - n);
}

/* "ce matin", "cette nuit": one stretch of one day. "la nuit de lundi à mardi" likewise. */
static unsigned add_stretch(struct grammar *g, unsigned i, unsigned to, int64_t day, int64_t from_ms,
                            int64_t to_ms) {
    if (g->has_exact) {
        g->full = true;
        return to;
    }
    struct grammar_token *t = time_token(g, i, to, "time");
    if (!t) return to;
    char a[24], b[24];
    int64_t end_day = day + to_ms / DAY_MS;
    day_text(day, a, sizeof a);
    day_text(end_day, b, sizeof b);
    snprintf(t->value, sizeof t->value, "%s %02d:%02d/%s %02d:%02d", a, (int)(from_ms / HOUR_MS),
             (int)(from_ms / MINUTE_MS % 60), b, (int)(to_ms % DAY_MS / HOUR_MS),
             (int)(to_ms / MINUTE_MS % 60));
    g->exact_from_ms = zone_utc_ms(g->in->zone, day, from_ms, false);
    g->exact_to_ms = zone_utc_ms(g->in->zone, end_day, to_ms % DAY_MS, true);
    if (g->exact_from_ms >= g->exact_to_ms || g->exact_from_ms >= g->in->to_ms ||
        g->exact_to_ms <= g->in->from_ms) {
        t->state = GRAMMAR_OUTSIDE;
        grammar_stop(g, GRAMMAR_STOP_PERIOD, t);
        return to;
    }
    t->clipped = g->exact_from_ms < g->in->from_ms || g->exact_to_ms > g->in->to_ms;
    g->has_exact = true;
    return to;
}

static unsigned read_this_part(struct grammar *g, unsigned i) {
    static const char *const roles[] = {"this_morning", "this_afternoon", "this_evening", "last_night"};
    for (unsigned p = 0; p < 4; p++) {
        unsigned to = role_of(g, i, roles[p]);
        if (to) return add_stretch(g, i, to, today(g) - (p == 3), parts[p].band.from_ms, parts[p].band.to_ms);
    }
    unsigned k = role_of(g, i, "night"), to, from = k ? role_of(g, blanks(g, k), "from") : 0;
    struct day_read a, b;
    if (!from || !(to = day_at(g, blanks(g, skip_stops(g, from)), &a)) || !(to = range_sign(g, to, false)) ||
        !(to = day_at(g, blanks(g, skip_stops(g, to)), &b)) || b.day == INT64_MIN)
        return 0;
    return add_stretch(g, i, to, b.day - 1, parts[3].band.from_ms, parts[3].band.to_ms);
}

static unsigned read_day(struct grammar *g, unsigned i) {
    struct day_read d;
    unsigned to = day_at(g, i, &d);
    if (!to) return 0;
    if (d.weekday >= 0 && !d.is_last) return pick_later(g, i, to, &d);
    return add_days(g, i, to, d.day, d.day);
}

unsigned grammar_read_time(struct grammar *g, unsigned i) {
    static unsigned (*const readers[])(struct grammar *, unsigned) = {
        read_moments,   read_hour_range, read_day_range, read_number_range, read_recurring, read_open_days,
        read_this_part, read_day,        read_days_ago,  read_part_of_day,  read_hour,      read_day_number,
    };
    if (g->in->to_ms <= g->in->from_ms) return 0;
    for (unsigned r = 0; r < sizeof readers / sizeof *readers; r++) {
        unsigned to = readers[r](g, i);
        if (to) return to;
    }
    return 0;
}

void grammar_time_start(struct grammar *g) {
    g->first_day = zone_local_day(g->in->zone, g->in->from_ms);
    int64_t last = zone_local_day(g->in->zone, g->in->to_ms - 1);
    if (last - g->first_day >= (int64_t)DAYS_MAX) g->first_day = last - (int64_t)DAYS_MAX + 1;
    g->n_days = last - g->first_day + 1;
}

/* ---- days x hours -> periods ------------------------------------------------------------------------- */

static void add_period(struct grammar *g, int64_t from_ms, int64_t to_ms) {
    struct query *q = &g->r->query;
    if (from_ms < g->in->from_ms) from_ms = g->in->from_ms;
    if (to_ms > g->in->to_ms) to_ms = g->in->to_ms;
    if (from_ms >= to_ms) return;
    /* They come in order of days; bands of a day may overlap or touch the day before. */
    for (unsigned i = 0; i < q->n_periods; i++)
        if (from_ms <= q->period[i].to_ms && to_ms >= q->period[i].from_ms) {
            if (from_ms < q->period[i].from_ms) q->period[i].from_ms = from_ms;
            if (to_ms > q->period[i].to_ms) q->period[i].to_ms = to_ms;
            return;
        }
    if (q->n_periods == QUERY_PERIODS_MAX) {
        g->full = true;
        return;
    }
    q->period[q->n_periods].from_ms = from_ms;
    q->period[q->n_periods++].to_ms = to_ms;
}

static void add_day_periods(struct grammar *g, int64_t day) {
    const struct zone *z = g->in->zone;
    for (unsigned b = 0; b < g->n_bands; b++) {
        int64_t to_ms = g->bands[b].to_ms;
        add_period(g, zone_utc_ms(z, day, g->bands[b].from_ms, false),
                   zone_utc_ms(z, day + to_ms / DAY_MS, to_ms % DAY_MS, true));
    }
    if (g->n_bands == 0) add_period(g, zone_utc_ms(z, day, 0, false), zone_utc_ms(z, day + 1, 0, false));
}

/* Some of the asked hours of that day lie in the case. */
static bool day_has_time(const struct grammar *g, int64_t day) {
    const struct zone *z = g->in->zone;
    for (unsigned b = 0; b < g->n_bands; b++) {
        int64_t to_ms = g->bands[b].to_ms;
        if (zone_utc_ms(z, day, g->bands[b].from_ms, false) < g->in->to_ms &&
            zone_utc_ms(z, day + to_ms / DAY_MS, to_ms % DAY_MS, true) > g->in->from_ms)
            return true;
    }
    return g->n_bands == 0;
}

/* A weekday is its newest date whose asked hours lie in the case; its other dates are offered. */
static void settle_picks(struct grammar *g) {
    for (unsigned i = 0; i < g->n_picks; i++) {
        struct grammar_token *t = &g->r->tokens[g->picks[i].token];
        int64_t day = g->picks[i].day;
        while (!day_has_time(g, day) && day - 7 >= g->first_day) day -= 7;
        day_text(day, t->value, sizeof t->value);
        mark_days(g, day, day, t->negated);
        for (int64_t other = g->picks[i].day; other >= g->first_day && t->n_readings < GRAMMAR_READINGS_MAX;
             other -= 7)
            if (other != day && day_has_time(g, other))
                day_text(other, t->readings[t->n_readings++].text, sizeof t->readings[0].text);
    }
}

/* "sauf le matin" */
static void cut_period(struct grammar *g, int64_t from_ms, int64_t to_ms) {
    struct query *q = &g->r->query;
    for (unsigned i = 0; i < q->n_periods; i++) {
        int64_t a = q->period[i].from_ms, b = q->period[i].to_ms;
        if (to_ms <= a || from_ms >= b) continue;
        q->period[i].to_ms = from_ms > a ? from_ms : a;
        if (to_ms < b) {
            if (from_ms <= a) {
                q->period[i].from_ms = to_ms;
                q->period[i].to_ms = b;
            } else if (q->n_periods == QUERY_PERIODS_MAX) {
                g->full = true;
            } else {
                memmove(&q->period[i + 2], &q->period[i + 1], (q->n_periods - i - 1) * sizeof q->period[0]);
                q->n_periods++;
                q->period[i + 1].from_ms = to_ms;
                q->period[i + 1].to_ms = b;
            }
        }
        if (q->period[i].from_ms >= q->period[i].to_ms) {
            memmove(&q->period[i], &q->period[i + 1], (q->n_periods - i - 1) * sizeof q->period[0]);
            q->n_periods--;
            i--;
        }
    }
}
static void cut_bands(struct grammar *g) {
    const struct zone *z = g->in->zone;
    for (int64_t d = -1; d < g->n_days && !g->full; d++)
        for (unsigned b = 0; b < g->n_bands_out; b++) {
            int64_t day = g->first_day + d, to_ms = g->bands_out[b].to_ms;
            cut_period(g, zone_utc_ms(z, day, g->bands_out[b].from_ms, false),
                       zone_utc_ms(z, day + to_ms / DAY_MS, to_ms % DAY_MS, true));
        }
}

void grammar_time_finish(struct grammar *g) {
    bool excluded = g->n_bands_out > 0;
    settle_picks(g);
    for (unsigned d = 0; d < DAYS_MAX; d++) excluded = excluded || g->days.out[d];
    if (!g->days.asked && !excluded && g->n_bands == 0 && !g->has_exact) return;
    if (g->r->stop != GRAMMAR_GOES) return;
    if (g->has_exact) add_period(g, g->exact_from_ms, g->exact_to_ms);
    if (g->days.asked || excluded || g->n_bands) {
        /* A night that began the evening before the case reaches into it. */
        if (!g->days.asked && g->n_bands) add_day_periods(g, g->first_day - 1);
        for (int64_t d = 0; d < g->n_days && !g->full; d++)
            if ((!g->days.asked || g->days.in[d]) && !g->days.out[d]) add_day_periods(g, g->first_day + d);
        cut_bands(g);
    }
    if (g->r->query.n_periods == 0 && !g->full) {
        struct grammar_token *t = &g->r->tokens[g->time_token];
        t->state = GRAMMAR_OUTSIDE;
        grammar_stop(g, GRAMMAR_STOP_PERIOD, t);
    }
}

/* ---- durations --------------------------------------------------------------------------------------- */

/* "2 min", "90s", "1 min 30", "une heure" */
static unsigned length_at(const struct grammar *g, unsigned i, int64_t *ms) {
    static const struct {
        const char *role;
        int64_t unit_ms;
    } units[] = {{"hour", HOUR_MS}, {"minute", MINUTE_MS}, {"second", 1000}};
    int n;
    unsigned k = number_at(g, i, 5, &n), to = 0;
    if (!k) { /* "une minute" */
        n = 1;
        k = role_of(g, i, "stop");
        if (!k) return 0;
    }
    k = blanks(g, k);
    for (unsigned u = 0; u < 3 && !to; u++) {
        to = role_of(g, k, units[u].role);
        if (!to) continue;
        *ms = n * units[u].unit_ms;
        unsigned more = number_at(g, blanks(g, to), 2, &n);
        if (u < 2 && more && n < 60) {
            *ms += n * units[u + 1].unit_ms;
            to = more;
            unsigned unit = role_of(g, blanks(g, to), units[u + 1].role);
            if (unit) to = unit;
        }
    }
    return to;
}

unsigned grammar_read_duration(struct grammar *g, unsigned i) {
    unsigned more = role_of(g, i, "more_than"), less = role_of(g, i, "less_than"),
             during = role_of(g, i, "during");
    unsigned k = more > less ? more : less, to;
    int64_t ms;
    if (during > k) k = during;
    if (!k) return 0;
    bool is_most = k == less && k != more;
    to = length_at(g, blanks(g, k), &ms);
    if (!to) return 0;
    struct grammar_token *t = grammar_token_add(g, i, to, GRAMMAR_USED);
    grammar_item_add(g, (struct item){.kind = ITEM_OTHER, .from = i, .to = to});
    if (!t) return to;
    strcpy(t->field, "duration");
    snprintf(t->value, sizeof t->value, "%s%lld", is_most ? "<=" : ">=", (long long)ms);
    if (is_most)
        g->r->query.max_duration_ms = ms;
    else
        g->r->query.min_duration_ms = ms;
    return to;
}
