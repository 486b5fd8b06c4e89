/* SPDX-License-Identifier: Apache-2.0 */
/* query.h - one question to the index, already understood; made by the grammar or from the API's JSON.
 * The perimeter is never part of it: the server binds that from the case (index.h). Plain data. */
#ifndef HOST_INDEX_QUERY_H
#define HOST_INDEX_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/vocab.h"

#define QUERY_GROUPS_MAX  16u
#define QUERY_TERMS_MAX   16u /* per group */
#define QUERY_CAMERAS_MAX 5000u
#define QUERY_PERIODS_MAX 64u
#define QUERY_AREA_MAX    16u

/* OR of values, possibly negated as a whole. `sure` asks for the certain bit, else the plausible one.
 * `only`: also no other value of that field may be plausible ("uniquement rouge").
 * `optional`: never filters, only ranks ("peut-être une casquette"); such a group counts in QUERY_SCORE
 * order. Terms of one group may be of several fields ("en rouge": upper or lower). */
struct query_group {
    uint8_t n_terms;
    bool negated, sure, only, optional;
    struct {
        uint8_t field;
        uint16_t id;
    } term[QUERY_TERMS_MAX];
};

enum query_plate { QUERY_PLATE_NONE, QUERY_PLATE_EXACT, QUERY_PLATE_PATTERN, QUERY_PLATE_FUZZY };
enum query_order { QUERY_NEWEST, QUERY_OLDEST, QUERY_SCORE };
enum query_direction { QUERY_ANY_WAY, QUERY_LEFT, QUERY_RIGHT, QUERY_UP, QUERY_DOWN }; /* in the picture */

struct query {
    unsigned n_groups;
    struct query_group group[QUERY_GROUPS_MAX];
    /* Periods, OR of them, UTC ms, end exclusive; already resolved ("mardi 14h-16h" -> a date; a daily band
     * over several days -> one period per day). None = the whole perimeter. */
    unsigned n_periods;
    struct {
        int64_t from_ms, to_ms;
    } period[QUERY_PERIODS_MAX];
    /* Cameras (numbers), owned by the query; none = all of the perimeter. */
    uint16_t *cameras;
    unsigned n_cameras;
    enum query_plate plate_mode;
    char plate[24];     /* letters, digits, ? one, * several; upper case, no separators */
    unsigned max_slips; /* FUZZY: edit distance 0..2; confusable letters count 0 */
    int64_t min_duration_ms, max_duration_ms; /* 0 = no limit */
    enum query_direction direction;
    /* Polygon on one camera's picture (1/65536), touched by the path's foot points; 0 = none. */
    unsigned n_area;
    struct {
        uint16_t x, y;
    } area[QUERY_AREA_MAX];
    uint64_t like_id;     /* similarity to this vehicle, 0 = none */
    uint64_t together_id; /* within together_ms of this sighting's camera and time, 0 = none */
    int64_t together_ms;
    enum query_order order;
    unsigned limit, offset; /* page; limit 1..200 */
};

void query_fini(struct query *q);

#endif
