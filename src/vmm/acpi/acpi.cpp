#include "vmm/acpi/acpi.h"

#include <cstddef>
#include <vector>

#include "vmm/acpi/definition_block.h"
#include "vmm/acpi/tables.h"
#include "vmm/layout.h"

namespace sheaf::vmm::acpi {

namespace {

constexpr unsigned most_cpus = 4096;
// Ids from 255 up do not fit the 8-bit entries, where 255 means "all".
constexpr unsigned short_ids = 255;

using Bytes = std::vector<std::byte>;

template <class T>
void append(Bytes& bytes, const T& value) {
    const auto more = std::as_bytes(std::span{&value, 1});
    bytes.insert(bytes.end(), more.begin(), more.end());
}

std::uint8_t sum(std::span<const std::byte> bytes) {
    unsigned total = 0;
    for (const auto byte : bytes) total += std::to_integer<unsigned>(byte);
    return static_cast<std::uint8_t>(total);
}

// Makes all bytes add up to zero through the one at `position`.
void seal(std::span<std::byte> bytes, std::size_t position) {
    bytes[position] = std::byte{0};
    bytes[position] = static_cast<std::byte>(-sum(bytes));
}

// Puts tables one after the other into their area.
class Area {
  public:
    Area(const GuestMemory& memory, Gpa start) : memory_(memory), next_(start) {}

    // Completes the table's length and checksum, writes it and gives its address.
    Result<Gpa> add(Bytes table) {
        store(std::span{table}.subspan(offsetof(Header, length)),
              static_cast<std::uint32_t>(table.size()));
        seal(table, offsetof(Header, checksum));
        return place(table);
    }

    Result<Gpa> place(std::span<const std::byte> table) {
        constexpr std::uint64_t alignment = 16;
        constexpr auto end = layout::acpi_tables + layout::acpi_tables_limit;
        if (table.size() > end - next_)
            return fail(Kind::invalid, "the ACPI tables exceed {} KiB",
                        layout::acpi_tables_limit / 1_KiB);
        const auto at = next_;
        TRY(memory_.write(at, table));
        next_ = Gpa{std::min(align_up(at.value() + table.size(), alignment), end.value())};
        return at;
    }

  private:
    const GuestMemory& memory_;
    Gpa next_;
};

Bytes make_fadt(Gpa dsdt) {
    constexpr std::uint8_t enterprise_server = 4;
    constexpr std::uint16_t no_vga = 1U << 2;
    constexpr std::uint32_t wbinvd = 1U << 0;
    constexpr std::uint32_t halt_works = 1U << 2;       // PROC_C1
    constexpr std::uint32_t no_fixed_power = 1U << 4;   // the button is a device
    constexpr std::uint32_t no_fixed_sleep = 1U << 5;   // there is no sleep button
    constexpr std::uint32_t timer_is_32_bit = 1U << 8;  // TMR_VAL_EXT
    constexpr std::uint32_t reset_supported = 1U << 10;
    constexpr std::uint32_t hardware_reduced = 1U << 20;
    auto fadt = Fadt{};
    fadt.power_profile = enterprise_server;
    // The 8042 bit stays clear: Linux then spares its probe, and our controller only resets.
    fadt.boot_architecture = no_vga;
    fadt.century = layout::cmos_century;
    fadt.flags = wbinvd | halt_works | no_fixed_power | no_fixed_sleep | timer_is_32_bit |
                 reset_supported | hardware_reduced;
    fadt.reset.address = layout::port_acpi_sleep;
    fadt.reset_value = layout::acpi_reset_value;
    fadt.extended_dsdt = dsdt.value();
    fadt.sleep_control.address = layout::port_acpi_sleep;
    fadt.sleep_status.address = layout::port_acpi_status;
    auto table = Bytes{};
    append(table, fadt);
    return table;
}

Bytes make_madt(unsigned cpus) {
    constexpr auto address = [](Gpa gpa) { return static_cast<std::uint32_t>(gpa.value()); };
    auto table = Bytes{};
    append(table, Madt{.local_apic = address(layout::local_apic)});
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        const auto id = static_cast<std::uint8_t>(cpu);
        if (cpu < short_ids)
            append(table, MadtLocalApic{.processor = id, .apic = id});
        else
            append(table, MadtX2Apic{.apic = cpu, .processor = cpu});
    }
    append(table, MadtIoApic{.address = address(layout::ioapic)});
    append(table, MadtOverride{.source = layout::irq_com1, .interrupt = layout::irq_com1});
    append(table, MadtLocalNmi{});
    return table;
}

Bytes make_mcfg() {
    auto table = Bytes{};
    append(table, Mcfg{.address = layout::ecam.value(),
                       .last_bus = static_cast<std::uint8_t>(layout::ecam_size / 1_MiB - 1)});
    return table;
}

Bytes make_xsdt(std::initializer_list<Gpa> tables) {
    auto table = Bytes{};
    append(table, Header{.signature = {'X', 'S', 'D', 'T'}, .revision = 1});
    for (const auto address : tables) append(table, address.value());
    return table;
}

Bytes make_rsdp(Gpa xsdt) {
    constexpr std::size_t first_part = 20;  // as ACPI 1.0 had it
    auto table = Bytes{};
    append(table, Rsdp{.xsdt = xsdt.value()});
    seal(std::span{table}.first(first_part), offsetof(Rsdp, checksum));
    seal(table, offsetof(Rsdp, extended_checksum));
    return table;
}

}  // namespace

Result<Gpa> build_acpi(const GuestMemory& memory, const AcpiConfig& config) {
    if (config.cpus == 0 || config.cpus > most_cpus)
        return fail(Kind::invalid, "{} processors; 1 to {} can be described", config.cpus,
                    most_cpus);
    const auto rsdp = layout::acpi_tables;
    auto area = Area{memory, rsdp + align_up<std::uint64_t>(sizeof(Rsdp), 16)};
    const auto dsdt = TRY(area.place(definition_block()));
    const auto fadt = TRY(area.add(make_fadt(dsdt)));
    const auto madt = TRY(area.add(make_madt(config.cpus)));
    const auto mcfg = TRY(area.add(make_mcfg()));
    const auto xsdt = TRY(area.add(make_xsdt({fadt, madt, mcfg})));
    TRY(memory.write(rsdp, make_rsdp(xsdt)));
    return rsdp;
}

}  // namespace sheaf::vmm::acpi
