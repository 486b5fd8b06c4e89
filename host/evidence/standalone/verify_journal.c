/* SPDX-License-Identifier: Apache-2.0 */
/* verify_journal.c - checks an exported journal. Needs nothing but a C compiler and OpenSSL:
 *     cc -o verify_journal verify_journal.c -lcrypto
 *     ./verify_journal journal.tsv heads/<number>.txt...
 * journal.tsv: "#start", number and hash before the first line; then one line per entry, fields divided by
 * tabs: number, milliseconds UTC, user, role, action, case, object, detail, hash Each hash is the SHA-256 of:
 * the hash before, then the fields up to detail, each followed by a newline. So whoever changes, adds or
 * removes a line must recompute all that follow, and then no signed head fits any more. Ends with 0 when all
 * is well; names the first bad line otherwise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

enum { FIELDS = 9 };
static struct head {
    long long seq;
    char hash[65], file[256];
    int seen;
} heads[4096];
static int n_heads;

static int sha256_hex(const char *text, size_t n, char hex[65]) {
    unsigned char md[32];
    if (EVP_Digest(text, n, md, NULL, EVP_sha256(), NULL) != 1) return 0;
    for (int i = 0; i < 32; i++) sprintf(hex + 2 * i, "%02x", md[i]);
    return 1;
}

static void read_head(const char *file) {
    struct head *h = &heads[n_heads];
    FILE *f = n_heads < 4096 ? fopen(file, "r") : NULL;
    if (!f || fscanf(f, "relecture journal head 1 seq %lld hash %64[0-9a-f]", &h->seq, h->hash) != 2) {
        fprintf(stderr, "%s: not a signed head\n", file);
        exit(2);
    }
    fclose(f);
    snprintf(h->file, sizeof h->file, "%s", file);
    n_heads++;
}

static int bad(long long seq, const char *why) {
    printf("BAD: line %lld %s\n", seq, why);
    return 1;
}

int main(int argc, char **argv) {
    char *line = NULL, prev[65], hash[65];
    size_t cap = 0;
    long long expected = 0, n = 0;
    FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
    if (!f || getline(&line, &cap, f) < 0 ||
        sscanf(line, "#start\t%lld\t%64[0-9a-f]", &expected, prev) != 2) {
        fprintf(stderr, "usage: verify_journal journal.tsv [heads/<number>.txt...]\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) read_head(argv[i]);
    for (ssize_t len; (len = getline(&line, &cap, f)) > 0; n++) {
        char *field[FIELDS], *text, *p = line;
        int k = 0;
        expected++;
        if (line[len - 1] == '\n') line[--len] = 0;
        if (strlen(line) != (size_t)len) return bad(expected, "was altered (a zero byte)");
        for (field[k++] = p; k < FIELDS && (p = strchr(p, '\t')); field[k++] = ++p) *p = 0;
        if (k != FIELDS) return bad(expected, "was altered (fields)");
        if (atoll(field[0]) != expected) return bad(expected, "was altered or is missing (number)");
        if (!(text = malloc((size_t)len + 80))) return 2;
        size_t at = (size_t)sprintf(text, "%s\n", prev);
        for (int i = 0; i < FIELDS - 1; i++) at += (size_t)sprintf(text + at, "%s\n", field[i]);
        if (!sha256_hex(text, at, hash)) return 2;
        free(text);
        if (strcmp(hash, field[FIELDS - 1]) != 0) return bad(expected, "was altered (hash)");
        memcpy(prev, hash, sizeof prev);
        for (int i = 0; i < n_heads; i++) {
            if (heads[i].seq != expected) continue;
            heads[i].seen = 1;
            if (strcmp(heads[i].hash, hash) != 0) return bad(expected, "is not the one that was signed");
        }
    }
    for (int i = 0; i < n_heads; i++)
        if (!heads[i].seen && heads[i].seq > expected) return bad(heads[i].seq, "was signed and is missing");
    printf("OK: %lld lines, the last one is %lld, hash %s\n", n, expected, prev);
    return 0;
}
