// The few registers beside PCI that firmware and kernels expect, accessed in every wrong way:
// clock, ACPI timer, sleep and event registers, the panic device, and the page of the generation
// identifier. What ends or resets the machine by right is left alone.
#include "hostile/hostile.h"
#include "support/hardware.h"

namespace probe {
namespace {

constexpr uint16_t clock_index = 0x70;
constexpr uint16_t clock_data = 0x71;
constexpr uint8_t clock_validity = 0x0d;
constexpr uint8_t clock_fields[] = {0x00, 0x02, 0x04, 0x06, 0x07, 0x08, 0x09, 0x32};
constexpr uint16_t sleep_control = 0x600;
constexpr uint16_t timer = 0x608;
constexpr uint16_t events = 0x610;
constexpr uint16_t panic_vendor = 0x1b36;
constexpr uint16_t panic_device = 0x0011;
constexpr uint8_t panicked = 1;
constexpr uint64_t generation_id = 0xdf000;

// Every width at every port of [first, last], and across its borders.
void read_ports(uint16_t first, uint16_t last) {
    for (auto port = static_cast<uint16_t>(first - 3); port <= last; ++port) {
        in8(port);
        in16(port);
        in32(port);
    }
}
void write_ports(uint16_t first, uint16_t last, uint32_t value) {
    for (auto port = static_cast<uint16_t>(first - 3); port <= last; ++port) {
        out8(port, static_cast<uint8_t>(value));
        out16(port, static_cast<uint16_t>(value));
        out32(port, value);
    }
}

uint8_t clock_register(uint8_t index) {
    out8(clock_index, index);
    return in8(clock_data);
}
void set_clock_register(uint8_t index, uint8_t value) {
    out8(clock_index, index);
    out8(clock_data, value);
}

const Case platform[] = {
    {"clock_in_every_width",
     [](Hostile& h) {
         const uint8_t format = clock_register(0x0b);
         read_ports(clock_index, clock_data);
         for (const uint32_t value : {0u, ~0u, 0x0b0bu, 0x80808080u}) {
             write_ports(clock_index, clock_data, value);
             read_ports(clock_index, clock_data);
         }
         set_clock_register(0x0b, format);
         h.refused(clock_register(clock_validity) & 0x80, "the clock's battery went flat");
     }},
    {"clock_set_to_times_that_do_not_exist",
     [](Hostile& h) {
         const uint8_t format = clock_register(0x0b);
         for (unsigned value = 0; value < 256; ++value) {
             set_clock_register(0x0b, static_cast<uint8_t>(0x80 | value));
             for (const uint8_t index : clock_fields)
                 set_clock_register(index, static_cast<uint8_t>(value));
             set_clock_register(0x0b, static_cast<uint8_t>(value & 0x7f));
             for (unsigned index = 0; index < 256; ++index)
                 clock_register(static_cast<uint8_t>(index));
         }
         set_clock_register(0x0b, format);
         h.refused(clock_register(clock_validity) & 0x80, "the clock's battery went flat");
     }},
    {"clock_memory_overwritten",
     [](Hostile& h) {
         for (unsigned index = 0x0e; index < 256; ++index) {
             if ((index & 0x7f) == 0x32 || (index & 0x7f) < 0x0e) continue;
             set_clock_register(static_cast<uint8_t>(index), static_cast<uint8_t>(~index));
         }
         h.refused(clock_register(0x40) == static_cast<uint8_t>(~0xc0u),
                   "the clock's memory has more than 128 bytes, or fewer");
     }},
    {"timer_in_every_width",
     [](Hostile& h) {
         write_ports(timer, timer + 3, ~0u);
         read_ports(timer, timer + 3);
         const uint32_t before = in32(timer);
         const Deadline deadline(h.machine().clock, 2);
         while (!deadline.passed()) relax();
         h.refused(in32(timer) != before, "the timer stands still");
     }},
    {"power_registers_in_every_width",
     [](Hostile&) {
         read_ports(sleep_control, sleep_control + 1);
         read_ports(events, events);
         write_ports(events, events, ~0u);
         // All that neither sleeps nor resets.
         for (unsigned value = 0; value < 256; ++value) {
             if (value == 1 || (value & 0x20)) continue;
             out8(sleep_control, static_cast<uint8_t>(value));
             out8(sleep_control + 1, static_cast<uint8_t>(value));
         }
     }},
    {"panic_device_in_every_width",
     [](Hostile& h) {
         PciFunction function;
         if (!h.pci().find(panic_vendor, panic_device, 0, function)) return;
         const uint64_t base = h.pci().bar_address(function, 0);
         const uint64_t size = h.pci().bar_size(function, 0);
         h.require(base != 0 && size != 0, "the panic device has no registers");
         if (!base || !size) return;
         h.pci().enable(function);
         for (uint64_t at = 0; at + 8 <= size; at += at < 64 ? 1 : 61) {
             mmio_read<uint8_t>(base + at);
             mmio_read<uint16_t>(base + at);
             mmio_read<uint32_t>(base + at);
             mmio_read<uint64_t>(base + at);
             const uint64_t value = at == 0 ? ~uint64_t{panicked} : ~uint64_t{0};
             mmio_write<uint8_t>(base + at, static_cast<uint8_t>(value));
             mmio_write<uint16_t>(base + at, static_cast<uint16_t>(value));
             mmio_write<uint32_t>(base + at, static_cast<uint32_t>(value));
             mmio_write<uint64_t>(base + at, value);
         }
         mmio_write<uint64_t>(base + size - 4, ~uint64_t{0});
         h.refused((mmio_read<uint8_t>(base) & panicked) != 0, "panics are no longer taken");
     }},
    {"generation_id_overwritten",
     [](Hostile& h) {
         for (unsigned i = 0; i < 4096; i += 8)
             mmio_write<uint64_t>(generation_id + i, ~uint64_t{i});
         h.refused(mmio_read<uint64_t>(generation_id) == ~uint64_t{0},
                   "the page of the generation identifier is not memory");
     }},
};

}  // namespace

void run_platform_cases(Hostile& hostile) {
    hostile.run(platform);
}

}  // namespace probe
