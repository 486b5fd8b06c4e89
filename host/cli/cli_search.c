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
static bool journal_search(struct register_db *r, struct index_reader *reader, const char *case_id,
                           const json_t *body, const json_t *answer, enum err e) {
    char index[65];
    const json_t *total = json_object_get(answer, "total");
    json_t *ids = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(answer, "items"), i, item)
        json_array_append(ids, json_object_get(item, "id"));
    json_array_foreach(json_object_get(answer, "hops"), i, item)
        json_array_append(ids, json_object_get(json_object_get(item, "sighting"), "id"));
    json_array_foreach(json_object_get(answer, "pairs"), i, item) {
        json_array_append(ids, json_object_get(json_object_get(item, "from"), "id"));
        json_array_append(ids, json_object_get(json_object_get(item, "to"), "id"));
    }
    json_t *detail = json_pack("{s:O,s:I,s:o}", "asked", body, "total",
                               total ? json_integer_value(total) : (json_int_t)-1, "ids", ids);
    if (!detail) detail = json_object();
    if (json_object_get(answer, "tokens"))
        json_object_set(detail, "tokens", json_object_get(answer, "tokens"));
    if (json_object_get(answer, "coverage"))
        json_object_set(detail, "coverage", json_object_get(answer, "coverage"));
    if (index_fingerprint(reader, index) == OK) json_object_set_new(detail, "index", json_string(index));
    if (e) json_object_set(detail, "refused", json_object_get(answer, "code"));
    return cli_journal_add(r, e ? "search.refused" : "search", case_id, "", detail);
}

static int answer_one(struct register_db *r, const struct search_context *ctx, const json_t *body,
                      bool json) {
    json_t *answer = NULL;
    const bool route = json_object_get(body, "seed_sighting_id"),
               pairs = json_object_get(body, "from_camera_id");
    const enum err e = pairs   ? search_pairs(ctx, body, &answer)
                       : route ? search_route(ctx, body, &answer)
                               : search_json(ctx, body, &answer);
    int code = e == ERR_DENIED ? CLI_REFUSED : e == ERR_USAGE ? CLI_USAGE : e ? CLI_FAILED : CLI_DONE;
    if (!answer) return cli_say(code ? code : CLI_FAILED, "search: %s", err_text(e));
    if (!journal_search(r, ctx->reader, ctx->c->id, body, answer, e)) {
        json_decref(answer);
        return CLI_FAILED;
    }
    if (json) {
        cli_print_json(answer);
        return code;
    }
    if (pairs && !e)
        search_pairs_print(stdout, answer);
    else if (route && !e)
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
    struct camera_group *groups = NULL;
    unsigned n_cameras = 0, n_groups = 0;
    enum err e = v ? index_reader_open(cli->dir, v, &reader) : ERR_MISSING;
    if (!e) e = camera_list(r, &cameras, &n_cameras);
    if (!e) e = camera_group_list(r, &groups, &n_groups);
    if (e) {
        if (v) cli_say(0, "search: the index of %s cannot be opened: %s", cli->dir, err_text(e));
    } else {
        const struct search_context ctx = {.vocab = v,
                                           .reader = reader,
                                           .c = c,
                                           .cameras = cameras,
                                           .n_cameras = n_cameras,
                                           .groups = groups,
                                           .n_groups = n_groups,
                                           .now_ms = clock_wall_ms(),
                                           .tz = cli->config.tz,
                                           .language = language};
        code = answer_one(r, &ctx, body, json);
    }
    for (unsigned i = 0; i < n_groups; i++) camera_group_fini(&groups[i]);
    free(groups);
    free(cameras);
    index_reader_close(&reader);
    vocab_free(&v);
    return code;
}

enum {
    CASE,
    LIMIT,
    OFFSET,
    LANGUAGE,
    ASK,
    ROUTE,
    PLATE,
    LIKE,
    TOGETHER,
    FROM_CAMERA,
    TO_CAMERA,
    WITHIN,
    SORT,
    JSON,
    N
};

/* "Plate X here, then there": a question of its own (host/http/API.md, "Routes"). */
static json_t *pairs_body(const struct cli_option *o, const long page[2], long within_s) {
    return json_pack("{s:s,s:s*,s:s*,s:I,s:I}", "from_camera_id", o[FROM_CAMERA].value, "to_camera_id",
                     o[TO_CAMERA].value, "plate", o[PLATE].value, "within_s", (json_int_t)within_s, "limit",
                     (json_int_t)page[0]);
}

static void put(json_t *body, const char *key, json_t *member_taken) {
    if (member_taken) json_object_set_new(body, key, member_taken);
}

/* The question as the API takes it: the members of --ask, and what the command line says beside. NULL: told.
 */
