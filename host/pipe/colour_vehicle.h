/* SPDX-License-Identifier: Apache-2.0 */
/* colour_vehicle.h - the numbers that a vehicle's colour is told from. The names come by a learned linear
 * layer over them (colour_vehicle_weights.h, made by models/vehicle-colour/train.py, which calls the function
 * below, so that what is learned is what runs). Threads: any. */
#ifndef HOST_PIPE_COLOUR_VEHICLE_H
#define HOST_PIPE_COLOUR_VEHICLE_H

#include <stdint.h>

#define COLOUR_VEHICLE_FEATURES 282u

/* `bgr`: a CROP_VEHICLE crop. */
void colour_vehicle_features(const int8_t *bgr, float out[static COLOUR_VEHICLE_FEATURES]);

#endif
