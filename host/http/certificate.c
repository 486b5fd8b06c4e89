/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "host/base/fs.h"
#include "host/base/log.h"

#define LIFE_S (10L * 365 * 24 * 3600)

static enum err paths(const char *dir, char key[static FS_PATH_MAX], char cert[static FS_PATH_MAX]) {
    const enum err e = fs_join(key, dir, "tls/key.pem");
    return e ? e : fs_join(cert, dir, "tls/cert.pem");
}

static const char *last_error(void) {
    static __thread char text[160];
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    ERR_clear_error();
    return text;
}

/* ---- making ----------------------------------------------------------------------------------------------
 */

/* "IP:192.0.2.1" or "DNS:name" appended to `out`; a name that is neither is left out by false. */
static bool add_name(char *out, size_t cap, const char *name) {
    unsigned char address[16];
    const bool ip = inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
    if (!ip &&
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") != strlen(name))
        return false;
    const size_t n = strlen(out);
    return (size_t)snprintf(out + n, cap - n, "%s%s:%s", n ? "," : "", ip ? "IP" : "DNS", name) < cap - n;
}

static bool list_names(char *out, size_t cap, const char *names) {
    char host[256] = "", *copy = strdup(names), *save = NULL;
    bool fine = copy && add_name(out, cap, "localhost") && add_name(out, cap, "127.0.0.1") &&
                add_name(out, cap, "::1");
    if (gethostname(host, sizeof host - 1) == 0 && *host && strcmp(host, "localhost") != 0)
        (void)add_name(out, cap, host); /* a machine may have a name that no certificate can hold */
    for (char *name = fine ? strtok_r(copy, ", ", &save) : NULL; name && fine;
         name = strtok_r(NULL, ", ", &save))
        fine = add_name(out, cap, name);
    free(copy);
    return fine;
}

static bool extend(X509 *x, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    const bool fine = ext && X509_add_ext(x, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return fine;
}

static X509 *self_signed(EVP_PKEY *key, const char *names) {
    unsigned char serial[16];
    X509 *x = X509_new();
    BIGNUM *number = NULL;
    X509_NAME *subject = x ? X509_get_subject_name(x) : NULL;
    bool fine = subject && RAND_bytes(serial, sizeof serial) == 1;
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x01); /* positive, and of one length */
    fine = fine && (number = BN_bin2bn(serial, sizeof serial, NULL)) != NULL &&
           BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL && X509_set_version(x, 2) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(x), -3600) && X509_gmtime_adj(X509_getm_notAfter(x), LIFE_S) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)"Relecture", -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(x, subject) == 1 && X509_set_pubkey(x, key) == 1 &&
           extend(x, NID_subject_alt_name, names) && extend(x, NID_basic_constraints, "critical,CA:FALSE") &&
           extend(x, NID_key_usage, "critical,digitalSignature") &&
           extend(x, NID_ext_key_usage, "serverAuth") && X509_sign(x, key, EVP_sha256()) > 0;
    BN_free(number);
    if (fine) return x;
    X509_free(x);
    return NULL;
}

/* What was written to memory, into a new file. */
static enum err write_pem(const char *path, BIO *mem, mode_t mode) {
    char *data = NULL;
    const long n = BIO_get_mem_data(mem, &data);
    return n > 0 ? fs_write_atomic(path, data, (size_t)n, mode) : ERR_NOMEM;
}

enum err certificate_make(const char *dir, const char *names) {
    char key_path[FS_PATH_MAX], cert_path[FS_PATH_MAX], tls[FS_PATH_MAX], san[1024] = "";
    enum err e = paths(dir, key_path, cert_path);
    if (!e) e = fs_join(tls, dir, "tls");
    if (e) return e;
    if (fs_exists(key_path) || fs_exists(cert_path)) return ERR_EXISTS;
    if (!list_names(san, sizeof san, names)) {
        log_error("tls", "names=%s are not names and addresses that a certificate can hold", names);
        return ERR_USAGE;
    }
    e = fs_mkdirs(tls, 0700);
    if (e) return e;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key ? self_signed(key, san) : NULL;
    BIO *key_pem = BIO_new(BIO_s_mem()), *cert_pem = BIO_new(BIO_s_mem());
    if (!cert || !key_pem || !cert_pem ||
        PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) != 1 ||
        PEM_write_bio_X509(cert_pem, cert) != 1) {
        log_error("tls", "op=make openssl=%s", last_error());
        e = ERR_IO;
    }
    if (!e) e = write_pem(key_path, key_pem, 0600);
    if (!e) e = write_pem(cert_path, cert_pem, 0644);
    BIO_free(cert_pem);
    BIO_free(key_pem);
    X509_free(cert);
    EVP_PKEY_free(key);
    return e;
}

/* ---- using -----------------------------------------------------------------------------------------------
 */

static enum err check_key_file(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0) {
        log_error("tls",
                  "key=%s errno=%d: put the private key there, or remove cert.pem beside it: then "
                  "`relecture serve` makes both anew",
                  path, errno);
        return ERR_MISSING;
    }
    if (st.st_mode & 077) {
        log_error("tls", "key=%s others may read it: chmod 600 %s", path, path);
        return ERR_DENIED;
    }
    return OK;
}

static SSL_CTX *strict_context(void) {
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());
    if (!c) return NULL;
    SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1)
        return c;
    SSL_CTX_free(c);
    return NULL;
}

enum err certificate_load(const char *dir, SSL_CTX **out) {
    char key[FS_PATH_MAX], cert[FS_PATH_MAX];
    *out = NULL;
    enum err e = paths(dir, key, cert);
    if (!e) e = check_key_file(key);
    if (e) return e;
    if (!fs_exists(cert)) {
        log_error("tls", "certificate=%s is missing: put the certificate of key.pem there", cert);
        return ERR_MISSING;
    }
    SSL_CTX *c = strict_context();
    if (!c) {
        log_error("tls", "op=context openssl=%s", last_error());
        return ERR_NOMEM;
    }
    if (SSL_CTX_use_certificate_chain_file(c, cert) != 1)
        log_error("tls", "certificate=%s cannot be used (%s): it must be PEM, the server's own first", cert,
                  last_error());
    else if (SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(c) != 1)
        log_error("tls", "key=%s cannot be used (%s): it must be PEM and belong to cert.pem", key,
                  last_error());
    else {
        *out = c;
        return OK;
    }
    SSL_CTX_free(c);
    return ERR_CORRUPT;
}

enum err certificate_fingerprint(const char *dir, char out[static 96]) {
    char key[FS_PATH_MAX], cert[FS_PATH_MAX];
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    enum err e = paths(dir, key, cert);
    if (e) return e;
    BIO *file = BIO_new_file(cert, "r");
    X509 *x = file ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
    const bool fine = x && X509_digest(x, EVP_sha256(), hash, &n) == 1 && n == 32;
    for (unsigned i = 0; fine && i < n; i++)
        (void)snprintf(out + 3 * i, 4, i + 1 < n ? "%02X:" : "%02X", hash[i]);
    X509_free(x);
    BIO_free(file);
    ERR_clear_error();
    return fine ? OK : ERR_CORRUPT;
}
