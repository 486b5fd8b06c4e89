/* SPDX-License-Identifier: Apache-2.0 */
/* relecture card: what cards there are, whether one computes the right bytes, how fast it is. Everything goes
 * through the card worker, as an import does; on the simulator every time is the simulator's and is said to
 * be. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "driver/card_abi.h"
#include "host/app.h"
#include "host/base/clock.h"
#include "host/cli/cli.h"
#include "host/cli/cli_card.h"
#include "host/pipe/cards.h"

enum { PATTERN_W_PX = 768, PATTERN_H_PX = 576, SELFTEST_JOBS = 4, BENCH_SLOTS = 8, START_LIMIT_S = 150 };

/* One run of the card worker over a test picture. */
struct trial {
    struct event_base *base;
    struct cards *cards;
    struct slots *slots;
    struct wire_surface surface;
    uint32_t arena;
    unsigned n_sent, n_done, n_wanted, n_failed;
    uint64_t kernel_us, dpu_us, first_ns, last_ns;
    char sha256[65]; /* of the last result */
    bool differs;    /* two results of one picture were not the same bytes */
    char dead[256];
};

/* Every value of luma and chroma, edges in both directions: made of integers, so the same everywhere. */
static void draw_pattern(uint8_t *nv12) {
    for (unsigned y = 0; y < PATTERN_H_PX; y++)
        for (unsigned x = 0; x < PATTERN_W_PX; x++)
            nv12[y * PATTERN_W_PX + x] = (uint8_t)(x * 3 + y * 5 + ((x / 32 ^ y / 32) & 1) * 97);
    uint8_t *uv = nv12 + PATTERN_W_PX * PATTERN_H_PX;
    for (unsigned y = 0; y < PATTERN_H_PX / 2; y++)
        for (unsigned x = 0; x < PATTERN_W_PX; x++)
            uv[y * PATTERN_W_PX + x] = (uint8_t)(x * 7 + y * 11 + x / 64 * 31);
}

static void send_jobs(struct trial *t);

static void on_done(const struct cards_result *r, void *arg) {
    struct trial *t = arg;
    char sha256[65];
    t->n_done++;
    t->last_ns = clock_mono_ns();
    if (r->status || fs_sha256(r->out, r->n_bytes, sha256)) {
        t->n_failed++;
    } else {
        if (*t->sha256 && strcmp(t->sha256, sha256) != 0) t->differs = true;
        memcpy(t->sha256, sha256, sizeof t->sha256);
        t->kernel_us += r->kernel_us;
        t->dpu_us += r->dpu_us;
    }
    if (t->n_done == t->n_wanted)
        event_base_loopbreak(t->base);
    else
        send_jobs(t);
}

static void send_jobs(struct trial *t) {
    while (t->n_sent < t->n_wanted) {
        const enum err e =
            cards_detect(t->cards, t->arena, t->n_sent % slots_count(t->slots), &t->surface, on_done, t);
        if (e == ERR_AGAIN) return;
        if (e) {
            snprintf(t->dead, sizeof t->dead, "the card refuses the test picture (%s)", err_text(e));
            event_base_loopbreak(t->base);
            return;
        }
        if (t->n_sent++ == 0) t->first_ns = clock_mono_ns();
    }
}

static void on_ready(const struct wire_card_ready *ready, void *arg) {
    (void)ready;
    send_jobs(arg);
}

static void on_dead(enum err e, const char *text, void *arg) {
    struct trial *t = arg;
    (void)e;
    snprintf(t->dead, sizeof t->dead, "%.250s", text);
    event_base_loopbreak(t->base);
}

static enum err take_slots(struct trial *t) {
    enum err e = slots_new("test", BENCH_SLOTS, (size_t)PATTERN_W_PX * PATTERN_H_PX * 3 / 2, &t->slots);
    for (unsigned i = 0; i < BENCH_SLOTS && !e; i++) {
        unsigned slot;
        e = slots_take(t->slots, &slot);
        if (!e) draw_pattern(slots_at(t->slots, slot));
    }
    return e;
}

