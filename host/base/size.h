/* SPDX-License-Identifier: Apache-2.0 */
/* size.h - sums and products of sizes that say when they do not fit. True = fits, *out is set. Any thread. */
#ifndef HOST_BASE_SIZE_H
#define HOST_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>

__attribute__((warn_unused_result)) static inline bool size_mul(size_t a, size_t b, size_t *out) {
    return !__builtin_mul_overflow(a, b, out);
}
__attribute__((warn_unused_result)) static inline bool size_add(size_t a, size_t b, size_t *out) {
    return !__builtin_add_overflow(a, b, out);
}

#endif
