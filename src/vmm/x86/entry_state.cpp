#include "vmm/x86/entry_state.h"

#include <array>
#include <span>

#include "vmm/layout.h"

namespace sheaf::vmm::x86 {

namespace {

constexpr std::uint64_t cr0_protected = 1U << 0;
constexpr std::uint64_t cr0_extension_type = 1U << 4;
constexpr std::uint64_t cr0_paging = 1U << 31;
constexpr std::uint64_t cr4_physical_address_extension = 1U << 5;
constexpr std::uint64_t efer_long_enable = 1U << 8;
constexpr std::uint64_t efer_long_active = 1U << 10;
constexpr std::uint64_t apic_base_enabled = 1U << 11;
constexpr std::uint64_t apic_base_x2apic = 1U << 10;

// Selectors as Linux asks for them: __BOOT_CS and __BOOT_DS, then the task segment, which VMX
// wants present and busy.
constexpr std::uint16_t code_selector = 0x10;
constexpr std::uint16_t data_selector = 0x18;
constexpr std::uint16_t task_selector = 0x20;
constexpr std::size_t descriptor_count = 5;

constexpr kvm_segment flat_segment(std::uint16_t selector, std::uint8_t type) {
    return {.base = 0,
            .limit = 0xffffffff,
            .selector = selector,
            .type = type,
            .present = 1,
            .dpl = 0,
            .db = 1,
            .s = 1,
            .l = 0,
            .g = 1,
            .avl = 0,
            .unusable = 0,
            .padding = 0};
}

constexpr kvm_segment code_segment(boot::Protocol protocol) {
    constexpr std::uint8_t execute_read_accessed = 0xb;
    auto segment = flat_segment(code_selector, execute_read_accessed);
    if (protocol == boot::Protocol::linux_64) {
        segment.l = 1;
        segment.db = 0;
    }
    return segment;
}

constexpr kvm_segment data_segment() {
    constexpr std::uint8_t read_write_accessed = 0x3;
    return flat_segment(data_selector, read_write_accessed);
}

constexpr kvm_segment task_segment() {
    constexpr std::uint8_t busy_task_state = 0xb;
    auto segment = flat_segment(task_selector, busy_task_state);
    segment.limit = 0x67;
    segment.db = segment.s = segment.g = 0;
    return segment;
}

// The segment as the processor reads it from a descriptor table (Intel SDM volume 3A, 3.4.5).
constexpr std::uint64_t descriptor(const kvm_segment& segment) {
    const std::uint64_t limit = segment.g ? segment.limit >> 12 : segment.limit;
    const std::uint64_t base = segment.base;
    const std::uint64_t access =
        segment.type | segment.s << 4 | segment.dpl << 5 | segment.present << 7;
    const std::uint64_t flags = segment.avl | segment.l << 1 | segment.db << 2 | segment.g << 3;
    return (limit & 0xffff) | (base & 0xffffff) << 16 | access << 40 | (limit >> 16 & 0xf) << 48 |
           flags << 52 | (base >> 24 & 0xff) << 56;
}

constexpr std::size_t entries_a_table = 512;
using PageTable = std::array<std::uint64_t, entries_a_table>;

Result<void> write_page_tables(const GuestMemory& memory) {
    constexpr std::uint64_t present_writable = 3;
    constexpr std::uint64_t large_page = 1U << 7;
    constexpr std::size_t directories = layout::hole_end.value() / 1_GiB;
    constexpr auto table = [](std::size_t number) {
        return layout::page_tables + number * sizeof(PageTable);
    };

    auto root = PageTable{};
    root[0] = table(1).value() | present_writable;
    TRY(memory.write(table(0), root));

    auto pointers = PageTable{};
    for (std::size_t i = 0; i < directories; ++i)
        pointers[i] = table(2 + i).value() | present_writable;
    TRY(memory.write(table(1), pointers));

    for (std::size_t i = 0; i < directories; ++i) {
        auto directory = PageTable{};
        for (std::size_t j = 0; j < entries_a_table; ++j)
            directory[j] = (i * entries_a_table + j) * 2_MiB | present_writable | large_page;
        TRY(memory.write(table(2 + i), directory));
    }
    return {};
}

}  // namespace

Result<void> write_entry_tables(const GuestMemory& memory, boot::Protocol protocol) {
    auto table = std::array<std::uint64_t, descriptor_count>{};
    for (const auto& segment : {code_segment(protocol), data_segment(), task_segment()})
        table[segment.selector / sizeof(std::uint64_t)] = descriptor(segment);
    TRY(memory.write(layout::gdt, table));
    if (protocol == boot::Protocol::linux_64) TRY(write_page_tables(memory));
    return {};
}

kvm_regs entry_registers(const boot::Entry& entry) {
    constexpr std::uint64_t always_set = 2;
    auto registers = kvm_regs{};
    registers.rip = entry.address.value();
    registers.rflags = always_set;
    if (entry.protocol == boot::Protocol::linux_64) {
        registers.rsi = entry.parameters.value();
        registers.rsp = registers.rbp = layout::boot_stack.value();
    } else {
        registers.rbx = entry.parameters.value();
    }
    return registers;
}

kvm_sregs entry_system_registers(boot::Protocol protocol, const kvm_sregs& reset) {
    auto registers = reset;
    registers.cs = code_segment(protocol);
    registers.ds = registers.es = registers.fs = registers.gs = registers.ss = data_segment();
    registers.tr = task_segment();
    registers.gdt.base = layout::gdt.value();
    registers.gdt.limit = descriptor_count * sizeof(std::uint64_t) - 1;
    registers.idt = {};
    registers.cr0 = cr0_protected | cr0_extension_type;
    registers.cr3 = 0;
    registers.cr4 = 0;
    registers.efer = 0;
    if (protocol == boot::Protocol::linux_64) {
        registers.cr0 |= cr0_paging;
        registers.cr3 = layout::page_tables.value();
        registers.cr4 = cr4_physical_address_extension;
        registers.efer = efer_long_enable | efer_long_active;
    }
    return registers;
}

kvm_sregs with_apic_mode(const kvm_sregs& registers, ApicMode mode) {
    auto result = registers;
    if (mode == ApicMode::x2apic) result.apic_base |= apic_base_enabled | apic_base_x2apic;
    return result;
}

kvm_fpu entry_fpu() {
    auto fpu = kvm_fpu{};
    fpu.fcw = 0x37f;
    fpu.mxcsr = 0x1f80;
    return fpu;
}

kvm_lapic_state with_local_interrupts(const kvm_lapic_state& state) {
    constexpr std::size_t lint0 = 0x350;
    constexpr std::size_t lint1 = 0x360;
    constexpr std::uint32_t delivery_and_mask = 7U << 8 | 1U << 16;
    constexpr std::uint32_t external = 7U << 8;
    constexpr std::uint32_t non_maskable = 4U << 8;
    auto result = state;
    const auto registers = std::as_writable_bytes(std::span{result.regs});
    const auto route = [&](std::size_t offset, std::uint32_t delivery) {
        const auto field = registers.subspan(offset);
        store(field, (load<std::uint32_t>(field) & ~delivery_and_mask) | delivery);
    };
    route(lint0, external);
    route(lint1, non_maskable);
    return result;
}

}  // namespace sheaf::vmm::x86
