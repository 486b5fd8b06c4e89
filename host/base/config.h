/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - DIR/relecture.conf: "key = value" lines, # comments; each key has a unit, default and range in
 * one table (config.c), which also prints `relecture --help-config`. Unknown keys and values out of range are
 * errors that name file and line. Immutable after config_load(). */
#ifndef HOST_BASE_CONFIG_H
#define HOST_BASE_CONFIG_H

#include <stdio.h>

#include "host/base/err.h"
#include "host/base/fs.h"

struct config {
    /* card.* */
    char backend[16];             /* "simulator" or "card"; never chosen silently */
    char xilinx_xrt[FS_PATH_MAX]; /* whose lib/libxrt_core.so.2 is loaded */
    char runner_lib[FS_PATH_MAX]; /* VART runner of DPU subgraphs */
    char xclbin[FS_PATH_MAX];
    int n_cards;
    int job_timeout_ms;
    /* import.* */
    int fps_milli, slots, jobs;
    char gate[8]; /* "on", "off" */
    char inbox[FS_PATH_MAX]; /* what the page may bring in; "none" = nothing */
    /* detector.* */
    char detector[64];      /* name of a folder of models_dir */
    char detector_wide[64]; /* the same for pictures of 3:2 and wider; "none" = one for all */
    char looks[256];        /* folders of networks on crops, comma-separated; "none" */
    /* plates.*: folders too */
    char plate_find[64], plate_read[64];
    /* paths.* */
    char models_dir[FS_PATH_MAX], web_dir[FS_PATH_MAX], vocabulary[FS_PATH_MAX], accuracy[FS_PATH_MAX];
    char decode_exe[FS_PATH_MAX], card_exe[FS_PATH_MAX];
    /* site.* */
    char tz[64], language[8], listen[64];
    int metrics_port;
    char names[256]; /* by which browsers call the server, comma-separated */
    int cache_mib;   /* of clips and stills made for the page */
    int idle_min;    /* minutes without a request after which a session ends */
    int retention_days;
    char purge[8];     /* hourly, by_hand */
    int journal_years; /* journal.retention_years */
    char allowed[128]; /* the criteria that need the site's switch too, comma-separated */
};

/* Defaults relative to `exe_dir`, where the build (or the package) laid the parts. */
void config_defaults(struct config *c, const char *exe_dir);
/* Fills what depends on card.backend and was not set. Call after the file and every --set. */
void config_finish(struct config *c, const char *exe_dir);
/* One "key=value"; `where` names the file and line, or "--set", in the message on stderr. ERR_USAGE. */
MUST_CHECK enum err config_set(struct config *c, const char *key, const char *value, const char *where);
/* Pure parser of the file's text, fuzzed. */
MUST_CHECK enum err config_parse(struct config *c, char *text, const char *name);
MUST_CHECK enum err config_load(struct config *c, const char *path);
void config_help(FILE *out);
/* Effective values, as a file that config_load() takes. */
void config_print(const struct config *c, FILE *out);

#endif
