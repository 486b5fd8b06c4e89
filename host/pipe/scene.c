/* SPDX-License-Identifier: Apache-2.0 */
#include "host/pipe/scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/log.h"
#include "host/pipe/light.h"
#include "host/pipe/likeness.h"
#include "host/pipe/look.h"
#include "host/pipe/thumbnail.h"
#include "host/pipe/track.h"

#define MAGIC            0x4e435352u /* "RSCN" */
#define VERSION          5u /* from 3 on still loaded, since an import may have been killed before an update: */
#define VERSION_LEAST    3u /* 3 has no plates, 4 no answers of networks on crops */
#define WISHES_MAX       64u
#define PICTURE_BETTER   1.12f /* a new picture must be this much better: coding one costs a millisecond */
#define GARMENT_H_MIN    48.0f /* px; smaller figures have no readable garments */
#define UPRIGHT_MIN      1.6f  /* height / width of a figure that stands */
#define VEHICLE_SIDE_MIN 24.0f
#define COVER_MAX        0.30f /* a crop of an object hidden more than this shows the other one */
#define HINT_FRAMES_MIN  3u
#define HINT_SHARE_MIN   0.15f

/* The detector's classes, and which of them may be one object. */
static const struct kind {
    const char *name;
    enum track_group group;
} kinds[] = {
    {"person", TRACK_PERSON}, {"bicycle", TRACK_TWO_WHEELER}, {"motorcycle", TRACK_TWO_WHEELER},
    {"car", TRACK_VEHICLE},   {"van", TRACK_VEHICLE},         {"bus", TRACK_VEHICLE},
    {"truck", TRACK_VEHICLE},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };
_Static_assert(CROP_PERSON_W_PX *CROP_PERSON_H_PX <= CROP_VEHICLE_W_PX * CROP_VEHICLE_H_PX,
               "one buffer holds either");
_Static_assert(N_KINDS <= TRACK_KINDS_MAX, "a track counts votes for every kind");

/* A crop asked for in the last frame. */
struct wish {
    uint32_t track;
    uint16_t slot;
    bool is_person, is_cut; /* cut: the crop was given */
    float quality;
    uint32_t plate_of; /* the track whose plate is wanted; 0 = none, or told. Not saved: nothing is asked across a save */
    uint8_t nets; /* whose answer is awaited, a bit each. Not saved: nothing is asked across a save */
};

struct scene {
    struct scene_config cfg;
    uint16_t kind_id[N_KINDS];           /* in FIELD_CLASS */
    uint16_t with_bicycle_id;            /* in FIELD_ACCESSORY; 0 = no such word */
    uint16_t colour_id[3][COLOUR_COUNT]; /* in upper, lower, vehicle colour; 0 = the vocabulary has no such
                                            value */
    struct tracker *tracker;
    struct thumbnailer *thumbnailer;
    struct look looks[TRACKS_MAX]; /* of the tracker's slots */
    bool begun;
    int64_t last_us;
    float frame_w_px, frame_h_px;
    float gain[3]; /* of the light in the last frame: for its crops */
    unsigned n_wishes;
    struct wish wishes[WISHES_MAX];
    int8_t balanced[CROP_VEHICLE_W_PX * CROP_VEHICLE_H_PX * 3]; /* working memory */
};

static const enum field colour_fields[3] = {FIELD_UPPER_COLOUR, FIELD_LOWER_COLOUR, FIELD_VEHICLE_COLOUR};

/* ---- vocabulary ---- */

static enum err resolve_words(struct scene *s) {
    for (unsigned i = 0; i < N_KINDS; i++) {
        const struct vocab_value *v = vocab_by_name(s->cfg.vocab, FIELD_CLASS, kinds[i].name);
        if (!v) {
            log_error("scene", "what=vocabulary field=class missing=%s", kinds[i].name);
            return ERR_CORRUPT;
        }
        s->kind_id[i] = v->id;
    }
    const struct vocab_value *with = vocab_by_name(s->cfg.vocab, FIELD_ACCESSORY, "with.bicycle");
    s->with_bicycle_id = with ? with->id : 0;
    for (unsigned f = 0; f < 3; f++) {
        for (unsigned c = 0; c < COLOUR_COUNT; c++) {
            const struct vocab_value *v = vocab_by_name(s->cfg.vocab, colour_fields[f], colour_name(c));
            if (v) {
                s->colour_id[f][c] = v->id;
            } else if (c != COLOUR_SILVER) { /* no garment is silver */
                log_error("scene", "what=vocabulary field=%s missing=%s", field_name(colour_fields[f]),
                          colour_name(c));
                return ERR_CORRUPT;
            }
        }
    }
    return OK;
}

