/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/card.h"

_Static_assert(sizeof(struct card_status) == 16, "kernels write four words");
_Static_assert(sizeof(struct card_roi) == 16, "kernels read four words per region");
_Static_assert(offsetof(struct card_roi, dst_offset_bytes) == 8, "the third word is the offset");

enum err card_status_check(const struct card_status *s, uint32_t n_expected) {
    if (s->abi_version != CARD_ABI_VERSION) return ERR_CARD;
    if (s->code != 0) return ERR_CARD;
    if (s->n_done != n_expected) return ERR_CARD;
    return OK;
}

uint32_t card_checksum(const uint8_t *p, uint32_t n_rows, uint32_t row_bytes) {
    uint32_t checksum = 0;
    for (uint32_t r = 0; r < n_rows; r++, p += row_bytes) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < row_bytes; i++) sum += p[i];
        checksum = card_checksum_row(checksum, sum);
    }
    return checksum;
}
