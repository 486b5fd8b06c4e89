/* SPDX-License-Identifier: Apache-2.0 */
/* GET /facts and GET /figures: for the impact assessment, and for the public. On the clerk's thread: it reads
 * the whole journal. */
#include "host/http/api.h"

#include <stdlib.h>

#include "host/evidence/facts.h"

static enum err tell_facts(struct register_db *r, struct exchange *x) {
    const struct http_context *ctx = x->ctx;
    x->answer = facts_json(&(struct facts_context){.r = r,
                                                   .version = ctx->version,
                                                   .tz = ctx->tz,
                                                   .site_allowed = ctx->site_allowed,
                                                   .retention_days = ctx->retention_days,
                                                   .journal_years = ctx->journal_years,
                                                   .vocab = ctx->vocab,
                                                   .accuracy = ctx->accuracy});
    return x->answer ? OK : ERR_NOMEM;
}

void api_facts_get(struct exchange *x) {
    exchange_act(x, "facts", tell_facts, NULL);
}

struct year {
    int year;
};

static enum err tell_year(struct register_db *r, struct exchange *x) {
    const struct year *y = x->work;
    x->answer = facts_year_json(r, x->ctx->tz, y->year);
    return x->answer ? OK : ERR_NOMEM;
}

void api_figures_get(struct exchange *x) {
    char text[8];
    uint64_t year;
    if (!exchange_query(x, "year", text, sizeof text) || !router_u64(text, &year) || year < 2000 ||
        year > 9999) {
        exchange_err(x, ERR_USAGE);
        return;
    }
    struct year *y = x->work = calloc(1, sizeof *y);
    if (!y) {
        exchange_err(x, ERR_NOMEM);
        return;
    }
    y->year = (int)year;
    exchange_act(x, "figures", tell_year, NULL);
}
