/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/accuracy/footage.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <libgen.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>
#include <turbojpeg.h>

#include "driver/card_abi.h"
#include "host/base/clock.h"
#include "host/media/decoder.h"
#include "host/pipe/cards.h"
#include "host/pipe/scene.h"
#include "host/proc/slots.h"

enum { N_SLOTS = 6, LIMIT_S = 120, FRAMES_WAITING_MAX = N_SLOTS, WISHES_MAX = 32 };
#define SLOT_BYTES ((size_t)4096 * 2304 * 3 / 2)

struct footage {
    struct cards_config cfg;
    unsigned n_nets;
    struct look_net nets[LOOK_NETS_MAX];
    struct cards *net_cards[LOOK_NETS_MAX];
    uint32_t net_arena[LOOK_NETS_MAX];
    struct event_base *base;
    struct cards *cards;
    struct detector *detector;
    char exe[4][1024]; /* card worker, simulator, runner, xclbin */
    struct importer_config plates_cfg;
    struct plate_desk *desk; /* NULL = no plates were asked for yet */
    struct plate_arena plate_arena;
    struct plate_seen *seen; /* where the answer goes */
    struct slots *slots;
    uint32_t arena;
    char decode_exe[1024];
    bool ready, answered, ended;
    const char *dead;
    enum err status;
    uint8_t *result; /* copy of the last answer */
    uint32_t n_result;
    struct wire_frame waiting[FRAMES_WAITING_MAX];
    unsigned n_waiting;
    unsigned slot; /* of the frame at hand */
    struct wire_surface surface;
};

__attribute__((noreturn, format(printf, 1, 2))) static void stop(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
    exit(1);
}

static void wait_for(struct footage *f, const bool *flag, const char *what) {
    const uint64_t end = clock_mono_ns() + (uint64_t)LIMIT_S * 1000000000u;
    while (!*flag) {
        if (f->dead) stop("%s: %s", what, f->dead);
        if (clock_mono_ns() > end) stop("%s: no answer within %d s", what, LIMIT_S);
        const struct timeval t = {.tv_usec = 50000};
        (void)event_base_loopexit(f->base, &t);
        (void)event_base_loop(f->base, EVLOOP_ONCE);
    }
}

static void on_ready(const struct wire_card_ready *ready, void *arg) {
    (void)ready;
    ((struct footage *)arg)->ready = true;
}

static void on_dead(enum err e, const char *text, void *arg) {
    (void)e;
    (void)text;
    ((struct footage *)arg)->dead = "no card worker came up";
}

static void beside_program(const char *name, char *out, size_t cap) {
    char self[512] = "";
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) stop("no /proc/self/exe");
    (void)snprintf(out, cap, "%s/../../%s", dirname(self), name); /* build/VARIANT/tests/accuracy/x */
}

struct footage *footage_open(const char *model_dir, const struct vocab *vocab) {
    struct footage *f = calloc(1, sizeof *f);
    if (!f) stop("out of memory");
    static const char *const beside[] = {"relecture-card", "sim", "sim/librelecture_dpu.so",
                                         "sim/relecture.xclbin"};
    for (unsigned i = 0; i < 4; i++) beside_program(beside[i], f->exe[i], sizeof f->exe[i]);
    beside_program("relecture-decode", f->decode_exe, sizeof f->decode_exe);
    f->base = event_base_new();
    f->result = malloc((size_t)4 << 20);
    if (!f->base || !f->result) stop("out of memory");
    if (detector_open(model_dir, vocab, &f->detector) != OK) stop("no detector in %s", model_dir);
    if (slots_new("footage", N_SLOTS, SLOT_BYTES, &f->slots) != OK) stop("no shared memory");
    f->cfg = (struct cards_config){.exe = f->exe[0],
                                     .xilinx_xrt = f->exe[1],
                                     .runner_lib = f->exe[2],
                                     .xclbin = f->exe[3],
                                     .model_dir = model_dir,
                                     .n_cards = 1,
                                     .job_timeout_ms = 60000};
    f->plates_cfg = (struct importer_config){.cards = f->cfg,
                                             .simulated = true,
                                             .plate_find_dir = "build/models/plate-find",
                                             .plate_read_dir = "build/models/plate-read"};
    if (cards_new(f->base, &f->cfg, on_ready, on_dead, f, &f->cards) != OK) stop("no card worker");
    if (cards_arena_add(f->cards, f->slots, &f->arena) != OK) stop("no arena");
    wait_for(f, &f->ready, "card worker");
    if (detector_match(f->detector, cards_model(f->cards)) != OK) stop("the card runs another model");
    return f;
}

