/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - diagnostics: one line "time level process module key=value ..." on stderr (or a worker's socket).
 * INFO = a state changed, WARN = a handled loss, ERROR = somebody must act.
 * Never a plate, a sentence, a secret or personal data, at any level: those belong in the journal.
 * Threads: any; a line is written by one write(2). */
#ifndef HOST_BASE_LOG_H
#define HOST_BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Name shown on each line ("relecture", "decode", "card"); borrowed for ever. Call once, first thing in main.
 */
void log_init(const char *process, enum log_level least);

/* Where lines go instead of stderr; `fn` gets one finished line without newline, borrowed until return.
 * Used by workers, which log over their socket. NULL goes back to stderr. */
void log_sink(void (*fn)(enum log_level level, const char *line, void *arg), void *arg);

/* A line that another process already formatted (a worker's): written as it is, when its level is
 * wanted. */
void log_relay(enum log_level level, const char *line);

void log_write(enum log_level level, const char *module, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(module, ...) log_write(LOG_DEBUG, module, __VA_ARGS__)
#define log_info(module, ...)  log_write(LOG_INFO, module, __VA_ARGS__)
#define log_warn(module, ...)  log_write(LOG_WARN, module, __VA_ARGS__)
#define log_error(module, ...) log_write(LOG_ERROR, module, __VA_ARGS__)

#endif
