/* SPDX-License-Identifier: Apache-2.0 */
/* card.h and the strictness of the simulated card, in this process: Debian's XRT above, our core below. Every
 * run of this card lasts 30 ms longer than it must (card.toml), so that runs really are in flight. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ert.h>
#include <experimental/xrt-next.h>
#include <xclbin.h>
#include <xrt.h>

#include "driver/card.h"
#include "host/base/clock.h"
#include "tests/kernel/nv12_ref.h"
#include "tests/seam/rig.h"
#include "tests/support/test.h"

enum { W = 64, H = 48, D = 32 };

static struct rig rig; /* its directory is the XILINX_XRT of this process */
static struct card *card;
static uint32_t checksum;

struct fixture {
    struct card_lane *lane;
    struct card_buf *src, *lut, *out;
    struct card_letterbox_job job;
    int8_t want[D * D * 3];
};

static void fixture_init(struct fixture *f, unsigned number, uint8_t seed) {
    memset(f, 0, sizeof *f);
    assert_int_equal(card_lane_open(card, number, &f->lane), OK);
    assert_int_equal(card_buf_new(card, CARD_PLACE_SURFACE, W * H * 3 / 2, &f->src), OK);
    assert_int_equal(card_buf_new(card, CARD_PLACE_TENSOR, CARD_LUT_BYTES, &f->lut), OK);
    assert_int_equal(card_buf_new(card, CARD_PLACE_TENSOR, D * D * 3, &f->out), OK);
    for (unsigned i = 0; i < W * H * 3 / 2; i++) card_buf_at(f->src)[i] = (uint8_t)(i * 7 + seed);
    for (unsigned i = 0; i < CARD_LUT_BYTES; i++) card_buf_at(f->lut)[i] = (uint8_t)(i * 3);
    f->job = (struct card_letterbox_job){.src = {f->src, W, H, W, W * H, CARD_MATRIX_BT601, true},
                                         .lut = f->lut,
                                         .out = f->out,
                                         .dst_w_px = D,
                                         .dst_h_px = D};
    const struct ref_surface s = {card_buf_at(f->src), card_buf_at(f->src) + W * H, W, W, H, 0, true};
    int8_t lut[CARD_LUT_BYTES];
    memcpy(lut, card_buf_at(f->lut), sizeof lut);
    ref_letterbox(&s, lut, D, D, f->want);
}

static void fixture_fini(struct fixture *f) {
    card_buf_free(&f->src);
    card_buf_free(&f->lut);
    card_buf_free(&f->out);
    card_lane_close(&f->lane);
}

static void sync_inputs(struct fixture *f) {
    assert_int_equal(card_buf_sync_to_card(f->src, 0, W * H * 3 / 2), OK);
    assert_int_equal(card_buf_sync_to_card(f->lut, 0, CARD_LUT_BYTES), OK);
}

static void synced_run_gives_the_reference(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, 0, 1);
    sync_inputs(&f);
    assert_int_equal(card_letterbox(f.lane, &f.job, 10000, &checksum), OK);
    assert_int_equal(card_buf_fetch(f.out, D, D * 3, checksum), OK);
    assert_memory_equal(card_buf_at(f.out), f.want, D * D * 3);
    /* one bit of it would be noticed */
    assert_int_equal(card_buf_fetch(f.out, D, D * 3, checksum ^ 1), ERR_CARD);
    assert_int_equal(card_buf_fetch(f.out, D + 1000, D * 3, checksum), ERR_USAGE);
    fixture_fini(&f);
}

static void forgotten_sync_to_the_card_shows(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, 0, 2);
    assert_int_equal(card_buf_sync_to_card(f.lut, 0, CARD_LUT_BYTES), OK);
    assert_int_equal(card_letterbox(f.lane, &f.job, 10000, &checksum), OK);
    assert_int_equal(card_buf_sync_from_card(f.out, 0, D * D * 3), OK);
    assert_memory_not_equal(card_buf_at(f.out), f.want, D * D * 3);
    fixture_fini(&f);
}

