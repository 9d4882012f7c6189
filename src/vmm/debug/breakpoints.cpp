#include "vmm/debug/breakpoints.h"

#include <algorithm>

namespace sheaf::vmm::debug {

namespace {

constexpr auto breakpoint_instruction = std::byte{0xcc};
constexpr unsigned vector_debug = 1;
constexpr unsigned vector_breakpoint = 3;
constexpr std::uint64_t dr6_single_step = 1ull << 14;
constexpr std::uint64_t dr7_reserved_and_exact = 0x600;  // bit 10 is always 1, bit 9 is GE

// The fields of DR7 for one register (Intel SDM 3B, 18.2.4).
std::uint64_t dr7_of(std::size_t index, const HardwareBreakpoint& breakpoint) {
    using On = HardwareBreakpoint::On;
    const std::uint64_t on = breakpoint.on == On::execute ? 0 : breakpoint.on == On::write ? 1 : 3;
    const std::uint64_t length = breakpoint.length == 8 ? 2 : breakpoint.length - 1;
    return 2ull << 2 * index | (length << 2 | on) << (16 + 4 * index);
}

Cause::Kind kind_of(HardwareBreakpoint::On on) {
    switch (on) {
        case HardwareBreakpoint::On::execute: return Cause::Kind::hardware;
        case HardwareBreakpoint::On::write: return Cause::Kind::write;
        case HardwareBreakpoint::On::access: return Cause::Kind::access;
    }
    return Cause::Kind::hardware;
}

}  // namespace

const Breakpoints::Software* Breakpoints::at(Gpa place) const {
    const auto found = std::ranges::find_if(
        software_, [&](const auto& entry) { return entry.second.place == place; });
    return found == software_.end() ? nullptr : &found->second;
}

Result<void> Breakpoints::insert(const GuestMemory& memory, std::uint64_t address, Gpa place) {
    if (const auto known = software_.find(address); known != software_.end()) {
        if (known->second.place == place) return {};
        remove(memory, address);
    }
    if (software_.size() >= most_software)
        return fail(Kind::exhausted, "there are {} breakpoints already", most_software);
    const auto byte = TRY(memory.slice(place, 1));
    // The same memory may be known by another address.
    const auto* same = at(place);
    software_[address] = {place, same ? same->original : byte.front()};
    byte.front() = breakpoint_instruction;
    return {};
}

void Breakpoints::remove(const GuestMemory& memory, std::uint64_t address) {
    const auto known = software_.find(address);
    if (known == software_.end()) return;
    const auto [place, original] = known->second;
    software_.erase(known);
    if (at(place)) return;
    // A guest that has put something else there meanwhile keeps it.
    const auto byte = memory.slice(place, 1);
    if (byte && byte->front() == breakpoint_instruction) byte->front() = original;
}

Result<void> Breakpoints::insert(const HardwareBreakpoint& breakpoint) {
    const auto length = breakpoint.length;
    const bool known_length = length == 1 || length == 2 || length == 4 || length == 8;
    if (!known_length || breakpoint.address % length != 0)
        return fail(Kind::invalid, "{} bytes at {:#x} cannot be watched", length,
                    breakpoint.address);
    if (breakpoint.on == HardwareBreakpoint::On::execute && length != 1)
        return fail(Kind::invalid, "a hardware breakpoint of {} bytes", length);
    if (std::ranges::find(hardware_, std::optional{breakpoint}) != hardware_.end()) return {};
    const auto free =
        std::ranges::find_if(hardware_, [](const auto& slot) { return !slot.has_value(); });
    if (free == hardware_.end())
        return fail(Kind::exhausted, "all {} debug registers are in use", debug_registers);
    *free = breakpoint;
    return {};
}

void Breakpoints::remove(const HardwareBreakpoint& breakpoint) {
    std::ranges::replace(hardware_, std::optional{breakpoint}, std::optional<HardwareBreakpoint>{});
}

void Breakpoints::clear(const GuestMemory& memory) {
    while (!software_.empty()) remove(memory, software_.begin()->first);
    hardware_.fill(std::nullopt);
}

bool Breakpoints::empty() const {
    return software_.empty() &&
           std::ranges::none_of(hardware_, [](const auto& slot) { return slot.has_value(); });
}

bool Breakpoints::watches(std::uint64_t address) const {
    return std::ranges::any_of(hardware_, [&](const auto& slot) {
        return slot && slot->on != HardwareBreakpoint::On::execute && slot->address == address;
    });
}

void Breakpoints::hide(Gpa start, std::span<std::byte> bytes) const {
    for (const auto& [address, software] : software_) {
        const auto offset = software.place - start;
        // What lies before the start wraps, and is beyond the end as well. What is no longer our
        // instruction is the guest's.
        if (offset < bytes.size() && bytes[offset] == breakpoint_instruction)
            bytes[offset] = software.original;
    }
}

Result<void> Breakpoints::write(const GuestMemory& memory, Gpa start,
                                std::span<const std::byte> bytes) {
    auto target = TRY(memory.slice(start, bytes.size()));
    std::ranges::copy(bytes, target.begin());
    for (auto& [address, software] : software_) {
        const auto offset = software.place - start;
        if (offset >= bytes.size()) continue;
        software.original = bytes[offset];
        target[offset] = breakpoint_instruction;
    }
    return {};
}

kvm_guest_debug Breakpoints::control(Stepping stepping) const {
    auto control = kvm_guest_debug{};
    if (!software_.empty()) control.control |= KVM_GUESTDBG_USE_SW_BP;
    if (stepping == Stepping::on) control.control |= KVM_GUESTDBG_SINGLESTEP;
    for (std::size_t index = 0; index < hardware_.size(); ++index) {
        if (!hardware_[index]) continue;
        control.control |= KVM_GUESTDBG_USE_HW_BP;
        control.arch.debugreg[index] = hardware_[index]->address;
        control.arch.debugreg[7] |= dr7_of(index, *hardware_[index]) | dr7_reserved_and_exact;
    }
    if (control.control != 0) control.control |= KVM_GUESTDBG_ENABLE;
    return control;
}

Cause Breakpoints::cause_of(const kvm_debug_exit_arch& trap, std::optional<Gpa> place,
                            Stepping stepping) const {
    if (trap.exception == vector_breakpoint) {
        const bool ours = place && at(*place) != nullptr;
        return {ours ? Cause::Kind::software : Cause::Kind::guest, 0};
    }
    if (trap.exception != vector_debug) return {Cause::Kind::guest, 0};
    for (std::size_t index = 0; index < hardware_.size(); ++index)
        if (hardware_[index] && (trap.dr6 >> index & 1) != 0)
            return {kind_of(hardware_[index]->on), hardware_[index]->address};
    if (stepping == Stepping::on && (trap.dr6 & dr6_single_step) != 0)
        return {Cause::Kind::step, 0};
    return {Cause::Kind::guest, 0};
}

}  // namespace sheaf::vmm::debug
