/* SPDX-License-Identifier: Apache-2.0 */
#include "host/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <unistd.h>

static struct {
    const char *process;
    enum log_level least;
    void (*fn)(enum log_level, const char *, void *);
    void *arg;
} sink = {.process = "relecture", .least = LOG_INFO};

void log_init(const char *process, enum log_level least) {
    sink.process = process;
    sink.least = least;
}

void log_sink(void (*fn)(enum log_level level, const char *line, void *arg), void *arg) {
    sink.fn = fn;
    sink.arg = arg;
}

static void write_line(const char *line, size_t n) {
    char out[1100];
    if (n > sizeof out - 1) n = sizeof out - 1;
    memcpy(out, line, n);
    out[n] = '\n';
    /* One write, so that lines of several processes never mix. A full or closed stderr is not worth dying
     * for. */
    const ssize_t done = write(STDERR_FILENO, out, n + 1);
    (void)done;
}

void log_relay(enum log_level level, const char *line) {
    if (level >= sink.least) write_line(line, strlen(line));
}

void log_write(enum log_level level, const char *module, const char *fmt, ...) {
    static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    if (level < sink.least) return;
    char line[1024];
    struct timespec t;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &t);
    gmtime_r(&t.tv_sec, &tm);
    int n = snprintf(line, sizeof line, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s %s[%d] %s ",
                     tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                     t.tv_nsec / 1000000, names[level], sink.process, (int)getpid(), module);
    if (n < 0) return;
    va_list ap;
    va_start(ap, fmt);
    const int m = vsnprintf(line + n, sizeof line - (size_t)n, fmt, ap);
    va_end(ap);
    if (m < 0) return;
    /* One line per event, whatever a file name holds. */
    for (char *p = line + n; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
    if (sink.fn)
        sink.fn(level, line, sink.arg);
    else
        write_line(line, strlen(line));
}
