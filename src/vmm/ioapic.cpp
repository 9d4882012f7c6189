#include "vmm/ioapic.h"

#include "base/bytes.h"

namespace sheaf::vmm {

namespace {

constexpr std::uint64_t offset_select = 0x00;
constexpr std::uint64_t offset_window = 0x10;

constexpr std::uint32_t index_id = 0;
constexpr std::uint32_t index_version = 1;
constexpr std::uint32_t index_arbitration = 2;
constexpr std::uint32_t index_redirection = 0x10;
constexpr std::uint32_t version = 0x20 | (layout::ioapic_pins - 1) << 16;

constexpr std::uint64_t masked = 1u << 16;
constexpr std::uint64_t read_only_bits = 1u << 12 | 1u << 14;  // delivery status, remote IRR

// The message of a redirection entry: Intel SDM 3, 11.11 (message signalled interrupts).
MsiMessage message_of(std::uint64_t entry) {
    const auto destination = entry >> 56;
    const auto logical = entry >> 11 & 1;
    const auto vector_and_mode = static_cast<std::uint32_t>(entry & 0x7ff);
    const auto level = static_cast<std::uint32_t>(entry >> 15 & 1);
    return {.address = layout::local_apic.value() | destination << 12 | logical << 2,
            .data = vector_and_mode | 1u << 14 | level << 15};
}

}  // namespace

Ioapic::Ioapic(PinRouter& router) : router_(router) {
    redirections_.fill(masked);
}

void Ioapic::read(std::uint64_t offset, std::span<std::byte> data) {
    const auto lock = std::lock_guard{mutex_};
    std::uint32_t value = 0;
    if (offset == offset_select) value = select_;
    if (offset == offset_window) value = read_register(select_);
    store_register(data, value);
}

void Ioapic::write(std::uint64_t offset, std::span<const std::byte> data) {
    const auto lock = std::lock_guard{mutex_};
    const auto value = static_cast<std::uint32_t>(load_register(data));
    if (offset == offset_select) select_ = value & 0xff;
    if (offset == offset_window) write_register(select_, value);
}

std::uint32_t Ioapic::read_register(std::uint32_t index) const {
    if (index == index_id || index == index_arbitration) return id_;
    if (index == index_version) return version;
    if (index < index_redirection) return 0;
    const auto pin = (index - index_redirection) / 2;
    if (pin >= redirections_.size()) return 0;
    return static_cast<std::uint32_t>(redirections_[pin] >> (index % 2 ? 32 : 0));
}

void Ioapic::write_register(std::uint32_t index, std::uint32_t value) {
    if (index == index_id) id_ = value & 0x0f000000;
    if (index < index_redirection) return;
    const auto pin = (index - index_redirection) / 2;
    if (pin >= redirections_.size()) return;
    auto& entry = redirections_[pin];
    if (index % 2) {
        entry = (entry & 0xffffffff) | static_cast<std::uint64_t>(value) << 32;
    } else {
        entry = (entry & ~std::uint64_t{0xffffffff}) | (value & ~read_only_bits & 0x1ffff);
    }
    update(pin);
}

void Ioapic::update(unsigned pin) {
    const auto entry = redirections_[pin];
    // A route KVM refuses leaves the pin as it was: the guest then misses this interrupt, as it
    // would with an entry that names no processor.
    static_cast<void>(
        router_.set_pin(pin, entry & masked ? std::nullopt : std::optional{message_of(entry)}));
}

}  // namespace sheaf::vmm
