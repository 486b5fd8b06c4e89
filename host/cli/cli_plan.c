/* SPDX-License-Identifier: Apache-2.0 */
/* relecture plan: how long so many hours of footage would take with a card and so many cores, what holds it
 * up, and what it costs. The card's part is calculated from its description (sim/cards) on a virtual clock by
 * relecture-model; decode is measured here, on a clip; everything else is an assumption and is printed as
 * one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "host/app.h"
#include "host/cli/cli.h"
#include "host/cli/cli_card.h"
#include "host/media/decoder.h"

enum { FRAMES_VIRTUAL = 20000, N_SLOTS = 8 };

/* Measured once on the reference machine (tests/RESULTS.md: 1080p25 H.264 at 4 Mbit/s, one Zen 4 core); used,
 * and said to be used, where no clip is given. */
static const struct decode_cost {
    double full, keys;     /* core-seconds per hour of footage */
    double keys_per_s;     /* key frames per second of footage */
    double bytes_per_hour; /* of the file */
} reference = {522, 42, 0.5, 1.8e9};
/* The same: tracker, colours, index, per analysed frame. */
#define HOST_MS_PER_FRAME 1.15
/* Of the makers' data sheets: maximum power of the board. */
static const struct {
    const char *card;
    double watts;
} boards[] = {{"u50lv", 75}, {"u55c", 150}, {"u250", 225}, {"v70", 75}, {"vck5000", 225}};
#define CORE_WATTS   8.0
#define SERVER_WATTS 60.0

/* ---- decode, measured
 * --------------------------------------------------------------------------------------- */

struct trial {
    struct event_base *base;
    struct slots *slots;
    int64_t end_us;
    uint64_t cpu_us, n_frames;
    bool failed;
    char text[WIRE_TEXT_MAX];
};

static void on_frame(struct decoder *d, const struct wire_frame *f, void *arg) {
    struct trial *t = arg;
    (void)d;
    t->n_frames++;
    slots_unref(t->slots, f->slot);
}

static void on_end(struct decoder *d, const struct wire_decode_end *e, void *arg) {
    struct trial *t = arg;
    uint64_t peak;
    t->end_us = e->end_us;
    decoder_usage(d, &t->cpu_us, &peak);
    event_base_loopbreak(t->base);
}

static void on_failed(struct decoder *d, enum err e, const struct wire_failed *f, void *arg) {
    struct trial *t = arg;
    (void)d, (void)e;
    t->failed = true;
    snprintf(t->text, sizeof t->text, "%s", f->text);
    event_base_loopbreak(t->base);
}

/* The whole clip through a decode worker, as an import does it; false after a message. */
static bool decode(const struct cli *cli, const char *clip, int fd, bool keys_only, struct trial *t) {
    const struct decoder_callbacks cb = {
        .on_frame = on_frame, .on_end = on_end, .on_failed = on_failed, .arg = t};
    struct decoder *d = NULL;
    *t = (struct trial){.base = event_base_new()};
    enum err e = t->base ? slots_new("surfaces", N_SLOTS, (size_t)4096 * 2304 * 3 / 2, &t->slots) : ERR_NOMEM;
    const struct decoder_spec spec = {.exe = cli->config.decode_exe,
                                      .label = clip,
                                      .job = DECODER_FRAMES,
                                      .in_fd = fd,
                                      .out_fd = -1,
                                      .slots = t->slots,
                                      .fps_milli = (uint32_t)cli->config.fps_milli,
                                      .after_us = -1,
                                      .keys_only = keys_only};
    if (!e) e = decoder_start(t->base, &spec, &cb, &d);
    if (!e) event_base_dispatch(t->base);
    decoder_free(&d);
    slots_free(&t->slots);
    if (t->base) event_base_free(t->base);
    if (!e && !t->failed && t->end_us > 0) return true;
    cli_say(0, "plan: the clip cannot be measured: %s", e ? err_text(e) : *t->text ? t->text : "it is empty");
    return false;
}

static bool measure(const struct cli *cli, const char *clip, struct decode_cost *out) {
    struct trial full, keys;
    struct stat st;
    const int fd = open(clip, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        cli_say(0, "plan: %s: %s", clip, strerrordesc_np(errno));
        if (fd >= 0) close(fd);
        return false;
    }
    const bool fine = decode(cli, clip, fd, false, &full) && decode(cli, clip, fd, true, &keys);
    close(fd);
    if (!fine) return false;
    const double hours = (double)full.end_us / 3.6e9;
    *out = (struct decode_cost){.full = (double)full.cpu_us / 1e6 / hours,
                                .keys = (double)keys.cpu_us / 1e6 / hours,
                                .keys_per_s = (double)keys.n_frames / (hours * 3600),
                                .bytes_per_hour = (double)st.st_size / hours};
    return true;
}

