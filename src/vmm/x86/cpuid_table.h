#pragma once

// Why: the edits of cpuid.cpp read as "leaf, register, bit"; this is the small editor they speak
// to.

#include <linux/kvm.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace sheaf::vmm::x86 {

constexpr std::uint32_t bit(unsigned number) {
    return std::uint32_t{1} << number;
}

// The bits [low, high] of `word` become `value`, cut to fit.
constexpr void set_field(std::uint32_t& word, unsigned high, unsigned low, std::uint32_t value) {
    const auto mask = (std::uint64_t{1} << (high - low + 1)) - 1;
    word = static_cast<std::uint32_t>((word & ~(mask << low)) | ((value & mask) << low));
}

class CpuidTable {
  public:
    explicit CpuidTable(std::span<const kvm_cpuid_entry2> entries)
        : entries_(entries.begin(), entries.end()) {}

    // The entry of a leaf (its subleaf 0 where it has several), or null.
    kvm_cpuid_entry2* find(std::uint32_t leaf) {
        const auto at = std::ranges::find_if(entries_, [&](const auto& entry) {
            return entry.function == leaf && entry.index == 0;
        });
        return at == entries_.end() ? nullptr : &*at;
    }

    // Calls change(entry) for each subleaf of `leaf` that is there.
    void for_each(std::uint32_t leaf, auto change) {
        for (auto& entry : entries_)
            if (entry.function == leaf) change(entry);
    }

    // All subleaves of `leaf` read as zero.
    void blank(std::uint32_t leaf) {
        for_each(leaf, [](auto& entry) { entry.eax = entry.ebx = entry.ecx = entry.edx = 0; });
    }

    // `entries` stand where all subleaves of `leaf` were.
    void replace(std::uint32_t leaf, std::span<const kvm_cpuid_entry2> entries) {
        std::erase_if(entries_, [&](const auto& entry) { return entry.function == leaf; });
        entries_.insert(entries_.end(), entries.begin(), entries.end());
    }

    // The highest leaf of the range that begins at `base` (0, 0x40000000, 0x80000000).
    std::uint32_t highest(std::uint32_t base) {
        const auto* entry = find(base);
        return entry ? entry->eax : base;
    }

    std::vector<kvm_cpuid_entry2> take() && { return std::move(entries_); }

  private:
    std::vector<kvm_cpuid_entry2> entries_;
};

}  // namespace sheaf::vmm::x86
