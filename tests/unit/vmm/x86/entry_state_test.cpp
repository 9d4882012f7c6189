#include "vmm/x86/entry_state.h"

#include <fcntl.h>

#include <array>

#include <gtest/gtest.h>

#include "vmm/layout.h"
#include "vmm/x86/msr.h"

namespace sheaf::vmm::x86 {
namespace {

using boot::Entry;
using boot::Protocol;

GuestMemory low_memory() {
    return *GuestMemory::create(1_MiB, GuestMemory::Backing::anonymous);
}

// Walks the page tables as the processor does.
std::optional<std::uint64_t> translate(const GuestMemory& memory, std::uint64_t address) {
    auto table = layout::page_tables.value();
    for (const unsigned shift : {39U, 30U, 21U}) {
        const auto entry = *memory.read<std::uint64_t>(Gpa{table + (address >> shift & 511) * 8});
        if ((entry & 3) != 3) return std::nullopt;
        if (shift == 21)
            return (entry & 0x80) ? std::optional{(entry & ~0x1fffffULL) | (address & 0x1fffff)}
                                  : std::nullopt;
        table = entry & ~0xfffULL;
    }
    return std::nullopt;
}

TEST(EntryTables, MapTheFirstFourGibOneToOne) {
    const auto memory = low_memory();
    ASSERT_TRUE(write_entry_tables(memory, Protocol::linux_64));
    for (const std::uint64_t address :
         {0UL, 0x7000UL, 0x1fffffUL, 0x200000UL, 0x1000200UL, 0x3fffffffUL, 0x40000000UL,
          0xbfffffffUL, 0xc0000000UL, 0xffffffffUL})
        EXPECT_EQ(translate(memory, address), address) << std::hex << address;
    EXPECT_FALSE(translate(memory, 4_GiB));
}

TEST(EntryTables, NeedMemory) {
    const auto memory = *GuestMemory::create(4_KiB, GuestMemory::Backing::anonymous);
    EXPECT_FALSE(write_entry_tables(memory, Protocol::linux_64));
}

// A segment register must hold what its descriptor says: a kernel may load it again.
TEST(EntryTables, DescriptorsAgreeWithTheSegments) {
    for (const auto protocol : {Protocol::linux_64, Protocol::pvh}) {
        const auto memory = low_memory();
        ASSERT_TRUE(write_entry_tables(memory, protocol));
        const auto registers = entry_system_registers(protocol, {});
        for (const auto& segment : {registers.cs, registers.ss, registers.tr}) {
            EXPECT_LE(segment.selector + 7u, registers.gdt.limit);
            const auto word =
                *memory.read<std::uint64_t>(Gpa{registers.gdt.base + segment.selector});
            EXPECT_EQ(word >> 40 & 15, segment.type);
            EXPECT_EQ(word >> 44 & 1, segment.s);
            EXPECT_EQ(word >> 47 & 1, 1u);
            EXPECT_EQ(word >> 53 & 1, segment.l);
            EXPECT_EQ(word >> 54 & 1, segment.db);
            EXPECT_EQ(word >> 55 & 1, segment.g);
            const auto limit = (word & 0xffff) | (word >> 32 & 0xf0000);
            EXPECT_EQ(segment.g ? limit << 12 | 0xfff : limit, segment.limit);
        }
    }
}

TEST(EntryRegisters, LinuxGetsLongModeAndTheZeroPage) {
    const auto entry = Entry{Protocol::linux_64, Gpa{0x1000200}, layout::zero_page};
    const auto registers = entry_registers(entry);
    EXPECT_EQ(registers.rip, 0x1000200u);
    EXPECT_EQ(registers.rsi, layout::zero_page.value());
    EXPECT_EQ(registers.rflags, 2u);
    auto reset = kvm_sregs{};
    reset.apic_base = 0xfee00900;
    const auto system = entry_system_registers(entry.protocol, reset);
    EXPECT_EQ(system.cr0, 0x80000011u);
    EXPECT_EQ(system.cr4, 0x20u);
    EXPECT_EQ(system.efer, 0x500u);
    EXPECT_EQ(system.cr3, layout::page_tables.value());
    EXPECT_EQ(system.cs.selector, 0x10);
    EXPECT_EQ(system.ds.selector, 0x18);
    EXPECT_EQ(system.cs.l, 1);
    EXPECT_EQ(system.tr.type, 11);
    EXPECT_EQ(system.apic_base, 0xfee00900u) << "what entry does not fix stays";
}

TEST(EntryRegisters, PvhGetsFlatProtectedModeAndStartInfo) {
    const auto entry = Entry{Protocol::pvh, Gpa{0x1000010}, layout::pvh_start_info};
    EXPECT_EQ(entry_registers(entry).rbx, layout::pvh_start_info.value());
    const auto system = entry_system_registers(entry.protocol, {});
    EXPECT_EQ(system.cr0, 0x11u);
    EXPECT_EQ(system.cr4, 0u);
    EXPECT_EQ(system.efer, 0u);
    EXPECT_EQ(system.cs.db, 1);
    EXPECT_EQ(system.cs.l, 0);
    EXPECT_EQ(system.cs.limit, 0xffffffffu);
    EXPECT_EQ(system.tr.limit, 0x67u);
}

TEST(LocalApic, LinesAreRoutedAndNothingElseChanges) {
    auto state = kvm_lapic_state{};
    auto bytes = std::as_writable_bytes(std::span{state.regs});
    store(bytes.subspan(0x350), std::uint32_t{0x10000});
    store(bytes.subspan(0x360), std::uint32_t{0x10000});
    store(bytes.subspan(0x20), std::uint32_t{0x7000000});
    const auto routed = with_local_interrupts(state);
    const auto result = std::as_bytes(std::span{routed.regs});
    EXPECT_EQ(load<std::uint32_t>(result.subspan(0x350)), 0x700u);
    EXPECT_EQ(load<std::uint32_t>(result.subspan(0x360)), 0x400u);
    EXPECT_EQ(load<std::uint32_t>(result.subspan(0x20)), 0x7000000u);
}

TEST(LocalApic, X2ApicModeIsSetInItsBaseRegister) {
    auto registers = kvm_sregs{};
    registers.apic_base = 0xfee00900;
    EXPECT_EQ(with_apic_mode(registers, ApicMode::x2apic).apic_base, 0xfee00d00u);
    EXPECT_EQ(with_apic_mode(registers, ApicMode::xapic).apic_base, 0xfee00900u);
}

TEST(BootMsrs, MakeMemoryWriteBack) {
    auto default_type = std::uint64_t{0};
    for (const auto& msr : boot_msrs())
        if (msr.index == 0x2ff) default_type = msr.value;
    EXPECT_EQ(default_type, 0x806u);
}

}  // namespace
}  // namespace sheaf::vmm::x86