static void forgotten_sync_from_the_card_shows(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, 0, 3);
    sync_inputs(&f);
    memset(card_buf_at(f.out), 0, D * D * 3);
    assert_int_equal(card_letterbox(f.lane, &f.job, 10000, &checksum), OK);
    for (unsigned i = 0; i < D * D * 3; i++) assert_int_equal(card_buf_at(f.out)[i], 0);
    fixture_fini(&f);
}

static void transfers_outside_a_buffer_are_refused(void **state) {
    (void)state;
    struct card_buf *b;
    assert_int_equal(card_buf_new(card, CARD_PLACE_TENSOR, 100, &b), OK);
    assert_int_equal(card_buf_sync_to_card(b, 0, 100), OK);
    assert_int_equal(card_buf_sync_to_card(b, 100, 0), OK);
    assert_int_equal(card_buf_sync_to_card(b, 1, 100), ERR_USAGE);
    assert_int_equal(card_buf_sync_from_card(b, 101, 0), ERR_USAGE);
    assert_int_equal(card_buf_sync_from_card(b, SIZE_MAX, 2), ERR_USAGE);
    card_buf_free(&b);
    assert_null(b);
    card_buf_free(&b);
}

static void buffer_of_the_wrong_bank_is_refused(void **state) {
    (void)state;
    struct fixture f;
    struct card_buf *b;
    fixture_init(&f, 0, 4);
    sync_inputs(&f);
    assert_int_equal(card_buf_new(card, CARD_PLACE_TENSOR, W * H * 3 / 2, &b), OK);
    f.job.src.buf = b;
    assert_int_equal(card_letterbox(f.lane, &f.job, 10000, &checksum), ERR_CARD);
    f.job.src.buf = f.src;
    f.job.lut = f.src;
    assert_int_equal(card_letterbox(f.lane, &f.job, 10000, &checksum), ERR_CARD);
    card_buf_free(&b);
    fixture_fini(&f);
}

static void buffer_too_small_for_its_job_is_refused(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, 0, 5);
    sync_inputs(&f);
    struct card_letterbox_job j = f.job;
    j.dst_w_px = D + 1;
    assert_int_equal(card_letterbox(f.lane, &j, 10000, &checksum), ERR_USAGE);
    j = f.job;
    j.src.h_px = H + 2;
    assert_int_equal(card_letterbox(f.lane, &j, 10000, &checksum), ERR_USAGE);
    j = f.job;
    j.src.uv_offset_bytes = W * H + 1;
    assert_int_equal(card_letterbox(f.lane, &j, 10000, &checksum), ERR_USAGE);
    j = f.job;
    j.lut = f.out;
    j.out = f.lut;
    assert_int_equal(card_letterbox(f.lane, &j, 10000, &checksum), ERR_USAGE);
    const struct card_crop_job c = {
        .src = f.job.src, .rois = f.lut, .out = f.out, .n_rois = 33, .dst_w_px = 4, .dst_h_px = 4};
    assert_int_equal(card_crop(f.lane, &c, 10000, &checksum), ERR_USAGE);
    fixture_fini(&f);
}

static void kernel_that_refuses_says_so_through_its_status(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, 0, 6);
    sync_inputs(&f);
    f.job.src.w_px = W - 1; /* odd */
    assert_int_equal(card_letterbox(f.lane, &f.job, 10000, &checksum), ERR_CARD);
    f.job.src.w_px = W;
    assert_int_equal(card_letterbox(f.lane, &f.job, 10000, &checksum), OK); /* and the lane goes on */
    fixture_fini(&f);
}

struct side {
    struct fixture f;
    enum err e;
};
static void *run_side(void *arg) {
    struct side *s = arg;
    uint32_t mine;
    s->e = card_letterbox(s->f.lane, &s->f.job, 10000, &mine);
    return NULL;
}

