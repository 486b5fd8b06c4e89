/* SPDX-License-Identifier: Apache-2.0 */
#include "host/base/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/log.h"

enum kind { TEXT, NUMBER, CHOICE };

/* One row per key: everything that is known about it. */
static const struct key {
    const char *name;
    enum kind kind;
    size_t offset, size;
    long min, max;
    const char *choices;  /* "a|b" */
    const char *fallback; /* NULL = relative to the program, see config_defaults() */
    const char *help;
} keys[] = {
#define FIELD_OF(member) offsetof(struct config, member), sizeof(((struct config *)0)->member)
    {"card.backend", CHOICE, FIELD_OF(backend), 0, 0, "simulator|card", "simulator",
     "what does the work; a missing card is an error, never replaced by the simulator"},
    {"card.xilinx_xrt", TEXT, FIELD_OF(xilinx_xrt), 0, 0, NULL, NULL,
     "folder whose lib/libxrt_core.so.2 is loaded"},
    {"card.runner_lib", TEXT, FIELD_OF(runner_lib), 0, 0, NULL, NULL, "VART runner library of DPU subgraphs"},
    {"card.xclbin", TEXT, FIELD_OF(xclbin), 0, 0, NULL, NULL,
     "image kernels (on a card: with the DPU in it)"},
    {"card.count", NUMBER, FIELD_OF(n_cards), 1, 16, NULL, "1", "cards used, device 0 and up"},
    {"card.job_timeout_ms", NUMBER, FIELD_OF(job_timeout_ms), 100, 600000, NULL, "30000",
     "milliseconds after which a job means a hung card"},
    {"import.fps_milli", NUMBER, FIELD_OF(fps_milli), 100, 60000, NULL, "5000",
     "frames analysed per 1,000 seconds of footage"},
    {"import.slots", NUMBER, FIELD_OF(slots), 2, 64, NULL, "8", "decoded pictures in flight per recording"},
    {"import.jobs", NUMBER, FIELD_OF(jobs), 0, 64, NULL, "0",
     "recordings at work at once; 0 = one per processor core"},
    {"import.gate", CHOICE, FIELD_OF(gate), 0, 0, "on|off", "on",
     "off: every moment is looked at, also where nothing differs from what the camera usually shows"},
    {"import.inbox", TEXT, FIELD_OF(inbox), 0, 0, NULL, "none",
     "folder whose recordings the page may bring in; none = only the command can"},
    {"detector", TEXT, FIELD_OF(detector), 0, 0, NULL, "nanodet-g",
     "folder of paths.models with the detector"},
    {"detector.wide", TEXT, FIELD_OF(detector_wide), 0, 0, NULL, "nanodet-g-640x384",
     "the same for pictures of 3:2 and wider; none = one for all"},
    {"plates.find", TEXT, FIELD_OF(plate_find), 0, 0, NULL, "plate-find",
     "the network that finds plates; loaded only for cases with vehicle.plate"},
    {"plates.read", TEXT, FIELD_OF(plate_read), 0, 0, NULL, "plate-read", "the network that reads them"},
    {"looks", TEXT, FIELD_OF(looks), 0, 0, NULL, "person-look,vehicle-look",
     "folders of paths.models with the networks on crops of persons and vehicles (up to 4, comma-separated); none"},
    {"paths.models", TEXT, FIELD_OF(models_dir), 0, 0, NULL, NULL, "folder of the models"},
    {"paths.web", TEXT, FIELD_OF(web_dir), 0, 0, NULL, NULL, "folder of the built page"},
    {"paths.vocabulary", TEXT, FIELD_OF(vocabulary), 0, 0, NULL, NULL, "the vocabulary file"},
    {"paths.accuracy", TEXT, FIELD_OF(accuracy), 0, 0, NULL, NULL, "how reliable each filter was when measured"},
    {"paths.decode", TEXT, FIELD_OF(decode_exe), 0, 0, NULL, NULL, "the decode worker"},
    {"paths.card", TEXT, FIELD_OF(card_exe), 0, 0, NULL, NULL, "the card worker"},
    {"site.tz", TEXT, FIELD_OF(tz), 0, 0, NULL, "Europe/Paris", "time zone of words and of the page"},
    {"site.language", CHOICE, FIELD_OF(language), 0, 0, "fr|en", "fr", "language tried first"},
    {"site.listen", TEXT, FIELD_OF(listen), 0, 0, NULL, "127.0.0.1:8443",
     "address and port of `relecture serve`"},
    {"site.metrics_port", NUMBER, FIELD_OF(metrics_port), 0, 65535, NULL, "0",
     "port of 127.0.0.1 with /metrics for Prometheus, numbers only; 0 = none"},
    {"site.names", TEXT, FIELD_OF(names), 0, 0, NULL, "localhost",
     "names by which browsers call the server, beside its addresses (comma-separated)"},
    {"site.cache_mib", NUMBER, FIELD_OF(cache_mib), 64, 1048576, NULL, "8192",
     "MiB of clips and stills kept for the page; those not asked for longest go first"},
    {"site.idle_min", NUMBER, FIELD_OF(idle_min), 1, 240, NULL, "15",
     "minutes without a request after which a login ends"},
    {"site.allowed", TEXT, FIELD_OF(allowed), 0, 0, NULL, "none",
     "which of vehicle.plate, vehicle.similar, person.face_cover this site allows at all (comma-separated)"},
    {"site.retention_days", NUMBER, FIELD_OF(retention_days), 1, 30, NULL, "30",
     "days from capture to erasure (CSI L252-5: a month at most)"},
    {"site.purge", CHOICE, FIELD_OF(purge), 0, 0, "hourly|by_hand", "hourly",
     "who erases what has reached its term: a running server, or `relecture purge` alone (for tests)"},
    {"journal.retention_years", NUMBER, FIELD_OF(journal_years), 1, 6, NULL, "3",
     "years until lines of the journal are erased (`relecture journal purge`)"},
#undef FIELD_OF
};
enum { N_KEYS = sizeof keys / sizeof keys[0] };