/* False after a message. The trial's figures are filled; trial_end() in any case. */
static bool trial_run(struct trial *t, const struct cli *cli, unsigned n_jobs) {
    struct importer_config ic;
    struct app_models models;
    app_importer_config(&cli->config, "", NULL, &models, &ic);
    *t = (struct trial){.n_wanted = n_jobs,
                        .surface = {.w_px = PATTERN_W_PX,
                                    .h_px = PATTERN_H_PX,
                                    .stride_bytes = PATTERN_W_PX,
                                    .uv_offset_bytes = PATTERN_W_PX * PATTERN_H_PX,
                                    .matrix = CARD_MATRIX_BT601}};
    t->base = event_base_new();
    enum err e = t->base ? take_slots(t) : ERR_NOMEM;
    if (!e) e = cards_new(t->base, &ic.cards, on_ready, on_dead, t, &t->cards);
    if (!e) e = cards_arena_add(t->cards, t->slots, &t->arena);
    if (!e) {
        const struct timeval limit = {START_LIMIT_S, 0};
        event_base_loopexit(t->base, &limit);
        event_base_dispatch(t->base);
        if (!*t->dead && t->n_done < t->n_wanted)
            snprintf(t->dead, sizeof t->dead, "no answer in %d s", START_LIMIT_S);
    }
    if (e) cli_say(0, "card: %s", err_text(e));
    if (*t->dead) cli_say(0, "card: no card can work: %s", t->dead);
    return !e && !*t->dead;
}

static void trial_end(struct trial *t) {
    cards_free(&t->cards);
    slots_free(&t->slots);
    if (t->base) event_base_free(t->base);
}

/* The folder of the simulator's description `name`; false after a message. */
bool cli_card_dir(const char *name, char out[static FS_PATH_MAX]) {
    char dir[FS_PATH_MAX], all[FS_PATH_MAX], file[FS_PATH_MAX];
    if (*name == '\0' || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name) ||
        fs_exe_dir(dir) || fs_join(all, dir, "sim/cards") || fs_join(out, all, name) ||
        fs_join(file, out, "card.toml") || access(file, R_OK) != 0) {
        cli_say(0, "card: no description of \"%s\"; see sim/cards", name);
        return false;
    }
    return true;
}

/* Sets the simulator to be that card. */
static bool choose_card(struct cli *cli, const char *name) {
    char dir[FS_PATH_MAX];
    if (strcmp(cli->config.backend, "simulator") != 0) {
        cli_say(0, "card: --card chooses among descriptions of the simulator, but card.backend = %s",
                cli->config.backend);
        return false;
    }
    if (!cli_card_dir(name, dir)) return false;
    snprintf(cli->config.xilinx_xrt, sizeof cli->config.xilinx_xrt, "%s", dir);
    return true;
}

/* The model's file with weights; false after a message. */
bool cli_golden_model(const char *model_dir, char out[static FS_PATH_MAX]) {
    char path[FS_PATH_MAX];
    json_t *o =
        fs_join(path, model_dir, "model.json") ? NULL : json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    const char *file =
        json_string_value(json_object_get(json_object_get(json_object_get(o, "files"), "golden"), "path"));
    const bool fine = file && fs_join(out, model_dir, file) == OK;
    json_decref(o);
    if (!fine) cli_say(0, "card: %s names no golden model; make models", path);
    return fine;
}

/* The hash that this model's outputs must have for the test picture; "" = none is known for it. */
static void expected_hash(const struct cli *cli, const struct wire_card_ready *m, char out[static 65]) {
    char dir[FS_PATH_MAX], path[FS_PATH_MAX], key[32];
    out[0] = 0;
    snprintf(key, sizeof key, "%ux%u", m->input.w, m->input.h);
    if (fs_join(dir, cli->config.models_dir, cli->config.detector) || fs_join(path, dir, "selftest.json"))
        return;
    json_t *o = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    const char *hash = json_string_value(json_object_get(o, key));
    if (hash && strlen(hash) == 64) memcpy(out, hash, 65);
    json_decref(o);
}

