/* SPDX-License-Identifier: Apache-2.0 */
#include "host/evidence/folder.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evidence_texts.h"
#include "host/base/clock.h"
#include "host/base/fs.h"
#include "host/base/log.h"
#include "host/case/hold.h"
#include "host/case/journal.h"
#include "host/case/seal.h"
#include "host/evidence/describe.h"
#include "host/evidence/identity.h"
#include "host/evidence/mask_plan.h"
#include "host/evidence/media_work.h"
#include "host/evidence/sums.h"

#define UNITS_MAX_BYTES (256u << 20)
#define FAR_US          900000000000LL /* behind the end of any extract */

struct build {
    const struct folder_context *ctx;
    struct register_db *r;
    struct index_reader *reader;
    struct signer *signer;
    struct zone *zone;
    struct seal seal;
    struct case_file c;
    struct perimeter p;
    struct camera *cameras;
    unsigned n_cameras;
    char part[FS_PATH_MAX];   /* where it is being built */
    json_t *files, *searches; /* of the manifest */
    char *text;
    size_t cap;
};

static enum err fail(struct build *b, enum err e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static enum err fail(struct build *b, enum err e, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(b->text, b->cap, fmt, ap);
    va_end(ap);
    return e;
}

/* ---- files of the folder ---------------------------------------------------------------------------------
 */

/* A folder of ours, two levels deep; what is not there is fine. */
static enum err erase_folder(const char *dir, int depth, uint64_t *n_files) {
    DIR *d = opendir(dir);
    if (!d) return errno == ENOENT ? OK : ERR_IO;
    enum err e = OK;
    const struct dirent *de;
    while (!e && (de = readdir(d)) != NULL) {
        char path[FS_PATH_MAX];
        if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0) continue;
        e = fs_join(path, dir, de->d_name);
        if (e) break;
        if (unlink(path) == 0)
            ++*n_files;
        else if (depth > 0 && (errno == EISDIR || errno == EPERM))
            e = erase_folder(path, depth - 1, n_files);
        else
            e = ERR_IO;
    }
    closedir(d);
    if (!e && rmdir(dir) != 0) e = ERR_IO;
    if (e) log_error("evidence", "op=erase path=%s errno=%d", dir, errno);
    return e;
}

static enum err put_file(struct build *b, const char *name, const void *data, size_t n) {
    char path[FS_PATH_MAX];
    const enum err e = fs_join(path, b->part, name);
    return e ? e : fs_write_atomic(path, data, n, 0600);
}

static enum err put_json(struct build *b, const char *name, json_t *taken) {
    char *text = taken ? json_dumps(taken, JSON_INDENT(1) | JSON_REAL_PRECISION(10)) : NULL;
    const enum err e = text ? put_file(b, name, text, strlen(text)) : ERR_NOMEM;
    free(text);
    json_decref(taken);
    return e;
}

/* Puts a file that is there already into the manifest. */
static enum err list_file(struct build *b, const char *name, const char *kind, json_t *more_taken) {
    char path[FS_PATH_MAX], hex[65];
    uint64_t bytes = 0;
    enum err e = fs_join(path, b->part, name);
    const int fd = e ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (!e && fd < 0) e = ERR_IO;
    if (!e) e = fs_sha256_fd(fd, hex, &bytes, NULL, NULL);
    if (fd >= 0) close(fd);
    json_t *o = e ? NULL
                  : json_pack("{s:s,s:s,s:I,s:s}", "name", name, "kind", kind, "bytes", (json_int_t)bytes,
                              "sha256", hex);
    if (o && more_taken) json_object_update(o, more_taken);
    json_decref(more_taken);
    if (!e && (!o || json_array_append_new(b->files, o) != 0)) e = ERR_NOMEM;
    return e;
}

enum err folder_erase(const char *path, uint64_t *n_files) {
    *n_files = 0;
    return erase_folder(path, 1, n_files);
}

/* ---- one exhibit -----------------------------------------------------------------------------------------
 */

