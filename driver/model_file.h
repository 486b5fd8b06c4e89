/* SPDX-License-Identifier: Apache-2.0 */
/* model_file.h - what the card worker needs from a model's model.json (see models/README.md).
 * Threads: any; plain data. */
#ifndef DRIVER_MODEL_FILE_H
#define DRIVER_MODEL_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/err.h"

#define MODEL_OUTPUTS_MAX 8u

struct model_file {
    char name[64], sha256[65];
    char path[4096]; /* of the xmodel chosen; its hash was checked */
    char input[64];
    uint32_t w_px, h_px;
    int32_t fix_point;
    int8_t lut[768];  /* int8 value of each 8-bit B, G, R value */
    bool takes_crops; /* fit stretch: the input is the crop kernel's output (value - 128) ... */
    bool needs_table; /* ... after lut, and with R first when is_rgb */
    bool is_rgb;
    unsigned n_outputs;
    struct {
        char tensor[64];
        int32_t fix_point;
    } outputs[MODEL_OUTPUTS_MAX];
};

/* Reads dir/model.json and checks the hash of the file it names: the golden one for a simulated card, else
 * the one compiled for DPU `dpu` (NULL or "" when there is only one). Logged: which file and which field.
 * ERR_IO, ERR_CORRUPT, ERR_MISSING (nothing compiled for that DPU), ERR_UNSUPPORTED (neither
 * letterbox nor stretch; neither BGR nor, stretched, RGB). */
MUST_CHECK enum err model_file_read(const char *dir, bool simulated, const char *dpu, struct model_file *out);

/* mean and scale are in the input's order of channels, lut in that of B, G, R values:
 * lut[256 * c + p] = clamp(floor((p - mean[c]) * scale[c] * 2^fix_point + 0.5)). Pure. */
void model_file_lut(const double mean[3], const double scale[3], int32_t fix_point, int8_t lut[768]);

#endif