/* ---- the card, calculated
 * ------------------------------------------------------------------------------------ */

/* What relecture-model says; a new reference, NULL after a message. */
static json_t *card_plan(const struct cli *cli, const char *name) {
    char exe_dir[FS_PATH_MAX], tool[FS_PATH_MAX], dir[FS_PATH_MAX], card[FS_PATH_MAX], model[FS_PATH_MAX];
    char verb[] = "plan", frames[16];
    struct importer_config ic;
    struct app_models models;
    int pipe_fd[2], status = -1;
    app_importer_config(&cli->config, "", NULL, &models, &ic);
    /* Street cameras are wide: the detector that they get. */
    const char *model_dir = ic.wide_model_dir ? ic.wide_model_dir : ic.cards.model_dir;
    snprintf(frames, sizeof frames, "%d", FRAMES_VIRTUAL);
    if (fs_exe_dir(exe_dir) || fs_join(tool, exe_dir, "relecture-model") ||
        !cli_golden_model(model_dir, model) || !cli_card_dir(name, dir) || fs_join(card, dir, "card.toml") ||
        pipe2(pipe_fd, O_CLOEXEC) != 0)
        return NULL;
    const pid_t pid = fork();
    if (pid == 0) {
        char *const args[] = {tool, verb, model, card, frames, NULL};
        dup2(pipe_fd[1], STDOUT_FILENO);
        execv(tool, args);
        _exit(127);
    }
    close(pipe_fd[1]);
    FILE *in = fdopen(pipe_fd[0], "r");
    json_t *answer = in ? json_loadf(in, 0, NULL) : NULL;
    if (in) fclose(in);
    if (pid > 0) (void)waitpid(pid, &status, 0);
    if (answer && status == 0) return answer;
    json_decref(answer);
    cli_say(0, "plan: %s says nothing about that card", tool);
    return NULL;
}

/* ---- the plan
 * ------------------------------------------------------------------------------------------------ */

struct wish {
    double hours, open, card_watts, price, gb_per_s;
    long cores, cards;
};

static const char *const parts[] = {"decode and host (cores)", "card", "storage"};

static int show(const struct cli *cli, const struct wish *w, const char *clip, const struct decode_cost *d,
                const json_t *card, bool json) {
    const double rate = json_real_value(json_object_get(card, "frames_per_s"));
    const double fps = cli->config.fps_milli / 1e3;
    /* An open group is decoded fully, its key frame once more by the gate; of a closed one the key frame
     * alone. */
    const double per_s = w->open * fps + (1 - w->open) * d->keys_per_s;
    const double gate = w->open < 1 ? d->keys : 0;
    const double core_s = w->hours * (w->open * d->full + gate + 3600 * per_s * HOST_MS_PER_FRAME / 1e3);
    const double t[] = {core_s / (double)w->cores / 3600, w->hours * per_s / rate / (double)w->cards,
                        w->hours * d->bytes_per_hour / (w->gb_per_s * 1e9) / 3600};
    unsigned worst = 0;
    for (unsigned i = 1; i < 3; i++)
        if (t[i] > t[worst]) worst = i;
    const double watts = SERVER_WATTS + CORE_WATTS * (double)w->cores + w->card_watts * (double)w->cards;
    const double kwh = watts * t[worst] / 1e3;
    const double cores_to_feed = core_s / 3600 / t[1];
    char assumed[1024];
    snprintf(assumed, sizeof assumed,
             "decode %s; %.0f %% of the footage open in the gate; %.3f frames/s analysed where open, %.2f "
             "key frames/s "
             "elsewhere; %.2f ms of host work per analysed frame (reference machine); %.2f GB an hour read "
             "at %.1f GB/s; "
             "%.0f W per card (maker's maximum), %.0f W per core and %.0f W besides; %.2f per kWh; one "
             "stream per core, "
             "no core for anything else; the card as its description says, which nobody measured on a card",
             clip ? "measured on the clip, on this machine"
                  : "of the reference machine, NOT measured here (--clip)",
             100 * w->open, fps, d->keys_per_s, HOST_MS_PER_FRAME, d->bytes_per_hour / 1e9, w->gb_per_s,
             w->card_watts, CORE_WATTS, SERVER_WATTS, w->price);
    if (json) {
        cli_print_json(json_pack("{s:f,s:s,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:O,s:s}", "hours",
                                 t[worst], "bottleneck", parts[worst], "cores_h", t[0], "card_h", t[1],
                                 "storage_h", t[2], "cores_to_feed", cores_to_feed, "energy_kwh", kwh, "cost",
                                 kwh * w->price, "decode_h_per_core_h", 3600 / d->full, "keys_h_per_core_h",
                                 3600 / d->keys, "analysed_per_s", per_s, "card_frames_per_s", rate, "card",
                                 card, "assumed", assumed));
        return CLI_DONE;
    }
    printf("%.0f h of footage: %.2f h, held up by %s.\n", w->hours, t[worst], parts[worst]);
    for (unsigned i = 0; i < 3; i++) printf("  %-24s %8.2f h\n", parts[i], t[i]);
    printf("  decode %.1f h per core-hour, key frames alone %.0f; card %.0f frames/s; %.1f cores keep the "
           "card busy\n",
           3600 / d->full, 3600 / d->keys, rate * (double)w->cards, cores_to_feed);
    printf("  energy %.2f kWh, %.2f at that price\nAssumed: %s.\n", kwh, kwh * w->price, assumed);
    return CLI_DONE;
}

