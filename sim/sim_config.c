/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum type { T_TEXT, T_BOOL, T_U32, T_U64, T_REAL };
struct key {
    const char *section, *name;
    enum type type;
    size_t at, cap;
    double least, most;
};
#define TEXT(s, k, f)                                                                                        \
    { s, k, T_TEXT, offsetof(struct sim_config, f), sizeof(((struct sim_config *)0)->f), 0, 0 }
#define BOOL(s, k, f)                                                                                        \
    { s, k, T_BOOL, offsetof(struct sim_config, f), 0, 0, 1 }
#define U32(s, k, f, lo, hi)                                                                                 \
    { s, k, T_U32, offsetof(struct sim_config, f), 0, lo, hi }
#define U64(s, k, f)                                                                                         \
    { s, k, T_U64, offsetof(struct sim_config, f), 0, 0, 9e15 }
#define REAL(s, k, f, lo, hi)                                                                                \
    { s, k, T_REAL, offsetof(struct sim_config, f), 0, lo, hi }
/* The two keys of a fault. */
#define FAULT(k, f) U32("fault", k "_at", at[f], 0, 4294967295.0), REAL("fault", k "_pct", pct[f], 0, 100)

static const struct key keys[] = {
    TEXT("card", "name", name),
    U32("card", "cards", n_cards, 0, 8),
    BOOL("time", "real", real_time),
    REAL("pcie", "to_card_gb_s", to_card_gb_s, 0.01, 1000),
    REAL("pcie", "from_card_gb_s", from_card_gb_s, 0.01, 1000),
    REAL("pcie", "per_transfer_us", per_transfer_us, 0, 1e6),
    REAL("kernels", "clock_mhz", kernel_clock_mhz, 1, 5000),
    REAL("kernels", "read_bytes_per_cycle", kernel_read_bytes_per_cycle, 0.01, 4096),
    REAL("kernels", "start_us", kernel_start_us, 0, 1e6),
    U32("kernels", "compute_units", kernel_units, 1, 32),
    TEXT("dpu", "name", dpu_name),
    REAL("dpu", "clock_mhz", dpu_clock_mhz, 1, 5000),
    REAL("dpu", "macs_per_cycle", dpu_macs_per_cycle, 1, 1e7),
    REAL("dpu", "efficiency", dpu_efficiency, 0.001, 1),
    REAL("dpu", "depthwise_efficiency", dpu_depthwise_efficiency, 0.001, 1),
    REAL("dpu", "job_us", dpu_job_us, 0, 1e6),
    U32("dpu", "engines", dpu_engines, 1, 64),
    U32("dpu", "batch", dpu_batch, 1, 64),
    U64("fault", "seed", seed),
    U32("fault", "max_fires", max_fires, 0, 1000000),
    U32("fault", "vanish_ms", vanish_ms, 0, 86400000),
    REAL("fault", "delay_pct", delay_pct, 0, 100),
    U32("fault", "delay_us", delay_us, 0, 60000000),
    FAULT("hang", SIM_FAULT_HANG),
    FAULT("error", SIM_FAULT_ERROR),
    FAULT("status", SIM_FAULT_STATUS),
    FAULT("short", SIM_FAULT_SHORT),
    FAULT("drop", SIM_FAULT_DROP),
    FAULT("double", SIM_FAULT_DOUBLE),
    FAULT("reorder", SIM_FAULT_REORDER),
    FAULT("abort", SIM_FAULT_ABORT),
    FAULT("vanish", SIM_FAULT_VANISH),
    FAULT("oom", SIM_FAULT_OOM),
    FAULT("corrupt", SIM_FAULT_CORRUPT),
    FAULT("dpu_hang", SIM_FAULT_DPU_HANG),
    FAULT("dpu_error", SIM_FAULT_DPU_ERROR),
    FAULT("dpu_corrupt", SIM_FAULT_DPU_CORRUPT),
    FAULT("dpu_abort", SIM_FAULT_DPU_ABORT),
};
enum { N_KEYS = sizeof keys / sizeof keys[0] };