struct piece {
    struct exhibit x;
    struct sighting s;
    struct recording rec;
    const struct camera *camera;
    int64_t from_ms, to_ms; /* asked for: with the pads, inside the case and the recording */
    char stem[96];          /* "001_gare-01_20261120T140005Z" */
    char original[128], masked[128], units[128];
};

static int64_t max64(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static int64_t min64(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* MP4 where every player takes it, else Matroska, which takes everything. */
static bool needs_matroska(const char *codec) {
    static const char *const in_mp4[] = {"h264", "hevc", "mpeg4", "mpeg2video", "mpeg1video", "av1", "vp9"};
    for (size_t i = 0; i < sizeof in_mp4 / sizeof in_mp4[0]; i++)
        if (strcmp(codec, in_mp4[i]) == 0) return false;
    return true;
}

static enum err find_piece(struct build *b, unsigned n, uint64_t exhibit, struct piece *p) {
    memset(p, 0, sizeof *p);
    enum err e = exhibit_get(b->r, b->c.id, exhibit, &p->x);
    if (e) return fail(b, e, "exhibit %" PRIu64 " is no longer kept", exhibit);
    e = index_sighting_get(b->reader, &b->p, p->x.sighting, &p->s);
    if (!e) e = index_recording_get(b->reader, p->s.recording_id, &p->rec);
    free(p->s.thumbnail_jpeg);
    p->s.thumbnail_jpeg = NULL;
    if (e)
        return fail(b, e, "exhibit %" PRIu64 ": its passage is not in the index any more, or not in the case",
                    exhibit);
    p->camera = describe_find_camera(b->cameras, b->n_cameras, p->rec.camera_number);
    if (!p->camera) return fail(b, ERR_MISSING, "exhibit %" PRIu64 ": its camera is unknown", exhibit);
    p->from_ms = max64(p->s.start_ms - p->x.pad_before_s * 1000LL, max64(b->c.from_ms, p->rec.start_ms));
    p->to_ms = min64(p->s.end_ms + p->x.pad_after_s * 1000LL, b->c.to_ms);
    if (p->rec.duration_us > 0) p->to_ms = min64(p->to_ms, p->rec.start_ms + p->rec.duration_us / 1000);
    if (p->to_ms <= p->from_ms)
        return fail(b, ERR_USAGE, "exhibit %" PRIu64 " shows no time of the case", exhibit);
    char at[25];
    clock_format(p->from_ms, at);
    snprintf(p->stem, sizeof p->stem, "%03u_%s_%.4s%.2s%.2sT%.2s%.2s%.2sZ", n, p->camera->id, at, at + 5,
             at + 8, at + 11, at + 14, at + 17);
    return OK;
}

/* The file is still the one that was imported. */
static enum err check_source(struct build *b, const struct piece *p) {
    char hex[65];
    uint64_t bytes = 0;
    const int fd = open(p->rec.path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(b, ERR_MISSING, "%s: the recording is not where it was imported from; put it back",
                    strrchr(p->rec.path, '/') ? strrchr(p->rec.path, '/') + 1 : p->rec.path);
    const enum err e = fs_sha256_fd(fd, hex, &bytes, NULL, NULL);
    close(fd);
    if (e) return fail(b, e, "%s: the recording cannot be read", p->camera->id);
    if (strcmp(hex, p->rec.sha256) != 0)
        return fail(b, ERR_CORRUPT,
                    "%s: the recording is not the file that was imported any more (SHA-256 %.16s, not %.16s)",
                    p->camera->id, hex, p->rec.sha256);
    return OK;
}

static enum err work(struct build *b, struct decoder_spec *spec, const char *in, const char *name,
                     struct media_work *w) {
    char out[FS_PATH_MAX];
    enum err e = fs_join(out, b->part, name);
    if (e) return e;
    spec->exe = b->ctx->config->decode_exe;
    e = media_work(spec, in, out, b->ctx->stop, w);
    return e ? fail(b, e, "%s", w->text) : OK;
}

/* The hashes alone, behind each other; owned. */
static char *hashes_of(const char *path, size_t *n_units) {
    char *text, *out;
    size_t n, at = 0;
    *n_units = 0;
    if (fs_read(path, UNITS_MAX_BYTES, &text, &n)) return NULL;
    out = malloc(n + 1);
    for (char *line = text, *next; out && *line; line = next) {
        char *end = strchr(line, '\n');
        next = end ? end + 1 : line + strlen(line);
        if (!end || end - line < 64) continue;
        memcpy(out + at, end - 64, 64);
        at += 64;
        ++*n_units;
    }
    if (out) out[at] = 0;
    free(text);
    return out;
}

/* The units of the source and of the extract, each read by a worker of its own, are the same. */
static enum err compare_units(struct build *b, const struct piece *p, int64_t from_us, int64_t to_us,
                              size_t *n) {
    struct media_work w;
    char extract[FS_PATH_MAX], a[FS_PATH_MAX], c[FS_PATH_MAX];
    struct decoder_spec of_source = {.job = DECODER_UNITS, .from_us = from_us, .to_us = to_us};
    struct decoder_spec of_extract = {.job = DECODER_UNITS, .from_us = 0, .to_us = FAR_US};
    enum err e = fs_join(extract, b->part, p->original);
    if (!e) e = fs_join(a, b->part, p->units);
    if (!e) e = fs_join(c, b->part, "check.txt");
    if (!e) e = work(b, &of_source, p->rec.path, p->units, &w);
    if (!e) e = work(b, &of_extract, extract, "check.txt", &w);
    if (e) return e;
    size_t n_extract;
    char *x = hashes_of(a, n), *y = hashes_of(c, &n_extract);
    if (!x || !y)
        e = ERR_NOMEM;
    else if (*n == 0 || strcmp(x, y) != 0)
        e = fail(b, ERR_CORRUPT, "%s: the extract's units are not those of the recording", p->stem);
    free(x);
    free(y);
    if (unlink(c) != 0 && !e) e = ERR_IO;
    return e;
}

static json_t *span_json(struct build *b, const struct piece *p, const struct media_work *w) {
    const int64_t first_ms = p->rec.start_ms + w->first_us / 1000,
                  end_ms = p->rec.start_ms + w->end_us / 1000;
    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:I,s:I,s:s,s:I}", "camera_id", p->camera->id,
                     "recording_sha256", p->rec.sha256, "asked_from", describe_moment(b->zone, p->from_ms),
                     "asked_to", describe_moment(b->zone, p->to_ms), "from",
                     describe_moment(b->zone, first_ms), "to", describe_moment(b->zone, end_ms), "from_ms",
                     (json_int_t)first_ms, "to_ms", (json_int_t)end_ms, "codec", p->rec.codec,
                     "clock_offset_ms", (json_int_t)p->camera->clock_offset_ms);
}

static enum err add_original(struct build *b, struct piece *p) {
    const int64_t from_us = (p->from_ms - p->rec.start_ms) * 1000,
                  to_us = (p->to_ms - p->rec.start_ms) * 1000;
    const bool matroska = needs_matroska(p->rec.codec);
    struct decoder_spec spec = {
        .job = DECODER_ORIGINAL, .from_us = from_us, .to_us = to_us, .matroska = matroska};
    struct media_work w;
    size_t n_units = 0;
    snprintf(p->original, sizeof p->original, "originals/%s.%s", p->stem, matroska ? "mkv" : "mp4");
    snprintf(p->units, sizeof p->units, "metadata/%s_unites.txt", p->stem);
    enum err e = work(b, &spec, p->rec.path, p->original, &w);
    if (!e) e = compare_units(b, p, from_us, to_us, &n_units);
    json_t *span = e ? NULL : span_json(b, p, &w);
    if (!e && span) {
        json_object_set_new(span, "lead_in_ms", json_integer((json_int_t)(from_us - w.first_us) / 1000));
        json_object_set_new(span, "tail_ms", json_integer((json_int_t)(w.end_us - to_us) / 1000));
        json_object_set_new(span, "units", json_integer((json_int_t)n_units));
    }
    if (!e) e = list_file(b, p->original, "original", span);
    if (!e) e = list_file(b, p->units, "unit_hashes", NULL);
    return e;
}

static enum err add_masked(struct build *b, struct piece *p) {
    struct mask_plan plan;
    enum err e = mask_plan_make(b->r, b->reader, &p->rec, &p->s, p->from_ms, p->to_ms, &plan);
    if (e == ERR_FULL)
        return fail(b, e, "%s: too much to hide for one masked copy; take a shorter extract", p->stem);
    if (e) return e;
    struct decoder_spec spec = {.job = DECODER_MASKED,
                                .from_us = (p->from_ms - p->rec.start_ms) * 1000,
                                .to_us = (p->to_ms - p->rec.start_ms) * 1000,
                                .mask = &plan.mask};
    struct media_work w;
    snprintf(p->masked, sizeof p->masked, "masked/%s_copie-masquee.mp4", p->stem);
    e = work(b, &spec, p->rec.path, p->masked, &w);
    json_t *span = e ? NULL : span_json(b, p, &w);
    if (!e && span) {
        json_object_set_new(span, "codec", json_string("h264"));
        json_object_set_new(span, "bystanders_hidden", json_integer((json_int_t)plan.n_bystanders));
        json_object_set_new(span, "areas_hidden", json_integer((json_int_t)plan.mask.n_areas));
    }
    mask_plan_fini(&plan);
    return e ? e : list_file(b, p->masked, "masked_copy", span);
}

static json_t *history_json(struct build *b, uint64_t sighting) {
    struct decision *d;
    unsigned n;
    json_t *list = json_array();
    if (decision_history(b->r, b->c.id, sighting, &d, &n) != OK) return list;
    for (unsigned i = 0; i < n; i++) json_array_append_new(list, describe_decision(&d[i]));
    free(d);
    return list;
}

static enum err add_description(struct build *b, const struct piece *p) {
    char name[160];
    snprintf(name, sizeof name, "metadata/%s.json", p->stem);
    json_t *o = json_pack(
        "{s:i,s:I,s:s,s:s,s:s?,s:s,s:s,s:o,s:o,s:o,s:o}", "format", 1, "exhibit_id", (json_int_t)p->x.id,
        "note", p->x.note, "original", p->original, "masked", b->seal.blur ? p->masked : NULL, "time_base",
        "UtcMs = start of the recording (camera's clock, corrected by clock_offset_ms) + presentation time",
        "onvif_schema", "25.06", "camera", describe_camera(p->camera), "recording",
        describe_recording(&p->rec), "object", describe_sighting(b->ctx->vocab, &p->s, b->p.plates_allowed),
        "decisions", history_json(b, p->s.id));
    const enum err e = put_json(b, name, o);
    return e ? e : list_file(b, name, "metadata", NULL);
}

static enum err add_exhibit(struct build *b, unsigned n, uint64_t exhibit) {
    struct piece *p = malloc(sizeof *p);
    if (!p) return ERR_NOMEM;
    enum err e = find_piece(b, n, exhibit, p);
    if (!e) e = check_source(b, p);
    if (!e) e = add_original(b, p);
    if (!e && b->seal.blur) e = add_masked(b, p);
    if (!e) e = add_description(b, p);
    free(p);
    return e;
}

/* ---- the rest of the folder ------------------------------------------------------------------------------
 */

static void add_person(struct build *b, json_t *list, const char *login, const char *as) {
    json_t *p = describe_person(b->r, login);
    if (p) json_object_set_new(p, "as", json_string(as));
    json_array_append_new(list, p);
}

static json_t *persons_json(struct build *b) {
    json_t *list = json_array();
    add_person(b, list, b->c.opened_by[0] ? b->c.opened_by : "-", "opened the case");
    add_person(b, list, b->seal.by, "asked for this export");
    add_person(b, list, b->seal.decided_by, "approved this export");
    return list;
}

static enum err add_decisions(struct build *b) {
    struct decision *d;
    unsigned n, n_rejected = 0;
    enum err e = decision_list(b->r, b->c.id, NULL, &d, &n);
    if (e) return e;
    json_t *list = json_array();
    for (unsigned i = 0; i < n; i++) {
        n_rejected += strcmp(d[i].state, "rejected") == 0;
        json_array_append_new(list, describe_decision(&d[i]));
    }
    free(d);
    e = put_json(b, "metadata/decisions.json",
                 json_pack("{s:i,s:i,s:o}", "decided", (int)n, "rejected", (int)n_rejected, "items", list));
    return e ? e : list_file(b, "metadata/decisions.json", "decisions", NULL);
}

static enum err add_search(const struct journal_row *row, void *arg) {
    struct build *b = arg;
    if (strcmp(row->text[3], b->c.id) != 0 || strncmp(row->text[2], "search", 6) != 0) return OK;
    json_t *detail = json_loads(row->text[5], 0, NULL);
    json_t *o = json_pack("{s:I,s:I,s:s,s:s}", "seq", (json_int_t)row->seq, "at_ms", (json_int_t)row->at_ms,
                          "user", row->text[0], "action", row->text[2]);
    static const char *const kept[] = {"asked", "tokens", "total", "index", "models"};
    for (size_t i = 0; o && detail && i < sizeof kept / sizeof kept[0]; i++)
        if (json_object_get(detail, kept[i])) json_object_set(o, kept[i], json_object_get(detail, kept[i]));
    json_decref(detail);
    return json_array_append_new(b->searches, o) == 0 ? OK : ERR_NOMEM;
}

static enum err manifest(struct build *b, json_t **out) {
    char software[128], models[65], index[65], hash[JOURNAL_HASH_BYTES];
    int64_t seq = 0;
    enum err e = identity_software(b->ctx->version, software);
    if (!e) e = identity_models(b->ctx->config, models);
    if (!e) e = index_fingerprint(b->reader, index);
    if (!e) e = journal_head(b->r, &seq, hash);
    if (!e) e = journal_each(b->r, 1, add_search, b);
    if (e) return e;
    b->seal.journal_seq = seq;
    *out = json_pack(
        "{s:s,s:I,s:o,s:o,s:s,s:s,s:o,s:o,s:O,s:O,s:s,s:s,s:s,s:{s:I,s:s},s:{s:s,s:i,s:s,s:s,s:i}}", "format",
        "relecture seal 1", "seal", (json_int_t)b->seal.id, "made", describe_moment(b->zone, clock_wall_ms()),
        "case", describe_case(&b->c, b->cameras, b->n_cameras), "handed_to", b->seal.handed_to, "medium",
        b->seal.medium, "approved", describe_moment(b->zone, b->seal.decided_ms), "persons", persons_json(b),
        "files", b->files, "searches", b->searches, "software", software, "models_sha256", models,
        "index_sha256", index, "journal_head", "seq", (json_int_t)seq, "hash", hash, "signature", "alg",
        "RSA-PSS", "salt_bytes", 20, "hash", "SHA-256", "key_id", signer_key_id(b->signer), "min_key_bits",
        3072);
    return *out ? OK : ERR_NOMEM;
}

static enum err add_manifest(struct build *b) {
    json_t *m = NULL;
    char path[FS_PATH_MAX];
    uint64_t bytes;
    enum err e = manifest(b, &m);
    if (!e) e = put_json(b, "MANIFEST.json", m);
    if (!e) e = fs_join(path, b->part, "MANIFEST.json");
    const int fd = e ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (!e && fd < 0) e = ERR_IO;
    if (!e) e = fs_sha256_fd(fd, b->seal.sha256, &bytes, NULL, NULL);
    if (fd >= 0) close(fd);
    return e;
}

static enum err add_receipt(struct build *b) {
    char text[4096], made[32], approved[32];
    journal_local_time(b->zone, clock_wall_ms(), made);
    journal_local_time(b->zone, b->seal.decided_ms, approved);
    const int n = snprintf(
        text, sizeof text,
        "REÇU DE SCELLÉ NUMÉRIQUE\n\n"
        "Scellé            %" PRIu64 "\nDossier           %s\nRéquisition       %s\nAutorité          %s\n"
        "Destinataire      %s\nSupport           %s\nDemandé par       %s\nApprouvé par      %s, le %s\n"
        "Établi le         %s\nPièces            %u\n\n"
        "Empreinte SHA-256 du manifeste (MANIFEST.json) :\n    %s\n"
        "Empreinte SHA-256 du certificat de signature (signer.pem, DER) :\n    %s\n"
        "Ligne du journal : %" PRId64 "\n\n"
        "Le certificat de la ville (ville-ca.pem) vous parvient par une autre voie ; comparez son empreinte "
        ":\n"
        "    openssl x509 -in ville-ca.pem -noout -fingerprint -sha256\n\n"
        "Reçu le ................................  Nom, qualité, signature :\n",
        b->seal.id, b->c.id, b->c.requisition, b->c.authority, b->seal.handed_to, b->seal.medium, b->seal.by,
        b->seal.decided_by, approved, made, b->seal.n_exhibits, b->seal.sha256, signer_key_id(b->signer),
        b->seal.journal_seq);
    return n > 0 && (size_t)n < sizeof text ? put_file(b, "RECU.txt", text, (size_t)n) : ERR_USAGE;
}

static enum err make_folders(struct build *b) {
    static const char *const folders[] = {"originals", "masked", "metadata"};
    char final[FOLDER_PATH_MAX], path[FS_PATH_MAX];
    uint64_t n_files = 0;
    enum err e = folder_path(b->ctx->dir, b->seal.id, false, final);
    if (!e && (size_t)snprintf(b->part, sizeof b->part, "%s.part", final) >= sizeof b->part) e = ERR_USAGE;
    if (!e) e = erase_folder(b->part, 1, &n_files); /* of a run that ended in the middle */
    for (size_t i = 0; i < 3 && !e; i++) {
        if (i == 1 && !b->seal.blur) continue;
        e = fs_join(path, b->part, folders[i]);
        if (!e) e = fs_mkdirs(path, 0700);
    }
    return e;
}

static enum err finish(struct build *b) {
    char final[FOLDER_PATH_MAX], archive[FOLDER_PATH_MAX], part[FS_PATH_MAX], prefix[32];
    struct stat st;
    enum err e = folder_path(b->ctx->dir, b->seal.id, false, final);
    if (!e) e = folder_path(b->ctx->dir, b->seal.id, true, archive);
    if (!e && (size_t)snprintf(part, sizeof part, "%s.part", archive) >= sizeof part) e = ERR_USAGE;
    snprintf(prefix, sizeof prefix, "seal-%" PRIu64, b->seal.id);
    if (!e) e = sums_archive(b->part, prefix, part);
    if (!e && (rename(b->part, final) != 0 || rename(part, archive) != 0 || stat(archive, &st) != 0))
        e = ERR_IO;
    if (!e) b->seal.bytes = (uint64_t)st.st_size;
    return e;
}

static enum err build(struct build *b) {
    uint64_t *bad;
    unsigned n_bad;
    enum err e = seal_unconfirmed(b->r, b->c.id, b->seal.exhibits, b->seal.n_exhibits, &bad, &n_bad);
    if (e) return e;
    free(bad);
    if (n_bad)
        return fail(b, ERR_DENIED, "%u of the exhibits are not confirmed any more: nothing left", n_bad);
    e = make_folders(b);
    for (unsigned i = 0; i < b->seal.n_exhibits && !e; i++) {
        e = b->ctx->stop && atomic_load(b->ctx->stop) ? ERR_CANCELLED : OK;
        if (!e) e = add_exhibit(b, i + 1, b->seal.exhibits[i]);
    }
    if (!e)
        e = put_json(b, "metadata/coverage.json",
                     describe_coverage(b->reader, &b->p, b->cameras, b->n_cameras));
    if (!e) e = list_file(b, "metadata/coverage.json", "coverage", NULL);
    if (!e) e = add_decisions(b);
    if (!e)
        e = put_file(b, "LISEZMOI.txt", text_evidence_lisezmoi_txt, sizeof text_evidence_lisezmoi_txt - 1);
    if (!e) e = add_manifest(b);
    if (!e) e = add_receipt(b);
    if (!e) e = sums_sign(b->part, b->signer);
    return e ? e : finish(b);
}

static enum err open_all(struct build *b, uint64_t seal_id) {
    const struct folder_context *ctx = b->ctx;
    enum err e = register_open(ctx->dir, false, &b->r);
    if (!e) e = seal_get(b->r, seal_id, &b->seal);
    if (!e && strcmp(b->seal.state, "building") != 0) e = ERR_BUSY;
    if (!e) e = case_get(b->r, b->seal.case_id, &b->c);
    if (!e) {
        case_restrict(&b->c, ctx->config->allowed);
        case_perimeter(&b->c, &b->p);
        e = camera_list(b->r, &b->cameras, &b->n_cameras);
    }
    if (!e) e = index_reader_open(ctx->dir, ctx->vocab, &b->reader);
    if (!e) e = signer_open(ctx->dir, &b->signer);
    if (!e) e = zone_open(ctx->config->tz, &b->zone);
    b->files = json_array();
    b->searches = json_array();
    return e;
}

static void close_all(struct build *b) {
    json_decref(b->files);
    json_decref(b->searches);
    zone_free(&b->zone);
    signer_close(&b->signer);
    index_reader_close(&b->reader);
    free(b->cameras);
    case_fini(&b->c);
    seal_fini(&b->seal);
    register_close(&b->r);
}

/* The end in the register, its line of the journal and the receipt: together or not at all. */
static enum err tell(struct build *b, enum err result) {
    char detail[512];
    uint64_t seq;
    int64_t id;
    const struct journal_signer js = signer_for_journal(b->signer);
    snprintf(detail, sizeof detail,
             result ? "{\"seal\":%" PRIu64 ",\"state\":\"failed\"}"
                    : "{\"seal\":%" PRIu64 ",\"state\":\"ready\",\"exhibits\":%u,\"bytes\":%" PRIu64
                      ",\"manifest_sha256\":\"%s\"}",
             b->seal.id, b->seal.n_exhibits, b->seal.bytes, b->seal.sha256);
    char object[24];
    snprintf(object, sizeof object, "%" PRIu64, b->seal.id);
    const struct journal_entry line = {b->seal.decided_by, "system", "seal.built", b->c.id, object, detail};
    enum err e = register_begin(b->r);
    if (e) return e;
    e = result ? seal_failed(b->r, b->seal.id, b->text)
               : seal_ready(b->r, b->seal.id, b->seal.bytes, b->seal.sha256, b->seal.journal_seq);
    if (!e) e = journal_add(b->r, &line, &seq);
    if (!e && !result) e = receipt_add(b->r, &js, "hand_over", b->c.id, detail, &id);
    return register_end(b->r, e);
}

enum err folder_build(const struct folder_context *ctx, uint64_t seal_id, char *text, size_t cap) {
    struct build b = {.ctx = ctx, .text = text, .cap = cap};
    text[0] = 0;
    enum err e = open_all(&b, seal_id);
    if (e) {
        if (!text[0]) snprintf(text, cap, "seal %" PRIu64 ": %s", seal_id, err_text(e));
        close_all(&b);
        return e;
    }
    e = build(&b);
    if (e && !text[0]) snprintf(text, cap, "the folder cannot be built: %s", err_text(e));
    if (e) log_error("evidence", "op=build seal=%" PRIu64 " err=%s", seal_id, err_text(e));
    uint64_t n_files = 0;
    if (e && b.part[0] && erase_folder(b.part, 1, &n_files))
        log_warn("evidence", "leftovers stay in exports/");
    const enum err told = e == ERR_CANCELLED ? OK : tell(&b, e);
    close_all(&b);
    return e ? e : told;
}

enum err folder_erase_case(const char *dir, struct register_db *r, const char *case_id, uint64_t *n_files) {
    struct seal *list;
    unsigned n;
    *n_files = 0;
    enum err e = seal_list(r, case_id, &list, &n);
    if (e) return e;
    for (unsigned i = 0; i < n && !e; i++) {
        char path[FOLDER_PATH_MAX];
        e = folder_path(dir, list[i].id, false, path);
        if (!e) e = erase_folder(path, 1, n_files);
        if (!e) e = folder_path(dir, list[i].id, true, path);
        if (!e && unlink(path) == 0) ++*n_files;
    }
    seals_free(list, n);
    return e;
}
