/* SPDX-License-Identifier: Apache-2.0 */
/* sentence_case.h - a small case with cameras for the targets that read sentences and search bodies. */
#ifndef TESTS_FUZZ_SENTENCE_CASE_H
#define TESTS_FUZZ_SENTENCE_CASE_H

#include <stdlib.h>

#include "host/base/vocab.h"
#include "host/base/zone.h"
#include "host/case/register.h"

#define CASE_FROM_MS                                                                                         \
    INT64_C(1792900800000) /* 2026-10-25T08:00:00Z, three weeks with a clock change at their start */
#define CASE_TO_MS (CASE_FROM_MS + INT64_C(21) * 86400000)

static const struct camera case_cameras[] = {
    {.number = 1, .id = "gare-01", .name = "Gare, parvis", .lat = 43.5536, .lon = 7.0174},
    {.number = 2, .id = "gare-02", .name = "Gare, quai 1", .lat = 43.5538, .lon = 7.0180},
    {.number = 3, .id = "port-03", .name = "Vieux port", .lat = 43.5500, .lon = 7.0120},
    {.number = 4, .id = "c-0042", .name = "Rue F\xc3\xa9lix-Faure"},
    {.number = 5, .id = "hopital-01", .name = "H\xc3\xb4pital"},
};
#define CASE_CAMERAS (sizeof case_cameras / sizeof *case_cameras)
static uint16_t case_allowed[] = {1, 2, 3, 4};
#define CASE_ALLOWED (sizeof case_allowed / sizeof *case_allowed)

struct fuzz_words {
    struct vocab *vocab;
    struct zone *zone;
};
/* Loaded once for the life of the program. */
static inline const struct fuzz_words *fuzz_words(void) {
    static struct fuzz_words w;
    if (!w.vocab &&
        (vocab_load("host/vocabulary.json", &w.vocab) != OK || zone_open("Europe/Paris", &w.zone) != OK))
        abort();
    return &w;
}

#endif