void sim_config_defaults(struct sim_config *c) {
    *c = (struct sim_config){.n_cards = 1,
                             .to_card_gb_s = 1000,
                             .from_card_gb_s = 1000,
                             .kernel_clock_mhz = 300,
                             .kernel_read_bytes_per_cycle = 64,
                             .dpu_clock_mhz = 300,
                             .dpu_macs_per_cycle = 2048,
                             .dpu_efficiency = 1,
                             .dpu_depthwise_efficiency = 1,
                             .kernel_units = 2,
                             .dpu_engines = 1,
                             .dpu_batch = 1};
    snprintf(c->name, sizeof c->name, "card");
}

const char *sim_fault_name(enum sim_fault f) {
    static const char *const name[SIM_FAULT_N] = {
        "none",  "hang",   "error", "status",  "short",    "drop",      "double",      "reorder",
        "abort", "vanish", "oom",   "corrupt", "dpu_hang", "dpu_error", "dpu_corrupt", "dpu_abort"};
    return name[f];
}

static char *trim(char *s) {
    while (isspace((unsigned char)*s)) s++;
    char *e = s + strlen(s);
    while (e > s && isspace((unsigned char)e[-1])) e--;
    *e = '\0';
    return s;
}

/* Cuts a comment that does not stand inside a text. */
static void cut_comment(char *s) {
    bool quoted = false;
    for (; *s; s++) {
        if (*s == '"') quoted = !quoted;
        if (*s == '#' && !quoted) {
            *s = '\0';
            return;
        }
    }
}

static const char *set(const struct key *k, const char *value, struct sim_config *c) {
    char *to = (char *)c + k->at, *end;
    if (k->type == T_TEXT) {
        const size_t n = strlen(value);
        if (n < 2 || value[0] != '"' || value[n - 1] != '"' || memchr(value + 1, '"', n - 2))
            return "wants a \"text\"";
        if (n - 2 >= k->cap) return "is too long";
        memcpy(to, value + 1, n - 2);
        to[n - 2] = '\0';
        return NULL;
    }
    if (k->type == T_BOOL) {
        const bool yes = strcmp(value, "true") == 0;
        if (!yes && strcmp(value, "false") != 0) return "wants true or false";
        memcpy(to, &yes, sizeof yes);
        return NULL;
    }
    errno = 0;
    const double v = strtod(value, &end);
    if (errno != 0 || end == value || *end != '\0' || !(v >= k->least && v <= k->most))
        return "is out of range";
    if (k->type == T_REAL) {
        memcpy(to, &v, sizeof v);
        return NULL;
    }
    const uint64_t n = (uint64_t)v;
    if ((double)n != v) return "wants a whole number";
    if (k->type == T_U64) {
        memcpy(to, &n, sizeof n);
    } else {
        const uint32_t n32 = (uint32_t)n;
        memcpy(to, &n32, sizeof n32);
    }
    return NULL;
}

int sim_config_load(const char *path, struct sim_config *c, char *why, size_t why_cap) {
    FILE *f = fopen(path, "re");
    if (!f) {
        snprintf(why, why_cap, "%s: %s", path, strerror(errno));
        return -1;
    }
    char line[512], section[32] = "";
    bool seen[N_KEYS] = {false};
    unsigned n = 0;
    const char *bad = NULL;
    while (!bad && fgets(line, sizeof line, f)) {
        n++;
        if (!strchr(line, '\n') && !feof(f)) {
            bad = "the line is too long";
            break;
        }
        cut_comment(line);
        char *s = trim(line);
        if (*s == '\0') continue;
        if (*s == '[') {
            char *e = strchr(s, ']');
            if (!e || e[1] != '\0' || (size_t)(e - s) > sizeof section)
                bad = "not a [section]";
            else
                snprintf(section, sizeof section, "%.*s", (int)(e - s - 1), s + 1);
            continue;
        }
        char *eq = strchr(s, '=');
        if (!eq) {
            bad = "neither [section] nor key = value";
            break;
        }
        *eq = '\0';
        const char *name = trim(s), *value = trim(eq + 1);
        unsigned k = 0;
        while (k < N_KEYS && (strcmp(keys[k].section, section) != 0 || strcmp(keys[k].name, name) != 0)) k++;
        if (k == N_KEYS)
            bad = "no such key in this section";
        else if (seen[k])
            bad = "the key stands twice";
        else
            bad = set(&keys[k], value, c);
        if (k < N_KEYS) seen[k] = true;
    }
    fclose(f);
    if (bad) {
        snprintf(why, why_cap, "%s:%u: %s", path, n, bad);
        return -1;
    }
    return 0;
}
