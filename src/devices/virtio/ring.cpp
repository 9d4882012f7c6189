#include "devices/virtio/ring.h"

#include <atomic>
#include <bit>

namespace sheaf::virtio {

namespace {

constexpr std::uint16_t size_limit = 32768;  // virtio 1.2, section 2.7
constexpr std::size_t index_offset = 2;      // after the flags, in both rings
constexpr std::size_t entries_offset = 4;
constexpr std::size_t used_entry_size = 8;
constexpr std::uint16_t no_interrupt = 1;  // VIRTQ_AVAIL_F_NO_INTERRUPT
constexpr std::uint16_t no_notify = 1;     // VIRTQ_USED_F_NO_NOTIFY

Result<std::span<std::byte>> area(const vmm::GuestMemory& memory, Gpa address, std::uint64_t length,
                                  std::uint64_t alignment, std::string_view name) {
    if (address.value() % alignment != 0)
        return fail(Kind::invalid, "{} at {:#x} is not aligned to {}", name, address.value(),
                    alignment);
    return TRY_WITHIN(memory.slice(address, length), "{}", name);
}

}  // namespace

Result<Ring> Ring::create(const QueueSetup& setup, const vmm::GuestMemory& memory) {
    if (!std::has_single_bit(setup.size) || setup.size > size_limit)
        return fail(Kind::invalid, "queue size {} is not a power of two up to {}", setup.size,
                    size_limit);
    const std::uint64_t size = setup.size;
    auto ring = Ring{};
    ring.size_ = setup.size;
    ring.event_index_ = setup.event_index;
    ring.descriptors_ =
        TRY(area(memory, setup.descriptors, size * sizeof(Descriptor), 16, "descriptor table"));
    ring.available_ =
        TRY(area(memory, setup.driver_area, entries_offset + 2 * size + 2, 2, "available ring"));
    ring.used_ = TRY(area(memory, setup.device_area, entries_offset + used_entry_size * size + 2, 4,
                          "used ring"));
    return ring;
}

std::uint16_t Ring::available_index() const {
    return vmm::load_acquire<std::uint16_t>(available_.subspan(index_offset));
}

std::uint16_t Ring::available_head(std::uint16_t position) const {
    const auto entry = entries_offset + std::size_t{2} * (position % size_);
    return vmm::load_acquire<std::uint16_t>(available_.subspan(entry));
}

void Ring::ask_for_doorbell(std::uint16_t index) const {
    if (event_index_) {
        const auto event = entries_offset + used_entry_size * size_;
        vmm::store_release<std::uint16_t>(used_.subspan(event), index);
    } else {
        vmm::store_release<std::uint16_t>(used_, 0);
    }
    // The request must be visible before the caller looks at the index again; otherwise driver and
    // device could each miss the other's step (section 2.7.10).
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

// With an event index the one asked for last has passed, so the driver is quiet by itself.
void Ring::decline_doorbells() const {
    if (!event_index_) vmm::store_release<std::uint16_t>(used_, no_notify);
}

void Ring::put_used(std::uint16_t position, std::uint16_t head, std::uint32_t written) const {
    const auto entry = used_.subspan(entries_offset + used_entry_size * (position % size_));
    store(entry, std::uint32_t{head});
    store(entry.subspan(4), written);
}

void Ring::publish_used(std::uint16_t index) const {
    vmm::store_release<std::uint16_t>(used_.subspan(index_offset), index);
}

bool Ring::wants_interrupt(std::uint16_t before, std::uint16_t after) const {
    // The index must be visible before the driver's wish is read (section 2.7.7).
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!event_index_) return (vmm::load_acquire<std::uint16_t>(available_) & no_interrupt) == 0;
    const auto event = available_.subspan(entries_offset + std::size_t{2} * size_);
    return passes_event(vmm::load_acquire<std::uint16_t>(event), before, after);
}

}  // namespace sheaf::virtio
