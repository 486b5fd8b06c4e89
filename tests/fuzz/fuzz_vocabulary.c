/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the vocabulary file: it loads whole, and then every value is found by its id and its name, or
 * not at all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/base/log.h"
#include "host/base/vocab.h"
#include "tests/fuzz/fuzz.h"

#define REQUIRE(x)                                                                                           \
    do {                                                                                                     \
        if (!(x)) abort();                                                                                   \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct vocab *v = NULL;
    char path[64];
    log_init("fuzz", LOG_ERROR);
    const int fd = memfd_create("vocabulary", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, n) != (ssize_t)n) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (vocab_load(path, &v) == OK) {
        size_t n_values, n_words;
        const struct vocab_value *all = vocab_all(v, &n_values);
        for (size_t i = 0; i < n_values; i++) {
            REQUIRE(vocab_by_id(v, all[i].field, all[i].id) == &all[i]);
            REQUIRE(vocab_by_name(v, all[i].field, all[i].name) == &all[i]);
        }
        const struct vocab_word *words = vocab_words(v, &n_words);
        for (size_t i = 0; i < n_words; i++) {
            size_t found;
            REQUIRE(words[i].n_words >= 1 && words[i].n_words <= VOCAB_WORDS_MAX);
            REQUIRE(words[i].n_values <= VOCAB_VALUES_MAX);
            REQUIRE(vocab_find(v, words[i].text, &found) && found >= 1);
        }
    }
    vocab_free(&v);
    close(fd);
    return 0;
}
