/* SPDX-License-Identifier: Apache-2.0 */
/* test.h - cmocka with the headers it needs, in the order it needs them.
 * Test files include this and never <cmocka.h>: clang-format would sort it before its prerequisites. */
#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#endif
