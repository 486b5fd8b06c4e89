/* SPDX-License-Identifier: Apache-2.0 */
/* saved_search.h - questions kept with a case under a name. Threads: as the register handle. Ownership: lists
 * need saved_search_list_free(). */
#ifndef HOST_CASE_SAVED_SEARCH_H
#define HOST_CASE_SAVED_SEARCH_H

#include <stdint.h>

#include "host/base/err.h"
#include "host/case/register.h"

#define SAVED_SEARCHES_MAX 200u /* of one case */

struct saved_search {
    uint64_t id;
    char name[128];
    char *question; /* JSON text; owned */
    char by[64];
    int64_t at_ms;
};

/* Fills id and at_ms. ERR_USAGE: the name; ERR_FULL: the case has SAVED_SEARCHES_MAX. */
MUST_CHECK enum err saved_search_add(struct register_db *r, const char *case_id, struct saved_search *s);
MUST_CHECK enum err saved_search_list(struct register_db *r, const char *case_id, struct saved_search **out,
                                      unsigned *n);
void saved_search_list_free(struct saved_search *list, unsigned n);
MUST_CHECK enum err saved_search_remove(struct register_db *r, const char *case_id, uint64_t id);

#endif