static int selftest(struct cli *cli, bool json) {
    struct trial t;
    int code = CLI_NO_CARD;
    if (trial_run(&t, cli, SELFTEST_JOBS)) {
        const struct wire_card_ready *m = cards_model(t.cards);
        char expected[65];
        expected_hash(cli, m, expected);
        const bool fits = t.n_failed == 0 && !t.differs && strcmp(expected, t.sha256) == 0;
        code = fits ? CLI_DONE : CLI_FAILED;
        if (json)
            cli_print_json(json_pack("{s:b,s:s,s:b,s:s,s:s,s:s,s:i}", "ok", (int)fits, "device", m->device,
                                     "simulated", (int)m->simulated, "model", m->model, "sha256", t.sha256,
                                     "expected", expected, "failed", (int)t.n_failed));
        else if (fits)
            printf("%s: %s gives the right bytes (%s, %u runs).\n", m->device, m->model, t.sha256, t.n_done);
        else if (!*expected)
            cli_say(0, "card selftest: no reference is known for %s at %ux%u; it gives %s", m->model,
                    m->input.w, m->input.h, t.sha256);
        else
            cli_say(0, "card selftest: %s gives WRONG bytes for %s: %s instead of %s, %u of %u runs failed%s",
                    m->device, m->model, t.sha256, expected, t.n_failed, t.n_done,
                    t.differs ? ", and they differ" : "");
    }
    trial_end(&t);
    return code;
}

static int bench(struct cli *cli, bool json, unsigned n_jobs) {
    struct trial t;
    int code = CLI_NO_CARD;
    if (trial_run(&t, cli, n_jobs)) {
        const struct wire_card_ready *m = cards_model(t.cards);
        const double s = (double)(t.last_ns - t.first_ns) / 1e9;
        const double n = t.n_done > t.n_failed ? t.n_done - t.n_failed : 1;
        code = t.n_failed ? CLI_FAILED : CLI_DONE;
        if (json)
            cli_print_json(json_pack("{s:s,s:b,s:s,s:i,s:i,s:f,s:f,s:f,s:i}", "device", m->device,
                                     "simulated", (int)m->simulated, "model", m->model, "lanes",
                                     (int)m->n_lanes, "frames", (int)t.n_done, "frames_per_s", n / s,
                                     "kernel_us", (double)t.kernel_us / n, "net_us", (double)t.dpu_us / n,
                                     "failed", (int)t.n_failed));
        else
            printf("%s, %s, %u lanes: %.1f frames/s of %ux%u; per frame and lane: kernels %.2f ms, network "
                   "%.2f ms%s\n",
                   m->device, m->model, m->n_lanes, n / s, (unsigned)PATTERN_W_PX, (unsigned)PATTERN_H_PX,
                   (double)t.kernel_us / n / 1e3, (double)t.dpu_us / n / 1e3,
                   m->simulated ? " (the simulator's times, not a card's)" : "");
    }
    trial_end(&t);
    return code;
}

