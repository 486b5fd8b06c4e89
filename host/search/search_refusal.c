/* SPDX-License-Identifier: Apache-2.0 */
/* search_refusal.c - what people are told when a search is not run, and about each word in any case. */
#include <stdio.h>
#include <string.h>

#include "host/search/search_internal.h"

/* What was said and not used, by its own text: the page shows it beside the tokens. */
static json_t *texts_in_state(const struct question *s, const char *state) {
    json_t *out = json_array(), *tokens = search_tokens_json(s), *t;
    size_t i;
    json_array_foreach(tokens, i, t) {
        const char *is = json_string_value(json_object_get(t, "state"));
        if (is && strcmp(is, state) == 0) json_array_append(out, json_object_get(t, "text"));
    }
    json_decref(tokens);
    return out;
}
void search_add_words(const struct question *s, json_t *answer) {
    json_t *kept = json_array(), *tokens = search_tokens_json(s), *t;
    size_t i;
    json_array_foreach(tokens, i, t) {
        const char *is = json_string_value(json_object_get(t, "state"));
        if (is && strcmp(is, "unknown") != 0 && strcmp(is, "refused") != 0) json_array_append(kept, t);
    }
    json_decref(tokens);
    json_object_set_new(answer, "tokens", kept);
    json_object_set_new(answer, "ignored", texts_in_state(s, "unknown"));
    json_object_set_new(answer, "refused", texts_in_state(s, "refused"));
}

struct told {
    const char *key, *fr, *en;
};
static const struct told messages[] = {
    {"refused_word", "La loi interdit cette recherche.", "The law forbids this search."},
    {"criterion_not_allowed", "Ce critère n'est pas autorisé dans ce dossier.",
     "This criterion is not allowed in this case."},
    {"outside_period", "La date demandée sort de la période autorisée par la réquisition.",
     "The date asked for lies outside the period that the requisition allows."},
    {"outside_cameras", "Une caméra demandée n'est pas dans la réquisition.",
     "A camera asked for is not in the requisition."},
    {"not_understood", "Aucun mot n'a été compris.", "No word was understood."},
    {"two_objects", "Une recherche décrit un seul objet : une personne, ou un véhicule.",
     "One search describes one object: a person, or a vehicle."},
    {"too_long", "La phrase demande trop de choses à la fois.", "The sentence asks too much at once."},
    {"timeout", "La recherche a pris trop de temps ; réduisez la période ou les caméras.",
     "The search took too long; narrow the period or the cameras."},
    {"vehicles_only", "Seul un véhicule peut être suivi de caméra en caméra.",
     "Only a vehicle can be followed from camera to camera."},
    {"not_found", "Ce passage n'existe pas dans ce dossier.", "There is no such passage in this case."},
    {"bad_request", "La demande n'a pas la forme attendue.", "The request does not have the expected form."},
};
static const struct told not_yet = {
    "", "Ces mots sont connus, mais rien de ce qu'ils disent ne peut encore être cherché.",
    "These words are known, but nothing of what they say can be searched yet."};
static const struct told bare_colour = {"", " Pour le vêtement, dites « haut noir » ou « en noir ».",
                                        " For clothes, say \"black top\" or \"in black\"."};

/* What a refused word is about. */
static const struct told reasons[] = {
    {"sex", "le sexe ou le genre", "sex or gender"},
    {"age", "l'âge", "age"},
    {"skin", "la couleur de la peau", "the colour of skin"},
    {"origin", "l'origine", "origin"},
    {"religion", "la religion", "religion"},
    {"health", "la santé ou le handicap", "health or disability"},
    {"hair", "les cheveux ou la barbe", "hair or beard"},
    {"body", "la corpulence ou le corps", "the body"},
    {"identity", "l'identité", "identity"},
    {"face", "le visage ou la biométrie", "the face or biometrics"},
};

static const char *in_language(const struct question *s, const struct told *t) {
    return s->language == VOCAB_EN ? t->en : t->fr;
}

static const char *message_of(const char *code, const struct question *s) {
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        if (strcmp(messages[i].key, code) == 0) return in_language(s, &messages[i]);
    return "";
}

/* « homme » : le sexe ou le genre. La loi interdit cette recherche. */
static json_t *refused_message(const struct question *s) {
    const struct grammar_token *t = &s->said->tokens[s->said->stop_token];
    const char *about = "";
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strcmp(reasons[i].key, t->value) == 0) about = in_language(s, &reasons[i]);
    return json_sprintf(s->language == VOCAB_EN ? "\"%.*s\": %s. %s%s" : "« %.*s » : %s. %s%s",
                        (int)t->n_bytes, s->sentence + t->at, about, message_of("refused_word", s),
                        t->note[0] ? in_language(s, &bare_colour) : "");
}

static bool some_known(const struct question *s) {
    for (unsigned i = 0; s->said && i < s->said->n_tokens; i++)
        if (s->said->tokens[i].state != GRAMMAR_UNKNOWN) return true;
    return false;
}

json_t *search_refusal_json(const struct question *s, enum err e) {
    const char *code = s->code;
    if (!code)
        code = e == ERR_TIMEOUT  ? "timeout"
               : e == ERR_USAGE  ? "bad_request"
               : e == ERR_DENIED ? "criterion_not_allowed"
                                 : NULL;
    if (!code) return NULL; /* a fault of ours, not an answer */
    char key[64];
    snprintf(key, sizeof key, "error.%s", code);
    json_t *message = NULL;
    if (strcmp(code, "refused_word") == 0)
        message = refused_message(s);
    else if (strcmp(code, "not_understood") == 0 && some_known(s))
        message = json_string(in_language(s, &not_yet));
    if (!message) message = json_string(message_of(code, s));
    json_t *answer = json_pack("{s:s,s:s,s:o,s:O*}", "code", code, "message_key", key, "message", message,
                               "params", s->params);
    if (answer) search_add_words(s, answer);
    return answer;
}