void footage_add_net(struct footage *f, const char *model_dir, const struct vocab *vocab) {
    if (f->n_nets == LOOK_NETS_MAX) stop("too many networks");
    const unsigned i = f->n_nets++;
    struct cards_config cfg = f->cfg;
    cfg.model_dir = model_dir;
    f->ready = false;
    if (look_net_open(model_dir, vocab, &f->nets[i]) != OK) stop("no network in %s", model_dir);
    if (cards_new(f->base, &cfg, on_ready, on_dead, f, &f->net_cards[i]) != OK) stop("no card worker");
    if (cards_arena_add(f->net_cards[i], f->slots, &f->net_arena[i]) != OK) stop("no arena");
    wait_for(f, &f->ready, "card worker of a network");
    if (look_net_match(&f->nets[i], cards_model(f->net_cards[i])) != OK) stop("the card runs another network");
}

const struct look_net *footage_net(const struct footage *f, unsigned net) {
    return net < f->n_nets ? &f->nets[net] : NULL;
}

void footage_close(struct footage **f) {
    if (!f || !*f) return;
    cards_free(&(*f)->cards);
    for (unsigned i = 0; i < (*f)->n_nets; i++) cards_free(&(*f)->net_cards[i]);
    plate_desk_free(&(*f)->desk);
    slots_free(&(*f)->slots);
    detector_close(&(*f)->detector);
    event_base_free((*f)->base);
    free((*f)->result);
    free(*f);
    *f = NULL;
}

const struct detector *footage_detector(const struct footage *f) {
    return f->detector;
}

static void on_answer(const struct cards_result *r, void *arg) {
    struct footage *f = arg;
    f->status = r->status;
    f->n_result = r->n_bytes;
    if (r->status == OK) memcpy(f->result, r->out, r->n_bytes);
    f->answered = true;
}

static void detect(struct footage *f, unsigned seq, int64_t pts_us, footage_fn *fn, void *arg) {
    static struct detection det[DETECTIONS_MAX];
    unsigned n_det = 0;
    f->answered = false;
    if (cards_detect(f->cards, f->arena, f->slot, &f->surface, on_answer, f) != OK)
        stop("detection not taken");
    wait_for(f, &f->answered, "detection");
    if (f->status != OK) stop("detection: %s", err_text(f->status));
    enum err e =
        detect_decode(f->detector, cards_model(f->cards), f->result, f->n_result, &f->surface, det, &n_det);
    if (e != OK) stop("decoding the detection: %s", err_text(e));
    const struct footage_frame frame = {.seq = seq,
                                        .pts_us = pts_us,
                                        .surface = &f->surface,
                                        .pixels = slots_at(f->slots, f->slot),
                                        .det = det,
                                        .n_det = n_det};
    fn(f, &frame, arg);
}

void footage_crops(struct footage *f, const struct wire_roi *rois, unsigned n, unsigned w_px, unsigned h_px,
                   int8_t *out) {
    const size_t each = (size_t)w_px * h_px * 3;
    for (unsigned i = 0; i < n; i += WIRE_ROIS_MAX) {
        unsigned m = n - i < WIRE_ROIS_MAX ? n - i : WIRE_ROIS_MAX;
        f->answered = false;
        if (cards_crops(f->cards, f->arena, f->slot, &f->surface, rois + i, m, w_px, h_px, on_answer, f) !=
            OK)
            stop("crops not taken");
        wait_for(f, &f->answered, "crops");
        if (f->status != OK || f->n_result != m * each) stop("crops: %s", err_text(f->status));
        memcpy(out + i * each, f->result, m * each);
    }
}

static void on_desk_ready(void *arg) {
    ((struct footage *)arg)->ready = true;
}

static void on_desk_dead(void *arg) {
    struct footage *f = arg;
    f->dead = plate_desk_dead_text(f->desk);
}

static void on_plates(const struct plate_seen *seen, unsigned n, void *arg) {
    struct footage *f = arg;
    memcpy(f->seen, seen, n * sizeof *seen);
    f->answered = true;
}