static int kind_of(const struct scene *s, uint16_t class_id) {
    for (unsigned i = 0; i < N_KINDS; i++) {
        if (s->kind_id[i] == class_id) return (int)i;
    }
    return -1;
}

/* ---- life ---- */

static struct track_config track_config_of(const struct scene_config *cfg) {
    return (struct track_config){.start = cfg->threshold_start, .keep = cfg->threshold_keep};
}

/* Everything but the tracker. */
static enum err scene_prepare(const struct scene_config *cfg, struct scene **out) {
    *out = NULL;
    if (!cfg->vocab) return ERR_USAGE;
    struct scene *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    s->cfg = *cfg;
    enum err e = resolve_words(s);
    if (e == OK) e = thumbnailer_new(&s->thumbnailer);
    if (e != OK) {
        scene_free(&s);
        return e;
    }
    *out = s;
    return OK;
}

enum err scene_new(const struct scene_config *cfg, struct scene **out) {
    enum err e = scene_prepare(cfg, out);
    if (e != OK) return e;
    const struct track_config tc = track_config_of(cfg);
    e = tracker_new(&tc, &(*out)->tracker);
    if (e != OK) scene_free(out);
    return e;
}

void scene_free(struct scene **s) {
    if (!s || !*s) return;
    for (unsigned i = 0; i < TRACKS_MAX; i++) look_fini(&(*s)->looks[i]);
    thumbnailer_free(&(*s)->thumbnailer);
    tracker_free(&(*s)->tracker);
    free(*s);
    *s = NULL;
}

/* ---- one frame ---- */

static uint16_t norm_of(float v, float whole) {
    float n = roundf(v / whole * 65536.0f);
    return (uint16_t)fminf(fmaxf(n, 0.0f), 65535.0f);
}

static struct box_norm box_norm_of(const struct scene *s, const struct track_box *b) {
    return (struct box_norm){norm_of(b->x_px, s->frame_w_px), norm_of(b->y_px, s->frame_h_px),
                             norm_of(b->x_px + b->w_px, s->frame_w_px),
                             norm_of(b->y_px + b->h_px, s->frame_h_px)};
}

static bool surface_is_sound(const struct wire_surface *f) {
    return f->w_px >= 2 && f->h_px >= 2 && f->w_px <= 65534 && f->h_px <= 65534 &&
           f->stride_bytes >= f->w_px && f->uv_offset_bytes >= (uint64_t)f->stride_bytes * f->h_px;
}

static unsigned observe(const struct scene *s, const struct detection *det, unsigned n_det,
                        struct track_obs *obs) {
    unsigned n = 0;
    for (unsigned i = 0; i < n_det && n < TRACK_OBS_MAX; i++) {
        const struct detection *d = &det[i];
        int kind = d->is_hint ? -1 : kind_of(s, d->class_id);
        if (kind < 0) continue;
        obs[n++] = (struct track_obs){.box = {d->x_px, d->y_px, d->w_px, d->h_px},
                                      .score = d->score,
                                      .group = (uint8_t)kinds[kind].group,
                                      .kind = (uint8_t)kind};
    }
    return n;
}

/* What a detection says of the person beside it, in FIELD_ACCESSORY; 0 = nothing. */
static uint16_t hint_of(const struct scene *s, const struct detection *d) {
    if (d->is_hint) return d->class_id > 0 && d->class_id <= VOCAB_MAX ? d->class_id : 0;
    int kind = kind_of(s, d->class_id);
    return kind >= 0 && strcmp(kinds[kind].name, "bicycle") == 0 ? s->with_bicycle_id : 0;
}

