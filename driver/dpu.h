/* SPDX-License-Identifier: Apache-2.0 */
/* dpu.h - networks on the DPU; implemented by dpu_vart.cpp over VART and XIR.
 * A model is a file; each of its DPU subgraphs can be opened as a runner, any number of times. A job reads
 * and writes memory of the caller, which is wrapped, not copied, and belongs to the job until dpu_wait()
 * collected it. Threads: models on one thread; a runner belongs to one thread. Errors: VART and XIR end the
 * process on most errors (glog FATAL). What can be checked beforehand is; the rest ends the card worker, by
 * design. No exception crosses this interface. */
#ifndef DRIVER_DPU_H
#define DRIVER_DPU_H

#include <stddef.h>
#include <stdint.h>

#include "host/base/err.h"

#define DPU_TENSORS_MAX 8u

struct dpu_model;
struct dpu_runner;

struct dpu_tensor {
    char name[64];
    uint32_t n, h, w, c; /* NHWC; n is the batch */
    int32_t fix_point;   /* real value = q * 2^-fix_point */
    uint32_t n_bytes;    /* of the whole batch */
};

#ifdef __cplusplus
extern "C" {
#endif

/* Loads an xmodel. The file is first read by a child process, since XIR aborts on files it dislikes.
 * ERR_IO, ERR_CORRUPT (XIR ends on it), ERR_UNSUPPORTED (no DPU subgraph); logged with the file's name.
 * Call it before the process starts threads. On OK *out is owned by the caller. */
MUST_CHECK enum err dpu_model_open(const char *path, struct dpu_model **out);
unsigned dpu_model_subgraphs(const struct dpu_model *m);
/* No runner of it may be open. NULL is fine. */
void dpu_model_close(struct dpu_model **m);

/* `library`: the VART runner library, a path or a soname. ERR_MISSING (it cannot be loaded, or is no runner
 * library), ERR_CORRUPT (the model's attributes or tensors), ERR_CARD (the library refuses the model). */
MUST_CHECK enum err dpu_runner_open(struct dpu_model *m, unsigned subgraph, const char *library,
                                    struct dpu_runner **out);
/* No job may be in flight. NULL is fine. */
void dpu_runner_close(struct dpu_runner **r);
unsigned dpu_runner_inputs(const struct dpu_runner *r);
unsigned dpu_runner_outputs(const struct dpu_runner *r);
const struct dpu_tensor *dpu_runner_input(const struct dpu_runner *r, unsigned i); /* i < inputs */
const struct dpu_tensor *dpu_runner_output(const struct dpu_runner *r, unsigned i);
/* The file the runner's code was really loaded from. */
const char *dpu_runner_library(const struct dpu_runner *r);

/* Starts a job; in[i] and out[i] hold at least the bytes of tensor i. One job per runner at a time
 * (ERR_BUSY). ERR_CARD when the runner refuses. */
MUST_CHECK enum err dpu_submit(struct dpu_runner *r, const void *const *in, void *const *out);
/* OK = done; ERR_TIMEOUT = the job and its memory are still in use: end the process; ERR_CARD; ERR_USAGE when
 * nothing was submitted. */
MUST_CHECK enum err dpu_wait(struct dpu_runner *r, uint32_t timeout_ms);

#ifdef __cplusplus
}
#endif
#endif