/* The worker's own look at card `index`, printed by it. */
static int check_card(const struct cli *cli, unsigned index) {
    struct importer_config ic;
    struct app_models models;
    char number[16], xrt[FS_PATH_MAX + 16];
    app_importer_config(&cli->config, "", NULL, &models, &ic);
    snprintf(number, sizeof number, "%u", index);
    snprintf(xrt, sizeof xrt, "XILINX_XRT=%s", ic.cards.xilinx_xrt);
    const char *const argv[] = {ic.cards.exe, "--check",           "--card",  number,
                                "--xclbin",   ic.cards.xclbin,     "--model", ic.cards.model_dir,
                                "--runner",   ic.cards.runner_lib, NULL};
    const char *const env[] = {xrt, NULL};
    fflush(stdout);
    const pid_t pid = fork();
    if (pid < 0) return -1;
    if (pid == 0) {
        execve(ic.cards.exe, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
        _exit(127);
    }
    int status = 0;
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

static int list(struct cli *cli) {
    int status = 0;
    for (unsigned i = 0; i < (unsigned)cli->config.n_cards; i++) {
        printf("card            %u (%s)\n", i, cli->config.backend);
        status = check_card(cli, i);
        if (status == 127) return cli_say(CLI_FAILED, "card: %s cannot be started", cli->config.card_exe);
        if (status) break;
    }
    if (status)
        return cli_say(CLI_NO_CARD, "card: card.backend = %s cannot work; the line above says why",
                       cli->config.backend);
    return CLI_DONE;
}

/* The time the described card would take, without waiting for it: XIR ends the process on a bad file, so what
 * reads the model is a program of its own, and we become it. */
static int plan(const struct cli *cli, const char *name, long frames) {
    char exe_dir[FS_PATH_MAX], model[FS_PATH_MAX], tool[FS_PATH_MAX], number[16];
    char dir[FS_PATH_MAX], card[FS_PATH_MAX], verb[] = "plan";
    struct importer_config ic;
    struct app_models models;
    app_importer_config(&cli->config, "", NULL, &models, &ic);
    snprintf(number, sizeof number, "%ld", frames);
    if (fs_exe_dir(exe_dir) || fs_join(tool, exe_dir, "relecture-model") ||
        !cli_golden_model(ic.cards.model_dir, model) || !cli_card_dir(name, dir) ||
        fs_join(card, dir, "card.toml"))
        return CLI_FAILED;
    char *const args[] = {tool, verb, model, card, number, NULL};
    execv(tool, args);
    return cli_say(CLI_FAILED, "card: %s cannot be started", tool);
}

static int run(struct cli *cli, int argc, char **argv) {
    struct cli_option o[] = {{.name = "json", .flag = true},
                             {.name = "frames"},
                             {.name = "card"},
                             {.name = "virtual", .flag = true}};
    int rest;
    long frames = 200;
    if (!cli_options(&cli_card, argc, argv, o, 4, &rest)) return CLI_USAGE;
    if (o[1].value && !cli_number("frames", o[1].value, 1, 100000, &frames)) return CLI_USAGE;
    const bool json = o[0].value != NULL;
    if (o[3].value) {
        if (rest == 2 && strcmp(argv[1], "bench") == 0 && o[2].value) return plan(cli, o[2].value, frames);
        cli_usage(stderr, &cli_card);
        return CLI_USAGE;
    }
    if (o[2].value && !choose_card(cli, o[2].value)) return CLI_FAILED;
    if (rest == 2 && (strcmp(argv[1], "list") == 0 || strcmp(argv[1], "info") == 0)) return list(cli);
    if (rest == 2 && strcmp(argv[1], "selftest") == 0) return selftest(cli, json);
    if (rest == 2 && strcmp(argv[1], "bench") == 0) return bench(cli, json, (unsigned)frames);
    cli_usage(stderr, &cli_card);
    return CLI_USAGE;
}

const struct cli_command cli_card = {
    .name = "card",
    .summary = "list the cards, check that one computes right, measure it",
    .help = "[-d DIR] card list|info\n"
            "       relecture [-d DIR] card selftest [--json]\n"
            "       relecture [-d DIR] card bench [--frames N] [--json]\n"
            "       relecture [-d DIR] card bench --virtual --card NAME [--frames N]\n"
            "  Through the card worker, with the card.* settings of DIR (or the defaults: the simulator).\n"
            "  --card NAME takes the simulator's description NAME (u50lv, u55c, u250, vck5000, v70) and its "
            "time; with\n"
            "  --virtual that time is calculated, queues included, and nothing waits.\n"
            "  selftest compares the detector's output bytes for a test picture with the committed hash.\n"
            "  Exit: 0 fine, 1 wrong bytes or failed runs, 5 no card can work.\n",
    .run = run,
};
