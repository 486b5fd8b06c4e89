/* SPDX-License-Identifier: Apache-2.0 */
/* bitpack.h - numbers of any width one behind the other, lowest bit first; small ones cost few bits
 * (exponential Golomb codes of order k: 2^k is what is usual). A reader never passes its end: after the first
 * short read every number is 0 and `bad` stays set. Threads: any. */
#ifndef HOST_INDEX_BITPACK_H
#define HOST_INDEX_BITPACK_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/bytes.h"

struct bit_writer {
    struct bytes *out; /* borrowed */
    uint64_t held;
    unsigned n_held;
};
void bits_put(struct bit_writer *w, uint64_t v, unsigned n);        /* n <= 32 */
void bits_put_number(struct bit_writer *w, uint64_t v, unsigned k); /* below 2^62 */
void bits_put_signed(struct bit_writer *w, int64_t v, unsigned k);
void bits_flush(struct bit_writer *w); /* to a whole byte, with zeros */

struct bit_reader {
    const uint8_t *p, *end; /* borrowed */
    unsigned at;            /* bits of *p that are gone */
    bool bad;
};
uint64_t bits_get(struct bit_reader *r, unsigned n); /* n <= 32 */
uint64_t bits_get_number(struct bit_reader *r, unsigned k);
int64_t bits_get_signed(struct bit_reader *r, unsigned k);
/* Nothing was missing, and nothing but the zeros of the last byte is left. */
bool bits_at_end(const struct bit_reader *r);

#endif
