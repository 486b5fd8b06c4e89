/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that includes XRT. XRT's C API gives NULL or -1 without errno, accepts buffers of the wrong
 * bank, and ends the process when its core library is missing: so everything is checked here beforehand. */
#include "driver/card.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>
#include <unistd.h>

#include <ert.h>
#include <experimental/xrt_ini.h>
#include <xclbin.h>
#include <xrt.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_kernel.h>

#include "host/base/log.h"

#define XCLBIN_MAX_BYTES ((size_t)512 << 20) /* a full U55C build with a DPU is about 70 MB */
#define CUS_MAX          32
#define ARGS_MAX         128 /* of a kernel that is not ours */
#define PAGE_BYTES       ((size_t)4096)
#define SIMULATED_PREFIX "simulated "

/* Argument numbers, from the prototypes in kernels/letterbox/letterbox.h and kernels/crop/crop.h. */
enum { LETTERBOX_SRC, LETTERBOX_LUT, LETTERBOX_OUT, LETTERBOX_STATUS, LETTERBOX_W };
enum { CROP_SRC, CROP_ROIS, CROP_OUT, CROP_STATUS, CROP_W };
#define N_POINTERS 4 /* of either kernel; the surface is the first */

struct card {
    xrtDeviceHandle dev;
    xuid_t uuid;
    struct card_info info;
    char letterbox_cu[CUS_MAX][96], crop_cu[CUS_MAX][96]; /* kernel:{cu} */
    int surface_group, tensor_group;
};
struct card_buf {
    xrtBufferHandle bo;
    uint8_t *at;
    size_t n_bytes;
    int group;
};
struct unit {
    xrtKernelHandle kernel;
    xrtRunHandle run;
};
struct card_lane {
    struct unit letterbox, crop;
    struct card_buf *status;
};

/* --- the core library -------------------------------------------------------------------------------------
 */

/* XRT itself would end the process here. */
static enum err check_core_library(void) {
    const char *dir = getenv("XILINX_XRT");
    char path[4096];
    if (!dir || !*dir) {
        log_error("card", "XILINX_XRT is not set: it names the directory whose lib holds libxrt_core.so.2");
        return ERR_MISSING;
    }
    const int n = snprintf(path, sizeof path, "%s/lib/libxrt_core.so.2", dir);
    if (n < 0 || (size_t)n >= sizeof path || access(path, R_OK) != 0) {
        log_error("card", "XILINX_XRT=%s holds no readable lib/libxrt_core.so.2 errno=%d", dir, errno);
        return ERR_MISSING;
    }
    void *h = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!h) {
        const char *why = dlerror();
        log_error("card", "%s cannot be loaded: %s", path, why ? why : "?");
        return ERR_MISSING;
    }
    return OK; /* stays loaded: XRT takes the same one */
}

/* XRT's C API does not pass on what a device says about itself; the core library does. `where` may be NULL.
 */
static bool ask_device(const struct card *c, struct xclDeviceInfo2 *info, Dl_info *where) {
    typedef int info_fn(xclDeviceHandle, struct xclDeviceInfo2 *);
    info_fn *ask;
    void *sym = dlsym(RTLD_DEFAULT, "xclGetDeviceInfo2");
    memcpy(&ask, &sym, sizeof ask);
    memset(info, 0, sizeof *info);
    return sym && (!where || dladdr(sym, where) != 0) && ask(xrtDeviceToXclDevice(c->dev), info) == 0;
}

bool card_alive(const struct card *c) {
    struct xclDeviceInfo2 info;
    return ask_device(c, &info, NULL);
}