static void lanes_on_different_compute_units_run_side_by_side(void **state) {
    (void)state;
    struct side s[2];
    pthread_t t[2];
    for (unsigned i = 0; i < 2; i++) {
        fixture_init(&s[i].f, i, (uint8_t)(10 + i));
        sync_inputs(&s[i].f);
    }
    const uint64_t start = clock_mono_ns();
    for (unsigned i = 0; i < 2; i++) assert_int_equal(pthread_create(&t[i], NULL, run_side, &s[i]), 0);
    for (unsigned i = 0; i < 2; i++) pthread_join(t[i], NULL);
    const uint64_t both_ms = (clock_mono_ns() - start) / 1000000;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(s[i].e, OK);
        assert_int_equal(card_buf_sync_from_card(s[i].f.out, 0, D * D * 3), OK);
        assert_memory_equal(card_buf_at(s[i].f.out), s[i].f.want, D * D * 3);
        fixture_fini(&s[i].f);
    }
    assert_true(both_ms >= 30); /* the delay was there */
}

static void lanes_may_be_more_than_compute_units(void **state) {
    (void)state;
    struct side s[5];
    pthread_t t[5];
    for (unsigned i = 0; i < 5; i++) {
        fixture_init(&s[i].f, i, (uint8_t)(20 + i));
        sync_inputs(&s[i].f);
    }
    for (unsigned i = 0; i < 5; i++) assert_int_equal(pthread_create(&t[i], NULL, run_side, &s[i]), 0);
    for (unsigned i = 0; i < 5; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(s[i].e, OK);
        assert_int_equal(card_buf_sync_from_card(s[i].f.out, 0, D * D * 3), OK);
        assert_memory_equal(card_buf_at(s[i].f.out), s[i].f.want, D * D * 3);
        fixture_fini(&s[i].f);
    }
}

static void run_without_answer_in_time_is_a_timeout(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, 0, 7);
    sync_inputs(&f);
    assert_int_equal(card_letterbox(f.lane, &f.job, 1, &checksum), ERR_TIMEOUT);
    /* The lane is lost, and its buffers are the card's. */
    assert_int_equal(card_letterbox(f.lane, &f.job, 10000, &checksum), ERR_CARD);
    /* Here the run will end, so the test waits for its result before it frees them. */
    const uint64_t end = clock_mono_ns() + 5000000000u;
    do assert_int_equal(card_buf_sync_from_card(f.out, 0, D * D * 3), OK);
    while (memcmp(card_buf_at(f.out), f.want, D * D * 3) != 0 && clock_mono_ns() < end);
    assert_memory_equal(card_buf_at(f.out), f.want, D * D * 3);
    fixture_fini(&f);
}

static void more_memory_than_the_card_has_is_refused_and_the_card_goes_on(void **state) {
    (void)state;
    struct card_buf *b;
    assert_int_equal(card_buf_new(card, CARD_PLACE_SURFACE, (size_t)2 << 30, &b), ERR_NOMEM);
    assert_null(b);
    assert_int_equal(card_buf_new(card, CARD_PLACE_SURFACE, 4096, &b), OK);
    card_buf_free(&b);
}

static void buffers_come_and_go_without_leaving_holes(void **state) {
    (void)state;
    struct card_buf *b[64];
    uint32_t seed = 9;
    memset(b, 0, sizeof b);
    for (unsigned i = 0; i < 2000; i++) {
        seed = seed * 1664525u + 1013904223u;
        struct card_buf **at = &b[seed >> 26];
        if (*at) {
            card_buf_free(at);
            continue;
        }
        const size_t n = 1 + (seed >> 8) % 70000;
        assert_int_equal(card_buf_new(card, (seed & 1u) ? CARD_PLACE_SURFACE : CARD_PLACE_TENSOR, n, at), OK);
        memset(card_buf_at(*at), (int)(i & 255u), n);
        assert_int_equal(card_buf_sync_to_card(*at, 0, n), OK);
        memset(card_buf_at(*at), 0, n);
        assert_int_equal(card_buf_sync_from_card(*at, 0, n), OK);
        assert_int_equal(card_buf_at(*at)[n - 1], i & 255u);
    }
    for (unsigned i = 0; i < 64; i++) card_buf_free(&b[i]);
}