static json_t *body_of(const char *sentence, const struct cli_option *o, const long page[2], long within_s) {
    json_error_t error;
    if (o[ROUTE].value) return json_pack("{s:s}", "seed_sighting_id", o[ROUTE].value);
    if (o[FROM_CAMERA].value) return pairs_body(o, page, within_s);
    json_t *body = o[ASK].value ? json_loads(o[ASK].value, JSON_REJECT_DUPLICATES, &error) : json_object();
    if (!json_is_object(body)) {
        cli_say(0, "search: --ask is a JSON object, as in '{\"where\": [{\"field\": \"upper_colour\", "
                   "\"any\": [\"red\"]}]}'");
        json_decref(body);
        return NULL;
    }
    put(body, "limit", json_integer(page[0]));
    put(body, "offset", json_integer(page[1]));
    if (o[SORT].value) put(body, "sort", json_string(o[SORT].value));
    if (o[PLATE].value) put(body, "plate", json_pack("{s:s}", "pattern", o[PLATE].value));
    if (o[LIKE].value) put(body, "like", json_pack("{s:s}", "sighting_id", o[LIKE].value));
    if (o[TOGETHER].value)
        put(body, "together",
            json_pack("{s:s,s:I}", "sighting_id", o[TOGETHER].value, "within_s", (json_int_t)within_s));
    if (*sentence && json_object_set_new(body, "sentence", json_string(sentence)) != 0) {
        cli_say(0, "search: the sentence is not UTF-8");
        json_decref(body);
        return NULL;
    }
    return body;
}

/* Something to look for, and nothing that another option leaves without meaning. */
static bool options_fit(const struct cli_option *o, bool sentence) {
    const bool asked = sentence || o[ASK].value || o[PLATE].value || o[LIKE].value || o[TOGETHER].value;
    if (!asked && !o[ROUTE].value && !o[FROM_CAMERA].value) {
        cli_say(0, "search: say what to look for, as in \"personne haut rouge\"");
        return false;
    }
    if (o[TO_CAMERA].value && !o[FROM_CAMERA].value) {
        cli_say(0, "search: --to-camera goes with --from-camera");
        return false;
    }
    if (o[WITHIN].value && !o[FROM_CAMERA].value && !o[TOGETHER].value) {
        cli_say(0, "search: --within goes with --from-camera or --together");
        return false;
    }
    const bool alone = o[ROUTE].value || o[FROM_CAMERA].value;
    if (alone && (sentence || o[ASK].value || o[LIKE].value || o[TOGETHER].value || o[SORT].value ||
                  o[OFFSET].value || (o[ROUTE].value && (o[PLATE].value || o[FROM_CAMERA].value)))) {
        cli_say(0, "search: %s is a question of its own, without a sentence",
                o[ROUTE].value ? "--route" : "--from-camera");
        return false;
    }
    return true;
}

static int run(struct cli *cli, int argc, char **argv) {
    struct cli_option o[N] = {[CASE] = {.name = "case"},
                              [LIMIT] = {.name = "limit"},
                              [OFFSET] = {.name = "offset"},
                              [LANGUAGE] = {.name = "language"},
                              [ASK] = {.name = "ask"},
                              [ROUTE] = {.name = "route"},
                              [PLATE] = {.name = "plate"},
                              [LIKE] = {.name = "like"},
                              [TOGETHER] = {.name = "together"},
                              [FROM_CAMERA] = {.name = "from-camera"},
                              [TO_CAMERA] = {.name = "to-camera"},
                              [WITHIN] = {.name = "within"},
                              [SORT] = {.name = "sort"},
                              [JSON] = {.name = "json", .flag = true}};
    int rest;
    if (!cli_options(&cli_search, argc, argv, o, N, &rest) || !options_fit(o, rest >= 2)) return CLI_USAGE;
    long page[2] = {50, 0}, within_s = o[TOGETHER].value ? 10 : 600;
    if ((o[LIMIT].value && !cli_number("limit", o[LIMIT].value, 1, 200, &page[0])) ||
        (o[OFFSET].value && !cli_number("offset", o[OFFSET].value, 0, 1000000, &page[1])) ||
        (o[WITHIN].value && !cli_number("within", o[WITHIN].value, 1, 86400, &within_s)))
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
    json_t *body = sentence ? body_of(sentence, o, page, within_s) : NULL;
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
        "search --case CASE [--json] [--limit 1..200] [--offset N] [--language fr|en] [--sort "
        "newest|oldest|score]\n"
        "              [--plate PLATE] [--like ID] [--together ID [--within S]] [--ask JSON] [SENTENCE]\n"
        "       search --case CASE --from-camera CAMERA [--to-camera CAMERA] [--within S] [--plate PLATE]\n"
        "       search --case CASE --route ID\n"
        "  SENTENCE: \"fourgon blanc mardi 14h-16h\", \"personne haut rouge\", \"grey or blue car\" ...\n"
        "  --plate: AB-123-CD with its look-alikes, AB-1?3-* by pattern\n"
        "  --like: the vehicles most like the one of that passage\n"
        "  --together: what passed the same camera within S seconds (10) of that passage\n"
        "  --ask: members of the API's search body, joined to the sentence (host/http/API.md, \"Search\"):\n"
        "    "
        "'{\"sort\":\"score\",\"where\":[{\"field\":\"upper_colour\",\"any\":[\"red\",\"orange\"],\"maybe\":"
        "true}]}'\n"
        "  --from-camera: the same plate there and then, within S seconds (600), at another camera or at\n"
        "    --to-camera; any plate, or --plate alone\n"
        "  --route ID: the vehicle of that passage from camera to camera\n"
        "  Exit: 0 answered (also with no passage), 2 not understood, 4 outside the case or refused by "
        "law.\n",
    .needs_dir = true,
    .run = run,
};