/* Who answers, and which file it is. */
static enum err describe(struct card *c) {
    Dl_info where;
    struct xclDeviceInfo2 info;
    if (!ask_device(c, &info, &where)) {
        log_error("card", "the card does not say what it is");
        return ERR_CARD;
    }
    char *real = realpath(where.dli_fname, NULL);
    snprintf(c->info.core_library, sizeof c->info.core_library, "%s", real ? real : where.dli_fname);
    free(real);
    info.mName[sizeof info.mName - 1] = '\0';
    snprintf(c->info.device, sizeof c->info.device, "%.63s", info.mName);
    c->info.simulated = strncmp(info.mName, SIMULATED_PREFIX, strlen(SIMULATED_PREFIX)) == 0;
    return OK;
}

/* --- the xclbin -------------------------------------------------------------------------------------------
 */

static enum err read_xclbin(const char *path, struct axlf **out) {
    struct stat st;
    enum err e = ERR_IO;
    FILE *f = fopen(path, "rbe");
    if (!f || fstat(fileno(f), &st) != 0) {
        log_error("card", "cannot read the xclbin %s errno=%d", path, errno);
        goto done;
    }
    e = ERR_CORRUPT;
    if (st.st_size < (off_t)sizeof(struct axlf) || (size_t)st.st_size > XCLBIN_MAX_BYTES) {
        log_error("card", "%s is not an xclbin: %lld bytes", path, (long long)st.st_size);
        goto done;
    }
    const size_t n = (size_t)st.st_size;
    struct axlf *a = malloc(n);
    if (!a) {
        e = ERR_NOMEM;
        goto done;
    }
    if (fread(a, 1, n, f) != n) {
        log_error("card", "cannot read the xclbin %s", path);
        e = ERR_IO;
    } else if (memcmp(a->m_magic, "xclbin2", 8) != 0 || a->m_header.m_length != n ||
               a->m_header.m_numSections == 0 || a->m_header.m_numSections > XCLBIN_MAX_NUM_SECTION ||
               offsetof(struct axlf, m_sections) +
                       (size_t)a->m_header.m_numSections * sizeof(struct axlf_section_header) >
                   n) {
        log_error("card", "%s is not an xclbin, or it is cut off", path);
    } else {
        *out = a;
        a = NULL;
        e = OK;
    }
    free(a);
done:
    if (f) fclose(f);
    return e;
}

static enum err note_cu(const char *name, const char *kernel, char (*list)[96], unsigned *n) {
    const size_t len = strlen(kernel);
    if (strncmp(name, kernel, len) != 0 || name[len] != ':' || *n >= CUS_MAX) return OK;
    const int k = snprintf(list[*n], sizeof list[*n], "%s:{%s}", kernel, name + len + 1);
    if (k < 0 || (size_t)k >= sizeof list[*n]) return ERR_CORRUPT;
    ++*n;
    return OK;
}

/* A section that holds a count and then its elements. */
struct list {
    const uint8_t *at; /* the first element */
    uint32_t n;
};

/* An absent section is an empty list. False = it is damaged. */
static bool read_list(const struct axlf *a, enum axlf_section_kind kind, size_t first, size_t each,
                      struct list *out) {
    *out = (struct list){0};
    for (uint32_t i = 0; i < a->m_header.m_numSections; i++) {
        const struct axlf_section_header *h = &a->m_sections[0] + i;
        if (h->m_sectionOffset > a->m_header.m_length ||
            h->m_sectionSize > a->m_header.m_length - h->m_sectionOffset)
            return false;
        if (h->m_sectionKind != (uint32_t)kind) continue;
        int32_t n = 0;
        const uint8_t *p = (const uint8_t *)a + h->m_sectionOffset;
        if (out->at || h->m_sectionSize < first) return false;
        memcpy(&n, p, sizeof n);
        if (n < 0 || (uint64_t)n > (h->m_sectionSize - first) / each) return false;
        *out = (struct list){p + first, (uint32_t)n};
    }
    return true;
}

static bool is_ours(const struct ip_data *d) {
    return memcmp(d->m_name, "letterbox:", 10) == 0 || memcmp(d->m_name, "crop:", 5) == 0;
}

/* XRT follows the numbers in here without looking: one bank or compute unit that does not exist is a crash.
 */
