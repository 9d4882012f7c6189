#include "support/virtio_device.h"

#include "support/console.h"

namespace probe {
namespace {

constexpr uint8_t vendor_capability = 9;
constexpr uint64_t patience_ms = 2000;

}  // namespace

bool VirtioDevice::attach(Pci& pci, uint16_t device_id, uint32_t index) {
    if (!pci.find(virtio_vendor, device_id, index, function_)) {
        print("virtio: no device {x} number {}\n", device_id, index);
        return false;
    }
    if (!map(pci)) {
        print("virtio: device {x} has no modern interface\n", device_id);
        return false;
    }
    return true;
}

bool VirtioDevice::map(Pci& pci) {
    common_ = notify_ = isr_ = device_ = 0;
    uint8_t at = 0;
    while ((at = pci.next_capability(function_, vendor_capability, at)) != 0) {
        const uint8_t type = pci.read<uint8_t>(function_, at + 3u);
        const uint8_t bar = pci.read<uint8_t>(function_, at + 4u);
        if (type < 1 || type > 4 || bar > 5) continue;
        const uint64_t base = pci.bar_address(function_, bar);
        if (base == 0) continue;
        const uint64_t address = base + pci.read<uint32_t>(function_, at + 8u);
        if (type == 1 && !common_) common_ = address;
        if (type == 2 && !notify_) {
            notify_ = address;
            notify_multiplier_ = pci.read<uint32_t>(function_, at + 16u);
        }
        if (type == 3 && !isr_) isr_ = address;
        if (type == 4 && !device_) device_ = address;
    }
    pci.enable(function_);
    return common_ && notify_ && isr_;
}

bool VirtioDevice::reset(const Clock& clock) {
    set_status(0);
    const Deadline deadline(clock, patience_ms);
    while (get_status() != 0) {
        if (deadline.passed()) return false;
        relax();
    }
    return true;
}

uint64_t VirtioDevice::offered() const {
    set<uint32_t>(common::device_feature_select, 0);
    const uint64_t low = get<uint32_t>(common::device_feature);
    set<uint32_t>(common::device_feature_select, 1);
    return low | uint64_t{get<uint32_t>(common::device_feature)} << 32;
}

bool VirtioDevice::negotiate(const Clock& clock, uint64_t wanted) {
    if (!reset(clock)) return false;
    set_status(status::acknowledge);
    set_status(status::acknowledge | status::driver);
    negotiated_ = offered() & (wanted | feature::version_1);
    set<uint32_t>(common::driver_feature_select, 0);
    set<uint32_t>(common::driver_feature, static_cast<uint32_t>(negotiated_));
    set<uint32_t>(common::driver_feature_select, 1);
    set<uint32_t>(common::driver_feature, static_cast<uint32_t>(negotiated_ >> 32));
    set_status(status::acknowledge | status::driver | status::features_ok);
    return get_status() == (status::acknowledge | status::driver | status::features_ok);
}

}  // namespace probe
