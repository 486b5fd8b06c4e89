/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.h - is this installation sound? Each check looks at one thing and says what it found and, when that
 * is not well, what to do. Nothing is changed. Threads: one at a time. */
#ifndef HOST_DOCTOR_DOCTOR_H
#define HOST_DOCTOR_DOCTOR_H

#include <stdint.h>

#include "host/base/config.h"

enum doctor_state {
    DOCTOR_WELL,
    DOCTOR_WATCH, /* it works, and will not for long, or is less safe than it should be */
    DOCTOR_ILL    /* something does not work */
};
struct doctor_finding {
    enum doctor_state state;
    char text[512]; /* what was found */
    char mend[512]; /* what to do; "" when well */
};
struct doctor {
    const struct config *config;
    const char *dir; /* the data directory; NULL: the checks of the machine alone */
    int64_t now_ms;
};
struct doctor_check {
    const char *name;
    void (*look)(const struct doctor *d, struct doctor_finding *f); /* *f is zeroed: well */
};

/* machine.c: programs and their parts, libraries, the kernel's sandbox, limits, time zone. */
extern const struct doctor_check doctor_machine[];
extern const unsigned doctor_n_machine;
/* data.c: the data directory; skipped without one. */
extern const struct doctor_check doctor_data[];
extern const unsigned doctor_n_data;

void doctor_well(struct doctor_finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Sets state and text; the remedy is given by doctor_mend(). */
void doctor_say(struct doctor_finding *f, enum doctor_state s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void doctor_mend(struct doctor_finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