static void card_says_what_it_is(void **state) {
    (void)state;
    struct card_info info;
    card_describe(card, &info);
    assert_true(info.simulated);
    assert_string_equal(info.device, "simulated test");
    assert_int_equal(info.n_letterbox, 2);
    assert_int_equal(info.n_crop, 2);
    assert_true(card_alive(card));
}

static void second_card_is_opened_beside_the_first_and_a_third_is_missing(void **state) {
    (void)state;
    struct card *second, *third;
    assert_int_equal(card_open(1, rig.xclbin, &second), OK);
    assert_int_equal(card_open(2, rig.xclbin, &third), ERR_CARD);
    assert_null(third);
    card_close(&second);
    assert_null(second);
    /* the first one is as it was */
    synced_run_gives_the_reference(state);
}

/* --- below card.h: what only the core sees
 * ------------------------------------------------------------------- */

#define CORE(fn) __typeof__(fn) *fn##_ = core(#fn)
static void *core(const char *name) {
    void *p = dlsym(RTLD_DEFAULT, name);
    if (!p) fail_msg("the core library has no %s", name);
    return p;
}

static void core_checks_ranges_handles_and_banks_itself(void **state) {
    (void)state;
    CORE(xclOpen);
    CORE(xclClose);
    CORE(xclAllocBO);
    CORE(xclFreeBO);
    CORE(xclSyncBO);
    CORE(xclMapBO);
    CORE(xclGetBOProperties);
    CORE(xclUnmgdPread);
    CORE(xclExecBuf);
    CORE(xclWriteBO);
    CORE(xclCopyBO);
    CORE(xclAllocUserPtrBO);
    const xclDeviceHandle h = xclOpen_(0, NULL, XCL_QUIET);
    struct xclBOProperties p;
    char byte;
    assert_non_null(h);
    const unsigned b = xclAllocBO_(h, 5000, 0, 0), c = xclAllocBO_(h, 5000, 0, 1);
    assert_true(b != NULLBO && c != NULLBO);
    assert_int_equal(xclSyncBO_(h, b, XCL_BO_SYNC_BO_TO_DEVICE, 5000, 0), 0);
    assert_true(xclSyncBO_(h, b, XCL_BO_SYNC_BO_TO_DEVICE, 5000, 1) < 0);
    assert_true(xclSyncBO_(h, b, XCL_BO_SYNC_BO_TO_DEVICE, 1, SIZE_MAX) < 0);
    assert_true(xclSyncBO_(h, b, XCL_BO_SYNC_BO_GMIO_TO_AIE, 1, 0) < 0);
    assert_true(xclSyncBO_(h, b + 100000, XCL_BO_SYNC_BO_TO_DEVICE, 1, 0) < 0);
    assert_true((int)xclWriteBO_(h, b, "x", 2, 4999) < 0);
    assert_int_equal(xclCopyBO_(h, c, b, 5000, 0, 0), 0);
    assert_true(xclCopyBO_(h, c, b, 5000, 1, 0) < 0);
    /* no such bank, memory of the host, memory not aligned */
    assert_int_equal(xclAllocBO_(h, 4096, 0, 7), NULLBO);
    assert_int_equal(xclAllocBO_(h, 4096, 0, XCL_BO_FLAGS_HOST_ONLY), NULLBO);
    assert_int_equal(xclAllocBO_(h, 0, 0, 0), NULLBO);
    assert_int_equal(xclAllocUserPtrBO_(h, &byte, 4096, 0), NULLBO);
    /* device addresses: inside one buffer only */
    assert_int_equal(xclGetBOProperties_(h, b, &p), 0);
    assert_int_equal(xclUnmgdPread_(h, 0, &byte, 1, p.paddr + 4999), 1);
    assert_true(xclUnmgdPread_(h, 0, &byte, 1, p.paddr + 5000) < 0);
    assert_true(xclUnmgdPread_(h, 0, &byte, 1, 0) < 0);
    assert_true(xclUnmgdPread_(h, 0, &byte, 2, p.paddr + 4999) < 0);
    /* a data buffer is no command */
    assert_true(xclExecBuf_(h, b) < 0);
    /* memory of the card only: nothing to map, nothing to sync */
    const unsigned d = xclAllocBO_(h, 4096, 0, XCL_BO_FLAGS_DEV_ONLY);
    assert_true(d != NULLBO);
    assert_null(xclMapBO_(h, d, true));
    assert_true(xclSyncBO_(h, d, XCL_BO_SYNC_BO_TO_DEVICE, 1, 0) < 0);
    /* a freed handle is dead for ever */
    xclFreeBO_(h, b);
    assert_true(xclSyncBO_(h, b, XCL_BO_SYNC_BO_TO_DEVICE, 1, 0) < 0);
    assert_int_not_equal(xclAllocBO_(h, 64, 0, 0), b);
    xclFreeBO_(h, b); /* said, and nothing happens */
    xclFreeBO_(h, c);
    xclFreeBO_(h, d);
    xclClose_(h);
}

