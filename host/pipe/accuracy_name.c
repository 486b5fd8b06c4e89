/* SPDX-License-Identifier: Apache-2.0 */
/* Apart from accuracy.c, so that who only shows figures needs no reader of them. */
#include "host/pipe/accuracy.h"

const char *accuracy_field_name(const struct accuracy_filter *f) {
    return f->field == FIELD_NONE ? ACCURACY_PLATE : field_name(f->field);
}