void footage_plates(struct footage *f, const struct wire_roi *vehicles, unsigned n, struct plate_seen *out) {
    if (!f->desk) {
        const struct plate_desk_spec spec = {
            .cfg = &f->plates_cfg, .on_ready = on_desk_ready, .on_dead = on_desk_dead, .arg = f};
        f->ready = false;
        if (plate_desk_new(f->base, &spec, &f->desk) != OK)
            stop("no plate networks in build/models: make models");
        if (plate_desk_arena_add(f->desk, f->slots, &f->plate_arena) != OK) stop("no arena");
        wait_for(f, &f->ready, "plate workers");
    }
    f->answered = false;
    f->seen = out;
    if (plate_desk_look(f->desk, &f->plate_arena, f->slot, &f->surface, vehicles, n, on_plates, f) != OK)
        stop("plates not taken");
    wait_for(f, &f->answered, "plates");
}

float footage_plates_least(const struct footage *f) {
    return plate_desk_least_share(f->desk);
}

void footage_ask(struct footage *f, unsigned net, const struct wire_roi *rois, unsigned n, int8_t *out) {
    const size_t each = f->nets[net].n_labels;
    for (unsigned i = 0; i < n; i += WIRE_ROIS_MAX) {
        unsigned m = n - i < WIRE_ROIS_MAX ? n - i : WIRE_ROIS_MAX;
        f->answered = false;
        if (cards_regions(f->net_cards[net], f->net_arena[net], f->slot, &f->surface, rois + i, m, on_answer, f) != OK)
            stop("regions not taken");
        wait_for(f, &f->answered, "regions");
        if (f->status != OK || f->n_result != m * each) stop("regions: %s", err_text(f->status));
        memcpy(out + i * each, f->result, m * each);
    }
}

struct footage_cost footage_feed(struct footage *f, struct scene *scene, const struct footage_frame *frame) {
    static int8_t crops[WISHES_MAX * CROP_VEHICLE_W_PX * CROP_VEHICLE_H_PX * 3];
    struct footage_cost cost = {0};
    struct scene_crop want[WISHES_MAX];
    unsigned n_want = 0;
    const uint64_t before = clock_thread_cpu_ns();
    if (scene_frame(scene, frame->pts_us, frame->surface, frame->pixels, frame->det, frame->n_det, want, WISHES_MAX,
                    &n_want) != OK)
        stop("the scene refused a frame");
    cost.scene_ns = clock_thread_cpu_ns() - before;
    for (unsigned i = 0; i < n_want;) {
        struct wire_roi rois[WISHES_MAX];
        unsigned n = 0;
        while (i + n < n_want && want[i + n].dst_w_px == want[i].dst_w_px) {
            rois[n] = want[i + n].roi;
            n++;
        }
        footage_crops(f, rois, n, want[i].dst_w_px, want[i].dst_h_px, crops);
        for (unsigned k = 0; k < n; k++) {
            size_t each = (size_t)want[i].dst_w_px * want[i].dst_h_px * 3;
            if (scene_crop_done(scene, &want[i + k], crops + k * each) != OK)
                stop("the scene refused a crop");
        }
        i += n;
        cost.n_crops += n;
    }
    for (unsigned k = 0; footage_net(f, k); k++) {
        static int8_t answers[WISHES_MAX * LOOK_NET_LABELS_MAX];
        struct wire_roi rois[WISHES_MAX];
        unsigned asked[WISHES_MAX], n = 0;
        for (unsigned i = 0; i < n_want; i++) {
            if (!(want[i].nets & 1u << k)) continue;
            asked[n] = i;
            rois[n++] = want[i].roi;
        }
        footage_ask(f, k, rois, n, answers);
        for (unsigned i = 0; i < n; i++)
            if (scene_net_done(scene, &want[asked[i]], k, answers + (size_t)i * footage_net(f, k)->n_labels) != OK)
                stop("the scene refused an answer");
    }
    return cost;
}

/* ---- films ---- */

static void on_probed(struct decoder *d, const struct wire_probed *p, void *arg) {
    (void)d;
    (void)p;
    (void)arg;
}

static void on_frame(struct decoder *d, const struct wire_frame *w, void *arg) {
    (void)d;
    struct footage *f = arg;
    f->waiting[f->n_waiting++] = *w; /* there are no more slots than places */
}

static void on_gap(struct decoder *d, const struct wire_gap *g, void *arg) {
    (void)d;
    (void)g;
    (void)arg;
}

static void on_end(struct decoder *d, const struct wire_decode_end *e, void *arg) {
    (void)d;
    (void)e;
    ((struct footage *)arg)->ended = true;
}

static void on_failed(struct decoder *d, enum err e, const struct wire_failed *w, void *arg) {
    (void)d;
    (void)e;
    (void)arg;
    stop("decoding failed: %s", w ? w->text : "the worker died");
}

