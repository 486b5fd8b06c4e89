/* SPDX-License-Identifier: Apache-2.0 */
/* action.c - the words of import_action_of(), apart from the importer so that the API needs nothing else of it. */
#include <string.h>

#include "host/import/import.h"

bool import_action_of(const char *name, enum import_action *out) {
    static const char *const names[] = {"pause", "resume", "cancel", "priority"};
    for (unsigned i = 0; name && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *out = (enum import_action)i;
        return true;
    }
    return false;
}
