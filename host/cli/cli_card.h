/* SPDX-License-Identifier: Apache-2.0 */
/* cli_card.h - what `relecture card` and `relecture plan` share: descriptions of cards and the model's file.
 */
#ifndef HOST_CLI_CLI_CARD_H
#define HOST_CLI_CLI_CARD_H

#include <stdbool.h>

#include "host/base/fs.h"

/* The folder of the simulator's description NAME; false after a message. */
bool cli_card_dir(const char *name, char out[static FS_PATH_MAX]);
/* The model's file with weights; false after a message. */
bool cli_golden_model(const char *model_dir, char out[static FS_PATH_MAX]);

#endif
