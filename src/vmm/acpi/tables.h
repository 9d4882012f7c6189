#pragma once

// Why: the fixed-form ACPI tables, byte for byte as in ACPI 6.0 chapter 5 and the PCI Firmware
// Specification 3.3 (MCFG). A builder fills in what varies; checksums are the writer's work.

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace sheaf::vmm::acpi {

template <std::size_t length>
using Text = std::array<char, length>;

struct [[gnu::packed]] Header {
    Text<4> signature;
    std::uint32_t length = 0;
    std::uint8_t revision = 0;
    std::uint8_t checksum = 0;
    Text<6> oem = {'S', 'H', 'E', 'A', 'F', ' '};
    Text<8> oem_table = {'S', 'H', 'E', 'A', 'F', 'V', 'M', 'M'};
    std::uint32_t oem_revision = 1;
    Text<4> creator = {'S', 'H', 'E', 'F'};
    std::uint32_t creator_revision = 1;
};
static_assert(WireStruct<Header> && sizeof(Header) == 36);

struct [[gnu::packed]] Rsdp {
    Text<8> signature = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '};
    std::uint8_t checksum = 0;  // of the first 20 bytes
    Text<6> oem = {'S', 'H', 'E', 'A', 'F', ' '};
    std::uint8_t revision = 2;
    std::uint32_t rsdt = 0;
    std::uint32_t length = 36;
    std::uint64_t xsdt = 0;
    std::uint8_t extended_checksum = 0;
    std::array<std::uint8_t, 3> reserved = {};
};
static_assert(WireStruct<Rsdp> && sizeof(Rsdp) == 36);

// A register in port space, one byte wide.
struct [[gnu::packed]] PortRegister {
    std::uint8_t space = 1;
    std::uint8_t bit_width = 8;
    std::uint8_t bit_offset = 0;
    std::uint8_t access_size = 1;
    std::uint64_t address = 0;
};

struct [[gnu::packed]] Fadt {
    Header header = {.signature = {'F', 'A', 'C', 'P'}, .revision = 6};
    std::uint32_t firmware_control = 0;
    std::uint32_t dsdt = 0;
    std::uint8_t reserved_1 = 0;
    std::uint8_t power_profile = 0;
    std::uint16_t sci_interrupt = 0;
    std::array<std::uint8_t, 60> fixed_hardware = {};  // absent in a hardware-reduced machine
    std::uint8_t century = 0;                          // where the clock's memory has it
    std::uint16_t boot_architecture = 0;
    std::uint8_t reserved_2 = 0;
    std::uint32_t flags = 0;
    PortRegister reset;
    std::uint8_t reset_value = 0;
    std::uint16_t arm_boot_architecture = 0;
    std::uint8_t minor_revision = 0;
    std::uint64_t extended_firmware_control = 0;
    std::uint64_t extended_dsdt = 0;
    std::array<std::uint8_t, 96> extended_fixed_hardware = {};
    PortRegister sleep_control;
    PortRegister sleep_status;
    Text<8> hypervisor = {'S', 'h', 'e', 'a', 'f', 0, 0, 0};
};
static_assert(WireStruct<Fadt> && sizeof(Fadt) == 276);

struct [[gnu::packed]] Madt {
    Header header = {.signature = {'A', 'P', 'I', 'C'}, .revision = 4};
    std::uint32_t local_apic = 0;
    std::uint32_t flags = 0;  // PCAT_COMPAT clear: no 8259
};
static_assert(WireStruct<Madt> && sizeof(Madt) == 44);

struct [[gnu::packed]] MadtLocalApic {
    std::uint8_t type = 0;
    std::uint8_t length = 8;
    std::uint8_t processor = 0;
    std::uint8_t apic = 0;
    std::uint32_t flags = 1;  // enabled
};
static_assert(sizeof(MadtLocalApic) == 8);

struct [[gnu::packed]] MadtIoApic {
    std::uint8_t type = 1;
    std::uint8_t length = 12;
    std::uint8_t id = 0;
    std::uint8_t reserved = 0;
    std::uint32_t address = 0;
    std::uint32_t first_interrupt = 0;
};
static_assert(sizeof(MadtIoApic) == 12);

struct [[gnu::packed]] MadtOverride {
    std::uint8_t type = 2;
    std::uint8_t length = 10;
    std::uint8_t bus = 0;  // ISA
    std::uint8_t source = 0;
    std::uint32_t interrupt = 0;
    std::uint16_t flags = 5;  // active high, edge
};
static_assert(sizeof(MadtOverride) == 10);

struct [[gnu::packed]] MadtLocalNmi {
    std::uint8_t type = 4;
    std::uint8_t length = 6;
    std::uint8_t processor = 0xff;  // all
    std::uint16_t flags = 0;        // as the bus has it
    std::uint8_t pin = 1;           // LINT1
};
static_assert(sizeof(MadtLocalNmi) == 6);

struct [[gnu::packed]] MadtX2Apic {
    std::uint8_t type = 9;
    std::uint8_t length = 16;
    std::uint16_t reserved = 0;
    std::uint32_t apic = 0;
    std::uint32_t flags = 1;  // enabled
    std::uint32_t processor = 0;
};
static_assert(sizeof(MadtX2Apic) == 16);

struct [[gnu::packed]] Mcfg {
    Header header = {.signature = {'M', 'C', 'F', 'G'}, .revision = 1};
    std::uint64_t reserved_1 = 0;
    std::uint64_t address = 0;
    std::uint16_t segment = 0;
    std::uint8_t first_bus = 0;
    std::uint8_t last_bus = 0;
    std::uint32_t reserved_2 = 0;
};
static_assert(WireStruct<Mcfg> && sizeof(Mcfg) == 60);

}  // namespace sheaf::vmm::acpi
