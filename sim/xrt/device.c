/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated card as a device: how many there are, opening, what it says about itself, loading an xclbin.
 * Where its configuration is: card.toml in the directory that XILINX_XRT names, the one whose lib/ this
 * library was loaded from. No file = the defaults; a file with an error = no card at all, and a line that
 * says why. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "sim/fault.h"
#include "sim/xrt/model.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct sim_config config;
static char sim_dir[4000];
static struct sim_card cards[SIM_CARDS_MAX];

void sim_note(const char *fmt, ...) {
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line - 1, fmt, ap);
    va_end(ap);
    if (n < 0) return;
    if ((size_t)n > sizeof line - 2) n = sizeof line - 2;
    fprintf(stderr, "simulated card: %.*s\n", n, line);
}

static void start(void) {
    const char *dir = getenv("XILINX_XRT");
    char path[4096], why[512];
    snprintf(sim_dir, sizeof sim_dir, "%s", dir ? dir : ".");
    snprintf(path, sizeof path, "%s/card.toml", sim_dir);
    sim_config_defaults(&config);
    if (access(path, F_OK) == 0 && sim_config_load(path, &config, why, sizeof why) != 0) {
        sim_note("%s; no card", why);
        config.n_cards = 0;
    }
    if (config.n_cards > SIM_CARDS_MAX) config.n_cards = SIM_CARDS_MAX;
    for (unsigned i = 0; i < SIM_CARDS_MAX; i++) {
        cards[i].index = i;
        pthread_mutex_init(&cards[i].lock, NULL);
        pthread_cond_init(&cards[i].done, NULL);
    }
    sim_fault_init(&config, sim_dir);
}

const struct sim_config *sim_config_get(void) {
    pthread_once(&once, start);
    return &config;
}

unsigned xclProbe(void) {
    const struct sim_config *c = sim_config_get();
    return sim_fault_away() ? 0 : c->n_cards;
}

void *sim_card_open(unsigned index) {
    if (index >= xclProbe()) return NULL;
    struct sim_card *c = &cards[index];
    pthread_mutex_lock(&c->lock);
    c->n_open++;
    pthread_mutex_unlock(&c->lock);
    return c;
}

int sim_card_close(void *card) {
    struct sim_card *c = card;
    pthread_mutex_lock(&c->lock);
    const unsigned left = c->n_open > 0 ? --c->n_open : 0;
    bool busy = false;
    for (unsigned i = 0; i < c->n_cus; i++) busy = busy || c->cus[i].n_queued > 0;
    pthread_mutex_unlock(&c->lock);
    if (left == 0 && busy) sim_note("card %u was closed with runs in flight", c->index);
    if (left == 0 && !busy) sim_cus_stop(c);
    if (left == 0 && !busy) sim_xclbin_drop(c);
    return (int)left;
}

int sim_card_load(void *card, const struct axlf *top) {
    struct sim_card *c = card;
    if (c->gone) return -ENODEV;
    if (c->loaded && memcmp(c->uuid, top->m_header.uuid, sizeof c->uuid) == 0) return 0;
    for (unsigned i = 0; i < c->n_cus; i++)
        if (c->cus[i].n_contexts > 0 || c->cus[i].n_queued > 0) return -EBUSY;
    for (unsigned i = 0; i < c->n_banks; i++)
        if (c->in_bank[i]) return -EBUSY;
    if (c->loaded) sim_cus_stop(c);
    if (c->loaded) sim_xclbin_drop(c);
    const int rc = sim_xclbin_load(c, top);
    return rc ? rc : sim_cus_start(c);
}

unsigned xclVersion(void) {
    return 2;
}

int xclGetDeviceInfo2(xclDeviceHandle h, struct xclDeviceInfo2 *info) {
    const struct sim_card *c = h;
    if (c->gone) return -ENODEV;
    *info = (struct xclDeviceInfo2){.mMagic = 0x586C0C6C,
                                    .mHALMajorVersion = 2,
                                    .mHALMinorVersion = 13,
                                    .mVendorId = 0x10ee,
                                    .mDataAlignment = SIM_PAGE,
                                    .mMinTransferSize = 64,
                                    .mDDRBankCount = (unsigned short)c->n_banks,
                                    .mPCIeLinkWidth = 16,
                                    .mPCIeLinkSpeed = 3,
                                    .mDMAThreads = 2,
                                    .mNumClocks = 1,
                                    .mMigCalib = true,
                                    .mPciSlot = c->index};
    info->mOCLFrequency[0] = (unsigned short)config.kernel_clock_mhz;
    for (unsigned i = 0; i < c->n_banks; i++) info->mDDRSize += c->banks[i].size;
    snprintf(info->mName, sizeof info->mName, "simulated %s", config.name);
    return 0;
}

int xclLockDevice(xclDeviceHandle h) {
    (void)h;
    return 0;
}
int xclUnlockDevice(xclDeviceHandle h) {
    (void)h;
    return 0;
}
int xclReClock2(xclDeviceHandle h, unsigned short region, const unsigned short *mhz) {
    (void)h, (void)region, (void)mhz;
    return -EOPNOTSUPP;
}
int xclP2pEnable(xclDeviceHandle h, bool enable, bool force) {
    (void)h, (void)enable, (void)force;
    return -EOPNOTSUPP;
}
/* Registers belong to the command scheduler: nobody pokes them from outside. */
int xclRegRead(xclDeviceHandle h, uint32_t ip, uint32_t offset, uint32_t *value) {
    (void)h, (void)ip, (void)offset, (void)value;
    return -EPERM;
}
int xclRegWrite(xclDeviceHandle h, uint32_t ip, uint32_t offset, uint32_t value) {
    (void)h, (void)ip, (void)offset, (void)value;
    return -EPERM;
}
size_t xclRead(xclDeviceHandle h, enum xclAddressSpace space, uint64_t offset, void *to, size_t size) {
    (void)h, (void)space, (void)offset, (void)to, (void)size;
    return (size_t)-EPERM;
}
size_t xclWrite(xclDeviceHandle h, enum xclAddressSpace space, uint64_t offset, const void *from,
                size_t size) {
    (void)h, (void)space, (void)offset, (void)from, (void)size;
    return (size_t)-EPERM;
}
