/* SPDX-License-Identifier: Apache-2.0 */
/* model_policy.h - what no model of this product may be or say: no face, no identity of a person (embedding,
 * re-identification), no sex, age, origin or hair. Every loader of a model asks here before anything else.
 * Pure; any thread. */
#ifndef HOST_PIPE_MODEL_POLICY_H
#define HOST_PIPE_MODEL_POLICY_H

#include <stdbool.h>

/* The tasks that exist: detect, plate_find, plate_read, vehicle_color, vehicle_type, vehicle_make, clothing.
 */
bool model_task_allowed(const char *task);

/* True when a model's name, output or label says something refused. Whole words count, so that "luggage" is
 * no age and "surfboard" no face; words end at anything but a letter or digit. */
bool model_word_refused(const char *text);

#endif