/* Commands that the host's XRT would never send. */
static void impossible_commands_are_refused(void **state) {
    (void)state;
    CORE(xclOpen);
    CORE(xclClose);
    CORE(xclAllocBO);
    CORE(xclFreeBO);
    CORE(xclMapBO);
    CORE(xclExecBuf);
    const xclDeviceHandle h = xclOpen_(0, NULL, XCL_QUIET);
    const unsigned b = xclAllocBO_(h, 4096, 0, XCL_BO_FLAGS_EXECBUF);
    assert_true(b != NULLBO);
    struct ert_start_kernel_cmd *p = xclMapBO_(h, b, true);
    assert_non_null(p);
    struct lane_guard {
        struct card_lane *lane; /* opens contexts on unit 1 of each kernel */
    } g;
    assert_int_equal(card_lane_open(card, 0, &g.lane), OK);
    const struct {
        unsigned opcode, count, extra;
        uint32_t mask;
    } bad[] = {
        {ERT_START_CU, 20, 0, 0},        /* no unit */
        {ERT_START_CU, 20, 0, 1u << 20}, /* a unit that does not exist */
        {ERT_START_CU, 20, 0, 1u << 1},  /* a unit nobody opened */
        {ERT_START_CU, 0, 0, 1},         /* no words at all */
        {ERT_START_CU, 1, 3, 1},         /* fewer words than masks */
        {ERT_START_CU, 2000, 0, 1},      /* more words than the buffer */
        {ERT_START_CU, 600, 0, 1},       /* more registers than a unit has */
        {ERT_CONFIGURE, 20, 0, 1},       /* another command */
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        memset(p, 0, 4096);
        p->state = ERT_CMD_STATE_NEW;
        p->opcode = bad[i].opcode & 31u;
        p->count = bad[i].count & 2047u;
        p->extra_cu_masks = bad[i].extra & 3u;
        p->cu_mask = bad[i].mask;
        if (xclExecBuf_(h, b) >= 0) fail_msg("command %u was taken", i);
    }
    card_lane_close(&g.lane);
    xclFreeBO_(h, b);
    xclClose_(h);
}

/* --- hostile xclbins
 * --------------------------------------------------------------------------------------------- */

static uint8_t *whole_file(const char *path, size_t *n) {
    struct stat st;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fstat(fileno(f), &st), 0);
    *n = (size_t)st.st_size;
    uint8_t *p = malloc(*n);
    assert_non_null(p);
    assert_int_equal(fread(p, 1, *n, f), *n);
    fclose(f);
    return p;
}