/* An umbrella, a suitcase, a bicycle belongs to the person nearest to it, when one is near at all. */
static void give_hint(struct scene *s, const struct detection *d, uint16_t id) {
    const struct track *t = tracker_slots(s->tracker);
    const struct track_box b = {d->x_px, d->y_px, d->w_px, d->h_px};
    float cx = b.x_px + b.w_px / 2.0f, cy = b.y_px + b.h_px / 2.0f, least = 1.0f;
    int owner = -1;
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        if (t[i].state != TRACK_ALIVE || !t[i].seen_now || t[i].group != TRACK_PERSON) continue;
        const struct track_box *p = &t[i].seen;
        float dx =
            fabsf(cx - (p->x_px + p->w_px / 2.0f)) / (p->w_px / 2.0f + 0.20f * p->h_px + b.w_px / 4.0f);
        float dy = fabsf(cy - (p->y_px + p->h_px / 2.0f)) / (0.70f * p->h_px);
        if (b.w_px > 1.5f * p->h_px || fmaxf(dx, dy) >= least) continue;
        least = fmaxf(dx, dy);
        owner = (int)i;
    }
    if (owner >= 0) look_add_hint(&s->looks[owner], id);
}

/* The box on the even grid of NV12, inside the surface. */
static bool roi_of(const struct scene *s, const struct track_box *b, struct wire_roi *out) {
    float x0 = floorf(fmaxf(b->x_px, 0.0f) / 2.0f) * 2.0f, y0 = floorf(fmaxf(b->y_px, 0.0f) / 2.0f) * 2.0f;
    float x1 = fminf(ceilf(b->x_px + b->w_px), s->frame_w_px),
          y1 = fminf(ceilf(b->y_px + b->h_px), s->frame_h_px);
    if (!(x1 - x0 >= 2.0f && y1 - y0 >= 2.0f)) return false;
    *out = (struct wire_roi){(uint16_t)x0, (uint16_t)y0, (uint16_t)(x1 - x0), (uint16_t)(y1 - y0)};
    return true;
}

/* Its colours can be read in this frame. A figure cut by the edge has its garments elsewhere in the box; a
 * car has its paint everywhere. */
static bool shows_colour(const struct scene *s, const struct track *t) {
    const struct track_box *b = &t->seen;
    if (t->cover > COVER_MAX) return false;
    if (t->group == TRACK_PERSON)
        return b->h_px >= GARMENT_H_MIN && b->h_px >= UPRIGHT_MIN * b->w_px &&
               !look_is_cut(b, s->frame_w_px, s->frame_h_px);
    return t->group == TRACK_VEHICLE && fminf(b->w_px, b->h_px) >= VEHICLE_SIDE_MIN;
}

/* The networks for persons, or for vehicles, a bit each. */
static uint8_t nets_for(const struct scene *s, bool is_person) {
    uint8_t bits = 0;
    for (unsigned i = 0; i < LOOK_NETS_MAX && s->cfg.nets[i]; i++) {
        if (s->cfg.nets[i]->of_persons == is_person) bits |= (uint8_t)(1u << i);
    }
    return bits;
}

static bool reads_plates(const struct scene *s, int64_t pts_us) {
    const int64_t ms = s->cfg.start_ms + pts_us / 1000;
    return ms >= s->cfg.plates_from_ms && ms < s->cfg.plates_to_ms;
}

/* `colours`: the light lets colours be read. */
static void wish_for(struct scene *s, unsigned slot, int64_t pts_us, bool colours, struct scene_crop *want,
                     unsigned max) {
    const struct track *t = &tracker_slots(s->tracker)[slot];
    struct look *k = &s->looks[slot];
    float quality = look_quality(t, s->frame_w_px, s->frame_h_px);
    struct wire_roi roi;
    if (s->n_wishes >= max || s->n_wishes >= WISHES_MAX || !shows_colour(s, t)) return;
    if (!look_wants_vote(k, quality, pts_us) || !roi_of(s, &t->seen, &roi)) return;
    bool is_person = t->group == TRACK_PERSON, plate = !is_person && reads_plates(s, pts_us);
    if (!colours && !plate) return;
    const uint8_t nets = colours ? nets_for(s, is_person) : 0;
    want[s->n_wishes] = (struct scene_crop){.roi = roi,
                                            .dst_w_px = is_person ? CROP_PERSON_W_PX : CROP_VEHICLE_W_PX,
                                            .dst_h_px = is_person ? CROP_PERSON_H_PX : CROP_VEHICLE_H_PX,
                                            .track = t->number,
                                            .colours = colours,
                                            .plate = plate,
                                            .nets = nets};
    s->wishes[s->n_wishes++] = (struct wish){.track = t->number,
                                             .slot = (uint16_t)slot,
                                             .is_person = is_person,
                                             .is_cut = !colours,
                                             .quality = quality,
                                             .plate_of = plate ? t->number : 0,
                                             .nets = nets};
    k->n_asked++;
    k->asked_us = pts_us;
}

