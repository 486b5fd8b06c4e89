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
static bool journal_search(struct register_db *r, const char *case_id, const json_t *body,
                           const json_t *answer, enum err e) {
    const json_t *total = json_object_get(answer, "total");
    json_t *ids = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(answer, "items"), i, item)
        json_array_append(ids, json_object_get(item, "id"));
    json_array_foreach(json_object_get(answer, "hops"), i, item)
        json_array_append(ids, json_object_get(json_object_get(item, "sighting"), "id"));
    json_t *detail = json_pack("{s:O,s:I,s:o}", "asked", body, "total",
                               total ? json_integer_value(total) : (json_int_t)-1, "ids", ids);
    if (!detail) detail = json_object();
    if (e) json_object_set(detail, "refused", json_object_get(answer, "code"));
    return cli_journal_add(r, e ? "search.refused" : "search", case_id, "", detail);
}

static int answer_one(struct register_db *r, const struct search_context *ctx, const json_t *body,
                      bool json) {
    json_t *answer = NULL;
    const bool route = json_object_get(body, "seed_sighting_id") != NULL;
    const enum err e = route ? search_route(ctx, body, &answer) : search_json(ctx, body, &answer);
    int code = e == ERR_DENIED ? CLI_REFUSED : e == ERR_USAGE ? CLI_USAGE : e ? CLI_FAILED : CLI_DONE;
    if (!answer) return cli_say(code ? code : CLI_FAILED, "search: %s", err_text(e));
    if (!journal_search(r, ctx->c->id, body, answer, e)) {
        json_decref(answer);
        return CLI_FAILED;
    }
    if (json) {
        cli_print_json(answer);
        return code;
    }
    if (route && !e)
        search_route_print(stdout, answer);
    else
        search_print(e ? stderr : stdout, answer);
    json_decref(answer);
    return code;
}

static int search(struct cli *cli, struct register_db *r, const struct case_file *c, const json_t *body,
                  const char *language, bool json) {
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
        code = answer_one(r, &ctx, body, json);
    }
    free(cameras);
    index_reader_close(&reader);
    vocab_free(&v);
    return code;
}

/* The question as the API takes it: the members of --ask, and what the command line says beside. NULL: told.
 */
static json_t *body_of(const char *sentence, const char *ask, const char *route, const long page[2]) {
    json_error_t error;
    if (route) return json_pack("{s:s}", "seed_sighting_id", route);
    json_t *body = ask ? json_loads(ask, JSON_REJECT_DUPLICATES, &error) : json_object();
    if (!json_is_object(body)) {
        cli_say(0, "search: --ask is a JSON object, as in '{\"where\": [{\"field\": \"upper_colour\", "
                   "\"any\": [\"red\"]}]}'");
        json_decref(body);
        return NULL;
    }
    json_object_set_new(body, "limit", json_integer(page[0]));
    json_object_set_new(body, "offset", json_integer(page[1]));
    if (*sentence && json_object_set_new(body, "sentence", json_string(sentence)) != 0) {
        cli_say(0, "search: the sentence is not UTF-8");
        json_decref(body);
        return NULL;
    }
    return body;
}

static int run(struct cli *cli, int argc, char **argv) {
    enum { CASE, LIMIT, OFFSET, LANGUAGE, ASK, ROUTE, JSON, N };
    struct cli_option o[N] = {[CASE] = {.name = "case"},
                              [LIMIT] = {.name = "limit"},
                              [OFFSET] = {.name = "offset"},
                              [LANGUAGE] = {.name = "language"},
                              [ASK] = {.name = "ask"},
                              [ROUTE] = {.name = "route"},
                              [JSON] = {.name = "json", .flag = true}};
    int rest;
    if (!cli_options(&cli_search, argc, argv, o, N, &rest)) return CLI_USAGE;
    if (rest < 2 && !o[ASK].value && !o[ROUTE].value)
        return cli_say(CLI_USAGE, "search: say what to look for, as in \"personne haut rouge\"");
    long page[2] = {50, 0};
    if ((o[LIMIT].value && !cli_number("limit", o[LIMIT].value, 1, 200, &page[0])) ||
        (o[OFFSET].value && !cli_number("offset", o[OFFSET].value, 0, 1000000, &page[1])))
        return CLI_USAGE;
    const char *language = o[LANGUAGE].value ? o[LANGUAGE].value : cli->config.language;
    if (strcmp(language, "fr") != 0 && strcmp(language, "en") != 0)
        return cli_say(CLI_USAGE, "search: --language is fr or en");
    if (!cli_zone_is_known(cli)) return CLI_USAGE;
    struct register_db *r = cli_register(cli);
    if (!r) return CLI_FAILED;
    int code = CLI_USAGE;
    struct case_file c;
    char *sentence = join(argv + 1, rest - 1);
    json_t *body = sentence ? body_of(sentence, o[ASK].value, o[ROUTE].value, page) : NULL;
    if (body && cli_case_get(cli, r, o[CASE].value, &c)) {
        code = search(cli, r, &c, body, language, o[JSON].value != NULL);
        case_fini(&c);
    }
    json_decref(body);
    free(sentence);
    register_close(&r);
    return code;
}

const struct cli_command cli_search = {
    .name = "search",
    .summary = "find passages inside a case",
    .help =
        "search --case CASE [--json] [--limit 1..200] [--offset N] [--language fr|en] [--ask JSON] SENTENCE\n"
        "  SENTENCE: \"fourgon blanc mardi 14h-16h\", \"personne haut rouge\", \"grey or blue car\" ...\n"
        "  --ask: members of the API's search body, joined to the sentence (host/http/API.md, \"Search\"):\n"
        "    "
        "'{\"sort\":\"score\",\"where\":[{\"field\":\"upper_colour\",\"any\":[\"red\",\"orange\"],\"maybe\":"
        "true}]}'\n"
        "  --route ID: the vehicle of that passage from camera to camera, instead of a sentence\n"
        "  Exit: 0 answered (also with no passage), 2 not understood, 4 outside the case or refused by "
        "law.\n",
    .needs_dir = true,
    .run = run,
};
