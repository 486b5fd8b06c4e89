/* SPDX-License-Identifier: Apache-2.0 */
/* item.h - an import item as JSON and back: the line of `import --json` and of the control socket. */
#ifndef HOST_IMPORT_ITEM_H
#define HOST_IMPORT_ITEM_H

#include <stdbool.h>

#include <jansson.h>

#include "host/import/import.h"

json_t *import_item_json(const struct import_item *i); /* a new reference, NULL when memory is short */
bool import_item_of_json(const json_t *o, struct import_item *out);
/* DONE, SKIPPED, FAILED or CANCELLED. */
bool import_item_is_over(const struct import_item *i);

#endif