static void wish_for_group(struct scene *s, enum track_group group, int64_t pts_us, bool colours,
                           struct scene_crop *want, unsigned max) {
    const struct track *t = tracker_slots(s->tracker);
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        if (t[i].state == TRACK_ALIVE && t[i].seen_now && t[i].group == group)
            wish_for(s, i, pts_us, colours, want, max);
    }
}

static enum err take_picture(struct scene *s, unsigned slot, int64_t pts_us,
                             const struct wire_surface *surface, const uint8_t *pixels) {
    const struct track *t = &tracker_slots(s->tracker)[slot];
    struct look *k = &s->looks[slot];
    float quality = look_quality(t, s->frame_w_px, s->frame_h_px);
    if (k->best_quality > 0.0f && quality < PICTURE_BETTER * k->best_quality) return OK;
    uint8_t *jpeg = NULL;
    size_t n = 0;
    enum err e = thumbnailer_make(s->thumbnailer, surface, pixels, &t->seen, &jpeg, &n);
    if (e == ERR_NOMEM) return e;
    if (n > THUMBNAIL_BYTES_MAX) {
        free(jpeg);
        jpeg = NULL;
        n = 0;
    }
    free(k->jpeg);
    k->jpeg = jpeg;
    k->jpeg_bytes = (uint32_t)n;
    k->best_quality = quality;
    k->best_pts_us = pts_us;
    k->best_box = box_norm_of(s, &t->seen);
    return OK;
}

enum err scene_frame(struct scene *s, int64_t pts_us, const struct wire_surface *surface,
                     const uint8_t *pixels, const struct detection *det, unsigned n_det,
                     struct scene_crop *want, unsigned max, unsigned *n_want) {
    struct track_obs obs[TRACK_OBS_MAX] = {0};
    *n_want = 0;
    s->n_wishes = 0;
    if (max == 0 || pts_us < 0 || !surface_is_sound(surface)) return ERR_USAGE;
    if (s->begun && pts_us <= s->last_us) return ERR_USAGE;
    s->begun = true;
    s->last_us = pts_us;
    s->frame_w_px = (float)surface->w_px;
    s->frame_h_px = (float)surface->h_px;
    unsigned n_obs = observe(s, det, n_det, obs);
    tracker_step(s->tracker, pts_us, s->frame_w_px, s->frame_h_px, obs, n_obs);
    for (unsigned i = 0; i < n_det; i++) {
        uint16_t id = hint_of(s, &det[i]);
        if (id) give_hint(s, &det[i], id);
    }
    const struct track *t = tracker_slots(s->tracker);
    struct light light = {.gain = {1.0f, 1.0f, 1.0f}};
    bool looked = false;
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        if (t[i].state != TRACK_ALIVE || !t[i].seen_now) continue;
        if (!looked) light_of_frame(surface, pixels, &light);
        looked = true;
        struct track_box box = track_box_of(&t[i]);
        struct box_norm norm = box_norm_of(s, &box);
        look_add_point(&s->looks[i], pts_us, &norm);
        enum err e = take_picture(s, i, pts_us, surface, pixels);
        if (e != OK) return e;
    }
    memcpy(s->gain, light.gain, sizeof s->gain);
    const bool colours = !light.is_grey && !light.is_dim && !light.is_blown;
    if (colours) wish_for_group(s, TRACK_PERSON, pts_us, colours, want, max);
    wish_for_group(s, TRACK_VEHICLE, pts_us, colours, want, max);
    *n_want = s->n_wishes;
    return OK;
}

