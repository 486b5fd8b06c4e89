/* SPDX-License-Identifier: Apache-2.0 */
/* peak.c - the most multiply-adds a second that this core's vpdpbusd can do: nothing but independent ones, in
 * registers. The best of several short runs, since a run may be disturbed but never hurried. */
#include <immintrin.h>
#include <stdint.h>
#include <time.h>

double bench_peak_gmacs(void);

#define CHAINS 16
#define ROUNDS 40000

double bench_peak_gmacs(void) {
    double best = 0;
    for (int attempt = 0; attempt < 20; attempt++) {
        struct timespec begun, ended;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begun);
        uint64_t n = ROUNDS;
        /* written out: a compiler may merge or drop sums that nobody reads */
        __asm__ volatile("1:\n"
                         "vpdpbusd %%zmm30, %%zmm31, %%zmm0\nvpdpbusd %%zmm30, %%zmm31, %%zmm1\n"
                         "vpdpbusd %%zmm30, %%zmm31, %%zmm2\nvpdpbusd %%zmm30, %%zmm31, %%zmm3\n"
                         "vpdpbusd %%zmm30, %%zmm31, %%zmm4\nvpdpbusd %%zmm30, %%zmm31, %%zmm5\n"
                         "vpdpbusd %%zmm30, %%zmm31, %%zmm6\nvpdpbusd %%zmm30, %%zmm31, %%zmm7\n"
                         "vpdpbusd %%zmm30, %%zmm31, %%zmm8\nvpdpbusd %%zmm30, %%zmm31, %%zmm9\n"
                         "vpdpbusd %%zmm30, %%zmm31, %%zmm10\nvpdpbusd %%zmm30, %%zmm31, %%zmm11\n"
                         "vpdpbusd %%zmm30, %%zmm31, %%zmm12\nvpdpbusd %%zmm30, %%zmm31, %%zmm13\n"
                         "vpdpbusd %%zmm30, %%zmm31, %%zmm14\nvpdpbusd %%zmm30, %%zmm31, %%zmm15\n"
                         "dec %0\njnz 1b\n"
                         : "+r"(n)
                         :
                         : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                           "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended);
        double ns = (double)(ended.tv_sec - begun.tv_sec) * 1e9 + (double)(ended.tv_nsec - begun.tv_nsec);
        double gmacs = (double)ROUNDS * CHAINS * 64 / ns;
        if (gmacs > best) best = gmacs;
    }
    return best;
}
