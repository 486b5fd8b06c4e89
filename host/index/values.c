/* SPDX-License-Identifier: Apache-2.0 */
#include "host/index/values.h"

#include "host/index/db.h"
#include "host/index/query.h"
#include "host/index/record.h"

static uint32_t own(enum db_field field, unsigned id) {
    return (uint32_t)field << 10 | id;
}

unsigned values_of(const struct sighting *s, uint32_t out[VALUES_MAX]) {
    unsigned n = 0;
    out[n++] = own(DB_FIELD_ALL, 1);
    out[n++] = own(DB_FIELD_DURATION, record_duration_bucket(s->end_ms - s->start_ms));
    for (unsigned i = 0; i < s->n_attributes; i++) {
        const struct attribute *a = &s->attributes[i];
        for (unsigned k = 0; k < a->n_values; k++) {
            uint16_t id = a->value[k].id;
            out[n++] = vocab_number(a->field, id, false);
            if (a->value[k].sure) out[n++] = vocab_number(a->field, id, true);
        }
    }
    unsigned ways = record_directions(s);
    for (unsigned d = QUERY_LEFT; d <= QUERY_DOWN; d++)
        if (ways & 1u << d) out[n++] = own(DB_FIELD_DIRECTION, d);
    if (s->plate.n_chars) out[n++] = own(DB_FIELD_HAS, DB_HAS_PLATE);
    if (s->has_likeness) out[n++] = own(DB_FIELD_HAS, DB_HAS_LIKENESS);
    return n;
}
