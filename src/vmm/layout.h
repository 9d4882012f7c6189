#pragma once

// Why: the guest's physical address map, in one table that the loaders, the ACPI tables and the
// devices share. Nothing else names a fixed guest address.

#include "base/units.h"

namespace sheaf::vmm::layout {

// Low memory: what the 64-bit boot protocol, PVH and the BIOS areas need (below 1 MiB).
inline constexpr Gpa gdt{0x500};
inline constexpr Gpa pvh_start_info{0x6000};
inline constexpr Gpa pvh_memory_map{0x6100};
inline constexpr Gpa zero_page{0x7000};
inline constexpr Gpa boot_stack{0x8ff0};
inline constexpr Gpa page_tables{0x9000};  // PML4, PDPT, then four page directories: 6 pages
inline constexpr Gpa command_line{0x20000};
inline constexpr std::uint64_t command_line_limit = 64_KiB;
inline constexpr Gpa low_memory_end{0x9fc00};  // the EBDA and the BIOS area follow
inline constexpr Gpa generation_id{0xdf000};   // a page of its own, reserved as the BIOS area is
inline constexpr Gpa acpi_tables{0xe0000};     // RSDP first; reserved in the memory map
inline constexpr Gpa reset_vector{0xffff0};    // F000:FFF0, where a real-mode restart jumps
inline constexpr std::uint64_t acpi_tables_limit = reset_vector - acpi_tables;
inline constexpr Gpa high_memory{1_MiB};

// The hole below 4 GiB. RAM that does not fit under it continues at 4 GiB.
inline constexpr Gpa hole_start{3_GiB};
inline constexpr Gpa mmio_window{hole_start};
inline constexpr std::uint64_t mmio_window_size = 512_MiB;
inline constexpr Gpa ecam{0xe8000000};
inline constexpr std::uint64_t ecam_size = 1_MiB;  // one bus
inline constexpr Gpa ioapic{0xfec00000};
inline constexpr std::uint64_t ioapic_size = 4_KiB;
inline constexpr Gpa local_apic{0xfee00000};
inline constexpr Gpa kvm_identity_map{0xfeffc000};  // one page, Intel without unrestricted guest
inline constexpr Gpa kvm_tss{0xfeffd000};           // three pages
inline constexpr Gpa hole_end{4_GiB};

static_assert(low_memory_end <= generation_id && generation_id + 4_KiB <= acpi_tables);
static_assert(mmio_window + mmio_window_size <= ecam);
static_assert(ecam + ecam_size <= ioapic);
static_assert(kvm_tss.value() + 3 * 4096 <= hole_end.value());

// Ports.
inline constexpr std::uint16_t port_com1 = 0x3f8;
inline constexpr std::uint16_t port_i8042_data = 0x60;
inline constexpr std::uint16_t port_i8042_command = 0x64;
inline constexpr std::uint16_t port_cmos = 0x70;  // index, then data
inline constexpr std::uint16_t port_delay = 0x80;
inline constexpr std::uint16_t port_pci_address = 0xcf8;
inline constexpr std::uint16_t port_pci_data = 0xcfc;
inline constexpr std::uint16_t port_acpi_sleep = 0x600;   // SLEEP_CONTROL and RESET_REG
inline constexpr std::uint16_t port_acpi_status = 0x601;  // SLEEP_STATUS
inline constexpr std::uint16_t port_pm_timer = 0x608;     // where UEFI looks for it
inline constexpr std::uint16_t port_acpi_events = 0x610;  // pending GED events, read to clear
inline constexpr std::uint8_t acpi_reset_value = 1;
inline constexpr std::uint8_t acpi_sleep_s5 = 0x34;  // SLP_TYP 5, SLP_EN
inline constexpr std::uint8_t acpi_event_power_button = 1;

// The byte of the clock's memory that holds the century, by agreement of FADT and firmware.
inline constexpr std::uint8_t cmos_century = 0x32;

// Interrupt lines (pins of the IOAPIC, global system interrupts).
inline constexpr unsigned ioapic_pins = 24;
inline constexpr unsigned irq_com1 = 4;
inline constexpr unsigned irq_acpi_events = 5;

}  // namespace sheaf::vmm::layout