static bool set_text(struct config *c, const struct key *k, const char *value) {
    if (strlen(value) >= k->size) return false;
    memcpy((char *)c + k->offset, value, strlen(value) + 1);
    return true;
}

static bool is_choice(const char *choices, const char *value) {
    const size_t n = strlen(value);
    if (strchr(value, '|')) return false;
    for (const char *p = choices; n > 0; p++) {
        if (strncmp(p, value, n) == 0 && (p[n] == '|' || p[n] == 0)) return true;
        p = strchr(p, '|');
        if (!p) break;
    }
    return false;
}

enum err config_set(struct config *c, const char *key, const char *value, const char *where) {
    for (unsigned i = 0; i < N_KEYS; i++) {
        const struct key *k = &keys[i];
        if (strcmp(k->name, key) != 0) continue;
        if (k->kind == NUMBER) {
            char *end;
            errno = 0;
            const long v = strtol(value, &end, 10);
            if (!*value || *end || errno || v < k->min || v > k->max) {
                fprintf(stderr, "relecture: %s: %s must be a whole number from %ld to %ld, not \"%s\"\n",
                        where, key, k->min, k->max, value);
                return ERR_USAGE;
            }
            const int as_int = (int)v;
            memcpy((char *)c + k->offset, &as_int, sizeof as_int);
            return OK;
        }
        if (k->kind == CHOICE && !is_choice(k->choices, value)) {
            fprintf(stderr, "relecture: %s: %s must be one of %s, not \"%s\"\n", where, key, k->choices,
                    value);
            return ERR_USAGE;
        }
        if (!*value || !set_text(c, k, value)) {
            fprintf(stderr, "relecture: %s: the value of %s is empty or longer than %zu characters\n", where,
                    key, k->size - 1);
            return ERR_USAGE;
        }
        return OK;
    }
    fprintf(stderr, "relecture: %s: unknown key \"%s\"; `relecture --help-config` lists them\n", where, key);
    return ERR_USAGE;
}

