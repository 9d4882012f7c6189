#include "devices/pci/msix.h"

#include <algorithm>

#include "base/bytes.h"

namespace sheaf::pci {

namespace {

constexpr std::uint64_t entry_size = 16;
constexpr std::uint16_t control_enable = 1 << 15;
constexpr std::uint16_t control_mask_all = 1 << 14;

// Where the words of a table entry are.
constexpr unsigned word_address_low = 0;
constexpr unsigned word_address_high = 1;
constexpr unsigned word_data = 2;

}  // namespace

Msix::Msix(vmm::MsiController& controller, unsigned vectors)
    : controller_(controller), entries_(std::min(vectors, vector_limit)) {}

Msix::~Msix() {
    for (const auto& entry : entries_)
        if (entry.route) controller_.release(*entry.route);
}

void Msix::set_control(std::uint16_t control) {
    const auto lock = std::lock_guard{mutex_};
    enabled_ = (control & control_enable) != 0;
    all_masked_ = (control & control_mask_all) != 0;
    for (auto& entry : entries_) refresh(entry);
}

void Msix::trigger(unsigned vector) {
    const auto lock = std::lock_guard{mutex_};
    if (vector >= entries_.size() || !enabled_) return;
    auto& entry = entries_[vector];
    if (open(entry)) {
        send(entry);
    } else {
        entry.pending = true;
    }
}

void Msix::send(Entry& entry) {
    if (entry.route) controller_.trigger(*entry.route);
}

// After a change of mask or message: an open vector has its route, and sends what was pending.
void Msix::refresh(Entry& entry) {
    if (!open(entry)) return;
    if (!entry.route) {
        const auto route = controller_.allocate();
        if (!route) return;  // the host has no more: this vector stays silent
        entry.route = *route;
    }
    // A message KVM refuses names no interrupt; the vector stays silent, as real hardware's would.
    static_cast<void>(controller_.set(*entry.route, entry.message));
    if (std::exchange(entry.pending, false)) send(entry);
}

std::uint32_t Msix::read_table(std::uint64_t offset) const {
    const auto& entry = entries_[offset / entry_size];
    switch (offset % entry_size / 4) {
        case word_address_low: return static_cast<std::uint32_t>(entry.message.address);
        case word_address_high: return static_cast<std::uint32_t>(entry.message.address >> 32);
        case word_data: return entry.message.data;
        default: return entry.masked ? 1 : 0;
    }
}

void Msix::write_table(std::uint64_t offset, std::uint32_t value) {
    auto& entry = entries_[offset / entry_size];
    auto& address = entry.message.address;
    switch (offset % entry_size / 4) {
        case word_address_low: address = (address >> 32 << 32) | (value & ~std::uint32_t{3}); break;
        case word_address_high:
            address = (address & 0xffffffff) | std::uint64_t{value} << 32;
            break;
        case word_data: entry.message.data = value; break;
        default: entry.masked = (value & 1) != 0; break;
    }
}

std::uint64_t Msix::pending_bits(std::size_t word) const {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 64 && word * 64 + i < entries_.size(); ++i)
        bits |= std::uint64_t{entries_[word * 64 + i].pending} << i;
    return bits;
}

// Software reads and writes aligned words of 4 or 8 bytes; anything else is undefined by the
// specification, and reads as zero here.
void Msix::read(std::uint64_t offset, std::span<std::byte> data) {
    const auto lock = std::lock_guard{mutex_};
    std::ranges::fill(data, std::byte{0});
    if (data.size() % 4 != 0 || offset % data.size() != 0) return;
    for (std::size_t i = 0; i < data.size(); i += 4) {
        const auto at = offset + i;
        std::uint32_t value = 0;
        if (at < entries_.size() * entry_size) {
            value = read_table(at);
        } else if (at >= pending_offset && at < pending_offset + vector_limit / 8) {
            const auto bits = pending_bits((at - pending_offset) / 8);
            value = static_cast<std::uint32_t>(at % 8 == 0 ? bits : bits >> 32);
        }
        store(data.subspan(i), value);
    }
}

void Msix::write(std::uint64_t offset, std::span<const std::byte> data) {
    const auto lock = std::lock_guard{mutex_};
    if (data.size() % 4 != 0 || offset % data.size() != 0) return;
    if (offset + data.size() > entries_.size() * entry_size) return;
    for (std::size_t i = 0; i < data.size(); i += 4)
        write_table(offset + i, load<std::uint32_t>(data.subspan(i)));
    refresh(entries_[offset / entry_size]);
}

}  // namespace sheaf::pci