/* In a child: opens the file and leaves; true when it ended by itself. */
static bool child_survives(const char *path) {
    fflush(NULL);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        /* cmocka would take a crash for this test's and go on with the next one, here. */
        static const int crash[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
        for (unsigned i = 0; i < sizeof crash / sizeof crash[0]; i++) signal(crash[i], SIG_DFL);
        if (!freopen("/dev/null", "w", stderr)) _exit(9);
        struct card *c;
        const enum err e = card_open(0, path, &c);
        _exit(e == OK ? 1 : 0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) <= 1;
}

static void damaged_xclbins_are_refused_without_a_crash(void **state) {
    (void)state;
    size_t n;
    uint8_t *good = whole_file(rig.xclbin, &n), *bad = malloc(n);
    char path[256];
    unsigned n_crashed = 0;
    assert_non_null(bad);
    snprintf(path, sizeof path, "%s/bad.xclbin", rig.sim);
    const struct axlf *top = (const struct axlf *)(const void *)good;
    const size_t code = top->m_sections[0].m_sectionOffset,
                 code_end = code + top->m_sections[0].m_sectionSize;
    uint32_t seed = 11;
    for (unsigned i = 0; i < 200; i++) {
        size_t len = n;
        memcpy(bad, good, n);
        seed = seed * 1664525u + 1013904223u;
        if (i < 20)
            len = i < 10 ? i * 60 : n - 1 - (seed >> 8) % (n - 600); /* cut off */
        else /* everything but the code itself, which is a program and can do what it likes */
            for (unsigned k = 0; k < 1 + i % 4; k++) {
                seed = seed * 1664525u + 1013904223u;
                const size_t rest = n - (code_end - code), at = (seed >> 8) % rest;
                bad[at < code ? at : at + (code_end - code)] = (uint8_t)(seed >> 3);
            }
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(bad, 1, len, f), len);
        assert_int_equal(fclose(f), 0);
        if (!child_survives(path)) {
            n_crashed++;
            print_message("mutation %u ended the process\n", i);
        }
    }
    assert_int_equal(n_crashed, 0);
    free(good);
    free(bad);
}

static int setup(void **state) {
    (void)state;
    rig_init(&rig, "[card]\nname = \"test\"\ncards = 2\n[fault]\ndelay_pct = 100\ndelay_us = 30000\n");
    return setenv("XILINX_XRT", rig.sim, 1);
}

static int open_card(void **state) {
    (void)state;
    return card_open(0, rig.xclbin, &card) == OK ? 0 : -1;
}

static int shut_card(void **state) {
    (void)state;
    card_close(&card);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    rig_fini(&rig);
    return 0;
}

#define WITH_CARD(name) cmocka_unit_test_setup_teardown(name, open_card, shut_card)

int main(void) {
    const struct CMUnitTest tests[] = {
        /* first: the children must not inherit an open card */
        cmocka_unit_test(damaged_xclbins_are_refused_without_a_crash),
        WITH_CARD(card_says_what_it_is),
        WITH_CARD(synced_run_gives_the_reference),
        WITH_CARD(forgotten_sync_to_the_card_shows),
        WITH_CARD(forgotten_sync_from_the_card_shows),
        WITH_CARD(transfers_outside_a_buffer_are_refused),
        WITH_CARD(buffer_of_the_wrong_bank_is_refused),
        WITH_CARD(buffer_too_small_for_its_job_is_refused),
        WITH_CARD(kernel_that_refuses_says_so_through_its_status),
        WITH_CARD(lanes_on_different_compute_units_run_side_by_side),
        WITH_CARD(lanes_may_be_more_than_compute_units),
        WITH_CARD(run_without_answer_in_time_is_a_timeout),
        WITH_CARD(more_memory_than_the_card_has_is_refused_and_the_card_goes_on),
        WITH_CARD(buffers_come_and_go_without_leaving_holes),
        WITH_CARD(second_card_is_opened_beside_the_first_and_a_third_is_missing),
        WITH_CARD(core_checks_ranges_handles_and_banks_itself),
        WITH_CARD(impossible_commands_are_refused),
    };
    const int rc = cmocka_run_group_tests_name("card", tests, setup, teardown);
    fflush(NULL);
    _exit(rc);
}