void config_defaults(struct config *c, const char *exe_dir) {
    static const struct {
        const char *key, *tail;
    } beside[] = {{"paths.models", "../models"},
                  {"paths.web", "../web"},
                  {"paths.vocabulary", "vocabulary.json"},
                  {"paths.accuracy", "accuracy.json"},
                  {"paths.decode", "relecture-decode"},
                  {"paths.card", "relecture-card"}};
    memset(c, 0, sizeof *c);
    for (unsigned i = 0; i < N_KEYS; i++)
        if (keys[i].fallback && config_set(c, keys[i].name, keys[i].fallback, "defaults")) abort();
    for (unsigned i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        char path[FS_PATH_MAX];
        if (fs_join(path, exe_dir, beside[i].tail) || config_set(c, beside[i].key, path, "defaults"))
            log_error("config", "key=%s the program's folder has too long a name", beside[i].key);
    }
}

void config_finish(struct config *c, const char *exe_dir) {
    const bool sim = strcmp(c->backend, "simulator") == 0;
    /* On a card: a folder of ours whose lib/ is a link to the distribution's libraries (XILINX_XRT=/usr
     * fails). */
    if (!*c->xilinx_xrt)
        snprintf(c->xilinx_xrt, sizeof c->xilinx_xrt, "%.900s/%s", exe_dir, sim ? "sim" : "card");
    if (!*c->xclbin)
        snprintf(c->xclbin, sizeof c->xclbin, "%.900s/%s/relecture.xclbin", exe_dir, sim ? "sim" : "card");
    if (!*c->runner_lib && sim)
        snprintf(c->runner_lib, sizeof c->runner_lib, "%.900s/sim/librelecture_dpu.so", exe_dir);
    if (!*c->runner_lib) snprintf(c->runner_lib, sizeof c->runner_lib, "libvart-dpu-runner.so.2");
}

static char *trim(char *s) {
    while (isspace((unsigned char)*s)) s++;
    char *end = s + strlen(s);
    while (end > s && isspace((unsigned char)end[-1])) *--end = 0;
    return s;
}

enum err config_parse(struct config *c, char *text, const char *name) {
    unsigned n = 0;
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        n++;
        char *hash = strchr(line, '#');
        if (hash) *hash = 0;
        line = trim(line);
        if (!*line) continue;
        char where[FS_PATH_MAX + 32];
        snprintf(where, sizeof where, "%.*s, line %u", (int)FS_PATH_MAX, name, n);
        char *eq = strchr(line, '=');
        if (!eq) {
            fprintf(stderr, "relecture: %s: expected \"key = value\"\n", where);
            return ERR_USAGE;
        }
        *eq = 0;
        const enum err e = config_set(c, trim(line), trim(eq + 1), where);
        if (e) return e;
    }
    return OK;
}

enum err config_load(struct config *c, const char *path) {
    char *text;
    size_t n;
    enum err e = fs_read(path, 1 << 20, &text, &n);
    if (e && e != ERR_MISSING)
        fprintf(stderr, "relecture: %s: cannot be read (%s); it must be a text file of at most 1 MiB\n", path,
                err_text(e));
    if (e) return e;
    if (memchr(text, 0, n)) {
        fprintf(stderr, "relecture: %s: not a text file\n", path);
        e = ERR_USAGE;
    } else {
        e = config_parse(c, text, path);
    }
    free(text);
    return e;
}

void config_help(FILE *out) {
    fprintf(out, "Keys of relecture.conf, also for --set key=value:\n");
    for (unsigned i = 0; i < N_KEYS; i++) {
        const struct key *k = &keys[i];
        fprintf(out, "  %-22s %s", k->name, k->help);
        if (k->kind == NUMBER) fprintf(out, " (%ld to %ld)", k->min, k->max);
        if (k->kind == CHOICE) fprintf(out, " (%s)", k->choices);
        fprintf(out, "; default %s\n", k->fallback ? k->fallback : "with the program");
    }
}

void config_print(const struct config *c, FILE *out) {
    for (unsigned i = 0; i < N_KEYS; i++) {
        const struct key *k = &keys[i];
        if (k->kind == NUMBER) {
            int v;
            memcpy(&v, (const char *)c + k->offset, sizeof v);
            fprintf(out, "%s = %d\n", k->name, v);
        } else {
            fprintf(out, "%s = %s\n", k->name, (const char *)c + k->offset);
        }
    }
}