enum err scene_crop_done(struct scene *s, const struct scene_crop *crop, const int8_t *bgr) {
    for (unsigned i = 0; i < s->n_wishes; i++) {
        struct wish w = s->wishes[i];
        if (w.track != crop->track || w.is_cut) continue;
        unsigned want_w = w.is_person ? CROP_PERSON_W_PX : CROP_VEHICLE_W_PX;
        unsigned want_h = w.is_person ? CROP_PERSON_H_PX : CROP_VEHICLE_H_PX;
        if (crop->dst_w_px != want_w || crop->dst_h_px != want_h) return ERR_USAGE;
        s->wishes[i].is_cut = true; /* a crop counts once */
        struct look *k = &s->looks[w.slot];
        struct look_vote v = {.quality = w.quality};
        light_balance(s->gain, bgr, (size_t)want_w * want_h, s->balanced);
        bool seen = w.is_person ? colour_of_clothes(s->balanced, &v.part[0], &v.part[1])
                                : colour_of_vehicle(s->balanced, &v.part[0]);
        if (seen) look_add_vote(k, &v);
        if (!w.is_person && (!k->has_likeness || w.quality > k->likeness_quality)) {
            likeness_of_vehicle(s->balanced, k->likeness);
            k->has_likeness = 1;
            k->likeness_quality = w.quality;
        }
        return OK;
    }
    return ERR_USAGE;
}

enum err scene_plate_done(struct scene *s, const struct scene_crop *crop, const struct plate_guess *guess,
                          float weight) {
    for (unsigned i = 0; i < s->n_wishes; i++) {
        struct wish *w = &s->wishes[i];
        if (w->plate_of == 0 || w->plate_of != crop->track) continue;
        w->plate_of = 0;
        plate_votes_add(&s->looks[w->slot].plates, guess, weight);
        return OK;
    }
    return ERR_USAGE;
}

enum err scene_net_done(struct scene *s, const struct scene_crop *crop, unsigned net, const int8_t *answer) {
    for (unsigned i = 0; i < s->n_wishes && net < LOOK_NETS_MAX; i++) {
        struct wish *w = &s->wishes[i];
        if (w->track != crop->track || !(w->nets & 1u << net)) continue;
        w->nets &= (uint8_t)~(1u << net);
        look_add_answer(&s->looks[w->slot], net, w->quality, answer, s->cfg.nets[net]->n_labels);
        return OK;
    }
    return ERR_USAGE;
}

enum err scene_end(struct scene *s) {
    tracker_end(s->tracker);
    s->n_wishes = 0;
    return OK;
}

/* ---- a finished track becomes a sighting ---- */

static struct attribute *add_attribute(struct sighting *g, enum field field) {
    if (g->n_attributes == SIGHTING_ATTRIBUTES_MAX) return NULL;
    struct attribute *a = &g->attributes[g->n_attributes++];
    *a = (struct attribute){.field = (uint8_t)field};
    return a;
}

static void add_value(struct attribute *a, uint16_t id, float share, bool sure) {
    if (a->n_values == SIGHTING_ALTERNATIVES_MAX) return;
    a->value[a->n_values].id = id;
    a->value[a->n_values].score = (uint8_t)fminf(fmaxf(roundf(100.0f * share), 1.0f), 100.0f);
    a->value[a->n_values].sure = sure;
    a->n_values++;
}

/* What the networks make of a finished track, by their labels. */
struct said {
    bool by[LOOK_NETS_MAX]; /* it answered */
    float shares[LOOK_NETS_MAX][LOOK_NET_LABELS_MAX];
};

static void hear_nets(const struct scene *s, const struct look *k, struct said *out) {
    *out = (struct said){0};
    for (unsigned i = 0; i < LOOK_NETS_MAX && s->cfg.nets[i]; i++)
        out->by[i] = look_shares(k, i, s->cfg.nets[i], out->shares[i]);
}

/* Sum over the networks that answered; false when none of them speaks of the field. */
static bool share_of(const struct scene *s, const struct said *said, enum field field, uint16_t id, float *out) {
    bool speaks = false;
    *out = 0.0f;
    for (unsigned i = 0; i < LOOK_NETS_MAX && s->cfg.nets[i]; i++) {
        if (said->by[i]) speaks |= look_net_share(s->cfg.nets[i], said->shares[i], field, id, out);
    }
    return speaks;
}

