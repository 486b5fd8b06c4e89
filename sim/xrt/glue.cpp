/* SPDX-License-Identifier: Apache-2.0 */
/* The only C++ of the simulated libxrt_core.so.2: it joins our C card model to Debian's XRT 2.13, which wants
 * C++ objects whose headers are not packaged. What it needs of them is declared here. */
#include <map>
#include <memory>
#include <mutex>

#include <xrt.h>

#define EXPORT extern "C" __attribute__((visibility("default")))

extern "C" void *sim_card_open(unsigned index);
extern "C" int sim_card_close(void *card);
extern "C" int sim_card_load(void *card, const struct axlf *top);

/* Two symbols exported by libxrt_coreutil. */
namespace xrt_core {
class device {
  public:
    void register_axlf(const axlf *top);
};
std::shared_ptr<device> get_userpf_device(void *handle, unsigned index);
namespace query {
enum class key_type;
}
} // namespace xrt_core

/* XRT keeps only a weak reference to its device object: one is held per open card. Allocated and never freed,
 * so that no static destructor of ours runs at exit (with one, every exit with an open card crashed). */
static std::mutex &lock = *new std::mutex;
static auto &held = *new std::map<void *, std::shared_ptr<xrt_core::device>>;

EXPORT xclDeviceHandle xclOpen(unsigned index, const char *, xclVerbosityLevel) {
    void *card = sim_card_open(index);
    if (!card) return nullptr;
    auto dev = xrt_core::get_userpf_device(card, index); /* creates and caches the device */
    std::lock_guard<std::mutex> guard(lock);
    held[card] = dev;
    return card;
}

EXPORT void xclClose(xclDeviceHandle card) {
    std::shared_ptr<xrt_core::device> last; /* released after the lock */
    std::lock_guard<std::mutex> guard(lock);
    if (sim_card_close(card) > 0) return;
    auto i = held.find(card);
    if (i == held.end()) return;
    last = std::move(i->second);
    held.erase(i);
}

EXPORT int xclLoadXclBin(xclDeviceHandle card, const struct axlf *top) {
    int rc = sim_card_load(card, top);
    if (rc) return rc;
    std::lock_guard<std::mutex> guard(lock);
    held.at(card)->register_axlf(top); /* without it: "No such compute unit" */
    return 0;
}

/* What device_swemu.cxx.o imports and no public C header declares. */
namespace xclcpuemhal2 {
class CpuemShim {
  public:
    static CpuemShim *handleCheck(void *card);
    int deviceQuery(xrt_core::query::key_type);
};
CpuemShim *CpuemShim::handleCheck(void *card) {
    return static_cast<CpuemShim *>(card);
}
int CpuemShim::deviceQuery(xrt_core::query::key_type) {
    return 0; /* m2m = 0, nodma = 0 */
}
} // namespace xclcpuemhal2
int xclUpdateSchedulerStat(void *) {
    return 0;
}
int xclInternalResetDevice(void *, xclResetKind) {
    return 0;
}
int xclCmaEnable(void *, bool, unsigned long) {
    return -95; /* -EOPNOTSUPP */
}
int xclCloseExportHandle(int) {
    return 0;
}
