/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/clock.h"
#include "host/cli/cli.h"
#include "host/index/index.h"
#include "host/search/search.h"

static char *join(char **words, int n) {
    size_t len = 1;
    for (int i = 0; i < n; i++) len += strlen(words[i]) + 1;
    char *s = calloc(1, len);
    for (int i = 0; s && i < n; i++) {
        if (i > 0) strcat(s, " ");
        strcat(s, words[i]);
    }
    return s;
}

/* Who asked what, and how many it was: written before the answer is shown. */
static bool journal_search(struct register_db *r, const char *case_id, const char *sentence,
                           const json_t *answer, enum err e) {
    const json_t *total = json_object_get(answer, "total");
    json_t *ids = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(answer, "items"), i, item)
        json_array_append(ids, json_object_get(item, "id"));
    json_t *detail = json_pack("{s:s,s:I,s:o}", "sentence", sentence, "total",
                               total ? json_integer_value(total) : (json_int_t)-1, "ids", ids);
    if (!detail) detail = json_object();
    if (e) json_object_set(detail, "refused", json_object_get(answer, "code"));
    return cli_journal_add(r, e ? "search.refused" : "search", case_id, "", detail);
}

static int answer_one(struct cli *cli, struct register_db *r, const struct search_context *ctx,
                      const char *sentence, const long page[2], bool json) {
    (void)cli;
    json_t *answer = NULL;
    const enum err e = search_sentence(ctx, sentence, (unsigned)page[0], (unsigned)page[1], &answer);
    int code = e == ERR_DENIED ? CLI_REFUSED : e == ERR_USAGE ? CLI_USAGE : e ? CLI_FAILED : CLI_DONE;
    if (!answer) return cli_say(code ? code : CLI_FAILED, "search: %s", err_text(e));
    if (!journal_search(r, ctx->c->id, sentence, answer, e)) {
        json_decref(answer);
        return CLI_FAILED;
    }
    if (json) {
        cli_print_json(answer);
        return code;
    }
    if (e)
        cli_say(0, "search: %s", json_string_value(json_object_get(answer, "message")));
    else
        search_print(stdout, answer);
    json_decref(answer);
    return code;
}

static int search(struct cli *cli, struct register_db *r, const struct case_file *c, const char *sentence,
                  const char *language, const long page[2], bool json) {
    int code = CLI_FAILED;
    struct vocab *v = cli_vocab(cli);
    struct index_reader *reader = NULL;
    struct camera *cameras = NULL;
    unsigned n_cameras = 0;
    enum err e = v ? index_reader_open(cli->dir, v, &reader) : ERR_MISSING;
    if (!e) e = camera_list(r, &cameras, &n_cameras);
    if (e) {
        if (v) cli_say(0, "search: the index of %s cannot be opened: %s", cli->dir, err_text(e));
    } else {
        const struct search_context ctx = {.vocab = v,
                                           .reader = reader,
                                           .c = c,
                                           .cameras = cameras,
                                           .n_cameras = n_cameras,
                                           .now_ms = clock_wall_ms(),
                                           .tz = cli->config.tz,
                                           .language = language};
        code = answer_one(cli, r, &ctx, sentence, page, json);
    }
    free(cameras);
    index_reader_close(&reader);
    vocab_free(&v);
    return code;
}

static int run(struct cli *cli, int argc, char **argv) {
    enum { CASE, LIMIT, OFFSET, LANGUAGE, JSON, N };
    struct cli_option o[N] = {[CASE] = {.name = "case"},
                              [LIMIT] = {.name = "limit"},
                              [OFFSET] = {.name = "offset"},
                              [LANGUAGE] = {.name = "language"},
                              [JSON] = {.name = "json", .flag = true}};
    int rest;
    if (!cli_options(&cli_search, argc, argv, o, N, &rest)) return CLI_USAGE;
    if (rest < 2) return cli_say(CLI_USAGE, "search: say what to look for, as in \"personne haut rouge\"");
    long page[2] = {50, 0};
    if ((o[LIMIT].value && !cli_number("limit", o[LIMIT].value, 1, 200, &page[0])) ||
        (o[OFFSET].value && !cli_number("offset", o[OFFSET].value, 0, 1000000, &page[1])))
        return CLI_USAGE;
    const char *language = o[LANGUAGE].value ? o[LANGUAGE].value : cli->config.language;
    if (strcmp(language, "fr") != 0 && strcmp(language, "en") != 0)
        return cli_say(CLI_USAGE, "search: --language is fr or en");
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    int code = CLI_USAGE;
    struct case_file c;
    char *sentence = join(argv + 1, rest - 1);
    if (sentence && cli_case_get(r, o[CASE].value, &c)) {
        code = search(cli, r, &c, sentence, language, page, o[JSON].value != NULL);
        case_fini(&c);
    }
    free(sentence);
    register_close(&r);
    return code;
}

const struct cli_command cli_search = {
    .name = "search",
    .summary = "find passages inside a case",
    .help = "search --case CASE [--json] [--limit 1..200] [--offset N] [--language fr|en] SENTENCE\n"
            "  SENTENCE: \"fourgon blanc mardi 14h-16h\", \"personne haut rouge\", \"grey or blue car\" ...\n"
            "  Exit: 0 answered (also with no passage), 2 not understood, 4 outside the case or refused by "
            "law.\n",
    .needs_dir = true,
    .run = run,
};
