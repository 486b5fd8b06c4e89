/* SPDX-License-Identifier: Apache-2.0 */
/* GET /media, GET /sightings/ID/clip and GET /cameras/ID/clip: thumbnails from the index; clips and exact
 * stills as files that a decode worker makes on first demand. Nothing outside the case's period is ever cut.
 */
#include "host/http/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "host/base/clock.h"
#include "host/base/log.h"
#include "host/http/login.h"
#include "host/media/extract.h"

#define LEAD_MS      5000 /* the player starts before the passage */
#define TAIL_MS      3000
#define PART_MS      30000 /* a longer passage is cut into parts: the first one is soon there */
#define REST_MS      5000  /* a last part shorter than this belongs to the one before */
#define VIEW_MS      30000 /* what is shown of a neighbouring camera at a time */
#define PRIVATE_HOUR "private, max-age=3600"

/* One picture or clip being made for one exchange; freed with it. */
struct work {
    struct exchange *x;
    const char *kind;  /* what it is, for the name of its file */
    uint64_t sighting; /* or the camera's number, for a view of a camera */
    int64_t start_ms;  /* UTC of the recording's first frame */
    int64_t from_ms, to_ms;
    int64_t all_from_ms, all_to_ms; /* the passage with lead and tail, of which this is one part */
    unsigned part, n_parts;
    bool still;      /* one picture at at_us, else a clip */
    int64_t at_us;   /* media time */
    char path[1024]; /* of the recording */
    char view[64];   /* names this view among those journalled lately */
    extract_fn *done;
};

