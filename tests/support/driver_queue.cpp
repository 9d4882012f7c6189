#include "support/driver_queue.h"

#include <atomic>

namespace sheaf::test {

namespace {

constexpr std::uint64_t flags_at = 0;
constexpr std::uint64_t index_at = 2;
constexpr std::uint64_t entries_at = 4;

// Shared with the device: sequentially consistent, as a driver with full barriers would be.
std::uint16_t load_shared(const FakeGuest& guest, Gpa address) {
    void* at = guest.view(address, 2).data();
    return std::atomic_ref{*static_cast<std::uint16_t*>(at)}.load();
}
void store_shared(const FakeGuest& guest, Gpa address, std::uint16_t value) {
    void* at = guest.view(address, 2).data();
    std::atomic_ref{*static_cast<std::uint16_t*>(at)}.store(value);
}

}  // namespace

DescriptorChainBuilder& DescriptorChainBuilder::readable(std::span<const std::byte> content) {
    return piece(queue_.guest().place(content), static_cast<std::uint32_t>(content.size()), 0);
}

DescriptorChainBuilder& DescriptorChainBuilder::writable(std::uint32_t length) {
    return piece(queue_.guest().allocate(length), length, descriptor_flag::write);
}

DescriptorChainBuilder& DescriptorChainBuilder::piece(Gpa address, std::uint32_t length,
                                                      std::uint16_t flags) {
    if (!pieces_.empty()) pieces_.back().flags |= descriptor_flag::next;
    pieces_.push_back({.address = address.value(), .length = length, .flags = flags});
    return *this;
}

std::uint16_t DescriptorChainBuilder::offer() {
    const auto head = queue_.put_chain(pieces_);
    queue_.put_available(head);
    return head;
}

std::uint16_t DescriptorChainBuilder::offer_indirect() {
    for (std::size_t i = 0; i + 1 < pieces_.size(); ++i)
        pieces_[i].next = static_cast<std::uint16_t>(i + 1);
    const auto table = queue_.guest().place(std::as_bytes(std::span{pieces_}));
    const auto length = static_cast<std::uint32_t>(std::span{pieces_}.size_bytes());
    const auto pointer = virtio::Descriptor{
        .address = table.value(), .length = length, .flags = descriptor_flag::indirect};
    const auto head = queue_.put_chain(std::span{&pointer, 1});
    queue_.writable_[head] = pieces_;
    queue_.put_available(head);
    return head;
}

DriverQueue::DriverQueue(FakeGuest& guest, const Options& options)
    : guest_(guest),
      setup_{.index = options.index,
             .size = options.size,
             .descriptors = guest.allocate(16ULL * options.size),
             .driver_area = guest.allocate(2ULL * options.size + 6, 2),
             .device_area = guest.allocate(8ULL * options.size + 6, 4),
             .event_index = options.event_index,
             .indirect = options.indirect},
      descriptors_(options.size),
      writable_(options.size) {
    for (auto index = options.size; index > 0; --index)
        free_.push_back(static_cast<std::uint16_t>(index - 1));
}

std::uint16_t DriverQueue::take_free_descriptor() {
    if (free_.empty()) std::abort();  // a fault of the test
    const auto index = free_.back();
    free_.pop_back();
    return index;
}

std::uint16_t DriverQueue::put_chain(std::span<const virtio::Descriptor> pieces) {
    std::vector<std::uint16_t> taken;
    for (std::size_t i = 0; i < pieces.size(); ++i) taken.push_back(take_free_descriptor());
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        auto descriptor = pieces[i];
        if (i + 1 < pieces.size()) descriptor.next = taken[i + 1];
        set_descriptor(taken[i], descriptor);
    }
    const auto head = taken.front();
    descriptors_[head] = std::move(taken);
    writable_[head].assign(pieces.begin(), pieces.end());
    return head;
}

std::optional<DriverQueue::Used> DriverQueue::take_used() {
    if (used_index() == used_) return {};
    const auto slot = std::uint64_t{static_cast<std::uint16_t>(used_ % size())};
    const auto used = guest_.read<Used>(setup_.device_area + (entries_at + 8 * slot));
    ++used_;
    if (used.head < size()) {
        auto& chain = descriptors_[used.head];
        free_.insert(free_.end(), chain.rbegin(), chain.rend());
        chain.clear();
    }
    return used;
}

std::vector<std::byte> DriverQueue::written(const Used& used) const {
    std::vector<std::byte> bytes;
    for (const auto& piece : writable_.at(used.head)) {
        if (!piece.device_writes()) continue;
        const auto wanted = std::min<std::size_t>(piece.length, used.written - bytes.size());
        const auto part = guest_.view(Gpa{piece.address}, wanted);
        bytes.insert(bytes.end(), part.begin(), part.end());
    }
    return bytes;
}

void DriverQueue::enable_interrupts() {
    if (setup_.event_index) return set_used_event(used_);
    store_shared(guest_, setup_.driver_area + flags_at, 0);
}

void DriverQueue::disable_interrupts() {
    if (setup_.event_index) return set_used_event(static_cast<std::uint16_t>(used_ - 1));
    store_shared(guest_, setup_.driver_area + flags_at, 1);
}

bool DriverQueue::must_ring() {
    const auto before = std::exchange(rung_for_, available_);
    if (!setup_.event_index) return used_flags() == 0;
    const auto passed = static_cast<std::uint16_t>(available_ - available_event() - 1);
    return passed < static_cast<std::uint16_t>(available_ - before);
}

void DriverQueue::set_descriptor(std::uint16_t index, const virtio::Descriptor& descriptor) {
    guest_.write(setup_.descriptors + std::uint64_t{index} * sizeof(descriptor), descriptor);
}

virtio::Descriptor DriverQueue::descriptor(std::uint16_t index) const {
    return guest_.read<virtio::Descriptor>(setup_.descriptors +
                                           std::uint64_t{index} * sizeof(virtio::Descriptor));
}

void DriverQueue::put_available(std::uint16_t head) {
    const auto slot = std::uint64_t{static_cast<std::uint16_t>(available_ % size())};
    store_shared(guest_, setup_.driver_area + (entries_at + 2 * slot), head);
    set_available_index(static_cast<std::uint16_t>(available_ + 1));
}

void DriverQueue::set_available_index(std::uint16_t index) {
    available_ = index;
    store_shared(guest_, setup_.driver_area + index_at, index);
}

std::uint16_t DriverQueue::used_index() const {
    return load_shared(guest_, setup_.device_area + index_at);
}

void DriverQueue::set_used_event(std::uint16_t index) {
    store_shared(guest_, setup_.driver_area + (entries_at + 2ULL * size()), index);
}

std::uint16_t DriverQueue::available_event() const {
    return load_shared(guest_, setup_.device_area + (entries_at + 8ULL * size()));
}

std::uint16_t DriverQueue::used_flags() const {
    return load_shared(guest_, setup_.device_area + flags_at);
}

}  // namespace sheaf::test