static bool links_are_sane(const struct list *links, const struct list *cus, const struct list *banks) {
    for (uint32_t i = 0; i < links->n; i++) {
        struct connection k;
        memcpy(&k, links->at + i * sizeof k, sizeof k);
        if (k.arg_index < 0 || k.m_ip_layout_index < 0 || (uint32_t)k.m_ip_layout_index >= cus->n ||
            k.mem_data_index < 0 || (uint32_t)k.mem_data_index >= banks->n)
            return false;
        struct ip_data d;
        memcpy(&d, cus->at + (uint32_t)k.m_ip_layout_index * sizeof d, sizeof d);
        if (k.arg_index >= N_POINTERS && is_ours(&d)) return false;
    }
    return true;
}

/* Lists the compute units of our kernels; both kernels must be there. */
static enum err find_cus(struct card *c, const struct axlf *a, const char *path) {
    struct list cus, banks, links, grouped_banks, grouped_links;
    const size_t first_bank = offsetof(struct mem_topology, m_mem_data);
    const size_t first_link = offsetof(struct connectivity, m_connection);
    if (!read_list(a, IP_LAYOUT, offsetof(struct ip_layout, m_ip_data), sizeof(struct ip_data), &cus) ||
        !read_list(a, MEM_TOPOLOGY, first_bank, sizeof(struct mem_data), &banks) ||
        !read_list(a, CONNECTIVITY, first_link, sizeof(struct connection), &links) ||
        !read_list(a, ASK_GROUP_TOPOLOGY, first_bank, sizeof(struct mem_data), &grouped_banks) ||
        !read_list(a, ASK_GROUP_CONNECTIVITY, first_link, sizeof(struct connection), &grouped_links) ||
        !links_are_sane(&links, &cus, &banks) || !links_are_sane(&grouped_links, &cus, &grouped_banks)) {
        log_error("card", "%s is a damaged xclbin", path);
        return ERR_CORRUPT;
    }
    for (uint32_t i = 0; i < cus.n; i++) {
        struct ip_data d;
        memcpy(&d, cus.at + i * sizeof d, sizeof d);
        d.m_name[sizeof d.m_name - 1] = '\0';
        if (d.m_type != IP_KERNEL) continue;
        if (note_cu((const char *)d.m_name, "letterbox", c->letterbox_cu, &c->info.n_letterbox) != OK ||
            note_cu((const char *)d.m_name, "crop", c->crop_cu, &c->info.n_crop) != OK)
            return ERR_CORRUPT;
    }
    if (c->info.n_letterbox == 0 || c->info.n_crop == 0) {
        log_error("card", "%s holds letterbox x%u, crop x%u; both kernels of kernels/ must be in it", path,
                  c->info.n_letterbox, c->info.n_crop);
        return ERR_UNSUPPORTED;
    }
    return OK;
}

/* The bank of each pointer argument. A buffer goes to one bank, so all compute units must agree. */
static enum err learn_banks(struct card *c, const char *cu) {
    xrtKernelHandle k = xrtPLKernelOpen(c->dev, c->uuid, cu);
    if (!k) {
        log_error("card", "the card does not open compute unit %s", cu);
        return ERR_CARD;
    }
    enum err e = OK;
    for (int a = 0; a < N_POINTERS && e == OK; a++) {
        const int group = xrtKernelArgGroupId(k, a);
        int *known = a == 0 ? &c->surface_group : &c->tensor_group;
        if (group < 0 || (*known >= 0 && *known != group)) {
            log_error("card", "compute unit %s: argument %d is in bank %d, others in bank %d", cu, a, group,
                      *known);
            e = ERR_CARD;
        }
        *known = group;
    }
    xrtKernelClose(k);
    return e;
}

