#include "vmm/debug/page_walk.h"

namespace sheaf::vmm::debug {

namespace {

constexpr std::uint64_t cr0_paging = 1ull << 31;
constexpr std::uint64_t cr4_large_pages = 1ull << 4;
constexpr std::uint64_t cr4_address_extension = 1ull << 5;
constexpr std::uint64_t cr4_five_levels = 1ull << 12;
constexpr std::uint64_t efer_long_mode_active = 1ull << 10;
constexpr std::uint64_t entry_present = 1ull << 0;
constexpr std::uint64_t entry_large = 1ull << 7;
constexpr std::uint64_t entry_address = 0x000ffffffffff000;
constexpr unsigned page_shift = 12;

Failure not_mapped(std::uint64_t address) {
    return fail(Kind::not_found, "nothing is mapped at {:#x}", address);
}

bool long_mode(const kvm_sregs& registers) {
    return (registers.efer & efer_long_mode_active) != 0;
}

unsigned address_bits(const kvm_sregs& registers) {
    return (registers.cr4 & cr4_five_levels) != 0 ? 57 : 48;
}

// Tables of 512 entries of eight bytes; the level counts down to 1, whose entries are pages.
Result<Gpa> walk_wide(const GuestMemory& memory, std::uint64_t root, unsigned levels,
                      std::uint64_t address) {
    auto table = root & entry_address;
    for (unsigned level = levels;; --level) {
        const auto shift = page_shift + 9 * (level - 1);
        const auto index = address >> shift & 0x1ff;
        const auto entry = TRY(memory.read<std::uint64_t>(Gpa{table + index * 8}));
        if ((entry & entry_present) == 0) return not_mapped(address);
        const bool large = (level == 2 || level == 3) && (entry & entry_large) != 0;
        if (level == 1 || large) {
            const auto within = (1ull << shift) - 1;
            return Gpa{(entry & entry_address & ~within) | (address & within)};
        }
        table = entry & entry_address;
    }
}

// Three levels; the first table has four entries, and is aligned to 32 bytes alone.
Result<Gpa> walk_extended(const GuestMemory& memory, std::uint64_t root, std::uint64_t address) {
    const auto table = root & 0xffffffe0;
    const auto entry = TRY(memory.read<std::uint64_t>(Gpa{table + (address >> 30 & 3) * 8}));
    if ((entry & entry_present) == 0) return not_mapped(address);
    return walk_wide(memory, entry, 2, address);
}

// Two levels of 1024 entries of four bytes, with pages of 4 MiB.
Result<Gpa> walk_narrow(const GuestMemory& memory, const kvm_sregs& registers,
                        std::uint64_t address) {
    const auto directory = registers.cr3 & 0xfffff000;
    const auto upper =
        TRY(memory.read<std::uint32_t>(Gpa{directory + (address >> 22 & 0x3ff) * 4}));
    if ((upper & entry_present) == 0) return not_mapped(address);
    if ((upper & entry_large) != 0 && (registers.cr4 & cr4_large_pages) != 0) {
        const auto above_4g = static_cast<std::uint64_t>(upper >> 13 & 0xff) << 32;
        return Gpa{above_4g | (upper & 0xffc00000) | (address & 0x3fffff)};
    }
    const auto lower =
        TRY(memory.read<std::uint32_t>(Gpa{(upper & 0xfffff000) + (address >> 12 & 0x3ff) * 4}));
    if ((lower & entry_present) == 0) return not_mapped(address);
    return Gpa{(lower & 0xfffff000) | (address & 0xfff)};
}

}  // namespace

bool is_canonical(const kvm_sregs& registers, std::uint64_t address) {
    if (!long_mode(registers)) return address <= 0xffffffff;
    const auto unused = 64 - address_bits(registers);
    const auto extended = static_cast<std::int64_t>(address << unused) >> unused;
    return static_cast<std::uint64_t>(extended) == address;
}

Result<Gpa> translate(const GuestMemory& memory, const kvm_sregs& registers,
                      std::uint64_t address) {
    if (!is_canonical(registers, address)) return not_mapped(address);
    if ((registers.cr0 & cr0_paging) == 0) return Gpa{address};
    if (long_mode(registers))
        return walk_wide(memory, registers.cr3, address_bits(registers) == 57 ? 5 : 4, address);
    if ((registers.cr4 & cr4_address_extension) != 0)
        return walk_extended(memory, registers.cr3, address);
    return walk_narrow(memory, registers, address);
}

}  // namespace sheaf::vmm::debug
