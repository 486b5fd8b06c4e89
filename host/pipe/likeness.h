/* SPDX-License-Identifier: Apache-2.0 */
/* likeness.h - colours of a vehicle in eight horizontal stripes as 128 numbers, to rank look-alikes for a
 * person to judge. It asserts no identity. Vehicles only: nothing of the kind is computed of persons.
 * Threads: any. */
#ifndef HOST_PIPE_LIKENESS_H
#define HOST_PIPE_LIKENESS_H

#include <stdint.h>

/* `bgr`: a CROP_VEHICLE crop. out[16 s + b] = floor(127 sqrt(share of bin b in stripe s) + 0.5); bins 0..3
 * are greys by lightness, 4 + 2 k + (light) are hues of 60 degrees. The dot product of two compares them. */
void likeness_of_vehicle(const int8_t *bgr, int8_t out[static 128]);

#endif
