/* SPDX-License-Identifier: Apache-2.0 */
/* GET /accuracy: how reliable each filter was when it was measured. */
#include "host/http/api.h"

#include "host/pipe/accuracy.h"

static json_t *measures_json(const struct accuracy_filter *f) {
    json_t *list = json_array();
    for (unsigned i = 0; list && i < f->n_measures; i++) {
        const struct accuracy_measure *m = &f->measures[i];
        json_t *o = json_pack("{s:s,s:s,s:i,s:f,s:[ff]}", "metric", m->metric, "set", m->set, "n", (int)m->n,
                              "measured", m->measured, "ci95", m->low, m->high);
        if (o && m->has_goal) {
            json_object_set_new(o, "goal", json_real(m->goal));
            json_object_set_new(o, "at_most", json_boolean(m->at_most));
            json_object_set_new(o, "met", json_boolean(m->met));
        }
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *see_also_json(const struct accuracy_filter *f) {
    json_t *list = json_array();
    for (unsigned i = 0; list && i < f->n_see_also; i++)
        json_array_append_new(list, json_pack("{s:s,s:f,s:i}", "value", f->see_also[i].value->name, "share",
                                              f->see_also[i].share, "n", (int)f->see_also[i].n));
    return list;
}

void api_accuracy_get(struct exchange *x) {
    const struct accuracy *a = x->ctx->accuracy;
    if (!a) {
        exchange_error(x, 404, "not_found", NULL, "nothing was measured");
        return;
    }
    json_t *filters = json_array();
    for (size_t i = 0; filters && i < a->n_filters; i++) {
        const struct accuracy_filter *f = &a->filters[i];
        json_array_append_new(filters, json_pack("{s:s,s:s,s:b,s:s,s:o,s:o}", "field", accuracy_field_name(f), "value",
                                                 f->value ? f->value->name : "", "enabled", (int)f->enabled, "why",
                                                 f->why, "measures", measures_json(f), "see_also", see_also_json(f)));
    }
    exchange_json(x, 200, json_pack("{s:s,s:o}", "date", a->date, "filters", filters));
}
