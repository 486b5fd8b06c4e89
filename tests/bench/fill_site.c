/* SPDX-License-Identifier: Apache-2.0 */
/* fill_site DIR ROWS JPEG - a large site in a fresh data directory, for measuring the page: 1,021 cameras
 * around a town and ROWS seeded sightings, each with the thumbnail JPEG. Prints the cameras' ids,
 * comma-separated. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/case/register.h"
#include "tests/support/sightings_gen.h"

#define BATCH    5000u
#define HOUR_MS  INT64_C(3600000)
#define FIRST_MS (GEN_FIRST_HOUR * HOUR_MS)
#define JPEG_MAX 65536u

static void must(enum err e, const char *what) {
    if (e == OK) return;
    fprintf(stderr, "fill_site: %s: %s\n", what, err_text(e));
    exit(2);
}

/* Sunflower seeds: evenly spread, denser than a grid looks, and a function of the number alone. */
static void place(unsigned i, double *lat, double *lon) {
    double r = 0.03 * sqrt((i + 0.5) / GEN_CAMERAS), a = i * 2.399963229728653;
    *lat = 43.55 + r * sin(a);
    *lon = 7.01 + 1.38 * r * cos(a);
}

static void add_cameras(const char *dir, uint16_t numbers[static GEN_CAMERAS]) {
    struct register_db *reg;
    must(register_open(dir, false, &reg), "register");
    for (unsigned i = 0; i < GEN_CAMERAS; i++) {
        struct camera c = {.heading_deg = (int)(i * 47 % 360), .fov_deg = 60};
        snprintf(c.id, sizeof c.id, "c-%04u", i);
        snprintf(c.name, sizeof c.name, "Rue %u, carrefour", i / 10);
        place(i, &c.lat, &c.lon);
        must(camera_add(reg, &c), "camera");
        numbers[i] = c.number;
        printf("%s%s", i ? "," : "", c.id);
    }
    putchar('\n');
    register_close(&reg);
}

static void add_sightings(const char *dir, const uint16_t numbers[static GEN_CAMERAS], uint64_t rows,
                          uint8_t *jpeg, size_t n_jpeg) {
    static uint64_t recording[GEN_CAMERAS];
    struct vocab *vocab;
    struct index_writer *w;
    struct sighting s;
    uint64_t n = 0;
    must(vocab_load("host/vocabulary.json", &vocab), "vocabulary");
    must(index_writer_open(dir, vocab, &w), "index");
    for (unsigned i = 0; i < GEN_CAMERAS; i++) {
        struct recording r = {.camera_number = numbers[i],
                              .start_ms = FIRST_MS,
                              .w_px = 1920,
                              .h_px = 1080,
                              .fps_milli = 25000,
                              .state = RECORDING_DONE};
        snprintf(r.sha256, sizeof r.sha256, "%064u", i);
        must(index_recording_add(w, &r), "recording");
        recording[i] = r.id;
        must(index_coverage_add(w, r.id, r.camera_number, FIRST_MS, FIRST_MS + GEN_DAYS * 24 * HOUR_MS,
                                COVERAGE_INDEXED, ""),
             "coverage");
    }
    struct gen *g = gen_new(&(struct gen_config){.shape = GEN_SPARSE, .rows = rows, .seed = 1});
    if (!g) must(ERR_NOMEM, "generator");
    while (gen_next(g, &s)) {
        s.recording_id = recording[s.camera_number];
        s.camera_number = numbers[s.camera_number];
        s.thumbnail_jpeg = jpeg;
        s.thumbnail_bytes = (uint32_t)n_jpeg;
        must(index_sighting_add(w, &s), "sighting");
        if (++n % BATCH == 0) must(index_commit(w), "commit");
    }
    must(index_commit(w), "commit");
    gen_free(&g);
    index_writer_close(&w);
    vocab_free(&vocab);
}

int main(int argc, char **argv) {
    static uint8_t jpeg[JPEG_MAX];
    uint16_t numbers[GEN_CAMERAS];
    if (argc != 4) {
        fprintf(stderr, "usage: fill_site DIR ROWS JPEG\n");
        return 2;
    }
    FILE *f = fopen(argv[3], "rb");
    size_t n = f ? fread(jpeg, 1, sizeof jpeg, f) : 0;
    if (f) fclose(f);
    if (n == 0 || n == sizeof jpeg) {
        fprintf(stderr, "fill_site: %s: no picture below 64 KiB\n", argv[3]);
        return 2;
    }
    add_cameras(argv[1], numbers);
    add_sightings(argv[1], numbers, strtoul(argv[2], NULL, 10), jpeg, n);
    return 0;
}
