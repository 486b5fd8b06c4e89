/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - texts from outside must be UTF-8 before they enter JSON, the journal or the index. Pure, any
 * thread. */
#ifndef HOST_BASE_UTF8_H
#define HOST_BASE_UTF8_H

#include <stdbool.h>

bool utf8_is_valid(const char *text);
/* Puts '?' for each byte that is no UTF-8, also for those of a character that was cut short at the end. */
void utf8_mend(char *text);

#endif
