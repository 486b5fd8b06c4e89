/* SPDX-License-Identifier: Apache-2.0 */
#include "host/evidence/signer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "host/base/fs.h"
#include "host/base/log.h"

enum { KEY_BITS = 3072, SALT_BYTES = 20, FILE_MAX_BYTES = 65536, LIFE_DAYS = 3653 };

struct signer {
    EVP_PKEY *key;
    char *certificate;
    char key_id[65];
};

/* ---- made anew -------------------------------------------------------------------------------------------
 */

static bool add_extension(X509 *x, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    const bool added = ext && X509_add_ext(x, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return added;
}

static X509 *self_signed(EVP_PKEY *key) {
    unsigned char serial[16];
    X509 *x = X509_new();
    BIGNUM *n = NULL;
    bool fine = x && RAND_bytes(serial, sizeof serial) == 1;
    serial[0] &= 0x7f;
    if (fine) n = BN_bin2bn(serial, sizeof serial, NULL);
    fine = fine && n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) && X509_set_version(x, 2) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(x), -86400) && /* clocks differ */
           X509_gmtime_adj(X509_getm_notAfter(x), LIFE_DAYS * 86400L) && X509_set_pubkey(x, key) == 1;
    if (fine) {
        X509_NAME *name = X509_get_subject_name(x);
        fine = X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                          (const unsigned char *)"Relecture: sceau de ce site", -1, -1,
                                          0) == 1 &&
               X509_set_issuer_name(x, name) == 1 &&
               add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
               add_extension(x, NID_key_usage, "critical,digitalSignature,nonRepudiation") &&
               add_extension(x, NID_subject_key_identifier, "hash") && X509_sign(x, key, EVP_sha256()) > 0;
    }
    BN_free(n);
    if (fine) return x;
    X509_free(x);
    return NULL;
}

static enum err write_bio(const char *path, BIO *b, unsigned mode) {
    char *data;
    const long n = BIO_get_mem_data(b, &data);
    return n > 0 ? fs_write_atomic(path, data, (size_t)n, mode) : ERR_IO;
}

static enum err make(const char *key_path, const char *certificate_path) {
    EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
    X509 *x = key ? self_signed(key) : NULL;
    /* Secure memory: the PEM text of a key is a secret too. */
    BIO *k = BIO_new(BIO_s_secmem()), *c = BIO_new(BIO_s_mem());
    enum err e = ERR_NOMEM;
    if (x && k && c && PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) == 1 &&
        PEM_write_bio_X509(c, x) == 1) {
        e = write_bio(key_path, k, 0600);
        if (!e) e = write_bio(certificate_path, c, 0644);
    }
    if (e) log_error("signer", "op=make path=%s err=%s", key_path, err_text(e));
    BIO_free(k);
    BIO_free(c);
    X509_free(x);
    EVP_PKEY_free(key);
    return e;
}

/* ---- opened ----------------------------------------------------------------------------------------------
 */

static enum err refuse(enum err e, const char *path, const char *why) {
    log_error("signer", "path=%s %s", path, why);
    return e;
}

static enum err load_key(struct signer *s, const char *path) {
    struct stat st;
    if (stat(path, &st) != 0)
        return refuse(ERR_MISSING, path, "is missing beside its certificate: put it back");
    if (st.st_mode & 077) return refuse(ERR_DENIED, path, "may be read by others: chmod 600 it");
    FILE *f = fopen(path, "r");
    if (!f) return refuse(ERR_IO, path, "cannot be opened");
    s->key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    (void)fclose(f);
    if (!s->key || EVP_PKEY_get_base_id(s->key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(s->key) < KEY_BITS ||
        EVP_PKEY_get_size(s->key) > (int)SIGNER_SIGNATURE_MAX)
        return refuse(ERR_CORRUPT, path, "is not an RSA key of 3072 to 4096 bits in PEM, without a password");
    return OK;
}

static enum err load_certificate(struct signer *s, const char *path) {
    size_t n;
    enum err e = fs_read(path, FILE_MAX_BYTES, &s->certificate, &n);
    if (e) return refuse(e, path, "cannot be read: it is the certificate of signer.key");
    BIO *b = BIO_new_mem_buf(s->certificate, (int)n);
    X509 *x = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned n_md = 0;
    if (!x || X509_digest(x, EVP_sha256(), md, &n_md) != 1 || n_md != 32)
        e = refuse(ERR_CORRUPT, path, "is not a certificate in PEM");
    else if (X509_check_private_key(x, s->key) != 1)
        e = refuse(ERR_CORRUPT, path, "is not the certificate of signer.key");
    for (unsigned i = 0; !e && i < n_md; i++) snprintf(s->key_id + 2 * i, 3, "%02x", md[i]);
    X509_free(x);
    BIO_free(b);
    return e;
}

enum err signer_open(const char *dir, struct signer **out) {
    char keys[FS_PATH_MAX], key[FS_PATH_MAX], certificate[FS_PATH_MAX];
    *out = NULL;
    enum err e = fs_join(keys, dir, "keys");
    if (!e) e = fs_mkdirs(keys, 0700);
    if (!e) e = fs_join(key, keys, "signer.key");
    if (!e) e = fs_join(certificate, keys, "signer.pem");
    if (!e && !fs_exists(key) && !fs_exists(certificate)) e = make(key, certificate);
    if (e) return e;
    struct signer *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    e = load_key(s, key);
    if (!e) e = load_certificate(s, certificate);
    if (e) {
        signer_close(&s);
        return e;
    }
    *out = s;
    return OK;
}

void signer_close(struct signer **ps) {
    if (!ps || !*ps) return;
    EVP_PKEY_free((*ps)->key);
    free((*ps)->certificate);
    free(*ps);
    *ps = NULL;
}

const char *signer_certificate(const struct signer *s) {
    return s->certificate;
}

const char *signer_key_id(const struct signer *s) {
    return s->key_id;
}

enum err signer_sign(const struct signer *s, const void *data, size_t n, uint8_t *out, size_t *n_out) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey = NULL; /* the digest context's own */
    const bool fine = ctx && EVP_DigestSignInit(ctx, &pkey, EVP_sha256(), NULL, s->key) == 1 &&
                      EVP_PKEY_CTX_set_rsa_padding(pkey, RSA_PKCS1_PSS_PADDING) == 1 &&
                      EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, SALT_BYTES) == 1 &&
                      EVP_DigestSign(ctx, out, n_out, data, n) == 1;
    EVP_MD_CTX_free(ctx);
    if (!fine) log_error("signer", "op=sign failed");
    return fine ? OK : ERR_IO;
}

static enum err sign_for_journal(const void *text, size_t n, uint8_t *out, size_t *n_out, void *arg) {
    return signer_sign(arg, text, n, out, n_out);
}

struct journal_signer signer_for_journal(struct signer *s) {
    return (struct journal_signer){
        .sign = sign_for_journal, .arg = s, .key_id = s->key_id, .certificate = s->certificate};
}
