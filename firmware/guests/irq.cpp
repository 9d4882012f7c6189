// MSI-X interrupts of virtio-blk: delivered, held back while masked, shown as pending, delivered
// when unmasked, and not sent for vectors that do not exist.
//
// count=N   interrupts to take (default 1000)
#include "support/block_device.h"
#include "support/console.h"

extern "C" volatile uint32_t interrupt_count;

namespace probe {
namespace {

constexpr uint8_t msix_capability = 0x11;
constexpr uint16_t msix_enable = 0x8000;
constexpr uint16_t msix_function_mask = 0x4000;
constexpr uint32_t vector = 0x31;
constexpr uint16_t no_vector = 0xffff;

class InterruptTest {
  public:
    InterruptTest(Machine& machine, Pci& pci, BlockDevice& disk)
        : machine_(machine), pci_(pci), disk_(disk), buffer_(machine.arena.take(4096)) {}

    int run() {
        if (!prepare()) return 1;
        const uint64_t count = machine_.command_line.number("count", 1000);
        const uint64_t begin = read_tsc();
        for (uint64_t i = 0; i < count; ++i) {
            if (!read_with_interrupt()) return fail("no interrupt", i);
        }
        const uint64_t ns = machine_.clock.nanoseconds(read_tsc() - begin);
        print("metric irq ns={} ops={}\n", ns / (count ? count : 1), count);
        if (!masked(table_ + 12, "vector") || !function_masked() || !bad_vectors()) return 1;
        print("irq ok\n");
        return 0;
    }

  private:
    int fail(const char* why, uint64_t number) {
        print("FAIL irq: {} ({})\n", why, number);
        return 1;
    }

    bool prepare() {
        VirtioDevice& device = disk_.device();
        const PciFunction function = device.function();
        capability_ = pci_.next_capability(function, msix_capability, 0);
        if (capability_ == 0) return !fail("no MSI-X capability", 0);
        const auto table = pci_.read<uint32_t>(function, capability_ + 4u);
        const auto pending = pci_.read<uint32_t>(function, capability_ + 8u);
        table_ = pci_.bar_address(function, table & 7) + (table & ~7u);
        pending_ = pci_.bar_address(function, pending & 7) + (pending & ~7u);
        mmio_write<uint32_t>(0xfee000f0, 0x1ff);  // the local APIC on
        const uint32_t apic_id = mmio_read<uint32_t>(0xfee00020) >> 24;
        mmio_write<uint32_t>(table_, 0xfee00000 | apic_id << 12);
        mmio_write<uint32_t>(table_ + 4, 0);
        mmio_write<uint32_t>(table_ + 8, vector);
        mmio_write<uint32_t>(table_ + 12, 0);
        pci_.write<uint16_t>(function, capability_ + 2u, msix_enable);
        // Without the event index, which would let the device leave out an interrupt for an answer
        // that this driver, polling, has seen already.
        const uint64_t features = device.negotiated() & ~feature::event_index;
        if (!device.negotiate(machine_.clock, features)) return !fail("reset", 0);
        device.set<uint16_t>(common::queue_select, 0);
        device.set<uint16_t>(common::queue_vector, 0);
        if (device.get<uint16_t>(common::queue_vector) != 0) return !fail("vector refused", 0);
        disk_.queue().want_interrupts(true);
        if (!disk_.queue().restart(device)) return !fail("queue", 0);
        device.start();
        return true;
    }

    void read() {
        const Segment segment{buffer_, 4096};
        disk_.submit(0, block::read, 0, &segment, 1);
        disk_.publish();
    }

    // Waits for the answer in the ring; the interrupt is another matter.
    bool completed() {
        const Deadline deadline(machine_.clock, 2000);
        uint16_t slot;
        uint8_t result;
        while (!disk_.take(slot, result)) {
            if (deadline.passed()) return false;
            relax();
        }
        return result == block::ok;
    }

    bool interrupted(uint32_t before, uint64_t milliseconds) {
        const Deadline deadline(machine_.clock, milliseconds);
        while (interrupt_count == before) {
            if (deadline.passed()) return false;
            relax();
        }
        return interrupt_count == before + 1;
    }

    bool read_with_interrupt() {
        const uint32_t before = interrupt_count;
        read();
        return interrupted(before, 2000) && completed();
    }

    bool is_pending() const { return mmio_read<uint32_t>(pending_) & 1; }

    // The mask bit of the vector at `control`: set, no interrupt but a pending bit; cleared, one.
    bool masked(uint64_t control, const char* what) {
        mmio_write<uint32_t>(control, 1);
        const uint32_t before = interrupt_count;
        read();
        if (!completed()) return !fail("no answer while masked", 0);
        if (interrupted(before, 50)) return !fail("interrupt while masked", 0);
        if (!is_pending()) return !fail("not pending while masked", 0);
        mmio_write<uint32_t>(control, 0);
        if (!interrupted(before, 2000)) return !fail("no interrupt after unmasking", 0);
        if (is_pending()) return !fail("still pending", 0);
        print("irq {} mask ok\n", what);
        return read_with_interrupt() || !fail("no interrupt afterwards", 0);
    }

    bool function_masked() {
        const PciFunction function = disk_.device().function();
        pci_.write<uint16_t>(function, capability_ + 2u, msix_enable | msix_function_mask);
        const uint32_t before = interrupt_count;
        read();
        if (!completed()) return !fail("no answer while the function is masked", 0);
        if (interrupted(before, 50)) return !fail("interrupt while the function is masked", 0);
        pci_.write<uint16_t>(function, capability_ + 2u, msix_enable);
        if (!interrupted(before, 2000)) return !fail("no interrupt after the function mask", 0);
        print("irq function mask ok\n");
        return read_with_interrupt() || !fail("no interrupt afterwards", 1);
    }

    // A vector that does not exist reads back as none, and then there are no interrupts.
    bool bad_vectors() {
        VirtioDevice& device = disk_.device();
        if (!device.negotiate(machine_.clock, device.negotiated())) return !fail("reset", 1);
        device.set<uint16_t>(common::queue_select, 0);
        device.set<uint16_t>(common::queue_vector, 0x7ff);
        const auto queue = device.get<uint16_t>(common::queue_vector);
        if (queue != no_vector) return !fail("vector 0x7ff of a queue accepted", queue);
        device.set<uint16_t>(common::config_vector, 0x7ff);
        const auto config = device.get<uint16_t>(common::config_vector);
        if (config != no_vector) return !fail("vector 0x7ff for config accepted", config);
        if (!disk_.queue().restart(device)) return !fail("queue", 1);
        device.start();
        const uint32_t before = interrupt_count;
        read();
        if (!completed()) return !fail("no answer without a vector", 0);
        return !interrupted(before, 50) || !fail("interrupt without a vector", 0);
    }

    Machine& machine_;
    Pci& pci_;
    BlockDevice& disk_;
    uint64_t buffer_;
    uint64_t table_ = 0;
    uint64_t pending_ = 0;
    uint8_t capability_ = 0;
};

}  // namespace

int run(Machine& machine) {
    Pci pci(machine.command_line);
    BlockDevice disk;
    if (!disk.open(machine, pci)) return 1;
    return InterruptTest(machine, pci, disk).run();
}

}  // namespace probe