static bool real(const char *option, const char *text, double min, double max, double *out) {
    char *end;
    if (!text) return true;
    const double v = strtod(text, &end);
    if (!*text || *end || !(v >= min && v <= max)) {
        cli_say(0, "plan: --%s must be a number from %g to %g, not \"%s\"", option, min, max, text);
        return false;
    }
    *out = v;
    return true;
}

static int run(struct cli *cli, int argc, char **argv) {
    enum { HOURS, CARD, CARDS, CORES, OPEN, CLIP, WATTS, PRICE, DISK, JSON, N };
    struct cli_option o[N] = {[HOURS] = {.name = "hours"},        [CARD] = {.name = "card"},
                              [CARDS] = {.name = "cards"},        [CORES] = {.name = "cores"},
                              [OPEN] = {.name = "open-pct"},      [CLIP] = {.name = "clip"},
                              [WATTS] = {.name = "card-watts"},   [PRICE] = {.name = "price-kwh"},
                              [DISK] = {.name = "disk-gb-per-s"}, [JSON] = {.name = "json", .flag = true}};
    int rest;
    struct wish w = {
        .cards = 1, .open = strcmp(cli->config.gate, "on") == 0 ? 25 : 100, .price = 0.25, .gb_per_s = 1};
    if (!cli_options(&cli_plan, argc, argv, o, N, &rest)) return CLI_USAGE;
    if (rest != 1 || !o[HOURS].value || !o[CARD].value || !o[CORES].value) {
        cli_usage(stderr, &cli_plan);
        return CLI_USAGE;
    }
    for (unsigned i = 0; i < sizeof boards / sizeof boards[0]; i++)
        if (strcmp(boards[i].card, o[CARD].value) == 0) w.card_watts = boards[i].watts;
    if (w.card_watts == 0) w.card_watts = 150;
    if (!real("hours", o[HOURS].value, 0.001, 1e6, &w.hours) ||
        !cli_number("cores", o[CORES].value, 1, 4096, &w.cores) ||
        (o[CARDS].value && !cli_number("cards", o[CARDS].value, 1, 64, &w.cards)) ||
        !real("open-pct", o[OPEN].value, 0, 100, &w.open) ||
        !real("card-watts", o[WATTS].value, 1, 1000, &w.card_watts) ||
        !real("price-kwh", o[PRICE].value, 0, 100, &w.price) ||
        !real("disk-gb-per-s", o[DISK].value, 0.001, 1000, &w.gb_per_s))
        return CLI_USAGE;
    w.open /= 100;
    struct decode_cost d = reference;
    json_t *card = card_plan(cli, o[CARD].value);
    int code = CLI_FAILED;
    if (card && (!o[CLIP].value || measure(cli, o[CLIP].value, &d)))
        code = show(cli, &w, o[CLIP].value, &d, card, o[JSON].value != NULL);
    json_decref(card);
    return code;
}

const struct cli_command cli_plan = {
    .name = "plan",
    .summary = "how long a requisition would take with a card, what holds it up, what it costs",
    .help =
        "plan --hours H --card NAME --cores N [--clip FILE] [--cards N] [--open-pct P]\n"
        "                [--card-watts W] [--price-kwh P] [--disk-gb-per-s G] [--json]\n"
        "  NAME is a description in sim/cards (u50lv, u55c, u250, vck5000, v70). FILE is a recording like "
        "those to\n"
        "  come, of a minute or so: decode is measured on it, here; without it the reference machine's is "
        "taken.\n"
        "  --open-pct  share of the footage that the gate opens (25; 100 with import.gate = off)\n"
        "  Every assumption is printed. Nothing of it is a measurement on a card.\n",
    .run = run,
};