static void write_class(const struct scene *s, const struct track *t, const struct said *said, struct sighting *g) {
    struct attribute *a = add_attribute(g, FIELD_CLASS);
    float sum = 0.0f, votes[N_KINDS];
    for (unsigned i = 0; i < N_KINDS; i++) sum += t->kind_votes[i];
    for (unsigned i = 0; i < N_KINDS; i++) {
        float share;
        votes[i] = t->kind_votes[i] / sum;
        if (t->group == TRACK_VEHICLE && share_of(s, said, FIELD_CLASS, s->kind_id[i], &share))
            votes[i] += LOOK_NET_CLASS_WEIGHT * (share - votes[i]);
    }
    for (unsigned n = 0; n < SIGHTING_ALTERNATIVES_MAX; n++) {
        unsigned best = 0;
        for (unsigned i = 1; i < N_KINDS; i++) {
            if (votes[i] > votes[best]) best = i;
        }
        float share = votes[best];
        if (!(share > 0.0f) || (n > 0 && share < 0.10f)) break;
        votes[best] = 0.0f;
        add_value(a, s->kind_id[best], share, n == 0 && share >= 0.7f);
        if (n == 0) g->class_id = s->kind_id[best];
    }
}

/* A field has several values at once only where each is a thing of its own. */
static void write_said(struct sighting *g, struct look_net_value v, float share, bool sure) {
    struct attribute *a = NULL;
    for (unsigned i = 0; i < g->n_attributes && v.field != FIELD_ACCESSORY; i++) {
        if (g->attributes[i].field == (uint8_t)v.field) a = &g->attributes[i];
    }
    if (!a) a = add_attribute(g, v.field);
    if (a) add_value(a, v.id, share, sure);
}

static bool is_written_elsewhere(enum field f) {
    return f == FIELD_NONE || f == FIELD_CLASS || f == FIELD_VEHICLE_COLOUR;
}

/* Nothing reached its threshold: looked at and undecided, or never seen well enough. */
static void write_silence(struct sighting *g, enum field field, bool answered) {
    for (unsigned i = 0; i < g->n_attributes; i++) {
        if (g->attributes[i].field == (uint8_t)field) return;
    }
    if (field == FIELD_ACCESSORY && answered) return; /* carries nothing */
    struct attribute *a = add_attribute(g, field);
    if (a) add_value(a, answered ? VOCAB_UNKNOWN : VOCAB_NOT_ESTIMATED, 1.0f, false);
}

/* All that networks say but class and paint, which others have a word in. */
static void write_nets(const struct scene *s, const struct said *said, bool is_person, struct sighting *g) {
    for (unsigned i = 0; i < LOOK_NETS_MAX && s->cfg.nets[i]; i++) {
        const struct look_net *n = s->cfg.nets[i];
        if (n->of_persons != is_person) continue;
        for (unsigned k = 0; said->by[i] && k < n->n_labels; k++) {
            const struct look_net_label *l = &n->labels[k];
            const float share = said->shares[i][k];
            for (unsigned y = 0; y < 2; y++) {
                if (!is_written_elsewhere(l->yes[y].field) && share >= l->at_least)
                    write_said(g, l->yes[y], share, share >= l->sure);
            }
            if (!is_written_elsewhere(l->no.field) && 1.0f - share >= l->at_least)
                write_said(g, l->no, 1.0f - share, 1.0f - share >= l->sure);
        }
        for (unsigned k = 0; k < n->n_labels; k++) {
            for (unsigned y = 0; y < 2; y++) {
                enum field f = n->labels[k].yes[y].field;
                if (!is_written_elsewhere(f) && n->labels[k].at_least <= 1.0f) write_silence(g, f, said->by[i]);
            }
        }
    }
}

/* `part`: 0 upper or vehicle, 1 lower; `which`: index in colour_fields. */
static void write_colour(const struct scene *s, const struct look *k, const struct said *said, unsigned part,
                         unsigned which, struct sighting *g) {
    struct attribute *a = add_attribute(g, colour_fields[which]);
    struct colour_shares mean;
    struct colour_verdict v;
    if (!look_mean(k, part, &mean)) {
        add_value(a, VOCAB_NOT_ESTIMATED, 1.0f, false);
        return;
    }
    for (unsigned c = 0; which == 2 && c < COLOUR_NAMES; c++) {
        float share;
        if (c != COLOUR_SILVER && share_of(s, said, FIELD_VEHICLE_COLOUR, s->colour_id[2][c], &share))
            mean.of[c] += LOOK_NET_PAINT_WEIGHT * (share - mean.of[c]);
    }
    colour_decide(&mean, which == 2 ? COLOUR_VEHICLE : COLOUR_CLOTHES, &v);
    for (unsigned i = 0; i < v.n; i++) {
        uint16_t id = s->colour_id[which][v.value[i].colour];
        if (id) add_value(a, id, (float)v.value[i].score / 100.0f, v.value[i].sure);
    }
    if (a->n_values == 0) add_value(a, VOCAB_UNKNOWN, 1.0f, false);
}