static int64_t max64(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static int64_t min64(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* The sighting of the address and its recording, inside the case; false = the exchange has ended. */
static bool find(struct exchange *x, struct sighting *s, struct recording *r) {
    struct perimeter p;
    uint64_t id;
    memset(s, 0, sizeof *s);
    if (!exchange_case(x)) return false;
    case_perimeter(&x->c, &p);
    enum err e =
        router_u64(x->match.parameter[0], &id) ? index_sighting_get(x->ctx->reader, &p, id, s) : ERR_MISSING;
    if (e == OK) {
        free(s->thumbnail_jpeg);
        s->thumbnail_jpeg = NULL;
        e = index_recording_get(x->ctx->reader, s->recording_id, r);
    }
    if (e == OK) return true;
    exchange_err(x, e);
    return false;
}

/* File names of the cache begin with the case, so that they can be erased with it. Case numbers hold digits,
 * letters and hyphens only; anything else becomes '_'. */
static void key_of(const struct work *w, char out[static EXTRACT_KEY_MAX + 1]) {
    (void)snprintf(out, EXTRACT_KEY_MAX + 1, "%s_%s_%" PRIx64 "_%" PRId64 "_%" PRId64, w->x->c.id, w->kind,
                   w->sighting, w->from_ms, w->to_ms);
    for (char *p = out; *p; p++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", *p)) *p = '_';
}

/* ends */
static void answer_failed(struct work *w, const struct extract_result *r) {
    log_warn("http", "extract=failed err=%s", err_text(r->status));
    if (r->status == ERR_TIMEOUT || r->status == ERR_BUSY)
        exchange_err(w->x, ERR_BUSY);
    else
        exchange_error(w->x, 502, "no_extract", NULL, r->text ? r->text : "The clip could not be made.");
}

static void on_clip_described(const struct extract_result *r, void *arg) {
    struct work *w = arg;
    if (r->status != OK) {
        answer_failed(w, r);
        return;
    }
    char url[128];
    (void)snprintf(url, sizeof url, "/api/v1/media/clip/%" PRIu64 ".mp4?case=%s&part=%u", w->sighting,
                   w->x->c.id, w->part);
    exchange_json(w->x, 200,
                  json_pack("{s:s,s:I,s:I,s:i,s:i,s:I,s:I}", "url", url, "from_ms",
                            (json_int_t)(w->start_ms + r->first_us / 1000), "to_ms", (json_int_t)w->to_ms,
                            "part", (int)w->part, "parts", (int)w->n_parts, "all_from_ms",
                            (json_int_t)w->all_from_ms, "all_to_ms", (json_int_t)w->all_to_ms));
}

static void on_clip_file(const struct extract_result *r, void *arg) {
    struct work *w = arg;
    if (r->status == OK)
        exchange_file(w->x, r->path, "video/mp4", PRIVATE_HOUR);
    else
        answer_failed(w, r);
}

static void on_still(const struct extract_result *r, void *arg) {
    struct work *w = arg;
    if (r->status != OK) {
        answer_failed(w, r);
        return;
    }
    char at[24];
    (void)snprintf(at, sizeof at, "%" PRId64, w->start_ms + r->first_us / 1000);
    exchange_set_header(w->x, "X-Pts-Ms", at);
    exchange_file(w->x, r->path, "image/jpeg", PRIVATE_HOUR);
}

/* The view is in the journal: have its file made. */
static void make(struct exchange *x) {
    struct work *w = x->work;
    char key[EXTRACT_KEY_MAX + 1];
    exchange_remember_view(x, w->view);
    key_of(w, key);
    enum err e = w->still ? extract_still(x->ctx->extract, w->path, w->at_us, key, w->done, w)
                          : extract_clip(x->ctx->extract, w->path, (w->from_ms - w->start_ms) * 1000,
                                         (w->to_ms - w->start_ms) * 1000, key, w->done, w);
    if (e != OK) exchange_err(x, e);
}

/* A line of the journal first, unless this very view has one of the last minute. */
static void journal_and_make(struct exchange *x, const char *action, const char *object, int64_t from_ms,
                             int64_t to_ms) {
    struct work *w = x->work;
    (void)snprintf(w->view, sizeof w->view, "%s%s %" PRIu64 " %" PRId64, action, w->kind, w->sighting,
                   from_ms);
    if (exchange_seen_lately(x, w->view)) {
        make(x);
        return;
    }
    exchange_journal(x, action, object,
                     json_pack("{s:I,s:I}", "from_ms", (json_int_t)from_ms, "to_ms", (json_int_t)to_ms),
                     make);
}

/* NULL = the exchange has ended. */
static struct work *work_new(struct exchange *x, const char *kind, uint64_t of, const struct recording *r) {
    if (!x->ctx->extract) {
        exchange_error(x, 503, "no_extract", NULL, "This server cannot make clips.");
        return NULL;
    }
    struct stat st;
    if (stat(r->path, &st) == 0 && (uint64_t)st.st_size != r->n_bytes) {
        exchange_error(
            x, 502, "no_extract", NULL,
            "This is no longer the file that was imported: its size differs. Put the recording back.");
        return NULL;
    }
    struct work *w = calloc(1, sizeof *w);
    if (!w) {
        exchange_err(x, ERR_NOMEM);
        return NULL;
    }
    *w = (struct work){.x = x, .kind = kind, .sighting = of, .start_ms = r->start_ms};
    (void)snprintf(w->path, sizeof w->path, "%s", r->path);
    x->work = w;
    return w;
}

/* Which part is asked for: ?part=N, or the one that holds ?at_ms=T; the first one otherwise. False: no such
 * part. */
static bool choose_part(struct work *w) {
    char text[24];
    uint64_t asked = 0;
    int64_t length_ms = w->all_to_ms - w->all_from_ms;
    w->n_parts = (unsigned)((length_ms + PART_MS - 1) / PART_MS);
    if (w->n_parts > 1 && length_ms % PART_MS > 0 && length_ms % PART_MS < REST_MS) w->n_parts--;
    if (exchange_query(w->x, "part", text, sizeof text)) {
        if (!router_u64(text, &asked)) return false;
    } else if (exchange_query(w->x, "at_ms", text, sizeof text)) {
        if (!router_u64(text, &asked) || (int64_t)asked < w->all_from_ms || (int64_t)asked > w->all_to_ms)
            return false;
        asked = (asked - (uint64_t)w->all_from_ms) / PART_MS;
        if (asked >= w->n_parts) asked = w->n_parts - 1;
    }
    if (asked >= w->n_parts) return false;
    w->part = (unsigned)asked;
    w->from_ms = w->all_from_ms + (int64_t)asked * PART_MS;
    w->to_ms = asked + 1 == w->n_parts ? w->all_to_ms : w->from_ms + PART_MS;
    return true;
}

static void make_clip(struct exchange *x, extract_fn *done) {
    struct sighting s;
    struct recording r;
    if (!find(x, &s, &r)) return;
    struct work *w = work_new(x, "clip", s.id, &r);
    if (!w) return;
    int64_t end_ms = r.duration_us > 0 ? r.start_ms + r.duration_us / 1000 : x->c.to_ms;
    w->all_from_ms = max64(s.start_ms - LEAD_MS, max64(r.start_ms, x->c.from_ms));
    w->all_to_ms = min64(s.end_ms + TAIL_MS, min64(end_ms, x->c.to_ms));
    if (w->all_to_ms <= w->all_from_ms || !choose_part(w)) {
        exchange_err(x, ERR_MISSING);
        return;
    }
    w->done = done;
    journal_and_make(x, "play", x->match.parameter[0], w->from_ms, w->to_ms);
}

void api_sighting_clip_get(struct exchange *x) {
    make_clip(x, on_clip_described);
}

void api_media_clip_get(struct exchange *x) {
    make_clip(x, on_clip_file);
}

void api_media_frame_get(struct exchange *x) {
    struct sighting s;
    struct recording r;
    char text[24];
    uint64_t asked_ms;
    if (!find(x, &s, &r)) return;
    int64_t at_us = s.best_pts_us;
    if (exchange_query(x, "t_ms", text, sizeof text)) {
        if (!router_u64(text, &asked_ms) || (int64_t)asked_ms < r.start_ms) {
            exchange_err(x, ERR_USAGE);
            return;
        }
        at_us = ((int64_t)asked_ms - r.start_ms) * 1000;
    }
    int64_t at_ms = r.start_ms + at_us / 1000;
    if (at_ms < x->c.from_ms || at_ms >= x->c.to_ms) {
        exchange_error(x, 403, "outside_period", NULL, "The moment lies outside the case's period.");
        return;
    }
    struct work *w = work_new(x, "still", s.id, &r);
    if (!w) return;
    w->from_ms = w->to_ms = at_us; /* exact: milliseconds would name two frames alike */
    w->still = true;
    w->at_us = at_us;
    w->done = on_still;
    journal_and_make(x, "still", x->match.parameter[0], at_ms, at_ms);
}

/* ---- what a camera saw at a moment, whether or not anything passed there ----------------------------------
 */

/* The camera of the address and its recording at the moment that parameter `name` gives, inside the case;
 * false = the exchange has ended. */
static bool find_view(struct exchange *x, const char *name, struct camera *camera, struct recording *r,
                      int64_t *at_ms) {
    struct perimeter p;
    char text[24];
    uint64_t asked_ms;
    if (!exchange_case(x)) return false;
    if (!exchange_query(x, name, text, sizeof text) || !router_u64(text, &asked_ms) ||
        asked_ms > INT64_MAX / 2) {
        exchange_err(x, ERR_USAGE);
        return false;
    }
    *at_ms = (int64_t)asked_ms;
    case_perimeter(&x->c, &p);
    enum err e = camera_get(x->ctx->reg, x->match.parameter[0], camera);
    if (e == OK) e = index_recording_at(x->ctx->reader, &p, camera->number, *at_ms, r);
    if (e == OK) return true;
    exchange_err(x, e);
    return false;
}

/* The part of VIEW_MS that holds the moment: neighbours of one place and time share their file. */
static struct work *view_work(struct exchange *x, const char *name) {
    struct camera camera;
    struct recording r;
    int64_t at_ms;
    if (!find_view(x, name, &camera, &r, &at_ms)) return NULL;
    struct work *w = work_new(x, "view", camera.number, &r);
    if (!w) return NULL;
    int64_t end_ms = r.duration_us > 0 ? r.start_ms + r.duration_us / 1000 : x->c.to_ms;
    w->from_ms = max64(at_ms - at_ms % VIEW_MS, max64(r.start_ms, x->c.from_ms));
    w->to_ms = min64(at_ms - at_ms % VIEW_MS + VIEW_MS, min64(end_ms, x->c.to_ms));
    if (w->from_ms < w->to_ms) return w;
    exchange_err(x, ERR_MISSING);
    return NULL;
}

static void on_view_described(const struct extract_result *r, void *arg) {
    struct work *w = arg;
    if (r->status != OK) {
        answer_failed(w, r);
        return;
    }
    char url[192];
    (void)snprintf(url, sizeof url, "/api/v1/media/camera/%s.mp4?case=%s&from_ms=%" PRId64,
                   w->x->match.parameter[0], w->x->c.id, w->from_ms);
    exchange_json(w->x, 200,
                  json_pack("{s:s,s:I,s:I}", "url", url, "from_ms",
                            (json_int_t)(w->start_ms + r->first_us / 1000), "to_ms", (json_int_t)w->to_ms));
}

void api_camera_clip_get(struct exchange *x) {
    struct work *w = view_work(x, "at_ms");
    if (!w) return;
    w->done = on_view_described;
    journal_and_make(x, "view", x->match.parameter[0], w->from_ms, w->to_ms);
}

void api_media_camera_clip_get(struct exchange *x) {
    struct work *w = view_work(x, "from_ms");
    if (!w) return;
    w->done = on_clip_file;
    journal_and_make(x, "view", x->match.parameter[0], w->from_ms, w->to_ms);
}

void api_media_camera_frame_get(struct exchange *x) {
    struct camera camera;
    struct recording r;
    int64_t at_ms;
    if (!find_view(x, "t_ms", &camera, &r, &at_ms)) return;
    struct work *w = work_new(x, "picture", camera.number, &r);
    if (!w) return;
    w->still = true;
    w->at_us = (at_ms - r.start_ms) * 1000;
    w->from_ms = w->to_ms = w->start_ms + w->at_us / 1000;
    w->done = on_still;
    journal_and_make(x, "still", x->match.parameter[0], at_ms, at_ms);
}

/* ends */
static void send_thumbnail(struct exchange *x) {
    uint64_t id;
    struct perimeter p;
    uint8_t *jpeg = NULL;
    size_t n = 0;
    case_perimeter(&x->c, &p);
    enum err e = router_u64(x->match.parameter[0], &id)
                     ? index_thumbnail_get(x->ctx->reader, &p, id, &jpeg, &n)
                     : ERR_MISSING;
    if (e != OK) {
        exchange_err(x, e);
        return;
    }
    login_note_shown(x, id);
    exchange_bytes(x, "image/jpeg", PRIVATE_HOUR ", immutable", jpeg, n);
}

/* Of a passage that no answer has shown to this user yet, the picture itself is the view. */
void api_media_thumbnail_get(struct exchange *x) {
    uint64_t id;
    if (!exchange_case(x)) return;
    if (!router_u64(x->match.parameter[0], &id) || login_was_shown(x, id))
        send_thumbnail(x);
    else
        exchange_journal(x, "thumbnail", x->match.parameter[0], NULL, send_thumbnail);
}
