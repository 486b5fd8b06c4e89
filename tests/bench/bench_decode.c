/* SPDX-License-Identifier: Apache-2.0 */
/* CPU time of the decode worker beside ffmpeg's decode-only, on the same clips, in turn: bench_decode
 * [ROUNDS]. One thread each. Prints medians; the load average says how far to trust them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/media.h"

#define CLIPS      "build/bench-clips/"
#define ROUNDS_MAX 32
#define CLIP_S     12.0

static char exe[512];

static double ffmpeg_cpu_s(const char *path) {
    char *const argv[] = {(char[]){"ffmpeg"},
                          (char[]){"-nostdin"},
                          (char[]){"-loglevel"},
                          (char[]){"quiet"},
                          (char[]){"-threads"},
                          (char[]){"1"},
                          (char[]){"-i"},
                          strdup(path),
                          (char[]){"-an"},
                          (char[]){"-f"},
                          (char[]){"null"},
                          (char[]){"-"},
                          NULL};
    extern char **environ;
    pid_t pid;
    int status;
    struct rusage ru;
    if (posix_spawnp(&pid, "ffmpeg", NULL, NULL, argv, environ) != 0 || wait4(pid, &status, 0, &ru) < 0 ||
        status != 0) {
        fprintf(stderr, "ffmpeg failed on %s\n", path);
        exit(1);
    }
    free(argv[7]);
    return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
           (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double median(double *v, unsigned n) {
    qsort(v, n, sizeof *v, by_value);
    return v[n / 2];
}

int main(int argc, char **argv) {
    static const char *const clips[] = {"ippp.mp4", "ibbp.mp4", "hevc.mp4"};
    unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 5;
    if (rounds < 1 || rounds > ROUNDS_MAX) rounds = 5;
    media_built_path("relecture-decode", exe, sizeof exe);
    if (system("tests/bench/make_decode_clips.sh " CLIPS) != 0) return 1;
    double load[1] = {0};
    getloadavg(load, 1);
    printf("decode, CPU s per clip of 12 s (1080p25), median of %u, load %.1f; h/ch = hours per core-hour "
           "without the start\n",
           rounds, load[0]);
    printf("%-10s %8s %8s %8s %8s %8s %8s %10s %10s %9s\n", "clip", "ffmpeg", "start", "all", "5 fps", "keys",
           "all/ff", "5fps h/ch", "keys h/ch", "peak MiB");
    for (size_t i = 0; i < sizeof clips / sizeof clips[0]; i++) {
        char path[128];
        double t[5][ROUNDS_MAX];
        uint64_t peak_kib = 0;
        snprintf(path, sizeof path, CLIPS "%s", clips[i]);
        for (unsigned k = 0; k < rounds; k++) {
            t[0][k] = ffmpeg_cpu_s(path);
            for (unsigned j = 1; j < 5; j++) {
                struct media_run r;
                const struct media_job job = {.job = j == 4 ? DECODER_PROBE : DECODER_FRAMES,
                                              .path = path,
                                              .after_us = -1,
                                              .fps_milli = j == 2 ? 5000 : 0,
                                              .keys_only = j == 3,
                                              .limit_s = 300,
                                              .unhashed = true};
                media_run(exe, &job, &r);
                if (!r.ended) return 1;
                t[j][k] = (double)r.cpu_us / 1e6;
                if (r.peak_kib > peak_kib) peak_kib = r.peak_kib;
                media_run_fini(&r);
            }
        }
        const double ff = median(t[0], rounds), all = median(t[1], rounds), five = median(t[2], rounds),
                     keys = median(t[3], rounds), start = median(t[4], rounds);
        printf("%-10s %8.3f %8.3f %8.3f %8.3f %8.3f %8.3f %10.2f %10.1f %9.1f\n", clips[i], ff, start, all,
               five, keys, all / ff, CLIP_S / (five - start), CLIP_S / (keys - start),
               (double)peak_kib / 1024);
    }
    return 0;
}