enum err card_open(unsigned index, const char *xclbin_path, struct card **out) {
    struct axlf *axlf = NULL;
    *out = NULL;
    enum err e = check_core_library();
    if (e != OK) return e;
    struct card *c = calloc(1, sizeof *c);
    if (!c) return ERR_NOMEM;
    c->surface_group = c->tensor_group = -1;
    /* XRT says on stderr what it thinks; our own lines are the ones that count. */
    (void)xrtIniUintSet("Runtime.verbosity", 0);
    e = read_xclbin(xclbin_path, &axlf);
    if (e == OK) e = find_cus(c, axlf, xclbin_path);
    if (e != OK) goto fail;
    c->dev = xrtDeviceOpen(index);
    if (!c->dev) {
        log_error("card", "there is no card %u (XILINX_XRT=%s)", index, getenv("XILINX_XRT"));
        e = ERR_CARD;
        goto fail;
    }
    e = describe(c);
    if (e != OK) goto fail;
    e = ERR_CARD;
    if (xrtDeviceLoadXclbin(c->dev, axlf) != 0 || xrtDeviceGetXclbinUUID(c->dev, c->uuid) != 0) {
        log_error("card", "card %u (%s) refuses the xclbin %s", index, c->info.device, xclbin_path);
        goto fail;
    }
    for (unsigned i = 0; i < c->info.n_letterbox; i++)
        if ((e = learn_banks(c, c->letterbox_cu[i])) != OK) goto fail;
    for (unsigned i = 0; i < c->info.n_crop; i++)
        if ((e = learn_banks(c, c->crop_cu[i])) != OK) goto fail;
    free(axlf);
    *out = c;
    return OK;
fail:
    free(axlf);
    card_close(&c);
    return e;
}

void card_describe(const struct card *c, struct card_info *out) {
    *out = c->info;
}

void card_close(struct card **c) {
    if (!*c) return;
    if ((*c)->dev) xrtDeviceClose((*c)->dev);
    free(*c);
    *c = NULL;
}

/* --- buffers ----------------------------------------------------------------------------------------------
 */