unsigned footage_play(struct footage *f, const char *path, uint32_t fps_milli, footage_fn *fn, void *arg) {
    struct decoder *d = NULL;
    unsigned n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) stop("no %s", path);
    const struct decoder_spec spec = {.exe = f->decode_exe,
                                      .label = "footage",
                                      .job = DECODER_FRAMES,
                                      .in_fd = fd,
                                      .out_fd = -1,
                                      .slots = f->slots,
                                      .fps_milli = fps_milli,
                                      .after_us = -1};
    const struct decoder_callbacks cb = {.on_probed = on_probed,
                                         .on_frame = on_frame,
                                         .on_gap = on_gap,
                                         .on_end = on_end,
                                         .on_failed = on_failed,
                                         .arg = f};
    f->ended = false;
    f->n_waiting = 0;
    if (decoder_start(f->base, &spec, &cb, &d) != OK) stop("no decode worker");
    while (!f->ended || f->n_waiting > 0) {
        if (f->n_waiting == 0) {
            (void)event_base_loop(f->base, EVLOOP_ONCE);
            continue;
        }
        struct wire_frame w = f->waiting[0];
        memmove(&f->waiting[0], &f->waiting[1], --f->n_waiting * sizeof w);
        f->slot = w.slot;
        f->surface = w.surface;
        detect(f, n++, w.pts_us, fn, arg);
        slots_unref(f->slots, w.slot);
        decoder_pump(d);
    }
    decoder_free(&d);
    (void)close(fd);
    return n;
}

/* ---- pictures ---- */

static uint8_t *read_file(const char *path, unsigned long *n) {
    struct stat st;
    FILE *in = fopen(path, "rb");
    if (!in) return NULL;
    uint8_t *data = fstat(fileno(in), &st) == 0 && st.st_size > 0 ? malloc((size_t)st.st_size) : NULL;
    *n = data ? fread(data, 1, (size_t)st.st_size, in) : 0;
    (void)fclose(in);
    return data;
}

static uint8_t to_u8(double v) {
    return (uint8_t)lround(fmin(fmax(v, 0.0), 255.0));
}

/* RGB -> NV12, full range BT.601, one chroma sample from the mean of four pixels. */
static void fill_surface(struct footage *f, const uint8_t *rgb, unsigned w, unsigned h) {
    uint8_t *px = slots_at(f->slots, f->slot);
    unsigned w2 = w & ~1u, h2 = h & ~1u;
    f->surface = (struct wire_surface){.w_px = w2,
                                       .h_px = h2,
                                       .stride_bytes = (w2 + 63u) & ~63u,
                                       .matrix = CARD_MATRIX_BT601,
                                       .full_range = 1};
    f->surface.uv_offset_bytes = f->surface.stride_bytes * h2;
    for (unsigned y = 0; y < h2; y += 2) {
        for (unsigned x = 0; x < w2; x += 2) {
            double u = 0.0, v = 0.0;
            for (unsigned k = 0; k < 4; k++) {
                const uint8_t *p = rgb + 3 * ((size_t)(y + k / 2) * w + x + k % 2);
                double l = 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
                px[(size_t)(y + k / 2) * f->surface.stride_bytes + x + k % 2] = to_u8(l);
                u += (p[2] - l) / 1.772 / 4.0;
                v += (p[0] - l) / 1.402 / 4.0;
            }
            uint8_t *c = px + f->surface.uv_offset_bytes + (size_t)(y / 2) * f->surface.stride_bytes + x;
            c[0] = to_u8(u + 128.0);
            c[1] = to_u8(v + 128.0);
        }
    }
}

bool footage_still(struct footage *f, const char *path, footage_fn *fn, void *arg) {
    unsigned long n = 0;
    int w = 0, h = 0, sub = 0, space = 0;
    bool done = false;
    uint8_t *jpeg = read_file(path, &n), *rgb = NULL;
    tjhandle tj = tjInitDecompress();
    if (!jpeg || !tj || tjDecompressHeader3(tj, jpeg, n, &w, &h, &sub, &space) != 0) goto out;
    if (w < 2 || h < 2 || (size_t)(w + 64) * (size_t)h * 3 / 2 > SLOT_BYTES) goto out;
    rgb = malloc((size_t)w * (size_t)h * 3);
    if (!rgb || tjDecompress2(tj, jpeg, n, rgb, w, 0, h, TJPF_RGB, 0) != 0) goto out;
    if (slots_take(f->slots, &f->slot) != OK) stop("no slot");
    fill_surface(f, rgb, (unsigned)w, (unsigned)h);
    detect(f, 0, 0, fn, arg);
    slots_unref(f->slots, f->slot);
    done = true;
out:
    if (tj) (void)tjDestroy(tj);
    free(rgb);
    free(jpeg);
    return done;
}

