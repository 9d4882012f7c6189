// What leaving the guest costs, in nanoseconds each.
//
// count=N   repetitions of each (default 20000)
// port_write: one byte to port 0x80, which nobody uses. mmio_read and mmio_write: a register of a
// virtio-blk device. doorbell: its queue notification, with nothing in the queue. The last three
// need a disk and are left out without one.
#include "support/block_device.h"
#include "support/console.h"

namespace probe {
namespace {

template <typename Action>
void measure(const Machine& machine, const char* name, Action action) {
    const uint64_t count = machine.command_line.number("count", 20'000);
    const uint64_t begin = read_tsc();
    for (uint64_t i = 0; i < count; ++i) action();
    const uint64_t ns = machine.clock.nanoseconds(read_tsc() - begin);
    print("metric {} ns={} ops={}\n", name, ns / (count ? count : 1), count);
}

}  // namespace

int run(Machine& machine) {
    measure(machine, "port_write", [] { out8(0x80, 0); });
    Pci pci(machine.command_line);
    PciFunction function;
    if (machine.command_line.flag("disk", true) &&
        pci.find(virtio_vendor, virtio_blk_id, 0, function)) {
        BlockDevice disk;
        if (!disk.open(machine, pci)) return 1;
        const VirtioDevice& device = disk.device();
        measure(machine, "mmio_read", [&] { device.get_status(); });
        measure(machine, "mmio_write",
                [&] { device.set<uint32_t>(common::device_feature_select, 0); });
        measure(machine, "doorbell", [&] { disk.queue().ring(); });
    }
    print("exits done\n");
    return 0;
}

}  // namespace probe
