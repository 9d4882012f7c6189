// Random accesses from a seed: the registers of the device, its configuration space, the whole
// hole below 4 GiB and ports. `fuzz=N` accesses a case (default 1000).
#include "hostile/hostile.h"
#include "support/acpi.h"

namespace probe {
namespace {

// Values that find mistakes: edges, single bits, and anything at all.
uint64_t value(Random& random) {
    uint64_t result = random.next();
    switch (random.below(4)) {
        case 0: result = 0; break;
        case 1: result = ~uint64_t{0}; break;
        case 2: result = uint64_t{1} << random.below(64); break;
        default: break;
    }
    // Rings or buffers in the guest's own memory would be the guest's own fault, and a message to
    // the local APIC could be an INIT: such values are bent away.
    if (static_cast<uint32_t>(result) < 0x10000000) result |= 0x40000000;
    if ((result & 0xfff00000) == 0xfee00000) result ^= 0x00800000;
    return result;
}

void access(Random& random, uint64_t address) {
    const bool write = random.below(2) == 0;
    const uint64_t what = value(random);
    switch (random.below(4)) {
        case 0:
            write ? mmio_write<uint8_t>(address, static_cast<uint8_t>(what))
                  : static_cast<void>(mmio_read<uint8_t>(address));
            break;
        case 1:
            write ? mmio_write<uint16_t>(address, static_cast<uint16_t>(what))
                  : static_cast<void>(mmio_read<uint16_t>(address));
            break;
        case 2:
            write ? mmio_write<uint32_t>(address, static_cast<uint32_t>(what))
                  : static_cast<void>(mmio_read<uint32_t>(address));
            break;
        default:
            write ? mmio_write<uint64_t>(address, what)
                  : static_cast<void>(mmio_read<uint64_t>(address));
    }
}

Random random_of(Hostile& h, uint64_t salt) {
    return Random(h.machine().command_line.number("seed", 1) * 1000 + salt);
}

uint64_t accesses(Hostile& h) {
    return h.machine().command_line.number("fuzz", 1000);
}

// Ports that end or reset the machine, the console, and interfaces by which QEMU's own firmware
// moves memory.
bool is_forbidden(uint16_t port) {
    struct Span {
        uint16_t first, last;
    };
    constexpr Span spans[] = {{0x00, 0x0f},   {0x60, 0x64},   {0x92, 0x92},     {0xb2, 0xb3},
                              {0xc0, 0xdf},   {0xf4, 0xf4},   {0x3f8, 0x3ff},   {0x500, 0x51f},
                              {0x600, 0x6ff}, {0xcf8, 0xcff}, {0x5656, 0x565f}, {0xae00, 0xafff}};
    for (const Span& span : spans) {
        if (port + 3 >= span.first && port <= span.last) return true;
    }
    return false;
}

const Case fuzz[] = {
    {"fuzz_registers",
     [](Hostile& h) {
         Random random = random_of(h, 1);
         const VirtioDevice& device = h.device();
         const uint64_t bases[] = {device.common_address(), device.isr_address(),
                                   device.device_address(), device.notify_address()};
         for (uint64_t i = 0; i < accesses(h); ++i) {
             access(random, bases[random.below(4)] + random.below(128));
         }
     }},
    {"fuzz_registers_before_driver_ok",
     [](Hostile& h) {
         Random random = random_of(h, 2);
         for (uint64_t i = 0; i < accesses(h); ++i) {
             if (i % 64 == 0) h.device().set_status(0);
             if (i % 64 == 1) h.device().set_status(status::acknowledge | status::driver);
             if (i % 64 == 32) h.device().set_status(15);
             access(random, h.device().common_address() + random.below(64));
         }
     }},
    {"fuzz_config_space",
     [](Hostile& h) {
         Random random = random_of(h, 3);
         const PciFunction function = h.device().function();
         for (uint64_t i = 0; i < accesses(h); ++i) {
             const auto offset = static_cast<uint32_t>(random.below(256));
             const auto what = static_cast<uint32_t>(value(random));
             switch (random.below(4)) {
                 case 0:
                     h.pci().write<uint8_t>(function, offset, static_cast<uint8_t>(what));
                     break;
                 case 1:
                     h.pci().write<uint16_t>(function, offset & ~1u, static_cast<uint16_t>(what));
                     break;
                 case 2: h.pci().write<uint32_t>(function, offset & ~3u, what); break;
                 default: h.pci().read<uint32_t>(function, offset & ~3u);
             }
         }
         h.restore_pci();
     }},
    {"fuzz_hole",
     [](Hostile& h) {
         Random random = random_of(h, 4);
         const uint64_t ecam =
             h.machine().command_line.number("ecam", ecam_in_mcfg(h.machine().acpi_root));
         for (uint64_t i = 0; i < accesses(h); ++i) {
             // 3 GiB up to the I/O APIC; not the configuration space of other functions.
             const uint64_t address = 0xc0000000 + random.below(0x3ec00000);
             if (ecam && address + 8 > ecam && address < ecam + (256 << 20)) continue;
             access(random, address);
         }
     }},
    {"fuzz_ecam_of_nobody",
     [](Hostile& h) {
         Random random = random_of(h, 5);
         const uint64_t ecam =
             h.machine().command_line.number("ecam", ecam_in_mcfg(h.machine().acpi_root));
         if (!ecam) return;
         for (uint64_t i = 0; i < accesses(h); ++i) {
             const uint64_t bus = 1 + random.below(255);
             access(random, ecam + (bus << 20) + random.below((1 << 20) - 8));
         }
     }},
    {"fuzz_io_apic",
     [](Hostile& h) {
         constexpr uint64_t registers = 0xfec00000;
         Random random = random_of(h, 7);
         for (uint64_t i = 0; i < accesses(h); ++i) {
             mmio_write<uint32_t>(registers, static_cast<uint32_t>(random.below(256)));
             // Masked and of fixed delivery: an INIT or NMI would hit this very program.
             const auto what = static_cast<uint32_t>(value(random));
             mmio_write<uint32_t>(registers + 16, (what & ~0x700u) | 0x10000);
             mmio_read<uint32_t>(registers + 16);
             mmio_read<uint8_t>(registers + random.below(4096));
             mmio_read<uint64_t>(registers + 8 * random.below(500));
         }
         for (uint32_t pin = 0; pin < 24; ++pin) {
             mmio_write<uint32_t>(registers, 0x10 + 2 * pin);
             mmio_write<uint32_t>(registers + 16, 0x10000);
         }
     }},
    {"fuzz_ports",
     [](Hostile& h) {
         Random random = random_of(h, 6);
         for (uint64_t i = 0; i < accesses(h); ++i) {
             const auto port = static_cast<uint16_t>(random.below(2) ? random.below(0x1000)
                                                                     : random.below(0xfffc));
             if (is_forbidden(port)) continue;
             const auto what = static_cast<uint32_t>(value(random));
             switch (random.below(6)) {
                 case 0: out8(port, static_cast<uint8_t>(what)); break;
                 case 1: out16(port, static_cast<uint16_t>(what)); break;
                 case 2: out32(port, what); break;
                 case 3: in8(port); break;
                 case 4: in16(port); break;
                 default: in32(port);
             }
         }
     }},
};

}  // namespace

void run_fuzz_cases(Hostile& hostile) {
    hostile.run(fuzz);
}

}  // namespace probe