enum err card_buf_new(struct card *c, enum card_place place, size_t n_bytes, struct card_buf **out) {
    *out = NULL;
    struct card_buf *b = calloc(1, sizeof *b);
    if (!b) return ERR_NOMEM;
    b->group = place == CARD_PLACE_SURFACE ? c->surface_group : c->tensor_group;
    b->n_bytes = n_bytes;
    /* Whole pages: XRT passes the size to aligned_alloc(), which wants a multiple of the alignment. */
    const size_t whole = (n_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    b->bo = xrtBOAlloc(c->dev, whole, 0, (xrtMemoryGroup)b->group);
    if (b->bo) b->at = xrtBOMap(b->bo);
    if (!b->at) {
        log_error("card", "the card gives no buffer bytes=%zu bank=%d", n_bytes, b->group);
        card_buf_free(&b);
        return ERR_NOMEM;
    }
    *out = b;
    return OK;
}

void card_buf_free(struct card_buf **b) {
    if (!*b) return;
    if ((*b)->bo) xrtBOFree((*b)->bo);
    free(*b);
    *b = NULL;
}

uint8_t *card_buf_at(const struct card_buf *b) {
    return b->at;
}
size_t card_buf_bytes(const struct card_buf *b) {
    return b->n_bytes;
}

static enum err sync_range(struct card_buf *b, enum xclBOSyncDirection dir, size_t offset, size_t n_bytes) {
    if (offset > b->n_bytes || n_bytes > b->n_bytes - offset) return ERR_USAGE;
    const int rc = xrtBOSync(b->bo, dir, n_bytes, offset);
    if (rc == 0) return OK;
    log_error("card", "transfer failed rc=%d to_card=%d bytes=%zu", rc, dir == XCL_BO_SYNC_BO_TO_DEVICE,
              n_bytes);
    return ERR_CARD;
}

enum err card_buf_sync_to_card(struct card_buf *b, size_t offset, size_t n_bytes) {
    return sync_range(b, XCL_BO_SYNC_BO_TO_DEVICE, offset, n_bytes);
}

enum err card_buf_sync_from_card(struct card_buf *b, size_t offset, size_t n_bytes) {
    return sync_range(b, XCL_BO_SYNC_BO_FROM_DEVICE, offset, n_bytes);
}

enum err card_buf_fetch(struct card_buf *b, uint32_t n_rows, uint32_t row_bytes, uint32_t checksum) {
    const uint64_t n = (uint64_t)n_rows * row_bytes;
    if (n > b->n_bytes) return ERR_USAGE;
    const enum err e = card_buf_sync_from_card(b, 0, n);
    if (e != OK) return e;
    const uint32_t got = card_checksum(b->at, n_rows, row_bytes);
    if (got == checksum) return OK;
    log_error("card", "damaged result bytes=%llu checksum=%08x wanted=%08x", (unsigned long long)n, got,
              checksum);
    return ERR_CARD;
}

/* --- lanes ------------------------------------------------------------------------------------------------
 */

static enum err unit_open(struct card *c, const char *cu, struct unit *u) {
    u->kernel = xrtPLKernelOpen(c->dev, c->uuid, cu);
    if (u->kernel) u->run = xrtRunOpen(u->kernel);
    if (u->run) return OK;
    log_error("card", "the card does not open a run on %s", cu);
    return ERR_CARD;
}

static void unit_close(struct unit *u) {
    if (u->run) xrtRunClose(u->run);
    if (u->kernel) xrtKernelClose(u->kernel);
}

enum err card_lane_open(struct card *c, unsigned number, struct card_lane **out) {
    *out = NULL;
    struct card_lane *l = calloc(1, sizeof *l);
    if (!l) return ERR_NOMEM;
    enum err e = unit_open(c, c->letterbox_cu[number % c->info.n_letterbox], &l->letterbox);
    if (e == OK) e = unit_open(c, c->crop_cu[number % c->info.n_crop], &l->crop);
    if (e == OK) e = card_buf_new(c, CARD_PLACE_TENSOR, sizeof(struct card_status), &l->status);
    if (e != OK) {
        card_lane_close(&l);
        return e;
    }
    *out = l;
    return OK;
}

void card_lane_close(struct card_lane **l) {
    if (!*l) return;
    unit_close(&(*l)->letterbox);
    unit_close(&(*l)->crop);
    card_buf_free(&(*l)->status);
    free(*l);
    *l = NULL;
}

/* XRT lets a buffer of another bank pass (the card would read other memory), so the bank is checked here. */
static int set_buf(const struct unit *u, int arg, const struct card_buf *b) {
    if (xrtKernelArgGroupId(u->kernel, arg) != b->group) return -1;
    return xrtRunSetArg(u->run, arg, b->bo);
}

static int set_u32(const struct unit *u, int arg, uint32_t v) {
    return xrtRunSetArg(u->run, arg, v);
}

static bool surface_fits(const struct card_surface *s) {
    const uint64_t luma = (uint64_t)s->stride_bytes * s->h_px;
    return s->uv_offset_bytes >= luma && s->stride_bytes >= s->w_px &&
           s->uv_offset_bytes + (uint64_t)s->stride_bytes * (s->h_px / 2) <= s->buf->n_bytes;
}

static int set_surface(const struct unit *u, int first, const struct card_surface *s) {
    const uint32_t colour = (uint32_t)s->matrix | (uint32_t)s->full_range << 1;
    int rc = set_u32(u, first, s->w_px);
    if (rc == 0) rc = set_u32(u, first + 1, s->h_px);
    if (rc == 0) rc = set_u32(u, first + 2, s->stride_bytes);
    if (rc == 0) rc = set_u32(u, first + 3, s->uv_offset_bytes);
    if (rc == 0) rc = set_u32(u, first + 4, colour);
    return rc;
}

/* Runs what was set and reads the status block; the block is wiped first, so an old one cannot pass. */
static enum err run(struct card_lane *l, const struct unit *u, const char *kernel, uint32_t n_expected,
                    uint32_t timeout_ms, uint32_t *checksum) {
    struct card_status s;
    memset(l->status->at, 0, sizeof s);
    enum err e = card_buf_sync_to_card(l->status, 0, sizeof s);
    if (e != OK) return e;
    if (xrtRunStart(u->run) != 0) {
        log_error("card", "the card does not start kernel=%s", kernel);
        return ERR_CARD;
    }
    const enum ert_cmd_state state = xrtRunWaitFor(u->run, timeout_ms);
    if (state == ERT_CMD_STATE_TIMEOUT) {
        log_error("card", "no answer kernel=%s limit_ms=%u", kernel, timeout_ms);
        return ERR_TIMEOUT;
    }
    if (state != ERT_CMD_STATE_COMPLETED) {
        log_error("card", "run failed kernel=%s state=%d", kernel, (int)state);
        return ERR_CARD;
    }
    e = card_buf_sync_from_card(l->status, 0, sizeof s);
    if (e != OK) return e;
    memcpy(&s, l->status->at, sizeof s);
    e = card_status_check(&s, n_expected);
    if (e != OK)
        log_error("card", "bad status kernel=%s abi=%u done=%u of=%u code=%u", kernel, s.abi_version,
                  s.n_done, n_expected, s.code);
    *checksum = s.checksum;
    return e;
}

enum err card_letterbox(struct card_lane *l, const struct card_letterbox_job *job, uint32_t timeout_ms,
                        uint32_t *checksum) {
    const struct unit *u = &l->letterbox;
    if (!surface_fits(&job->src) || job->lut->n_bytes < CARD_LUT_BYTES ||
        (uint64_t)job->dst_w_px * job->dst_h_px * 3 > job->out->n_bytes)
        return ERR_USAGE;
    if (set_buf(u, LETTERBOX_SRC, job->src.buf) != 0 || set_buf(u, LETTERBOX_LUT, job->lut) != 0 ||
        set_buf(u, LETTERBOX_OUT, job->out) != 0 || set_buf(u, LETTERBOX_STATUS, l->status) != 0 ||
        set_surface(u, LETTERBOX_W, &job->src) != 0 || set_u32(u, LETTERBOX_W + 5, job->dst_w_px) != 0 ||
        set_u32(u, LETTERBOX_W + 6, job->dst_h_px) != 0) {
        log_error("card", "the card refuses an argument kernel=letterbox");
        return ERR_CARD;
    }
    return run(l, u, "letterbox", 1, timeout_ms, checksum);
}

enum err card_crop(struct card_lane *l, const struct card_crop_job *job, uint32_t timeout_ms,
                   uint32_t *checksum) {
    const struct unit *u = &l->crop;
    if (!surface_fits(&job->src) || job->n_rois == 0 || job->n_rois > CARD_ROIS_MAX ||
        job->n_rois * sizeof(struct card_roi) > job->rois->n_bytes || job->out->n_bytes > UINT32_MAX ||
        (uint64_t)job->n_rois * job->dst_w_px * job->dst_h_px * 3 > job->out->n_bytes)
        return ERR_USAGE;
    if (set_buf(u, CROP_SRC, job->src.buf) != 0 || set_buf(u, CROP_ROIS, job->rois) != 0 ||
        set_buf(u, CROP_OUT, job->out) != 0 || set_buf(u, CROP_STATUS, l->status) != 0 ||
        set_surface(u, CROP_W, &job->src) != 0 || set_u32(u, CROP_W + 5, job->n_rois) != 0 ||
        set_u32(u, CROP_W + 6, job->dst_w_px) != 0 || set_u32(u, CROP_W + 7, job->dst_h_px) != 0 ||
        set_u32(u, CROP_W + 8, (uint32_t)job->out->n_bytes) != 0) {
        log_error("card", "the card refuses an argument kernel=crop");
        return ERR_CARD;
    }
    return run(l, u, "crop", job->n_rois, timeout_ms, checksum);
}