static void write_accessories(const struct track *t, const struct look *k, struct sighting *g) {
    for (unsigned i = 0; i < k->n_hints; i++) {
        const struct look_hint *h = &k->hints[i];
        float share = (float)h->n_seen / (float)t->n_seen;
        if (h->n_seen < HINT_FRAMES_MIN || share < HINT_SHARE_MIN) continue;
        bool told = false;
        for (unsigned n = 0; n < g->n_attributes; n++)
            told = told || (g->attributes[n].field == FIELD_ACCESSORY && g->attributes[n].value[0].id == h->id);
        struct attribute *a = told ? NULL : add_attribute(g, FIELD_ACCESSORY);
        if (a) add_value(a, h->id, fminf(share, 1.0f), share > 0.5f);
    }
}

static struct sighting *sighting_of(const struct scene *s, const struct track *t, struct look *k) {
    struct sighting *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->recording_id = s->cfg.recording_id;
    g->camera_number = s->cfg.camera_number;
    g->confidence = (uint8_t)fminf(fmaxf(roundf(100.0f * t->score_best), 1.0f), 100.0f);
    g->start_ms = s->cfg.start_ms + t->first_us / 1000;
    g->end_ms = s->cfg.start_ms + t->last_us / 1000;
    g->best_ms = s->cfg.start_ms + k->best_pts_us / 1000;
    g->best_pts_us = k->best_pts_us;
    g->best_box = k->best_box;
    g->n_frames = t->n_seen;
    struct said said;
    hear_nets(s, k, &said);
    write_class(s, t, &said, g);
    if (t->group == TRACK_PERSON) {
        write_colour(s, k, &said, 0, 0, g);
        write_colour(s, k, &said, 1, 1, g);
    } else {
        write_colour(s, k, &said, 0, 2, g);
    }
    if (t->group != TRACK_TWO_WHEELER) write_nets(s, &said, t->group == TRACK_PERSON, g);
    if (t->group == TRACK_PERSON) write_accessories(t, k, g);
    for (unsigned i = 0; i < k->n_path; i++)
        g->path[g->n_path++] =
            (struct path_point){s->cfg.start_ms + k->path[i].pts_us / 1000, k->path[i].box};
    if (t->group == TRACK_VEHICLE && k->has_likeness) {
        memcpy(g->likeness, k->likeness, sizeof g->likeness);
        g->has_likeness = 1;
    }
    /* A case that stopped allowing plates between a kill and the resumed run gets none of those read before. */
    if (s->cfg.plates_to_ms > s->cfg.plates_from_ms)
        (void)plate_votes_decide(&k->plates, s->cfg.plate_least_share, &g->plate);
    g->thumbnail_jpeg = k->jpeg;
    g->thumbnail_bytes = k->jpeg_bytes;
    k->jpeg = NULL;
    k->jpeg_bytes = 0;
    return g;
}

struct sighting *scene_take(struct scene *s) {
    const struct track *t = tracker_slots(s->tracker);
    for (;;) {
        unsigned first = TRACKS_MAX; /* in order of birth */
        for (unsigned i = 0; i < TRACKS_MAX; i++) {
            if (t[i].state == TRACK_ENDED && (first == TRACKS_MAX || t[i].number < t[first].number))
                first = i;
        }
        if (first == TRACKS_MAX) return NULL;
        struct sighting *g = NULL;
        if (track_is_real(&t[first])) {
            g = sighting_of(s, &t[first], &s->looks[first]);
            if (!g) { /* the track stays, so nothing is lost: the next call tries again */
                log_error("scene", "what=sighting cause=memory");
                return NULL;
            }
        }
        look_fini(&s->looks[first]);
        tracker_release(s->tracker, first);
        if (g) return g;
    }
}

/* ---- save and load ---- */