/* ---- rows ---- */

unsigned footage_fields(char *line, char **fields, unsigned max) {
    unsigned n = 0;
    line[strcspn(line, "\r\n")] = '\0';
    while (n < max && line) fields[n++] = strsep(&line, ",");
    return n;
}

/* Words that people give and the vocabulary folds; a shade ("dark", "light") says nothing about the name. */
static const struct {
    const char *word, *name;
} folded[] = {
    {"navy", "blue"},  {"turquoise", "blue"}, {"turquoise", "green"}, {"teal", "blue"},
    {"teal", "green"}, {"cream", "white"},    {"cream", "beige"},     {"silver", "grey"},
};

bool footage_colour_fits(const char *label, const char *name) {
    char copy[128], *at = copy;
    (void)snprintf(copy, sizeof copy, "%s", label);
    /* Two garment colours are also a fair "multicolour". */
    if (strchr(label, '+') && strcmp(name, "multicolour") == 0) return true;
    for (char *word; (word = strsep(&at, "-/+"));) {
        if (strcmp(word, name) == 0) return true;
        for (size_t i = 0; i < sizeof folded / sizeof folded[0]; i++) {
            if (strcmp(word, folded[i].word) == 0 && strcmp(name, folded[i].name) == 0) return true;
        }
    }
    return false;
}

const char *footage_data(void) {
    const char *dir = getenv("RELECTURE_DATA");
    if (!dir) dir = "../shared/data";
    return access(dir, R_OK) == 0 ? dir : NULL;
}

/* Wilson's 95 % interval of k out of n. */
static void wilson(unsigned k, unsigned n, double *low, double *high) {
    const double z = 1.96, p = (double)k / n, d = 1.0 + z * z / n;
    const double mid = p + z * z / (2.0 * n), half = z * sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
    *low = (mid - half) / d;
    *high = (mid + half) / d;
}

static void write_row(json_t *row) {
    const char *path = getenv("RELECTURE_ROWS");
    FILE *out = path ? fopen(path, "a") : NULL;
    if (path &&
        (!out || json_dumpf(row, out, JSON_COMPACT | JSON_REAL_PRECISION(6)) != 0 || fputc('\n', out) == EOF))
        stop("cannot write the file RELECTURE_ROWS");
    if (out && fclose(out) != 0) stop("cannot write the file RELECTURE_ROWS");
    json_decref(row);
}

static void set_filter(json_t *row, const char *filter) {
    const char *colon = filter ? strchr(filter, ':') : NULL;
    if (!colon) return;
    json_object_set_new(row, "field", json_stringn(filter, (size_t)(colon - filter)));
    json_object_set_new(row, "value", json_string(colon + 1));
}

void footage_row(const char *set, const char *filter, const char *metric, const char *what, unsigned k,
                 unsigned n, double goal) {
    double low = 0.0, high = 1.0, value = n ? (double)k / n : 0.0;
    if (n == 0) return;
    wilson(k, n, &low, &high);
    printf("%-18s %-40s %7.3f  n=%-5u [%.3f, %.3f]\n", set, what, value, n, low, high);
    json_t *row = json_pack("{s:s,s:s,s:s,s:i,s:i,s:f,s:[ff]}", "set", set, "what", what, "metric", metric,
                            "n", (int)n, "k", (int)k, "measured", value, "ci95", low, high);
    if (goal > 0.0) json_object_set_new(row, "goal", json_real(goal));
    set_filter(row, filter);
    write_row(row);
}

void footage_row_value(const char *set, const char *what, double value, unsigned n, double goal,
                       bool at_most) {
    printf("%-18s %-40s %7.3f  n=%u\n", set, what, value, n);
    json_t *row = json_pack("{s:s,s:s,s:s,s:i,s:f,s:b}", "set", set, "what", what, "metric", what, "n",
                            (int)n, "measured", value, "at_most", (int)at_most);
    if (goal > 0.0) json_object_set_new(row, "goal", json_real(goal));
    write_row(row);
}

void footage_confusion(const char *filter, const char *called, unsigned k, unsigned n) {
    json_t *row = json_pack("{s:s,s:i,s:i}", "called", called, "k", (int)k, "n", (int)n);
    set_filter(row, filter);
    write_row(row);
}
