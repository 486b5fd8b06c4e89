/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/model_policy.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define N_OF(a) (sizeof(a) / sizeof *(a))

bool model_task_allowed(const char *task) {
    static const char *const allowed[] = {"detect",       "plate_find",   "plate_read", "vehicle_color",
                                          "vehicle_type", "vehicle_make", "clothing"};
    for (size_t i = 0; i < N_OF(allowed); i++)
        if (strcmp(task, allowed[i]) == 0) return true;
    return false;
}

static bool word_refused(const char *w) {
    static const char *const words[] = {"facial",   "reid",           "personreid", "reidentification",
                                        "identity", "identification", "embedding",  "embeddings",
                                        "fairmot",  "biometric",      "biometrics", "age",
                                        "ages",     "aged",           "child",      "children",
                                        "adult",    "elderly",        "sex",        "gender",
                                        "male",     "female",         "man",        "men",
                                        "woman",    "women",          "boy",        "girl",
                                        "hair",     "haired",         "beard",      "race",
                                        "racial",   "ethnic",         "ethnicity",  "emotion",
                                        "religion"};
    static const char *const no_faces[] = {"surface", "interface", "typeface"};
    size_t n = strlen(w);
    for (size_t i = 0; i < N_OF(words); i++)
        if (strcmp(w, words[i]) == 0) return true;
    for (size_t i = 0; i < N_OF(no_faces); i++)
        if (strcmp(w, no_faces[i]) == 0) return false;
    /* faces, facenet, retinaface ... */
    return strncmp(w, "face", 4) == 0 || (n > 4 && strcmp(w + n - 4, "face") == 0);
}

bool model_word_refused(const char *text) {
    char word[64], before[64] = "";
    /* An object of the COCO labels, not a person's hair. */
    if (strcasecmp(text, "hair drier") == 0 || strcasecmp(text, "hair dryer") == 0) return false;
    for (const char *p = text; *p;) {
        size_t n = 0;
        while (*p && !isalnum((unsigned char)*p)) p++;
        while (*p && isalnum((unsigned char)*p)) {
            if (n < sizeof word - 1) word[n++] = (char)tolower((unsigned char)*p);
            p++;
        }
        word[n] = 0;
        if (!n) break;
        if (word_refused(word)) return true;
        if (strcmp(before, "re") == 0 && (strcmp(word, "id") == 0 || strcmp(word, "identification") == 0))
            return true;
        memcpy(before, word, sizeof before);
    }
    return false;
}
