// PCI configuration space and BARs: ones, garbage, odd widths, addresses over other things.
#include "hostile/hostile.h"
#include "support/acpi.h"

namespace probe {
namespace {

constexpr uint8_t msix_capability = 0x11;
constexpr uint8_t no_bar = 6;

uint64_t ecam_address(Hostile& h) {
    return h.machine().command_line.number("ecam", ecam_in_mcfg(h.machine().acpi_root));
}

uint32_t random_value(Random& random) {
    return static_cast<uint32_t>(random.next() >> 16);
}

// The BAR that holds the common structure.
uint8_t common_bar(Hostile& h) {
    const PciFunction function = h.device().function();
    uint8_t at = 0;
    while ((at = h.pci().next_capability(function, 9, at)) != 0) {
        if (h.pci().read<uint8_t>(function, at + 3u) == 1) {
            return h.pci().read<uint8_t>(function, at + 4u);
        }
    }
    return no_bar;
}

// Moves the BAR there, reads and writes what then is there, and moves it back.
void move(Hostile& h, uint64_t address) {
    const PciFunction function = h.device().function();
    const uint8_t bar = common_bar(h);
    h.require(bar < no_bar, "no BAR for the common structure");
    if (bar >= no_bar) return;
    h.pci().set_bar_address(function, bar, address);
    if (address >= 4096 && address < uint64_t{1} << 38) mmio_read<uint32_t>(address);
    h.restore_pci();
}

// Moves the BAR to a free place, where the device has to work, and back.
void move_and_use(Hostile& h, uint64_t address) {
    const PciFunction function = h.device().function();
    const uint8_t bar = common_bar(h);
    if (bar >= no_bar) return h.fail("no BAR for the common structure");
    h.pci().set_bar_address(function, bar, address);
    const bool found = h.device().attach(h.pci(), virtio_blk_id);
    h.require(found, "not found at its new address");
    if (found) h.require(h.disk().restart(h.machine().clock), "does not work at its new address");
    h.restore_pci();
    // The queue remembers its doorbell, which has moved back.
    h.require(h.disk().restart(h.machine().clock), "does not work at its old address");
}

const Case moves[] = {
    {"bar_moved_to_a_free_place", [](Hostile& h) { move_and_use(h, 0xdc000000); }},
    {"bar_moved_over_memory", [](Hostile& h) { move(h, 0x1000000); }},
    {"bar_moved_over_the_program", [](Hostile& h) { move(h, 0x200000); }},
    {"bar_moved_to_zero", [](Hostile& h) { move(h, 0); }},
    {"bar_moved_over_local_apic", [](Hostile& h) { move(h, 0xfee00000); }},
    {"bar_moved_over_io_apic", [](Hostile& h) { move(h, 0xfec00000); }},
    {"bar_moved_below_4_gib", [](Hostile& h) { move(h, 0xffff0000); }},
    {"bar_moved_to_the_end_of_everything", [](Hostile& h) { move(h, 0xfffffffffff00000); }},
    {"bar_moved_over_ecam", [](Hostile& h) { move(h, ecam_address(h)); }},
    {"bars_moved_over_each_other",
     [](Hostile& h) {
         const PciFunction function = h.device().function();
         for (uint8_t bar = 0; bar < no_bar; ++bar) {
             h.pci().write<uint32_t>(function, 0x10u + 4u * bar, 0xdc000000);
         }
         mmio_read<uint32_t>(0xdc000000);
         mmio_write<uint32_t>(0xdc000000, 0);
         h.restore_pci();
     }},
    {"bar_moved_while_decoding_is_off",
     [](Hostile& h) {
         const PciFunction function = h.device().function();
         h.pci().write<uint16_t>(function, 4, 0);
         h.require(h.device().get<uint32_t>(common::device_feature) == ~0u,
                   "registers answer while memory decoding is off");
         for (uint8_t bar = 0; bar < no_bar; ++bar) {
             h.pci().write<uint32_t>(function, 0x10u + 4u * bar, ~0u);
         }
         h.restore_pci();
     }},
    {"bus_mastering_off",
     [](Hostile& h) {
         h.pci().write<uint16_t>(h.device().function(), 4, 2);
         h.queue().ring();
         h.restore_pci();
         h.device().reset(h.machine().clock);
     }},
};

// Writes to every register but the BARs' own addresses would be lost on the way back; restore_pci()
// brings the header back, the rest is read-only or belongs to MSI-X.
void write_everything(Hostile& h, uint32_t (*value)(Random&)) {
    Random random(h.machine().command_line.number("seed", 1));
    const PciFunction function = h.device().function();
    for (uint32_t offset = 0; offset < 256; offset += 4) {
        h.pci().write<uint32_t>(function, offset, value(random));
    }
    for (uint32_t offset = 0; offset < 256; ++offset) {
        h.pci().write<uint8_t>(function, offset, static_cast<uint8_t>(value(random)));
        if (offset < 255) {
            const auto wide = static_cast<uint16_t>(value(random));
            if ((offset & 3) < 3) h.pci().write<uint16_t>(function, offset, wide);
        }
    }
    h.restore_pci();
}

const Case configuration[] = {
    {"config_space_of_ones", [](Hostile& h) { write_everything(h, [](Random&) { return ~0u; }); }},
    {"config_space_of_zero", [](Hostile& h) { write_everything(h, [](Random&) { return 0u; }); }},
    {"config_space_of_garbage", [](Hostile& h) { write_everything(h, random_value); }},
    {"config_window_in_every_width",
     [](Hostile& h) {
         // virtio's own window into the BARs (VIRTIO_PCI_CAP_PCI_CFG), with bad bar and offset.
         const PciFunction function = h.device().function();
         uint8_t at = 0;
         while ((at = h.pci().next_capability(function, 9, at)) != 0) {
             if (h.pci().read<uint8_t>(function, at + 3u) != 5) continue;
             for (const uint8_t bar : {uint8_t{0}, uint8_t{4}, uint8_t{5}, uint8_t{255}}) {
                 for (const uint32_t offset : {0u, 1u, 0xffcu, 0x7ffffffcu, ~0u}) {
                     for (const uint32_t length : {0u, 1u, 2u, 3u, 4u, 8u, ~0u}) {
                         h.pci().write<uint8_t>(function, at + 4u, bar);
                         h.pci().write<uint32_t>(function, at + 8u, offset);
                         h.pci().write<uint32_t>(function, at + 12u, length);
                         h.pci().read<uint32_t>(function, at + 16u);
                         h.pci().read<uint8_t>(function, at + 17u);
                     }
                 }
             }
         }
         h.restore_pci();
     }},
    {"functions_that_do_not_exist",
     [](Hostile& h) {
         for (uint8_t slot = 0; slot < 32; ++slot) {
             for (uint8_t function = 1; function < 8; ++function) {
                 const PciFunction nobody{slot, function};
                 if (h.pci().read<uint32_t>(nobody, 0) != ~0u) continue;
                 h.pci().write<uint32_t>(nobody, 0x10, 0xdc000000);
                 h.pci().write<uint16_t>(nobody, 4, 7);
             }
         }
     }},
    {"config_ports_in_every_width",
     [](Hostile& h) {
         Random random(h.machine().command_line.number("seed", 1));
         for (int i = 0; i < 500; ++i) {
             // A bus that does not exist, so that only the decoder is in question.
             out32(0xcf8, random_value(random) | 0x80ff0000);
             const auto port = static_cast<uint16_t>(0xcf8 + random.below(8));
             if (port != 0xcf9) in8(port);
             in16(static_cast<uint16_t>(0xcfc + random.below(3)));
             in32(0xcfc);
             out8(static_cast<uint16_t>(0xcfc + random.below(4)), 0xff);
             out16(static_cast<uint16_t>(0xcfc + random.below(3)), 0xffff);
             out32(0xcfc, ~0u);
         }
         for (const uint16_t port : {uint16_t{0xcf8}, uint16_t{0xcfa}, uint16_t{0xcfb}}) {
             out8(port, 0xff);
             in8(port);
         }
         out32(0xcf8, 0);
         in32(0xcfc);
     }},
};

// The table and pending bits in every width, then back to zero with MSI-X off.
const Case msix[] = {
    {"msix_table_of_garbage",
     [](Hostile& h) {
         const PciFunction function = h.device().function();
         const uint8_t capability = h.pci().next_capability(function, msix_capability, 0);
         if (capability == 0) return h.fail("no MSI-X capability");
         const auto place = h.pci().read<uint32_t>(function, capability + 4u);
         const uint64_t table = h.pci().bar_address(function, place & 7) + (place & ~7u);
         const uint32_t entries = (h.pci().read<uint16_t>(function, capability + 2u) & 0x7ffu) + 1;
         for (uint32_t i = 0; i < entries * 4 + 16; ++i) {
             // Addresses that are no interrupt message; every vector stays masked at the end.
             mmio_write<uint32_t>(table + i * 4, i % 4 == 3 ? ~0u : 0x12345678);
         }
         for (uint32_t i = 0; i < 64; ++i) {
             mmio_write<uint8_t>(table + i, 0x11);
             mmio_write<uint16_t>(table + i, 0x1111);
             mmio_read<uint64_t>(table + i);
         }
         for (const uint32_t control : {0x8000u, 0xc000u, 0x8000u, 0x4000u, 0u}) {
             h.pci().write<uint16_t>(function, capability + 2u, static_cast<uint16_t>(control));
         }
         for (uint32_t i = 0; i < entries * 4; ++i) {
             mmio_write<uint32_t>(table + i * 4, i % 4 == 3 ? 1u : 0u);
         }
     }},
    {"msix_pending_bits_written",
     [](Hostile& h) {
         const PciFunction function = h.device().function();
         const uint8_t capability = h.pci().next_capability(function, msix_capability, 0);
         if (capability == 0) return h.fail("no MSI-X capability");
         const auto place = h.pci().read<uint32_t>(function, capability + 8u);
         const uint64_t pending = h.pci().bar_address(function, place & 7) + (place & ~7u);
         const auto before = mmio_read<uint32_t>(pending);
         mmio_write<uint32_t>(pending, ~0u);
         mmio_write<uint64_t>(pending, ~uint64_t{0});
         h.require(mmio_read<uint32_t>(pending) == before, "pending bits can be written");
     }},
};

}  // namespace

void run_pci_cases(Hostile& hostile) {
    hostile.run(moves);
    hostile.run(configuration);
    hostile.run(msix);
}

}  // namespace probe