enum err scene_save(const struct scene *s, struct bytes *out) {
    bytes_put_u32(out, MAGIC);
    bytes_put_u32(out, VERSION);
    bytes_put_u64(out, s->cfg.recording_id);
    bytes_put_u8(out, s->begun);
    bytes_put_u64(out, (uint64_t)s->last_us);
    bytes_put_f32(out, s->frame_w_px);
    bytes_put_f32(out, s->frame_h_px);
    tracker_save(s->tracker, out);
    const struct track *t = tracker_slots(s->tracker);
    for (unsigned i = 0; i < TRACKS_MAX; i++) {
        if (t[i].state != TRACK_FREE) look_save(&s->looks[i], out);
    }
    for (unsigned i = 0; i < 3; i++) bytes_put_f32(out, s->gain[i]);
    bytes_put_u8(out, (uint8_t)s->n_wishes);
    for (unsigned i = 0; i < s->n_wishes; i++) {
        bytes_put_u32(out, s->wishes[i].is_cut ? 0 : s->wishes[i].track); /* 0: a crop counts once */
        bytes_put_u16(out, s->wishes[i].slot);
        bytes_put_u8(out, s->wishes[i].is_person);
        bytes_put_f32(out, s->wishes[i].quality);
    }
    bytes_put_u32(out, MAGIC);
    return out->bad ? ERR_NOMEM : OK;
}

static void load_wishes(struct scene *s, struct bytes_reader *r) {
    const struct track *t = tracker_slots(s->tracker);
    for (unsigned i = 0; i < 3; i++) {
        s->gain[i] = bytes_get_f32(r);
        if (!(s->gain[i] >= 0.0f && s->gain[i] <= 2.0f)) r->bad = true;
    }
    unsigned n = bytes_get_u8(r);
    if (n > WISHES_MAX) r->bad = true;
    for (unsigned i = 0; i < n && !r->bad; i++) {
        struct wish *w = &s->wishes[s->n_wishes++];
        w->track = bytes_get_u32(r);
        w->slot = bytes_get_u16(r);
        uint8_t is_person = bytes_get_u8(r);
        w->quality = bytes_get_f32(r);
        if (is_person > 1 || w->slot >= TRACKS_MAX || !(w->quality >= 0.0f && w->quality <= 2.0f))
            r->bad = true;
        w->is_person = is_person != 0;
        if (!r->bad && w->track != 0 && t[w->slot].number != w->track) r->bad = true;
    }
}

enum err scene_load(const struct scene_config *cfg, const void *record, size_t n, struct scene **out) {
    struct bytes_reader r = bytes_reader_of(record, n);
    struct scene *s = NULL;
    enum err e = scene_prepare(cfg, &s);
    *out = NULL;
    if (e != OK) return e;
    if (bytes_get_u32(&r) != MAGIC) r.bad = true;
    const uint32_t version = bytes_get_u32(&r);
    if (version < VERSION_LEAST || version > VERSION) r.bad = true;
    if (bytes_get_u64(&r) != cfg->recording_id) r.bad = true;
    uint8_t begun = bytes_get_u8(&r);
    s->begun = begun != 0;
    s->last_us = (int64_t)bytes_get_u64(&r);
    s->frame_w_px = bytes_get_f32(&r);
    s->frame_h_px = bytes_get_f32(&r);
    if (begun > 1 || s->last_us < 0) r.bad = true;
    if (!(s->frame_w_px >= 0.0f && s->frame_w_px < 65536.0f && s->frame_h_px >= 0.0f &&
          s->frame_h_px < 65536.0f))
        r.bad = true;
    const struct track_config tc = track_config_of(cfg);
    e = r.bad ? ERR_CORRUPT : tracker_load(&tc, &r, &s->tracker);
    for (unsigned i = 0; e == OK && i < TRACKS_MAX; i++) {
        if (tracker_slots(s->tracker)[i].state != TRACK_FREE) e = look_load(&r, version, &s->looks[i]);
        if (r.bad) e = ERR_CORRUPT;
    }
    if (e == OK) {
        load_wishes(s, &r);
        if (bytes_get_u32(&r) != MAGIC || r.p != r.end) r.bad = true;
        if (r.bad) e = ERR_CORRUPT;
    }
    if (e != OK) {
        scene_free(&s);
        return e;
    }
    *out = s;
    return OK;
}
