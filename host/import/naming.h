/* SPDX-License-Identifier: Apache-2.0 */
/* naming.h - what a recording's path says about when and where: recorders put date, time and channel into the
 * names of files and folders, each in its own way. The forms read are listed in naming.c. Pure: nothing is
 * opened, no zone is known; names are outside texts and fuzzed. */
#ifndef HOST_IMPORT_NAMING_H
#define HOST_IMPORT_NAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A reading of the recorder's clock. */
struct naming_time {
    bool known, utc; /* utc: it says so itself ("Z"); else local time of the site */
    int year, month, day;
    int64_t ms; /* of that day; 24 h and more never */
};

struct naming {
    struct naming_time start, end; /* end: of the footage; many schemes have none */
    bool date_from_folder;
    const char *scheme; /* a word for people; "" = no form fits. Static */
};

/* Reads `path`: the base name first, then its folders for what is missing. */
void naming_read(const char *path, struct naming *out);

/* Does `path` name this camera, by id or by name, as a whole word in the base name or in a folder? Larger is
 * better (a longer text, nearer to the file); 0 = no. Letters are compared without case, other signs are all
 * alike: "Gare_01" is "gare-01". */
unsigned naming_match_camera(const char *path, const char *camera);

/* "2026-11-20 14:00:00", also with T, dots or compact, a fraction, or Z; the whole text must be read. */
bool naming_time_parse(const char *text, struct naming_time *out);

#endif
